"""The order of one step: a scientific statement, written by hand, here and nowhere else.

A step runs from one boundary to the next. It may have to be left for more room (a longer clone table, more
agents); STAGE in the tally then remembers how far it has come, and nothing is done twice.
"""

from typing import NamedTuple

import numpy as np
from numba import prange, uint64

from mpn_abm.columns import Places
from mpn_abm.kernels.compiler import fused, jit, parallel_jit
from mpn_abm.kernels.field import Levels
from mpn_abm.mechanisms.car_t.life import room_for_daughters
from mpn_abm.mechanisms.car_t.macro import macro_sub_step
from mpn_abm.mechanisms.car_t.micro import micro_sub_step
from mpn_abm.mechanisms.car_t.rules import CarTRules
from mpn_abm.mechanisms.census import CensusRules, fill_row, room_for_row, write_row
from mpn_abm.mechanisms.fibrosis.kernel import ScarRules, grow_scar, spread_cytokine
from mpn_abm.mechanisms.giving import give_what_is_due
from mpn_abm.mechanisms.hematopoiesis.death_birth import run_step_death_birth
from mpn_abm.mechanisms.hematopoiesis.events import note_lost_clones, run_step
from mpn_abm.mechanisms.hematopoiesis.hazards import has_table, number_of_candidates, set_thresholds
from mpn_abm.mechanisms.hematopoiesis.rules import DEATH_BIRTH, CellRules
from mpn_abm.mechanisms.hematopoiesis.stripes import run_step_striped
from mpn_abm.mechanisms.jak_stat.kernel import SignalRules, signal_in_cells
from mpn_abm.mechanisms.treatment.courses import decide_courses
from mpn_abm.mechanisms.treatment.exposure import expose
from mpn_abm.mechanisms.treatment.rules import TreatmentRules
from mpn_abm.state import (
    EMPTIED,
    ENDED,
    ENDED_STEP,
    LOGGED,
    MUTANTS_SEEN,
    NEXT_CLONE,
    NEXT_ROW,
    STAGE,
    SUB_STEP,
    T_CELLS,
    Lattice,
    MarrowState,
    take,
)

# why a run came back
DONE, ROWS_FULL, LOG_FULL, CLONES_FULL, AGENTS_FULL, TABLE_SHORT, STRIPES_SHORT = range(7)
# why a run ended
GOES_ON, FIXATION, EXTINCTION, ERADICATION = range(4)
# how far a step has come
AT_START, DECIDED, SIGNALLED, CELLS_RUN = range(4)


class Clock(NamedTuple):
    """Time, and what ends a run."""

    step: float  # days
    last: int  # boundary at which the run ends in any case
    sites: int
    on_fixation: int
    on_extinction: int
    on_eradication: int
    not_before: int  # boundary at which the last clone has arrived


class Rules(NamedTuple):
    """Everything that stays the same through a run."""

    lattice: Lattice
    clock: Clock
    cells: CellRules
    signal: SignalRules
    drugs: TreatmentRules
    scar: ScarRules
    levels: Levels
    car_t: CarTRules
    census: CensusRules
    places: Places


