"""The variance of an endpoint, split into that between points (parameters) and that between seeds (chance)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from mpn_abm.analysis.patients import Floats
from mpn_abm.analysis.shares import LEVEL

SAMPLES = 399


@dataclass(frozen=True)
class NoiseSplit:
    """Where the variance of an endpoint comes from.

    Attributes
    ----------
    points, replicates : int
        How many were used: points of which every replicate has a value.
    parameters, seeds : float
        The variances, in squared units of the endpoint; `seeds` is that of a single run.
    share, low, high : float
        The part of the variance of single runs that is chance, with its 95 % interval; NaN with one replicate.
    share_of_mean : float
        The part of the variance between the means of the replicates that is chance.
    p_value : float
        Of the hypothesis that the parameters do nothing (F test).
    """

    points: int
    replicates: int
    parameters: float
    seeds: float
    share: float
    low: float
    high: float
    share_of_mean: float
    p_value: float


def noise_split(runs: Floats, block: int = 1, seed: int = 0) -> NoiseSplit:
    """Split the variance of runs.

    Each value is y = mean + point + replicate + rest. Replicate k has one seed in all points, which may move them
    all alike; such a shift moves no difference between points. Chance in a single run is replicate + rest, chance in
    what differs between points is the rest alone.

    Parameters
    ----------
    runs : float[points, replicates]
        The endpoint, without missing values.
    block : int
        Points that a design makes together, such as a trajectory; the interval draws whole blocks again.
    seed : int
        Of the bootstrap.
    """
    points, replicates = runs.shape
    if points < 2 or replicates < 2:
        between = float(np.var(runs.mean(axis=1), ddof=1)) if points > 1 else np.nan
        return NoiseSplit(points, replicates, between, *[np.nan] * 6)
    parameters, shift, rest = (float(part) for part in _components(runs))
    low, high = _interval(runs, block, seed)
    of_means = parameters + rest / replicates
    return NoiseSplit(
        points, replicates, parameters, shift + rest, _share(parameters, shift, rest), float(low), float(high),
        rest / replicates / of_means if of_means > 0.0 else 0.0, _p_value(runs),
    )  # fmt: skip


def spread_of_means(runs: Floats) -> Floats:
    """float[points]: variance that chance gives the mean of a point's replicates; NaN with one replicate."""
    points, replicates = runs.shape
    if replicates < 2 or points < 2:
        return np.full(points, np.nan)
    # the shift of a replicate costs every point one part in all
    lost = (1.0 - 1.0 / replicates) * (1.0 - 1.0 / points) * replicates
    return np.asarray((_rest(runs) ** 2).sum(axis=1) / lost / replicates)


def _interval(runs: Floats, block: int, seed: int) -> tuple[float, float]:
    """Of the share that is chance, by drawing blocks again; all that it takes are their sums."""
    blocks, replicates = len(runs) // block, runs.shape[1]
    if blocks < 2:
        return np.nan, np.nan
    drawn = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1.0 / blocks), size=SAMPLES)
    whole = (runs[: blocks * block] - runs.mean()).reshape(blocks, block, replicates)
    points = blocks * block
    of_replicates = drawn @ whole.sum(axis=1) / points
    squares = drawn @ (whole**2).sum(axis=(1, 2))
    squares_of_means = drawn @ (whole.mean(axis=2) ** 2).sum(axis=1)
    centre = points * of_replicates.mean(axis=1) ** 2
    between = squares_of_means - centre
    shifted = points * (of_replicates**2).sum(axis=1) - replicates * centre
    rest = squares - replicates * centre - replicates * between - shifted
    mean_rest = np.maximum(rest, 0.0) / ((points - 1) * (replicates - 1))
    parameters = np.maximum(between / (points - 1) - mean_rest / replicates, 0.0)
    shift = np.maximum((shifted / (replicates - 1) - mean_rest) / points, 0.0)
    total = parameters + shift + mean_rest
    shares = np.divide(shift + mean_rest, total, out=np.zeros_like(total), where=total > 0.0)
    low, high = np.quantile(shares, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return float(low), float(high)


def _components(runs: Floats) -> tuple[float, float, float]:
    """Variances of points, of replicates and of the rest, from mean squares; below 0 counts as 0."""
    points, replicates = runs.shape
    of_rest = (_rest(runs) ** 2).sum() / ((points - 1) * (replicates - 1))
    of_points = replicates * np.var(runs.mean(axis=1), ddof=1)
    of_replicates = points * np.var(runs.mean(axis=0), ddof=1)
    return max((of_points - of_rest) / replicates, 0.0), max((of_replicates - of_rest) / points, 0.0), of_rest


def _rest(runs: Floats) -> Floats:
    rest = runs - runs.mean(axis=1, keepdims=True) - runs.mean(axis=0) + runs.mean()
    # what rounding leaves of runs without chance is none
    return np.asarray(np.where(np.abs(rest) < 1e-12 * np.abs(runs).max(), 0.0, rest))


def _share(parameters: float, shift: float, rest: float) -> float:
    whole = parameters + shift + rest
    return float((shift + rest) / whole) if whole > 0.0 else 0.0


def _p_value(runs: Floats) -> float:
    points, replicates = runs.shape
    of_rest = (_rest(runs) ** 2).sum() / ((points - 1) * (replicates - 1))
    of_points = replicates * np.var(runs.mean(axis=1), ddof=1)
    if of_rest == 0.0:
        return 0.0 if of_points > 0.0 else np.nan
    return float(stats.f.sf(of_points / of_rest, points - 1, (points - 1) * (replicates - 1)))
