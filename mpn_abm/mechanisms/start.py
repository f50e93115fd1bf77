"""Day 0: clones and scar are placed as the scenario says, and later clones arrive."""

from typing import NamedTuple

import numpy as np
from numba import int64, prange, uint32, uint64

from mpn_abm.kernels.candidates import block_of
from mpn_abm.kernels.compiler import allocating_jit, fused, jit, parallel_jit
from mpn_abm.mechanisms.antigen.kernel import show_antigen
from mpn_abm.mechanisms.blood.kernel import put_out, settle_blood, share_cells
from mpn_abm.mechanisms.census import write_row
from mpn_abm.mechanisms.fibrosis.kernel import settle_scar, spread_cytokine, take_stock
from mpn_abm.mechanisms.immune.kernel import weigh_immunity
from mpn_abm.mechanisms.outcome import end_run
from mpn_abm.mechanisms.past import transform_the_past
from mpn_abm.mechanisms.patterns import (
    ARRIVAL_DRAW,
    CENTRE_DRAW,
    SCAR_DRAW,
    SCATTERED,
    SINGLE,
    centres_of,
    ranks_by_distance,
    sites_for,
    squared_distance,
)
from mpn_abm.mechanisms.placement import SITE_DRAW, clear_site, put_cell
from mpn_abm.mechanisms.progression.kernel import CHRONIC, count_blasts, phase_of
from mpn_abm.mechanisms.rules import Rules
from mpn_abm.mechanisms.spleen.kernel import settle_spleen
from mpn_abm.state import (
    BLASTS,
    BORN_SITE,
    BORN_STEP,
    CLONE_GENOTYPE,
    FOUNDER,
    LATE,
    LOST_STEP,
    NEXT_CLONE,
    NEXT_ROW,
    NEXT_UID,
    PHASE,
    MarrowState,
    take,
)

UNPLACED = -2


class StartRules(NamedTuple):
    """Founders in the order of the file, and the scar of day 0."""

    genotype: np.ndarray  # int64[founders]
    cells: np.ndarray  # int64[founders]; -1 takes the rest
    pattern: np.ndarray  # int64[founders]
    patches: np.ndarray  # int64[founders]
    arrives: np.ndarray  # int64[founders]  boundary, 0 for day 0
    scar: float  # ECM where there is scar
    scar_patches: int  # 0 = everywhere
    scar_cover: float  # share of the marrow; 0 if by radius
    scar_radius: float  # sites
    weight: float  # stem cells of the patient that a site stands for


@jit
def found(k, sites, cell, counters, source, clone_table, cells, start, lattice, step, key_low, key_high):
    """Clone k + 1 takes these sites."""
    for i in range(sites.shape[0]):
        put_cell(sites[i], k + 1, start.genotype[k], cell, counters, source, cells, lattice, key_low, key_high)
    facts = clone_table[k + 1]
    facts[BORN_STEP] = step
    facts[LOST_STEP] = -1 if sites.shape[0] > 0 else UNPLACED


@allocating_jit
def free_sites(cell, empty):
    """Empty sites, ascending."""
    free = np.empty(empty, np.int64)
    n = 0
    for s in range(cell.shape[0]):
        if cell[s] == uint64(0):
            free[n] = s
            n += 1
    return free


@allocating_jit
def place_founders(cell, counters, source, clone_table, cells, start, lattice, key_low, key_high):
    """Single cells and shapes first, then scattered clones, then the one that takes the rest."""
    founders = start.genotype.shape[0]
    for turn in range(3):
        for k in range(founders):
            rest = start.cells[k] < 0
            shaped = start.pattern[k] != SCATTERED
            mine = 2 if rest else (0 if shaped else 1)
            if mine != turn or start.arrives[k] > 0:
                continue
            if start.pattern[k] == SINGLE:
                centre = centres_of(1, CENTRE_DRAW + k, lattice, key_low, key_high)
                while cell[centre[0]] != uint64(0):
                    centre[0] = (centre[0] + 1) % lattice.sites
                found(k, centre, cell, counters, source, clone_table, cells, start, lattice, 0, key_low, key_high)
                continue
            sites = free_sites(cell, counters.genotype_cells[0])
            if not rest:
                sites = sites_for(k, start, sites, SITE_DRAW, lattice, key_low, key_high)
            found(k, sites, cell, counters, source, clone_table, cells, start, lattice, 0, key_low, key_high)


