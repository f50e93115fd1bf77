"""Survival, shares and hazards against figures that others published, entered by hand."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from studies.trials import times

from mpn_abm.analysis import curves, hazards, shares, survival
from mpn_abm.errors import UsageError

# Freireich et al., Blood 1963, 21:699; as in Gehan, Biometrika 1965, 52:203: weeks in remission
SIX_MP = times(
    *[(6, "e")] * 3, (6, "c"), (7, "e"), (9, "c"), (10, "e"), (10, "c"), (11, "c"), (13, "e"), (16, "e"), (17, "c"),
    (19, "c"), (20, "c"), (22, "e"), (23, "e"), (25, "c"), (32, "c"), (32, "c"), (34, "c"), (35, "c"),
)  # fmt: skip
PLACEBO_WEEKS = (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)
PLACEBO = times(*[(week, "e") for week in PLACEBO_WEEKS], first=21)


def test_kaplan_meier_of_the_leukaemia_trial():
    """Kleinbaum and Klein, Survival Analysis, table 2.3; placebo has no censoring."""
    published = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}
    for week, share in published.items():
        assert survival.share_free(SIX_MP, week) == pytest.approx(share, abs=6e-5)
        # a product-limit curve of our own, which weights and draws use, says the same
        assert curves.of_all(SIX_MP, curves.free_on(week)) == pytest.approx(share, abs=6e-5)
    assert survival.share_free(PLACEBO, 8) == pytest.approx(8 / 21)


def test_medians_of_the_leukaemia_trial_are_23_and_8_weeks():
    assert survival.median_time(SIX_MP)[0] == 23.0
    assert survival.median_time(PLACEBO)[0] == 8.0
    assert curves.of_all(SIX_MP, curves.half_time) == 23.0


def test_the_log_rank_test_of_the_leukaemia_trial_has_a_chi_squared_of_16_79():
    p_value = survival.log_rank(SIX_MP, PLACEBO)
    assert stats.chi2.isf(p_value, 1) == pytest.approx(16.79, abs=0.005)


def test_the_hazard_ratio_of_the_leukaemia_trial_is_that_of_the_cox_model():
    """Venables and Ripley, MASS, section 13: Efron's ties, coefficient 1.57 with standard error 0.412, exp 4.82."""
    ratio, (low, high) = hazards.hazard_ratio(PLACEBO, SIX_MP)
    assert np.log(ratio) == pytest.approx(1.572, abs=5e-4)
    assert ratio == pytest.approx(4.82, abs=0.005)
    assert np.log(high / low) / (2 * 1.959964) == pytest.approx(0.4124, abs=5e-4)


def test_the_cumulative_incidence_of_breast_cancer_mortality():
    """Satagopan et al., Br J Cancer 2004, 91:1229, table 2: 305 patients, the rest watched for longer."""
    told = times(
        (7, "c"), (10, "e"), (14, "c"), (16, "e"), (18, "d"), (23, "e"), (24, "c"), (26, "d"), (27, "e"),
        *[(60, "c")] * 296,
    )  # fmt: skip
    steps = np.diff([0.0, *(survival.incidence_at(told, month) for month in (10, 16, 23, 27))])
    assert (100 * steps).round(1).tolist() == [0.3, 0.3, 0.3, 0.3]
    of_any = told.assign(event=told["event"] | told["died"], died=False)
    free = [round(100 * survival.share_free(of_any, month), 1) for month in (10, 16, 18, 23, 26, 27)]
    assert free == [99.7, 99.3, 99.0, 98.7, 98.3, 98.0]
    # 1/304 + S 1/302 + S 301/302 300/301 1/300 + S 301/302 300/301 299/300 297/298 1/297 with S = 303/304
    by_hand = 1 / 304 + 303 / 304 / 302 * (1 + 1 + 299 / 298)
    assert survival.incidence_at(told, 27) == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("yes", "number", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval(yes, number, low, high):
    """Newcombe, Stat Med 1998, 17:857, table I, method 3."""
    assert shares.wilson(yes, number) == pytest.approx((low, high), abs=5e-5)
    assert shares.wilson(number - yes, number) == pytest.approx((1 - high, 1 - low), abs=5e-5)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_newcombes_interval_of_a_difference(one, other, low, high):
    """Newcombe, Stat Med 1998, 17:873, table II, method 10."""
    first, second = (shares.Share(yes / number, number) for yes, number in (one, other))
    assert shares.newcombe(first, second) == pytest.approx((low, high), abs=5e-5)


def test_the_hazard_ratio_of_pairs_has_the_variance_of_scores_summed_over_patients():
    """Against lifelines' sandwich with clusters, without ties. Catches an interval that takes twins for strangers."""
    lifelines = pytest.importorskip("lifelines")
    rng = np.random.default_rng(4)
    frailty = rng.gamma(1.0, 1.0, 150)
    found = []
    for rate in (0.01, 0.015):
        time, end = rng.exponential(1 / (rate * frailty)), rng.uniform(50, 400, 150)
        found.append(pd.DataFrame({"time_days": np.minimum(time, end), "event": time <= end, "died": False}))
    control, drug = found
    ratio, (low, high) = hazards.hazard_ratio(drug, control)
    rows = pd.concat([control.assign(drug=0), drug.assign(drug=1)])
    rows = rows.assign(patient=rows.index)[["time_days", "event", "drug", "patient"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = lifelines.CoxPHFitter().fit(rows, "time_days", "event", cluster_col="patient")
    assert np.log(ratio) == pytest.approx(model.params_["drug"], abs=1e-4)
    assert np.log(high / low) / (2 * 1.959964) == pytest.approx(model.standard_errors_["drug"], rel=1e-3)
    apart = drug.set_index(drug.index + 150)
    alone = hazards.hazard_ratio(apart, control)
    assert alone[0] == ratio
    assert np.log(alone[1][1] / alone[1][0]) > 1.1 * np.log(high / low)


def test_a_log_rank_test_of_twins_is_refused():
    with pytest.raises(UsageError, match=r"a log-rank test is for independent groups.*restricted_mean.*allocation"):
        survival.log_rank(SIX_MP, SIX_MP.assign(event=True))
