"""One large marrow on several threads, bit for bit as on one.

The lattice is cut into stripes of rows (or planes), one a thread, on borders of the coarse blocks.

1. Each thread draws its share of the numbers and lists the candidates by stripe. A candidate that may divide
   across a border goes into both lists.
2. Each stripe sifts its list in order. What crosses a border, and whatever touches a site that something put
   off earlier touches, is put off and marks its sites. Marks depend on positions alone, never on state,
   so sifting comes before executing; then the rest is executed in order.
3. What was put off is merged by number and executed by one thread.

Two candidates that share a site thus run in the order of their numbers. Candidates that could mutate are
always put off: clone ids are given by one thread, in the order of the numbers.
"""

import numpy as np
from numba import int64, prange, uint32, uint64

from mpn_abm.kernels.candidates import BATCH, PREFETCH_AHEAD, draw_candidates, prefetch
from mpn_abm.kernels.compiler import allocating_jit, jit, parallel_jit
from mpn_abm.mechanisms.hematopoiesis.events import run_candidates
from mpn_abm.state import CANDIDATES, EMPTIED, EVENTS, MARK, NEXT_CLONE, Counters

LOCAL, CROSSING, FAR_SIDE = 0, 1, 2
# rows of a list: those of a batch, then number and kind
NUMBER, KIND, LIST_ROWS = 5, 6, 7
# counters of two threads in one cache line make two threads slower than one
PADDING = 32


