"""Points that were simulated, kept in a file, so that a calibration that was broken off goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from math import isnan
from pathlib import Path

import numpy as np

from mpn_abm.errors import SimulationError

Point = dict[str, float]
"""A value by path, and `seed`: that of the scenario, from which replicates have theirs."""
Simulated = Mapping[str, Sequence[float]]
"""By name of a target, its value in each replicate; NaN where it has none."""
Evaluate = Callable[[list[Point]], list[Simulated]]
"""Simulates points, in order, in whatever way; what it returns depends on the points alone."""


class OutOfRuns(Exception):
    """The next points would take more runs than were allowed."""


class Evaluations:
    """Simulated targets of points; each point is simulated once.

    Parameters
    ----------
    evaluate : callable
    file : Path
        A JSON object per line: key, point, values. Lines are added, and reach the disk batch by batch.
    context : str
        What else the values depend on: digest of the scenario and of the targets, version of the program.
    replicates : int
        Runs of a point.
    max_runs : int
        Of all points that are asked for, also of those that the file knows: going on stops where a first call would.
    """

    def __init__(self, evaluate: Evaluate, file: Path, context: str, replicates: int, max_runs: int) -> None:
        self.evaluate, self.file, self.context = evaluate, file, context
        self.replicates, self.max_runs = replicates, max_runs
        self.runs = 0
        self.simulated = 0
        self._known = _read(file)

    def has_runs_for(self, points: int) -> bool:
        """Whether so many points are still allowed."""
        return self.runs + points * self.replicates <= self.max_runs

    def of(self, points: Sequence[Point]) -> list[dict[str, float]]:
        """The mean of each target over the replicates that have it, by point; NaN where none has.

        Raises
        ------
        OutOfRuns
            If that takes more runs than are left; then none of them is made.
        """
        if not self.has_runs_for(len(points)):
            raise OutOfRuns
        self.runs += len(points) * self.replicates
        keys = [self._key(point) for point in points]
        missing = {key: point for key, point in zip(keys, points, strict=True) if key not in self._known}
        if missing:
            self._simulate(missing)
        return [{name: _mean(values) for name, values in self._known[key].items()} for key in keys]

    def _simulate(self, missing: Mapping[str, Point]) -> None:
        found = self.evaluate(list(missing.values()))
        if len(found) != len(missing):
            raise SimulationError(f"{len(missing)} points were to be simulated, {len(found)} came back")
        self.simulated += len(found)
        lines = []
        for (key, point), simulated in zip(missing.items(), found, strict=True):
            values = {name: [float(value) for value in each] for name, each in simulated.items()}
            self._known[key] = values
            plain = {name: [None if isnan(value) else value for value in each] for name, each in values.items()}
            lines.append(json.dumps({"key": key, "point": point, "values": plain}) + "\n")
        try:
            with self.file.open("a", encoding="utf-8") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise SimulationError(f"{self.file}: cannot be written: {error.strerror or error}") from error

    def _key(self, point: Point) -> str:
        said = json.dumps(point, sort_keys=True)
        return hashlib.sha256(f"{self.context}\n{said}".encode()).hexdigest()[:16]


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not isnan(value)]
    return float(np.mean(known)) if known else np.nan


def _read(file: Path) -> dict[str, dict[str, list[float]]]:
    """What a file knows; a last line that was not written whole is cut off."""
    if not file.exists():
        return {}
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        with file.open("r+b") as opened:
            opened.truncate(len(whole))
    known = {}
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            row = json.loads(line)
            known[row["key"]] = {
                name: [np.nan if value is None else value for value in values] for name, values in row["values"].items()
            }
        except (ValueError, KeyError, AttributeError) as error:
            told = "is damaged; without the file the calibration starts again"
            raise SimulationError(f"{file}:{number}: {told}") from error
    return known
