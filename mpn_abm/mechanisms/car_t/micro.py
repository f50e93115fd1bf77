"""CAR T cells at tissue scale: each walks in its own layer, attaches to a cell next to it, holds it and may lyse it.

A sub-step is the time of one hop. Cells are killed at its end, so all agents see the marrow as it stood
when the sub-step began.
"""

import numpy as np
from numba import int32, int64, uint32, uint64

from mpn_abm.kernels.candidates import block_of
from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import AGENT, DRAWN_TOGETHER, TWO_32, chance, decay, draw_block
from mpn_abm.kernels.lattice import sites_around, step_towards
from mpn_abm.mechanisms.car_t.life import (
    DIES,
    DIVIDES,
    draw_words,
    engage,
    exhaustion_of,
    kill_cell,
    live,
    smooth_readout,
    vigour,
)
from mpn_abm.mechanisms.car_t.population import bear_daughter, chance_of_room, close_gaps
from mpn_abm.state import (
    ANTIGEN,
    ANTIGEN_SHIFT,
    CHECKPOINT,
    ENGAGED,
    FORGETTING,
    GENOTYPE,
    KILLING,
    KILLS,
    RESTING,
    SEARCHING,
    T_CELLS,
    T_DIVISION,
    T_KILLING,
)


@jit
def walk(a, agents, ground, rules, lattice, hop_word, turn_word):
    """Hop one site ahead, or stay where scar, a border or another T cell is in the way.

    With the chance of a turn, and when it has no heading, a cell takes a new direction; the part of the word
    below the threshold of the turn chooses it. Scar slows by the mean ECM of both sites,
    in and out alike; a refused hop keeps its heading, which is why persistent walkers still collect in scar.
    """
    directions = uint64(26 if lattice.radius_z > 0 else 8)
    if agents.heading[a] < 0:
        agents.heading[a] = int32((uint64(turn_word) * directions) >> uint64(32))
    elif uint64(turn_word) < rules.turn:
        agents.heading[a] = int32(uint64(turn_word) * directions // rules.turn)
    here = int64(agents.site[a])
    there = step_towards(here, int64(agents.heading[a]), lattice)
    if there < 0 or agents.layer[there] > 0:
        agents.heading[a] = -1
        return
    probability = rules.hop_probability
    if rules.scar_slowing > 0.0:
        scar = ground.ecm[block_of(here, lattice)] + ground.ecm[block_of(there, lattice)]
        probability *= 1.0 - rules.scar_slowing * 0.5 * scar
    if uint64(hop_word) < chance(probability):
        agents.layer[here] = 0
        agents.layer[there] = 1
        agents.site[a] = int32(there)


@jit
def lysis_at(s, cell, lysis, rules):
    """h of the cell at a site, 0 where there is none."""
    word = cell[s]
    g = int64(word & GENOTYPE)
    if g == 0:
        return 0.0
    return lysis[rules.antigen_class[g], (word & ANTIGEN) >> ANTIGEN_SHIFT]


@jit
def attach(
    a, cell, immunity, agents, rules, lattice, step, sub, today, around, attach_word, which_word, key_low, key_high
):  # fmt: skip
    """Pick one of the targets around and attach to it at h(a)/t_att."""
    n = sites_around(int64(agents.site[a]), lattice, around)
    targets = 0
    for k in range(n):
        if lysis_at(around[k], cell, immunity.lysis, rules) > 0.0:
            around[targets] = around[k]
            targets += 1
    if targets == 0:
        return
    s = around[(uint64(which_word) * uint64(targets)) >> uint64(32)]
    pull = lysis_at(s, cell, immunity.lysis, rules) / rules.attach_time
    if uint64(attach_word) >= chance(1.0 - decay(rules.sub_step * pull)):
        return
    agents.state[a] = ENGAGED
    agents.target[a] = int32(s)
    word = cell[s]
    activation = immunity.activation[rules.antigen_class[int64(word & GENOTYPE)], (word & ANTIGEN) >> ANTIGEN_SHIFT]
    commit, _, _, _ = draw_words(agents.uid[a], step, sub, 2, key_low, key_high)
    engage(a, agents, rules, today, chance(activation), commit)


@jit
def lysis_of_held(a, cell, signal, immunity, agents, rules, lattice):
    """Probability that an agent lyses the cell that it holds: p_lyse (1 - S)(1 - e) and what drugs leave of it."""
    s = int64(agents.target[a])
    base = rules.base[int64(cell[s] & GENOTYPE)]
    suppression = immunity.suppression[block_of(s, lattice)]
    work = vigour(exhaustion_of(agents.exhaustion[a], rules), immunity.checkpoint[base], suppression)
    return rules.lysis_probability * work * immunity.strain[T_KILLING] * signal.factor[KILLING, base]


@jit
def claim_target(a, agents, priority):
    """A site named twice goes to the largest (priority, uid)."""
    s = agents.target[a]
    agents.claim[a] = priority
    holder = int64(agents.touched[s]) - 1
    if holder >= 0:
        ahead = agents.claim[holder] > priority or (
            agents.claim[holder] == priority and agents.uid[holder] > agents.uid[a]
        )
        if ahead:
            return
    agents.touched[s] = int32(a + 1)


@jit
def act(
    cell, ground, signal, immunity, agents, tally, rules, lattice, step, sub, today, around, release, wake, key_low,
    key_high,
):  # fmt: skip
    """Every agent, in order: search, hold or rest."""
    for a in range(tally[T_CELLS]):
        agents.claim[a] = uint32(0)
        if agents.state[a] == SEARCHING:
            w0, w1, w2, w3 = draw_words(agents.uid[a], step, sub, 0, key_low, key_high)
            walk(a, agents, ground, rules, lattice, w0, w1)
            attach(a, cell, immunity, agents, rules, lattice, step, sub, today, around, w2, w3, key_low, key_high)
            continue
        w0, w1, w2, _ = draw_words(agents.uid[a], step, sub, 1, key_low, key_high)
        if agents.state[a] == RESTING:
            if uint64(w0) < wake:
                agents.state[a] = SEARCHING
            continue
        if uint64(w0) >= release:
            continue
        agents.state[a] = RESTING
        lyses = lysis_of_held(a, cell, signal, immunity, agents, rules, lattice)
        if uint64(w1) < chance(lyses) and lysis_at(agents.target[a], cell, immunity.lysis, rules) > 0.0:
            claim_target(a, agents, w2)
        else:
            agents.target[a] = -1


@jit
def settle_claims(cell, source, counters, ledger, agents, tally, cell_rules, lattice):
    """The agent that holds a claim empties the site; claims are cleared by the same list."""
    for a in range(tally[T_CELLS]):
        s = int64(agents.target[a])
        if agents.state[a] != RESTING or s < 0:
            continue
        if agents.touched[s] == a + 1:
            kill_cell(
                s, block_of(s, lattice), cell, source, counters, ledger, tally, cell_rules.base,
                cell_rules.source_weight, cell_rules.antigen_class, cell_rules.is_mutant,
            )  # fmt: skip
    for a in range(tally[T_CELLS]):
        s = int64(agents.target[a])
        if agents.state[a] == RESTING and s >= 0:
            agents.touched[s] = 0
            agents.target[a] = -1


@jit
def place_beside(a, agents, lattice, around, word):
    """A free place of the T layer next to an agent, searched from a random one on; -1 if there is none."""
    n = sites_around(int64(agents.site[a]), lattice, around)
    start = int64((uint64(word) * uint64(n)) >> uint64(32))
    for k in range(n):
        s = around[(start + k) % n]
        if agents.layer[s] == 0:
            return s
    return int64(-1)


@jit
def expand(agents, hand, tally, immunity, rules, lattice, step, sub, today, around, key_low, key_high):
    """Agents live on as at niche scale, but a daughter needs a place of her own next to her mother."""
    alive = tally[T_CELLS]
    daughter_lives = chance_of_room(alive, rules)
    strain = immunity.strain
    living = int64(0)
    for first in range(0, alive, DRAWN_TOGETHER):
        number = min(int64(DRAWN_TOGETHER), alive - first)
        draw_block(agents.uid, first, number, step, AGENT, sub * 4 + 2, key_low, key_high, hand.life)
        for j in range(number):
            exhausted = exhaustion_of(agents.exhaustion[first + j], rules)
            suppression = immunity.suppression[block_of(int64(agents.site[first + j]), lattice)]
            hand.work[j] = vigour(exhausted, strain[CHECKPOINT], suppression) * strain[T_DIVISION]
        live(first, number, agents, hand, rules, today, daughter_lives, strain[FORGETTING])
        for a in range(first, first + number):
            if agents.fate[a] == DIES:
                agents.layer[agents.site[a]] = 0
        living = close_gaps(first, number, living, True, agents, hand)
    tally[T_CELLS] = living
    for a in range(tally[T_CELLS]):
        if agents.fate[a] == DIVIDES:
            _, _, _, w3 = draw_words(agents.uid[a], step, sub, 1, key_low, key_high)
            s = place_beside(a, agents, lattice, around, w3)
            if s >= 0:
                agents.layer[s] = 1
                bear_daughter(a, agents, tally, int32(s))


@jit
def micro_sub_step(
    cell, ground, counters, ledger, signal, immunity, agents, hand, tally, cell_rules, rules, lattice, step, sub,
    today, key_low, key_high,
):  # fmt: skip
    """One sub-step at tissue scale."""
    around = agents.around
    release = chance(1.0 - decay(rules.sub_step / rules.engagement_time))
    wake = TWO_32 if rules.rest_time <= 0.0 else chance(1.0 - decay(rules.sub_step / rules.rest_time))
    act(
        cell, ground, signal, immunity, agents, tally, rules, lattice, step, sub, today, around, release, wake,
        key_low, key_high,
    )  # fmt: skip
    kills = tally[KILLS]
    settle_claims(cell, ground.source, counters, ledger, agents, tally, cell_rules, lattice)
    agents.readout[1] = (tally[KILLS] - kills) / rules.marrow_cells / rules.sub_step
    smooth_readout(agents, rules)
    expand(agents, hand, tally, immunity, rules, lattice, step, sub, today, around, key_low, key_high)


def walk_turn(sub_step: float, persistence: float) -> np.uint64:
    """Threshold of the word that turns a walker in a sub-step."""
    return np.uint64(int((1.0 - np.exp(-sub_step / persistence)) * 2.0**32))
