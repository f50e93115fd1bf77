"""Rank the assumed parameters of the program in one patient, and write the tables of docs/background/assumed.md.

    python docs/make_assumed.py runs/assumed
    python docs/make_assumed.py --check

The first runs the study (what the folder has of it already is kept) and writes the page. The second runs nothing: it
exits with 1 if the page is not about the assumed parameters that the program has now.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from make_reference import BACKGROUND, code, table, unit_of, written

import mpn_abm
from mpn_abm.scenario.citing import sources
from mpn_abm.scenario.paths import locate
from mpn_abm.scenario.scenario import load
from mpn_abm.scenario.schema import SCHEMA

PAGE = BACKGROUND / "assumed.md"
PATIENT: dict[str, Any] = {
    "name": "patient",
    "time": {"duration_days": 364, "record_every_days": 7},
    "marrow": {"shape": [64, 64]},
    "clones": {"healthy": {"genotype": "wild_type"}, "calr": {"genotype": "CALR_TYPE1", "vaf": 0.3}},
    "fibrosis": {"initial": {"mf_grade": 2}},
    "treatments": {
        "ruxolitinib": {"dose_mg": 15, "times_per_day": 2, "start_day": 0},
        "car_t": {"dose_cells": 1e8, "day": 182},
    },
    "progression": {"mortality": False},
}
# endpoint, day, heading, what an effect of 1 is
ASKED = (
    ("clone", 364.0, "clone, day 364", 0.01),
    ("spleen", 168.0, "spleen, day 168", 0.01),
    ("car_t_peak", 364.0, "CAR T peak", 1e9),
)
# these add up to 1, so that none can be changed alone
SHARES = {f"mutation.{gene}_share" for gene in ("dnmt3a", "tet2", "asxl1", "tp53")}
FOLD = 2.0
WIDE = 10.0


# ---- the study


@cache
def split() -> tuple[dict[str, dict[str, Any]], list[str], list[str]]:
    """Axes of the assumed parameters that act in the patient; those that have no range; those that do not act."""
    patient = load({"schema": SCHEMA, **PATIENT})
    axes: dict[str, dict[str, Any]] = {}
    fixed = []
    for path in assumed(patient):
        place = locate(path, patient.spec)
        said = place.declaration
        assert said is not None
        low, high = said.sweep or (place.value / FOLD, place.value * FOLD)
        if path in SHARES or low == high:
            fixed.append(path)
            continue
        high = high if said.high is None else min(high, said.high)
        scale = "log" if low > 0.0 and (said.sweep is None or high >= WIDE * low) else "linear"
        axes[path] = {"low": low, "high": high, "scale": scale}
    idle = [path for path in assumed(None) if path not in axes and path not in fixed]
    return axes, fixed, idle


def assumed(scenario: Any) -> list[str]:
    """The assumed parameters of the program, or of what acts in a scenario."""
    return [path for source in sources(scenario) if source.kind == "assumed" for path in source.paths]


def study() -> dict[str, Any]:
    """A Morris design over all of them."""
    return {
        "schema": SCHEMA,
        "name": "assumed",
        "question": "Which of the numbers that nobody has measured decide what two treatments do to a patient?",
        "scenario": PATIENT,
        "endpoints": {
            "clone": {"column": "vaf_driver", "change": "relative"},
            "spleen": {"column": "spleen_ml", "change": "relative"},
        },
        "sensitivity": {
            "method": "morris",
            "samples": 2,
            "replicates": 2,
            "parameters": split()[0],
            "endpoints": [name for name, *_ in ASKED],
            "at_days": sorted({day for _, day, *_ in ASKED}),
        },
        # every row: the peak of CAR T cells is that of the rows that are kept
        "output": {"trajectory": "all"},
    }


# ---- the page


def ranked(indices: pd.DataFrame) -> str:
    """The parameters by the largest of their effects, each over the largest effect on its endpoint."""
    axes = split()[0]
    found = {heading: effects(indices, name, day) for name, day, heading, _ in ASKED}
    largest = pd.DataFrame(
        {
            heading: frame["index"].where(frame["verdict"] == "matters", 0.0) / frame["index"].max()
            for heading, frame in found.items()
        }
    ).max(axis=1)
    order = largest[largest > 0.0].sort_values(ascending=False, kind="stable").index
    rows = []
    for number, path in enumerate(order, start=1):
        told = (effect(found[heading].loc[path], unit) for *_, heading, unit in ASKED)
        rows.append((number, code(path), *range_of(path), *told))
    headings = ("", "parameter", "default", "unit", "range", *(heading for _, _, heading, _ in ASKED))
    rest = [path for path in axes if path not in order]
    inert = [path for path in rest if all(frame.loc[path, "index"] == 0.0 for frame in found.values())]
    unknown = [path for path in rest if path not in inert]
    chance = [f"{found[heading]['noise'].max() / unit:.2g} ({heading})" for *_, heading, unit in ASKED]
    return "\n\n".join(
        [
            f"{len(axes)} parameters were varied. {len(order)} of them have an effect that is told from chance on at "
            f"least one endpoint; without any effect all of a table stay below {', '.join(chance)} in 95 %.",
            table(headings, rows),
            f"**Not told from chance** ({len(unknown)}): {names(unknown)}.",
            f"**Without any effect in these runs** ({len(inert)}): all three endpoints are the same to the last bit "
            f"whatever the value. {names(inert)}.",
        ]
    )


def effects(indices: pd.DataFrame, name: str, day: float) -> pd.DataFrame:
    """Morris's mean absolute effects on an endpoint, by parameter."""
    mine = (indices["endpoint"] == name) & (indices["measure"] == "mu_star") & (indices["day"] == day)
    return indices[mine].set_index("parameter")


