"""What is asked of a calibration, checked before the first run, and remembered by the folder of its state."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from mpn_abm.errors import OutputExistsError, ScenarioError, UsageError
from mpn_abm.files import published_together, text
from mpn_abm.scenario.finding import Finding
from mpn_abm.scenario.studies.blocks import CalibrateSpec
from mpn_abm.scenario.studies.document import told_at
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.studies.calibrating.floor import REPEATS
from mpn_abm.studies.calibrating.priors import Priors

METHODS = ("abc_smc", "optuna")
PREDICTED = 100
"""Points of which the predictions are made."""
SETUP = "calibration.json"


def refuse(method: str, priors: Priors, max_runs: int, replicates: int, population: int, generations: int) -> None:
    """See that the arguments make a calibration."""
    if method not in METHODS:
        raise UsageError(f"method: {method!r}: expected one of {', '.join(METHODS)}")
    if not priors:
        raise UsageError("parameters: expected at least one, with a prior")
    if replicates < 1 or generations < 2 or population < 2:
        raise UsageError("expected replicates from 1, generations from 2 and a population from 2 on")
    few = points_needed(method, population)
    if max_runs < few * replicates:
        raise UsageError(f"max_runs: {max_runs}: {at_least(few, replicates)}")


def points_needed(method: str, population: int) -> int:
    """The points without which a calibration has no result: a first generation, the noise floor, the predictions."""
    return population + REPEATS + min(PREDICTED, population) if method == "abc_smc" else 4 * REPEATS


def at_least(points: int, runs_of_a_point: int) -> str:
    """What is expected of `max_runs`."""
    of_each = "" if runs_of_a_point == 1 else f", {runs_of_a_point} of each of {points} points"
    return f"expected at least {points * runs_of_a_point} runs{of_each}"


def refuse_too_few_runs(study: StudyFile, runs_of_a_point: int) -> None:
    """See that a study file allows the runs that its calibration takes."""
    spec = study.spec
    assert isinstance(spec, CalibrateSpec)
    points = points_needed(spec.method, spec.population)
    if spec.max_runs < points * runs_of_a_point:
        finding = Finding(("calibrate", "max_runs"), at_least(points, runs_of_a_point))
        raise ScenarioError([told_at(study.document, finding)])


def claim(folder: Path, said: dict[str, object]) -> None:
    """See that the state in a folder is that of this calibration."""
    file = folder / SETUP
    if file.exists():
        there = json.loads(file.read_text())
        different = [name for name in {**said, **there} if there.get(name) != said.get(name)]
        if different:
            told = f"has a calibration with other {', '.join(different)}; choose another --out"
            raise OutputExistsError(f"{folder}: {told}")
        return
    folder.mkdir(parents=True, exist_ok=True)
    with published_together(folder) as write:
        write(SETUP, text(json.dumps(said, indent=2) + "\n"))


def digest(said: object) -> str:
    """Sixteen digits that tell what was said from anything else."""
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]
