"""Statistics of patients' values with 95 % intervals, of one arm and of the difference between two.

Arms share their seeds: what two of them differ in is asked patient by patient, where they have patients in common.
Where no formula gives an interval, patients are drawn again with a fixed seed (bootstrap).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from mpn_abm.analysis.survival import LEVEL, NOT_KNOWN, Interval, wilson

BOOTSTRAP_SEED = 1
BOOTSTRAP_SAMPLES = 1999


class Estimate(NamedTuple):
    """A statistic with its interval, of so many patients (or pairs); NaN is not known."""

    value: float
    low: float
    high: float
    n: int
    p_value: float = np.nan


def _function(statistic: str) -> Callable[[np.ndarray], float]:
    quantile = re.fullmatch(r"quantile_(\d+)", statistic)
    if quantile:
        return lambda values: float(np.quantile(values, int(quantile[1]) / 100))
    return {
        "mean": lambda values: float(np.mean(values)),
        "slope_per_year": lambda values: float(np.mean(values)),
        "median": lambda values: float(np.median(values)),
        "sd": lambda values: float(np.std(values, ddof=1)) if len(values) > 1 else np.nan,
    }[statistic]


def one_arm(values: pd.Series, statistic: str, is_share: bool) -> Estimate:
    """A statistic of the patients of one arm; those without a value do not count."""
    array = values.dropna().to_numpy(float)
    number = len(array)
    if number == 0:
        return Estimate(np.nan, np.nan, np.nan, 0)
    if is_share:
        return Estimate(float(array.mean()), *wilson(int(array.sum()), number), number)
    compute = _function(statistic)
    if statistic in ("mean", "slope_per_year"):
        return Estimate(compute(array), *t_interval(array), number)
    return Estimate(compute(array), *bootstrap(number, lambda rows: compute(array[rows])), number)


def rank_correlation(values: pd.Series, beside: pd.Series) -> Estimate:
    """Spearman's rank correlation of two values of each patient."""
    both = pd.concat([values, beside], axis=1).dropna().to_numpy(float)
    number = len(both)
    if number < 3 or np.ptp(both[:, 0]) == 0.0 or np.ptp(both[:, 1]) == 0.0:
        return Estimate(np.nan, np.nan, np.nan, number)

    def correlation(rows: np.ndarray) -> float:
        drawn = both[rows]
        if np.ptp(drawn[:, 0]) == 0.0 or np.ptp(drawn[:, 1]) == 0.0:
            return 0.0
        return float(stats.spearmanr(drawn).statistic)

    found = stats.spearmanr(both)
    return Estimate(float(found.statistic), *bootstrap(number, correlation), number, float(found.pvalue))


def difference(one: pd.Series, other: pd.Series, statistic: str, is_share: bool) -> Estimate:
    """The statistic of the first minus that of the second, by pairs where both have patients in common."""
    if one.index.intersection(other.index).empty:
        return _of_two_groups(one, other, statistic, is_share, np.subtract)
    first, second = paired(one, other)
    number = len(first)
    if number == 0:
        return Estimate(np.nan, np.nan, np.nan, 0)
    if is_share:
        return _difference_of_shares(first, second)
    compute = _function(statistic)
    value = compute(first) - compute(second)
    if statistic in ("mean", "slope_per_year"):
        return Estimate(value, *t_interval(first - second), number, _t_test(first - second))
    return Estimate(value, *bootstrap(number, lambda rows: compute(first[rows]) - compute(second[rows])), number)


def ratio(one: pd.Series, other: pd.Series, statistic: str) -> Estimate:
    """The statistic of the first over that of the second, by pairs where there are any; NaN over 0."""
    if one.index.intersection(other.index).empty:
        return _of_two_groups(one, other, statistic, False, lambda mine, theirs: mine / theirs if theirs else np.nan)
    first, second = paired(one, other)
    compute = _function(statistic)

    def over(rows: np.ndarray) -> float:
        below = compute(second[rows])
        return compute(first[rows]) / below if below != 0.0 else np.nan

    number = len(first)
    if number == 0:
        return Estimate(np.nan, np.nan, np.nan, 0)
    value = over(np.arange(number))
    return Estimate(value, *(NOT_KNOWN if np.isnan(value) else bootstrap(number, over)), number)


