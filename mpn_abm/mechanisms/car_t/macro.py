"""CAR T cells at niche scale: an agent stands for many T cells, a site for seven million marrow cells.

What feeds and occupies T cells are progenitors and megakaryocytes, not the rare stem cells. With f the share
of marrow cells that carry the antigen, z = 1 - (1-f)^26 the chance that a T cell touches one:
engagements per T cell c = 1/(t_att/(h z) + t_eng + t_rest); a CALR stem cell is one target among f and is
killed with hazard (z/f) p_lyse (1-S)(1-e) h(a) n_T/t_att, n_T T cells per marrow cell over the 3 x 3 sites.
"""

import numpy as np
from numba import int32, int64, uint64

from mpn_abm.kernels.candidates import block_of, place
from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import KILL, chance, decay, words
from mpn_abm.kernels.lattice import sites_around
from mpn_abm.mechanisms.car_t.life import (
    DIVIDES,
    bear_daughter,
    draw_words,
    engage,
    exhaustion_of,
    kill_cell,
    live,
    needs_words,
    remove_dead,
    smooth_readout,
    vigour,
)
from mpn_abm.state import (
    ANTIGEN,
    ANTIGEN_SHIFT,
    CHECKPOINT,
    FORGETTING,
    GENOTYPE,
    KILLING,
    MARK,
    SUPPRESSION,
    T_CELLS,
    T_DIVISION,
    T_KILLING,
)

FORCE = 65536.0


@jit
def receptor_share_around(around, n, cell, signal, immunity, rules):
    """f, the mean h and g of the receptor-bearing cells, and the mean factor of killing, of the sites around.

    f is the receptor share times the antigen-positive part of the megakaryocyte output, 1 + b A a stem cell. The
    factor, what drugs multiply killing by, is the mean over what T cells hold.
    """
    output = 0.0
    positive = 0.0
    lysis = 0.0
    activation = 0.0
    killed = 0.0
    for k in range(n):
        g = int64(cell[around[k]] & GENOTYPE)
        if g == 0:
            continue
        share = 1.0 + rules.output[g] * signal.activity[rules.base[g]]
        output += share
        antigen = rules.antigen_class[g]
        if antigen > 0:
            positive += share
            held = share * immunity.lysis_progenitor[antigen]
            lysis += held
            killed += held * signal.factor[KILLING, rules.base[g]]
            activation += share * immunity.activation_progenitor[antigen]
    if positive == 0.0:
        return 0.0, 0.0, 0.0, 1.0
    factor = killed / lysis if lysis > 0.0 else 1.0
    return rules.receptor_share * positive / output, lysis / positive, activation / positive, factor


@jit
def touching(f):
    """z = 1 - (1-f)^26: the chance that one of 26 neighbours is a target."""
    miss = 1.0 - f
    two = miss * miss
    eight = two * two * two * two
    return 1.0 - eight * eight * eight * two


@jit
def search_and_engage(
    cell, signal, immunity, agents, tally, rules, lattice, step, sub, today, around, key_low, key_high
):  # fmt: skip
    """Agents move, meet receptor-bearing cells and add their force around; returns the sites with a force."""
    touched = int64(0)
    kills_per_day = 0.0
    layer = agents.layer
    checkpoint, suppression = immunity.strain[CHECKPOINT], immunity.strain[SUPPRESSION]
    killing = rules.lysis_probability * immunity.strain[T_KILLING]
    for a in range(tally[T_CELLS]):
        w0, w1, w2, _ = draw_words(agents.uid[a], step, sub, 0, key_low, key_high)
        if uint64(w0) < rules.relocation:
            agents.site[a] = int32(place(w1, lattice))
        n = sites_around(int64(agents.site[a]), lattice, around)
        exhausted = exhaustion_of(agents.exhaustion[a], rules)
        work = vigour(exhausted, checkpoint, suppression)
        force = int32(work * FORCE)
        if force > 0:
            for k in range(n):
                s = around[k]
                if layer[s] == 0:
                    agents.touched[touched] = int32(s)
                    touched += 1
                layer[s] += force
        f, lysis, activation, factor = receptor_share_around(around, n, cell, signal, immunity, rules)
        if f == 0.0 or lysis == 0.0:
            continue
        wait = rules.attach_time / (lysis * touching(f)) + rules.engagement_time + rules.rest_time
        kills_per_day += killing * factor * work / wait
        if uint64(w2) < chance(1.0 - decay(rules.sub_step / wait)):
            commit, _, _, _ = draw_words(agents.uid[a], step, sub, 2, key_low, key_high)
            engage(a, agents, rules, today, activation, commit)
    agents.readout[1] = kills_per_day * rules.cells_per_agent / rules.marrow_cells
    return touched


