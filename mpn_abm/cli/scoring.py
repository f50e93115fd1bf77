"""What `evidence` does and prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from mpn_abm.analysis.claims import rows_of
from mpn_abm.cli.studying import Machine
from mpn_abm.cli.watching import stoppable, watching
from mpn_abm.errors import ClaimError
from mpn_abm.evidence import score
from mpn_abm.evidence.score import PAGE
from mpn_abm.studies.progress import Watcher

DRAWING = ("matplotlib", "jinja2")


def tell_score(
    targets: Sequence[Path] | None,
    out: Path,
    *,
    quick: bool,
    machine: Machine,
    only: Sequence[str],
    as_json: bool,
    quiet: bool,
    strict: bool,
) -> None:
    """Score, write, print."""
    told = f"stopped; what is done stays in {out}, and the same command goes on from there"
    with stoppable(told), ExitStack() as bars:

        def watch(name: str) -> Watcher | None:
            bars.close()
            return bars.enter_context(watching(name, quiet))

        found = score(targets, out=out, quick=quick, only=only, progress=watch, **asdict(machine))
    found.write(out)
    _write_page(out)
    if as_json:
        print(json.dumps(found.facts | {"targets_scored": rows_of(found.table)}))
    else:
        print(*found.lines, f"in {out}", sep="\n")
    missed = found.table.loc[found.table["scored"] & ~found.table["held"], "target"].tolist()
    if strict and missed:
        raise ClaimError(f"missed: {', '.join(missed)}")


def _write_page(out: Path) -> None:
    """The score as a page, where what draws it is installed."""
    if not all(find_spec(name) for name in DRAWING):
        print(f"no {PAGE}: this needs python3 -m pip install 'mpn-abm[plot]'", file=sys.stderr)
        return
    from mpn_abm.pictures.report.report import write_report

    write_report(out, out / PAGE, overwrite=True)
