"""A trial that takes in more patients where those that it has do not tell the power that is asked.

Patients are drawn from a trial for as long as that is enough. Where it is not, new ones are simulated: as many as would
be, were the power what was found, and that again, up to `power.most_patients`. Those who were there stay who they are.
"""

from __future__ import annotations

from math import ceil
from pathlib import Path

import pandas as pd

from mpn_abm.analysis.power import counted_as_one
from mpn_abm.scenario.studies.blocks import TrialSpec
from mpn_abm.scenario.studies.study_file import StudyFile, load_study
from mpn_abm.studies.folder import Folder
from mpn_abm.studies.stored import read

# at least a quarter more, so that it comes to an end; at most four times, as what few patients tell is uncertain
LEAST_GROWTH, MOST_GROWTH = 1.25, 4.0


def as_large_as_there(study: StudyFile, folder: Folder) -> StudyFile:
    """The study with the patients that an earlier call has taken in for its power."""
    most = _most_patients(study)
    if most is None or not folder.is_study:
        return study
    there = int(folder.plan()["patient"].max()) + 1
    return _with_patients(study, there) if _patients(study) < there <= most else study


def enlarged(study: StudyFile, out: Path) -> StudyFile | None:
    """The study with more patients, where those in its folder do not tell a power that is asked; else None."""
    most = _most_patients(study)
    if most is None or _patients(study) >= most:
        return None
    done = read(out)
    # more of what fails tells nothing; once it is mended, --retry-failed goes on
    if done.facts["failed"] or "power" not in done.tables:
        return None
    table = done.tables["power"].to_pandas()
    open_sizes = table[~table["answered"].astype(bool)]
    if open_sizes.empty:
        return None
    return _with_patients(study, min(most, ceil(_patients(study) * _growth(open_sizes))))


def _growth(open_sizes: pd.DataFrame) -> float:
    """How many times the patients would be enough for the sizes that are not answered."""
    needed = open_sizes["patients_needed"].astype("float64").max()
    if pd.isna(needed):
        # nothing is known of how many would do
        return 2.0
    counted = counted_as_one(open_sizes[["patients", "patients_versus"]].iloc[0])
    return float(min(max(needed / counted, LEAST_GROWTH), MOST_GROWTH))


def _most_patients(study: StudyFile) -> int | None:
    spec = study.spec
    return spec.power.most_patients if isinstance(spec, TrialSpec) and spec.power is not None else None


def _patients(study: StudyFile) -> int:
    # with `most_patients` they are drawn, so their number is said
    return int(getattr(study.spec, "patients", None) or 0)


def _with_patients(study: StudyFile, patients: int) -> StudyFile:
    return load_study(study.to_yaml(), overrides={"trial.patients": patients}, trusted=True)
