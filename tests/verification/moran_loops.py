"""Compiled loops over replicates of small marrows of wild type and one mutant."""

from numba import uint32, uint64
from verification.kernel_marrow import MUTANT, WILD, run_steps

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import START, replicate_seed, words
from mpn_abm.mechanisms.hematopoiesis.events import run_step
from mpn_abm.mechanisms.hematopoiesis.hazards import set_thresholds


@jit
def keys_of(seed, replicate):
    own = replicate_seed(seed, replicate)
    return uint32(own & uint64(0xFFFFFFFF)), uint32(own >> uint64(32))


@jit
def lay_out(state, first, mutants):
    """A full lattice of wild type with mutants on `mutants` sites from `first` on, counters to match."""
    cell, counters = state.cell, state.counters
    sites = cell.shape[0]
    for s in range(sites):
        cell[s] = uint64(WILD) | (uint64(WILD) << uint64(32))
    for s in range(first, first + mutants):
        cell[s] = uint64(MUTANT) | (uint64(MUTANT) << uint64(32))
    counters.genotype_cells[:] = 0
    counters.clone_cells[:] = 0
    counters.genotype_cells[WILD] = counters.clone_cells[WILD] = sites - mutants
    counters.genotype_cells[MUTANT] = counters.clone_cells[MUTANT] = mutants


@jit
def fixations(state, rules, lattice, dt, seed, replicates):
    """In how many replicates one mutant, whose place goes round the lattice, takes it over."""
    count = state.counters.genotype_cells
    won = 0
    for k in range(replicates):
        key_low, key_high = keys_of(seed, k)
        lay_out(state, k % lattice.sites, 1)
        step = 0
        while count[WILD] > 0 and count[MUTANT] > 0:
            step = run_steps(state, rules, lattice, dt, step, 1, key_low, key_high)
        won += count[WILD] == 0
    return won


@jit
def ups_and_downs(state, rules, lattice, dt, seed, candidates):
    """How often single candidates raise and lower the number of mutants; half of the lattice at the start.

    Every step runs its first candidate alone, so that no two changes can hide each other.
    """
    count = state.counters.genotype_cells
    sites = lattice.sites
    key_low, key_high = keys_of(seed, 0)
    ups, downs = 0, 0
    count[MUTANT] = 0
    for step in range(candidates):
        before = count[MUTANT]
        if before == 0 or before == sites:
            lay_out(state, sites // 4, sites // 2)
            before = count[MUTANT]
        lowest = set_thresholds(count, state.signal, state.immunity.hazard, state.marks, rules, lattice, 1.0, 0, dt)
        run_step(state, rules, lattice, lowest, 1, step, key_low, key_high)
        ups += count[MUTANT] == before + 1
        downs += count[MUTANT] == before - 1
    return ups, downs


@jit
def survival_steps(state, rules, lattice, dt, seed, survived):
    """Steps that one cell on its own completes before it is lost, for every replicate."""
    for k in range(survived.shape[0]):
        key_low, key_high = keys_of(seed, k)
        lay_out(state, 0, 0)
        step = 0
        while state.counters.genotype_cells[WILD] > 0:
            step = run_steps(state, rules, lattice, dt, step, 1, key_low, key_high)
        survived[k] = step - 1


@jit
def scatter_mutants(state, key_low, key_high):
    """Every site holds a mutant with probability 1/2, by the stream of the initial pattern."""
    lay_out(state, 0, 0)
    cell, counters = state.cell, state.counters
    for s in range(cell.shape[0]):
        w0, _, _, _ = words(s, 0, START, 0, key_low, key_high)
        if uint64(w0) < uint64(1 << 31):
            cell[s] = uint64(MUTANT) | (uint64(MUTANT) << uint64(32))
            for counts in (counters.genotype_cells, counters.clone_cells):
                counts[WILD] -= 1
                counts[MUTANT] += 1
