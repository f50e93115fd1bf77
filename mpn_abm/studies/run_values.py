"""The value of an endpoint in each run of a sweep."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mpn_abm.analysis.endpoints import values_on
from mpn_abm.analysis.headlines import HEADLINES
from mpn_abm.analysis.patients import TOLERANCE, Patients
from mpn_abm.columns import IDENTITY, STUDY_IDENTITY, TABLES
from mpn_abm.errors import UsageError
from mpn_abm.scenario.endpoints import ENDPOINTS, Endpoint, columns_of, endpoint_of
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.scenario.suggestions import unknown
from mpn_abm.studies.run_patients import Runs

# where nothing is kept but the summary, and nobody says what is asked
OF_THE_SUMMARY = ("vaf_driver_end", "mf_grade_end")


class RunValues:
    """The values of the endpoints of an arm, by run: of its trajectories, or of its row in the summary."""

    def __init__(self, runs: Runs, arm: str | None, own: Mapping[str, Endpoint], study: StudyFile) -> None:
        self._own = own
        self._step = study.scenario.spec.time.step
        self._patients = runs.patients(arm)
        identity = {column.name for column in (*IDENTITY, *STUDY_IDENTITY)} | {*runs.paths, "run"}
        summary = runs.of(runs.summary, arm)
        self._summary = summary if summary.empty else summary.set_index("run")
        self._columns = [str(name) for name in summary if name not in identity]
        self._said = list(study.endpoints)

    @property
    def usual(self) -> list[str]:
        """What is asked where nobody says it: the endpoints of the file, else what every comparison shows."""
        if self._patients is None:
            return [name for name in OF_THE_SUMMARY if name in self._columns]
        there = set(self._patients.table.columns)
        return self._said or [name for name in HEADLINES if columns_of(name, dict(self._own)) <= there]

    def is_of_the_summary(self, name: str) -> bool:
        """Whether a name is that of a column of the summary and of nothing else that is there."""
        if name in self._own or name in ENDPOINTS or name not in self._columns:
            return False
        return self._patients is None or name not in self._patients.table

    def of(self, name: str, day: float | None) -> pd.Series:
        """The value of each run."""
        if self.is_of_the_summary(name):
            return self._of_the_summary(name)
        if self._patients is None:
            why = "the study keeps no trajectories, so that only columns of the summary can be asked for"
            raise UsageError(f"{name}: {why}: {unknown('column', name, self._columns)}")
        there = set(self._patients.table.columns)
        if not columns_of(name, dict(self._own)) <= there and name not in {**ENDPOINTS, **self._own}:
            endpoints = [*self._own, *ENDPOINTS]
            known = [*endpoints, *sorted(map(str, there)), *self._columns]
            listed = [*endpoints, "a column, such as " + OF_THE_SUMMARY[0]]
            raise UsageError(f"{name}: {unknown('endpoint', name, known, dict.fromkeys(listed))}")
        if day is not None and endpoint_of(name, dict(self._own)).since is None:
            _refuse_days_without_rows(self._patients, day, self._step)
        return values_on(self._patients, name, self._own, day)

    def _of_the_summary(self, name: str) -> pd.Series:
        if any(column.name == name and column.kind == "string" for column in TABLES["summary"]):
            raise UsageError(f"{name}: its values are words, and a sensitivity needs numbers")
        return self._summary[name].astype("Float64").astype("float64")


def _refuse_days_without_rows(patients: Patients, day: float, step: float) -> None:
    rows = patients.row_from(day)
    found = patients.day[rows[rows >= 0]]
    if len(found) and found.max() >= day + step - TOLERANCE:
        near = np.unique(patients.day)
        before, after = near[near < day][-1:], near[near >= day][:1]
        known = " and ".join(f"{one:g}" for one in (*before, *after))
        raise UsageError(f"day {day:g}: no row of it was kept, the closest are those of days {known}")