def stripe_borders(lattice, stripes: int) -> np.ndarray:
    """First site of each stripe and the end; a thin lattice leaves some stripes empty."""
    layers = lattice.height if lattice.radius_z == 0 else lattice.depth
    layer_sites = lattice.sites // layers
    blocks = (layers + 3) // 4
    borders = [min(4 * (blocks * k // stripes), layers) * layer_sites for k in range(stripes + 1)]
    return np.array(borders, np.int64)


class StripeRoom:
    """Lists and counters of the stripes, made once and made larger when a step needs more."""

    def __init__(self, marrow, lattice, stripes: int, candidates: int):
        self.stripes = stripes
        self.capacity = candidates
        self.clone_capacity = marrow.clone_table.shape[0]
        share = candidates // stripes + 1
        self.lists = np.zeros((stripes, stripes, LIST_ROWS, share), np.uint32)
        self.lengths = np.zeros((stripes, stripes + PADDING), np.int64)
        self.put_off = np.zeros((stripes, LIST_ROWS, candidates), np.uint32)
        self.kept = np.zeros((stripes, LIST_ROWS, candidates), np.uint32)
        self.put_off_lengths = np.zeros((stripes, PADDING), np.int64)
        self.merged = np.zeros((LIST_ROWS, candidates), np.uint32)
        self.batches = np.zeros((stripes, 5, BATCH), np.uint32)
        genotypes = marrow.counters.genotype_cells.shape[0]
        padded = PADDING * (genotypes // PADDING + 1)
        self.counts = np.zeros((stripes, 3, padded), np.int64)
        self.antigen = np.zeros((stripes, *marrow.counters.antigen_cells.shape), np.int64)
        self.clones = np.zeros((stripes, marrow.counters.clone_cells.shape[0] + PADDING), np.int64)
        self.borders = stripe_borders(lattice, stripes)

    def arrays(self) -> tuple[np.ndarray, ...]:
        """The arrays, in the order in which ``run_step_striped`` takes them."""
        return (
            self.lists, self.lengths, self.put_off, self.kept, self.put_off_lengths, self.merged, self.batches,
            self.counts, self.clones, self.antigen, self.borders,
        )  # fmt: skip


@jit
def stripe_of(site, borders):
    k = 0
    while int64(site) >= borders[k + 1]:
        k += 1
    return k


@jit
def list_candidates(
    start, end, step, key_low, key_high, lattice, recirculation, highest_division, highest_event, lowest_mutation,
    borders, batch, lists, lengths,
):  # fmt: skip
    """Draw candidates start .. end - 1 and append each to the list of its stripe (and of its target's).

    highest_division, highest_event : uint32
        High halves above which no genotype divides, or does anything but mutate.
    lowest_mutation : uint32
        High half from which on some genotype may mutate.
    lists : uint32[stripes, LIST_ROWS, n], written
    lengths : int64[stripes], written
    """
    for k in range(borders.shape[0] - 1):
        lengths[k] = 0
    first = start
    while first < end:
        number = min(int64(BATCH), end - first)
        draw_candidates(first, number, step, key_low, key_high, lattice, recirculation, batch)
        for j in range(number):
            action = batch[2, j]
            if action > highest_event and action < lowest_mutation:
                continue
            s = batch[0, j]
            t = batch[1, j]
            home = stripe_of(s, borders)
            kind = LOCAL
            if action >= lowest_mutation:
                kind = CROSSING
            if action <= highest_division:
                other = stripe_of(t, borders)
                if other != home:
                    kind = CROSSING
                    m = lengths[other]
                    lists[other, 0, m] = t
                    lists[other, KIND, m] = FAR_SIDE
                    lengths[other] = m + 1
            elif kind == LOCAL:
                t = s
            m = lengths[home]
            here = lists[home]
            here[0, m] = s
            here[1, m] = t
            here[2, m] = action
            here[3, m] = batch[3, j]
            here[4, m] = batch[4, j]
            here[NUMBER, m] = uint32(first + j)
            here[KIND, m] = kind
            lengths[home] = m + 1
        first += number


@jit
def sift(lists, lengths, q, low, high, cell, kept, put_off):
    """Part the lists of stripe q into what may run now and what is put off; returns both lengths."""
    k_kept = int64(0)
    k_off = int64(0)
    for part in range(lists.shape[0]):
        here = lists[part, q]
        n = lengths[part, q]
        sources, targets, kinds = here[0], here[1], here[KIND]
        for j in range(n):
            if j + PREFETCH_AHEAD < n:
                prefetch(cell, int64(sources[j + PREFETCH_AHEAD]))
                if kinds[j + PREFETCH_AHEAD] == LOCAL:
                    prefetch(cell, int64(targets[j + PREFETCH_AHEAD]))
            s = sources[j]
            if kinds[j] == FAR_SIDE:
                cell[s] |= MARK
                continue
            t = targets[j]
            local = kinds[j] == LOCAL
            if local and ((cell[s] | cell[t]) & MARK) == uint64(0):
                for row in range(KIND):
                    kept[row, k_kept] = here[row, j]
                k_kept += 1
                continue
            cell[s] |= MARK
            if int64(t) >= low and int64(t) < high:
                cell[t] |= MARK
            for row in range(KIND):
                put_off[row, k_off] = here[row, j]
            k_off += 1
    for j in range(k_off):
        cell[put_off[0, j]] &= ~MARK
        t = put_off[1, j]
        if int64(t) >= low and int64(t) < high:
            cell[t] &= ~MARK
    for part in range(lists.shape[0]):
        here = lists[part, q]
        for j in range(lengths[part, q]):
            if here[KIND, j] == FAR_SIDE:
                cell[here[0, j]] &= ~MARK
    return k_kept, k_off


@allocating_jit
def merge(put_off, lengths, merged):
    """What the stripes put off, by number."""
    stripes = put_off.shape[0]
    at = np.zeros(stripes, np.int64)
    m = int64(0)
    while True:
        best = -1
        for k in range(stripes):
            if at[k] < lengths[k, 0] and (best < 0 or put_off[k, NUMBER, at[k]] < put_off[best, NUMBER, at[best]]):
                best = k
        if best < 0:
            return m
        for row in range(KIND):
            merged[row, m] = put_off[best, row, at[best]]
        at[best] += 1
        m += 1


@parallel_jit
def run_stripes(
    cell, scar, source, marks, counters, ledger, clone_table, tally, rules, lattice, lowest_mutation, number, step,
    key_low, key_high, lists, lengths, put_off, kept, put_off_lengths, merged, batches, counts, clones, antigen,
    borders,
):  # fmt: skip
    """The three phases of a step; how many candidates were put off.

    The groups of the marrow come one by one: numba cannot hand a nested tuple to a parallel loop.
    """
    stripes = borders.shape[0] - 1
    genotypes = counters.genotype_cells.shape[0]
    highest_division = uint32(0)
    highest_event = uint32(0)
    for g in range(1, genotypes):
        highest_division = max(highest_division, uint32(marks.division[g] >> uint64(32)))
        highest_event = max(highest_event, uint32((marks.division[g] + marks.loss[g]) >> uint64(32)))
    mutation_high = uint32(lowest_mutation >> uint64(32))
    for q in prange(stripes):
        k = int64(q)
        list_candidates(
            number * k // stripes, number * (k + 1) // stripes, step, key_low, key_high, lattice,
            rules.recirculation, highest_division, highest_event, mutation_high, borders, batches[k],
            lists[k], lengths[k],
        )  # fmt: skip
    changed = np.zeros((stripes, PADDING), np.int64)
    for q in prange(stripes):
        k = int64(q)
        n, off = sift(lists, lengths, k, borders[k], borders[k + 1], cell, kept[k], put_off[k])
        put_off_lengths[k, 0] = off
        own = Counters(counts[k, 0], counts[k, 1], counts[k, 2], clones[k], antigen[k])
        done, _ = run_candidates(
            n, kept[k], kept[k, NUMBER], 0, cell, scar, source, marks, own, ledger, clone_table, tally, rules,
            lowest_mutation, True, step, key_low, key_high,
        )  # fmt: skip
        changed[k, 0] = done
    m = merge(put_off, put_off_lengths, merged)
    done, emptied = run_candidates(
        m, merged, merged[NUMBER], 0, cell, scar, source, marks, counters, ledger, clone_table, tally, rules,
        lowest_mutation, True, step, key_low, key_high,
    )  # fmt: skip
    for k in range(stripes):
        done += changed[k, 0]
        for g in range(genotypes):
            counters.genotype_cells[g] += counts[k, 0, g]
            counters.births[g] += counts[k, 1, g]
            counters.losses[g] += counts[k, 2, g]
            counts[k, 0, g] = 0
            counts[k, 1, g] = 0
            counts[k, 2, g] = 0
        for row in range(antigen.shape[1]):
            for byte in range(256):
                counters.antigen_cells[row, byte] += antigen[k, row, byte]
                antigen[k, row, byte] = 0
        for clone in range(tally[NEXT_CLONE]):
            if clones[k, clone] != 0:
                counters.clone_cells[clone] += clones[k, clone]
                clones[k, clone] = 0
                emptied += 1
    tally[EMPTIED] += emptied
    tally[EVENTS] += done
    tally[CANDIDATES] += number
    return m


@jit
def run_step_striped(marrow, rules, lattice, lowest_mutation, number, step, key_low, key_high, room):
    """One step of birth_death, one stripe a thread; the same bits as ``run_step``.

    Parameters
    ----------
    room : tuple of arrays
        ``StripeRoom.arrays()``, with room for ``number`` candidates.
    """
    return run_stripes(
        marrow.cell, marrow.ground.scar, marrow.ground.source, marrow.marks, marrow.counters, marrow.ledger,
        marrow.clone_table, marrow.tally, rules, lattice, lowest_mutation, number, step, key_low, key_high, *room,
    )  # fmt: skip
