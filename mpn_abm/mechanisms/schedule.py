"""The order of one step: a scientific statement, written by hand, here and nowhere else.

A step runs from one boundary to the next. It may have to be left for more room (a longer clone table, more
agents); STAGE in the tally then remembers how far it has come, and nothing is done twice.
"""

import numpy as np
from numba import prange, uint64

from mpn_abm.kernels.compiler import fused, jit, parallel_jit
from mpn_abm.mechanisms.antigen.kernel import show_antigen
from mpn_abm.mechanisms.blood.kernel import make_blood, share_cells
from mpn_abm.mechanisms.car_t.macro import macro_sub_step
from mpn_abm.mechanisms.car_t.micro import micro_sub_step
from mpn_abm.mechanisms.car_t.population import room_for_daughters
from mpn_abm.mechanisms.census import next_row, room_for_row, write_row
from mpn_abm.mechanisms.fibrosis.kernel import grow_scar, spread_cytokine
from mpn_abm.mechanisms.giving import give_what_is_due
from mpn_abm.mechanisms.hematopoiesis.death_birth import run_step_death_birth
from mpn_abm.mechanisms.hematopoiesis.events import note_lost_clones, run_step
from mpn_abm.mechanisms.hematopoiesis.hazards import has_table, most_mutants, number_of_candidates, set_thresholds
from mpn_abm.mechanisms.hematopoiesis.rules import DEATH_BIRTH
from mpn_abm.mechanisms.hematopoiesis.stripes import run_step_striped
from mpn_abm.mechanisms.immune.kernel import spread_suppression, weigh_immunity
from mpn_abm.mechanisms.jak_stat.kernel import signal_in_cells
from mpn_abm.mechanisms.log import RESPONSE_LOSS, note
from mpn_abm.mechanisms.outcome import GOES_ON, OUTCOMES_LOGGED, advance_disease, end_run
from mpn_abm.mechanisms.progression.kernel import response_is_lost
from mpn_abm.mechanisms.rules import Rules
from mpn_abm.mechanisms.spleen.kernel import fill_spleen
from mpn_abm.mechanisms.transplant.kernel import transplant_what_is_due
from mpn_abm.mechanisms.treatment.courses import decide_courses
from mpn_abm.mechanisms.treatment.exposure import expose
from mpn_abm.state import (
    DEAD_STEP,
    DEPOSITION,
    EMPTIED,
    ENDED,
    HOMING,
    LATE,
    LOGGED,
    NEXT_CLONE,
    NEXT_ROW,
    STAGE,
    SUB_STEP,
    T_CELLS,
    MarrowState,
    take,
)

# why a run came back
DONE, ROWS_FULL, LOG_FULL, CLONES_FULL, AGENTS_FULL, TABLE_SHORT, STRIPES_SHORT = range(7)
# how far a step has come
AT_START, DECIDED, EXPOSED, SIGNALLED, CELLS_RUN = range(5)


