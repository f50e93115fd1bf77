"""Quadratic surfaces through simulated targets, from which profiles are read.

A surface is drawn through each target, not through the distance: close to a ridge, where parameters make up for one
another, targets are smooth and distances are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from scipy import optimize

from mpn_abm.analysis.patients import Floats
from mpn_abm.studies.calibrating.targets import Target

STEPS = 41
"""Values of a parameter at which a profile is read."""
RISE = 1.0
"""How much the sum of squared residuals may rise: as one target of weight 1 that moves to the edge of its band."""


@dataclass(frozen=True)
class Surrogate:
    """Surfaces of all fitted targets.

    Attributes
    ----------
    coefficients : float[terms, targets]
    centre : float[paths]
        Where the terms are 0.
    weights : float[targets]
    explained : float
        Part of the variance of the residuals that the surfaces follow.
    """

    coefficients: Floats
    centre: Floats
    weights: Floats
    explained: float

    def misfit(self, unit: Floats) -> float:
        """Weighted sum of the squared residuals at a point."""
        residuals = (_terms(np.atleast_2d(unit) - self.centre) @ self.coefficients)[0]
        return float((self.weights * residuals**2).sum())

    def lowest(self, start: Floats, held: int | None = None) -> tuple[Floats, float]:
        """The point with the least misfit, and that; one parameter may be held."""
        free = [k for k in range(len(start)) if k != held]
        if not free:
            return start, self.misfit(start)

        def filled(part: Floats) -> Floats:
            point = start.copy()
            point[free] = part
            return point

        found: Any = optimize.minimize(  # type: ignore[call-overload]
            lambda part: self.misfit(filled(part)), start[free], method="L-BFGS-B", bounds=[(0.0, 1.0)] * len(free)
        )
        return filled(found.x), float(found.fun)


def surrogate(unit: Floats, residuals: Floats, targets: Sequence[Target]) -> Surrogate:
    """Surfaces through evaluated points, those close to the targets counting most.

    Parameters
    ----------
    unit : float[points, paths]
    residuals : float[points, targets]
    """
    weights = np.array([target.weight for target in targets])
    misfit = (weights * residuals**2).sum(axis=1)
    best = int(misfit.argmin())
    # a point as bad as the 3/4 of the terms that are needed counts half
    terms = _terms(unit - unit[best])
    enough = min(2 * terms.shape[1], len(misfit) - 1)
    reach = max(float(np.partition(misfit, enough)[enough]), misfit[best] + 4.0 * RISE)
    counts = np.sqrt(1.0 / (1.0 + (misfit / reach) ** 2))[:, None]
    coefficients = np.linalg.lstsq(terms * counts, residuals * counts, rcond=1e-10)[0]
    left = ((counts * (residuals - terms @ coefficients)) ** 2).sum()
    mean = (counts**2 * residuals).sum(axis=0) / (counts**2).sum()
    whole = ((counts * (residuals - mean)) ** 2).sum()
    return Surrogate(coefficients, unit[best], weights, float(1.0 - left / whole) if whole > 0.0 else 0.0)


def profile(found: Surrogate, best: Floats, k: int) -> tuple[float, float]:
    """The quantiles between which the misfit rises by less than `RISE` while the other parameters make up for it."""
    least = found.misfit(best)
    ends = []
    for direction in (-1.0, 1.0):
        point, edge = best, best[k]
        end = 0.0 if direction < 0.0 else 1.0
        for value in np.linspace(best[k], end, STEPS)[1:]:
            held = point.copy()
            held[k] = value
            point, misfit = found.lowest(held, held=k)
            if misfit > least + RISE:
                edge = _crossing(found, point, edge, value, k, least + RISE)
                break
            edge = value
        ends.append(float(edge))
    return ends[0], ends[1]


def _crossing(found: Surrogate, start: Floats, inside: float, outside: float, k: int, limit: float) -> float:
    for _ in range(12):
        middle = (inside + outside) / 2.0
        held = start.copy()
        held[k] = middle
        if found.lowest(held, held=k)[1] > limit:
            outside = middle
        else:
            inside = middle
    return inside


def terms_of(paths: int) -> int:
    """How many coefficients a surface has."""
    return 1 + paths + paths * (paths + 1) // 2


def _terms(off: Floats) -> Floats:
    pairs = [off[:, i] * off[:, j] for i, j in combinations_with_replacement(range(off.shape[1]), 2)]
    return np.column_stack([np.ones(len(off)), off, *pairs])
