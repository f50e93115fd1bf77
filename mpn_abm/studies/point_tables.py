"""The tables of a whole sweep or sensitivity study: claims on its runs, and the ranks of its parameters."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from mpn_abm.analysis.claims import judged, rows_of
from mpn_abm.analysis.tables import with_headlines
from mpn_abm.columns import STUDY_TABLES
from mpn_abm.scenario.claim_columns import refuse_missing_columns
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.studies.folder import Folder
from mpn_abm.studies.run_patients import Runs, claimed_patients
from mpn_abm.studies.sensing import analysed
from mpn_abm.studies.shard import study_in
from mpn_abm.tables import table_from_frame


def of_points(folder: Folder) -> tuple[dict[str, pa.Table], dict[str, Any]]:
    """The tables, and what the manifest says of them; for claims each run counts as a patient."""
    study = study_in(folder)
    tables: dict[str, pa.Table] = {}
    told: dict[str, Any] = {}
    if study.kind == "sensitivity":
        found = analysed(folder.path, strict=False)
        tables |= found.tables
        told = {"parameters_left_out": found.left_out, "endpoints_left_out": found.missing}
    if study.kind in ("sweep", "sensitivity") and study.expect:
        claims, more = _claims(folder, study)
        tables |= claims
        told |= more
    return tables, told


def _claims(folder: Folder, study: StudyFile) -> tuple[dict[str, pa.Table], dict[str, Any]]:
    runs, own = Runs(folder.path), with_headlines(study.endpoints)
    arms = claimed_patients(runs, study)
    if not arms:
        return {}, {"claims": [], "claims_left_out": list(study.expect)}
    columns = {str(name) for patients in arms.values() for name in patients.table.columns}
    refuse_missing_columns(study.expect, own, columns, study.name)
    reference = study.scenario.comparison.reference or next(name for name in arms if name or len(arms) == 1)
    verdicts = judged(study.expect, own, arms, reference)
    left_out = [name for name in study.expect if name not in set(verdicts["claim"])]
    return (
        {"claims": table_from_frame(STUDY_TABLES["claims"], verdicts)},
        {"claims": rows_of(verdicts), "claims_left_out": left_out},
    )
