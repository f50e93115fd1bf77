"""CAR T cells at niche scale: an agent stands for many T cells, a site for seven million marrow cells.

What feeds and occupies T cells are progenitors and megakaryocytes, not the rare stem cells. With f the share
of marrow cells that carry the antigen, z = 1 - (1-f)^26 the chance that a T cell touches one:
engagements per T cell c = 1/(t_att/(h z) + t_eng + t_rest); a CALR stem cell is one target among f and is
killed with hazard (z/f) p_lyse (1-S)(1-e) h(a) n_T/t_att, n_T T cells per marrow cell over the 3 x 3 sites.
"""

from numba import int32, int64, uint64

from mpn_abm.kernels.candidates import block_of, place
from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import AGENT, DRAWN_TOGETHER, KILL, chance, decay, draw_block
from mpn_abm.kernels.lattice import sites_around, sum_around
from mpn_abm.mechanisms.car_t.life import (
    DIES,
    DIVIDES,
    bear_daughter,
    copy_life,
    engage,
    exhaustion_of,
    kill_cell,
    live,
    smooth_readout,
    vigour,
)
from mpn_abm.mechanisms.car_t.surroundings import (
    COMMITS,
    ENGAGES,
    KILLS_A_DAY,
    MOST_PER_TARGET,
    PER_TARGET,
    copy_counts,
    count_everywhere,
    count_here,
    take_off,
    weigh,
)
from mpn_abm.state import (
    ANTIGEN,
    ANTIGEN_SHIFT,
    CHECKPOINT,
    FORGETTING,
    GENOTYPE,
    KILLING,
    SUPPRESSION,
    T_CELLS,
    T_DIVISION,
    T_KILLING,
)

FORCE = 65536.0
# sites for each agent above which it takes longer to count everywhere than around every agent
SITES_FOR_EACH = 32


@jit
def may_be_lysed(g, spares, rules):
    """Whether T cells lyse cells of a genotype at all; they spare those without the antigen, as a rule."""
    return not spares or rules.antigen_class[g] > 0


@jit
def add_force(force, around, n, cell, agents, spares, rules, touched):
    """Add an agent's force to the targets around and list those that had none; returns the length of the list."""
    layer = agents.layer
    for k in range(n):
        s = around[k]
        if may_be_lysed(int64(cell[s] & GENOTYPE), spares, rules):
            if layer[s] == 0:
                agents.touched[touched] = int32(s)
                touched += 1
            layer[s] += force
    return touched


@jit
def list_targets(cell, agents, spares, rules):
    """List the targets with a force; returns how many."""
    touched = int64(0)
    for s in range(cell.shape[0]):
        agents.touched[touched] = int32(s)
        touched += int64(may_be_lysed(int64(cell[s] & GENOTYPE), spares, rules)) & int64(agents.layer[s] > 0)
    return touched


# What is true of some agents by chance is listed first and done for the list: a processor that guesses at a branch is
# wrong about each of them. An entry is written in any case and counted if it was right.


@jit
def relocate(first, number, agents, surroundings, rules, lattice):
    """Agents in hand are carried to a random site, by words 0 and 1."""
    drawn, listed = surroundings.drawn, surroundings.listed
    moved = int64(0)
    for j in range(number):
        listed[moved] = j
        moved += int64(uint64(drawn[0, j]) < rules.relocation)
    for k in range(moved):
        agents.site[first + listed[k]] = int32(place(drawn[1, listed[k]], lattice))


@jit
def engage_some(first, number, agents, surroundings, rules, step, sub, today, key_low, key_high):
    """Agents in hand engage by word 2, and a draw of their own says who is committed to divide."""
    drawn, listed = surroundings.drawn, surroundings.listed
    engaged = int64(0)
    for j in range(number):
        listed[engaged] = j
        engaged += int64(uint64(drawn[2, j]) < surroundings.engages[j])
    for k in range(engaged):
        surroundings.asked[k] = agents.uid[first + listed[k]]
    draw_block(surroundings.asked, 0, engaged, step, AGENT, sub * 4 + 2, key_low, key_high, drawn)
    for k in range(engaged):
        engage(first + listed[k], agents, rules, today, surroundings.commits[listed[k]], drawn[0, k])