@jit
def kill_targets(
    touched, cell, source, counters, ledger, signal, immunity, agents, tally, cell_rules, rules, lattice, step, sub,
    around, key_low, key_high,
):  # fmt: skip
    """Every target with agents around is killed or not by a draw of its own, so the order does not matter.

    All are judged before the first is removed.
    """
    layer = agents.layer
    places = 27.0 if lattice.radius_z > 0 else 9.0
    # T cells per marrow cell that a unit of force around a site stands for
    density = rules.cells_per_agent / FORCE / (places * rules.marrow_cells / lattice.sites)
    for k in range(touched):
        s = int64(agents.touched[k])
        word = cell[s]
        g = int64(word & GENOTYPE)
        if g == 0:
            continue
        lysis = immunity.lysis[rules.antigen_class[g], (word & ANTIGEN) >> ANTIGEN_SHIFT]
        if lysis == 0.0:
            continue
        n = sites_around(s, lattice, around)
        f, _, _, _ = receptor_share_around(around, n, cell, signal, immunity, rules)
        per_target = touching(f) / f if f > 0.0 else 26.0
        killing = rules.lysis_probability * immunity.strain[T_KILLING] * signal.factor[KILLING, rules.base[g]]
        hazard = per_target * killing * lysis * (layer[s] * density) / rules.attach_time
        w0, _, _, _ = words(s, step, KILL, sub, key_low, key_high)
        if uint64(w0) < chance(1.0 - decay(hazard * rules.sub_step)):
            cell[s] |= MARK
    for k in range(touched):
        s = int64(agents.touched[k])
        layer[s] = 0
        if cell[s] & MARK:
            cell[s] &= ~MARK
            kill_cell(
                s, block_of(s, lattice), cell, source, counters, ledger, tally, cell_rules.base,
                cell_rules.source_weight, cell_rules.antigen_class, cell_rules.is_mutant,
            )  # fmt: skip


@jit
def expand(agents, tally, strain, rules, step, sub, today, key_low, key_high):
    """Committed cells advance and divide, the others die or turn into memory."""
    crowding = tally[T_CELLS] * rules.cells_per_agent / rules.marrow_cells / rules.capacity
    daughter_lives = chance(1.0 - crowding)
    for a in range(tally[T_CELLS]):
        exhausted = exhaustion_of(agents.exhaustion[a], rules)
        pace = vigour(exhausted, strain[CHECKPOINT], strain[SUPPRESSION]) * strain[T_DIVISION]
        w1, w2, w3 = np.uint32(0), np.uint32(0), np.uint32(0)
        if needs_words(a, agents, rules, today, pace):
            _, w1, w2, w3 = draw_words(agents.uid[a], step, sub, 2, key_low, key_high)
        agents.fate[a] = live(a, agents, rules, today, pace, daughter_lives, w1, w2, w3)
        agents.exhaustion[a] *= strain[FORGETTING]
    remove_dead(agents, tally)
    for a in range(tally[T_CELLS]):
        if agents.fate[a] == DIVIDES:
            bear_daughter(a, agents, tally, agents.site[a])


@jit
def macro_sub_step(
    cell, source, counters, ledger, signal, immunity, agents, tally, cell_rules, rules, lattice, step, sub, today,
    key_low, key_high,
):  # fmt: skip
    """One sub-step at niche scale."""
    around = agents.around
    touched = search_and_engage(
        cell, signal, immunity, agents, tally, rules, lattice, step, sub, today, around, key_low, key_high
    )
    kill_targets(
        touched, cell, source, counters, ledger, signal, immunity, agents, tally, cell_rules, rules,
        lattice, step, sub, around, key_low, key_high,
    )  # fmt: skip
    smooth_readout(agents, rules)
    expand(agents, tally, immunity.strain, rules, step, sub, today, key_low, key_high)
