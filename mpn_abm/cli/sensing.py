"""What `sensitivity` prints: ranked parameters, and how much is chance."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from mpn_abm.analysis.claims import rows_of
from mpn_abm.analysis.sensitivity.ranking import HEAD, lines, rows
from mpn_abm.errors import UsageError
from mpn_abm.studies.sensing import Findings, analysed
from mpn_abm.studies.sensitivity import with_tables
from mpn_abm.studies.stored import read

WIDTH, LONGEST_SOURCE = 120, 30


def print_rows(head: Sequence[str], listed: Iterable[Sequence[str]]) -> None:
    """Print a table of texts."""
    table = Table(show_edge=False, pad_edge=False, box=SIMPLE)
    for name in head:
        table.add_column(name, no_wrap=name in ("parameter", "target"))
    for row in listed:
        table.add_row(*row)
    Console(file=sys.stdout, width=WIDTH, highlight=False).print(table)


def print_findings(findings: Findings) -> None:
    """Print the table and the sentences of each endpoint."""
    for one in findings.found:
        if one.only is not None:
            print(f"{one.title}: {one.only:g} in all runs: there is nothing that parameters could explain")
            continue
        title, *rest = lines(one.ranks)
        print(title.replace(one.ranks.endpoint, one.title, 1))
        print_rows(HEAD, (_short(row) for row in rows(one.ranks)))
        print(*(f"  {line}" for line in rest), sep="\n")
    if findings.left_out:
        print(f"left out, as they do not vary or are no numbers: {', '.join(findings.left_out)}")
    for why in findings.missing:
        print(f"not known: {why}")


def _short(row: tuple[str, ...]) -> tuple[str, ...]:
    """The row with the beginning of a long source."""
    source = row[2] if len(row[2]) <= LONGEST_SOURCE else f"{row[2][: LONGEST_SOURCE - 3]}..."
    return (*row[:2], source, *row[3:])


def tell_folder(folder: Path, out: Path | None, endpoints: Sequence[str], days: Sequence[float], as_json: bool) -> None:
    """Rank the parameters of a study that is done; its tables are written where that is asked."""
    study, findings = read(folder), analysed(folder, endpoints, days)
    with_tables(study, findings, out)
    if as_json:
        print(json.dumps({name: rows_of(frame) for name, frame in findings.frames.items()}))
        return
    print_findings(findings)
    if out is not None:
        print(f"tables in {out}")


def refuse_options_of_files(folder: Path, asked: Mapping[str, object]) -> None:
    """See that nothing is asked of runs that are done; `asked` are options by name, and whether they were said."""
    said = [name for name, value in asked.items() if value]
    if said:
        told = f"{folder} is a study whose runs are done, which cannot be run otherwise; expected a study file"
        raise UsageError(f"{', '.join(said)}: {told}")


def refuse_options_of_folders(endpoints: Sequence[str] | None, days: Sequence[float] | None) -> None:
    """See that a file is not asked what it says itself."""
    if endpoints or days:
        raise UsageError("--endpoint, --at-day: expected with the folder of a study that is done; a file says its own")
