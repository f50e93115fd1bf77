"""`sweep`, `trial`, `sensitivity` and `calibrate`: studies of many runs, how far they are, and what failed."""

from __future__ import annotations

from enum import StrEnum
from os.path import isdir
from pathlib import Path
from typing import Annotated

import typer

from mpn_abm.cli.options import Json, Overwrite, Quiet, Set, Strict


class Export(StrEnum):
    """Formats in which others want the tables of a trial."""

    adam = "adam"


class Executor(StrEnum):
    """Who works on a study."""

    local = "local"
    dask = "dask"
    slurm = "slurm"


File = Annotated[Path, typer.Argument(help="The study.")]
Out = Annotated[Path | None, typer.Option(help="Folder of the study; a second call with it goes on.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a study.")]
Jobs = Annotated[
    int | None, typer.Option(min=1, help="Processes, or tasks at a time; the tables have the same bits for any number.")
]
By = Annotated[Executor | None, typer.Option(help="Processes here, a Dask cluster, or an array job of SLURM.")]
Scheduler = Annotated[str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler that is there already.")]
ProfileFile = Annotated[Path | None, typer.Option("--profile", help="A machine's options: executor, jobs, slurm.")]
Retry = Annotated[bool, typer.Option("--retry-failed", help="Run again what failed before.")]
ExportTo = Annotated[Export | None, typer.Option("--export", help="Also write ADSL, ADTTE, ADEFF (CDISC ADaM).")]
Endpoints = Annotated[
    list[str] | None,
    typer.Option("--endpoint", metavar="NAME", help="Of a folder: what is asked; may be repeated."),
]
Days = Annotated[
    list[float] | None,
    typer.Option("--at-day", metavar="DAY", help="Of a folder: when; the last day of each run unless said."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Run three samples and say what the study will take.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the program."""
    group = typer.Typer(help="Run the points of a sweep, and see how far a study is.", no_args_is_help=True)
    group.command("run")(sweep_run)
    group.command("status")(status)
    group.command("errors")(errors)
    app.add_typer(group, name="sweep")
    app.command()(trial)
    app.command()(sensitivity)
    app.command()(calibrate)


def sweep_run(
    file: File,
    out: Out = None,
    jobs: Jobs = None,
    executor: By = None,
    scheduler: Scheduler = None,
    sets: Set = None,
    profile: ProfileFile = None,
    retry_failed: Retry = False,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    strict: Strict = False,
) -> None:
    """Run the points of a sweep; a second call does what is missing."""
    from mpn_abm.cli import studying

    machine = studying.machine_of(profile, executor, jobs, scheduler)
    studying.run_file(
        file, out, "sweep", machine, sets=sets or (), retry_failed=retry_failed, overwrite=overwrite,
        dry_run=dry_run, as_json=as_json, quiet=quiet, strict=strict,
    )  # fmt: skip


def trial(
    file: File,
    out: Out = None,
    jobs: Jobs = None,
    executor: By = None,
    scheduler: Scheduler = None,
    sets: Set = None,
    profile: ProfileFile = None,
    retry_failed: Retry = False,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    strict: Strict = False,
    export: ExportTo = None,
) -> None:
    """Run the patients of a virtual trial and compare its arms; a second call does what is missing."""
    from mpn_abm.cli import studying

    machine = studying.machine_of(profile, executor, jobs, scheduler)
    studying.run_file(
        file, out, "trial", machine, sets=sets or (), retry_failed=retry_failed, overwrite=overwrite,
        dry_run=dry_run, as_json=as_json, quiet=quiet, strict=strict, export=export,
    )  # fmt: skip


def sensitivity(
    source: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="The study; or the folder of one that is done.")],
    out: Out = None,
    endpoints: Endpoints = None,
    days: Days = None,
    jobs: Jobs = None,
    executor: By = None,
    scheduler: Scheduler = None,
    sets: Set = None,
    profile: ProfileFile = None,
    retry_failed: Retry = False,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    strict: Strict = False,
) -> None:
    """Say which parameters endpoints depend on, and how much is chance: of a study, or of a folder that is there."""
    from mpn_abm.cli import sensing, studying

    if isdir(source):
        asked = {
            "--set": sets, "--jobs": jobs, "--executor": executor, "--scheduler": scheduler, "--profile": profile,
            "--retry-failed": retry_failed, "--overwrite": overwrite, "--dry-run": dry_run, "--strict": strict,
        }  # fmt: skip
        sensing.refuse_options_of_files(source, asked)
        sensing.tell_folder(source, out, endpoints or [], days or [], as_json)
        return
    sensing.refuse_options_of_folders(endpoints, days)
    machine = studying.machine_of(profile, executor, jobs, scheduler)
    studying.run_file(
        source, out, "sensitivity", machine, sets=sets or (), retry_failed=retry_failed, overwrite=overwrite,
        dry_run=dry_run, as_json=as_json, quiet=quiet, strict=strict,
    )  # fmt: skip


def calibrate(
    file: File,
    out: Out = None,
    jobs: Jobs = None,
    executor: By = None,
    scheduler: Scheduler = None,
    sets: Set = None,
    profile: ProfileFile = None,
    retry_failed: Retry = False,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    strict: Strict = False,
) -> None:
    """Find the parameters with which the model shows what was seen; a second call goes on."""
    from mpn_abm.cli import calibrating, studying

    machine = studying.machine_of(profile, executor, jobs, scheduler)
    calibrating.run_file(
        file, out, machine, sets=sets or (), retry_failed=retry_failed, overwrite=overwrite, dry_run=dry_run,
        as_json=as_json, quiet=quiet, strict=strict,
    )  # fmt: skip


def status(folder: Folder, as_json: Json = False) -> None:
    """Say how far the study in a folder is; it may be running elsewhere."""
    from mpn_abm.cli import studying

    studying.tell_status(folder, as_json)


def errors(folder: Folder, as_json: Json = False) -> None:
    """List the runs of a study that failed, each with the command that repeats it."""
    from mpn_abm.cli import studying

    studying.tell_errors(folder, as_json)
