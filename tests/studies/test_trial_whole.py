"""Trials that are run: what their tables say is what the textbook tests say of their patients."""

import numpy as np
import pytest
from scipy import stats
from studies.study_folders import a_trial

import mpn_abm
from mpn_abm.analysis import hazards, survival

DAY = 28.0
ENDPOINTS = {"moved": {"column": "vaf_driver", "change": "absolute", "at_least": 0.005}}
ASKED = {"endpoints": ["moved", "overall_survival"], "at_days": [DAY]}


def tables_of(folder, **blocks):
    return mpn_abm.trial(a_trial(24, **ASKED, **blocks) | {"endpoints": ENDPOINTS}, out=folder)


@pytest.fixture(scope="module")
def randomised(tmp_path_factory):
    return tables_of(tmp_path_factory.mktemp("randomised") / "t", allocation={"control": 1, "fast": 1})


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    return tables_of(tmp_path_factory.mktemp("twins") / "t")


def the_row(study, **said):
    """The row of the comparison of `moved` in the arm fast, and no other."""
    rows = study.comparison[(study.comparison["endpoint"] == "moved") & (study.comparison["arm"] == "fast")]
    for name, value in said.items():
        rows = rows[rows[name].isna() if value is None else rows[name] == value]
    (row,) = rows.to_dict("records")
    return row


def times_in(study):
    """The times of both arms, fast first."""
    table = study.survival[study.survival["endpoint"] == "moved"].set_index("patient")
    return [table.loc[table["arm"] == arm, ["time_days", "event", "died"]] for arm in ("fast", "control")]


def yes_in(study):
    """Whether each patient of both arms has it on the day, fast first."""
    table = study.endpoints[(study.endpoints["endpoint"] == "moved") & (study.endpoints["day"] == DAY)]
    table = table.set_index("patient")
    return [table.loc[table["arm"] == arm, "value"].sort_index() for arm in ("fast", "control")]


def test_randomised_arms_have_the_tests_of_independent_groups(randomised):
    """Catches a trial whose patients, of one weight, count as weighted: such have neither."""
    one, other = times_in(randomised)
    ratio, interval = hazards.hazard_ratio(one, other)
    hazard = the_row(randomised, contrast="hazard_ratio")
    found = [hazard[name] for name in ("estimate", "low", "high", "p_value")]
    assert found == pytest.approx([ratio, *interval, survival.log_rank(one, other)])
    assert np.isfinite(found).all()
    fast, control = yes_in(randomised)
    counts = [[values.sum(), (1 - values).sum()] for values in (fast, control)]
    share = the_row(randomised, contrast="difference", statistic="mean")
    assert share["p_value"] == pytest.approx(stats.fisher_exact(np.array(counts, int)).pvalue)
    assert share["p_value"] < 1.0


def test_a_curve_of_a_trial_has_the_bands_of_the_log_log_transform(randomised):
    _, other = times_in(randomised)
    seen = other["event"]
    curve = stats.ecdf(stats.CensoredData(other.loc[seen, "time_days"], right=other.loc[~seen, "time_days"])).sf
    bands = curve.confidence_interval(method="log-log")
    km = randomised.km.set_index(["endpoint", "arm", "day"]).loc[("moved", "control", DAY)]
    expected = [float(each.evaluate(DAY)) for each in (curve, bands.low, bands.high)]
    assert km[["survival", "survival_low", "survival_high"]].tolist() == pytest.approx(expected)


def test_the_first_arm_of_the_file_is_the_reference(randomised):
    """The first patient is in the other one."""
    assert randomised.plan["arm"].iloc[0] == "fast"
    assert set(randomised.comparison["versus"].dropna()) == {"control"}


def test_twins_have_mcnemars_test(twins):
    fast, control = yes_in(twins)
    only = int((fast > control).sum()), int((fast < control).sum())
    expected = stats.binomtest(only[0], sum(only)).pvalue
    share = the_row(twins, contrast="difference", statistic="mean")
    assert share["p_value"] == pytest.approx(expected)
    assert 0.0 < share["p_value"] < 1.0


def test_a_claim_on_the_end_is_answered(tmp_path):
    """One arm alone, and the hazard of a headline: neither is a figure of both arms."""
    claims = {
        "lives": {"arm": "fast", "endpoint": "overall_survival", "low": 0.5},
        "small": {"arm": "fast", "versus": "control", "endpoint": "vaf_driver", "high": 1.0},
        "risk": {"arm": "fast", "versus": "control", "endpoint": "moved", "contrast": "hazard_ratio", "low": 0.0},
    }
    study = mpn_abm.trial(a_trial(8, **ASKED) | {"endpoints": ENDPOINTS, "expect": claims}, out=tmp_path / "t")
    assert study.claims["claim"].tolist() == list(claims)
    assert study.answer == "All 3 claims held."


def test_where_all_have_left_nothing_is_known(tmp_path):
    study = tables_of(tmp_path / "t", dropout_per_year=99.0)
    km, rows = (
        table[(table["endpoint"] == "overall_survival") & (table["day"] == DAY)]
        for table in (study.km, study.comparison)
    )
    assert km["at_risk"].tolist() == km["events"].tolist() == [0, 0]
    assert km[["survival", "survival_low", "incidence", "incidence_low"]].isna().all(axis=None)
    assert set(rows["statistic"]) == {"survival", "restricted_mean"}
    assert rows[["estimate", "low", "high"]].isna().all(axis=None)


def test_words_that_fail_do_not_cost_the_tables(tmp_path, monkeypatch):
    def wrong(*_):
        raise KeyError("control")

    monkeypatch.setattr("mpn_abm.studies.study_tables.answer", wrong)
    with pytest.raises(KeyError):
        tables_of(tmp_path / "t")
    assert {"comparison.csv", "km.parquet"} <= {file.name for file in (tmp_path / "t").iterdir()}
    monkeypatch.undo()
    assert not (tmp_path / "t" / "manifest.json").exists()
    assert tables_of(tmp_path / "t").claims.empty
