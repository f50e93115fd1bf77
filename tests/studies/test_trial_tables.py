"""The tables of a trial: designs, dropout, flow, numbers at risk, and the lines that tell them."""

import numpy as np
import pandas as pd
import pytest
from studies import trials

from mpn_abm.analysis.endpoints import times_to, values_on
from mpn_abm.analysis.pairing import design_of
from mpn_abm.analysis.power import PowerQuestion
from mpn_abm.analysis.survival import survival_at
from mpn_abm.analysis.trial import arms_of, trial_tables
from mpn_abm.analysis.trial_lines import trial_lines
from mpn_abm.columns import STUDY_TABLES
from mpn_abm.errors import UsageError
from mpn_abm.scenario.claims import Claim
from mpn_abm.tables import table_from_frame

NAMES, DAYS = ["svr35", "spleen_ml", "overall_survival"], [168.0, 336.0]
CLAIMS = {
    "hazard": Claim(endpoint="overall_survival", arm="drug", contrast="hazard_ratio", high=1.0),
    "response": Claim(endpoint="svr35", arm="drug", versus="control", at_day=168.0, low=0.1),
}


def tables_of(arms, **more):
    return trial_tables(arms, {}, NAMES, DAYS, "control", claims=CLAIMS, **more)


@pytest.fixture(scope="module", params=["paired", "independent"])
def trial(request):
    twins = request.param == "paired"
    trajectory, summary, plan = trials.drawn(120, 0.5, 1, twins=twins, dropout_per_day=0.001)
    arms = arms_of(trajectory, summary, plan)
    planned = PowerQuestion("svr35", ("control", "drug"), 168.0, (10, 30), repeats=200)
    return request.param, arms, plan, tables_of(arms, plan=plan, planned=planned)


def test_all_tables_have_the_declared_columns_and_say_the_design(trial):
    design, _, _, tables = trial
    assert set(tables) == {"endpoints", "survival", "comparison", "claims", "km", "flow", "power"}
    for name, table in tables.items():
        assert table_from_frame(STUDY_TABLES[name], table).num_rows == len(table) > 0
        assert set(table.columns) == {column.name for column in STUDY_TABLES[name]}
    for name in ("comparison", "claims", "flow", "power"):
        assert set(tables[name]["design"]) == {design}


def test_twins_are_tested_by_strata_and_groups_by_the_log_rank_test(trial):
    design, _, _, tables = trial
    comparison = tables["comparison"]
    hazard = comparison[comparison["contrast"] == "hazard_ratio"].set_index("endpoint")
    claim = tables["claims"].set_index("claim").loc["hazard"]
    if design == "paired":
        # asked by a claim: the ratio with an interval of pairs
        assert hazard.index.tolist() == ["overall_survival"]
        assert 0.0 < claim["p_value"] < 1e-6
    else:
        assert hazard.index.tolist() == ["svr35", "overall_survival"]
        assert 0.0 < hazard.loc["overall_survival", "p_value"] < 1.0
    assert claim["value_low"] < claim["value"] < claim["value_high"]
    both = comparison[(comparison["contrast"] == "difference") & (comparison["endpoint"] == "overall_survival")]
    assert both["statistic"].tolist() == ["survival", "survival", "restricted_mean"]
    assert both["p_value"].notna().all()


def test_twins_differ_more_surely_than_groups():
    """Patients differ by far more than arms. Catches pairs that are taken for groups."""
    width = {}
    for twins in (True, False):
        arms = trials.arms(80, 0.2, 5, twins=twins, death_per_day=1e-6)
        comparison = trial_tables(arms, {}, ["spleen_ml"], [336.0], "control")["comparison"]
        row = comparison[comparison["contrast"] == "difference"].iloc[0]
        width[twins] = row["high"] - row["low"]
    assert width[True] < 0.4 * width[False]


def test_everybody_allocated_is_somewhere(trial):
    _, arms, _, tables = trial
    flow = tables["flow"]
    parts = flow[["failed", "died", "dropped_out", "ended", "evaluable"]].sum(axis=1)
    assert (parts == flow["allocated"]).all()
    end = flow[flow["day"] == 336.0].set_index("arm")
    assert (end["dropped_out"] > 0).all()
    assert (end["died"] > 0).all()
    assert end["progressed"].isna().all()
    alive = values_on(arms["drug"], "overall_survival", {}, 336.0)
    assert end.loc["drug", "evaluable"] == (alive == 1.0).sum()
    assert end.loc["drug", "analysed"] == alive.notna().sum()