@fused
def open_step(marrow, rules, step, key_low, key_high):
    """Dosing, signalling, fields, and the hazards of the step.

    Returns
    -------
    need : int
        DONE, or what there was no room for.
    lowest_mutation : uint64
        No genotype mutates below this action word.
    number : int64
        Candidates of the step.
    """
    tally, record = marrow.tally, marrow.record
    nothing = (uint64(0), np.int64(0))
    if tally[STAGE] == CELLS_RUN:
        return DONE, *nothing
    if tally[STAGE] == AT_START:
        if not room_for_row(record, tally, rules.census, marrow.clone_table.shape[0]):
            return ROWS_FULL, *nothing
        if tally[LOGGED] + rules.drugs.most_logged + OUTCOMES_LOGGED > record.log.shape[0]:
            return LOG_FULL, *nothing
        if rules.drugs.course.shape[0] > 0:
            decide_courses(
                marrow.signal.course, marrow.signal.held_since, marrow.signal.seen, record.log, tally, rules.drugs,
                step, rules.clock.step, key_low, key_high,
            )  # fmt: skip
        tally[STAGE] = DECIDED
    if tally[STAGE] == DECIDED:
        # what drugs do in the step is known before what is given at once comes under it
        if rules.drugs.course.shape[0] > 0:
            expose(
                marrow.signal.medication, marrow.signal.factor, marrow.signal.drug, marrow.signal.course, rules.drugs,
                step, rules.clock.step,
            )  # fmt: skip
        tally[STAGE] = EXPOSED
    if tally[STAGE] == EXPOSED:
        # without drugs the activity stays at the 1 of day 0
        if rules.drugs.course.shape[0] > 0:
            # what is due at a boundary is given there, before anything reacts to it
            if not give_what_is_due(
                marrow.signal.course, marrow.counters.antigen_cells, marrow.agents, record.log, tally, rules.drugs,
                rules.car_t, rules.lattice, marrow.signal.factor[HOMING, 0], step * rules.clock.step, step,
                key_low, key_high,
            ):  # fmt: skip
                return AGENTS_FULL, *nothing
            # the loss of a response shows from the step on in which it happens
            if rules.progression.enabled == 1 and response_is_lost(
                marrow.signal, tally, rules.progression, step, rules.clock.step, key_low, key_high
            ):
                note(record.log, tally, step, RESPONSE_LOSS, 0, 0.0)
            # drugs act within hours: signalling of the step follows the occupancy of the step
            signal_in_cells(marrow.signal, tally, rules.signal, rules.clock.step)
        # conditioning comes before anything that counts cells
        if rules.transplant.enabled == 1:
            transplant_what_is_due(
                marrow.cell, marrow.counters, marrow.ground.source, marrow.clone_table, marrow.ledger.arrived,
                marrow.body, tally, rules.cells, rules.transplant, rules.lattice, step, rules.clock.step,
                key_low, key_high,
            )  # fmt: skip
        # the immune system sees the clone as it stands, at the activity that the drugs leave it
        if rules.immune.enabled == 1 or rules.transplant.enabled == 1:
            share_cells(marrow.counters.genotype_cells, rules.cells.base, marrow.body.share)
            weigh_immunity(marrow.signal, marrow.immunity, marrow.body, rules.immune)
        # cytokine is in balance with the cells as they stand, so it comes before they change
        if rules.scar.enabled == 1 and (step + 1) % rules.scar.every == 0:
            spread_cytokine(
                marrow.ground, marrow.counters.genotype_cells, rules.cells.base, marrow.signal.activity, tally,
                rules.scar, rules.levels, rules.lattice,
            )  # fmt: skip
        # at tissue scale suppressive cells stay near the clone that calls them
        if rules.scar.tissue == 1 and rules.immune.enabled == 1 and (step == 0 or (step + 1) % rules.scar.every == 0):
            spread_suppression(
                marrow.cell, marrow.signal, marrow.immunity, marrow.ground.work, rules.cells.base,
                rules.scar.block_sites, rules.immune, rules.levels, rules.lattice,
            )  # fmt: skip
        tally[STAGE] = SIGNALLED
    lowest_mutation = set_thresholds(
        marrow.counters.genotype_cells,
        marrow.signal,
        marrow.immunity.hazard,
        marrow.marks,
        rules.cells,
        rules.lattice,
        rules.cells.scar_factor if marrow.ground.summary[1] >= 2.0 else 1.0,
        tally[LATE],
        rules.clock.step,
    )
    if not has_table(marrow.marks, tally, rules.lattice):
        return TABLE_SHORT, *nothing
    number = number_of_candidates(marrow.marks, tally, step, key_low, key_high)
    # one more for the donor of a transplant
    mutants = most_mutants(number, lowest_mutation)
    if mutants + rules.transplant.enabled > 0 and tally[NEXT_CLONE] + mutants >= marrow.clone_table.shape[0]:
        return CLONES_FULL, *nothing
    return DONE, lowest_mutation, number


@fused
def cells_act(marrow, rules, lowest_mutation, number, step, key_low, key_high):
    """Stem cells divide, are lost and mutate, by the numbered list."""
    if marrow.tally[STAGE] == CELLS_RUN:
        return
    if rules.cells.update == DEATH_BIRTH:
        run_step_death_birth(
            marrow, rules.cells, rules.lattice, rules.clock.step, lowest_mutation, number, step, key_low, key_high
        )
    else:
        run_step(marrow, rules.cells, rules.lattice, lowest_mutation, number, step, key_low, key_high)
    marrow.tally[STAGE] = CELLS_RUN


