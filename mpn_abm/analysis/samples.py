"""Values of patients, with weights if they have any: their mean and its error, quantiles, Student's and Welch's tests.

The mean of weighted patients is a ratio of sums, and its variance that of one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from mpn_abm.analysis.shares import LEVEL, NOT_KNOWN, Interval

Weights = np.ndarray | None
Compute = Callable[[np.ndarray, Weights], float]


class Values(NamedTuple):
    """Values of patients, and their weights if they have any."""

    values: np.ndarray
    weights: Weights = None

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        number = len(self.values)
        if self.weights is None:
            return float(np.std(self.values, ddof=1) / np.sqrt(number))
        away = self.weights * (self.values - mean(self.values, self.weights))
        return float(np.sqrt((away**2).sum() * number / (number - 1)) / self.weights.sum())

    def drawn(self, rows: np.ndarray) -> Values:
        """The patients of these rows."""
        return Values(self.values[rows], None if self.weights is None else self.weights[rows])


def known(values: pd.Series, weights: pd.Series | None = None) -> Values:
    """The values that there are."""
    there = values.dropna()
    return Values(there.to_numpy(float), None if weights is None else weights.reindex(there.index).to_numpy(float))


def function_of(statistic: str) -> Compute:
    """What makes a statistic of values."""
    quantile = re.fullmatch(r"quantile_(\d+)", statistic)
    if quantile or statistic == "median":
        level = int(quantile[1]) / 100 if quantile else 0.5
        return lambda values, weights: _quantile(values, weights, level)
    return {
        "mean": mean,
        "slope_per_year": mean,
        "sd": _sd,
    }[statistic]


def mean(values: np.ndarray, weights: Weights) -> float:
    """The mean; NaN where nobody has a weight."""
    return float(np.average(values, weights=weights)) if weights is None or weights.any() else np.nan


def _quantile(values: np.ndarray, weights: Weights, level: float) -> float:
    if weights is None:
        return float(np.quantile(values, level))
    if not weights.any():
        return np.nan
    return float(np.quantile(values, level, weights=weights, method="inverted_cdf"))


def _sd(values: np.ndarray, weights: Weights) -> float:
    number = len(values)
    if number < 2:
        return np.nan
    return float(np.sqrt(mean((values - mean(values, weights)) ** 2, weights) * number / (number - 1)))


def t_interval(values: np.ndarray, weights: Weights = None) -> Interval:
    """Student's interval of a mean; not known for a single value."""
    if len(values) < 2:
        return NOT_KNOWN
    middle, error = mean(values, weights), Values(values, weights).error
    if error == 0.0:
        return middle, middle
    low, high = stats.t.interval(LEVEL, len(values) - 1, loc=middle, scale=error)
    return float(low), float(high)


def t_test(changes: Values) -> float:
    """p-value of the hypothesis that the mean is 0; NaN where the differences do not vary."""
    error = changes.error if len(changes.values) > 1 else 0.0
    if error == 0.0:
        return np.nan
    return float(2.0 * stats.t.sf(abs(mean(*changes)) / error, len(changes.values) - 1))


def welch(first: Values, second: Values, change: float) -> tuple[Interval, float]:
    """Interval and p-value of a difference of means (Welch 1947)."""
    one, other = first.error**2, second.error**2
    error = np.sqrt(one + other)
    freedom = (one + other) ** 2 / (one**2 / (len(first.values) - 1) + other**2 / (len(second.values) - 1))
    low, high = stats.t.interval(LEVEL, freedom, loc=change, scale=error)
    return (float(low), float(high)), float(2.0 * stats.t.sf(abs(change) / error, freedom))
