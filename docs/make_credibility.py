"""Write the score table of docs/background/credibility.md from the folder of a score.

mpn-abm evidence --quick --out runs/evidence
python docs/make_credibility.py runs/evidence
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from mpn_abm.analysis.bands import band_in_words
from mpn_abm.evidence.table import interval_of

PAGE = Path(__file__).resolve().parent / "background" / "credibility.md"
BLOCK = re.compile(r"<!-- score -->.*?<!-- end -->", re.DOTALL)


def written(folder: Path) -> str:
    """The block: the score, what was asked of runs, what could not be asked."""
    facts = json.loads((folder / "score.json").read_text())
    rows = pq.read_table(folder / "score.parquet").to_pylist()
    command = "mpn-abm evidence --quick" if facts["quick"] else "mpn-abm evidence"
    lines = [
        f"`{command}` holds {_counted(facts)}.",
        "",
        "| file | held | of | by weight |",
        "| --- | --- | --- | --- |",
    ]
    for name, part in {**facts["by_file"], **{f"role {role}": part for role, part in facts["by_role"].items()}}.items():
        lines.append(f"| {name} | {part['held']} | {part['targets']} | {100 * part['weighted']:.0f} % |")
    asked = [row for row in rows if row["scored"] and row["experiment"]]
    lines += ["", "| figure | published (band) | model (95 %) | z | |", "| --- | --- | --- | --- | --- |"]
    lines += [_line(row) for row in asked]
    lines += ["", "Figures without an experiment, all of them missed:", ""]
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row["scored"] and not row["experiment"]:
            reasons.setdefault(row["reason"], []).append(row["target"])
    lines += [f"- {reason}: {', '.join(names)}" for reason, names in reasons.items()]
    return "\n".join(["<!-- score -->", *lines, "<!-- end -->"])


def _line(row: dict[str, Any]) -> str:
    band = band_in_words(row, lambda limit: f"{limit:.3g}")
    published = band if row["published"] is None else f"{row['published']:.3g} ({band})"
    told = "-" if row["value"] is None else f"{row['value']:.3g}"
    z = "" if row["z"] is None else f"{row['z']:+.1f}"
    role = ", never fitted" if row["role"] == "test" else ""
    verdict = "held" if row["held"] else "MISSED"
    return f"| {row['target']}{role} | {published} | {told}{interval_of(row)} | {z} | {verdict} |"


def _counted(part: dict[str, Any]) -> str:
    return f"{part['held']} of {part['targets']} figures, {100 * part['weighted']:.0f} % by weight"


if __name__ == "__main__":
    PAGE.write_text(BLOCK.sub(lambda _: written(Path(sys.argv[1])), PAGE.read_text()))
