"""Which columns of a trajectory are drawn together, and in which colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mpn_abm.errors import UsageError
from mpn_abm.pictures.courses import FEWEST_FOR_A_BAND, HIGH
from mpn_abm.pictures.labels import title_words, words
from mpn_abm.pictures.palette import FAINT, SINGLE, T_CELL_STATES, Palette, arm_colours
from mpn_abm.pictures.runs import clones_of
from mpn_abm.scenario.claim_columns import missing_column

Unit = Callable[[str], str]
FRACTION_OF_ALL = 0.005
OTHERS = "other_clones"
# less is not worth a line
LEAST = {"blast_percent": 0.5, OTHERS: 0.02}


@dataclass(frozen=True)
class Line:
    """One column of one arm."""

    column: str
    label: str
    colour: str
    arm: str | None = None
    dash: str = "-"
    width: float = 1.7


@dataclass(frozen=True)
class Panel:
    """One axis."""

    title: str
    label: str
    unit: str
    lines: tuple[Line, ...]
    log: bool = False

    @property
    def columns(self) -> set[str]:
        """The columns that it shows."""
        return {line.column for line in self.lines}


# title, what the axis says, columns
GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("variant allele fraction", "VAF", ("vaf_jak2", "vaf_calr")),
    ("CAR T cells in the marrow", "", tuple(T_CELL_STATES)),
    ("scar", "mean ECM", ("fibrosis_mean",)),
    ("platelets", "", ("platelets_per_nl",)),
    ("haemoglobin", "", ("hemoglobin_g_per_l",)),
    ("haematocrit", "", ("hematocrit",)),
    ("white cells", "", ("wbc_per_nl",)),
    ("spleen", "", ("spleen_ml",)),
    ("symptoms", "", ("symptom_score",)),
    ("blasts", "", ("blast_percent",)),
)
LOG = ("car_t_", "kills", "antigen")
DRIVER = ("variant allele fraction of the driver", "VAF", ("vaf_driver",))


def panels_of_run(rows: pd.DataFrame, unit: Unit, palette: Palette) -> list[Panel]:
    """What a reader of one arm looks for, as far as the run has it."""
    clones = tuple(
        Line(f"fraction_{name}", name.replace("_", " "), palette.clone_line(name))
        for name in clones_of([str(name) for name in rows.columns])
        if rows[f"fraction_{name}"].max() > 0
    )
    if clones and OTHERS in rows:
        clones += (Line(OTHERS, "later clones", FAINT, dash="--"),)
    panels = [Panel("clones", "share of sites", "-", clones)] if clones else []
    arisen = _arisen(rows, palette)
    if arisen:
        panels.append(Panel("genotypes", "", "cells", arisen, log=True))
    for title, label, columns in GROUPS:
        there = [name for name in columns if _says_something(rows, name)]
        if there:
            lines = tuple(_line(name, palette) for name in there)
            panels.append(Panel(title, label, unit(there[0]), lines, log=there[0].startswith(LOG)))
    return panels


def with_other_clones(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the share of sites of all clones that the file does not name, if there ever are many."""
    named = [name for name in clones_of([str(name) for name in rows.columns]) if rows[f"fraction_{name}"].max() > 0]
    if not named or "cells_total" not in rows:
        return rows
    largest = max(named, key=lambda name: rows[f"fraction_{name}"].max())
    cells, share = (rows[f"{what}_{largest}"].to_numpy(float) for what in ("cells", "fraction"))
    sites = cells[np.nanargmax(share)] / np.nanmax(share)
    others = (rows["cells_total"] - rows[[f"cells_{name}" for name in named]].sum(axis=1, min_count=1)) / sites
    return rows.assign(**{OTHERS: others}) if others.max() > LEAST[OTHERS] else rows


def panels_of_arms(rows: pd.DataFrame, unit: Unit, arms: Sequence[str | None], reference: str | None) -> list[Panel]:
    """The same for several arms, a line for each."""
    colours = arm_colours(arms, reference)
    clones = [name for name in clones_of([str(name) for name in rows.columns]) if rows[f"fraction_{name}"].max() > 0]
    groups: list[tuple[str, str, tuple[str, ...]]] = [
        (f"clone {name.replace('_', ' ')}", "share of sites", (f"fraction_{name}",)) for name in clones
    ]
    groups += [DRIVER, *((title, label, columns[:1]) for title, label, columns in GROUPS[1:])]
    return [
        Panel(title, label, unit(column), _of_arms(column, colours), log=column.startswith(LOG))
        for title, label, (column, *_) in groups
        if _says_something(rows, column)
    ]


