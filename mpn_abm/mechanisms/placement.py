"""Cells that come or go by no birth of the marrow: founders, arrivals, donors, what conditioning kills."""

from numba import int64, uint64

from mpn_abm.kernels.candidates import block_of
from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import START, words
from mpn_abm.state import ANTIGEN, ANTIGEN_SHIFT, CLONE_SHIFT, EMPTIED, GENOTYPE

# draw of stream START that gives a site its place in a random order, and its founder the antigen
SITE_DRAW = 0


@jit
def site_key(site, draw, key_low, key_high):
    """Random order of the sites: 64 bits a site."""
    w0, w1, _, _ = words(site, 0, START, draw, key_low, key_high)
    return (uint64(w0) << uint64(32)) | uint64(w1)


@jit
def antigen_byte_of(site, key_low, key_high):
    """Antigen of a cell that is placed at a site."""
    _, _, w2, _ = words(site, 0, START, SITE_DRAW, key_low, key_high)
    return uint64(w2) >> uint64(24)


@jit
def put_cell(s, clone, genotype, cell, counters, source, cells, lattice, key_low, key_high):
    """A cell that was not born here, on an empty site."""
    byte = uint64(0)
    antigen = cells.antigen_class[genotype]
    if antigen > 0:
        byte = antigen_byte_of(s, key_low, key_high)
        counters.antigen_cells[antigen, byte] += 1
    cell[s] = uint64(genotype) | (byte << ANTIGEN_SHIFT) | (uint64(clone) << CLONE_SHIFT)
    counters.genotype_cells[genotype] += 1
    counters.genotype_cells[0] -= 1
    counters.clone_cells[clone] += 1
    counters.clone_cells[0] -= 1
    if cells.source_weight[genotype] != 0:
        source[cells.base[genotype], block_of(s, lattice)] += cells.source_weight[genotype]


@jit
def vacate(s, block, cell, source, counters, tally, base, source_weight, antigen_class):
    """Empty an occupied site, whatever became of its cell; its genotype."""
    word = cell[s]
    g = int64(word & GENOTYPE)
    clone = word >> CLONE_SHIFT
    cell[s] = uint64(0)
    counters.genotype_cells[g] -= 1
    counters.genotype_cells[0] += 1
    counters.clone_cells[clone] -= 1
    counters.clone_cells[0] += 1
    if counters.clone_cells[clone] == 0:
        tally[EMPTIED] += 1
    if antigen_class[g] > 0:
        counters.antigen_cells[antigen_class[g], (word & ANTIGEN) >> ANTIGEN_SHIFT] -= 1
    source[base[g], block] -= source_weight[g]
    return g


@jit
def clear_site(s, cell, counters, source, tally, cells, lattice):
    """The occupant of a site is lost, and nobody follows."""
    if cell[s] == uint64(0):
        return
    block = block_of(s, lattice)
    g = vacate(
        s, block, cell, source, counters, tally, cells.base, cells.source_weight, cells.antigen_class
    )  # fmt: skip
    counters.losses[g] += 1