@allocating_jit
def arrive(k, marrow, rules, start, boundary, key_low, key_high):
    """Founder k arrives later: it takes its sites from whoever is there."""
    lattice, cells = rules.lattice, rules.cells
    cell, counters, source = marrow.cell, marrow.counters, marrow.ground.source
    sites = sites_for(k, start, np.arange(lattice.sites), ARRIVAL_DRAW + k, lattice, key_low, key_high)
    if start.pattern[k] == SINGLE:
        sites = centres_of(1, CENTRE_DRAW + k, lattice, key_low, key_high)
    for i in range(sites.shape[0]):
        clear_site(sites[i], cell, counters, source, marrow.tally, cells, lattice)
    found(k, sites, cell, counters, source, marrow.clone_table, cells, start, lattice, boundary, key_low, key_high)
    marrow.ledger.arrived[start.genotype[k]] += sites.shape[0]


@allocating_jit
def place_scar(ecm, start, block_sites, lattice, key_low, key_high):
    """ECM of day 0: everywhere, or in patches of whole blocks with none outside."""
    if start.scar_patches == 0:
        ecm[:] = start.scar
        return
    centres = centres_of(start.scar_patches, SCAR_DRAW, lattice, key_low, key_high)
    middles = np.empty(lattice.blocks, np.int64)
    for b in range(lattice.blocks):
        row = b // lattice.block_width
        plane = row // lattice.block_height
        x = min(4 * (b - row * lattice.block_width) + 2, lattice.width - 1)
        y = min(4 * (row - plane * lattice.block_height) + 2, lattice.height - 1)
        z = min(4 * plane + 2, lattice.depth - 1)
        middles[b] = (z * lattice.height + y) * lattice.width + x
    covered = 0.0
    ranks = ranks_by_distance(centres, middles, SITE_DRAW, lattice, key_low, key_high)
    for s in middles[np.argsort(ranks, kind="mergesort")]:
        if start.scar_cover > 0.0:
            if covered >= start.scar_cover * lattice.sites - 1e-6:
                return
        else:
            nearest = int64(2**30)
            for centre in centres:
                nearest = min(nearest, squared_distance(s, centre, lattice))
            if nearest > start.scar_radius * start.scar_radius:
                return
        block = block_of(s, lattice)
        ecm[block] = start.scar
        covered += block_sites[block]


@fused
def meet_the_patient(marrow, rules):
    """Blood, spleen, phase and immune system at balance with the untreated marrow of day 0."""
    signal, body, scar = marrow.signal, marrow.body, marrow.ground.summary[0]
    counts = marrow.counters.genotype_cells
    signal.protein[:] = 1.0
    share_cells(counts, rules.cells.base, body.share)
    put_out(body, signal.activity, rules.blood)
    filled = 1.0 - counts[0] / float(rules.lattice.sites)
    settle_blood(body, signal.activity, scar, filled, rules.blood)
    settle_spleen(body, signal, scar, rules.spleen)
    if rules.progression.enabled == 1:
        progression = rules.progression
        blasts = count_blasts(
            counts, rules.cells.base, signal.activity, rules.blood.granulocytes, progression.is_transformed
        )
        body.reading[BLASTS] = blasts
        # one phase after the other, until the patient stands where the blasts say
        for _ in range(2):
            marrow.tally[PHASE] = phase_of(blasts, marrow.tally[PHASE], progression)
        marrow.tally[LATE] = 1 if marrow.tally[PHASE] > CHRONIC else 0
    weigh_immunity(signal, marrow.immunity, body, rules.immune)
    # cells without the antigen are attached to as far as background killing says
    marrow.immunity.density[0] = 1.0
    marrow.immunity.lysis[0, :] = rules.antigen.background
    show_antigen(marrow.immunity, signal, marrow.tally[LATE], rules.antigen)


