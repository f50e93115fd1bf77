"""Options that several verbs share."""

from __future__ import annotations

from typing import Annotated

import typer

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a value; the value is YAML. May be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Seed = Annotated[int | None, typer.Option(help="Seed of all random numbers.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads; the results have the same bits for any number.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace results that are there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print no progress.")]
Report = Annotated[bool, typer.Option("--report", help="Write report.html into the folder as well.")]
Strict = Annotated[bool, typer.Option("--strict", help="End with exit code 7 if a claim does not hold.")]
