"""How far a model is from its own repeats: closer to the targets than that says nothing about parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mpn_abm.analysis.patients import Floats
from mpn_abm.studies.calibrating.evaluated import Evaluations
from mpn_abm.studies.calibrating.priors import Priors, point_of
from mpn_abm.studies.calibrating.seeds import seed_of
from mpn_abm.studies.calibrating.targets import Target, distance, residual_of

REPEATS = 16


@dataclass(frozen=True)
class Floor:
    """Repeats of one point with other seeds.

    Attributes
    ----------
    noise : float
        Root mean square distance of the repeats from their mean, in half bands.
    distance, spread : float
        Mean and standard deviation of their distances from the targets.
    repeats : int
    """

    noise: float
    distance: float
    spread: float
    repeats: int


def noise_floor(
    evaluations: Evaluations, priors: Priors, targets: Sequence[Target], unit: Floats, seed: int, error: bool
) -> Floor:
    """Repeat a point, each time with a seed of its own.

    Parameters
    ----------
    targets : sequence of Target
        The fitted ones.
    unit : float[paths]
        The point, as quantiles of the priors.
    error : bool
        Whether the error of the observations is added, as where a posterior is sought.
    """
    seeds = [seed_of(seed, "repeat", k) for k in range(REPEATS)]
    found = evaluations.of([point_of(priors, list(unit), each) for each in seeds])
    if error:
        found = [seen(targets, simulated, each) for simulated, each in zip(found, seeds, strict=True)]
    residuals = np.array([[residual_of(target, simulated) for target in targets] for simulated in found])
    weights = np.array([target.weight for target in targets])
    known = residuals[~np.isnan(residuals).any(axis=1)]
    if len(known) < 2:
        return Floor(0.0, np.nan, np.nan, len(known))
    distances = [distance(targets, simulated) for simulated in found]
    finite = np.array(distances)[np.isfinite(distances)]
    noise = np.sqrt((weights * known.var(axis=0, ddof=1)).sum() / weights.sum())
    return Floor(float(noise), float(finite.mean()), float(finite.std(ddof=1)), len(known))


def seen(targets: Sequence[Target], simulated: dict[str, float], seed: int) -> dict[str, float]:
    """Simulated values of targets as they would be seen, with their errors."""
    return {target.name: target.seen(simulated.get(target.name, np.nan), seed) for target in targets}
