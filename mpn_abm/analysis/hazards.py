"""The hazard ratio of two arms after Cox: of independent groups, and of twins with an interval that knows the pairs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, stats

from mpn_abm.analysis.pairing import PAIRED, design_between
from mpn_abm.analysis.shares import LEVEL, NOT_KNOWN, Interval


class RiskSet(NamedTuple):
    """A day with events."""

    day: float
    mine: int  # events of the first
    both: int
    of_one: int  # at risk in the first
    of_other: int


def hazard_ratio(one: pd.DataFrame, other: pd.DataFrame) -> tuple[float, Interval]:
    """Hazard of the first over that of the second (Cox, ties after Efron), with Wald's interval.

    0 where the first had no event, NaN where the second had none or no finite ratio fits best, and of weighted
    patients. Where both hold the same patients, the variance is that of the scores summed over each patient (Lee, Wei
    and Amato, in: Survival Analysis, State of the Art, 1992, 237-247), as the model takes all rows for independent.
    """
    if one.empty or not other["event"].any() or "weight" in one:
        return np.nan, NOT_KNOWN
    if not one["event"].any():
        return 0.0, NOT_KNOWN
    risk_sets = _risk_sets(one, other)

    def score(log_ratio: float) -> float:
        return sum(part for part, _ in _score_and_information(risk_sets, log_ratio))

    if score(-30.0) * score(30.0) >= 0.0:
        # every event of one came before any of the other: no finite ratio fits best
        return (np.nan if score(0.0) > 0.0 else 0.0), NOT_KNOWN
    best = float(optimize.brentq(score, -30.0, 30.0))
    variance = 1.0 / sum(part for _, part in _score_and_information(risk_sets, best))
    if design_between(one.index, other.index) == PAIRED:
        variance *= variance * _spread_of_scores(one, other, risk_sets, best)
    reach = float(stats.norm.ppf(0.5 + LEVEL / 2)) * np.sqrt(variance)
    return float(np.exp(best)), (float(np.exp(best - reach)), float(np.exp(best + reach)))


def _risk_sets(one: pd.DataFrame, other: pd.DataFrame) -> list[RiskSet]:
    first, second = one["time_days"].to_numpy(float), other["time_days"].to_numpy(float)
    event_one, event_other = one["event"].to_numpy(bool), other["event"].to_numpy(bool)
    sets = []
    for moment in np.unique([*first[event_one], *second[event_other]]):
        mine, theirs = int((event_one & (first == moment)).sum()), int((event_other & (second == moment)).sum())
        at_risk = int((first >= moment).sum()), int((second >= moment).sum())
        sets.append(RiskSet(float(moment), mine, mine + theirs, *at_risk))
    return sets


def _score_and_information(risk_sets: list[RiskSet], log_ratio: float) -> list[tuple[float, float]]:
    ratio, parts = np.exp(log_ratio), []
    for _, mine, both, of_one, of_other in risk_sets:
        for k in range(both):
            part = k / both
            first = ratio * (of_one - part * mine)
            share = first / (first + of_other - part * (both - mine))
            parts.append((mine / both - share, share * (1.0 - share)))
    return parts


def _spread_of_scores(one: pd.DataFrame, other: pd.DataFrame, risk_sets: list[RiskSet], log_ratio: float) -> float:
    """Sum over patients of the squared sum of a patient's scores in both arms."""
    scores = pd.concat(
        [
            pd.Series(_scores(times, risk_sets, log_ratio, is_first), index=times.index)
            for times, is_first in ((one, 1.0), (other, 0.0))
        ]
    )
    return float((scores.groupby(level=0).sum() ** 2).sum())


def _scores(times: pd.DataFrame, risk_sets: list[RiskSet], log_ratio: float, is_first: float) -> np.ndarray:
    """float[patients]: what each of an arm adds to the score: its event less its part of the risk of all events."""
    ratio = np.exp(log_ratio)
    whole, tied, own = (np.zeros(len(risk_sets) + 1) for _ in range(3))
    for j, (_, mine, both, of_one, of_other) in enumerate(risk_sets, start=1):
        for k in range(both):
            part = k / both
            first = ratio * (of_one - part * mine)
            risk = first + of_other - part * (both - mine)
            away = is_first - first / risk
            step = (ratio if is_first else 1.0) * away / risk
            whole[j] += step
            tied[j] += (1.0 - part) * step
            own[j] += away / both
    time, event = times["time_days"].to_numpy(float), times["event"].to_numpy(bool)
    seen = np.searchsorted([found.day for found in risk_sets], time, side="right")
    expected = np.cumsum(whole)[seen]
    # who has the event shares the risk of its day with the others who have it then
    return np.asarray(np.where(event, own[seen] - expected + whole[seen] - tied[seen], -expected))
