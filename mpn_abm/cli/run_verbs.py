"""`run`, `compare`, `inspect`, `diff`, `bench`, `dashboard`, and what tells whether they can be relied on here."""

from __future__ import annotations

import sys
from os.path import isdir, isfile  # false, too, where there cannot be such a path
from pathlib import Path
from typing import Annotated

import typer

from mpn_abm.cli.options import Json, Overwrite, Quiet, Report, Seed, Set, Strict, Threads
from mpn_abm.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the program."""
    app.command()(run)
    app.command()(compare)
    app.command()(inspect)
    app.command()(diff)
    app.command()(bench)
    app.command()(doctor)
    app.command()(selftest)
    app.command()(dashboard)


def run(
    file: Annotated[Path, typer.Argument(help="The scenario; or the folder of a study, with --run-id.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the results; runs/NAME unless said.")] = None,
    run_id: Annotated[str | None, typer.Option(help="The run of a study that is repeated, alone.")] = None,
    arm: Annotated[str | None, typer.Option(help="The arm that is run; the file itself unless said.")] = None,
    seed: Seed = None,
    sets: Set = None,
    replicates: Annotated[int | None, typer.Option(min=1, help="Runs with different random numbers.")] = None,
    threads: Threads = 1,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    strict: Strict = False,
    report: Report = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was broken off.")] = False,
    checkpoint_every_minutes: Annotated[
        float | None, typer.Option(help="Save the state of the run that often; unless said, when it is stopped.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what the run would take.")] = False,
) -> None:
    """Run a scenario, or one of its arms, write its tables and say which claims held."""
    from mpn_abm.cli import running
    from mpn_abm.scenario.checks import never_happens
    from mpn_abm.scenario.scenario import load

    if resume and overwrite:
        raise UsageError("--resume, --overwrite: expected one of them: go on with what is there, or begin anew")
    if checkpoint_every_minutes is not None and not checkpoint_every_minutes > 0.0:
        raise UsageError(f"--checkpoint-every-minutes {checkpoint_every_minutes:g}: expected more than 0")
    options = _said(seed=seed, replicates=replicates)
    if run_id is not None:
        from mpn_abm.studies.replay import scenario_of_run

        if arm is not None or options or sets:
            raise UsageError("--run-id: expected alone: it repeats a run as it was")
        scenario, name = scenario_of_run(file, run_id), run_id
    else:
        if isdir(file):
            raise UsageError(
                f"{file}: expected a scenario; a run of the study in a folder is repeated with --run-id ID"
            )
        scenario = load(file, sets=sets or (), options=options, arm=arm)
        name = _folder_name(scenario.spec.name, arm)
    for line in () if quiet else never_happens(scenario.spec):
        print(line, file=sys.stderr)
    if dry_run:
        running.dry_run(scenario, as_json)
        return
    if report:
        _refuse_without_what_a_report_needs()
    folder = out if out is not None else Path("runs") / name
    running.run_and_write(
        scenario, folder, threads=threads, overwrite=overwrite, as_json=as_json, quiet=quiet, strict=strict,
        report_of=file if report else None, resume=resume, every_minutes=checkpoint_every_minutes,
    )  # fmt: skip


def compare(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE|DIR...", help="A scenario with `arms:`; or folders of runs, the first to compare with."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the tables; of folders they are only printed unless said.")
    ] = None,
    seed: Seed = None,
    sets: Set = None,
    replicates: Annotated[int | None, typer.Option(min=1, help="Runs of each arm.")] = None,
    threads: Threads = 1,
    jobs: Annotated[int, typer.Option(min=1, help="Processes of one thread; the same bits for any number.")] = 1,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    strict: Strict = False,
    report: Report = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what the runs would take.")] = False,
) -> None:
    """Run all arms of a scenario with the same seeds, or take runs that are there, and say how they differ."""
    options = _said(seed=seed, replicates=replicates)
    if any(isdir(source) for source in sources) or len(sources) > 1:
        _refuse_what_is_no_folder(sources)
        if options or sets or report or dry_run or max(threads, jobs) > 1:
            raise UsageError(
                "--seed, --set, --replicates, --threads, --jobs, --report, --dry-run: expected with a scenario"
            )
        from mpn_abm.cli import comparing_folders

        comparing_folders.compare_folders(sources, out, overwrite=overwrite, as_json=as_json, strict=strict)
        return
    from mpn_abm.cli import comparing
    from mpn_abm.scenario.scenario import load

    scenario = load(sources[0], sets=sets or (), options=options)
    if dry_run:
        comparing.dry_run(scenario, as_json)
        return
    if out is None:
        raise UsageError("--out DIR: expected a folder for the tables")
    if report:
        _refuse_without_what_a_report_needs()
    comparing.compare_and_write(
        scenario, out, threads=threads, jobs=jobs, overwrite=overwrite, as_json=as_json, quiet=quiet, strict=strict,
        report_of=sources[0] if report else None,
    )  # fmt: skip


def _refuse_what_is_no_folder(sources: list[Path]) -> None:
    for source in sources:
        if isfile(source):
            raise UsageError(f"{source}: expected a folder beside others; a scenario is compared alone, arm by arm")


def _refuse_without_what_a_report_needs() -> None:
    """Before the work, not after it."""
    from mpn_abm.pictures.needs import need

    for module in ("matplotlib", "jinja2"):
        need(module, "plot")


def _said(**options: int | None) -> dict[str, int]:
    return {name: value for name, value in options.items() if value is not None}


def _folder_name(scenario: str, arm: str | None) -> str:
    return scenario if arm is None else f"{scenario}-{arm}"


def inspect(
    path: Annotated[Path, typer.Argument(help="The folder of a run, or one of its Parquet files.")],
    as_json: Json = False,
) -> None:
    """Say what a run or a table holds, and where it comes from."""
    from mpn_abm.cli import inspecting

    inspecting.inspect(path, as_json)


def diff(
    first: Annotated[Path, typer.Argument(help="The folder of a run.")],
    second: Annotated[Path, typer.Argument(help="The folder of another one.")],
    as_json: Json = False,
) -> None:
    """Say which values of two runs differ, and the first day and column at which their results part."""
    from mpn_abm.cli import diffing

    diffing.diff(first, second, as_json)


def bench(
    as_json: Json = False,
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the work.")] = False,
) -> None:
    """Measure this machine on the work that the documentation quotes."""
    from mpn_abm.cli import benching

    benching.bench(as_json=as_json, share=0.1 if quick else 1.0)


def doctor(as_json: Json = False) -> None:
    """Say what this machine offers, and what stands in the way; ends with exit code 1 if something does."""
    from mpn_abm.cli import trusting

    trusting.doctor(as_json)


def selftest(as_json: Json = False) -> None:
    """See within a minute whether the program does here what it must: closed forms, the same bits, whole tables."""
    from mpn_abm.cli import trusting

    trusting.selftest(as_json)


def dashboard(
    path: Annotated[Path, typer.Argument(metavar="FILE|RUN", help="A scenario, or the folder of a run.")],
    arm: Annotated[str | None, typer.Option(help="The arm that is shown; the file itself unless said.")] = None,
    sets: Set = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8765,
    host: Annotated[
        str, typer.Option(help="Address to listen on; beyond loopback the page asks for a token.")
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(envvar="MPN_ABM_TOKEN", help="The token that the page asks for; made up where one is needed."),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
) -> None:
    """Watch and treat a live marrow in a browser, and save what was done as a scenario."""
    from mpn_abm.cli import dashboarding

    dashboarding.dashboard(path, arm=arm, sets=sets or [], host=host, port=port, token=token, browser=browser)
