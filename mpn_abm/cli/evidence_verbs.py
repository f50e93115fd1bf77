"""`evidence`: how many published figures the model shows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mpn_abm.cli.options import Json, Quiet
from mpn_abm.cli.study_verbs import By, Jobs, ProfileFile, Scheduler

Targets = Annotated[
    list[Path] | None,
    typer.Option("--targets", metavar="FILE", help="A file of targets; may be repeated. Those shipped unless said."),
]
Small = Annotated[bool, typer.Option("--quick", help="Small experiments: minutes, and wider intervals.")]
Out = Annotated[Path, typer.Option(help="Folder of the score and its experiments; a second call goes on.")]
Only = Annotated[
    list[str] | None, typer.Option("--only", metavar="ID", help="A target or an experiment; may be repeated.")
]
Strict = Annotated[bool, typer.Option("--strict", help="End with exit code 7 if a target that counts is missed.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the program."""
    app.command()(evidence)


def evidence(
    targets: Targets = None,
    quick: Small = False,
    out: Out = Path("runs/evidence"),
    jobs: Jobs = None,
    executor: By = None,
    scheduler: Scheduler = None,
    profile: ProfileFile = None,
    only: Only = None,
    as_json: Json = False,
    quiet: Quiet = False,
    strict: Strict = False,
) -> None:
    """Run virtual experiments and score the model against published figures; a second call does what is missing."""
    from mpn_abm.cli import scoring, studying

    machine = studying.machine_of(profile, executor, jobs, scheduler)
    scoring.tell_score(
        targets, out, quick=quick, machine=machine, only=only or (), as_json=as_json, quiet=quiet, strict=strict
    )
