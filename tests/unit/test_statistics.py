"""Statistics against closed forms and examples that were computed by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mpn_abm.analysis import hazards, shares, statistics, survival
from mpn_abm.analysis.claims import holds, judged, sentences
from mpn_abm.analysis.estimates import Question, estimate
from mpn_abm.analysis.patients import Patients
from mpn_abm.scenario.claims import Claim
from mpn_abm.scenario.endpoints import Endpoint


def series(*values):
    return pd.Series(values, dtype=float)


def times(*told, first=0):
    """Times from (days, what ended them): e event, d death, c still watched."""
    days, ends = zip(*told, strict=True)
    told = {"time_days": days, "event": [e == "e" for e in ends], "died": [e == "d" for e in ends]}
    return pd.DataFrame(told, index=range(first, first + len(days)))


# ---- shares and means


def test_wilsons_interval_of_eight_in_ten():
    """Centre (p + z^2/2n) / (1 + z^2/n), half width z sqrt(p q/n + z^2/4n^2) / (1 + z^2/n)."""
    n, p, z = 10, 0.8, stats.norm.ppf(0.975)
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    found = statistics.one_arm(series(*[1] * 8, 0, 0), "mean", is_share=True)
    assert found[:3] == pytest.approx((0.8, centre - reach, centre + reach))
    assert (found.low, found.high) == pytest.approx((0.4901, 0.9433), abs=1e-4)


def test_students_interval_of_a_mean():
    """1 2 3 4 5: mean 3, s sqrt(2.5), t(4) 2.776."""
    found = statistics.one_arm(series(1, 2, 3, 4, 5), "mean", is_share=False)
    assert found[:4] == pytest.approx((3.0, 3 - 2.7764 * np.sqrt(0.5), 3 + 2.7764 * np.sqrt(0.5), 5), abs=1e-4)


def test_a_paired_difference_is_that_of_the_pairs():
    """Pairs differ by 1, 1, 2, 2 however much patients differ from one another."""
    one, other = series(101, 11, 52, 7), series(100, 10, 50, 5)
    found = statistics.difference(one, other, "mean", is_share=False)
    reach = 3.18245 * np.std([1, 1, 2, 2], ddof=1) / 2
    assert found[:4] == pytest.approx((1.5, 1.5 - reach, 1.5 + reach, 4), abs=1e-4)
    assert found.p_value == pytest.approx(stats.ttest_rel(one, other).pvalue)


def test_pairs_are_matched_by_patient_and_not_by_place():
    one, other = pd.Series([5.0, 1.0], index=[1, 0]), pd.Series([0.0, 3.0], index=[0, 1])
    assert statistics.difference(one, other, "mean", is_share=False).value == 1.5
    alone = pd.Series([9.0], index=[7])
    assert statistics.difference(pd.concat([one, alone]), other, "mean", is_share=False).n == 2


def test_a_missing_value_leaves_its_pair_out():
    found = statistics.difference(series(1, np.nan, 3), series(0, 5, 1), "mean", is_share=False)
    assert (found.value, found.n) == (1.5, 2)


def test_newcombes_example_of_a_paired_difference():
    """1 both, 1 only the first, 7 only the second, 4 none: d = -6/13; interval of the paper's method, by hand."""
    first = series(*[1] * 2, *[0] * 11)
    second = series(1, 0, *[1] * 7, *[0] * 4)
    found = statistics.difference(first, second, "mean", is_share=True)
    (l1, u1), (l2, u2) = shares.wilson(2, 13), shares.wilson(8, 13)
    p1, p2 = 2 / 13, 8 / 13
    phi = (1 * 4 - 1 * 7) / np.sqrt(2 * 11 * 8 * 5)
    low = np.sqrt((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2)
    high = np.sqrt((u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2)
    assert found[:3] == pytest.approx((-6 / 13, -6 / 13 - low, -6 / 13 + high))
    assert found.p_value == pytest.approx(2 * (1 + 8) / 2**8)


def test_arms_without_a_common_patient_are_two_groups():
    """Welch's test for means; Newcombe's example of shares 56/70 and 48/80: 0.2, from 0.0524 to 0.3339."""
    one, other = pd.Series([1.0, 2, 3, 4], index=range(4)), pd.Series([3.0, 5, 9], index=range(4, 7))
    found = statistics.difference(one, other, "mean", is_share=False)
    welch = stats.ttest_ind(one, other, equal_var=False)
    assert found[:3] == pytest.approx((2.5 - 17 / 3, *welch.confidence_interval()))
    assert found.p_value == pytest.approx(welch.pvalue)
    first = pd.Series([1.0] * 56 + [0.0] * 14)
    second = pd.Series([1.0] * 48 + [0.0] * 32, index=range(70, 150))
    assert statistics.difference(first, second, "mean", True)[:3] == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    ratio = statistics.ratio(one, other, "median")
    assert ratio.value == 0.5
    assert ratio.low < 0.5 < ratio.high


def test_one_run_has_no_interval():
    for found in (
        statistics.one_arm(series(2), "mean", is_share=False),
        statistics.difference(series(2), series(1), "mean", is_share=False),
        statistics.one_arm(series(2), "median", is_share=False),
    ):
        assert np.isnan([found.low, found.high]).all()


def test_nothing_is_known_of_nobody():
    assert np.isnan(statistics.one_arm(series(np.nan), "mean", is_share=False).value)
    assert np.isnan(statistics.ratio(series(1, 2), series(0, 0), "mean").value)


def test_quantiles_sd_and_ratio():
    values = series(*range(11))
    assert statistics.one_arm(values, "quantile_90", is_share=False).value == 9.0
    assert statistics.one_arm(values, "median", is_share=False).value == 5.0
    assert statistics.one_arm(values, "sd", is_share=False).value == pytest.approx(np.sqrt(11))
    assert statistics.ratio(2 * values, values, "mean")[:3] == pytest.approx((2.0, 2.0, 2.0))


def test_a_bootstrap_is_the_same_every_time_and_covers_the_median():
    """40 samples of 40: a 95 % interval misses in at most 7 of them (p < 0.001 if it keeps its level)."""
    rng = np.random.default_rng(5)
    samples = [pd.Series(rng.normal(0.0, 1.0, 40)) for _ in range(40)]
    found = [statistics.one_arm(sample, "median", is_share=False) for sample in samples]
    assert sum(not one.low <= 0.0 <= one.high for one in found) <= 7
    assert statistics.one_arm(samples[0], "median", is_share=False) == found[0]


def test_rank_correlation_knows_order_only():
    found = statistics.correlation(series(1, 2, 3, 4), series(1, 8, 27, 1000), "spearman")
    assert found.value == 1.0
    assert np.isnan(statistics.correlation(series(1, 1, 1, 1), series(1, 2, 3, 4), "spearman").value)


def test_a_linear_correlation_knows_values():
    """Of (0, 0), (1, 1), (2, 8): r = 8 / sqrt(2 x 38). Catches ranks in place of values."""
    found = statistics.correlation(series(0, 1, 2), series(0, 1, 8), "pearson")
    assert found.value == pytest.approx(8.0 / np.sqrt(76.0))
    assert found.low <= found.value <= found.high


# ---- times


def test_kaplan_meier_by_hand():
    """Events at 2 of 4 and at 5 of 2, one censored at 3: S = 3/4, then 3/8."""
    told = times((2, "e"), (3, "c"), (5, "e"), (6, "c"))
    assert [survival.share_free(told, day) for day in (1, 2, 4, 5, 6)] == [1.0, 0.75, 0.75, 0.375, 0.375]
    assert survival.median_time(told)[0] == 5.0


def test_death_censors_kaplan_meier_and_competes_in_the_incidence():
    """At 1 a death of 4, at 2 an event of 3, at 3 a death of 2: incidence 3/4 * 1/3 = 1/4, not 1 - S = 1/3."""
    told = times((1, "d"), (2, "e"), (3, "d"), (4, "c"))
    assert survival.incidence_at(told, 4) == pytest.approx(0.25)
    assert 1 - survival.share_free(told, 4) == pytest.approx(1 / 3)
    assert survival.incidence_at(told, 1.5) == 0.0


def test_without_deaths_the_incidence_is_what_kaplan_meier_leaves():
    told = times((2, "e"), (3, "c"), (5, "e"), (5, "e"), (6, "c"))
    for day in (1, 2, 5, 6):
        assert survival.incidence_at(told, day) == pytest.approx(1 - survival.share_free(told, day))


def test_a_median_that_is_not_reached_is_not_known():
    assert np.isnan(survival.median_time(times((1, "e"), (9, "c"), (9, "c")))[0])
    assert np.isnan(survival.median_time(times((9, "c"), (9, "c")))[0])


def test_where_nobody_had_the_event_the_interval_is_wilsons():
    share, interval = survival.survival_at(times(*[(10, "c")] * 8), 10)
    assert share == 1.0
    assert interval == pytest.approx(shares.wilson(8, 8))


def test_the_hazard_ratio_of_exponential_times_is_that_of_their_rates():
    """2000 each, rates 2 and 1: the standard error of the logarithm is sqrt(2/2000), three of them are 0.095."""
    rng = np.random.default_rng(3)
    one = pd.DataFrame({"time_days": rng.exponential(0.5, 2000), "event": True, "died": False})
    other = pd.DataFrame({"time_days": rng.exponential(1.0, 2000), "event": True, "died": False}, range(2000, 4000))
    ratio, (low, high) = hazards.hazard_ratio(one, other)
    assert abs(np.log(ratio / 2.0)) < 0.095
    assert np.log(high / low) == pytest.approx(2 * 1.96 * np.sqrt(2 / 2000), rel=0.1)
    assert hazards.hazard_ratio(other, one)[0] == pytest.approx(1 / ratio, rel=1e-6)
    assert survival.log_rank(one, other) < 1e-6


def test_a_hazard_ratio_by_hand():
    """Order: other, one, other with one still watched: score of the partial likelihood is 0 at r = 1/sqrt(2)..."""
    one, other = times((2, "e"), (4, "c")), times((1, "e"), (3, "e"), first=2)
    ratio, _ = hazards.hazard_ratio(one, other)
    # d log L: 1 - [2r/(2r+2) + 2r/(2r+1) + r/(r+1)] = 0
    assert 1 - (2 * ratio / (2 * ratio + 2) + 2 * ratio / (2 * ratio + 1) + ratio / (ratio + 1)) == pytest.approx(0.0)


def test_an_arm_without_events_has_no_hazard_and_none_to_compare_with():
    none, some = times((5, "c"), (5, "c")), times((1, "e"), (5, "c"), first=2)
    assert hazards.hazard_ratio(none, some)[0] == 0.0
    assert np.isnan(hazards.hazard_ratio(some, none)[0])
    assert np.isnan(survival.log_rank(none, none.set_index(none.index + 2)))


def test_times_are_cut_where_a_claim_looks():
    told = survival.until(times((2, "e"), (5, "e"), (7, "d")), 5)
    assert told["time_days"].tolist() == [2, 5, 5]
    assert told["event"].tolist() == [True, True, False]
    assert not told["died"].any()


# ---- claims


def arm(*ends):
    """Patients whose last VAF is given; all began with 0.4."""
    rows = [
        {"patient": k, "day": day, "vaf_driver": value, "alive": True}
        for k, end in enumerate(ends)
        for day, value in ((0.0, 0.4), (70.0, end))
    ]
    return Patients(pd.DataFrame(rows))


@pytest.mark.parametrize(
    ("low", "high", "value", "held"),
    [(1, 2, 1, True), (1, 2, 2, True), (1, 2, 2.1, False), (None, 0, 0, True), (0, None, -1, False), (0, 1, np.nan, 0)],
)
def test_a_claim_holds_within_its_band_and_never_unknown(low, high, value, held):
    claim = Claim(endpoint="x", low=None if low is None else float(low), high=None if high is None else float(high))
    assert holds(claim, value) == bool(held)


def test_claims_are_judged_and_said_in_sentences():
    arms = {"a": arm(0.1, 0.2), "b": arm(0.4, 0.4)}
    own = {"halved": Endpoint(column="vaf_driver", change="relative", at_most=-0.5)}
    claims = {
        "less": Claim(endpoint="vaf_driver", arm="a", versus="b", at_day=70.0, high=-0.2, source="ELN"),
        "half": Claim(endpoint="halved", arm="b", at_day=70.0, low=0.5),
        "ratio": Claim(endpoint="vaf_driver", arm="a", contrast="ratio", low=0.3, high=0.4),
        "other": Claim(endpoint="vaf_driver", arm="c", low=0.5),
    }
    table = judged(claims, own, arms, reference="b")
    assert table["claim"].tolist() == ["less", "half", "ratio"]
    assert table["held"].tolist() == [True, False, True]
    assert table["versus"].fillna("-").tolist() == ["b", "-", "b"]
    assert table["value"].tolist() == pytest.approx([-0.25, 0.0, 0.375])
    lines = sentences(table, own)
    assert lines[0].startswith("held     less: mean vaf_driver at week 10, a minus b, is -0.25 (")
    assert lines[0].endswith("claimed at most -0.2; the interval leaves the band [ELN]")
    assert lines[1].startswith("NOT HELD half: share with halved at week 10 in b is 0 (0 to 0.6576), claimed at least")


def test_a_rank_correlation_of_two_columns():
    asked = Question("vaf_driver", None, "spearman", beside="vaf_driver")
    assert estimate(asked, {}, arm(0.1, 0.2, 0.3, 0.35)).value == 1.0


def test_an_incidence_and_its_difference_have_intervals():
    def dying(*days):
        rows = [
            {"patient": k, "day": day, "alive": day < last}
            for k, last in enumerate(days)
            for day in (0.0, 10.0, 20.0, 30.0)
        ]
        return Patients(pd.DataFrame(rows))

    asked = Question("overall_survival", 20.0, "survival", contrast="difference")
    found = estimate(asked, {}, dying(10, 20, 99, 99), dying(10, 10, 10, 99))
    assert found.value == pytest.approx(0.5 - 0.25)
    assert found.low <= found.value <= found.high
    assert 0.0 < found.p_value <= 1.0
    alone = estimate(Question("overall_survival", 20.0, "incidence"), {}, dying(10, 20, 99, 99))
    assert alone.value == pytest.approx(0.5)


def test_twins_have_a_log_rank_test_stratified_by_patient():
    """Strata of two: McNemar on who had the event first. Ten die in one arm, none in the other: 2/2^10."""
    index = pd.Index(range(10), name="patient")
    dies = pd.DataFrame({"time_days": np.arange(10.0) + 1.0, "event": True}, index)
    lives = pd.DataFrame({"time_days": 60.0, "event": False}, index)
    assert survival.log_rank_of_pairs(lives, dies) == pytest.approx(2 / 2**10)
    assert survival.log_rank_of_pairs(dies, dies) != survival.log_rank_of_pairs(dies, dies)  # nobody was first
    # whoever was censored before the other's event decides nothing
    gone = lives.assign(time_days=[0.5] * 9 + [60.0])
    assert survival.log_rank_of_pairs(gone, dies) == 1.0
    # on the same day the censored twin was at risk
    assert survival.log_rank_of_pairs(dies.assign(event=False), dies) == pytest.approx(2 / 2**10)
