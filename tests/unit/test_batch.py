"""Marrows side by side: their seeds, room that grows without a trace, and what is taken from them."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from twin.draws import replicate_seed
from unit.small import bare, niche, run, same

from mpn_abm import simulate
from mpn_abm.batch import SECONDS_PER_CALL, Batch, keys_of, seeds_of
from mpn_abm.compile.program import compile_scenario
from mpn_abm.scenario.scenario import load
from mpn_abm.state import ENDED, LOST_STEP, NEXT_CLONE, ROWS


def batch_of(content, replicates=1, **options):
    return Batch(compile_scenario(load(content).spec), range(replicates), **options)


def nothing(*_):
    """A flush that is not needed in a run of so few rows; progress that nobody hears."""


def drop_rows(batch):
    def drop():
        batch.take_rows()
        batch.take_clone_rows()

    return drop


# Seeds.


@pytest.mark.parametrize("seed", [0, 7, 2**32, 2**53 - 1])
def test_the_first_replicate_has_the_seed_of_the_file_and_the_others_that_of_the_twin(seed):
    assert seeds_of(seed, [0, 1, 2, 999]).tolist() == [replicate_seed(seed, k) for k in (0, 1, 2, 999)]
    assert seeds_of(seed, [0]).tolist() == [seed]


def test_a_key_is_the_two_halves_of_a_seed_low_first():
    assert keys_of(np.array([1, 2**32 + 5], np.uint64)).tolist() == [[1, 0], [5, 1]]


def test_no_two_replicates_share_a_seed():
    assert len(np.unique(seeds_of(1, range(20_000)))) == 20_000


# Room.


def short(program, **sizes):
    """The same program with shorter arrays."""
    return dataclasses.replace(program, sizes=program.sizes._replace(**sizes))


@cache
def wide(replicates):
    return run(niche(replicates=replicates))


@pytest.mark.parametrize("replicates", [1, 3])
@pytest.mark.parametrize(
    "sizes",
    [
        {"rows": 1},
        {"rows": 3},
        {"clones": 5, "clone_rows": 5},
        {"clone_rows": 120},
        {"agents": 12},
        {"poisson": 8},
        {"log": 5},
        {"rows": 2, "clones": 4, "clone_rows": 7, "agents": 1, "poisson": 1, "log": 1},
    ],
    ids=lambda sizes: "+".join(sizes),
)
def test_arrays_that_start_short_leave_the_same_tables(monkeypatch, sizes, replicates):
    """Every way out of the compiled loop for more room, and back in. Catches a step that is done twice or not at all,
    rows that are lost when a block is emptied, and a clone that counts as lost in a longer table."""
    programs = []

    def compile_short(spec):
        programs.append(short(compile_scenario(spec), **sizes))
        return programs[-1]

    monkeypatch.setattr(simulate, "compile_scenario", compile_short)
    left = run(niche(replicates=replicates))
    assert len(programs) == 1
    assert list(left.tables) == list(wide(replicates).tables)
    for name, table in left.tables.items():
        assert same(table, wide(replicates).tables[name]), name


def test_longer_arrays_keep_what_was_in_the_short_ones():
    batch = batch_of(niche(), replicates=2)
    batch.advance(5, nothing, nothing)
    before = batch.stack
    sizes = batch.sizes._replace(clones=2 * batch.sizes.clones, agents=3 * batch.sizes.agents)
    batch._grow(sizes)
    assert batch.stack.cell is before.cell
    clones = batch.stack.tally[:, NEXT_CLONE]
    for k in range(2):
        assert (batch.stack.clone_table[k, : clones[k]] == before.clone_table[k, : clones[k]]).all()
        # a row of the table that is still free is that of no lost clone
        assert (batch.stack.clone_table[k, clones[k] :, LOST_STEP] == -1).all()
    assert batch.stack.agents.site.shape == (2, sizes.agents)


# Stepping.


def test_a_call_is_as_long_as_progress_needs_and_grows_at_most_fourfold():
    batch = batch_of(bare())
    batch._steps_per_call = 100
    batch._pace(seconds=1.0, steps=100)
    assert batch._steps_per_call == 100 * SECONDS_PER_CALL
    batch._pace(seconds=1e-9, steps=25)
    assert batch._steps_per_call == 100
    batch._pace(seconds=60.0, steps=1)
    assert batch._steps_per_call == 1
    batch._pace(seconds=1.0, steps=0.0)
    assert batch._steps_per_call == 1


def test_a_batch_stands_where_it_was_told_to_and_goes_nowhere_twice():
    batch = batch_of(bare(time={"duration_days": 100}), replicates=3)
    boundaries = []
    for until in (0, 10, 10, 3, 28):
        batch.advance(until, nothing, boundaries.append)
        assert batch.reached.tolist() == [max(until, 10 if boundaries else 0)] * 3
    assert boundaries == sorted(boundaries)
    assert boundaries[-1] == 28.0


def test_marrows_that_have_ended_are_left_alone():
    """Neither stepped nor joined by a clone that arrives."""
    content = bare(
        marrow={"shape": [2, 2]},
        clones={"a": {"genotype": "wild_type", "cells": 2}, "b": {"genotype": "wild_type"}},
        hematopoiesis={"division_rate_per_year": 20.0, "homing_radius_sites": 1},
        time={"duration_days": 300, "record_every_days": 1},
        stop={"when": ["fixation"]},
    )
    batch = batch_of(content, replicates=40)
    batch.advance(30, nothing, nothing)
    ended = batch.ended != 0
    assert 0 < ended.sum() < 40
    cells, reached, rows = batch.stack.cell.copy(), batch.reached.copy(), batch.stack.tally[:, ROWS].copy()
    batch.arrive(0, 30)
    batch.advance(60, nothing, nothing)
    assert (batch.stack.cell[ended] == cells[ended]).all()
    assert (batch.reached[ended] == reached[ended]).all()
    assert (batch.stack.tally[ended, ROWS] == rows[ended]).all()
    assert (batch.reached[~ended] > 30).all()


def test_candidates_and_events_are_those_of_all_marrows():
    batch = batch_of(bare(), replicates=4)
    batch.advance(28, nothing, nothing)
    alone = []
    for seed in batch.seeds.tolist():
        one = batch_of(bare(seed=seed))
        one.advance(28, nothing, nothing)
        alone.append((one.candidates, one.events))
    assert (batch.candidates, batch.events) == tuple(map(sum, zip(*alone, strict=True)))
    assert batch.candidates > batch.events > 0


# Taking.


def test_rows_are_taken_once_with_their_replicate_and_boundary():
    batch = batch_of(bare(), replicates=3)
    batch.advance(15, nothing, nothing)
    replicate, boundary, values = batch.take_rows()
    assert replicate.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert boundary.tolist() == [0, 7, 14] * 3
    assert (values[:, batch.program.rules.places.cells_total] == 64.0).all()
    assert len(batch.take_rows()[0]) == 0
    batch.advance(28, nothing, nothing)
    assert batch.take_rows()[1].tolist() == [21, 28] * 3


def test_the_log_is_taken_once():
    batch = batch_of(niche(), replicates=2)
    batch.advance(20, drop_rows(batch), nothing)
    assert [len(log) for log in batch.take_log()] == [2, 2]
    batch.advance(40, drop_rows(batch), nothing)
    assert [log[:, 0].tolist() for log in batch.take_log()] == [[30.0], [30.0]]
    assert batch.stack.tally[0, ENDED] == 0
