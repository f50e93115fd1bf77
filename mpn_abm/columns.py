"""The columns of the trajectory: names, types, units and meanings, and their places in a row.

The compiled census writes a row of floats; ``Places`` tells it where each group of columns starts, -1 for a
group that a scenario does not have.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    kind: str  # float64, int64, string or bool
    unit: str
    meaning: str


class Places(NamedTuple):
    """Where a group of columns starts in a row of the census; -1 if it is left out."""

    cells_total: int
    cells: int
    fraction: int
    genotype_cells: int
    vaf: int
    antigen: int
    activity: int
    persistence: int
    scar: int
    car_t: int
    concentration: int
    width: int


IDENTITY = (
    Column("run_id", "string", "-", "the run, the first 16 digits of the digest of its scenario"),
    Column("replicate", "int64", "-", "number of the replicate"),
    Column("seed", "int64", "-", "seed of the replicate: `run --seed` with it repeats it alone"),
    Column("day", "float64", "day", "time since day 0"),
)
ALIVE = Column("alive", "bool", "-", "whether the patient lives")
# a group is written for each name of its `per`: clones of the file, genotypes, drugs
GROUPS: dict[str, tuple[str, tuple[Column, ...]]] = {
    "cells_total": ("", (Column("cells_total", "int64", "cells", "stem cells of the lattice"),)),
    "cells": ("clone", (Column("cells_{}", "int64", "cells", "cells of the clone named in the file"),)),
    "fraction": ("clone", (Column("fraction_{}", "float64", "-", "share of all sites that the clone holds"),)),
    "genotype_cells": (
        "genotype",
        (Column("genotype_cells_{}", "int64", "cells", "cells of the genotype, background drivers pooled"),),
    ),
    "vaf": (
        "",
        (
            Column("vaf_jak2", "float64", "-", "mutant over all copies of JAK2"),
            Column("vaf_calr", "float64", "-", "mutant over all copies of CALR, both types"),
            Column("vaf_driver", "float64", "-", "of the gene that led on day 0, or leads now if none did"),
        ),
    ),
    "antigen": (
        "",
        (Column("antigen_mean_molecules", "float64", "molecules", "mean density of the cells that carry the antigen"),),
    ),
    "activity": (
        "genotype",
        (Column("activity_{}", "float64", "-", "JAK/STAT activity relative to the untreated, mean of the step"),),
    ),
    "persistence": ("mutant", (Column("persistence_{}", "float64", "-", "JAK/STAT persistence under a type I drug"),)),
    "scar": (
        "",
        (
            Column("fibrosis_mean", "float64", "-", "mean ECM of the last field update, 0 to 1"),
            Column("mf_grade", "int64", "MF grade", "highest grade on 30 % of the marrow or more"),
        ),
    ),
    "car_t": (
        "",
        (
            Column("car_t_searching", "float64", "cells", "CAR T cells that neither hold a target nor are memory"),
            Column("car_t_engaged", "float64", "cells", "CAR T cells engaged now (niche scale: in the last day)"),
            Column("car_t_exhausted", "float64", "cells", "CAR T cells that are more than half exhausted"),
            Column("car_t_memory", "float64", "cells", "memory CAR T cells"),
            Column("car_t_total", "float64", "cells", "CAR T cells in the marrow"),
            Column("kills", "int64", "cells", "cells of the lattice killed by CAR T cells since day 0"),
            Column("healthy_killed", "int64", "cells", "of them, cells without a JAK2 or CALR mutation"),
            Column("crs_index", "float64", "1e-4/day", "kills per marrow cell and day x 1e4, smoothed over 2 days"),
        ),
    ),
    "concentration": ("drug", (Column("concentration_{}", "float64", "nM", "plasma concentration of the drug"),)),
}


@dataclass(frozen=True)
class Layout:
    """The columns of a run."""

    columns: tuple[Column, ...]  # of the census, in order
    places: Places

    @property
    def table(self) -> tuple[Column, ...]:
        """Columns of the table: identity, census, alive."""
        return (*IDENTITY, *self.columns, ALIVE)


def layout_of(names: Mapping[str, Iterable[str]], groups: Iterable[str]) -> Layout:
    """Lay out the census.

    Parameters
    ----------
    names : dict
        Names for ``clone``, ``genotype``, ``mutant`` and ``drug``.
    groups : iterable of str
        The groups that the scenario has.
    """
    present = set(groups)
    columns: list[Column] = []
    places: dict[str, int] = {}
    for group, (per, declared) in GROUPS.items():
        if group not in present:
            places[group] = -1
            continue
        places[group] = len(columns)
        for column in declared:
            for name in names[per] if per else ("",):
                columns.append(Column(column.name.format(name), column.kind, column.unit, column.meaning))
    return Layout(tuple(columns), Places(**places, width=len(columns)))


def describe() -> list[Column]:
    """Every column of the trajectory, with a placeholder for what it stands for."""
    of_group = [
        Column(column.name.format(f"<{per}>"), column.kind, column.unit, column.meaning)
        for per, declared in GROUPS.values()
        for column in declared
    ]
    return [*IDENTITY, *of_group, ALIVE]
