"""How long every array of a marrow is, and marrows made of such arrays."""

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from mpn_abm.kernels.draws import DRAWN_TOGETHER
from mpn_abm.kernels.packing import SLOTS
from mpn_abm.state import (
    CLONE_FACTS,
    COURSE_FACTS,
    DRUG_FACTS,
    FACTORS,
    LOG_FACTS,
    MEDICATIONS,
    READINGS,
    STRAINS,
    TALLIES,
    Agents,
    Body,
    Counters,
    Ground,
    Hand,
    Immunity,
    Lattice,
    Ledger,
    Marks,
    MarrowState,
    Record,
    Signal,
    Surroundings,
)


class Sizes(NamedTuple):
    """Lengths that the arrays of a marrow need."""

    genotypes: int
    kinds: int
    bases: int
    antigen_classes: int
    treatments: int
    courses: int
    conditions: int
    clones: int
    agents: int
    agent_sites: int
    niche_sites: int  # the same at niche scale, else 0
    count_words: int
    poisson: int
    field_work: int
    rows: int
    columns: int
    clone_rows: int
    log: int


Shapes = dict[str, tuple[type, tuple[int, ...]]]


def shapes(lattice: Lattice, sizes: Sizes) -> dict[str, Shapes]:
    """Type and shape of every array of one marrow, by group and name; group "" is the marrow itself."""
    sites, blocks, genotypes, agents = lattice.sites, lattice.blocks, sizes.genotypes, sizes.agents
    slots = SLOTS if sizes.niche_sites else 0
    in_hand = DRAWN_TOGETHER if sizes.agents else 0
    f8, i8, i4, i2 = np.float64, np.int64, np.int32, np.int16
    u8, u4, u2, u1 = np.uint64, np.uint32, np.uint16, np.uint8
    return {
        "": {
            "cell": (u8, (sites,)),
            "clone_table": (i8, (sizes.clones, CLONE_FACTS)),
            "tally": (i8, (TALLIES,)),
        },
        "counters": {
            "genotype_cells": (i8, (genotypes,)),
            "births": (i8, (genotypes,)),
            "losses": (i8, (genotypes,)),
            "clone_cells": (i8, (sizes.clones,)),
            "antigen_cells": (i8, (sizes.antigen_classes, 256)),
        },
        "ledger": dict.fromkeys(Ledger._fields, (i8, (genotypes,))),
        "ground": {
            "scar": (u1, (blocks,)),
            "source": (i4, (sizes.bases, blocks)),
            "ecm": (f8, (blocks,)),
            "myofibroblast": (f8, (blocks,)),
            "cytokine": (f8, (blocks,)),
            "drive": (f8, (blocks,)),
            "summary": (f8, (2,)),
            "work": (f8, (sizes.field_work,)),
        },
        "marks": {
            "division": (u8, (genotypes,)),
            "division_scar": (u8, (genotypes,)),
            "loss": (u8, (genotypes,)),
            "mutation": (u8, (genotypes, sizes.kinds)),
            "known": (f8, (genotypes,)),
            "rate": (f8, (3,)),
            "poisson": (u8, (sizes.poisson,)),
            "batch": (u4, (5, 256)),
        },
        "signal": {
            "medication": (f8, (MEDICATIONS,)),
            "factor": (f8, (FACTORS, sizes.bases)),
            "activity": (f8, (sizes.bases,)),
            "persistence": (f8, (sizes.bases,)),
            "protein": (f8, (sizes.bases,)),
            "response": (f8, (2,)),
            "drug": (f8, (sizes.treatments, DRUG_FACTS)),
            "course": (i8, (sizes.courses, COURSE_FACTS)),
            "held_since": (i8, (sizes.conditions,)),
            "seen": (f8, (sizes.columns if sizes.conditions else 0,)),
        },
        "immunity": {
            "strain": (f8, (STRAINS,)),
            "pd_l1": (f8, (sizes.bases,)),
            "checkpoint": (f8, (sizes.bases,)),
            "hazard": (f8, (sizes.bases,)),
            "density": (f8, (sizes.antigen_classes,)),
            "lysis": (f8, (sizes.antigen_classes, 256)),
            "activation": (f8, (sizes.antigen_classes, 256)),
            "lysis_progenitor": (f8, (sizes.antigen_classes,)),
            "activation_progenitor": (f8, (sizes.antigen_classes,)),
            "suppression": (f8, (blocks,)),
        },
        "body": {
            "share": (f8, (sizes.bases,)),
            "output": (f8, (sizes.bases,)),
            "blood": (f8, (3, 3)),
            "reading": (f8, (READINGS,)),
        },
        "agents": {
            "site": (i4, (agents,)),
            "uid": (u4, (agents,)),
            "state": (u1, (agents,)),
            "memory": (u1, (agents,)),
            "to_go": (i2, (agents,)),
            "done": (i2, (agents,)),
            "phase": (f8, (agents,)),
            "exhaustion": (f8, (agents,)),
            "contact": (f8, (agents,)),
            "target": (i4, (agents,)),
            "heading": (i4, (agents,)),
            "claim": (u4, (agents,)),
            "fate": (u1, (agents,)),
            "layer": (i8, (sizes.agent_sites,)),
            "touched": (i4, (sizes.agent_sites,)),
            "around": (i8, (27,)),
            "readout": (f8, (2,)),
        },
        "surroundings": {
            "everywhere": (i8, (1,)),
            "cells": (i8, (sizes.count_words, sizes.niche_sites)),
            "own": (i8, (sizes.niche_sites,)),
            "line": (i8, (lattice.width + 2,)),
            "target": (i4, (sizes.niche_sites,)),
            "targets": (i8, (1,)),
            "told": (u2, (sizes.niche_sites,)),
            "here": (i8, (sizes.count_words,)),
            "key": (i8, (slots, sizes.count_words)),
            "made": (i8, (slots,)),
            "known": (i8, (1,)),
            "rate": (f8, (slots, 2)),
            "word": (u8, (slots, 2)),
        },
        "hand": {
            "search": (u4, (4, in_hand)),
            "life": (u4, (4, in_hand)),
            "work": (f8, (in_hand,)),
            "listed": (u4, (in_hand,)),
            "commits": (u8, (in_hand,)),
            "grows": (u1, (in_hand,)),
            "divides": (u1, (in_hand,)),
            "dies": (u1, (in_hand,)),
        },
        "record": {
            "rows": (f8, (sizes.rows, sizes.columns)),
            "row_at": (i8, (sizes.rows,)),
            "clone_rows": (i8, (sizes.clone_rows, 3)),
            "log": (f8, (sizes.log, LOG_FACTS)),
        },
    }


