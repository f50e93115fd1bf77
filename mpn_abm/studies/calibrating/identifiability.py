"""What the targets say of the parameters, and what they leave open."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from mpn_abm.analysis.patients import Floats
from mpn_abm.analysis.shares import LEVEL
from mpn_abm.studies.calibrating.priors import Priors, value_of

WIDE = 0.8
"""An interval that covers more of the prior's than this has learned next to nothing, however sure it is."""
STRONG = 0.8
"""Two parameters whose ranks correlate more than this are known together only."""
DESCRIBED = ("parameter", "value", "low", "high", "prior_value", "prior_low", "prior_high", "left_of_prior")
TAIL = 0.5 - LEVEL / 2.0


def quantile(values: Floats, weights: Floats, share: float) -> float:
    """The quantile of weighted values."""
    order = np.argsort(values, kind="stable")
    middle = np.cumsum(weights[order]) - weights[order] / 2.0
    return float(np.interp(share * weights.sum(), middle, values[order]))


def particles_needed(weights: Floats) -> float:
    """Effective number of particles: how many equal weights say as much."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def left_by_chance(particles: float) -> float:
    """The part of the prior that so many draws from it cover at least, in 95 of 100 cases.

    Order statistics of n uniform numbers that are d places apart differ by a number of Beta(d, n + 1 - d).
    """
    first, last = (np.clip(particles * share - 0.5, 0.0, particles - 1.0) for share in (TAIL, 1.0 - TAIL))
    places = float(last - first)
    return float(stats.beta(places, particles + 1.0 - places).ppf(1.0 - LEVEL)) / LEVEL if places > 0.0 else 0.0


def described(priors: Priors, unit: Floats, weights: Floats) -> pd.DataFrame:
    """A row per parameter: median and 95 % interval before and after, and the part of the prior that is left."""
    rows = []
    for k, (path, prior) in enumerate(priors.items()):
        low, middle, high = (quantile(unit[:, k], weights, share) for share in (TAIL, 0.5, 1.0 - TAIL))
        after = [value_of(prior, share) for share in (middle, low, high)]
        before = [value_of(prior, share) for share in (0.5, TAIL, 1.0 - TAIL)]
        rows.append((path, *after, *before, (high - low) / LEVEL))
    return pd.DataFrame(rows, columns=list(DESCRIBED))


def warnings_of(paths: list[str], unit: Floats, weights: Floats) -> list[str]:
    """Sentences on parameters that the targets do not tell, alone or apart from one another."""
    told = []
    particles = particles_needed(weights)
    by_chance = left_by_chance(particles)
    for k, path in enumerate(paths):
        width = (quantile(unit[:, k], weights, 1.0 - TAIL) - quantile(unit[:, k], weights, TAIL)) / LEVEL
        left = f"{100 * width:.0f} % of the prior is left"
        if width > WIDE:
            told.append(f"{path}: as wide as before ({left}): the targets do not tell it")
        elif width > by_chance:
            as_many = f"{particles:.0f} draws from the prior itself leave from {100 * by_chance:.0f} % on"
            told.append(f"{path}: not told from the prior ({left}, and {as_many}): more particles would tell more")
    if len(paths) > 1:
        ranks = np.argsort(np.argsort(unit, axis=0, kind="stable"), axis=0)
        covariance = np.cov(ranks, rowvar=False, aweights=weights)
        spread = np.sqrt(np.diag(covariance))
        correlation = covariance / np.outer(spread, spread)
        for i, j in combinations(range(len(paths)), 2):
            if abs(correlation[i, j]) > STRONG:
                told.append(
                    f"{paths[i]} and {paths[j]}: known only together (rank correlation {correlation[i, j]:+.2f})"
                )
    return told
