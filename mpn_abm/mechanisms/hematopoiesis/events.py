"""Stem cells divide, lodge, are displaced, are lost and mutate: the candidates of a step, in order.

An event touches its source and its target, and both follow from the draws alone; the state decides only
what happens there. So the order of a step is the number of the candidate (docs/decisions/0001).
"""

from numba import int64, uint32, uint64

from mpn_abm.kernels.candidates import BATCH, PREFETCH_AHEAD, PREFETCH_SITES, draw_candidates, prefetch
from mpn_abm.kernels.compiler import fused, jit
from mpn_abm.kernels.draws import ALL_ONES, FATE, TWO_32, words
from mpn_abm.state import (
    ANTIGEN,
    ANTIGEN_SHIFT,
    BORN_SITE,
    BORN_STEP,
    CANDIDATES,
    CLONE_GENOTYPE,
    CLONE_SHIFT,
    EMPTIED,
    EVENTS,
    FOUNDER,
    GENOTYPE,
    LOST_STEP,
    NEXT_CLONE,
    PARENT,
    SCARRED,
)

NOTHING, DIVISION, LOSS, MUTATION = 0, 1, 2, 3


@jit
def action_of(word, g, division, loss, mutation):
    """What a 64-bit action word means for a genotype: DIVISION, LOSS, MUTATION + kind or NOTHING."""
    if word < division:
        return DIVISION
    if word < division + loss:
        return LOSS
    from_top = ALL_ONES - word
    reached = uint64(0)
    for k in range(mutation.shape[1]):
        reached += mutation[g, k]
        if from_top < reached:
            return MUTATION + k
    return NOTHING


@jit
def turn(s, block, new, clone, word, fate, cell, source, counters, ledger, rules):
    """The cell at s becomes another genotype and part of another clone; whether its own clone is then empty."""
    g = int64(word & GENOTYPE)
    parent = int64(word >> CLONE_SHIFT)
    old_class, new_class = rules.antigen_class[g], rules.antigen_class[new]
    byte = (word & ANTIGEN) >> ANTIGEN_SHIFT
    if old_class > 0:
        counters.antigen_cells[old_class, byte] -= 1
    elif new_class > 0:
        byte = uint64(fate) >> uint64(24)
    if new_class > 0:
        counters.antigen_cells[new_class, byte] += 1
    cell[s] = uint64(new) | (byte << ANTIGEN_SHIFT) | (uint64(clone) << CLONE_SHIFT)
    counters.genotype_cells[g] -= 1
    counters.genotype_cells[new] += 1
    counters.clone_cells[parent] -= 1
    counters.clone_cells[clone] += 1
    ledger.mutated_from[g] += 1
    ledger.mutated_to[new] += 1
    source[rules.base[g], block] -= rules.source_weight[g]
    source[rules.base[new], block] += rules.source_weight[new]
    return counters.clone_cells[parent] == 0


@jit
def mutate(s, block, kind, word, fate, cell, clone_table, source, counters, ledger, tally, rules, step):
    """The cell at s becomes the founder of a new clone, whose id is the next free number."""
    new = rules.becomes[int64(word & GENOTYPE), kind]
    clone = tally[NEXT_CLONE]
    parent = int64(word >> CLONE_SHIFT)
    facts = clone_table[clone]
    facts[PARENT] = parent
    facts[BORN_STEP] = step
    facts[BORN_SITE] = s
    facts[CLONE_GENOTYPE] = new
    facts[FOUNDER] = clone_table[parent, FOUNDER]
    facts[LOST_STEP] = -1
    tally[NEXT_CLONE] = clone + 1
    return turn(s, block, new, clone, word, fate, cell, source, counters, ledger, rules)