@fused
def see_columns(marrow, rules, boundary):
    """Keep the columns of a boundary for the conditions of treatments, recorded or not."""
    if rules.drugs.condition.shape[0] > 0:
        fill_row(
            marrow.signal.seen, marrow.counters, marrow.signal, marrow.ground.summary, marrow.agents, marrow.tally,
            rules.places, rules.census, rules.cells.base, rules.car_t, rules.lattice.sites, rules.clock.step, boundary,
        )  # fmt: skip


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
        if tally[LOGGED] + rules.drugs.most_logged > record.log.shape[0]:
            return LOG_FULL, *nothing
        if rules.drugs.course.shape[0] > 0:
            if step == 0:
                see_columns(marrow, rules, 0)
            decide_courses(
                marrow.signal.course, marrow.signal.held_since, marrow.signal.seen, record.log, tally, rules.drugs,
                step, rules.clock.step, key_low, key_high,
            )  # fmt: skip
        tally[STAGE] = DECIDED
    if tally[STAGE] == DECIDED:
        # without drugs the activity stays at the 1 of day 0
        if rules.drugs.course.shape[0] > 0:
            # what is due at a boundary is given there, before anything reacts to it
            if not give_what_is_due(
                marrow.signal.course, marrow.counters.antigen_cells, marrow.agents, record.log, tally, rules.drugs,
                rules.car_t, rules.lattice, step * rules.clock.step, step, key_low, key_high,
            ):  # fmt: skip
                return AGENTS_FULL, *nothing
            expose(
                marrow.signal.medication, marrow.signal.factor, marrow.signal.drug, marrow.signal.course, rules.drugs,
                step, rules.clock.step,
            )  # fmt: skip
            # drugs act within hours: signalling of the step follows the occupancy of the step
            signal_in_cells(marrow.signal, rules.signal, rules.clock.step)
        # cytokine is in balance with the cells as they stand, so it comes before they change
        if rules.scar.enabled == 1 and (step + 1) % rules.scar.every == 0:
            spread_cytokine(
                marrow.ground, marrow.counters.genotype_cells, rules.cells.base, marrow.signal.activity, tally,
                rules.scar, rules.levels, rules.lattice,
            )  # fmt: skip
        tally[STAGE] = SIGNALLED
    lowest_mutation = set_thresholds(
        marrow.counters.genotype_cells,
        marrow.signal.activity,
        marrow.marks,
        rules.cells,
        rules.lattice,
        rules.clock.step,
    )
    if not has_table(marrow.marks, tally, rules.lattice):
        return TABLE_SHORT, *nothing
    number = number_of_candidates(marrow.marks, tally, step, key_low, key_high)
    if rules.cells.mutation_rate.shape[1] > 0 and tally[NEXT_CLONE] + number > marrow.clone_table.shape[0]:
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
    """CAR T cells, scar, the row, and the end of the run. Returns DONE or AGENTS_FULL."""
    tally = marrow.tally
    # T cells meet the cells that this step has left; they never see a cell that divided away
    if rules.car_t.enabled == 1:
        while tally[SUB_STEP] < rules.car_t.sub_steps and tally[T_CELLS] > 0:
            if not room_for_daughters(marrow.agents, tally):
                return AGENTS_FULL
            sub = tally[SUB_STEP]
            today = step * rules.clock.step + (sub + 1) * rules.car_t.sub_step
            if rules.car_t.tissue == 1:
                micro_sub_step(
                    marrow.cell, marrow.ground, marrow.counters, marrow.ledger, marrow.agents, tally, rules.cells,
                    rules.car_t, rules.lattice, step, sub, today, key_low, key_high,
                )  # fmt: skip
            else:
                macro_sub_step(
                    marrow.cell, marrow.ground.source, marrow.counters, marrow.ledger, marrow.signal.activity,
                    marrow.agents, tally, rules.cells, rules.car_t, rules.lattice, step, sub, today, key_low, key_high,
                )  # fmt: skip
            tally[SUB_STEP] = sub + 1
        tally[SUB_STEP] = 0
    # scar answers over weeks, so it comes after everything that answers within the day
    if rules.scar.enabled == 1 and (step + 1) % rules.scar.every == 0:
        grow_scar(marrow.ground, tally, rules.scar)
    alive = -1
    if tally[EMPTIED] > 0:
        alive = note_lost_clones(marrow.counters.clone_cells, marrow.clone_table, tally, step)
    end_run(marrow.counters.genotype_cells, tally, rules.clock, rules.cells.is_mutant, step + 1, alive)
    boundary = step + 1
    due = rules.census.row_at[tally[NEXT_ROW]] == boundary
    if due or tally[ENDED] != GOES_ON:
        write_row(
            marrow.counters, marrow.signal, marrow.ground.summary, marrow.agents, marrow.record, tally, rules.places,
            rules.census, rules.cells.base, rules.car_t, rules.lattice.sites, rules.clock.step, boundary,
        )  # fmt: skip
        if due:
            tally[NEXT_ROW] += 1
    see_columns(marrow, rules, boundary)
    tally[STAGE] = AT_START
    return DONE


@jit
def end_run(count, tally, clock, is_mutant, boundary, alive):
    """Whether the run ends here, and why.

    alive : int
        Clones left if one was lost in this step, else -1: only a loss can fix another.
    """
    in_time = boundary >= clock.not_before
    if clock.on_eradication == 1:
        mutants = 0
        for g in range(1, count.shape[0]):
            mutants += count[g] * is_mutant[g]
        if mutants > 0:
            tally[MUTANTS_SEEN] = 1
        elif tally[MUTANTS_SEEN] == 1 and in_time:
            tally[ENDED] = ERADICATION
    if clock.on_fixation == 1 and alive == 1 and in_time:
        tally[ENDED] = FIXATION
    if clock.on_extinction == 1 and count[0] == clock.sites and in_time:
        tally[ENDED] = EXTINCTION
    if tally[ENDED] != GOES_ON:
        tally[ENDED_STEP] = boundary


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
    cell, counters, ledger, clone_table, ground, marks, signal, agents, record, tally,
    lattice, clock, cells, signal_rules, drugs, scar, levels, car_t, census, places,
    reached, needs, until, keys,
):  # fmt: skip
    """Every marrow of a stack as far as it goes, one a thread at a time.

    The groups of the stack and of the rules come one by one: numba cannot hand a nested tuple to a parallel
    loop. ``reached`` and ``needs`` (int64[replicates]) are written as ``run_days`` returns them.
    """
    for k in prange(reached.shape[0]):
        r = np.int64(k)
        stack = MarrowState(cell, counters, ledger, clone_table, ground, marks, signal, agents, record, tally)
        rules = Rules(lattice, clock, cells, signal_rules, drugs, scar, levels, car_t, census, places)
        reached[r], needs[r] = run_replicate(r, stack, rules, reached, until, keys)
