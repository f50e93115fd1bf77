"""A statistic of an endpoint in one arm, or a contrast of it between two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from mpn_abm.analysis import statistics, survival
from mpn_abm.analysis.endpoints import Own, slopes, times_to, values_on
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.statistics import Estimate
from mpn_abm.scenario.claims import OF_TIMES
from mpn_abm.scenario.endpoints import endpoint_of

NOT_KNOWN = Estimate(np.nan, np.nan, np.nan, 0)


@dataclass(frozen=True)
class Question:
    """What is asked of the arms.

    `day` is None for the last day of each run, `beside` the column of a rank correlation.
    """

    endpoint: str
    day: float | None = None
    statistic: str = "mean"
    beside: str | None = None
    contrast: Literal["difference", "ratio", "hazard_ratio"] | None = None


def estimate(question: Question, own: Own, one: Patients, other: Patients | None = None) -> Estimate:
    """The answer in one arm; with a contrast, of the first against the second."""
    if question.contrast is None or other is None:
        return _of_one(question, own, one)
    if question.contrast == "hazard_ratio":
        return _hazard_ratio(question, own, one, other)
    if question.statistic in OF_TIMES:
        return _of_times(question, own, one, other)
    if question.statistic == "spearman":
        return _of_correlations(question, own, one, other)
    first, second = _values(question, own, one), _values(question, own, other)
    if question.contrast == "ratio":
        return statistics.ratio(first, second, question.statistic)
    return statistics.difference(first, second, question.statistic, _is_share(question, own))


def _of_one(question: Question, own: Own, patients: Patients) -> Estimate:
    if question.statistic == "spearman":
        return statistics.rank_correlation(*_both(question, own, patients))
    if question.statistic not in OF_TIMES:
        return statistics.one_arm(_values(question, own, patients), question.statistic, _is_share(question, own))
    times = times_to(patients, question.endpoint, own)
    if question.statistic == "median_days":
        value, interval = survival.median_time(times)
        return Estimate(value, *interval, len(times))
    assert question.day is not None
    if question.statistic == "survival":
        value, interval = survival.survival_at(times, question.day)
        return Estimate(value, *interval, len(times))
    compute = _of_table(question)
    interval = statistics.bootstrap(len(times), lambda rows: compute(times.iloc[rows]))
    return Estimate(compute(times), *interval, len(times))


def _values(question: Question, own: Own, patients: Patients) -> pd.Series:
    if question.statistic == "slope_per_year":
        return slopes(patients, question.endpoint, own, question.day)
    return values_on(patients, question.endpoint, own, question.day)


def _both(question: Question, own: Own, patients: Patients) -> tuple[pd.Series, pd.Series]:
    assert question.beside is not None
    values = values_on(patients, question.endpoint, own, question.day)
    return values, values_on(patients, question.beside, {}, question.day)


def _is_share(question: Question, own: Own) -> bool:
    return question.statistic == "mean" and endpoint_of(question.endpoint, dict(own)).is_event


def _of_table(question: Question) -> Callable[[pd.DataFrame], float]:
    """The statistic of a table of times."""
    day = np.nan if question.day is None else question.day
    return {
        "survival": lambda times: survival.share_free(times, day),
        "incidence": lambda times: survival.incidence_at(times, day),
        "median_days": survival.half_time,
    }[question.statistic]


def _of_times(question: Question, own: Own, one: Patients, other: Patients) -> Estimate:
    first, second = (times_to(patients, question.endpoint, own) for patients in (one, other))
    compute = _of_table(question)
    p_value = survival.log_rank(first, second)

    def contrasted(mine: pd.DataFrame, theirs: pd.DataFrame) -> float:
        return _contrasted(question, compute(mine), compute(theirs))

    value, number = contrasted(first, second), min(len(first), len(second))
    shared = first.index.intersection(second.index)
    if len(shared) < 2:
        return Estimate(value, np.nan, np.nan, number, p_value)
    mine, theirs = first.loc[shared], second.loc[shared]
    interval = statistics.bootstrap(len(shared), lambda rows: contrasted(mine.iloc[rows], theirs.iloc[rows]))
    return Estimate(value, *interval, number, p_value)


def _of_correlations(question: Question, own: Own, one: Patients, other: Patients) -> Estimate:
    first, second = (statistics.rank_correlation(*_both(question, own, patients)) for patients in (one, other))
    return Estimate(_contrasted(question, first.value, second.value), np.nan, np.nan, min(first.n, second.n))


def _contrasted(question: Question, one: float, other: float) -> float:
    if question.contrast == "difference":
        return one - other
    return one / other if other != 0.0 else np.nan


def _hazard_ratio(question: Question, own: Own, one: Patients, other: Patients) -> Estimate:
    first, second = (
        survival.until(times_to(patients, question.endpoint, own), question.day) for patients in (one, other)
    )
    value, interval = survival.hazard_ratio(first, second)
    return Estimate(value, *interval, min(len(first), len(second)), survival.log_rank(first, second))
