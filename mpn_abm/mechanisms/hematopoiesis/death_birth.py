"""The other update rule: a cell is lost first, then a daughter of a neighbour fills the place, by fitness.

Executed on one thread: who fills a place depends on the state of up to 64 drawn sites, so an event is not
bounded by two sites that are known beforehand.
"""

from numba import int64, uint64

from mpn_abm.kernels.candidates import BATCH, block_of, draw_candidates, neighbour, place
from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import FATE, PARENT, threshold, words
from mpn_abm.mechanisms.hematopoiesis.events import LOSS, MUTATION, action_of, mutate
from mpn_abm.mechanisms.hematopoiesis.hazards import RHO, regeneration_factor
from mpn_abm.state import (
    ANTIGEN,
    ANTIGEN_SHIFT,
    CANDIDATES,
    CLONE_SHIFT,
    EMPTIED,
    EVENTS,
    GENOTYPE,
)

MOST_OFFERS = 64


@jit
def find_parent(s, i, cell, scar, marks, rules, lattice, step, key_low, key_high):
    """Offer the place s to drawn cells; the word of the first that takes it, 0 if none does.

    A drawn cell h takes it with probability b_h/b_max, less in scar as its division is.
    """
    for j in range(MOST_OFFERS):
        w0, w1, w2, _ = words(i, step, PARENT, j, key_low, key_high)
        h = place(w1, lattice) if uint64(w0) < rules.recirculation else neighbour(w1, s, lattice)
        word = cell[h]
        g = word & GENOTYPE
        if g == uint64(0):
            continue
        if uint64(w2) < marks.division[g] - marks.division_scar[g] * uint64(scar[block_of(h, lattice)]):
            return word
    return uint64(0)


@jit
def run_step_death_birth(marrow, rules, lattice, dt, lowest_mutation, number, step, key_low, key_high):
    """One step of death_birth."""
    cell, scar, source = marrow.cell, marrow.ground.scar, marrow.ground.source
    marks, counters, ledger, tally = marrow.marks, marrow.counters, marrow.ledger, marrow.tally
    batch, no_thresholds = marks.batch, uint64(0)
    # the empty share is that of the start of the step, as in the thresholds
    regeneration = regeneration_factor(counters.genotype_cells[0], rules, lattice)
    filling = no_thresholds
    if number > 0:
        filling = threshold(rules.division_rate * regeneration * dt / marks.rate[RHO])
    for i in range(number):
        j = i % BATCH
        if j == 0:
            n = min(int64(BATCH), number - i)
            draw_candidates(i, n, step, key_low, key_high, lattice, rules.recirculation, batch)
        s = int64(batch[0, j])
        block = int64(batch[3, j])
        word = cell[s]
        g = int64(word & GENOTYPE)
        f0, _, f2, f3 = words(i, step, FATE, 0, key_low, key_high)
        action = (uint64(batch[2, j]) << uint64(32)) | uint64(f0)
        if g > 0:
            what = action_of(action, g, no_thresholds, marks.loss[g], marks.mutation)
            if what >= MUTATION:
                tally[EVENTS] += 1
                if mutate(
                    s, block, what - MUTATION, word, f2, cell, marrow.clone_table, source, counters, ledger, tally,
                    rules, step,
                ):  # fmt: skip
                    tally[EMPTIED] += 1
            if what != LOSS:
                continue
            tally[EVENTS] += 1
            cell[s] = uint64(0)
            counters.losses[g] += 1
            counters.genotype_cells[g] -= 1
            counters.genotype_cells[0] += 1
            counters.clone_cells[word >> CLONE_SHIFT] -= 1
            counters.clone_cells[0] += 1
            if counters.clone_cells[word >> CLONE_SHIFT] == 0:
                tally[EMPTIED] += 1
            source[rules.base[g], block] -= rules.source_weight[g]
            if rules.antigen_class[g] > 0:
                counters.antigen_cells[rules.antigen_class[g], (word & ANTIGEN) >> ANTIGEN_SHIFT] -= 1
        elif action >= filling:
            continue
        parent = find_parent(s, i, cell, scar, marks, rules, lattice, step, key_low, key_high)
        if parent == uint64(0):
            continue
        e = scar[block]
        if e != 0 and uint64(f3) >= rules.lodge[e]:
            continue
        h = int64(parent & GENOTYPE)
        if rules.antigen_class[h] > 0:
            byte = uint64(f2) >> uint64(24)
            parent = (parent & ~ANTIGEN) | (byte << ANTIGEN_SHIFT)
            counters.antigen_cells[rules.antigen_class[h], byte] += 1
        if g == 0:
            tally[EVENTS] += 1
        cell[s] = parent
        counters.births[h] += 1
        counters.genotype_cells[h] += 1
        counters.genotype_cells[0] -= 1
        counters.clone_cells[parent >> CLONE_SHIFT] += 1
        counters.clone_cells[0] -= 1
        source[rules.base[h], block] += rules.source_weight[h]
    tally[CANDIDATES] += number
