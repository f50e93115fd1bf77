"""The tables of a whole study, from the parts that its runs left: endpoints, survival, comparison, claims."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from mpn_abm.analysis.answer import answer
from mpn_abm.analysis.claims import judged, rows_of
from mpn_abm.analysis.headlines import headline_days, patients_of
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.tables import compared, details, event_times, with_headlines
from mpn_abm.columns import STUDY_TABLES
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.studies.folder import Folder
from mpn_abm.studies.stored import read
from mpn_abm.tables import table_from_frame


def tables_of(study: StudyFile, folder: Folder) -> tuple[dict[str, pa.Table], dict[str, Any]]:
    """The tables that the rows of a study allow, and what the manifest says of them.

    A trial has them, if it keeps the trajectories of its patients; of a sweep, what its points have in common is no
    answer to anything, and its summary has a row for each run.
    """
    if study.kind != "trial" or study.output.trajectory == "none":
        return {}, {}
    stored = read(folder.path)
    if not stored.parts["summary"]:
        return {}, {}
    own, claims = with_headlines(study.endpoints), study.expect
    arms = _by_arm(stored.trajectory, stored.summary)
    known = [name for name in study.scenario.arms or [None] if name in arms]
    patients: dict[Any, Patients] = {name: arms[name] for name in known}
    said = study.scenario.comparison.reference
    reference: Any = said if said in patients else next(iter(patients))
    days = sorted({*getattr(study.spec, "at", ())})
    asked = [*days, None] if days else headline_days(patients, study.scenario.spec.time.step)
    verdicts = judged(claims, own, patients, reference)
    comparison = compared(patients, own, claims, asked, reference)
    frames = {
        "endpoints": details(patients, own, claims, asked),
        "survival": event_times(patients, own, claims),
        "comparison": comparison,
        "claims": verdicts,
    }
    tables = {name: table_from_frame(STUDY_TABLES[name], frame) for name, frame in frames.items()}
    replicates = max(len(one) for one in patients.values())
    told = {
        "reference": reference,
        "claims": rows_of(verdicts),
        "claims_left_out": [name for name in claims if name not in set(verdicts["claim"])],
        "answer": answer(study.question, verdicts, comparison, reference, replicates),
    }
    return tables, told


def _by_arm(trajectory: pd.DataFrame, summary: pd.DataFrame) -> dict[str | None, Patients]:
    whose = summary.groupby("arm", sort=False, dropna=False)
    rows = {_name(arm): part for arm, part in trajectory.groupby("arm", sort=False, dropna=False)}
    return {_name(arm): patients_of(rows[_name(arm)], part) for arm, part in whose}


def _name(arm: Any) -> str | None:
    return None if pd.isna(arm) else str(arm)
