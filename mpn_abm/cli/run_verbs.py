"""`run`, `inspect` and `bench`: what steps a marrow or reads what it left."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mpn_abm.cli.options import Json, Set


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the program."""
    app.command()(run)
    app.command()(inspect)
    app.command()(bench)


def run(
    file: Annotated[Path, typer.Argument(help="The scenario.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the results; runs/NAME unless said.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of all random numbers.")] = None,
    sets: Set = None,
    replicates: Annotated[int | None, typer.Option(min=1, help="Runs with different random numbers.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads; the results have the same bits for any number.")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that are there.")] = False,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print no progress.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what the run would take.")] = False,
) -> None:
    """Run a scenario and write its tables."""
    from mpn_abm.cli import running
    from mpn_abm.scenario.checks import never_happens
    from mpn_abm.scenario.scenario import load

    options = {"seed": seed, "replicates": replicates}
    said = {name: value for name, value in options.items() if value is not None}
    scenario = load(file, sets=sets or (), options=said)
    for line in () if quiet else never_happens(scenario.spec):
        print(line, file=sys.stderr)
    if dry_run:
        running.dry_run(scenario, as_json)
        return
    folder = out if out is not None else Path("runs") / scenario.spec.name
    running.run_and_write(scenario, folder, threads=threads, overwrite=overwrite, as_json=as_json, quiet=quiet)


def inspect(
    path: Annotated[Path, typer.Argument(help="The folder of a run, or one of its Parquet files.")],
    as_json: Json = False,
) -> None:
    """Say what a run or a table holds, and where it comes from."""
    from mpn_abm.cli import inspecting

    inspecting.inspect(path, as_json)


def bench(
    as_json: Json = False,
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the work.")] = False,
) -> None:
    """Measure this machine on the work that the documentation quotes."""
    from mpn_abm.cli import benching

    benching.bench(as_json=as_json, share=0.1 if quick else 1.0)
