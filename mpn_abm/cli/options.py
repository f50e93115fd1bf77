"""Options that several verbs share."""

from __future__ import annotations

from typing import Annotated

import typer

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a value; the value is YAML. May be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
