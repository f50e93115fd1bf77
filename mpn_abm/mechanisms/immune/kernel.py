"""PD-L1, suppression, and what the immune system does to mutant cells in a step.

PD-L1 of a cell L = 1 + L_max A/(A + 1), L' = L/(1 + L). Suppressive field M = mutant share x A x (1 - I_JAK1).
A CAR T cell of exhaustion e works with (1 - S)(1 - e), S = 1 - (1 - 0.5 e L' (1 - B))/(1 + M). Endogenous T cells are
a hazard on mutant cells, k_e max(0, Q - Q0), Q = (1 - 0.9 L' (1 - B))(1 - 0.2 J_T)/(1 + (M/0.2)^2), Q0 the Q of the
same marrow without drugs.
"""

from typing import NamedTuple

import numpy as np

from mpn_abm.kernels.candidates import block_of
from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import decay
from mpn_abm.kernels.field import solve
from mpn_abm.state import (
    BLOCKADE,
    CHECKPOINT,
    FORGETTING,
    GENOTYPE,
    GRAFT,
    HELD_JAK1,
    SUPPRESSION,
    T_CELL_JAK,
    T_DIVISION,
    T_KILLING,
    T_QUALITY,
    TYPE_1,
)


class ImmuneRules(NamedTuple):
    """Constants of the immune system; rates per day."""

    enabled: int
    pd_l1: np.ndarray  # float64[bases]  L_max
    is_mutant: np.ndarray  # uint8[bases]
    is_seen: np.ndarray  # uint8[bases]  1 where cells carry the antigen of CAR T cells
    checkpoint_weight: float
    division_cost: float
    killing_cost: float
    surveillance: float  # k_e, 1/day
    surveillance_checkpoint: float
    surveillance_half: float
    length: float  # sites; reach of suppression at tissue scale
    exhaustion_decay: float  # days
    sub_step: float  # days
    forgetting: float  # factor of the engagement counter per sub-step without drugs


@jit
def quality(pd_l1, blockade, burden, suppression, rules):
    """Q of the endogenous T cells that meet cells with this PD-L1."""
    checkpoint = rules.surveillance_checkpoint * pd_l1 / (1.0 + pd_l1) * (1.0 - blockade)
    crowd = suppression / rules.surveillance_half
    return (1.0 - checkpoint) * (1.0 - rules.killing_cost * burden) / (1.0 + crowd * crowd)


@jit
def weigh_immunity(signal, immunity, body, rules):
    """PD-L1, suppression, endogenous hazard, and what drugs do to T cells, in place.

    Parameters
    ----------
    signal : Signal
    immunity : Immunity, ``strain``, ``pd_l1``, ``checkpoint`` and ``hazard`` written
    body : Body, ``share`` and ``reading`` read
    """
    medication, strain = signal.medication, immunity.strain
    graft = body.reading[GRAFT]
    for b in range(immunity.hazard.shape[0]):
        immunity.hazard[b] = graft if rules.is_mutant[b] == 1 else 0.0
    strain[FORGETTING] = rules.forgetting
    strain[T_DIVISION] = 1.0
    strain[T_KILLING] = 1.0
    if rules.enabled == 0:
        return
    blockade, burden = medication[BLOCKADE], medication[T_CELL_JAK]
    mutants = 0.0
    suppression = 0.0
    for b in range(immunity.hazard.shape[0]):
        if rules.is_mutant[b] == 1:
            mutants += body.share[b]
            suppression += body.share[b] * signal.activity[b]
    suppression *= 1.0 - signal.response[HELD_JAK1]
    seen = 0.0
    stopped = 0.0
    met = 0.0
    fit = 0.0
    for b in range(immunity.hazard.shape[0]):
        a = signal.activity[b]
        pd_l1 = 1.0 + rules.pd_l1[b] * a / (a + 1.0)
        immunity.pd_l1[b] = pd_l1
        checkpoint = rules.checkpoint_weight * pd_l1 / (1.0 + pd_l1) * (1.0 - blockade)
        immunity.checkpoint[b] = checkpoint
        if rules.is_seen[b] == 1:
            seen += body.share[b]
            stopped += body.share[b] * checkpoint
        now = quality(pd_l1, blockade, burden, suppression, rules)
        met += body.share[b]
        fit += body.share[b] * now
        if rules.is_mutant[b] == 1:
            untreated = quality(1.0 + 0.5 * rules.pd_l1[b], 0.0, 0.0, mutants, rules)
            immunity.hazard[b] += rules.surveillance * max(0.0, now - untreated)
    strain[CHECKPOINT] = stopped / seen if seen > 0.0 else 0.0
    strain[SUPPRESSION] = suppression
    strain[T_QUALITY] = fit / met if met > 0.0 else quality(1.0, blockade, burden, suppression, rules)
    strain[T_DIVISION] = 1.0 - rules.division_cost * burden
    strain[T_KILLING] = 1.0 - rules.killing_cost * burden
    if medication[TYPE_1] > 0.0:
        strain[FORGETTING] = decay(rules.sub_step * (1.0 + medication[TYPE_1]) / rules.exhaustion_decay)


@jit
def spread_suppression(cell, signal, immunity, work, base, block_sites, rules, levels, lattice):
    """The suppressive field M of every block at tissue scale, in place; the cells are counted, as these are few.

    Parameters
    ----------
    immunity : Immunity, ``suppression`` written
    """
    field = immunity.suppression
    blocks = field.shape[0]
    secreted = work[:blocks]
    secreted[:] = 0.0
    factor = 1.0 - signal.response[HELD_JAK1]
    total = 0.0
    for s in range(cell.shape[0]):
        g = np.int64(cell[s] & GENOTYPE)
        if g > 0 and rules.is_mutant[base[g]] == 1:
            here = signal.activity[base[g]] * factor
            secreted[block_of(s, lattice)] += here
            total += here
    if total == 0.0:
        field[:] = 0.0
        return
    for b in range(blocks):
        secreted[b] /= block_sites[b]
    solve(levels, secreted, rules.length, field, work[blocks:], 1e-6, 60)
    for b in range(blocks):
        field[b] = max(0.0, field[b])
