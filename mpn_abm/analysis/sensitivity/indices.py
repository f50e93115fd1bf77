"""Sobol's indices, Morris's elementary effects and partial rank correlations, each beside what chance alone would give.

SALib computes the first two. Seed noise adds to a total index and to an elementary effect even of a parameter that
does nothing: where such a parameter changes the order of random draws, two points differ by their noise. `expected`
is what it has on average, `noise` the limit that all such parameters of a table stay below in 95 % of tables.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from mpn_abm.analysis.extras import extra
from mpn_abm.analysis.patients import Floats
from mpn_abm.analysis.sensitivity.design import Design
from mpn_abm.analysis.sensitivity.noise import spread_of_means
from mpn_abm.analysis.shares import LEVEL
from mpn_abm.errors import UsageError

SAMPLES = 500
INDEX = ("parameter", "measure", "index", "low", "high", "expected", "noise")


def sobol_block(design: Design) -> int:
    """The points that Saltelli's design makes together: A, A with each column of B (B with those of A), B."""
    number = len(design.parameters)
    for block in (number + 2, 2 * number + 2):
        if len(design.unit) >= block and _is_saltelli(design.unit[:block], number):
            return block
    raise UsageError("the points are no Saltelli design, which Sobol indices need: sweep with `method: saltelli`")


def sobol(design: Design, seed: int = 0) -> pd.DataFrame:
    """First and total order of the means of the replicates.

    Parameters
    ----------
    design : Design
        Of whole blocks.
    seed : int
        Of the bootstrap behind the intervals.
    """
    analyze = extra("SALib.analyze.sobol", "sensitivity").analyze
    names, block = design.parameters, sobol_block(design)
    number, blocks = len(names), len(design.runs) // block
    means, spread = design.runs.mean(axis=1), spread_of_means(design.runs).reshape(blocks, block)
    of_base = np.var(means.reshape(blocks, block)[:, [0, -1]])
    if of_base == 0.0:
        zero = np.zeros((2, number))
        return _table(names, ("total", "first"), zero, zero, zero, zero)
    found = analyze(
        {"num_vars": number, "names": list(names), "bounds": [[0.0, 1.0]] * number},
        means,
        calc_second_order=block > number + 2,
        num_resamples=SAMPLES,
        conf_level=LEVEL,
        seed=seed + 1,  # SALib takes 0 for no seed
    )
    freedom = 2 * (design.runs.shape[1] - 1)
    expected, noise = np.zeros(number), np.zeros(number)
    for j in range(number):
        each = spread[:, [0, j + 1]].mean(axis=1) / of_base
        expected[j] = each.mean()
        noise[j] = _highest_mean_of_squares(each, freedom, number)
    nothing = np.full(number, np.nan)
    return _table(
        names,
        ("total", "first"),
        np.array([found["ST"], found["S1"]]),
        np.array([found["ST_conf"], found["S1_conf"]]),
        np.array([expected, np.zeros(number)]),
        np.array([noise, nothing]),
    )


def morris(design: Design, seed: int = 0) -> pd.DataFrame:
    """Mean absolute elementary effect, in units of the endpoint over the whole range of the parameter.

    Parameters
    ----------
    design : Design
        Of whole trajectories.
    seed : int
        Of the bootstrap behind the intervals.
    """
    analyze = extra("SALib.analyze.morris", "sensitivity").analyze
    names, block = design.parameters, len(design.parameters) + 1
    number, trajectories = len(names), len(design.runs) // block
    steps = np.diff(design.unit.reshape(trajectories, block, number), axis=1)
    delta = float(np.abs(steps).max())
    if ((np.abs(steps) > 1e-9).sum(axis=2) != 1).any() or not np.allclose(np.abs(steps).sum(axis=2), delta):
        raise UsageError("the points are no Morris trajectories: sweep with `method: morris`, and give its ranges")
    if delta <= 0.5:
        raise UsageError("the ranges are not those of the Morris design: its step is more than half of a range")
    found = analyze(
        {"num_vars": number, "names": list(names), "bounds": [[0.0, 1.0]] * number},
        design.unit,
        design.runs.mean(axis=1),
        num_resamples=SAMPLES,
        conf_level=LEVEL,
        num_levels=round(2.0 * delta / (2.0 * delta - 1.0)),
        seed=seed + 1,
    )
    spread = spread_of_means(design.runs).mean()
    freedom = trajectories * (design.runs.shape[1] - 1)
    # of |x| for normal x of variance 2 spread / delta^2, averaged over trajectories; its spread is an estimate, too
    expected = np.sqrt(2.0 / np.pi * 2.0 * spread) / delta
    error = np.sqrt((1.0 - 2.0 / np.pi) * 2.0 * spread / trajectories) / delta
    error = np.hypot(error, expected / np.sqrt(2.0 * freedom)) if freedom else np.nan
    noise = expected + stats.norm.ppf(_level_of_each(number)) * error
    effects = np.array([np.asarray(found["mu_star"], float), np.asarray(found["sigma"], float)])
    unknown = np.full(number, np.nan)
    return _table(
        names,
        ("mu_star", "sigma"),
        effects,
        np.array([np.asarray(found["mu_star_conf"], float), unknown]),
        np.array([np.full(number, expected), unknown]),
        np.array([np.full(number, noise), unknown]),
    )