@jit
def run_candidates(
    number, batch, numbers, first, cell, scar, source, marks, counters, ledger, clone_table, tally, rules,
    lowest_mutation, far, step, key_low, key_high,
):  # fmt: skip
    """Run the first candidates of a batch in order; returns how many changed a site and emptied a clone.

    A stripe of the striped executor passes counters of its own.

    Parameters
    ----------
    number : int64
    batch : uint32[5, n]
        Source, target, action, block of the source, block of the target.
    numbers : uint32[n] or uint32[0]
        The candidates' numbers; if empty they are first, first + 1, ...
    lowest_mutation : uint64
        No genotype mutates below this action word.
    far : bool
        The lattice exceeds the cache: fetch ahead.
    """
    sources, targets, actions, source_blocks, target_blocks = batch[0], batch[1], batch[2], batch[3], batch[4]
    division, division_scar, loss, mutation = marks.division, marks.division_scar, marks.loss, marks.mutation
    counts, births, losses = counters.genotype_cells, counters.births, counters.losses
    clone_cells, antigen_cells = counters.clone_cells, counters.antigen_cells
    base, source_weight, lodge, antigen_class = rules.base, rules.source_weight, rules.lodge, rules.antigen_class
    displacement = rules.displacement
    scarred = tally[SCARRED] > 0
    in_order = numbers.shape[0] == 0
    low_half = uint64(0xFFFFFFFF)
    changed = int64(0)
    emptied = int64(0)
    if far:
        for j in range(min(PREFETCH_AHEAD, number)):
            prefetch(cell, int64(sources[j]))
            prefetch(cell, int64(targets[j]))
    for j in range(number):
        if far and j + PREFETCH_AHEAD < number:
            prefetch(cell, int64(sources[j + PREFETCH_AHEAD]))
            prefetch(cell, int64(targets[j + PREFETCH_AHEAD]))
        s = sources[j]
        word = cell[s]
        g = word & GENOTYPE
        b = division[g] - division_scar[g] * uint64(scar[source_blocks[j]])
        end = b + loss[g]
        low = uint64(actions[j]) << uint64(32)
        high = low | low_half
        if low >= end and high < lowest_mutation:
            continue
        if g == uint64(0):
            continue
        action = NOTHING
        i = uint32(first + j) if in_order else numbers[j]
        if high < b:
            action = DIVISION
        elif low >= b and high < end:
            action = LOSS
        else:
            fate, _, _, _ = words(i, step, FATE, 0, key_low, key_high)
            action = action_of(low | uint64(fate), g, b, loss[g], mutation)
            if action == NOTHING:
                continue
        if action == DIVISION:
            t = targets[j]
            if t == s:
                continue
            other = cell[t]
            h = other & GENOTYPE
            e = scar[target_blocks[j]] if scarred else 0
            daughter = word
            lodging = e != 0
            displacing = h != uint64(0) and displacement < TWO_32
            antigen = antigen_class[g]
            if lodging or displacing or antigen > 0:
                _, f1, f2, f3 = words(i, step, FATE, 0, key_low, key_high)
                if lodging and uint64(f3) >= lodge[e]:
                    continue
                if displacing and uint64(f1) >= displacement:
                    continue
                if antigen > 0:
                    byte = uint64(f2) >> uint64(24)
                    daughter = (word & ~ANTIGEN) | (byte << ANTIGEN_SHIFT)
                    antigen_cells[antigen, byte] += 1
            if antigen_class[h] > 0:
                antigen_cells[antigen_class[h], (other & ANTIGEN) >> ANTIGEN_SHIFT] -= 1
            changed += 1
            births[g] += 1
            losses[h] += 1
            cell[t] = daughter
            if (other >> CLONE_SHIFT) != (word >> CLONE_SHIFT):
                clone_cells[word >> CLONE_SHIFT] += 1
                clone_cells[other >> CLONE_SHIFT] -= 1
                if clone_cells[other >> CLONE_SHIFT] == 0:
                    emptied += 1
                if g != h:
                    counts[g] += 1
                    counts[h] -= 1
                    tb = target_blocks[j]
                    source[base[g], tb] += source_weight[g]
                    source[base[h], tb] -= source_weight[h]
        elif action == LOSS:
            cell[s] = uint64(0)
            changed += 1
            losses[g] += 1
            counts[g] -= 1
            counts[0] += 1
            clone_cells[word >> CLONE_SHIFT] -= 1
            clone_cells[0] += 1
            if clone_cells[word >> CLONE_SHIFT] == 0:
                emptied += 1
            source[base[g], source_blocks[j]] -= source_weight[g]
            if antigen_class[g] > 0:
                antigen_cells[antigen_class[g], (word & ANTIGEN) >> ANTIGEN_SHIFT] -= 1
        else:
            _, _, f2, _ = words(i, step, FATE, 0, key_low, key_high)
            changed += 1
            if mutate(
                int64(s), int64(source_blocks[j]), action - MUTATION, word, f2, cell, clone_table, source,
                counters, ledger, tally, rules, step,
            ):  # fmt: skip
                emptied += 1
    return changed, emptied


@fused
def run_step(marrow, rules, lattice, lowest_mutation, number, step, key_low, key_high):
    """One step of birth_death on one thread."""
    cell, scar, source = marrow.cell, marrow.ground.scar, marrow.ground.source
    marks, counters, tally = marrow.marks, marrow.counters, marrow.tally
    far = lattice.sites > PREFETCH_SITES
    no_numbers = marks.batch[0, :0]
    first = int64(0)
    while first < number:
        n = min(int64(BATCH), number - first)
        draw_candidates(first, n, step, key_low, key_high, lattice, rules.recirculation, marks.batch)
        changed, emptied = run_candidates(
            n, marks.batch, no_numbers, first, cell, scar, source, marks, counters, marrow.ledger, marrow.clone_table,
            tally, rules, lowest_mutation, far, step, key_low, key_high,
        )  # fmt: skip
        tally[EVENTS] += changed
        tally[EMPTIED] += emptied
        first += n
    tally[CANDIDATES] += number


@jit
def note_lost_clones(clone_cells, clone_table, tally, step):
    """Clones whose last cell went in this step are lost now; returns how many are left, -1 if none was lost."""
    if tally[EMPTIED] == 0:
        return -1
    tally[EMPTIED] = 0
    alive = 0
    for clone in range(1, tally[NEXT_CLONE]):
        if clone_cells[clone] > 0:
            alive += 1
        elif clone_table[clone, LOST_STEP] == -1:
            clone_table[clone, LOST_STEP] = step
    return alive
