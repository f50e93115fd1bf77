"""The tables of a whole trial, from the parts that its runs left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow as pa

from mpn_abm.analysis.adam import adam, adam_files
from mpn_abm.analysis.answer import answer
from mpn_abm.analysis.claims import rows_of
from mpn_abm.analysis.headlines import HEADLINES
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.power import PowerQuestion
from mpn_abm.analysis.tables import with_headlines
from mpn_abm.analysis.trial import arms_of, trial_tables
from mpn_abm.columns import STUDY_TABLES
from mpn_abm.errors import SimulationError, UsageError
from mpn_abm.files import published_together
from mpn_abm.scenario.endpoints import Endpoint
from mpn_abm.scenario.studies.blocks import Power, TrialSpec
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.studies.folder import Folder
from mpn_abm.studies.point_tables import of_points
from mpn_abm.studies.shard import study_in
from mpn_abm.studies.stored import read
from mpn_abm.studies.study import Study
from mpn_abm.tables import table_from_frame

# an arm has a name in the tables, also where a file has none
ONLY_ARM = "all"
ADAM = "adam"


@dataclass(frozen=True)
class Trial:
    """The patients of a trial that was run, by arm, and what is asked of them."""

    study: StudyFile
    plan: pd.DataFrame
    arms: dict[str, Patients]

    @property
    def own(self) -> dict[str, Endpoint]:
        """The endpoints of the file, and those that every comparison shows."""
        return with_headlines(self.study.endpoints)

    @property
    def reference(self) -> str:
        """The arm that others are compared with."""
        said = self.study.scenario.comparison.reference
        return said if said in self.arms else next(iter(self.arms))

    @property
    def days(self) -> list[float]:
        """The days that are asked about: those of the file, else the last one."""
        said = sorted({*cast(TrialSpec, self.study.spec).at})
        return said or [float(max(patients.day.max() for patients in self.arms.values()))]

    @property
    def endpoints(self) -> list[str]:
        """The endpoints that are asked: those of the file, else the headlines of which all arms have the columns."""
        said = list(cast(TrialSpec, self.study.spec).endpoints)
        there = set.intersection(*(set(patients.table.columns) for patients in self.arms.values()))
        return said or [name for name in HEADLINES if name in there or name == "overall_survival"]

    def frames(self) -> dict[str, pd.DataFrame]:
        """All tables."""
        spec = cast(TrialSpec, self.study.spec)
        return trial_tables(
            self.arms, self.own, self.endpoints, self.days, self.reference, claims=self.study.expect, plan=self.plan,
            planned=self._planned(spec.power), itself=self._itself,
        )  # fmt: skip

    def told(self, frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
        """What the manifest says of the tables."""
        verdicts, patients = frames["claims"], max(len(one) for one in self.arms.values())
        return {
            "reference": self.reference,
            "claims": rows_of(verdicts),
            "claims_left_out": [name for name in self.study.expect if name not in set(verdicts["claim"])],
            "answer": answer(self.study.question, verdicts, frames["comparison"], self.reference, patients),
        }

    @property
    def _itself(self) -> str | None:
        scenario = self.study.scenario
        alike = [name for name, arm in scenario.arms.items() if arm.sha256 == scenario.sha256]
        return alike[0] if alike else None if scenario.arms else ONLY_ARM

    def _planned(self, said: Power | None) -> PowerQuestion | None:
        if said is None:
            return None
        names = said.arms or tuple(self.study.scenario.arms)[:2]
        # an arm of which all runs failed is not there
        if len(names) < 2 or not self.arms.keys() >= set(names):
            return None
        asked = PowerQuestion(said.endpoint, (names[0], names[1]), said.at, repeats=said.repeats, alpha=said.alpha)
        return replace(asked, sizes=said.sizes) if said.sizes else asked

    def adam(self) -> dict[str, pd.DataFrame]:
        """The ADaM data sets."""
        frames = self.frames()
        age = self.study.scenario.spec.patient.age
        return adam(self.study.name, self.arms, frames, self.own, self.plan, age_years=age)


def trial_in(folder: Folder) -> Trial | None:
    """The trial in a folder; None where the study there is no trial, or keeps no trajectories of its patients."""
    study = study_in(folder)
    if study.kind != "trial" or study.output.trajectory == "none":
        return None
    stored = read(folder.path)
    if not stored.parts["summary"]:
        return None
    frames = (_with_an_arm(frame) for frame in (stored.trajectory, stored.summary, stored.plan))
    trajectory, summary, plan = frames
    found = arms_of(trajectory, summary, plan)
    # in the order of the file, as the first is the reference: a plan begins with the arm of the first patient
    return Trial(study, plan, {name: found[name] for name in study.scenario.arms or found if name in found})


def _with_an_arm(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(arm=frame["arm"].astype(object).where(frame["arm"].notna(), ONLY_ARM))


def tables_of(folder: Folder) -> tuple[dict[str, pa.Table], Callable[[], dict[str, Any]]]:
    """The tables that the rows of a study allow, and what tells what the manifest says of them.

    A trial has them, and a sensitivity study ranks its parameters. What the points of a sweep have in common is no
    answer to anything, unless the file claims something of it; and its summary has a row for each run.
    """
    trial = trial_in(folder)
    if trial is None:
        tables, told = of_points(folder)
        return tables, lambda: told
    frames = trial.frames()
    tables = {name: table_from_frame(STUDY_TABLES[name], frame) for name, frame in frames.items()}
    return tables, lambda: trial.told(frames)


def frames_of(study: Study, names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """The tables of a trial that was finished, as far as it has them."""
    return {name: study.tables[name].to_pandas() for name in names if name in study.tables}


def export_adam(folder: Path) -> None:
    """Write the ADaM data sets of the trial in a folder, as Parquet and as CSV, into its folder `adam`.

    Raises
    ------
    UsageError
        If the trial keeps no trajectories of its patients.
    """
    trial = trial_in(Folder(folder))
    if trial is None:
        raise UsageError(f"{folder}: expected a trial that keeps trajectories: `output: {{trajectory: days}}` or `all`")
    try:
        (folder / ADAM).mkdir(exist_ok=True)
    except OSError as error:
        raise SimulationError(f"{folder / ADAM}: cannot be written to: {error.strerror or error}") from error
    with published_together(folder / ADAM) as write:
        for name, writer in adam_files(trial.adam()).items():
            write(name, writer)
