"""The life of a CAR T cell, the same at both scales: commitment, division, death, memory, exhaustion."""

import numpy as np
from numba import int16, int64, uint8, uint32, uint64

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import AGENT, words
from mpn_abm.mechanisms.placement import vacate
from mpn_abm.state import (
    HEALTHY_KILLED,
    KILLS,
    NEXT_UID,
    SEARCHING,
    T_CELLS,
)

# what a sub-step decided for an agent
LIVES, DIES, DIVIDES = 0, 1, 2


@jit
def exhaustion_of(x, rules):
    """e = x^4 / (x^4 + 40^4) of an engagement counter x."""
    if x <= 0.0:
        return 0.0
    ratio = x / rules.exhaustion_half
    power = ratio * ratio
    power = power * power if rules.exhaustion_exponent == 4.0 else ratio**rules.exhaustion_exponent
    return power / (power + 1.0)


@jit
def vigour(exhausted, checkpoint, suppression):
    """(1 - S)(1 - e), S = 1 - (1 - c e)/(1 + M): what exhaustion, PD-L1 and suppression leave of a T cell's work."""
    return (1.0 - exhausted) * (1.0 - checkpoint * exhausted) / (1.0 + suppression)


@jit
def draw_words(uid, step, sub, k, key_low, key_high):
    """Four words of an agent in a sub-step; k says what they are for."""
    return words(uid, step, AGENT, sub * 4 + k, key_low, key_high)


@jit
def engage(a, agents, rules, today, commits, commit_word):
    """Count an engagement; the antigen, by a threshold, decides whether the cell is committed to divide."""
    agents.exhaustion[a] += 1.0
    agents.contact[a] = today
    if uint64(commit_word) < commits and agents.done[a] < rules.max_divisions:
        agents.to_go[a] = rules.programme_divisions
        agents.memory[a] = 0


@jit
def live(a, agents, rules, today, pace, daughter_lives, lives_word, dies_word, memory_word):
    """Grow, divide, die or become memory in one sub-step; returns LIVES, DIES or DIVIDES.

    pace : float
        Factor on the growth of the cycle phase, with the engagement of this sub-step.
    daughter_lives : uint64
        Threshold of a 32-bit word: 1 - T cells over capacity.
    """
    # everything is worked out for every agent: a processor that guesses at branches is wrong about too many
    is_memory = agents.memory[a] == 1
    to_go, done = agents.to_go[a], agents.done[a]
    grows = (not is_memory) & (to_go > 0) & (done < rules.max_divisions)
    phase = agents.phase[a] + (rules.phase_growth * pace if grows else 0.0)
    divides = grows & (phase >= 1.0)
    agents.phase[a] = phase - (1.0 if divides else 0.0)
    agents.done[a] = done + int16(divides)
    agents.to_go[a] = to_go - int16(divides)
    is_lost = (not is_memory) & (not grows) & (today - agents.contact[a] > rules.grace)
    danger = rules.memory_death if is_memory else (rules.death if is_lost else uint64(0))
    is_hit = uint64(dies_word) < danger
    settles = is_hit & (not is_memory) & (uint64(memory_word) < rules.memory_share)
    agents.memory[a] = uint8(is_memory | settles)
    fate = DIVIDES if divides & (uint64(lives_word) < daughter_lives) else LIVES
    return DIES if is_hit & (not settles) else fate


@jit
def copy_life(agents, source, target):
    """Copy one agent over another, but for its scratch and what only tissue knows: held targets, rest and heading."""
    agents.site[target] = agents.site[source]
    agents.uid[target] = agents.uid[source]
    agents.memory[target] = agents.memory[source]
    agents.to_go[target] = agents.to_go[source]
    agents.done[target] = agents.done[source]
    agents.phase[target] = agents.phase[source]
    agents.exhaustion[target] = agents.exhaustion[source]
    agents.contact[target] = agents.contact[source]


@jit
def copy_agent(agents, source, target):
    """Copy one agent over another, its scratch left out."""
    copy_life(agents, source, target)
    agents.state[target] = agents.state[source]
    agents.target[target] = agents.target[source]
    agents.heading[target] = agents.heading[source]


@jit
def bear_daughter(a, agents, tally, site):
    """Append the daughter of agent a: as her mother, but free and with a number of her own."""
    n = tally[T_CELLS]
    copy_agent(agents, a, n)
    agents.site[n] = site
    agents.uid[n] = uint32(tally[NEXT_UID])
    agents.state[n] = SEARCHING
    agents.target[n] = -1
    agents.heading[n] = -1
    agents.fate[n] = LIVES
    tally[NEXT_UID] += 1
    tally[T_CELLS] = n + 1


@jit
def remove_dead(agents, tally):
    """Close the gaps that the dead leave, in order."""
    n = tally[T_CELLS]
    m = int64(0)
    for a in range(n):
        if agents.fate[a] != DIES:
            if m != a:
                copy_agent(agents, a, m)
                agents.fate[m] = agents.fate[a]
            m += 1
    tally[T_CELLS] = m


@jit
def kill_cell(s, block, cell, source, counters, ledger, tally, base, source_weight, antigen_class, is_mutant):
    """Empty a site; the cell is killed, not lost."""
    g = vacate(s, block, cell, source, counters, tally, base, source_weight, antigen_class)
    ledger.killed[g] += 1
    tally[KILLS] += 1
    if is_mutant[g] == 0:
        tally[HEALTHY_KILLED] += 1


@jit
def smooth_readout(agents, rules):
    """Move the smoothed killing rate towards that of the sub-step."""
    agents.readout[0] += rules.readout_weight * (agents.readout[1] - agents.readout[0])


@jit
def room_for_daughters(agents, tally):
    """Whether every agent could divide in a sub-step."""
    return np.int64(2) * tally[T_CELLS] <= agents.site.shape[0]