@allocating_jit
def begin(marrow, rules, start, key_low, key_high):
    """The marrow of day 0 with its row, in arrays that are all zero."""
    counters, tally = marrow.counters, marrow.tally
    counters.genotype_cells[0] = rules.lattice.sites
    counters.clone_cells[0] = rules.lattice.sites
    founders = start.genotype.shape[0]
    tally[NEXT_CLONE] = founders + 1
    tally[NEXT_UID] = 1
    marrow.signal.activity[:] = 1.0
    marrow.signal.factor[:] = 1.0
    marrow.clone_table[:, LOST_STEP] = -1
    for k in range(founders):
        facts = marrow.clone_table[k + 1]
        facts[BORN_SITE] = -1
        facts[CLONE_GENOTYPE] = start.genotype[k]
        facts[FOUNDER] = k + 1
        facts[LOST_STEP] = UNPLACED
    place_founders(
        marrow.cell, counters, marrow.ground.source, marrow.clone_table, rules.cells, start, rules.lattice,
        key_low, key_high,
    )  # fmt: skip
    if rules.scar.enabled == 1:
        place_scar(marrow.ground.ecm, start, rules.scar.block_sites, rules.lattice, key_low, key_high)
        spread_cytokine(
            marrow.ground, counters.genotype_cells, rules.cells.base, marrow.signal.activity, tally, rules.scar,
            rules.levels, rules.lattice,
        )  # fmt: skip
        settle_scar(marrow.ground, rules.scar)
        take_stock(marrow.ground, tally, rules.scar)
    if rules.progression.enabled == 1:
        transform_the_past(
            marrow.cell, counters, marrow.ledger, marrow.clone_table, marrow.ground.source, tally, rules.cells,
            start.weight, rules.cells.scar_factor if marrow.ground.summary[1] >= 2.0 else 1.0, rules.lattice,
            rules.clock.step, key_low, key_high,
        )  # fmt: skip
    meet_the_patient(marrow, rules)
    end_run(counters.genotype_cells, tally, rules.clock, rules.cells.is_mutant, 0, -1)
    write_row(
        counters, marrow.signal, marrow.ground.summary, marrow.immunity, marrow.body, marrow.agents, marrow.record,
        tally, rules.places, rules.census, rules.cells.base, rules.car_t, rules.blood, rules.immune.is_mutant,
        rules.lattice.sites, rules.clock.step, True, 0,
    )  # fmt: skip
    tally[NEXT_ROW] = 1


@allocating_jit
def begin_replicate(k, stack, rules, start, keys):
    """Begin replicate k of a stack."""
    begin(take(stack, k), rules, start, keys[k, 0], keys[k, 1])


@parallel_jit
def begin_replicates(
    cell, counters, ledger, clone_table, ground, marks, signal, immunity, body, agents, surroundings, hand, record,
    tally, lattice, clock, cells, signal_rules, drugs, scar, levels, car_t, antigen, immune, blood, spleen, progression,
    transplant, census, places, start, keys,
):  # fmt: skip
    """Begin every marrow of a stack."""
    for k in prange(keys.shape[0]):
        stack = MarrowState(
            cell, counters, ledger, clone_table, ground, marks, signal, immunity, body, agents, surroundings, hand,
            record, tally,
        )  # fmt: skip
        rules = Rules(
            lattice, clock, cells, signal_rules, drugs, scar, levels, car_t, antigen, immune, blood, spleen,
            progression, transplant, census, places,
        )  # fmt: skip
        begin_replicate(np.int64(k), stack, rules, start, keys)


@jit
def key_of(seed):
    """The two halves of a seed, low first."""
    return uint32(seed & uint64(0xFFFFFFFF)), uint32(seed >> uint64(32))