@jit
def search_and_engage(
    cell, signal, immunity, agents, surroundings, tally, rules, lattice, step, sub, today, everywhere, key_low, key_high
):  # fmt: skip
    """Agents move, meet receptor-bearing cells and add their force around; returns the targets with a force.

    everywhere : bool
        The cells around are counted at all sites, and the forces are summed at the end.
    """
    around, drawn, work = agents.around, surroundings.drawn, surroundings.work
    spares = immunity.lysis[0, 0] == 0.0
    touched = int64(0)
    kills_per_day = 0.0
    checkpoint, suppression = immunity.strain[CHECKPOINT], immunity.strain[SUPPRESSION]
    for first in range(0, tally[T_CELLS], DRAWN_TOGETHER):
        number = min(int64(DRAWN_TOGETHER), tally[T_CELLS] - first)
        draw_block(agents.uid, first, number, step, AGENT, sub * 4, key_low, key_high, drawn)
        site, exhaustion = agents.site[first : first + number], agents.exhaustion[first : first + number]
        for j in range(number):
            work[j] = vigour(exhaustion_of(exhaustion[j], rules), checkpoint, suppression)
        relocate(first, number, agents, surroundings, rules, lattice)
        for j in range(number):
            s = int64(site[j])
            force = int64(work[j] * FORCE)
            if everywhere:
                copy_counts(s, surroundings)
                surroundings.own[s] += force
            else:
                n = sites_around(s, lattice, around)
                count_here(around, n, cell, surroundings, rules)
                if force > 0:
                    touched = add_force(force, around, n, cell, agents, spares, rules, touched)
            # read at once: the next agent may need the slot
            slot = weigh(surroundings, signal, immunity, rules, step)
            kills_per_day += work[j] * surroundings.rate[slot, KILLS_A_DAY]
            surroundings.engages[j] = surroundings.word[slot, ENGAGES]
            surroundings.commits[j] = surroundings.word[slot, COMMITS]
        engage_some(first, number, agents, surroundings, rules, step, sub, today, key_low, key_high)
    killing = rules.lysis_probability * immunity.strain[T_KILLING]
    agents.readout[1] = killing * kills_per_day * rules.cells_per_agent / rules.marrow_cells
    if everywhere:
        sum_around(surroundings.own, lattice, surroundings.line, agents.layer)
        surroundings.own[:] = 0
        return list_targets(cell, agents, spares, rules)
    return touched


@jit
def judge_targets(
    touched, cell, signal, immunity, agents, surroundings, rules, lattice, step, sub, everywhere, key_low, key_high
):  # fmt: skip
    """Every target with agents around is killed or not by a draw of its own, so the order does not matter.

    Returns how many are killed; they are listed in place of the targets, and the forces are cleared.
    """
    layer, around, drawn = agents.layer, agents.around, surroundings.drawn
    places = 27.0 if lattice.radius_z > 0 else 9.0
    # T cells per marrow cell that a unit of force around a site stands for
    density = rules.cells_per_agent / FORCE / (places * rules.marrow_cells / lattice.sites)
    killing = rules.lysis_probability * immunity.strain[T_KILLING]
    killed = int64(0)
    for first in range(0, touched, DRAWN_TOGETHER):
        number = min(int64(DRAWN_TOGETHER), touched - first)
        draw_block(agents.touched, first, number, step, KILL, sub, key_low, key_high, drawn)
        for j in range(number):
            s = int64(agents.touched[first + j])
            word = cell[s]
            g = int64(word & GENOTYPE)
            lysis = immunity.lysis[rules.antigen_class[g], (word & ANTIGEN) >> ANTIGEN_SHIFT]
            share = killing * signal.factor[KILLING, rules.base[g]] * lysis * (layer[s] * density)
            share *= rules.sub_step / rules.attach_time
            layer[s] = 0
            # most words are above what T cells could do at best, so nothing around has to be looked at
            if g == 0 or uint64(drawn[0, j]) > chance(MOST_PER_TARGET * share):
                continue
            if everywhere:
                copy_counts(s, surroundings)
            else:
                n = sites_around(s, lattice, around)
                count_here(around, n, cell, surroundings, rules)
            per_target = surroundings.rate[weigh(surroundings, signal, immunity, rules, step), PER_TARGET]
            if uint64(drawn[0, j]) < chance(1.0 - decay(per_target * share)):
                agents.touched[killed] = int32(s)
                killed += 1
    if everywhere:
        layer[:] = 0
    return killed


