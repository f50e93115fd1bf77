"""Times to an event: the share without it, the median, the restricted mean, the incidence beside death, the log-rank.

Kaplan-Meier and the log-rank test are scipy's; weighted patients have curves of their own. A table of times has
`time_days`, `event`, `died`, if patients have weights `weight`, and names the patients in its index.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from mpn_abm.analysis import curves
from mpn_abm.analysis.pairing import refuse_twins
from mpn_abm.analysis.patients import TOLERANCE
from mpn_abm.analysis.resampling import over_draws, percentiles
from mpn_abm.analysis.shares import LEVEL, NOT_KNOWN, Interval, effective_number, mcnemar, wilson


def share_free(times: pd.DataFrame, day: float) -> float:
    """Share without the event on a day (Kaplan-Meier); NaN where nobody is watched any more and not all had it."""
    if not _is_known(times, times["event"], day):
        return np.nan
    return curves.of_all(times, curves.free_on(day)) if "weight" in times else _at(stats.ecdf(_censored(times)).sf, day)


class Band(NamedTuple):
    """A curve with its 95 % interval, float[moments]; NaN where the interval is not known."""

    days: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray


def survival_curve(times: pd.DataFrame) -> Band:
    """Share without the event from each day on which it changes (Kaplan-Meier), with the intervals of ``survival_at``.

    Where the share is 0 or 1 there is none.
    """
    if "weight" not in times:
        curve = stats.ecdf(_censored(times)).sf
        low, high = _bands(curve)
        return Band(curve.quantiles, curve.probabilities, low.probabilities, high.probabilities)
    found = curves.curves(times, times["weight"].to_numpy(float)[None, :])
    share = found.free[0]
    drawn = over_draws((len(times),), lambda counts: curves.of_draws(times, counts, lambda draws: draws.free))
    limits = np.quantile(drawn, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2], axis=0)
    low, high = np.where((share > 0.0) & (share < 1.0), limits, np.nan)
    return Band(found.moments, share, low, high)


def survival_at(times: pd.DataFrame, day: float) -> tuple[float, Interval]:
    """Share without the event on a day (Kaplan-Meier), with its interval.

    It is that of the log-log transform, of weighted patients that of patients drawn again, and Wilson's where the share
    is 0 or 1.
    """
    share = share_free(times, day)
    if np.isnan(share):
        return share, NOT_KNOWN
    if 0.0 < share < 1.0:
        interval = drawn_interval(times, curves.free_on(day)) if "weight" in times else _log_log(times, day)
        if not np.isnan(interval).any():
            return share, interval
    # nobody, or everybody, had the event: as if those who were watched so long were all
    return share, _of_the_watched(times, times["event"] | (times["time_days"] >= day), share)


def incidence_with_interval(times: pd.DataFrame, day: float) -> tuple[float, Interval]:
    """Share who had the event by a day, death competing; drawn again for its interval, at 0 and 1 Wilson's."""
    share = incidence_at(times, day)
    if np.isnan(share):
        return share, NOT_KNOWN
    if 0.0 < share < 1.0:
        return share, drawn_interval(times, curves.incidence_on(day))
    known = times["event"] | times["died"] | (times["time_days"] >= day)
    return share, _of_the_watched(times, known, share)


def half_time(times: pd.DataFrame) -> float:
    """First day by which half had the event (Kaplan-Meier), NaN if it is not reached."""
    if len(times) == 0:
        return np.nan
    return curves.of_all(times, curves.half_time) if "weight" in times else _first_half(stats.ecdf(_censored(times)).sf)


def median_time(times: pd.DataFrame) -> tuple[float, Interval]:
    """First day by which half had the event, NaN if it is not reached; its limits are where the bands come to half.

    A limit is NaN where the band does not come to half. Of weighted patients there are no bands: patients are drawn
    again.
    """
    if not times["event"].any():
        return np.nan, NOT_KNOWN
    if "weight" in times:
        return half_time(times), drawn_interval(times, curves.half_time)
    low, high = _bands(stats.ecdf(_censored(times)).sf)
    return half_time(times), (_first_half(low), _first_half(high))


def restricted_mean(times: pd.DataFrame, day: float) -> float:
    """Mean of the days without the event up to a day (the area under Kaplan-Meier).

    NaN where the curve is not known up to that day.
    """
    return curves.of_all(times, curves.restricted_mean(day)) if _is_known(times, times["event"], day) else np.nan


def incidence_at(times: pd.DataFrame, day: float) -> float:
    """Share who had the event by a day, death being the competing risk (Aalen-Johansen); NaN as ``share_free``."""
    is_known = _is_known(times, times["event"] | times["died"], day)
    return curves.of_all(times, curves.incidence_on(day)) if is_known else np.nan


def drawn_interval(times: pd.DataFrame, statistic: curves.Statistic) -> Interval:
    """The interval of a statistic of the curves, of patients drawn again."""
    if len(times) < 2:
        return NOT_KNOWN
    return percentiles(over_draws((len(times),), lambda counts: curves.of_draws(times, counts, statistic)))


def log_rank(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """p-value of the hypothesis that the event comes at the same rate in both; NaN if nobody had it or with weights.

    Raises
    ------
    UsageError
        If the tables hold the same patients: the test takes them for independent groups.
    """
    refuse_twins(one, other, "a log-rank test")
    if not (one["event"].any() or other["event"].any()) or one.empty or other.empty or "weight" in one:
        return np.nan
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(stats.logrank(_censored(one), _censored(other)).pvalue)


def log_rank_of_pairs(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """p-value of the log-rank test stratified by patient: each pair is a stratum, whose first event decides it.

    Exact, by the binomial distribution of who of the deciding pairs had the event first; NaN if none decides.
    """
    both = one.index.intersection(other.index)
    first, second = one.loc[both, "time_days"], other.loc[both, "time_days"]
    had_one, had_other = one.loc[both, "event"].astype(bool), other.loc[both, "event"].astype(bool)
    # whoever is censored on the day of the other's event was at risk then
    won = int((had_one & ((first < second) | ((first == second) & ~had_other))).sum())
    lost = int((had_other & ((second < first) | ((first == second) & ~had_one))).sum())
    return float(mcnemar(np.array(won), np.array(lost)))


def until(times: pd.DataFrame, day: float | None) -> pd.DataFrame:
    """The times as they were known on a day."""
    if day is None:
        return times
    later = times["time_days"] > day
    known = {"time_days": times["time_days"].clip(upper=day), "event": times["event"] & ~later}
    return times.assign(**known, died=times["died"] & ~later)


def _is_known(times: pd.DataFrame, is_over: pd.Series, day: float) -> bool:
    """Whether a curve is known on a day: somebody is watched, or what is asked is over for all who were to the last."""
    time = times["time_days"]
    return len(times) > 0 and bool(time.max() >= day - TOLERANCE or is_over[time == time.max()].all())


def _censored(times: pd.DataFrame) -> stats.CensoredData:
    time, event = times["time_days"].to_numpy(float), times["event"].to_numpy(bool)
    return stats.CensoredData(uncensored=time[event], right=time[~event])


def _of_the_watched(times: pd.DataFrame, watched: pd.Series, share: float) -> Interval:
    weights = curves.weights_of(times[watched])
    number = effective_number(weights, int(watched.sum()))
    return wilson(share * number, number)


def _at(curve: Any, day: float) -> float:
    return float(curve.evaluate([day])[0])


def _log_log(times: pd.DataFrame, day: float) -> Interval:
    low, high = _bands(stats.ecdf(_censored(times)).sf)
    return _at(low, day), _at(high, day)


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
