"""Carry out a study: plan, folder, the shards that are missing, tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from os import PathLike
from typing import Any

import pandas as pd

from mpn_abm.errors import UsageError
from mpn_abm.scenario.studies.study_file import StudyFile, load_study
from mpn_abm.studies.enlarging import as_large_as_there, enlarged
from mpn_abm.studies.executors.options import Options
from mpn_abm.studies.finishing import finished, is_finished
from mpn_abm.studies.folder import Folder, path_of, runs_of
from mpn_abm.studies.opening import opened
from mpn_abm.studies.progress import Tally, Watcher
from mpn_abm.studies.stored import read
from mpn_abm.studies.study import Study

EXECUTORS = ("local", "dask", "slurm")
Source = str | PathLike[str] | Mapping[str, Any]


def sweep(
    source: Source,
    *,
    out: str | PathLike[str],
    overrides: Mapping[str, Any] | None = None,
    jobs: int = 1,
    executor: str = "local",
    scheduler: str | None = None,
    slurm: Mapping[str, Any] | None = None,
    retry_failed: bool = False,
    overwrite: bool = False,
    progress: Watcher | None = None,
) -> Study:
    """Run the points of a sweep; a second call with the same folder does what is missing.

    Parameters
    ----------
    source : path, text or mapping
        A study file with `sweep:`.
    out : path
        The folder of the study.
    overrides : mapping, optional
        Values by path, over those of the file.
    jobs : int
        Processes, or tasks at a time. The tables have the same bits for any number and any executor.
    executor : "local", "dask" or "slurm"
        Processes of this machine, a Dask cluster, or an array job of SLURM.
    scheduler : str, optional
        Address of a Dask scheduler that is there already.
    slurm : mapping, optional
        partition, account, time_minutes, memory_mb, setup.
    retry_failed : bool
        Whether runs that failed before are run again.
    overwrite : bool
        Whether another study in the folder makes way.
    progress : callable, optional
        Told a ``Standing`` after each part.

    Returns
    -------
    Study
        Its tables are read when they are asked for.

    Raises
    ------
    ScenarioError
        If the study is wrong; carries all of its problems.
    OutputExistsError
        If something else is in the folder, or another run works on it.
    SimulationError
        If the folder cannot be written to. A run that fails is a row of ``failures`` instead.
    """
    study = of_kind("sweep", source, overrides)
    return run_study(
        study, out, jobs=jobs, executor=executor, scheduler=scheduler, slurm=slurm,
        retry_failed=retry_failed, overwrite=overwrite, progress=progress,
    )  # fmt: skip


def trial(
    source: Source,
    *,
    out: str | PathLike[str],
    overrides: Mapping[str, Any] | None = None,
    jobs: int = 1,
    executor: str = "local",
    scheduler: str | None = None,
    slurm: Mapping[str, Any] | None = None,
    retry_failed: bool = False,
    overwrite: bool = False,
    progress: Watcher | None = None,
) -> Study:
    """Run the patients of a virtual trial; arguments, result and errors are those of ``sweep``."""
    study = of_kind("trial", source, overrides)
    return run_study(
        study, out, jobs=jobs, executor=executor, scheduler=scheduler, slurm=slurm,
        retry_failed=retry_failed, overwrite=overwrite, progress=progress,
    )  # fmt: skip


def of_kind(kind: str, source: Source, overrides: Mapping[str, Any] | None) -> StudyFile:
    """The study of a file, which is of this kind."""
    study = load_study(source, overrides=overrides)
    refuse_other_kinds(study, kind)
    return study


def refuse_other_kinds(study: StudyFile, *kinds: str) -> None:
    """See that a study is what was asked for."""
    if study.kind not in kinds:
        expected = " or ".join(f"`{kind}:`" for kind in kinds)
        told = f"expected a study with {expected}, this one has `{study.kind}:`"
        verb = {"sweep": "sweep run"}.get(study.kind, study.kind)
        file = study.document.tree.value[study.kind].origin.file
        raise UsageError(f"{file}: {told}, which `mpn-abm {verb}` runs")


def run_study(
    study: StudyFile,
    out: str | PathLike[str],
    *,
    jobs: int = 1,
    executor: str = "local",
    scheduler: str | None = None,
    slurm: Mapping[str, Any] | None = None,
    retry_failed: bool = False,
    overwrite: bool = False,
    progress: Watcher | None = None,
) -> Study:
    """Run a study that was loaded; as ``sweep``."""
    if executor not in EXECUTORS:
        raise UsageError(f"executor: {executor!r}: expected one of {', '.join(EXECUTORS)}")
    start = time.perf_counter()
    folder = Folder(path_of(out, "out"))
    options = Options(jobs, scheduler, slurm or {}, retry_failed)
    work: Callable[..., Any] = import_module(f"mpn_abm.studies.executors.{executor}").work

    def carried_out(study: StudyFile, overwrite: bool, options: Options) -> None:
        plan = opened(folder, study, overwrite)
        todo = Todo.of(folder, plan, options.retry_failed)
        tally = Tally(len(plan), todo.done, todo.failed, progress)
        if todo.shards:
            work(str(out), todo.shards, options, tally.take)
        if todo.shards or not is_finished(folder, plan):
            finished(folder, study, plan, time.perf_counter() - start, tally)

    with folder.held():
        asked: StudyFile | None = study if overwrite else as_large_as_there(study, folder)
        while asked is not None:
            carried_out(asked, overwrite, options)
            asked = enlarged(asked, folder.path)
            overwrite, options = False, replace(options, retry_failed=False)
    return read(out)


@dataclass(frozen=True)
class Todo:
    """The shards that are missing, and the runs of the others: how many are done, how many of those failed."""

    shards: list[int]
    done: int
    failed: int

    @classmethod
    def of(cls, folder: Folder, plan: pd.DataFrame, retry_failed: bool) -> Todo:
        """What is left to do in a folder, whose orphans are taken away."""
        fresh = Folder(folder.path)
        runs = runs_of(plan)
        fresh.remove_orphans(runs)
        done, failed = fresh.done(runs), fresh.failed_by_shard()
        again = done & failed.keys() if retry_failed else set()
        return cls(
            shards=sorted(runs.keys() - done | again),
            done=sum(runs[shard] for shard in done - again),
            failed=sum(failed.get(shard, 0) for shard in done - again),
        )
