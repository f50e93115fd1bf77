"""Curves of weighted patients, draws with replacement, and what must hold of any times."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from studies.trials import times

from mpn_abm.analysis import curves, hazards, shares, statistics, survival
from mpn_abm.analysis.estimates import Question, estimate
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.resampling import over_draws, p_value_of, percentiles

TOLD = st.lists(st.tuples(st.integers(1, 30), st.sampled_from("edc")), min_size=2, max_size=25)
DIFFERENCES = [("mean", 20.0), ("survival", 20.0), ("restricted_mean", 20.0)]


def dying(*deaths, until=30.0, first=0, weights=None):
    """Patients with these days of death; None lives."""
    names = np.arange(first, first + len(deaths))
    rows = pd.DataFrame({"patient": np.repeat(names, 2), "day": np.tile([0.0, until], len(deaths))})
    summary = pd.DataFrame({"patient": names, "death_day": np.array(deaths, float)})
    plan = None if weights is None else pd.DataFrame({"patient": names, "weight": weights})
    return Patients(rows, summary, plan)


# ---- weights


@given(told=TOLD, day=st.integers(0, 31), data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_patient_of_weight_3_is_three_patients(told, day, data):
    weights = data.draw(st.lists(st.integers(1, 3), min_size=len(told), max_size=len(told)))
    alone = times(*told, weight=np.array(weights, float))
    repeated = times(*(one for one, weight in zip(told, weights, strict=True) for _ in range(weight)))
    assert survival.share_free(alone, day) == pytest.approx(survival.share_free(repeated, day), nan_ok=True)
    assert survival.incidence_at(alone, day) == pytest.approx(survival.incidence_at(repeated, day), nan_ok=True)
    assert survival.half_time(alone) == pytest.approx(survival.half_time(repeated), nan_ok=True)
    assert survival.restricted_mean(alone, day) == pytest.approx(survival.restricted_mean(repeated, day), nan_ok=True)


def test_equal_weights_change_nothing_but_the_last_digits():
    rng = np.random.default_rng(1)
    one, other = (pd.Series(rng.normal(size=30)) for _ in range(2))
    weights = pd.Series(2.0, index=one.index)
    yes, no = (one > 0).astype(float), (other > 0.5).astype(float)
    for is_share, first, second in ((False, one, other), (True, yes, no)):
        plain = statistics.one_arm(first, "mean", is_share)
        assert statistics.one_arm(first, "mean", is_share, weights) == pytest.approx(plain, nan_ok=True)
        found = statistics.difference(first, second, "mean", is_share, weights)
        assert found[:4] == pytest.approx(statistics.difference(first, second, "mean", is_share)[:4])


def test_weights_move_means_shares_and_widen_intervals():
    """Weights 1 1 1 7: mean 0.7, as few as 10^2/52 = 1.92 patients."""
    values, weights = pd.Series([0.0, 0, 0, 1]), pd.Series([1.0, 1, 1, 7])
    found = statistics.one_arm(values, "mean", True, weights)
    assert found.value == pytest.approx(0.7)
    assert (found.low, found.high) == pytest.approx(shares.wilson(0.7 * 100 / 52, 100 / 52))
    mean = statistics.one_arm(values, "mean", False, weights)
    assert mean.value == pytest.approx(0.7)
    # sum w^2 (x - m)^2 = 3 0.49 + 49 0.09, times 4/3, over 10^2
    reach = stats.t.ppf(0.975, 3) * np.sqrt((3 * 0.49 + 49 * 0.09) * 4 / 3) / 10
    assert mean.high - mean.value == pytest.approx(reach)


def test_weights_of_patients_reach_survival():
    heavy = dying(10.0, None, None, None, weights=[3.0, 1, 1, 1])
    found = estimate(Question("overall_survival", 20.0, "survival"), {}, heavy)
    assert found.value == pytest.approx(0.5)
    assert found.low < 0.5 < found.high
    assert estimate(Question("overall_survival", 20.0), {}, heavy).value == pytest.approx(0.5)


# ---- draws


def test_draws_in_pieces_are_those_at_once_and_hold_all(monkeypatch):
    def totals(one, other):
        return one.sum(axis=1) * 1000.0 + other.sum(axis=1)

    assert set(over_draws((7, 5), totals, 50, sizes=(20, 3))) == {20003.0}
    rng = np.random.default_rng(2)
    means = over_draws((40,), lambda counts: counts @ np.arange(40) / 40, 4000)
    sd = np.std(np.arange(40)) / np.sqrt(40)
    assert np.std(means) == pytest.approx(sd, rel=4 / np.sqrt(2 * 4000))
    chances = rng.dirichlet(np.ones(6))
    often = over_draws((6,), lambda counts: counts[:, 0] / 100, 2000, sizes=(100,), chances=(chances,))
    assert abs(often.mean() - chances[0]) < 4 * np.sqrt(chances[0] * (1 - chances[0]) / 200_000)


def test_percentiles_and_p_value_by_hand():
    drawn = np.arange(1.0, 1000.0)
    assert percentiles(drawn) == pytest.approx(np.quantile(drawn, [0.025, 0.975]))
    assert p_value_of(drawn) == pytest.approx(2 / 1000)
    assert p_value_of(drawn - 500.0) == 1.0
    assert np.isnan([*percentiles(np.array([1.0, np.nan])), p_value_of(np.array([1.0, np.nan]))]).all()


def test_pairs_drawn_again_are_as_sure_as_students_pairs():
    """Normal times without censoring, whose restricted mean is their mean: 80 trials of 50 pairs.

    Limits agree with the paired t interval within a tenth of its width; the truth is missed at most 11 times, which an
    interval that misses in 6 % does with p < 0.005. Arms drawn apart would be 3 times as wide.
    """
    rng, missed = np.random.default_rng(6), 0
    for _ in range(80):
        patient = rng.normal(100.0, 15.0, 50)
        one, other = patient + rng.normal(3.0, 5.0, 50), patient + rng.normal(0.0, 5.0, 50)
        asked = Question("overall_survival", 400.0, "restricted_mean", contrast="difference")
        found = estimate(asked, {}, dying(*one, until=500.0), dying(*other, until=500.0))
        student = stats.ttest_rel(one, other).confidence_interval()
        width = student.high - student.low
        assert found.value == pytest.approx(np.mean(one - other))
        assert abs(found.low - student.low) < 0.1 * width
        assert abs(found.high - student.high) < 0.1 * width
        missed += not found.low <= 3.0 <= found.high
    assert missed <= 11


def test_groups_drawn_apart_are_as_sure_as_welch():
    rng = np.random.default_rng(7)
    one, other = rng.normal(100.0, 15.0, 200), rng.normal(95.0, 10.0, 150)
    asked = Question("overall_survival", 400.0, "restricted_mean", contrast="difference")
    found = estimate(asked, {}, dying(*one, until=500.0), dying(*other, until=500.0, first=200))
    welch = stats.ttest_ind(one, other, equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((welch.low, welch.high), abs=0.1 * (welch.high - welch.low))


# ---- what must hold of any times


@given(told=TOLD, day=st.integers(0, 31))
@settings(max_examples=40, deadline=None)
def test_if_everybody_is_censored_nothing_happened(told, day):
    none = times(*((when, "c") for when, _ in told))
    # until the last is gone
    is_watched = day <= max(when for when, _ in told)
    assert survival.share_free(none, day) == pytest.approx(1.0 if is_watched else np.nan, nan_ok=True)
    assert survival.incidence_at(none, day) == pytest.approx(0.0 if is_watched else np.nan, nan_ok=True)
    assert np.isnan(survival.median_time(none)[0])
    apart = times(*((when, "c") for when, _ in told), first=len(told))
    assert np.isnan([survival.log_rank(none, apart), hazards.hazard_ratio(none, apart)[0]]).all()


@given(told=TOLD, day=st.integers(0, 31))
@settings(max_examples=40, deadline=None)
def test_incidences_of_event_and_death_and_the_rest_are_all(told, day):
    one = times(*told)
    day = min(day, one["time_days"].max())
    swapped = one.assign(event=one["died"], died=one["event"])
    of_any = one.assign(event=one["event"] | one["died"], died=False)
    total = survival.incidence_at(one, day) + survival.incidence_at(swapped, day) + survival.share_free(of_any, day)
    assert total == pytest.approx(1.0)
    assert 0.0 <= curves.of_all(one, curves.restricted_mean(day)) <= day


@pytest.mark.parametrize(("statistic", "day"), DIFFERENCES)
@pytest.mark.parametrize("first", [0, 6], ids=["twins", "groups"])
def test_arms_that_change_places_change_the_sign(statistic, day, first):
    asked = Question("overall_survival", day, statistic, contrast="difference")
    one, other = dying(3, 8, 15, 25, None, None), dying(12, None, 28, None, None, 22, first=first)
    there, back = estimate(asked, {}, one, other), estimate(asked, {}, other, one)
    assert there.value == pytest.approx(-back.value)
    # groups are drawn in their order: limits agree but for the draws
    tolerance = 1e-9 if first == 0 or statistic == "mean" else 0.1 * (there.high - there.low)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=tolerance)


def test_nobody_in_both_arms_is_not_known_for_sure():
    asked = Question("overall_survival", 20.0, "survival", contrast="difference")
    found = estimate(asked, {}, dying(*[None] * 10), dying(*[None] * 10))
    assert found[:3] == pytest.approx((0.0, -0.2775, 0.2775), abs=5e-5)
    assert np.isnan(found.p_value)
    asked = Question("overall_survival", 20.0, "restricted_mean", contrast="difference")
    found = estimate(asked, {}, dying(*[None] * 10), dying(*[None] * 10))
    assert found.value == 0.0
    assert np.isnan([found.low, found.high, found.p_value]).all()


def test_a_restricted_mean_beyond_what_was_watched_is_not_known():
    assert np.isnan(survival.restricted_mean(times((2, "e"), (5, "c")), 6))
    assert survival.restricted_mean(times((2, "e"), (5, "e")), 6) == pytest.approx(3.5)
    assert survival.restricted_mean(times((2, "e"), (5, "c")), 5) == pytest.approx(3.5)