def paired(one: pd.Series, other: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The values of the patients that both arms have a value of, in one order."""
    both = pd.concat([one, other], axis=1, join="inner").dropna()
    return both.iloc[:, 0].to_numpy(float), both.iloc[:, 1].to_numpy(float)


def t_interval(array: np.ndarray) -> Interval:
    """Student's interval of a mean; not known for a single value."""
    if len(array) < 2:
        return NOT_KNOWN
    error = float(np.std(array, ddof=1)) / np.sqrt(len(array))
    if error == 0.0:
        return float(array[0]), float(array[0])
    low, high = stats.t.interval(LEVEL, len(array) - 1, loc=np.mean(array), scale=error)
    return float(low), float(high)


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


def _t_test(differences: np.ndarray) -> float:
    """p-value of the hypothesis that the mean is 0; NaN where the differences do not vary."""
    error = float(np.std(differences, ddof=1)) / np.sqrt(len(differences)) if len(differences) > 1 else 0.0
    if error == 0.0:
        return np.nan
    return float(2.0 * stats.t.sf(abs(np.mean(differences)) / error, len(differences) - 1))


def _of_two_groups(
    one: pd.Series, other: pd.Series, statistic: str, is_share: bool, contrast: Callable[[float, float], float]
) -> Estimate:
    """A contrast of arms that share no patient, as where patients were randomised."""
    first, second = one.dropna().to_numpy(float), other.dropna().to_numpy(float)
    number = min(len(first), len(second))
    if number == 0:
        return Estimate(np.nan, np.nan, np.nan, 0)
    compute = _function(statistic)
    value = float(contrast(compute(first), compute(second)))
    if is_share:
        yes = np.array([[group.sum(), len(group) - group.sum()] for group in (first, second)], int)
        return Estimate(value, *_newcombe(first, second, 0.0), number, float(stats.fisher_exact(yes).pvalue))
    if number < 2 or np.isnan(value):
        return Estimate(value, np.nan, np.nan, number)
    if contrast is np.subtract and statistic in ("mean", "slope_per_year") and np.ptp(first) + np.ptp(second) > 0.0:
        test = stats.ttest_ind(first, second, equal_var=False)
        interval = test.confidence_interval(LEVEL)
        return Estimate(value, float(interval.low), float(interval.high), number, float(test.pvalue))
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    drawn = [
        contrast(compute(rng.choice(first, len(first))), compute(rng.choice(second, len(second))))
        for _ in range(BOOTSTRAP_SAMPLES)
    ]
    low, high = np.quantile(drawn, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return Estimate(value, float(low), float(high), number)


def _difference_of_shares(first: np.ndarray, second: np.ndarray) -> Estimate:
    """Of pairs, with McNemar's exact p-value."""
    number, one, other = len(first), float(first.mean()), float(second.mean())
    spread = np.sqrt(one * (1 - one) * other * (1 - other))
    together = float((first * second).mean()) - one * other
    interval = _newcombe(first, second, together / spread if spread > 0.0 else 0.0)
    only_first, only_second = int((first > second).sum()), int((first < second).sum())
    changed = only_first + only_second
    p_value = float(stats.binomtest(only_first, changed).pvalue) if changed else np.nan
    return Estimate(one - other, *interval, number, p_value)


def _newcombe(first: np.ndarray, second: np.ndarray, correlation: float) -> Interval:
    """Newcombe's interval of a difference of shares, from Wilson's of both (Stat Med 1998, 17:873 and 17:2635)."""
    one, other = float(first.mean()), float(second.mean())
    low_one, high_one = wilson(int(first.sum()), len(first))
    low_other, high_other = wilson(int(second.sum()), len(second))
    down, up, down_other, up_other = one - low_one, high_one - one, other - low_other, high_other - other
    below = np.sqrt(max(down**2 - 2 * correlation * down * up_other + up_other**2, 0.0))
    above = np.sqrt(max(up**2 - 2 * correlation * up * down_other + down_other**2, 0.0))
    return float(one - other - below), float(one - other + above)
