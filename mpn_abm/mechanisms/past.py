"""Transformed clones that are under way on day 0: a patient who starts with mutant cells has a past.

With n mutant stem cells of the patient, hits u a cell and year that survive, and s the growth of the clone, there are
Poisson(u n (1 - exp(-s T))/s) such clones, T = ln(0.1 n)/(growth of transformed cells); their age t has density
exp(-s t) up to T, their size is exp(growth t).
"""

from numba import int64, uint32, uint64

from mpn_abm.kernels.candidates import block_of, place
from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import PATIENT, TWO_32, decay, words
from mpn_abm.mechanisms.hematopoiesis.events import mutate, turn
from mpn_abm.state import CLONE_SHIFT, EMPTIED, GENOTYPE, NEXT_CLONE, PARENT

# draws of stream PATIENT by genotype and clone
NUMBER_DRAW, AGE_DRAW, PLACE_DRAW = 3, 4, 5
MOST_TRIES = 10_000
MOST_CLONES = 16
YEAR = 365.25


@jit
def logarithm(x):
    """ln x of x >= 1, by bisection of the exponential that is the same on every machine."""
    low, high = 0.0, 64.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if x * decay(middle) > 1.0:
            low = middle
        else:
            high = middle
    return low


@jit
def number_of(mean, word):
    """Poisson number of a random word, by inversion."""
    u = (float(word) + 0.5) / 4294967296.0
    share = decay(mean)
    reached = share
    number = 0
    while u > reached and number < MOST_CLONES:
        number += 1
        share *= mean / number
        reached += share
    return number


@jit
def age_of(word, s, horizon):
    """Age in years of density exp(-s t) up to the horizon."""
    u = (float(word) + 0.5) / 4294967296.0
    if s * horizon < 1e-9:
        return u * horizon
    return logarithm(1.0 / (1.0 - u * (1.0 - decay(s * horizon)))) / s


@jit
def random_cell_of(genotype, clone, first, cell, lattice, key_low, key_high):
    """A random site with a cell of this genotype and clone (-1: of any), and the number of the next try.

    The site is -1 if none was found.
    """
    for j in range(first, first + MOST_TRIES):
        w0, _, _, _ = words(j, 0, PATIENT, PLACE_DRAW, key_low, key_high)
        s = place(w0, lattice)
        word = cell[s]
        if int64(word & GENOTYPE) == genotype and (clone < 0 or int64(word >> CLONE_SHIFT) == clone):
            return s, j + 1
    return int64(-1), first + MOST_TRIES


@jit
def transform_the_past(
    cell, counters, ledger, clone_table, source, tally, cells, weight, boost, lattice, dt, key_low, key_high
):  # fmt: skip
    """Place the transformed clones of day 0 among the mutant cells that they come from.

    Parameters
    ----------
    weight : float
        Stem cells of the patient that a site stands for; the rates of mutation are multiplied by it already.
    boost : float
        Factor of scar on transformation.
    """
    kind = cells.transformation
    if kind < 0:
        return
    genotypes = counters.genotype_cells.shape[0]
    tries = 0
    for g in range(1, genotypes):
        n = counters.genotype_cells[g] * weight
        rate = cells.mutation_rate[g, kind]
        if rate <= 0.0 or 0.1 * n <= 1.0:
            continue
        new = cells.becomes[g, kind]
        fitness = cells.fitness[new]
        survival = fitness / (fitness + cells.division_rate) if fitness > 0.0 else 0.0
        s = max(cells.fitness[g] * YEAR, 1e-9)
        if survival <= 0.0:
            continue
        growth = cells.transformed_growth * YEAR
        horizon = logarithm(0.1 * n) / growth
        mean = rate * boost * YEAR / weight * survival * n * (1.0 - decay(s * horizon)) / s
        w0, _, _, _ = words(g, 0, PATIENT, NUMBER_DRAW, key_low, key_high)
        for k in range(number_of(mean, w0)):
            w0, w1, _, _ = words(g * MOST_CLONES + k, 0, PATIENT, AGE_DRAW, key_low, key_high)
            age = age_of(w0, s, horizon)
            size = 1.0 / decay(growth * age) / weight
            sites = int64(size)
            # what is left of a site is one or none
            if uint64(w1) < uint64((size - sites) * float(TWO_32)):
                sites += 1
            sites = min(sites, counters.genotype_cells[g] - 1)
            clone = tally[NEXT_CLONE]
            if clone >= clone_table.shape[0]:
                return
            for j in range(sites):
                # the clone has one parent, that of its first cell
                parent = int64(-1) if j == 0 else clone_table[clone, PARENT]
                site, tries = random_cell_of(g, parent, tries, cell, lattice, key_low, key_high)
                if site < 0:
                    break
                block = block_of(site, lattice)
                word = cell[site]
                if j == 0:
                    born = -int64(age * YEAR / dt)
                    emptied = mutate(
                        site, block, kind, word, uint32(0), cell, clone_table, source, counters, ledger, tally, cells,
                        born,
                    )  # fmt: skip
                else:
                    emptied = turn(site, block, new, clone, word, uint32(0), cell, source, counters, ledger, cells)
                if emptied:
                    tally[EMPTIED] += 1