def bytes_of(lattice: Lattice, sizes: Sizes) -> int:
    """Memory of one marrow."""
    arrays = [array for group in shapes(lattice, sizes).values() for array in group.values()]
    return sum(np.dtype(kind).itemsize * prod(shape) for kind, shape in arrays)


GROUPS: dict[str, Any] = {
    "counters": Counters,
    "ledger": Ledger,
    "ground": Ground,
    "marks": Marks,
    "signal": Signal,
    "immunity": Immunity,
    "body": Body,
    "agents": Agents,
    "surroundings": Surroundings,
    "hand": Hand,
    "record": Record,
}


def stack(replicates: int, lattice: Lattice, sizes: Sizes) -> MarrowState:
    """Empty marrows side by side: every array with a leading axis of replicates."""
    return marrows(lattice, sizes, lambda group, name, kind, shape: np.zeros((replicates, *shape), kind))


def lengthened(old: MarrowState, lattice: Lattice, sizes: Sizes) -> MarrowState:
    """The same marrows with arrays of these lengths; what is new is zero.

    Arrays that are long enough stay where they are: somebody may look at them.
    """

    def array(group: str, name: str, kind: type, shape: tuple[int, ...]) -> np.ndarray:
        there: np.ndarray = getattr(getattr(old, group) if group else old, name)
        if there.shape[1:] == shape:
            return there
        longer: np.ndarray = np.zeros((len(there), *shape), kind)
        longer[tuple(slice(length) for length in there.shape)] = there
        return longer

    return marrows(lattice, sizes, array)


def marrows(
    lattice: Lattice, sizes: Sizes, array: Callable[[str, str, type, tuple[int, ...]], np.ndarray]
) -> MarrowState:
    """Marrows of the arrays that are returned for a group, a name, a type and a shape."""
    groups: dict[str, Any] = {
        group: {name: array(group, name, kind, shape) for name, (kind, shape) in arrays.items()}
        for group, arrays in shapes(lattice, sizes).items()
    }
    own: dict[str, Any] = groups.pop("")
    return MarrowState(**own, **{name: GROUPS[name](**arrays) for name, arrays in groups.items()})
