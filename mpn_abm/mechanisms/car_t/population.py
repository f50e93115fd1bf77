"""CAR T agents in the order of their birth: the living close up, daughters are appended."""

import numpy as np
from numba import int64, uint32, uint64

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import DRAWN_TOGETHER, chance
from mpn_abm.mechanisms.car_t.life import DIES, LIVES
from mpn_abm.state import NEXT_UID, SEARCHING, T_CELLS


@jit
def find_living(fate, kept):
    """List who does not die; returns how many."""
    # unsigned, as a signed index may be negative for all that the compiler knows; an entry is written in any case and
    # counted if it was right
    n = uint64(0)
    for j in range(fate.shape[0]):
        kept[n] = uint32(j)
        n += uint64(fate[j] != DIES)
    return int64(n)


@jit
def move(values, first, number, kept, n, to):
    """Move what is listed of values[first : first + number] to places from ``to`` on."""
    old, new = values[first : first + number], values[to : to + n]
    for k in range(n):
        new[k] = old[uint64(kept[k])]


@jit
def close_gaps(first, number, living, walking, agents, hand):
    """Agents in hand close up, in order, to those who live; returns how many live so far.

    walking : bool
        At tissue scale a cell has a state, a target and a heading besides.
    """
    kept = hand.listed
    n = find_living(agents.fate[first : first + number], kept)
    if living == first and n == number:
        return first + number
    move(agents.site, first, number, kept, n, living)
    move(agents.uid, first, number, kept, n, living)
    move(agents.memory, first, number, kept, n, living)
    move(agents.to_go, first, number, kept, n, living)
    move(agents.done, first, number, kept, n, living)
    move(agents.phase, first, number, kept, n, living)
    move(agents.exhaustion, first, number, kept, n, living)
    move(agents.contact, first, number, kept, n, living)
    move(agents.fate, first, number, kept, n, living)
    if walking:
        move(agents.state, first, number, kept, n, living)
        move(agents.target, first, number, kept, n, living)
        move(agents.heading, first, number, kept, n, living)
    return living + n


@jit
def take_out(row, agents, hand, tally):
    """Take one agent out of the marrow."""
    alive = tally[T_CELLS]
    agents.fate[:alive] = LIVES
    agents.fate[row] = DIES
    living = int64(0)
    for first in range(0, alive, DRAWN_TOGETHER):
        living = close_gaps(first, min(int64(DRAWN_TOGETHER), alive - first), living, True, agents, hand)
    tally[T_CELLS] = living


@jit
def chance_of_room(alive, rules):
    """Threshold of the word by which a daughter lives: 1 - T cells over capacity."""
    return chance(1.0 - alive * rules.cells_per_agent / rules.marrow_cells / rules.capacity)


@jit
def bear_daughter(a, agents, tally, site):
    """Append the daughter of agent a: as her mother, but free and with a number of her own."""
    n = tally[T_CELLS]
    agents.site[n] = site
    agents.uid[n] = uint32(tally[NEXT_UID])
    agents.memory[n] = agents.memory[a]
    agents.to_go[n] = agents.to_go[a]
    agents.done[n] = agents.done[a]
    agents.phase[n] = agents.phase[a]
    agents.exhaustion[n] = agents.exhaustion[a]
    agents.contact[n] = agents.contact[a]
    agents.state[n] = SEARCHING
    agents.target[n] = -1
    agents.heading[n] = -1
    agents.fate[n] = LIVES
    tally[NEXT_UID] += 1
    tally[T_CELLS] = n + 1


@jit
def room_for_daughters(agents, tally):
    """Whether every agent could divide in a sub-step."""
    return np.int64(2) * tally[T_CELLS] <= agents.site.shape[0]
