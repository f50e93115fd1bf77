"""Sizes of trials: against closed forms, and what a trial that is too small says of itself."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from studies import trials

from mpn_abm.analysis import shares
from mpn_abm.analysis.curves import free_on, of_all, restricted_mean
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.power import PowerQuestion, power
from mpn_abm.analysis.resampling import over_draws
from mpn_abm.analysis.trial_lines import power_lines
from mpn_abm.analysis.trial_tests import of_pairs, of_times, of_values, pseudo_values
from mpn_abm.columns import STUDY_TABLES
from mpn_abm.errors import UsageError
from mpn_abm.scenario.endpoints import Endpoint
from mpn_abm.tables import table_from_frame

YES = {"big": Endpoint(column="x", above=0.5)}
ARMS = ("control", "drug")


def arm(values, first=0):
    """Patients whose x is this, on day 0."""
    names = np.arange(first, first + len(values))
    return Patients(pd.DataFrame({"patient": names, "day": 0.0, "x": np.asarray(values, float)}))


def shares_of(control, drug, number, rng=None):
    """Two groups with these shares, exactly or drawn."""
    values = [
        np.arange(number) < share * number if rng is None else rng.random(number) < share for share in (control, drug)
    ]
    return {name: arm(value, k * number) for k, (name, value) in enumerate(zip(ARMS, values, strict=True))}


def exact_power(one, other, size, alpha=0.05):
    """Fisher's test: the sum over all outcomes."""
    yes = np.arange(size + 1)
    p_values = np.array([[shares.fisher(a, size, b, size) for b in yes] for a in yes])
    chance = np.outer(stats.binom.pmf(yes, size, one), stats.binom.pmf(yes, size, other))
    return chance[p_values < alpha].sum()


def formula(one, other, size, alpha=0.05):
    """Casagrande, Pike and Smith, Biometrics 1978, 34:483, solved for the power."""
    change, middle = abs(one - other), (one + other) / 2
    # size = m/4 (1 + sqrt(1 + 4 / (m change)))^2 is inverted by m = size - 2 / change + 1 / (size change^2)
    m = size - 2 / change + 1 / (size * change**2)
    reach = stats.norm.ppf(1 - alpha / 2) * np.sqrt(2 * middle * (1 - middle))
    return stats.norm.cdf((change * np.sqrt(m) - reach) / np.sqrt(one * (1 - one) + other * (1 - other)))


def test_power_for_two_shares_is_that_of_the_closed_form():
    """4000 repeats: 4 standard errors of them from the exact power of Fisher's test; Casagrande's formula is near."""
    arms, sizes = shares_of(0.3, 0.6, 5000), (20, 40)
    asked = PowerQuestion("big", ARMS, 0.0, sizes, repeats=4000)
    found = power(asked, YES, arms).set_index("size")
    for size in sizes:
        exact = exact_power(0.3, 0.6, size)
        assert abs(found.loc[size, "power"] - exact) < 4 * np.sqrt(exact * (1 - exact) / 4000)
        assert found.loc[size, "power"] == pytest.approx(formula(0.3, 0.6, size), abs=0.05)
        assert found.loc[size, "low"] < found.loc[size, "power"] < found.loc[size, "high"]
    assert found["answered"].all()
    assert set(found["test"]) == {"Fisher's exact test"}
    assert (found["low"] < 0.9).all()


def test_power_for_two_means_is_that_of_the_noncentral_t():
    rng = np.random.default_rng(1)
    values = stats.norm.ppf((np.arange(5000) + 0.5) / 5000)
    arms = {"control": arm(values), "drug": arm(rng.permutation(values) + 0.5, 5000)}
    found = power(PowerQuestion("x", ARMS, 0.0, (50,), repeats=4000), {}, arms)["power"].iloc[0]
    exact = stats.nct.sf(stats.t.ppf(0.975, 98), 98, 0.5 * np.sqrt(25))
    assert abs(found - exact) < 4 * np.sqrt(exact * (1 - exact) / 4000)


def test_without_an_effect_power_is_the_level():
    arms = {"control": arm(np.arange(5000.0)), "drug": arm(np.arange(5000.0), 5000)}
    found = power(PowerQuestion("x", ARMS, 0.0, (30,), repeats=4000, alpha=0.1), {}, arms)["power"].iloc[0]
    assert abs(found - 0.1) < 4 * np.sqrt(0.1 * 0.9 / 4000)


