"""CAR T cells at niche scale: an agent stands for many T cells, a site for seven million marrow cells.

What feeds and occupies T cells are progenitors and megakaryocytes, not the rare stem cells. With f the share
of marrow cells that carry the antigen, z = 1 - (1-f)^26 the chance that a T cell touches one:
engagements per T cell c = 1/(t_att/(h z) + t_eng + t_rest); a CALR stem cell is one target among f and is
killed with hazard (z/f) p_lyse (1-S)(1-e) h(a) n_T/t_att, n_T T cells per marrow cell over the 3 x 3 sites.
"""

from numba import int32, int64, uint32, uint64

from mpn_abm.kernels.candidates import block_of, place
from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import AGENT, DRAWN_TOGETHER, KILL, TWO_32, chance, decay, draw_block
from mpn_abm.kernels.lattice import sites_around, sum_around
from mpn_abm.mechanisms.car_t.life import (
    DIVIDES,
    engage,
    exhaustion_of,
    kill_cell,
    live,
    smooth_readout,
    vigour,
    vigours,
)
from mpn_abm.mechanisms.car_t.population import bear_daughter, chance_of_room, close_gaps
from mpn_abm.mechanisms.car_t.surroundings import (
    COMMITS,
    ENGAGES,
    KILLS_A_DAY,
    MOST_PER_TARGET,
    PER_TARGET,
    count_everywhere,
    forget,
    look_around,
    take_off,
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
def find_targets(cell, surroundings, spares, rules):
    """List the cells that T cells may lyse in this step; none joins them before the next."""
    found = int64(0)
    for s in range(cell.shape[0]):
        surroundings.target[found] = int32(s)
        found += int64(may_be_lysed(int64(cell[s] & GENOTYPE), spares, rules))
    surroundings.targets[0] = found


@jit
def add_up_forces(agents, surroundings, lattice):
    """Sum the forces around every site and list the targets with one, killed or not; returns how many."""
    layer, target, touched = agents.layer, surroundings.target, agents.touched
    sum_around(surroundings.own, lattice, surroundings.line, layer)
    surroundings.own[:] = 0
    n = uint64(0)
    for k in range(surroundings.targets[0]):
        s = uint64(target[k])
        touched[n] = target[k]
        n += uint64(layer[s] > 0)
    return int64(n)


# What is true of some agents by chance is listed first and done for the list: a processor that guesses at a branch is
# wrong about each of them.


@jit
def relocate(site, hand, rules, lattice):
    """Agents in hand are carried to a random site, by words 0 and 1."""
    search, listed = hand.search, hand.listed
    moved = uint64(0)
    for j in range(site.shape[0]):
        listed[moved] = uint32(j)
        moved += uint64(uint64(search[0, j]) < rules.relocation)
    for k in range(int64(moved)):
        j = uint64(listed[k])
        site[j] = int32(place(search[1, j], lattice))


@jit
def act(
    cell, signal, immunity, agents, surroundings, hand, tally, rules, lattice, step, sub, today, key_low, key_high
):  # fmt: skip
    """Agents move, meet receptor-bearing cells, add their force around and live on; returns the targets with a force.

    All of a sub-step that an agent does herself, so that she is in the processor's cache just once.
    """
    search, work, around, own = hand.search, hand.work, agents.around, surroundings.own
    everywhere = surroundings.everywhere[0] == 1
    spares = immunity.lysis[0, 0] == 0.0
    checkpoint, suppression = immunity.strain[CHECKPOINT], immunity.strain[SUPPRESSION]
    division, forgetting = immunity.strain[T_DIVISION], immunity.strain[FORGETTING]
    alive = tally[T_CELLS]
    daughter_lives = chance_of_room(alive, rules)
    kills_per_day = 0.0
    touched = int64(0)
    living = int64(0)
    for first in range(0, alive, DRAWN_TOGETHER):
        number = min(int64(DRAWN_TOGETHER), alive - first)
        draw_block(agents.uid, first, number, step, AGENT, sub * 4, key_low, key_high, search)
        draw_block(agents.uid, first, number, step, AGENT, sub * 4 + 2, key_low, key_high, hand.life)
        site, exhaustion = agents.site[first : first + number], agents.exhaustion[first : first + number]
        vigours(exhaustion, rules, checkpoint, suppression, work)
        relocate(site, hand, rules, lattice)
        engaged = uint64(0)
        for j in range(number):
            s = int64(site[j])
            force = int64(work[j] * FORCE)
            slot = look_around(s, cell, signal, immunity, around, surroundings, rules, lattice, step)
            if everywhere:
                own[s] += force
            elif force > 0:
                n = sites_around(s, lattice, around)
                touched = add_force(force, around, n, cell, agents, spares, rules, touched)
            kills_per_day += work[j] * surroundings.rate[slot, KILLS_A_DAY]
            hand.commits[engaged] = surroundings.word[slot, COMMITS]
            hand.listed[engaged] = uint32(j)
            engaged += uint64(uint64(search[2, j]) < surroundings.word[slot, ENGAGES])
        for k in range(int64(engaged)):
            j = int64(hand.listed[k])
            engage(first + j, agents, rules, today, hand.commits[k], hand.life[0, j])
            work[j] = vigour(exhaustion_of(exhaustion[j], rules), checkpoint, suppression)
        for j in range(number):
            work[j] *= division
        live(first, number, agents, hand, rules, today, daughter_lives, forgetting)
        living = close_gaps(first, number, living, False, agents, hand)
    tally[T_CELLS] = living
    killing = rules.lysis_probability * immunity.strain[T_KILLING]
    agents.readout[1] = killing * kills_per_day * rules.cells_per_agent / rules.marrow_cells
    if everywhere:
        return add_up_forces(agents, surroundings, lattice)
    return touched


@jit
def judge_targets(
    touched, cell, signal, immunity, agents, surroundings, hand, rules, lattice, step, sub, key_low, key_high
):
    """Every target with agents around is killed or not by a draw of its own, so the order does not matter.

    Returns how many are killed; they are listed in place of the targets.
    """
    layer, drawn, work = agents.layer, hand.search, hand.work
    places = 27.0 if lattice.radius_z > 0 else 9.0
    # T cells per marrow cell that a unit of force around a site stands for
    density = rules.cells_per_agent / FORCE / (places * rules.marrow_cells / lattice.sites)
    killing = rules.lysis_probability * immunity.strain[T_KILLING]
    attaching = rules.sub_step / rules.attach_time
    killed = int64(0)
    for first in range(0, touched, DRAWN_TOGETHER):
        number = min(int64(DRAWN_TOGETHER), touched - first)
        draw_block(agents.touched, first, number, step, KILL, sub, key_low, key_high, drawn)
        site = agents.touched[first : first + number]
        likely = uint64(0)
        for j in range(number):
            s = uint64(site[j])
            word = cell[s]
            g = int64(word & GENOTYPE)
            lysis = immunity.lysis[rules.antigen_class[g], (word & ANTIGEN) >> ANTIGEN_SHIFT]
            share = killing * signal.factor[KILLING, rules.base[g]] * lysis * (layer[s] * density)
            work[likely] = share * attaching
            hand.listed[likely] = uint32(j)
            # most words are above what T cells could do at best, so nothing around has to be looked at
            likely += uint64((g > 0) & (drawn[0, j] <= MOST_PER_TARGET * work[likely] * TWO_32))
        if surroundings.everywhere[0] == 0:
            for j in range(number):
                layer[uint64(site[j])] = 0
        for k in range(int64(likely)):
            j = int64(hand.listed[k])
            s = int64(site[j])
            slot = look_around(s, cell, signal, immunity, agents.around, surroundings, rules, lattice, step)
            if uint64(drawn[0, j]) < chance(1.0 - decay(surroundings.rate[slot, PER_TARGET] * work[k])):
                agents.touched[killed] = int32(s)
                killed += 1
    return killed


@jit
def kill_targets(killed, cell, source, counters, ledger, agents, surroundings, tally, cell_rules, rules, lattice):
    """Empty the sites listed; all were judged before the first is emptied."""
    for k in range(killed):
        s = int64(agents.touched[k])
        take_off(s, int64(cell[s] & GENOTYPE), agents.around, surroundings, rules, lattice)
        kill_cell(
            s, block_of(s, lattice), cell, source, counters, ledger, tally, cell_rules.base,
            cell_rules.source_weight, cell_rules.antigen_class, cell_rules.is_mutant,
        )  # fmt: skip


@jit
def begin_step(cell, immunity, agents, surroundings, tally, rules, lattice):
    """Cells have moved, died and divided since the last step: look anew, everywhere at once where many agents ask."""
    if tally[T_CELLS] * SITES_FOR_EACH >= lattice.sites:
        count_everywhere(cell, surroundings, rules, lattice)
        find_targets(cell, surroundings, immunity.lysis[0, 0] == 0.0, rules)
        surroundings.everywhere[0] = 1
    elif surroundings.everywhere[0] == 1:
        # where forces are summed everywhere they are left, as the next sums overwrite them
        agents.layer[:] = 0
        surroundings.everywhere[0] = 0
    forget(surroundings)


@jit
def macro_sub_step(
    cell, source, counters, ledger, signal, immunity, agents, surroundings, hand, tally, cell_rules, rules, lattice,
    step, sub, today, key_low, key_high,
):  # fmt: skip
    """One sub-step at niche scale."""
    if sub == 0:
        begin_step(cell, immunity, agents, surroundings, tally, rules, lattice)
    touched = act(
        cell, signal, immunity, agents, surroundings, hand, tally, rules, lattice, step, sub, today, key_low, key_high
    )
    killed = judge_targets(
        touched, cell, signal, immunity, agents, surroundings, hand, rules, lattice, step, sub, key_low, key_high
    )
    kill_targets(killed, cell, source, counters, ledger, agents, surroundings, tally, cell_rules, rules, lattice)
    smooth_readout(agents, rules)
    for a in range(tally[T_CELLS]):
        if agents.fate[a] == DIVIDES:
            bear_daughter(a, agents, tally, agents.site[a])
