"""Times to an event: the share without it, the median, the incidence beside death, the hazard ratio.

Kaplan-Meier and the log-rank test are scipy's.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, stats

LEVEL = 0.95
Interval = tuple[float, float]
NOT_KNOWN: Interval = (np.nan, np.nan)


def share_free(times: pd.DataFrame, day: float) -> float:
    """Share without the event on a day (Kaplan-Meier)."""
    return _at(stats.ecdf(_censored(times)).sf, day) if len(times) else np.nan


def survival_at(times: pd.DataFrame, day: float) -> tuple[float, Interval]:
    """Share without the event on a day (Kaplan-Meier), with its interval (log-log; Wilson's where there is none)."""
    if len(times) == 0:
        return np.nan, NOT_KNOWN
    curve = stats.ecdf(_censored(times)).sf
    share = _at(curve, day)
    low, high = (_at(band, day) for band in _bands(curve))
    if 0.0 < share < 1.0 and not (np.isnan(low) or np.isnan(high)):
        return share, (low, high)
    # nobody, or everybody, had the event: as if those who were watched so long were all
    watched = int((times["event"] | (times["time_days"] >= day)).sum())
    return share, wilson(round(share * watched), watched)


def half_time(times: pd.DataFrame) -> float:
    """First day by which half had the event (Kaplan-Meier), NaN if it is not reached."""
    return _first_half(stats.ecdf(_censored(times)).sf) if len(times) else np.nan


def median_time(times: pd.DataFrame) -> tuple[float, Interval]:
    """First day by which half had the event, NaN if it is not reached; its limits are where the bands come to half."""
    if not times["event"].any():
        return np.nan, NOT_KNOWN
    curve = stats.ecdf(_censored(times)).sf
    low, high = _bands(curve)
    return (_first_half(curve), (_first_half(low), _first_half(high)))


def incidence_at(times: pd.DataFrame, day: float) -> float:
    """Share who had the event by a day, death being the competing risk (Aalen-Johansen)."""
    if len(times) == 0:
        return np.nan
    time, ends = times["time_days"].to_numpy(), (times["event"] | times["died"]).to_numpy(bool)
    event = times["event"].to_numpy(bool)
    free, incidence = 1.0, 0.0
    for moment in np.unique(time[ends & (time <= day)]):
        at_risk, now = int((time >= moment).sum()), time == moment
        incidence += free * int((now & event).sum()) / at_risk
        free *= 1.0 - int((now & ends).sum()) / at_risk
    return incidence


def log_rank(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """p-value of the hypothesis that the event comes at the same rate in both; NaN if nobody had it."""
    if not (one["event"].any() or other["event"].any()) or one.empty or other.empty:
        return np.nan
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(stats.logrank(_censored(one), _censored(other)).pvalue)


def hazard_ratio(one: pd.DataFrame, other: pd.DataFrame) -> tuple[float, Interval]:
    """Hazard of the first over that of the second (Cox, ties after Efron), with Wald's interval.

    0 where the first had no event, NaN where the second had none or no finite ratio fits best.
    """
    if one.empty or not other["event"].any():
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
    information = sum(part for _, part in _score_and_information(risk_sets, best))
    reach = float(stats.norm.ppf(0.5 + LEVEL / 2)) / np.sqrt(information)
    return float(np.exp(best)), (float(np.exp(best - reach)), float(np.exp(best + reach)))


def until(times: pd.DataFrame, day: float | None) -> pd.DataFrame:
    """The times as they were known on a day."""
    if day is None:
        return times
    later = times["time_days"] > day
    known = {"time_days": times["time_days"].clip(upper=day), "event": times["event"] & ~later}
    return pd.DataFrame({**known, "died": times["died"] & ~later}, index=times.index)


def wilson(yes: int, number: int) -> Interval:
    """Wilson's interval of a share."""
    if number == 0:
        return NOT_KNOWN
    interval = stats.binomtest(yes, number).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def _censored(times: pd.DataFrame) -> stats.CensoredData:
    time, event = times["time_days"].to_numpy(float), times["event"].to_numpy(bool)
    return stats.CensoredData(uncensored=time[event], right=time[~event])


def _at(curve: Any, day: float) -> float:
    return float(curve.evaluate([day])[0])


def _bands(curve: Any) -> tuple[Any, Any]:
    # at 0 and 1 the formula has no interval, of which scipy warns
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = curve.confidence_interval(LEVEL, method="log-log")
    return interval.low, interval.high


def _first_half(curve: Any) -> float:
    days, shares = curve.quantiles, curve.probabilities
    reached = days[shares <= 0.5 + 1e-12]
    return float(reached[0]) if len(reached) else np.nan


def _risk_sets(one: pd.DataFrame, other: pd.DataFrame) -> list[tuple[int, int, int, int]]:
    """For each time with events: events of the first, of both; at risk of the first, of the second."""
    first, second = one["time_days"].to_numpy(), other["time_days"].to_numpy()
    event_one, event_other = one["event"].to_numpy(bool), other["event"].to_numpy(bool)
    sets = []
    for moment in np.unique([*first[event_one], *second[event_other]]):
        mine, theirs = int((event_one & (first == moment)).sum()), int((event_other & (second == moment)).sum())
        sets.append((mine, mine + theirs, int((first >= moment).sum()), int((second >= moment).sum())))
    return sets


def _score_and_information(risk_sets: list[tuple[int, int, int, int]], log_ratio: float) -> list[tuple[float, float]]:
    ratio, parts = np.exp(log_ratio), []
    for mine, both, of_one, of_other in risk_sets:
        for k in range(both):
            part = k / both
            first = ratio * (of_one - part * mine)
            share = first / (first + of_other - part * (both - mine))
            parts.append((mine / both - share, share * (1.0 - share)))
    return parts