def test_a_trial_that_is_too_small_says_so_and_how_many_it_needs():
    small, large = (
        power(PowerQuestion("big", ARMS, 0.0, (40,)), YES, shares_of(0.3, 0.6, n)).iloc[0] for n in (60, 6000)
    )
    assert not small["answered"]
    assert small["trial_high"] - small["trial_low"] > 0.2
    assert small["patients_needed"] > 60
    assert large["answered"]
    assert large["trial_high"] - large["trial_low"] < 0.2
    needed = power(PowerQuestion("big", ARMS, 0.0, (40,)), YES, shares_of(0.3, 0.6, int(small["patients_needed"])))
    assert needed.iloc[0]["trial_high"] - needed.iloc[0]["trial_low"] == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("share", [0.0, 1.0])
@pytest.mark.parametrize("first", [0, 20], ids=["pairs", "groups"])
def test_where_nobody_or_everybody_had_it_no_power_is_known(share, first):
    """Catches the power of 0 that is sure of itself, as no draw differs."""
    arms = {"control": arm(np.full(20, share)), "drug": arm(np.full(20, share), first)}
    table = power(PowerQuestion("big", ARMS, 0.0, (10, 100), repeats=50), YES, arms)
    assert table[["trial_low", "trial_high"]].to_numpy().tolist() == [[0.0, 1.0]] * 2
    assert table[["power", "low", "high", "patients_needed"]].isna().all(axis=None)
    assert not table["answered"].any()
    header, line = power_lines(table)
    assert "drawn from this one of 20 " in header
    assert line.startswith("  not known for any size, as ")
    assert table_from_frame(STUDY_TABLES["power"], table).num_rows == 2


@pytest.mark.parametrize("day", [0.0, None])
@pytest.mark.parametrize("first", [0, 20], ids=["pairs", "groups"])
def test_where_an_arm_has_nobody_who_is_asked_no_power_is_known(day, first):
    """As of the loss of a response that nobody had."""
    own = YES | {"lost": Endpoint(column="x", above=0.5, since="big")}
    arms = {"control": arm(np.zeros(20)), "drug": arm(np.ones(20), first)}
    table = power(PowerQuestion("lost", ARMS, day, (10,), repeats=50), own, arms)
    assert table["power"].isna().all()


def test_arms_of_different_sizes_are_told_as_they_are():
    values = np.arange(40.0) % 2
    arms = {"control": arm(values[:20]), "drug": arm(np.zeros(40), 20)}
    table = power(PowerQuestion("big", ARMS, 0.0, (10, 100), repeats=50), YES, arms)
    assert table[["patients", "patients_versus"]].to_numpy().tolist() == [[40, 20]] * 2
    header, small, *_, last = power_lines(table)
    assert header.endswith("drawn from this one of 40 and 20 patients")
    assert f" is right, {table['patients_needed'].iloc[0]} patients an arm would do" in small
    assert "say more trial.patients" in last


def test_the_range_of_a_trial_holds_the_true_power():
    """40 large trials of 200; 95 % ranges miss at most 7 times (p < 0.002 if they keep their level)."""
    rng, truth = np.random.default_rng(8), exact_power(0.3, 0.6, 30)
    asked = PowerQuestion("big", ARMS, 0.0, (30,), repeats=300)
    found = [power(asked, YES, shares_of(0.3, 0.6, 200, rng)).iloc[0] for _ in range(40)]
    missed = sum(not row["trial_low"] <= truth <= row["trial_high"] for row in found)
    # the Monte-Carlo interval alone would miss most: the trial's own error is larger
    assert missed <= 7
    assert sum(not row["low"] <= truth <= row["high"] for row in found) > 10


