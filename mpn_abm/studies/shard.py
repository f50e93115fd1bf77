"""Carry out a shard of a study: its runs, and the parts of the tables that they leave."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mpn_abm.files import parquet
from mpn_abm.scenario.studies.study_file import StudyFile, load_study
from mpn_abm.simulate import peak_memory_mb
from mpn_abm.studies.failures import WorkerDied, failures_table
from mpn_abm.studies.folder import STUDY, Folder, parts_together, without_parts
from mpn_abm.studies.harvesting import run_rows
from mpn_abm.studies.identity import in_plan_order, put_together
from mpn_abm.studies.outcome import Outcome
from mpn_abm.studies.part_tables import empty_tables, part_tables

__all__ = ["Outcome", "carry_out", "give_up"]


def carry_out(folder: str, shard: int, retry_failed: bool = False) -> Outcome:
    """Run a shard of the study in a folder and write its parts; what is done is not done again.

    Parameters
    ----------
    folder : path
    shard : int
        As the plan numbers them.
    retry_failed : bool
        Whether runs of it that failed before are run again.

    Raises
    ------
    SimulationError
        If the parts cannot be written; a run that fails is a row of failures instead.
    """
    start = time.perf_counter()
    place = Folder(Path(folder))
    (study, empty), plan = _loaded(place), place.plan_of(shard)
    todo, kept = plan, {}
    if place.is_done(shard, len(plan)):
        failed = _failed(place, shard)
        if not (failed and retry_failed):
            return Outcome(shard, len(plan) - len(failed), len(failed), 0.0, peak_memory_mb())
        todo = plan[plan["run_id"].isin(failed)].reset_index(drop=True)
        kept = _kept(place, shard)
    made = run_rows(study, todo)
    tables = part_tables(study, empty, todo, made)
    for name, table in kept.items():
        whole = put_together([table, tables[name]]) if name in tables else table
        tables[name] = in_plan_order(whole, plan)
    _publish(place, shard, len(plan), tables, failures_table(folder, todo, made.failures))
    seconds = time.perf_counter() - start
    well, spent = len(plan) - len(made.failures), made.harvest.spent
    return Outcome(
        shard, well, len(made.failures), seconds, peak_memory_mb(), spent.seconds, spent.candidates, spent.events
    )


def give_up(folder: str, shard: int, why: str) -> Outcome:
    """Report all runs of a shard as failed, after what carried it out died twice."""
    place = Folder(Path(folder))
    plan = place.plan_of(shard)
    failed = failures_table(folder, plan, [(k, WorkerDied(why)) for k in range(len(plan))])
    without_parts(place, shard, ("summary", "trajectory"))
    _publish(place, shard, len(plan), {}, failed)
    return Outcome(shard, 0, len(plan), 0.0, 0.0)


def study_in(place: Folder) -> StudyFile:
    """The study of a folder, checked when it was begun."""
    return _loaded(place)[0]


def _loaded(place: Folder) -> tuple[StudyFile, dict[str, pa.Table]]:
    """The study of a folder with the columns of its tables, read once as long as its file stays the same."""
    file = place.path / STUDY
    stat = file.stat()
    return _loaded_once(str(file), stat.st_ino, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1)
def _loaded_once(file: str, *_version: int) -> tuple[StudyFile, dict[str, pa.Table]]:
    study = load_study(file, trusted=True)
    return study, empty_tables(study)


def _failed(place: Folder, shard: int) -> list[str]:
    """The runs of a shard that failed."""
    file = place.part("failures", shard)
    return pq.ParquetFile(file).read(["run_id"]).column(0).to_pylist() if file.exists() else []


def _kept(place: Folder, shard: int) -> dict[str, pa.Table]:
    """The rows that are there of the runs that went well."""
    files = {name: place.part(name, shard) for name in ("trajectory", "summary")}
    return {name: pq.ParquetFile(file).read() for name, file in files.items() if file.exists()}


def _publish(place: Folder, shard: int, runs: int, tables: Mapping[str, pa.Table], failures: pa.Table) -> None:
    """Put the parts in place; until that is done the shard counts as not done."""
    without_parts(place, shard, ("summary",))
    in_order = {name: tables[name] for name in ("trajectory",) if name in tables}
    if failures.num_rows:
        in_order["failures"] = failures
    else:
        without_parts(place, shard, ("failures",))
    in_order |= {name: tables[name] for name in ("summary",) if name in tables}
    said = place.provenance
    parts_together(place, shard, {name: parquet(table, said, runs) for name, table in in_order.items()})


if __name__ == "__main__":
    from mpn_abm.studies.executors.slurm_task import main

    sys.exit(main())
