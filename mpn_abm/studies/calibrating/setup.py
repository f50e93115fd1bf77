"""What is asked of a calibration, checked before the first run, and remembered by the folder of its state."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from mpn_abm.errors import OutputExistsError, UsageError
from mpn_abm.files import published_together, text
from mpn_abm.studies.calibrating.floor import REPEATS
from mpn_abm.studies.calibrating.priors import Priors

METHODS = ("abc_smc", "optuna")
SETUP = "calibration.json"


def refuse(
    method: str, priors: Priors, max_runs: int, replicates: int, population: int, generations: int, predicted: int
) -> None:
    """See that the arguments make a calibration."""
    if method not in METHODS:
        raise UsageError(f"method: {method!r}: expected one of {', '.join(METHODS)}")
    if not priors:
        raise UsageError("parameters: expected at least one, with a prior")
    if replicates < 1 or generations < 2 or population < 2:
        raise UsageError("expected replicates from 1, generations from 2 and a population from 2 on")
    few = population + REPEATS + predicted if method == "abc_smc" else 4 * REPEATS
    if max_runs < few * replicates:
        told = f"max_runs: {max_runs}: expected at least {few * replicates}, {few} points of {replicates} run(s)"
        raise UsageError(told)


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
