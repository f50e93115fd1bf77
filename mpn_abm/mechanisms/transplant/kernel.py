"""Conditioning clears the marrow, donor stem cells lodge, and the graft turns on mutant cells.

Conditioning leaves a cell with 0.01 x exp(spread x normal), one draw a patient; the donor takes a tenth of the
niches on the day of engraftment; from then on mutant cells meet the hazard 10/year x exp(2.5 x normal).
"""

from typing import NamedTuple

import numpy as np
from numba import int64, uint64

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import PATIENT, chance, words
from mpn_abm.mechanisms.placement import clear_site, put_cell
from mpn_abm.state import (
    BORN_SITE,
    BORN_STEP,
    CLONE_GENOTYPE,
    ENGRAFTED,
    FOUNDER,
    GRAFT,
    LOST_STEP,
    NEXT_CLONE,
    PARENT,
    TRANSPLANT_STEP,
    TRANSPLANT_TREATMENT,
)

# draws of stream PATIENT by site: who survives conditioning, where donor cells lodge; numbers of the patient's own
CONDITIONING_DRAW, LODGING_DRAW = 1, 2
RESIDUAL, EFFECT = 16, 17


class TransplantRules(NamedTuple):
    """Constants of a transplant; the tables give a patient's factor by a random byte."""

    enabled: int
    donor: np.ndarray  # int64[T]  genotype of the donor cells of a treatment
    left: np.ndarray  # float64[T]  share that the conditioning of a treatment leaves, median patient
    residual: np.ndarray  # float64[256]
    donor_share: float  # of the sites
    engraftment: float  # days
    graft: float  # 1/day, median patient
    effect: np.ndarray  # float64[256]


@jit
def patient_byte(number, key_low, key_high):
    """A random byte that is the patient's own."""
    w0, _, _, _ = words(number, 0, PATIENT, 0, key_low, key_high)
    return int64(uint64(w0) >> uint64(24))


@jit
def condition(marrow_cell, counters, source, tally, cells, rules, lattice, step, key_low, key_high):
    """Every cell stays with the share that conditioning leaves, or is lost."""
    factor = rules.residual[patient_byte(RESIDUAL, key_low, key_high)]
    stays = chance(min(1.0, rules.left[tally[TRANSPLANT_TREATMENT]] * factor))
    for s in range(lattice.sites):
        w0, _, _, _ = words(s, step, PATIENT, CONDITIONING_DRAW, key_low, key_high)
        if uint64(w0) >= stays:
            clear_site(s, marrow_cell, counters, source, tally, cells, lattice)


@jit
def engraft(marrow_cell, counters, source, clone_table, arrived, tally, cells, rules, lattice, step, key_low, key_high):
    """Donor cells take empty niches, as many as their share of the marrow says, as a clone of their own."""
    clone = tally[NEXT_CLONE]
    donor = rules.donor[tally[TRANSPLANT_TREATMENT]]
    empty = counters.genotype_cells[0]
    if empty == 0:
        return
    lodges = chance(min(1.0, rules.donor_share * lattice.sites / empty))
    first = int64(-1)
    for s in range(lattice.sites):
        if marrow_cell[s] != uint64(0):
            continue
        w0, _, _, _ = words(s, step, PATIENT, LODGING_DRAW, key_low, key_high)
        if uint64(w0) < lodges:
            put_cell(s, clone, donor, marrow_cell, counters, source, cells, lattice, key_low, key_high)
            arrived[donor] += 1
            if first < 0:
                first = s
    if first < 0:
        return
    facts = clone_table[clone]
    facts[PARENT] = 0
    facts[BORN_STEP] = step
    facts[BORN_SITE] = first
    facts[CLONE_GENOTYPE] = donor
    facts[FOUNDER] = 0
    facts[LOST_STEP] = -1
    tally[NEXT_CLONE] = clone + 1


@jit
def transplant_what_is_due(
    cell, counters, source, clone_table, arrived, body, tally, cells, rules, lattice, step, dt, key_low, key_high
):  # fmt: skip
    """Condition on the day of a transplant; engraft once its cells have homed."""
    if tally[TRANSPLANT_STEP] == 0:
        return
    if tally[TRANSPLANT_STEP] == step + 1:
        condition(cell, counters, source, tally, cells, rules, lattice, step, key_low, key_high)
        tally[ENGRAFTED] = 0
        # a graft before it goes with its marrow
        body.reading[GRAFT] = 0.0
    if tally[ENGRAFTED] == 0 and (step + 1 - tally[TRANSPLANT_STEP]) * dt >= rules.engraftment - 1e-9:
        engraft(cell, counters, source, clone_table, arrived, tally, cells, rules, lattice, step, key_low, key_high)
        tally[ENGRAFTED] = 1
        body.reading[GRAFT] = rules.graft * rules.effect[patient_byte(EFFECT, key_low, key_high)]
