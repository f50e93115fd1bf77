"""A statistic of an endpoint in one arm, or a contrast of it between two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from mpn_abm.analysis import curves, hazards, statistics, survival
from mpn_abm.analysis.endpoints import Own, slopes, times_to, values_on
from mpn_abm.analysis.pairing import PAIRED, design_between
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.resampling import over_draws, p_value_of, percentiles
from mpn_abm.analysis.shares import NOT_KNOWN, Interval, square_and_add
from mpn_abm.analysis.statistics import Estimate
from mpn_abm.scenario.claims import CORRELATIONS, OF_TIMES
from mpn_abm.scenario.endpoints import endpoint_of

TIMED = (*OF_TIMES, "restricted_mean")
"""Statistics of the time to an event."""


@dataclass(frozen=True)
class Question:
    """What is asked of the arms.

    `day` is None for the last day of each run, `beside` the column of a correlation. Besides the statistics of a
    claim, `restricted_mean` is the mean of the days without the event up to `day`.
    """

    endpoint: str
    day: float | None = None
    statistic: str = "mean"
    beside: str | None = None
    contrast: Literal["difference", "ratio", "hazard_ratio"] | None = None


def estimate(question: Question, own: Own, one: Patients, other: Patients | None = None) -> Estimate:
    """The answer in one arm; with a contrast, of the first against the second.

    Arms that hold the same patients are compared patient by patient, others as independent groups.
    """
    if question.contrast is None or other is None:
        return _of_one(question, own, one)
    if question.contrast == "hazard_ratio":
        return _hazard_ratio(question, own, one, other)
    if question.statistic in TIMED:
        return _of_times(question, own, one, other)
    if question.statistic in CORRELATIONS:
        return _of_correlations(question, own, one, other)
    first, second = values_of(question, own, one), values_of(question, own, other)
    weights = _weights_of_both(one, other)
    if question.contrast == "ratio":
        return statistics.ratio(first, second, question.statistic, weights)
    return statistics.difference(first, second, question.statistic, _is_share(question, own), weights)


def step_between(question: Question, own: Own, patients: Patients, before: float) -> Estimate:
    """The statistic on the day of the question minus that on another day, patient by patient."""
    first, second = (values_of(asked, own, patients) for asked in (question, replace(question, day=before)))
    return statistics.difference(first, second, question.statistic, _is_share(question, own), patients.weight)


def _of_one(question: Question, own: Own, patients: Patients) -> Estimate:
    if question.statistic in CORRELATIONS:
        return statistics.correlation(*_both(question, own, patients), question.statistic)
    if question.statistic not in TIMED:
        values = values_of(question, own, patients)
        return statistics.one_arm(values, question.statistic, _is_share(question, own), patients.weight)
    times = times_to(patients, question.endpoint, own, question.day)
    if question.statistic == "median_days":
        value, interval = survival.median_time(times)
        return Estimate(value, *interval, len(times))
    assert question.day is not None
    if question.statistic in ("survival", "incidence"):
        value, interval = _share_on(question, times)
    else:
        value = survival.restricted_mean(times, question.day)
        # where nobody had the event all draws are alike, and say nothing of how sure that is
        is_open = np.isnan(value) or not times["event"].any()
        interval = NOT_KNOWN if is_open else survival.drawn_interval(times, curve_of(question))
    return Estimate(value, *interval, len(times))


def _share_on(question: Question, times: pd.DataFrame) -> tuple[float, Interval]:
    assert question.day is not None
    compute = survival.survival_at if question.statistic == "survival" else survival.incidence_with_interval
    return compute(times, question.day)


def values_of(question: Question, own: Own, patients: Patients) -> pd.Series:
    """The value of each patient."""
    if question.statistic == "slope_per_year":
        return slopes(patients, question.endpoint, own, question.day)
    return values_on(patients, question.endpoint, own, question.day)


def _weights_of_both(one: Patients, other: Patients) -> pd.Series | None:
    if one.weight is None or other.weight is None:
        return None
    both: pd.Series = pd.concat([one.weight, other.weight])
    return both[~both.index.duplicated()]


def _both(question: Question, own: Own, patients: Patients) -> tuple[pd.Series, pd.Series]:
    assert question.beside is not None
    values = values_on(patients, question.endpoint, own, question.day)
    return values, values_on(patients, question.beside, {}, question.day)


def _is_share(question: Question, own: Own) -> bool:
    return question.statistic == "mean" and endpoint_of(question.endpoint, dict(own)).is_event


def curve_of(question: Question) -> curves.Statistic:
    """The statistic of curves."""
    day = np.nan if question.day is None else question.day
    return {
        "survival": curves.free_on(day),
        "incidence": curves.incidence_on(day),
        "median_days": curves.half_time,
        "restricted_mean": curves.restricted_mean(day),
    }[question.statistic]


def _of_times(question: Question, own: Own, one: Patients, other: Patients) -> Estimate:
    """By pairs, both arms are made of the same drawn patients; independent groups are drawn apart."""
    first, second = (times_to(patients, question.endpoint, own, question.day) for patients in (one, other))
    is_paired = design_between(first.index, second.index) == PAIRED
    if is_paired:
        shared = first.index.intersection(second.index)
        first, second = first.loc[shared], second.loc[shared]
    number, statistic = min(len(first), len(second)), curve_of(question)
    if number == 0:
        return statistics.UNKNOWN
    value = _contrasted(question, _told(question, first), _told(question, second))
    if np.isnan(value) or number < 2:
        return Estimate(float(value), np.nan, np.nan, number)

    def contrast(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        drawn = curves.of_draws(first, mine, statistic), curves.of_draws(second, theirs, statistic)
        return _contrasted(question, *drawn)

    if is_paired:
        drawn = over_draws((number,), lambda counts: contrast(counts, counts))
    else:
        drawn = over_draws((len(first), len(second)), contrast)
    if np.ptp(drawn) == 0.0:
        # nobody or everybody in both: no draw differs, and yet nothing is known exactly
        is_between_shares = question.contrast == "difference" and question.statistic in ("survival", "incidence")
        both = (_share_on(question, first), _share_on(question, second)) if is_between_shares else None
        return Estimate(float(value), *(NOT_KNOWN if both is None else square_and_add(*both)), number)
    p_value = p_value_of(drawn, 0.0 if question.contrast == "difference" else 1.0)
    return Estimate(float(value), *percentiles(drawn), number, p_value)


def _told(question: Question, times: pd.DataFrame) -> float:
    if question.day is None or question.statistic == "median_days":
        return curves.of_all(times, curve_of(question))
    return {
        "survival": survival.share_free,
        "incidence": survival.incidence_at,
        "restricted_mean": survival.restricted_mean,
    }[question.statistic](times, question.day)


def _of_correlations(question: Question, own: Own, one: Patients, other: Patients) -> Estimate:
    first, second = (_of_one(question, own, patients) for patients in (one, other))
    value = float(_contrasted(question, first.value, second.value))
    return Estimate(value, np.nan, np.nan, min(first.n, second.n))


def _contrasted(question: Question, one: np.ndarray | float, other: np.ndarray | float) -> np.ndarray:
    if question.contrast == "difference":
        return np.subtract(one, other)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.equal(other, 0.0), np.nan, np.divide(one, other))


def _hazard_ratio(question: Question, own: Own, one: Patients, other: Patients) -> Estimate:
    """With the p-value of a log-rank test; of twins that of one stratified by patient."""
    first, second = (
        survival.until(times_to(patients, question.endpoint, own, question.day), question.day)
        for patients in (one, other)
    )
    value, interval = hazards.hazard_ratio(first, second)
    is_paired = design_between(first.index, second.index) == PAIRED
    p_value = (survival.log_rank_of_pairs if is_paired else survival.log_rank)(first, second)
    return Estimate(value, *interval, min(len(first), len(second)), p_value)