def test_a_run_that_failed_is_counted():
    trajectory, summary, plan = trials.drawn(10, 0.5, 1)
    lost = (summary["arm"] == "drug") & (summary["patient"] == 3)
    gone = (trajectory["arm"] == "drug") & (trajectory["patient"] == 3)
    tables = tables_of(arms_of(trajectory[~gone], summary[~lost], plan), plan=plan)
    first = tables["flow"].set_index(["arm", "day"])
    assert first.loc[("drug", 0.0), ["enrolled", "allocated", "failed"]].tolist() == [10, 10, 1]
    assert first.loc[("control", 0.0), "failed"] == 0
    assert set(tables["comparison"]["design"]) == {"paired"}


def test_what_comes_after_a_patient_left_is_not_seen():
    """Rows and deaths after the day may be anything. Catches whatever looks at them."""
    trajectory, summary, plan = trials.drawn(60, 0.5, 2, dropout_per_day=0.004)
    left = trajectory.merge(plan, on=["arm", "patient"])["dropout_day"].to_numpy()
    changed = trajectory.copy()
    changed.loc[trajectory["day"] > left, ["spleen_ml", "alive"]] = [1.0, False]
    told = summary.merge(plan, on=["arm", "patient"])
    other = summary.assign(death_day=np.where(told["death_day"] > told["dropout_day"], 335.0, summary["death_day"]))
    # a death by then that the summary does not know of must not come before the day of leaving
    other["death_day"] = other["death_day"].where(
        ~(other["death_day"] < told["dropout_day"]) | summary.death_day.notna()
    )
    one, two = (tables_of(arms_of(*tables, plan)) for tables in ((trajectory, summary), (changed, other)))
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, two[name])


def test_times_end_on_the_day_of_leaving():
    rows = pd.DataFrame({"patient": [0, 0, 0], "day": [0.0, 28.0, 56.0], "alive": True, "arm": "a"})
    summary = pd.DataFrame({"patient": [0], "arm": "a", "death_day": [50.0]})
    plan = pd.DataFrame({"patient": [0], "arm": "a", "dropout_day": [40.0]})
    who = arms_of(rows, summary, plan)["a"]
    assert times_to(who, "overall_survival", {}).iloc[0].tolist() == [40.0, False, False]
    assert who.day.tolist() == [0.0, 28.0]
    later = arms_of(rows, summary, plan.assign(dropout_day=60.0))["a"]
    assert times_to(later, "overall_survival", {}).iloc[0].tolist() == [50.0, True, False]


def test_dropout_leaves_shares_and_curves_where_they_were():
    """6000 lives at risk of death and of leaving alike: 4 standard errors from the truth at most.

    Catches a share that counts deaths of patients who would have left, but not their lives: it is 0.14 lower.
    """
    arms = trials.arms(6000, 0.5, 3, death_per_day=0.003, dropout_per_day=0.003)
    truth = np.exp(-0.003 * 168)
    alive = values_on(arms["control"], "overall_survival", {}, 168.0).dropna()
    assert abs(alive.mean() - truth) < 4 * np.sqrt(truth * (1 - truth) / len(alive))
    assert len(alive) == pytest.approx(6000 * truth, rel=0.1)
    share, (low, high) = survival_at(times_to(arms["control"], "overall_survival", {}), 168.0)
    assert abs(share - truth) < (high - low)


def test_numbers_at_risk_by_hand():
    """Deaths on days 10, 20 and 30, one who left on 20 and one watched to 56."""
    rows = pd.DataFrame({"patient": np.repeat(range(5), 3), "day": [0.0, 28.0, 56.0] * 5, "alive": True, "arm": "a"})
    summary = pd.DataFrame({"patient": range(5), "arm": "a", "death_day": [10, 20, 30, np.nan, np.nan]})
    plan = pd.DataFrame({"patient": range(5), "arm": "a", "dropout_day": [np.nan] * 3 + [20, np.nan]})
    arms = arms_of(rows, summary, plan)
    km = trial_tables(arms, {}, ["overall_survival"], [20.0, 28.0, 56.0], "a")["km"].set_index("day")
    assert km["at_risk"].tolist() == [5, 4, 2, 1]
    assert km["events"].tolist() == [0, 2, 2, 3]
    assert km["censored"].tolist() == [0, 0, 1, 1]
    assert km["survival"].tolist() == pytest.approx([1.0, 0.6, 0.6, 0.3])