def test_tests_of_draws_are_those_of_scipy():
    rng = np.random.default_rng(2)
    one, other = pd.Series(rng.normal(size=40)), pd.Series(rng.normal(0.3, 1.0, 30), range(40, 70))
    alone, everybody = np.ones((1, 40), int), np.ones((1, 30), int)
    found = of_values(one, other, False, None, None).p_values(alone, everybody)[0]
    assert found == pytest.approx(stats.ttest_ind(one, other, equal_var=False).pvalue)
    yes, no = (one > 0).astype(float), (other > 0).astype(float)
    table = [[yes.sum(), 40 - yes.sum()], [no.sum(), 30 - no.sum()]]
    found = of_values(yes, no, True, None, None).p_values(alone, everybody)[0]
    assert found == pytest.approx(stats.fisher_exact(np.array(table, int)).pvalue)
    twin = one + rng.normal(0.2, 0.5, 40)
    assert of_pairs(twin, one, False, None).p_values(alone)[0] == pytest.approx(stats.ttest_rel(twin, one).pvalue)
    changed = (twin > 0).astype(float) - yes
    mcnemar = stats.binomtest(int((changed > 0).sum()), int((changed != 0).sum())).pvalue
    assert of_pairs((twin > 0).astype(float), yes, True, None).p_values(alone)[0] == pytest.approx(mcnemar)


def test_log_rank_tests_of_draws_are_scipys():
    rng = np.random.default_rng(3)
    parts = []
    for first, number in ((0, 25), (25, 35)):
        table = {"time_days": rng.integers(1, 30, number).astype(float), "event": rng.random(number) < 0.7}
        parts.append(pd.DataFrame({**table, "died": False}, index=range(first, first + number)))
    test = of_times(*parts, "independent")
    kept = []

    def keeping(*counts):
        kept.append(counts)
        return test.p_values(*counts)

    found = over_draws(test.numbers, keeping, 20)
    for k in range(20):
        drawn = [part.loc[part.index.repeat(counts[k])] for part, counts in zip(parts, kept[0], strict=True)]
        data = [stats.CensoredData(d["time_days"][d["event"]], right=d["time_days"][~d["event"]]) for d in drawn]
        assert found[k] == pytest.approx(stats.logrank(*data).pvalue)


def test_without_censoring_a_pseudo_value_is_the_value():
    told = trials.times((2, "e"), (5, "e"), (9, "e"), (11, "e"))
    assert pseudo_values(told, restricted_mean(10)) == pytest.approx([2, 5, 9, 10])
    assert pseudo_values(told, free_on(5)) == pytest.approx([0, 0, 1, 1])
    censored = trials.times((2, "e"), (5, "c"), (9, "e"), (11, "e"))
    assert pseudo_values(censored, free_on(9)).mean() == pytest.approx(of_all(censored, free_on(9)), abs=0.02)


def test_twins_need_fewer_patients_and_groups_may_be_drawn_from_them():
    arms = trials.arms(400, 0.2, 4, death_per_day=1e-6)
    asked = {"endpoint": "spleen_ml", "arms": ARMS, "day": 336.0, "sizes": (15,), "repeats": 300}
    pairs, groups = (power(PowerQuestion(**asked, design=design), {}, arms).iloc[0] for design in (None, "independent"))
    assert (pairs["design"], groups["design"]) == ("paired", "independent")
    assert pairs["power"] > groups["power"] + 0.3
    times = power(PowerQuestion("overall_survival", ARMS, None, (100,), repeats=50), {}, trials.arms(200, 0.2, 4))
    assert times["test"].iloc[0].startswith("paired t test of pseudo-values of the restricted mean to day 336")


def test_pairs_of_groups_and_unknown_arms_are_refused():
    arms = trials.arms(10, 0.2, 4, twins=False)
    with pytest.raises(UsageError, match=r"power\.design: paired: expected independent"):
        power(PowerQuestion("spleen_ml", ARMS, 336.0, design="paired"), {}, arms)
    with pytest.raises(UsageError, match=r"power\.arms: placebo: expected one of control, drug"):
        power(PowerQuestion("spleen_ml", ("placebo", "drug"), 336.0), {}, arms)


def test_patients_are_drawn_by_their_weights():
    """Half of the patients have all of the weight, and the effect."""
    values = np.r_[np.zeros(500), np.ones(500)]
    plan = pd.DataFrame({"patient": range(1000), "weight": np.r_[np.full(500, 1e-9), np.ones(500)]})
    rows = pd.DataFrame({"patient": range(1000), "day": 0.0, "x": values})
    heavy, none = Patients(rows, None, plan), Patients(rows.assign(x=0.0), None, plan)
    found = power(PowerQuestion("big", ARMS, 0.0, (10,), repeats=100), YES, {"control": none, "drug": heavy})
    assert found["power"].iloc[0] == 1.0
