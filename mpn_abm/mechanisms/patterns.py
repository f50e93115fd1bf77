"""Which sites a founder or a scar takes: single ones, discs, patches, or anywhere."""

import numpy as np
from numba import int64, uint64

from mpn_abm.kernels.candidates import place, quotient
from mpn_abm.kernels.compiler import allocating_jit, jit
from mpn_abm.kernels.draws import START, words
from mpn_abm.mechanisms.placement import site_key

SCATTERED, PATCHES, DISC, SINGLE = range(4)
# draws of stream START after that of the sites: centres by founder, centres of scar, keys of arrivals
CENTRE_DRAW, SCAR_DRAW, ARRIVAL_DRAW = 1, 1025, 1026


@jit
def squared_distance(a, b, lattice):
    """Squared distance of two sites, across the border if that is nearer on a periodic lattice."""
    row_a, row_b = quotient(a, lattice.width), quotient(b, lattice.width)
    plane_a, plane_b = quotient(row_a, lattice.height), quotient(row_b, lattice.height)
    dx = abs((a - row_a * lattice.width) - (b - row_b * lattice.width))
    dy = abs((row_a - plane_a * lattice.height) - (row_b - plane_b * lattice.height))
    dz = abs(plane_a - plane_b)
    if not lattice.reflecting:
        dx = min(dx, lattice.width - dx)
        dy = min(dy, lattice.height - dy)
        dz = min(dz, lattice.depth - dz)
    return dx * dx + dy * dy + dz * dz


@allocating_jit
def centres_of(number, draw, lattice, key_low, key_high):
    """Places of patches."""
    centres = np.empty(number, np.int64)
    for j in range(number):
        w0, _, _, _ = words(j, 0, START, draw, key_low, key_high)
        centres[j] = place(w0, lattice)
    return centres


@allocating_jit
def ranks_by_distance(centres, sites, draw, lattice, key_low, key_high):
    """uint64[sites]: lower the nearer a site is to a centre; equal distances rank at random."""
    ranks = np.empty(sites.shape[0], np.uint64)
    for i in range(sites.shape[0]):
        nearest = int64(2**30)
        for centre in centres:
            nearest = min(nearest, squared_distance(sites[i], centre, lattice))
        ranks[i] = (uint64(nearest) << uint64(34)) | (site_key(sites[i], draw, key_low, key_high) >> uint64(30))
    return ranks


@allocating_jit
def random_ranks(sites, draw, key_low, key_high):
    """uint64[sites]"""
    ranks = np.empty(sites.shape[0], np.uint64)
    for i in range(sites.shape[0]):
        ranks[i] = site_key(sites[i], draw, key_low, key_high)
    return ranks


@allocating_jit
def lowest_ranked(sites, ranks, number):
    """The sites with the lowest ranks, of equal ones the first; their order is that of the sites.

    Who founds a clone is a set, so nothing has to be sorted.
    """
    if number <= 0 or number >= sites.shape[0]:
        return sites[: max(number, 0)]
    last = np.partition(ranks, number - 1)[number - 1]
    below = int64(0)
    for i in range(ranks.shape[0]):
        below += ranks[i] < last
    equal = number - below
    chosen = np.empty(number, np.int64)
    n = 0
    for i in range(ranks.shape[0]):
        if ranks[i] < last or (ranks[i] == last and equal > 0):
            equal -= ranks[i] == last
            chosen[n] = sites[i]
            n += 1
    return chosen


@allocating_jit
def sites_for(k, start, free, draw, lattice, key_low, key_high):
    """The free sites that founder k takes; all if it asks for more."""
    number = min(start.cells[k], int64(free.shape[0]))
    if start.pattern[k] == PATCHES:
        centres = centres_of(start.patches[k], CENTRE_DRAW + k, lattice, key_low, key_high)
        ranks = ranks_by_distance(centres, free, draw, lattice, key_low, key_high)
    elif start.pattern[k] == DISC:
        middle = (lattice.depth // 2 * lattice.height + lattice.height // 2) * lattice.width + lattice.width // 2
        ranks = ranks_by_distance(np.array([middle]), free, draw, lattice, key_low, key_high)
    else:
        ranks = random_ranks(free, draw, key_low, key_high)
    return lowest_ranked(free, ranks, number)
