"""Values of an axis at given shares of its distribution: what uniform numbers from 0 to 1 become."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from mpn_abm.errors import UsageError
from mpn_abm.scenario.studies.axes import Axis


def values_at(axis: Axis, shares: np.ndarray, whole: bool = False) -> np.ndarray:
    """The values below which these shares of all lie.

    Parameters
    ----------
    axis : Axis
        Levels have equal shares; a range is uniform, or uniform in its logarithm; a distribution that is cut off
        has all of its shares between the ends.
    shares : float[n]
        From 0 to 1.
    whole : bool
        Whether the values are whole numbers: then each from low to high has its part of the range.
    """
    if axis.listed is not None:
        return _listed(axis.listed, axis.weights, shares)
    if axis.distribution is None or axis.distribution in ("uniform", "loguniform"):
        return _of_a_range(axis, shares, whole)
    values = _cut_off(axis, shares)
    return np.rint(values).astype(np.int64) if whole else values


def _listed(values: tuple[Any, ...], weights: tuple[float, ...] | None, shares: np.ndarray) -> np.ndarray:
    parts = np.ones(len(values)) if weights is None else np.asarray(weights, float)
    ends = np.cumsum(parts) / parts.sum()
    places = np.minimum(np.searchsorted(ends, shares, side="right"), np.flatnonzero(parts)[-1])
    listed = np.empty(len(values), object)
    listed[:] = values
    chosen: np.ndarray = listed[places]
    return chosen


def _of_a_range(axis: Axis, shares: np.ndarray, whole: bool) -> np.ndarray:
    assert axis.low is not None
    assert axis.high is not None
    low, high = axis.low, axis.high
    # a whole number stands for everything that is rounded to it, the two at the ends as well
    below, above = (low - 0.5, high + 0.5) if whole else (low, high)
    if axis.distribution == "loguniform" or (axis.distribution is None and axis.scale == "log"):
        below, above = max(below, low / 2.0), above
        values = np.exp(np.log(below) + shares * (np.log(above) - np.log(below)))
    else:
        values = below + shares * (above - below)
    if whole:
        values = np.clip(np.rint(values), np.ceil(low), np.floor(high)).astype(np.int64)
    return np.asarray(values if whole else np.clip(values, low, high))


def _cut_off(axis: Axis, shares: np.ndarray) -> np.ndarray:
    """By the upper tail where that is the finer one, so that a far tail keeps its digits."""
    known = _distribution(axis)
    low = -np.inf if axis.low is None else axis.low
    high = np.inf if axis.high is None else axis.high
    from_above = bool(known.cdf(low) > 0.5)
    if from_above:
        most, least = known.sf(low), known.sf(high)
        values = known.isf(most - shares * (most - least))
    else:
        least, most = known.cdf(low), known.cdf(high)
        values = known.ppf(least + shares * (most - least))
    if not most > least:
        raise UsageError(f"a {axis.distribution} distribution has no values from {low:g} to {high:g}")
    return np.asarray(np.clip(values, low, high))


def _distribution(axis: Axis) -> Any:
    # what a distribution needs was checked with the file
    said: dict[str, Any] = axis.model_dump()
    match axis.distribution:
        case "normal":
            return stats.norm(said["mean"], said["sd"])
        case "lognormal":
            return stats.lognorm(said["log_sd"], scale=said["median"])
        case _:
            return stats.beta(said["a"], said["b"])