def prcc(design: Design) -> pd.DataFrame:
    """Correlation of ranks of the mean with each parameter, the other parameters held (Fisher's interval)."""
    means, number = design.runs.mean(axis=1), len(design.parameters)
    freedom = len(means) - 2 - (number - 1)
    if freedom < 2:
        raise UsageError(f"{len(means)} points are too few for rank correlations of {number} parameters")
    ranks = stats.rankdata(np.column_stack([design.unit, means]), axis=0)
    if np.ptp(means) == 0.0:
        found = np.zeros(number)
    else:
        found = np.array([_partial(ranks, j) for j in range(number)])
    critical = stats.t.ppf(0.5 + _level_of_each(number) / 2.0, freedom)
    noise = np.full((1, number), critical / np.sqrt(freedom + critical**2))
    centre = np.arctanh(np.clip(found, -1.0 + 1e-12, 1.0 - 1e-12))
    reach = stats.norm.ppf(0.5 + LEVEL / 2.0) / np.sqrt(freedom - 1)
    table = _table(design.parameters, ("prcc",), found[None], np.zeros((1, number)), np.zeros((1, number)), noise)
    return table.assign(low=np.tanh(centre - reach), high=np.tanh(centre + reach))


def _is_saltelli(points: Floats, number: int) -> bool:
    first, last = points[0], points[-1]
    mixed = np.tile(first, (number, 1))
    np.fill_diagonal(mixed, last)
    return bool(np.allclose(points[1 : number + 1], mixed, atol=1e-9))


def _level_of_each(number: int) -> float:
    """So that all of a table stay below their limits at `LEVEL` (Bonferroni)."""
    return 1.0 - (1.0 - LEVEL) / number


def _highest_mean_of_squares(each: Floats, freedom: int, number: int) -> float:
    """Limit of mean x^2/2, x normal with variances 2 `each`: a gamma distribution of its mean and variance."""
    if freedom < 1 or not each.any():
        return np.nan if freedom < 1 else 0.0
    square = float(np.mean(each**2)) / (1.0 + 2.0 / freedom)
    # that of the statistic, and that of the estimate of its mean
    variance = 2.0 * square / len(each) * (1.0 + 2.0 / freedom)
    mean = float(each.mean())
    return float(stats.gamma.ppf(_level_of_each(number), mean**2 / variance, scale=variance / mean))


def _partial(ranks: Floats, j: int) -> float:
    """Correlation of column j with the last one, of what the other columns leave of both."""
    others = np.delete(ranks[:, :-1], j, axis=1)
    fitted = np.column_stack([np.ones(len(ranks)), others])
    both = ranks[:, [j, -1]]
    left = both - fitted @ np.linalg.lstsq(fitted, both, rcond=None)[0]
    size = np.sqrt((left**2).sum(axis=0))
    return float((left[:, 0] * left[:, 1]).sum() / size.prod()) if (size > 1e-9 * len(ranks)).all() else 0.0


def _table(
    names: Sequence[str],
    measures: tuple[str, ...],
    index: Floats,
    reach: Floats,
    expected: Floats,
    noise: Floats,
) -> pd.DataFrame:
    rows = [
        (name, measure, index[m, k], index[m, k] - reach[m, k], index[m, k] + reach[m, k], expected[m, k], noise[m, k])
        for m, measure in enumerate(measures)
        for k, name in enumerate(names)
    ]
    return pd.DataFrame(rows, columns=list(INDEX))