@fused
def close_step(marrow, rules, step, key_low, key_high):
    """Antigen, CAR T cells, scar, blood, phase, death, the row, and the end of the run. Returns DONE or AGENTS_FULL."""
    tally = marrow.tally
    # daughters show their antigen at once, and T cells respond to what is shown
    if rules.antigen.molecules.shape[0] > 1 and tally[SUB_STEP] == 0:
        show_antigen(marrow.immunity, marrow.signal, tally[LATE], rules.antigen)
    # T cells meet the cells that this step has left; they never see a cell that divided away
    if rules.car_t.enabled == 1:
        while tally[SUB_STEP] < rules.car_t.sub_steps and tally[T_CELLS] > 0:
            if not room_for_daughters(marrow.agents, tally):
                return AGENTS_FULL
            sub = tally[SUB_STEP]
            today = step * rules.clock.step + (sub + 1) * rules.car_t.sub_step
            if rules.car_t.tissue == 1:
                micro_sub_step(
                    marrow.cell, marrow.ground, marrow.counters, marrow.ledger, marrow.signal, marrow.immunity,
                    marrow.agents, marrow.hand, tally, rules.cells, rules.car_t, rules.lattice, step, sub, today,
                    key_low, key_high,
                )  # fmt: skip
            else:
                macro_sub_step(
                    marrow.cell, marrow.ground.source, marrow.counters, marrow.ledger, marrow.signal, marrow.immunity,
                    marrow.agents, marrow.surroundings, marrow.hand, tally, rules.cells, rules.car_t, rules.lattice,
                    step, sub, today, key_low, key_high,
                )  # fmt: skip
            tally[SUB_STEP] = sub + 1
        tally[SUB_STEP] = 0
    # scar answers over weeks, so it comes after everything that answers within the day
    if rules.scar.enabled == 1 and (step + 1) % rules.scar.every == 0:
        grow_scar(marrow.ground, tally, rules.scar, marrow.signal.factor[DEPOSITION, 0])
    # blood is made by the cells that are left, in the scar that is there, and the spleen follows both
    if rules.spleen.enabled == 1 or rules.blood.enabled == 1 or rules.progression.enabled == 1:
        share_cells(marrow.counters.genotype_cells, rules.cells.base, marrow.body.share)
    filled = 1.0 - marrow.counters.genotype_cells[0] / float(rules.lattice.sites)
    if rules.blood.enabled == 1:
        make_blood(marrow.body, marrow.signal, marrow.ground.summary[0], filled, rules.blood, rules.clock.step)
    if rules.spleen.enabled == 1:
        fill_spleen(marrow.body, marrow.signal, marrow.ground.summary[0], rules.spleen, rules.clock.step)
    # the phase is read off the blood, and the patient dies of what all of it has come to
    if rules.progression.enabled == 1:
        advance_disease(
            marrow.counters.genotype_cells, marrow.signal.activity, marrow.body, marrow.ground.summary[1], filled,
            marrow.record.log, tally, rules.cells.base, rules.blood.granulocytes, rules.progression, step,
            rules.clock.step, key_low, key_high,
        )  # fmt: skip
    alive = -1
    if tally[EMPTIED] > 0:
        alive = note_lost_clones(marrow.counters.clone_cells, marrow.clone_table, tally, step)
    end_run(marrow.counters.genotype_cells, tally, rules.clock, rules.cells.is_mutant, step + 1, alive)
    boundary = step + 1
    due = rules.census.row_at[tally[NEXT_ROW]] == boundary
    recorded = due or tally[ENDED] != GOES_ON
    if recorded or marrow.signal.seen.shape[0] > 0:
        write_row(
            marrow.counters, marrow.signal, marrow.ground.summary, marrow.immunity, marrow.body, marrow.agents,
            marrow.record, tally, rules.places, rules.census, rules.cells.base, rules.car_t, rules.blood,
            rules.immune.is_mutant, rules.lattice.sites, rules.clock.step, recorded, boundary,
        )  # fmt: skip
        if due:
            tally[NEXT_ROW] += 1
    tally[STAGE] = AT_START
    return DONE


