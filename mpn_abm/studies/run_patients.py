"""The runs of a sweep as patients, so that endpoints and claims can be asked of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mpn_abm.analysis.headlines import patients_of
from mpn_abm.analysis.patients import Patients
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.studies.identity import paths_of
from mpn_abm.studies.stored import read


class Runs:
    """The runs of a study in a folder, by arm; None is the file itself.

    Run `replicate` of point `patient` is patient number `patient * replicates + replicate`, the same in all arms.
    """

    def __init__(self, folder: Path) -> None:
        stored = read(folder)
        plan = stored.plan
        self._replicates = int(plan["replicate"].max()) + 1
        self.paths = paths_of(plan)
        self.plan = self._numbered(plan)
        self.arms: list[str | None] = [None if pd.isna(arm) else str(arm) for arm in pd.unique(plan["arm"])]
        self.summary = self._numbered(stored.summary) if stored.parts["summary"] else pd.DataFrame({"arm": []})
        self.trajectory = self._numbered(stored.trajectory) if stored.parts["trajectory"] else None

    def _numbered(self, frame: pd.DataFrame) -> pd.DataFrame:
        """With the number of the run as `run`."""
        return frame.assign(run=frame["patient"] * self._replicates + frame["replicate"])

    def of(self, frame: pd.DataFrame, arm: str | None) -> pd.DataFrame:
        """The rows of an arm."""
        return frame[frame["arm"].isna() if arm is None else frame["arm"] == arm]

    def patients(self, arm: str | None, with_paths: bool = False) -> Patients | None:
        """The runs of an arm as patients; None where no rows of them are kept.

        With paths, what was set at each is a column of the rows, with which an endpoint can be ranked.
        """
        if self.trajectory is None:
            return None
        rows, summary = (self.of(frame, arm) for frame in (self.trajectory, self.summary))
        if rows.empty:
            return None
        if with_paths:
            beside = self.of(self.plan, arm)[["run", *(path for path in self.paths if path not in rows)]]
            rows = rows.merge(beside, on="run", how="left")
        return patients_of(rows.assign(patient=rows["run"]), summary.assign(patient=summary["run"]))


def arm_itself(study: StudyFile) -> str | None:
    """The arm that is the file without changes; None where there is none, or no arms."""
    alike = [name for name, arm in study.scenario.arms.items() if arm.sha256 == study.scenario.sha256]
    return alike[0] if alike else None


def claimed_patients(runs: Runs, study: StudyFile) -> dict[str | None, Patients]:
    """Those of each arm that claims can be about; a claim that names no arm is on the file itself."""
    found = {arm: runs.patients(arm, with_paths=True) for arm in runs.arms}
    there = {arm: patients for arm, patients in found.items() if patients is not None}
    itself = arm_itself(study)
    return there | {None: there[itself]} if itself in there else there
