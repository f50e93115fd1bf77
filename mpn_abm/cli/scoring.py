"""What `evidence` does and prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from mpn_abm.analysis.claims import rows_of
from mpn_abm.cli.watching import stoppable, watching
from mpn_abm.errors import ClaimError
from mpn_abm.evidence import score
from mpn_abm.studies.progress import Watcher


def tell_score(
    targets: Sequence[Path] | None,
    out: Path,
    *,
    quick: bool,
    jobs: int,
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

        found = score(targets, out=out, quick=quick, jobs=jobs, only=only, progress=watch)
    found.write(out)
    if as_json:
        print(json.dumps(found.facts | {"targets_scored": rows_of(found.table)}))
    else:
        print(*found.lines, f"in {out}", sep="\n")
    missed = found.table.loc[found.table["scored"] & ~found.table["held"], "target"].tolist()
    if strict and missed:
        raise ClaimError(f"missed: {', '.join(missed)}")