def test_arms_that_share_some_patients_only_are_refused():
    arms = trials.arms(10, 0.5, 1)
    other = trials.arms(10, 0.5, 1, twins=False)["drug"]
    with pytest.raises(UsageError, match="expected every patient in all arms, or in one"):
        design_of({**arms, "third": other})


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_weights_that_are_none_are_refused(weight):
    trajectory, summary, plan = trials.drawn(4, 0.5, 1)
    with pytest.raises(UsageError, match="weight: expected 0 or more"):
        arms_of(trajectory, summary, plan.assign(weight=weight))


def test_the_lines_tell_what_claims_ask_of_the_end():
    claims = {"end": Claim(endpoint="spleen_ml", arm="drug", versus="control", high=1e6)}
    tables = trial_tables(trials.arms(30, 0.5, 1), {}, ["svr35"], [168.0], "control", claims=claims)
    lines = trial_lines(tables, "control")
    place = lines.index("spleen_ml")
    assert lines[place + 1] == "  at the end: mean"
    assert lines[place + 2].startswith("    difference")
    assert f"{tables['claims']['value'].iloc[0]:.3g} (" in lines[place + 2]


def test_a_hazard_that_has_no_ratio_has_its_log_rank_test():
    """Nobody under control shrinks by 35 %."""
    tables = trial_tables(trials.arms(40, 0.7, 1, twins=False), {}, ["svr35"], [168.0], "control")
    (hazard,) = tables["comparison"].query("contrast == 'hazard_ratio'").to_dict("records")
    assert np.isnan(hazard["estimate"])
    (line,) = (line for line in trial_lines(tables, "control") if line.startswith("  hazard ratio"))
    assert hazard["p_value"] < 0.001
    assert line.endswith("not known, p < 0.001")


def test_weights_that_are_alike_are_none():
    """Catches one arm that is weighted, as its patients differ, beside another that is not."""
    trajectory, summary, plan = trials.drawn(30, 0.5, 1, twins=False)
    plain = tables_of(arms_of(trajectory, summary, plan))
    for name, table in tables_of(arms_of(trajectory, summary, plan.assign(weight=2.0))).items():
        pd.testing.assert_frame_equal(table, plain[name])
    weights = np.where(plan["arm"] == "drug", 2.0 + plan["patient"], 1.0)
    for arms in (arms_of(trajectory, summary, plan.assign(weight=w)) for w in (weights, np.fmin(weights, 2.0))):
        assert all(patients.weight is not None for patients in arms.values())
        hazard = tables_of(arms)["comparison"].query("contrast == 'hazard_ratio'")
        assert hazard["estimate"].isna().all()


def test_the_lines_show_each_endpoint_with_arms_as_columns(trial):
    design, _, _, tables = trial
    lines = trial_lines(tables, "control")
    assert design in lines[0].replace("independent groups", "independent")
    assert lines[1].split() == ["control", "(reference)", "drug"]
    place = lines[1].index("drug")
    comparison = tables["comparison"]
    share = comparison[
        (comparison["endpoint"] == "svr35") & (comparison["day"] == 168.0) & (comparison["arm"] == "drug")
    ]
    value = share[(share["statistic"] == "mean") & share["contrast"].isna()]["estimate"].iloc[0]
    line = next(line for line in lines[lines.index("svr35") :] if line.startswith("  week 24: share"))
    assert line[place:].startswith(f"{value:.3g} (")
    assert any(line.startswith("  week 24: free of event") for line in lines)
    assert any(line.startswith("  median, days") for line in lines)
    assert any("p " in line[place:] for line in lines if line.startswith("    difference"))
    assert any(line.startswith("power: svr35, week 24, drug versus control") for line in lines)
    assert max(map(len, lines)) <= 160