@jit
def kill_targets(
    killed, cell, source, counters, ledger, agents, surroundings, tally, cell_rules, rules, lattice, everywhere
):  # fmt: skip
    """Empty the sites listed; all were judged before the first is emptied."""
    for k in range(killed):
        s = int64(agents.touched[k])
        if everywhere:
            take_off(s, int64(cell[s] & GENOTYPE), agents.around, surroundings, rules, lattice)
        kill_cell(
            s, block_of(s, lattice), cell, source, counters, ledger, tally, cell_rules.base,
            cell_rules.source_weight, cell_rules.antigen_class, cell_rules.is_mutant,
        )  # fmt: skip


@jit
def expand(agents, surroundings, tally, strain, rules, step, sub, today, key_low, key_high):
    """Committed cells advance and divide, the others die or turn into memory; the living close the gaps in order."""
    crowding = tally[T_CELLS] * rules.cells_per_agent / rules.marrow_cells / rules.capacity
    daughter_lives = chance(1.0 - crowding)
    # read once: the compiler cannot know that writing `work` leaves them alone, and would not vectorise
    checkpoint, suppression = strain[CHECKPOINT], strain[SUPPRESSION]
    division, forgetting = strain[T_DIVISION], strain[FORGETTING]
    work, drawn = surroundings.work, surroundings.drawn
    living = int64(0)
    for first in range(0, tally[T_CELLS], DRAWN_TOGETHER):
        number = min(int64(DRAWN_TOGETHER), tally[T_CELLS] - first)
        draw_block(agents.uid, first, number, step, AGENT, sub * 4 + 2, key_low, key_high, drawn)
        for j in range(number):
            work[j] = vigour(exhaustion_of(agents.exhaustion[first + j], rules), checkpoint, suppression) * division
        for j in range(number):
            a = first + j
            fate = live(a, agents, rules, today, work[j], daughter_lives, drawn[1, j], drawn[2, j], drawn[3, j])
            agents.exhaustion[a] *= forgetting
            if fate == DIES:
                continue
            if living != a:
                copy_life(agents, a, living)
            agents.fate[living] = fate
            living += 1
    tally[T_CELLS] = living
    for a in range(living):
        if agents.fate[a] == DIVIDES:
            bear_daughter(a, agents, tally, agents.site[a])


@jit
def macro_sub_step(
    cell, source, counters, ledger, signal, immunity, agents, surroundings, tally, cell_rules, rules, lattice, step,
    sub, today, key_low, key_high,
):  # fmt: skip
    """One sub-step at niche scale."""
    if sub == 0 and tally[T_CELLS] * SITES_FOR_EACH >= lattice.sites:
        count_everywhere(cell, surroundings, rules, lattice)
        surroundings.counted[0] = step + 1
    everywhere = surroundings.counted[0] == step + 1
    touched = search_and_engage(
        cell, signal, immunity, agents, surroundings, tally, rules, lattice, step, sub, today, everywhere,
        key_low, key_high,
    )  # fmt: skip
    killed = judge_targets(
        touched, cell, signal, immunity, agents, surroundings, rules, lattice, step, sub, everywhere, key_low, key_high
    )
    kill_targets(
        killed, cell, source, counters, ledger, agents, surroundings, tally, cell_rules, rules, lattice, everywhere
    )
    smooth_readout(agents, rules)
    expand(agents, surroundings, tally, immunity.strain, rules, step, sub, today, key_low, key_high)