def effect(row: pd.Series, unit: float) -> str:
    """An effect in its unit with its rank, if it is told from chance."""
    return f"{row['index'] / unit:.2g} ({row['rank']})" if row["verdict"] == "matters" else "-"


def range_of(path: str) -> tuple[str, str, str]:
    """Default, unit and range of a parameter."""
    place = locate(path, load({"schema": SCHEMA, **PATIENT}).spec)
    assert place.declaration is not None
    axis = split()[0][path]
    taken = "" if place.declaration.sweep else "*"
    return written(place.value), unit_of(place.declaration), f"{axis['low']:.3g} to {axis['high']:.3g}{taken}"


def names(paths: list[str]) -> str:
    """Paths as code."""
    return ", ".join(map(code, paths)) or "none"


def unvaried() -> str:
    """What the ranks do not tell of at all."""
    _, fixed, idle = split()
    return (
        f"**Acts in this patient, but was not varied** ({len(fixed)}), as it is 0 or one of shares that add up to 1: "
        f"{names(fixed)}.\n\n**Does not act in this patient** ({len(idle)}): {names(idle)}."
    )


def block(name: str, text: str) -> str:
    """A part of the page between its marks."""
    return f"<!-- assumed: {name} -->\n\n{text}\n\n<!-- end -->"


def with_block(page: str, name: str, text: str) -> str:
    """The page with a part made anew."""
    return re.sub(rf"<!-- assumed: {name} -->\n.*?<!-- end -->", lambda _: block(name, text), page, flags=re.DOTALL)


def told_of(page: str) -> set[str]:
    """The parameters of which the ranks on the page tell."""
    part = re.search(r"<!-- assumed: ranks -->\n(.*?)<!-- end -->", page, re.DOTALL)
    return set(re.findall(r"`([\w.]+)`", part[1] if part else ""))


def out_of_date() -> list[str]:
    """What the page does not say of the assumed parameters that the program has now."""
    page = PAGE.read_text()
    wrong = sorted(told_of(page) ^ set(split()[0]))
    return wrong if with_block(page, "unvaried", unvaried()) == page else [*wrong, "what was not varied"]


def main() -> int:
    """Run and write, or check."""
    if sys.argv[1:] == ["--check"]:
        print(*out_of_date(), sep="\n")
        return int(bool(out_of_date()))
    done = mpn_abm.sensitivity(study(), out=Path(sys.argv[1]))
    page = with_block(PAGE.read_text(), "ranks", ranked(done.indices))
    PAGE.write_text(with_block(page, "unvaried", unvaried()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
