"""CAR T cells enter the marrow."""

import numpy as np
from numba import int32, int64, uint32, uint64

from mpn_abm.kernels.candidates import place
from mpn_abm.kernels.compiler import allocating_jit, jit
from mpn_abm.kernels.draws import AGENT, START, words
from mpn_abm.state import NEXT_UID, SEARCHING, T_CELLS

# draw of stream START that orders the places of entry at tissue scale, one per infusion
ENTRY_DRAW = 4096
ENTRY_WORDS = 3


@jit
def on_face(site, lattice):
    """Whether a site lies on the surface of the lattice."""
    row = site // lattice.width
    plane = row // lattice.height
    x = site - row * lattice.width
    y = row - plane * lattice.height
    flat = x == 0 or x == lattice.width - 1 or y == 0 or y == lattice.height - 1
    return flat or (lattice.radius_z > 0 and (plane == 0 or plane == lattice.depth - 1))


@allocating_jit
def places_of_entry(number, infusion, by_faces, agents, lattice, key_low, key_high):
    """The free places with the smallest random keys; fewer if there are not as many."""
    free = int64(0)
    for s in range(lattice.sites):
        if agents.layer[s] == 0 and (by_faces == 0 or on_face(s, lattice)):
            free += 1
    sites = np.empty(free, np.int64)
    keys = np.empty(free, np.uint64)
    k = int64(0)
    for s in range(lattice.sites):
        if agents.layer[s] == 0 and (by_faces == 0 or on_face(s, lattice)):
            w0, w1, _, _ = words(s, 0, START, ENTRY_DRAW + infusion, key_low, key_high)
            sites[k] = s
            keys[k] = (uint64(w0) << uint64(32)) | uint64(w1)
            k += 1
    return sites[np.argsort(keys, kind="mergesort")[:number]]


@allocating_jit
def infuse(number, infusion, by_faces, tissue, today, agents, tally, lattice, step, key_low, key_high):
    """Append uncommitted, searching agents; returns how many found a place.

    At niche scale a place is drawn for each; at tissue scale one T cell fits a place. The phase of the
    cycle is uniform, so that they do not divide in step.
    """
    sites = np.empty(0, np.int64)
    if tissue == 1:
        sites = places_of_entry(number, infusion, by_faces, agents, lattice, key_low, key_high)
        number = len(sites)
    for k in range(number):
        a = tally[T_CELLS]
        uid = uint32(tally[NEXT_UID])
        w0, w1, _, _ = words(uid, step, AGENT, ENTRY_WORDS, key_low, key_high)
        site = sites[k] if tissue == 1 else place(w0, lattice)
        if tissue == 1:
            agents.layer[site] = 1
        agents.site[a] = int32(site)
        agents.uid[a] = uid
        agents.state[a] = SEARCHING
        agents.memory[a] = 0
        agents.to_go[a] = 0
        agents.done[a] = 0
        agents.phase[a] = w1 / 4294967296.0
        agents.exhaustion[a] = 0.0
        agents.contact[a] = today
        agents.target[a] = -1
        agents.heading[a] = -1
        tally[NEXT_UID] += 1
        tally[T_CELLS] += 1
    return number
