"""What `compare DIR DIR...` prints: runs that are there, side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mpn_abm.analysis.claims import rows_of
from mpn_abm.analysis.pairing import PAIRED
from mpn_abm.cli import claiming
from mpn_abm.cli.comparison_table import print_table
from mpn_abm.studies.side_by_side import side_by_side
from mpn_abm.studies.study import Study
from mpn_abm.words import counted

MOST_COLUMNS_SHOWN = 4


def compare_folders(paths: Sequence[Path], out: Path | None, *, overwrite: bool, as_json: bool, strict: bool) -> None:
    """Compare the runs in folders, write the tables where that is asked, and tell."""
    study = side_by_side(paths)
    if out is not None:
        study.facts = study.write(out, overwrite)
    if as_json:
        print(json.dumps(study.facts | {"comparison": rows_of(study.comparison)}))
    else:
        _report(study)
    if strict:
        claiming.fail_if_any(study.claims)


def _report(study: Study) -> None:
    facts = study.facts
    runs, reference = facts["arms"], facts["reference"]
    told = [f"{counted(number, 'run')} of {arm}" for arm, number in runs.items()]
    print(f"{facts['name']}: {', '.join(told)}")
    for arm, said in facts["twins"].items():
        print(_how_compared(arm, reference, said))
    for arm, names in facts["columns_missing"].items():
        print(f"not in {arm}: {_few(names)}")
    if len(set(facts["ends"].values())) > 1:
        print(f"the end: {', '.join(f'day {day:g} in {arm}' for arm, day in facts['ends'].items())}")
    print_table(study.comparison, reference, list(runs))
    for line in claiming.lines(study.claims, {}, (), ""):
        print(line)
    if "out" in facts:
        print(f"in {facts['out']}")


def _how_compared(arm: str, reference: str, said: dict[str, Any]) -> str:
    if said["design"] == PAIRED:
        return f"{arm} and {reference}: {said['pairs']} pair(s) of runs with the same seed"
    return f"{arm} and {reference}: independent, as no two of their runs share seed and patient"


def _few(names: Sequence[str]) -> str:
    more = len(names) - MOST_COLUMNS_SHOWN
    return ", ".join(names[:MOST_COLUMNS_SHOWN]) + (f" and {more} more columns" if more > 0 else "")
