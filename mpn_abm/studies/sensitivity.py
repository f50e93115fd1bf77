"""Which parameters matter: run a sensitivity study, or look at a study that is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from mpn_abm.errors import SimulationError, UsageError
from mpn_abm.files import published_together
from mpn_abm.studies.folder import PLAN, write_table
from mpn_abm.studies.progress import Watcher
from mpn_abm.studies.running import Source, of_kind, run_study
from mpn_abm.studies.sensing import Findings, analysed
from mpn_abm.studies.stored import read
from mpn_abm.studies.study import Study


def sensitivity(
    source: Source,
    *,
    out: str | PathLike[str] | None = None,
    endpoints: Sequence[str] = (),
    at_days: Sequence[float] = (),
    overrides: Mapping[str, Any] | None = None,
    jobs: int = 1,
    executor: str = "local",
    scheduler: str | None = None,
    slurm: Mapping[str, Any] | None = None,
    retry_failed: bool = False,
    overwrite: bool = False,
    progress: Watcher | None = None,
) -> Study:
    """Rank parameters by what they do to endpoints.

    Parameters
    ----------
    source : path, text or mapping
        A study file with `sensitivity:`, which is run; or the folder of a sweep or a sensitivity study that is done.
    out : path, optional
        The folder of the study; of one that is there already, where its tables are written besides.
    endpoints : sequence of str
        Of a folder: built-in endpoints, those of the file, columns of trajectory or summary; those of the study
        unless said.
    at_days : sequence of float
        Of a folder: the days; those of the study unless said, else the last of each run.
    overrides, jobs, executor, scheduler, slurm, retry_failed, overwrite, progress
        As of ``sweep``.

    Returns
    -------
    Study
        With ``indices`` and ``noise``.

    Raises
    ------
    UsageError
        If the runs have not what is asked, or SALib is needed and not installed.
    ScenarioError, OutputExistsError, SimulationError
        As ``sweep``.
    """
    if isinstance(source, str | PathLike) and is_folder(source):
        return with_tables(read(source), analysed(Path(source), endpoints, at_days), out)
    if endpoints or at_days:
        raise UsageError("endpoints and days: expected of a study that is done; a file says its own")
    if out is None:
        raise UsageError("out: expected the folder of the study")
    return run_study(
        of_kind("sensitivity", source, overrides), out, jobs=jobs, executor=executor, scheduler=scheduler,
        slurm=slurm, retry_failed=retry_failed, overwrite=overwrite, progress=progress,
    )  # fmt: skip


def is_folder(source: str | PathLike[str]) -> bool:
    """Whether a path is a folder, of a study or not."""
    try:
        return Path(source).is_dir()
    except (OSError, ValueError):
        return False


def with_tables(study: Study, findings: Findings, out: str | PathLike[str] | None) -> Study:
    """A study with the tables of what was found, which are written if there is a place for them."""
    tables = findings.tables
    if out is not None:
        place = Path(out)
        if (place / PLAN).exists():
            raise UsageError(f"{place}: is the folder of a study; expected one for the tables alone")
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SimulationError(f"{place}: cannot be written to: {error.strerror or error}") from error
        with published_together(place) as write:
            for name, table in tables.items():
                write_table(write, name, table, study.provenance)
    return replace(study, tables={**study.tables, **tables})
