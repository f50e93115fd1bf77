"""The posterior by ABC-SMC: pyabc draws, weighs and keeps the particles, whoever evaluates simulates them in batches.

Every generation starts from what the generations before left in the file, with a random stream of its own: one that
was broken off goes on as if it had not been. Nothing is forked.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mpn_abm.analysis.patients import Floats
from mpn_abm.errors import SimulationError, UsageError
from mpn_abm.studies.calibrating.batches import TooFewAccepted, generation
from mpn_abm.studies.calibrating.evaluated import Evaluations, OutOfRuns
from mpn_abm.studies.calibrating.floor import Floor, noise_floor
from mpn_abm.studies.calibrating.history import History
from mpn_abm.studies.calibrating.priors import Priors
from mpn_abm.studies.calibrating.seeds import seed_of
from mpn_abm.studies.calibrating.targets import Target

QUANTILE = 0.5
"""The next threshold, among the distances of a generation."""
FURTHEST = sys.float_info.max
"""The first threshold: any distance that is known."""


@dataclass(frozen=True)
class Particles:
    """The last generation.

    Attributes
    ----------
    unit : float[particles, paths]
        Quantiles of the priors.
    weights : float[particles]
        Their sum is 1.
    generations : DataFrame
        generation, epsilon, points, accepted.
    floor : Floor
    stopped : str
        Why there is no further generation: noise_floor, generations, max_runs, acceptance or no_progress.
    """

    unit: Floats
    weights: Floats
    generations: pd.DataFrame
    floor: Floor
    stopped: str


def abc_smc(
    evaluations: Evaluations,
    priors: Priors,
    targets: Sequence[Target],
    file: Path,
    *,
    seed: int,
    population: int,
    generations: int,
) -> Particles:
    """Draw particles whose simulated values come ever closer to the targets.

    Parameters
    ----------
    targets : sequence of Target
        The fitted ones.
    file : Path
        pyabc's history, made or continued.
    seed : int
    population : int
        Particles of a generation.
    generations : int
        At most, with the first one, which is the prior.

    Raises
    ------
    UsageError
        If the runs that are allowed do not suffice for the first generation; if pyabc is not installed.
    SimulationError
        If hardly any point of the prior has a value of every target.
    """
    history = History(file, list(priors))
    evaluations.runs += history.points * evaluations.replicates

    def go_on(epsilon: float) -> None:
        generation(history, evaluations, priors, targets, epsilon=epsilon, seed=seed, population=population)

    if history.number == 0:
        try:
            go_on(FURTHEST)
        except OutOfRuns:
            told = f"max_runs: {evaluations.max_runs}: used up before {population} points of the prior had a value"
            raise UsageError(told) from None
        except TooFewAccepted:
            names = ", ".join(target.name for target in targets)
            raise SimulationError(f"hardly any point of the prior has a value of all of {names}") from None
    start, _, distances = history.particles(0)
    floor = noise_floor(evaluations, priors, targets, start[distances.argmin()], seed_of(seed, "floor"), error=True)
    while not (stopped := _why_to_stop(history, floor, generations)):
        try:
            go_on(_next_threshold(history, floor))
        except OutOfRuns:
            stopped = "max_runs"
            break
        except TooFewAccepted:
            stopped = "acceptance"
            break
    unit, weights, _ = history.particles(history.number - 1)
    return Particles(unit, weights, history.generations, floor, stopped)


def _why_to_stop(history: History, floor: Floor, generations: int) -> str:
    if history.epsilons[-1] <= floor.noise:
        return "noise_floor"
    if history.number >= generations:
        return "generations"
    return "no_progress" if _next_threshold(history, floor) >= history.epsilons[-1] * (1.0 - 1e-9) else ""


def _next_threshold(history: History, floor: Floor) -> float:
    """The median distance of the last generation, but not less than the model's distance from its own repeats."""
    _, weights, distances = history.particles(history.number - 1)
    order = distances.argsort(kind="stable")
    place = (weights[order].cumsum() >= QUANTILE * weights.sum()).argmax()
    return max(floor.noise, float(distances[order][place]))
