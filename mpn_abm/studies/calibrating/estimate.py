"""The best point: optuna looks for it, surfaces through what it evaluated refine it and say how sure it is."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mpn_abm.analysis.extras import extra
from mpn_abm.analysis.patients import Floats
from mpn_abm.errors import SimulationError
from mpn_abm.studies.calibrating.evaluated import Evaluations
from mpn_abm.studies.calibrating.floor import Floor, noise_floor
from mpn_abm.studies.calibrating.priors import Priors, point_of, value_of
from mpn_abm.studies.calibrating.seeds import seed_of
from mpn_abm.studies.calibrating.surrogate import Surrogate, profile, surrogate, terms_of
from mpn_abm.studies.calibrating.targets import Target, distance, residual_of

BATCH = 16
ROUNDS = 4
"""Of refinement, in which two fifths of the points go."""
FAR = 1e6
"""What optuna is told of a point that has no distance."""


@dataclass(frozen=True)
class BestPoint:
    """A point estimate.

    Attributes
    ----------
    unit : float[paths]
        Quantiles of the priors.
    ends : float[paths, 2]
        The profile interval of each.
    explained : float
        How well the surfaces behind the intervals follow the simulated targets, at most 1.
    floor : Floor
        Repeats of the point with other seeds.
    points : int
    """

    unit: Floats
    ends: Floats
    explained: float
    floor: Floor
    points: int


def best_point(
    evaluations: Evaluations, priors: Priors, targets: Sequence[Target], *, seed: int, points: int
) -> BestPoint:
    """Look for the point closest to the targets; all points have the same seed, so that they differ by parameters.

    Nothing but the evaluated points is kept: a second call looks as the first one did and finds them in the file.

    Parameters
    ----------
    targets : sequence of Target
        The fitted ones.
    points : int
        How many may be simulated, besides repeats of the best one.
    """
    tried = _Tried(evaluations, priors, targets, seed)
    search = max(points * 3 // 5, min(points, BATCH))
    _search(tried, priors, seed, search)
    surface = tried.surface()
    for number in range(ROUNDS if points > search else 0):
        first, last = (search + (points - search) * part // ROUNDS for part in (number, number + 1))
        if last > first:
            tried.add(_around(tried, surface, last - first, seed_of(seed, "round", number)))
            surface = tried.surface()
    best, _ = surface.lowest(tried.best)
    tried.add([best])
    unit = tried.best if tried.best_misfit < tried.misfit[-1] - 1.0 else best
    floor = noise_floor(evaluations, priors, targets, unit, seed_of(seed, "floor"), error=False)
    ends = np.array([profile(surface, best, k) for k in range(len(priors))])
    return BestPoint(unit, ends, surface.explained, floor, len(tried.misfit))


def estimated(priors: Priors, found: BestPoint) -> pd.DataFrame:
    """A row per parameter: the estimate with its profile interval, and the part of the prior that is left."""
    rows = []
    for k, (path, prior) in enumerate(priors.items()):
        low, high = found.ends[k]
        rows.append((path, *(value_of(prior, share) for share in (found.unit[k], low, high)), high - low))
    return pd.DataFrame(rows, columns=["parameter", "value", "low", "high", "left_of_prior"])


class _Tried:
    """The points so far."""

    def __init__(self, evaluations: Evaluations, priors: Priors, targets: Sequence[Target], seed: int) -> None:
        self._evaluations, self._priors, self._targets, self._seed = evaluations, priors, targets, seed
        self.unit: Floats = np.empty((0, len(priors)))
        self.residuals: Floats = np.empty((0, len(targets)))

    def add(self, units: Sequence[Floats]) -> list[float]:
        """Simulate points; their distances."""
        found = self._evaluations.of([point_of(self._priors, list(unit), self._seed) for unit in units])
        residuals = [[residual_of(target, simulated) for target in self._targets] for simulated in found]
        self.unit = np.vstack([self.unit, *units])
        self.residuals = np.vstack([self.residuals, *residuals])
        return [distance(self._targets, simulated) for simulated in found]

    @property
    def misfit(self) -> Floats:
        weights = np.array([target.weight for target in self._targets])
        found = (weights * self.residuals**2).sum(axis=1)
        return np.where(np.isnan(found), np.inf, found)

    @property
    def best(self) -> Floats:
        return np.asarray(self.unit[self.misfit.argmin()])

    @property
    def best_misfit(self) -> float:
        return float(self.misfit.min())

    def surface(self) -> Surrogate:
        known = np.isfinite(self.misfit)
        if known.sum() < 2:
            raise SimulationError("no point has a value of every target that is fitted")
        return surrogate(self.unit[known], self.residuals[known], self._targets)


def _search(tried: _Tried, priors: Priors, seed: int, points: int) -> None:
    optuna = extra("optuna", "calibrate")
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.ERROR)
    try:
        sampler = optuna.samplers.TPESampler(seed=seed_of(seed, "search") % 2**32, n_startup_trials=points // 4)
        study = optuna.create_study(sampler=sampler)
        while (left := points - len(study.trials)) > 0:
            trials = [study.ask() for _ in range(min(BATCH, left))]
            units = [np.array([trial.suggest_float(path, 0.0, 1.0) for path in priors]) for trial in trials]
            for trial, found in zip(trials, tried.add(units), strict=True):
                study.tell(trial, min(found, FAR))
    finally:
        optuna.logging.set_verbosity(level)


def _around(tried: _Tried, surface: Surrogate, number: int, seed: int) -> list[Floats]:
    """Points about the best one, spread as the best ones so far are."""
    rng = np.random.default_rng(seed)
    centre, _ = surface.lowest(tried.best)
    few = min(2 * terms_of(len(centre)), len(tried.unit))
    close = tried.unit[np.argsort(tried.misfit, kind="stable")[:few]]
    spread = np.cov(close, rowvar=False).reshape(len(centre), len(centre)) if few > 1 else np.eye(len(centre)) * 0.01
    steps = rng.multivariate_normal(np.zeros(len(centre)), spread + 1e-8 * np.eye(len(centre)), size=number)
    points = centre + steps
    # back from beyond the edges of the prior
    points = np.abs(points)
    return list(np.clip(np.where(points > 1.0, 2.0 - points, points), 0.0, 1.0))