@fused
def pass_dead_step(marrow, rules, step):
    """A step after death: nothing happens, and rows hold no number. Returns DONE or ROWS_FULL."""
    tally = marrow.tally
    if not room_for_row(marrow.record, tally, rules.census, marrow.clone_table.shape[0]):
        return ROWS_FULL
    if rules.census.row_at[tally[NEXT_ROW]] == step + 1:
        row = next_row(marrow.record, tally, step + 1)
        marrow.record.rows[row] = np.nan
        tally[NEXT_ROW] += 1
    return DONE


@jit
def run_days(marrow, rules, first, until, key_low, key_high):
    """Step from boundary first to boundary until, on one thread.

    Returns
    -------
    reached : int64
        The boundary at which the marrow stands.
    need : int
        DONE, or what must be made larger before the step can go on.
    """
    step = first
    while step < until and marrow.tally[ENDED] == GOES_ON:
        if marrow.tally[DEAD_STEP] > 0:
            need = pass_dead_step(marrow, rules, step)
            if need != DONE:
                return step, need
            step += 1
            continue
        need, lowest_mutation, number = open_step(marrow, rules, step, key_low, key_high)
        if need != DONE:
            return step, need
        cells_act(marrow, rules, lowest_mutation, number, step, key_low, key_high)
        need = close_step(marrow, rules, step, key_low, key_high)
        if need != DONE:
            return step, need
        step += 1
    return step, DONE


@jit
def run_days_striped(marrow, rules, first, until, key_low, key_high, room, most_candidates, most_clones):
    """As ``run_days``, with the stem cells on several threads; the same bits.

    room : tuple of arrays
        ``StripeRoom.arrays()``.
    most_candidates, most_clones : int
        What the room is made for; a step that needs more comes back with STRIPES_SHORT.
    """
    step = first
    while step < until and marrow.tally[ENDED] == GOES_ON:
        if marrow.tally[DEAD_STEP] > 0:
            need = pass_dead_step(marrow, rules, step)
            if need != DONE:
                return step, need
            step += 1
            continue
        need, lowest_mutation, number = open_step(marrow, rules, step, key_low, key_high)
        if need == DONE and (number > most_candidates or marrow.clone_table.shape[0] > most_clones):
            need = STRIPES_SHORT
        if need != DONE:
            return step, need
        if marrow.tally[STAGE] != CELLS_RUN:
            run_step_striped(marrow, rules.cells, rules.lattice, lowest_mutation, number, step, key_low, key_high, room)
            marrow.tally[STAGE] = CELLS_RUN
        need = close_step(marrow, rules, step, key_low, key_high)
        if need != DONE:
            return step, need
        step += 1
    return step, DONE


@jit
def run_replicate(k, stack, rules, reached, until, keys):
    """Take replicate k of a stack as far as it goes."""
    return run_days(take(stack, k), rules, reached[k], until, keys[k, 0], keys[k, 1])


@parallel_jit
def run_replicates(
    cell, counters, ledger, clone_table, ground, marks, signal, immunity, body, agents, surroundings, hand, record,
    tally, lattice, clock, cells, signal_rules, drugs, scar, levels, car_t, antigen, immune, blood, spleen, progression,
    transplant, census, places,
    reached, needs, until, keys,
):  # fmt: skip
    """Every marrow of a stack as far as it goes, one a thread at a time.

    The groups of the stack and of the rules come one by one: numba cannot hand a nested tuple to a parallel
    loop. ``reached`` and ``needs`` (int64[replicates]) are written as ``run_days`` returns them.
    """
    for k in prange(reached.shape[0]):
        r = np.int64(k)
        stack = MarrowState(
            cell, counters, ledger, clone_table, ground, marks, signal, immunity, body, agents, surroundings, hand,
            record, tally,
        )  # fmt: skip
        rules = Rules(
            lattice, clock, cells, signal_rules, drugs, scar, levels, car_t, antigen, immune, blood, spleen,
            progression, transplant, census, places,
        )  # fmt: skip
        reached[r], needs[r] = run_replicate(r, stack, rules, reached, until, keys)
