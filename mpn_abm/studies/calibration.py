"""Calibrate: find the parameters with which a model shows what was seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from mpn_abm.analysis.extras import extra
from mpn_abm.studies.calibrating.estimate import best_point, estimated
from mpn_abm.studies.calibrating.evaluated import Evaluate, Evaluations
from mpn_abm.studies.calibrating.floor import REPEATS, Floor
from mpn_abm.studies.calibrating.identifiability import WIDE, described, warnings_of
from mpn_abm.studies.calibrating.predictive import checked, drawn_again
from mpn_abm.studies.calibrating.priors import Priors, frame_of, value_of
from mpn_abm.studies.calibrating.setup import PREDICTED, claim, digest, refuse
from mpn_abm.studies.calibrating.smc import abc_smc
from mpn_abm.studies.calibrating.targets import Target, fitted

EVALUATED, HISTORY = "evaluated.jsonl", "history.db"
PROBED = (0.01, 0.3, 0.5, 0.7, 0.99)
"""Quantiles by which priors are told apart."""


@dataclass(frozen=True)
class Calibration:
    """What a calibration found.

    Attributes
    ----------
    method : str
    parameters : DataFrame
        parameter, value, low, high (of the posterior median and 95 % interval, or the estimate and its profile),
        left_of_prior (the part of the prior that the interval covers).
    posterior : DataFrame or None
        particle, weight, a column per path.
    predictions : DataFrame
        target, role, published, low, high, predicted, predicted_low, predicted_high, held.
    generations : DataFrame or None
        generation, epsilon, points, accepted.
    floor : Floor
        The model's distance from its own repeats.
    stopped : str
        Why it ended.
    runs : int
        Runs that it took, with those of earlier calls.
    simulated : int
        Points that this call simulated.
    explained : float or None
        How well the surfaces behind a profile follow the targets.
    warnings : list of str
        What the targets do not tell.
    """

    method: str
    parameters: pd.DataFrame
    posterior: pd.DataFrame | None
    predictions: pd.DataFrame
    generations: pd.DataFrame | None
    floor: Floor
    stopped: str
    runs: int
    simulated: int
    explained: float | None = None
    warnings: list[str] = field(default_factory=list)


def calibrated(
    evaluate: Evaluate,
    priors: Priors,
    targets: Sequence[Target],
    folder: Path,
    *,
    method: str = "abc_smc",
    seed: int = 0,
    max_runs: int = 100_000,
    replicates: int = 1,
    population: int = 200,
    generations: int = 10,
    context: str = "",
    told: Callable[[float], None] | None = None,
) -> Calibration:
    """Calibrate; a second call with the same arguments goes on where the first one was broken off.

    Parameters
    ----------
    evaluate : callable
        Takes points, each a value by path and a `seed`, and returns for each the values of all targets in each
        replicate. It may do them in any order, and must return the same for the same point.
    priors : mapping
        By path, a distribution with `ppf`, such as one of scipy.stats.
    targets : sequence of Target
        Those with `role: fit` are fitted, the others are predicted only.
    folder : Path
        Where the state is kept.
    method : str
        abc_smc or optuna.
    seed : int
    max_runs : int
        Points times replicates, at most; with more of them a later call goes on.
    replicates : int
        Runs of a point.
    population, generations : int
        Of ABC-SMC; the first generation is the prior.
    context : str
        What else simulated values depend on: the digest of the scenario, the version of the program.
    told : callable, optional
        Told the share of `max_runs` that is used, batch by batch.

    Raises
    ------
    UsageError
        If the arguments make no calibration, or pyabc or optuna is not installed.
    OutputExistsError
        If the folder has the state of another calibration.
    SimulationError
        If no point has a value of every fitted target.
    """
    aims = fitted(targets)
    predicted = min(PREDICTED, population) if method == "abc_smc" else REPEATS
    refuse(method, priors, max_runs, replicates, population, generations)
    extra("pyabc" if method == "abc_smc" else "optuna", "calibrate")
    said = {
        "method": method, "seed": seed, "replicates": replicates, "context": context, "targets": digest(targets),
        "priors": digest({path: [value_of(prior, q) for q in PROBED] for path, prior in priors.items()}),
    }  # fmt: skip
    claim(folder, said | ({"population": population} if method == "abc_smc" else {}))
    run = _telling(evaluate, told, replicates, max_runs)
    evaluations = Evaluations(run, folder / EVALUATED, context, replicates, max_runs - predicted * replicates)
    if method == "optuna":
        return _estimate(evaluations, priors, targets, aims, seed)
    found = abc_smc(
        evaluations, priors, aims, folder / HISTORY, seed=seed, population=population, generations=generations
    )
    evaluations.max_runs = max_runs
    posterior = frame_of(priors, found.unit)
    posterior.insert(0, "weight", found.weights)
    posterior.insert(0, "particle", np.arange(len(posterior)))
    again = drawn_again(evaluations, priors, found.unit, found.weights, predicted, seed)
    warnings = warnings_of(list(priors), found.unit, found.weights)
    return Calibration(
        method, described(priors, found.unit, found.weights), posterior, checked(targets, again), found.generations,
        found.floor, found.stopped, evaluations.runs, evaluations.simulated, None, warnings,
    )  # fmt: skip


def _estimate(
    evaluations: Evaluations, priors: Priors, targets: Sequence[Target], aims: Sequence[Target], seed: int
) -> Calibration:
    points = evaluations.max_runs // evaluations.replicates - REPEATS - 1
    found = best_point(evaluations, priors, aims, seed=seed, points=points)
    evaluations.max_runs += REPEATS * evaluations.replicates
    once = np.ones(1)
    again = drawn_again(evaluations, priors, found.unit[None], once, REPEATS, seed)
    parameters = estimated(priors, found)
    warnings = [
        f"{row['parameter']}: flat profile ({100 * row['left_of_prior']:.0f} % of the prior fits as well)"
        for row in parameters.to_dict("records")
        if row["left_of_prior"] > WIDE
    ]
    if found.explained < 0.8:
        warnings.append(
            f"the surfaces behind the intervals follow {100 * found.explained:.0f} % of the targets' variance only: "
            "more runs or replicates would tell more"
        )
    return Calibration(
        "optuna", parameters, None, checked(targets, again), None, found.floor, "max_runs",
        evaluations.runs, evaluations.simulated, found.explained, warnings,
    )  # fmt: skip


def _telling(evaluate: Evaluate, told: Callable[[float], None] | None, replicates: int, max_runs: int) -> Evaluate:
    done = 0

    def run(points: list[dict[str, float]]) -> list:  # type: ignore[type-arg]
        nonlocal done
        found = evaluate(points)
        done += len(points) * replicates
        if told is not None:
            told(min(done / max_runs, 1.0))
        return found

    return run
