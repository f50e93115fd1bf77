"""Statistics of patients' values with 95 % intervals, of one arm and of the difference between two.

Arms whose patients are the same are compared patient by patient, others as independent groups. Where no formula gives
an interval, patients are drawn again with a fixed seed (bootstrap). Where patients have weights, means and shares are
those of the weighted patients, with the variance of a ratio of sums; quantiles are those of the weighted distribution.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from mpn_abm.analysis import shares
from mpn_abm.analysis.pairing import INDEPENDENT, design_between
from mpn_abm.analysis.resampling import BOOTSTRAP_SAMPLES, BOOTSTRAP_SEED
from mpn_abm.analysis.samples import Compute, Values, Weights, function_of, known, t_interval, t_test, welch
from mpn_abm.analysis.shares import LEVEL, NOT_KNOWN, Interval


class Estimate(NamedTuple):
    """A statistic with its interval, of so many patients (or pairs); NaN is not known."""

    value: float
    low: float
    high: float
    n: int
    p_value: float = np.nan


UNKNOWN = Estimate(np.nan, np.nan, np.nan, 0)
Contrast = Callable[[float, float], float]
COEFFICIENTS = {"spearman": stats.spearmanr, "pearson": stats.pearsonr}


def one_arm(values: pd.Series, statistic: str, is_share: bool, weights: pd.Series | None = None) -> Estimate:
    """A statistic of the patients of one arm; those without a value do not count."""
    sample = known(values, weights)
    number = len(sample.values)
    if number == 0:
        return UNKNOWN
    if is_share:
        share = shares.share_of(*sample)
        return Estimate(share.value, *share.interval, number)
    compute = function_of(statistic)
    if statistic in ("mean", "slope_per_year"):
        return Estimate(compute(*sample), *t_interval(*sample), number)
    return Estimate(compute(*sample), *bootstrap(number, lambda rows: compute(*sample.drawn(rows))), number)


def correlation(values: pd.Series, beside: pd.Series, statistic: str) -> Estimate:
    """Spearman's rank correlation of two values of each patient, or Pearson's linear one."""
    both = pd.concat([values, beside], axis=1).dropna().to_numpy(float)
    number, value = len(both), coefficient(both, statistic)
    if np.isnan(value):
        return Estimate(np.nan, np.nan, np.nan, number)
    # draws of one patient many times over say nothing of how two values go together
    interval = bootstrap(number, lambda rows: float(np.nan_to_num(coefficient(both[rows], statistic))))
    return Estimate(value, *interval, number, float(COEFFICIENTS[statistic](*both.T).pvalue))


def coefficient(both: np.ndarray, statistic: str) -> float:
    """The correlation of two columns; NaN of less than three rows, and where a column does not vary."""
    if len(both) < 3 or (np.ptp(both, axis=0) == 0.0).any():
        return np.nan
    return float(COEFFICIENTS[statistic](*both.T).statistic)


def difference(
    one: pd.Series, other: pd.Series, statistic: str, is_share: bool, weights: pd.Series | None = None
) -> Estimate:
    """The statistic of the first minus that of the second, by pairs where both have patients in common.

    `weights` are those of the patients of both.
    """
    if design_between(one.index, other.index) == INDEPENDENT:
        return _of_two_groups(known(one, weights), known(other, weights), statistic, is_share, np.subtract)
    first, second, weight = paired(one, other, weights)
    number = len(first)
    if number == 0:
        return UNKNOWN
    if is_share:
        return _of_paired_shares(first, second, weight)
    compute = function_of(statistic)
    value = compute(first, weight) - compute(second, weight)
    if statistic in ("mean", "slope_per_year"):
        changes = Values(first - second, weight)
        return Estimate(value, *t_interval(*changes), number, t_test(changes))
    interval = bootstrap(number, lambda rows: _contrasted(compute, first, second, weight, rows, np.subtract))
    return Estimate(value, *interval, number)


def ratio(one: pd.Series, other: pd.Series, statistic: str, weights: pd.Series | None = None) -> Estimate:
    """The statistic of the first over that of the second, by pairs where there are any; NaN over 0."""
    if design_between(one.index, other.index) == INDEPENDENT:
        return _of_two_groups(known(one, weights), known(other, weights), statistic, False, over)
    first, second, weight = paired(one, other, weights)
    compute, number = function_of(statistic), len(first)
    if number == 0:
        return UNKNOWN
    value = _contrasted(compute, first, second, weight, np.arange(number), over)
    if np.isnan(value):
        return Estimate(value, *NOT_KNOWN, number)
    interval = bootstrap(number, lambda rows: _contrasted(compute, first, second, weight, rows, over))
    return Estimate(value, *interval, number)


def over(mine: float, theirs: float) -> float:
    """One over the other, NaN over 0."""
    return mine / theirs if theirs != 0.0 else np.nan


def paired(
    one: pd.Series, other: pd.Series, weights: pd.Series | None = None
) -> tuple[np.ndarray, np.ndarray, Weights]:
    """The values of the patients that both arms have a value of, in one order, and the weights of these."""
    both = pd.concat([one, other], axis=1, join="inner").dropna()
    weight = None if weights is None else weights.reindex(both.index).to_numpy(float)
    return both.iloc[:, 0].to_numpy(float), both.iloc[:, 1].to_numpy(float), weight


def bootstrap(number: int, statistic: Callable[[np.ndarray], float]) -> Interval:
    """The interval of a statistic of patients, given by their numbers, that are drawn again; not known for one."""
    if number < 2:
        return NOT_KNOWN
    with warnings.catch_warnings():
        # a statistic that some samples do not have, such as a median that is not reached, has no interval
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        drawn = stats.bootstrap(
            (np.arange(number),),
            statistic,
            vectorized=False,
            method="percentile",
            n_resamples=BOOTSTRAP_SAMPLES,
            confidence_level=LEVEL,
            random_state=BOOTSTRAP_SEED,
        )
    return float(drawn.confidence_interval.low), float(drawn.confidence_interval.high)


def _contrasted(
    compute: Compute, first: np.ndarray, second: np.ndarray, weights: Weights, rows: np.ndarray, contrast: Contrast
) -> float:
    weight = None if weights is None else weights[rows]
    return float(contrast(compute(first[rows], weight), compute(second[rows], weight)))


def _of_paired_shares(first: np.ndarray, second: np.ndarray, weights: Weights) -> Estimate:
    """With McNemar's exact p-value; with weights that of Student's test of the differences."""
    value = shares.share_of(first, weights).value - shares.share_of(second, weights).value
    interval = shares.newcombe_of_pairs(first, second, weights)
    if weights is not None:
        return Estimate(value, *interval, len(first), t_test(Values(first - second, weights)))
    p_value = float(shares.mcnemar((first > second).sum(), (first < second).sum()))
    return Estimate(value, *interval, len(first), p_value)


def _of_two_groups(first: Values, second: Values, statistic: str, is_share: bool, contrast: Contrast) -> Estimate:
    """A contrast of arms that share no patient, as where patients were randomised."""
    number = min(len(first.values), len(second.values))
    if number == 0:
        return UNKNOWN
    compute = function_of(statistic)
    value = float(contrast(compute(*first), compute(*second)))
    if is_share:
        interval = shares.newcombe(shares.share_of(*first), shares.share_of(*second))
        return Estimate(value, *interval, number, _test_of_shares(first, second))
    if number < 2 or np.isnan(value):
        return Estimate(value, np.nan, np.nan, number)
    if contrast is np.subtract and statistic in ("mean", "slope_per_year") and first.error + second.error > 0.0:
        interval, p_value = welch(first, second, value)
        return Estimate(value, *interval, number, p_value)
    rng = np.random.default_rng(BOOTSTRAP_SEED)

    def again(group: Values) -> float:
        return compute(*group.drawn(rng.integers(0, len(group.values), len(group.values))))

    drawn = [contrast(again(first), again(second)) for _ in range(BOOTSTRAP_SAMPLES)]
    low, high = np.quantile(drawn, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return Estimate(value, float(low), float(high), number)


def _test_of_shares(first: Values, second: Values) -> float:
    """Fisher's exact test; with weights Welch's."""
    if first.weights is None:
        yes = int(first.values.sum()), int(second.values.sum())
        return shares.fisher(yes[0], len(first.values), yes[1], len(second.values))
    if min(len(first.values), len(second.values)) < 2 or first.error + second.error == 0.0:
        return np.nan
    change = shares.share_of(*first).value - shares.share_of(*second).value
    return welch(first, second, change)[1]