def panels_of_columns(
    rows: pd.DataFrame, unit: Unit, columns: Iterable[str], palette: Palette, arms: Sequence[str | None],
    reference: str | None,
) -> list[Panel]:  # fmt: skip
    """A panel for each column that was asked for; with one arm, neighbours of one kind share it."""
    colours = arm_colours(arms, reference)
    panels: list[Panel] = []
    for name in columns:
        if name not in rows:
            raise UsageError(missing_column(name, map(str, rows.columns)))
        if not (pd.api.types.is_numeric_dtype(rows[name]) or pd.api.types.is_bool_dtype(rows[name])):
            raise UsageError(f"{name}: has words, which a course cannot show")
        if len(arms) > 1:
            panels.append(Panel(title_words(name), "", unit(name), _of_arms(name, colours)))
            continue
        line = _line(name, palette)
        if panels and _kind(name) and _kind(name) == _kind(panels[-1].lines[0].column):
            panels[-1] = replace(panels[-1], lines=(*panels[-1].lines, line), title=_kind(name), label="")
        else:
            panels.append(Panel(title_words(name), "", unit(name), (line,)))
    return panels


def _kind(name: str) -> str:
    kinds = {
        "fraction_": "share of sites", "cells_": "cells", "genotype_cells_": "cells", "vaf_": "VAF",
        "car_t_": "CAR T cells", "activity_": "JAK/STAT activity", "persistence_": "persistence", "pd_l1_": "PD-L1",
        "concentration_": "concentration",
    }  # fmt: skip
    return next((kind for prefix, kind in kinds.items() if name.startswith(prefix)), "")


def _says_something(rows: pd.DataFrame, name: str) -> bool:
    """Whether a column is there and what is drawn of it is not 0 all along; a few blasts are no news."""
    if name not in rows:
        return False
    values = rows[name].astype(float).fillna(0.0).abs()
    if "patient" in rows and rows["patient"].nunique() >= FEWEST_FOR_A_BAND:
        values = values.groupby(
            [rows[key] for key in ("arm", "day") if key in rows and rows[key].notna().all()]
        ).quantile(HIGH)
    return bool((values > LEAST.get(name, 0.0)).any())


def _of_arms(column: str, colours: dict[str | None, str]) -> tuple[Line, ...]:
    return tuple(Line(column, str(arm).replace("_", " "), colour, arm=arm) for arm, colour in colours.items())


def _line(name: str, palette: Palette) -> Line:
    width = 1.0 if name in T_CELL_STATES and name != "car_t_total" else 1.7
    return Line(name, "all" if name == "car_t_total" else words(name), _colour(name, palette), width=width)


def _colour(name: str, palette: Palette) -> str:
    if name in T_CELL_STATES:
        return T_CELL_STATES[name]
    fixed = {"vaf_jak2": "JAK2_V617F", "vaf_calr": "CALR_TYPE1"}
    if name in fixed:
        return palette.line(fixed[name])
    for prefix in ("fraction_", "cells_"):
        if name.startswith(prefix) and name.removeprefix(prefix) in palette.clones:
            return palette.clone_line(name.removeprefix(prefix))
    for prefix in ("genotype_cells_", "activity_", "persistence_", "pd_l1_"):
        if name.startswith(prefix):
            return palette.line(name.removeprefix(prefix))
    return SINGLE


def _arisen(rows: pd.DataFrame, palette: Palette) -> tuple[Line, ...]:
    """Lines of all genotypes that count, if one counts that the file does not place."""
    names = [str(name) for name in rows.columns if str(name).startswith("genotype_cells_")]
    if "cells_total" not in rows or not names:
        return ()
    many = FRACTION_OF_ALL * rows["cells_total"].max()
    counting = [name for name in names if rows[name].max() > many]
    placed = {f"genotype_cells_{genotype}" for genotype in palette.clones.values()}
    return tuple(_line(name, palette) for name in counting) if set(counting) - placed else ()
