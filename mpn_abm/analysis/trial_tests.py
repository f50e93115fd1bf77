"""Tests of many trials at once, each given by how often every patient of a large one was drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from mpn_abm.analysis.curves import Statistic, curves, of_all, restricted_mean
from mpn_abm.analysis.pairing import PAIRED
from mpn_abm.analysis.resampling import LARGEST
from mpn_abm.analysis.shares import fisher, mcnemar

Floats = np.ndarray
Weights = pd.Series | None


class TestOfDraws(NamedTuple):
    """A test of drawn trials.

    `p_values` takes int[draws, patients] of each group, or of the pairs, and returns float[draws], NaN where there is
    nothing to test. `numbers` are the patients of each group in the large trial, `chances` those of being drawn.
    """

    name: str
    numbers: tuple[int, ...]
    chances: tuple[Floats | None, ...]
    p_values: Callable[..., Floats]


def of_values(
    one: pd.Series, other: pd.Series, is_event: bool, weight_one: Weights, weight_other: Weights
) -> TestOfDraws:
    """Fisher's exact test of yes or no, Welch's of numbers; those without a value are drawn and do not count."""
    first, second = one.to_numpy(float), other.to_numpy(float)

    def exact(mine: Floats, theirs: Floats) -> Floats:
        table = np.column_stack([*_yes_and_all(mine, first), *_yes_and_all(theirs, second)])
        unique, place = np.unique(table, axis=0, return_inverse=True)
        found = np.array([fisher(*map(int, row)) if _differ(*row) else np.nan for row in unique])
        return np.asarray(found[place.ravel()])

    def welch(mine: Floats, theirs: Floats) -> Floats:
        (mean_one, error_one, n_one), (mean_other, error_other, n_other) = (
            _moments(mine, first),
            _moments(theirs, second),
        )
        error = error_one + error_other
        with np.errstate(divide="ignore", invalid="ignore"):
            freedom = error**2 / (error_one**2 / (n_one - 1) + error_other**2 / (n_other - 1))
        return _student(mean_one - mean_other, error, freedom)

    chances = _chances(one, weight_one), _chances(other, weight_other)
    name, test = ("Fisher's exact test", exact) if is_event else ("Welch's t test", welch)
    return TestOfDraws(name, (len(one), len(other)), chances, test)


def of_pairs(one: pd.Series, other: pd.Series, is_event: bool, weight: Weights, _: Weights = None) -> TestOfDraws:
    """McNemar's exact test of yes or no, Student's of the differences of numbers."""
    both = pd.concat([one, other], axis=1, join="inner").to_numpy(float)
    change = both[:, 0] - both[:, 1]

    def exact(counts: Floats) -> Floats:
        return mcnemar(counts @ (change > 0), counts @ (change < 0))

    def student(counts: Floats) -> Floats:
        middle, error, number = _moments(counts, change)
        return _student(middle, error, number - 1.0)

    chances = (_chances(one[one.index.isin(other.index)], weight),)
    name, test = ("McNemar's exact test", exact) if is_event else ("paired t test", student)
    return TestOfDraws(name, (len(both),), chances, test)


def of_times(one: pd.DataFrame, other: pd.DataFrame, design: str) -> TestOfDraws:
    """The log-rank test; of twins Student's test of the differences of pseudo-values of the restricted mean."""
    weights = [times.get("weight") for times in (one, other)]
    plain = [times.drop(columns="weight", errors="ignore") for times in (one, other)]
    if design == PAIRED:
        day = float(min(one["time_days"].max(), other["time_days"].max()))
        first, second = (pd.Series(pseudo_values(times, restricted_mean(day)), times.index) for times in plain)
        test = of_pairs(first, second, False, weights[0])
        return test._replace(name=f"paired t test of pseudo-values of the restricted mean to day {day:g}")
    together, number = pd.concat(plain), len(one)

    def log_rank(mine: Floats, theirs: Floats) -> Floats:
        first = curves(together, np.hstack([mine, np.zeros_like(theirs)]).astype(float))
        second = curves(together, np.hstack([np.zeros_like(mine), theirs]).astype(float))
        return _log_rank(first.events, first.at_risk, second.events, second.at_risk)

    chances = _chances(one["event"], weights[0]), _chances(other["event"], weights[1])
    return TestOfDraws("log-rank test", (number, len(other)), chances, log_rank)


def pseudo_values(times: pd.DataFrame, statistic: Statistic) -> Floats:
    """float[patients]: what each adds to a statistic of censored times (Andersen, Klein and Rosthoj 2003)."""
    number = len(times)
    at_once, found = max(LARGEST // max(number, 1), 1), [np.empty(0)]
    for start in range(0, number, at_once):
        rows = np.arange(start, min(start + at_once, number))
        weights = np.ones((len(rows), number))
        weights[np.arange(len(rows)), rows] = 0.0
        found.append(statistic(curves(times, weights)))
    return np.asarray(number * of_all(times, statistic) - (number - 1) * np.concatenate(found))


def _log_rank(events_one: Floats, risk_one: Floats, events_other: Floats, risk_other: Floats) -> Floats:
    """The p-values of the curves of two groups on common days, one for each row."""
    events, risk = events_one + events_other, risk_one + risk_other
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = events * risk_one / risk
        spread = expected * (risk_other / risk) * (risk - events) / (risk - 1.0)
        score = np.where(risk > 0, events_one - expected, 0.0).sum(axis=1)
        variance = np.where(risk > 1, spread, 0.0).sum(axis=1)
        return np.asarray(np.where(variance > 0.0, stats.chi2.sf(score**2 / variance, 1), np.nan))


def _differ(yes_one: float, number_one: float, yes_other: float, number_other: float) -> bool:
    """Whether there are patients in both groups, and not all say the same."""
    return number_one > 0 and number_other > 0 and 0 < yes_one + yes_other < number_one + number_other


def _yes_and_all(counts: Floats, values: Floats) -> tuple[Floats, Floats]:
    return counts @ (values == 1.0), counts @ ~np.isnan(values)


def _moments(counts: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """float[draws]: mean, squared standard error of the mean, number of values."""
    known = ~np.isnan(values)
    # about the mean of all, so that squares do not cancel
    away = np.where(known, values - np.nanmean(values), 0.0) if known.any() else np.zeros(len(values))
    number = (counts @ known).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (counts @ away) / number
        spread = np.maximum((counts @ away**2) - number * middle**2, 0.0) / (number - 1.0)
        return middle + (np.nanmean(values) if known.any() else 0.0), spread / number, number


def _student(change: Floats, squared_error: Floats, freedom: Floats) -> Floats:
    """Two-sided p-values; 0 where a difference does not vary, NaN where there is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = 2.0 * stats.t.sf(np.abs(change) / np.sqrt(squared_error), freedom)
    certain = np.where(change == 0.0, np.nan, 0.0)
    return np.asarray(np.where(squared_error > 0.0, p_value, np.where(squared_error == 0.0, certain, np.nan)))


def _chances(who: pd.Series, weights: Weights) -> Floats | None:
    if weights is None:
        return None
    found = weights.reindex(who.index).to_numpy(float)
    return np.asarray(found / found.sum())
