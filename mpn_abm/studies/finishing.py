"""The end of a study: its whole tables and manifest.json."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from mpn_abm.files import digest_of
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.simulate import peak_memory_mb
from mpn_abm.studies.folder import MANIFEST, STUDY, Folder, publish_manifest, publish_tables
from mpn_abm.studies.identity import in_plan_order, put_together
from mpn_abm.studies.progress import Tally
from mpn_abm.studies.stored import read
from mpn_abm.studies.study_tables import tables_of


def is_finished(folder: Folder, plan: pd.DataFrame) -> bool:
    """Whether the tables of the whole study are those of its file and its plan."""
    manifest, study = folder.path / MANIFEST, folder.path / STUDY
    if not manifest.is_file() or manifest.stat().st_mtime_ns < study.stat().st_mtime_ns:
        return False
    return read(folder.path).facts.get("runs") == len(plan)


def finished(folder: Folder, study: StudyFile, plan: pd.DataFrame, wall_seconds: float, tally: Tally) -> None:
    """Write the tables of the whole study, and manifest.json last."""
    folder = Folder(folder.path)
    stored = read(folder.path)
    tables, tell = tables_of(folder)
    # words about the tables come after them: whatever is wrong with the words, the tables are there
    publish_tables(folder, tables)
    facts = {
        "out": str(folder.path),
        "status": "failures" if tally.failed else "done",
        "name": study.name,
        "question": study.question,
        "kind": study.kind,
        "runs": tally.total,
        "failed": tally.failed,
        "arms": {name: arm.sha256 for name, arm in study.scenario.arms.items()},
        "seed": study.scenario.spec.seed,
        "scenario_sha256": study.scenario.sha256,
        "trajectory_sha256": _digest(stored.parts["trajectory"], plan),
        "summary_sha256": _digest(stored.parts["summary"], plan),
        "wall_seconds": wall_seconds,
        # of what stepped the runs; where nothing was left to do, of this process
        "peak_memory_mb": tally.peak_memory_mb or peak_memory_mb(),
        **tell(),
    }
    publish_manifest(folder, facts)


def _digest(parts: list[pa.Table], plan: pd.DataFrame) -> str | None:
    """Of the rows in the order of the plan; None where there are none."""
    return digest_of(in_plan_order(put_together(parts), plan)) if parts else None
