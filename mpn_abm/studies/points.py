"""The points of a study, read or drawn, and what must hold of those that stand in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mpn_abm.errors import Problem, ScenarioError, UsageError
from mpn_abm.scenario.finding import Finding
from mpn_abm.scenario.studies.blocks import CalibrateSpec, TrialSpec
from mpn_abm.scenario.studies.document import told_at
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.scenario.suggestions import unknown
from mpn_abm.studies.cohort import BESIDE, patients_of
from mpn_abm.studies.designs import points_of
from mpn_abm.studies.rows import MOST_TOLD, problem_of_row, wrong_rows
from mpn_abm.units import is_number

_NUMBERS = {"weight": "expected a finite number from 0 on", "dropout_day": "expected a day from 0 on"}
# whoever never leaves has no last day
_HIGHEST = {"weight": np.finfo(float).max, "dropout_day": inf}


def checked_points(study: StudyFile) -> pd.DataFrame:
    """A row per point or patient, as ``patients_of`` or ``points_of`` make it.

    Raises
    ------
    ScenarioError
        With everything that is wrong with a file of them.
    """
    spec = study.spec
    if isinstance(spec, CalibrateSpec):
        raise UsageError("a calibration chooses its points while it runs and has no plan")
    if not isinstance(spec, TrialSpec):
        points = points_of(spec, study.scenario, study.folder)
        if file := file_of(study):
            _refuse(wrong_rows(_of_paths(points), file, study.base))
        return points
    points = patients_of(spec, study.folder, study.scenario)
    if file := file_of(study):
        numbers = {name: _numbers(points[name]) for name in _NUMBERS if name in points}
        found = [*_of_their_number(study, spec, len(points)), *wrong_rows(_of_paths(points), file, study.base)]
        found += _wrong_numbers(numbers, points, file)
        if "arm" in points:
            found += _wrong_arms(points["arm"], file, study.base.arms)
        _refuse(found)
        points = points.assign(**numbers)
    return points


def file_of(study: StudyFile) -> Path | None:
    """The file in which the points of a study stand, where they do."""
    said = getattr(study.spec, "patients_file" if isinstance(study.spec, TrialSpec) else "file", None)
    return None if said is None else study.folder / said


def _refuse(problems: Iterable[Problem]) -> None:
    if found := list(problems):
        raise ScenarioError(found)


def _of_paths(points: pd.DataFrame) -> pd.DataFrame:
    return points.drop(columns=[name for name in BESIDE if name in points])


def _of_their_number(study: StudyFile, spec: TrialSpec, there: int) -> Iterator[Problem]:
    if spec.patients is not None and there < spec.patients:
        told = f"expected at most {there}, the rows of {spec.patients_file}"
        yield told_at(study.document, Finding(("trial", "patients"), told))


def _numbers(column: pd.Series) -> np.ndarray:
    """float64: what is none is NaN; beside a word a CSV file has its numbers as texts, too."""
    return np.array([_number(value) for value in column], np.float64)


def _number(value: Any) -> float:
    try:
        return float(value) if is_number(value) or isinstance(value, str) else nan
    except ValueError:
        return nan


def _wrong_numbers(numbers: dict[str, np.ndarray], points: pd.DataFrame, file: Path) -> Iterator[Problem]:
    for name, values in numbers.items():
        wrong = np.flatnonzero(~((values >= 0.0) & (values <= _HIGHEST[name])))
        for row in wrong[:MOST_TOLD].tolist():
            yield problem_of_row(file, row, name, str(points[name].iloc[row]), _NUMBERS[name])
        if name == "weight" and not len(wrong) and not 0.0 < sum(values.tolist()) < inf:
            yield problem_of_row(file, None, name, "", "expected weights with a sum above 0 that is finite")


def _wrong_arms(arms: pd.Series, file: Path, known: Iterable[str]) -> Iterator[Problem]:
    names = list(known)
    wrong = ((row, arm) for row, arm in enumerate(arms) if arm not in names)
    for row, arm in islice(wrong, MOST_TOLD):
        told = unknown("arm", arm, names) if names else "expected no such column, as the trial has no arms"
        yield problem_of_row(file, row, "arm", str(arm), told)
