"""Who runs a scenario, in how many threads and pieces, and who looks on, changes no bit of what comes out."""

from dataclasses import replace

import numpy as np
import pytest
from verification.runs import OFF, digest, scenario

import mpn_abm
from mpn_abm.batch import Batch
from mpn_abm.compile.program import compile_scenario

# a step of this marrow has some thousand candidates, so that two threads meet at many borders
NICHE = {
    "time": {"duration_days": 120, "step_days": 10, "record_every_days": 30}, "seed": 12,
    "marrow": {"shape": [120, 96]},
    "clones": {
        "healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "JAK2_V617F", "fraction": 0.3},
        "calr": {"genotype": "CALR_TYPE2", "fraction": 0.3}, "late": {"genotype": "wild_type", "cells": 400, "day": 70},
    },
    "hematopoiesis": {"loss_rate_per_year": 1, "division_rate_per_year": 5, "displacement": 0.8},
    "mutation": {"driver_rate_per_year": 1e-2, "antigen_low_rate_per_year": 1e-2},
    "fibrosis": {"initial": {"mf_grade": 2, "patches": 5, "cover_fraction": 0.5}},
    "treatments": {"car_t": {"dose_cells": 1e8, "day": 40}, "ruxolitinib": {"dose_mg": 20, "stop_day": 60}},
    "car_t": {"max_divisions": 9},
}  # fmt: skip
TISSUE = {
    "time": {"duration_days": 1.5}, "marrow": {"scale": "tissue", "shape": [20, 18, 16]}, "seed": 12,
    "clones": {"healthy": {"genotype": "wild_type"}, "calr": {"genotype": "CALR_TYPE1", "fraction": 0.4}},
    "hematopoiesis": {"division_rate_per_year": 200, "loss_rate_per_year": 30}, "car_t": {"scar_slowing": 0.5},
    "fibrosis": {"initial": {"mf_grade": 1}}, "treatments": {"car_t": {"effector_to_target": 0.05}},
}  # fmt: skip
EVERY = pytest.mark.parametrize("content", [NICHE, TISSUE], ids=["niche", "tissue"])


def tables(result):
    """Every table but the label of the run."""
    return {
        name: table.drop_columns("run_id").combine_chunks().unify_dictionaries()
        for name, table in result.tables.items()
    }


def the_same(one, other):
    """Whether two runs left the same tables; a missing value is the same as another one."""
    return digest(one) == digest(other) and tables(one) == tables(other)


@pytest.fixture(scope="module")
def alone():
    """Each marrow run once, by itself, on one thread."""
    return {id(content): mpn_abm.run(scenario(content)) for content in (NICHE, TISSUE)}


@EVERY
def test_the_same_scenario_twice_in_one_process_is_the_same_run(content, alone):
    """Catches arrays that are left from the run before."""
    assert the_same(mpn_abm.run(scenario(content)), alone[id(content)])


@EVERY
def test_another_seed_is_another_run(content, alone):
    """Catches all tests of this module passing because nothing happens."""
    other = mpn_abm.run(scenario(content, {"seed": 13}))
    assert digest(other) != digest(alone[id(content)])
    assert alone[id(content)].facts["events"] > 1000
    assert alone[id(content)].trajectory.kills.iloc[-1] > 10


@EVERY
def test_two_threads_leave_what_one_does(content, alone):
    """Also the numbers of clones and the sites of their birth. Catches stripes that meet out of order."""
    assert the_same(mpn_abm.run(scenario(content), threads=2), alone[id(content)])


@EVERY
@pytest.mark.parametrize("threads", [1, 2])
def test_a_replicate_is_the_run_of_its_seed(content, threads, alone):
    """Three together, and each by `run --seed` alone. Catches a replicate that enters a draw, or shares a table."""
    together = mpn_abm.run(scenario(content), replicates=3, threads=threads)
    rows = together.trajectory.drop(columns="run_id")
    seeds = rows.groupby("replicate").seed.first().to_list()
    assert len(set(seeds)) == 3
    assert seeds[0] == content["seed"]
    for number, seed in enumerate(seeds):
        single = alone[id(content)] if number == 0 else mpn_abm.run(scenario(content, {"seed": seed}))
        own = rows[rows.replicate == number].reset_index(drop=True).drop(columns="replicate")
        assert own.equals(single.trajectory.drop(columns=["run_id", "replicate"]))
        for name in ("clones", "events", "snapshots", "summary"):
            whole = getattr(together, name)
            own = whole[whole.replicate == number].reset_index(drop=True).drop(columns=["run_id", "replicate"])
            assert own.astype(object).equals(getattr(single, name).drop(columns=["run_id", "replicate"]).astype(object))


def test_more_replicates_leave_the_first_ones_as_they_are():
    """Catches seeds that depend on how many there are."""
    few, many = (mpn_abm.run(scenario(TISSUE), replicates=n).trajectory for n in (2, 5))
    assert many[many.replicate < 2].equals(few)


@EVERY
def test_observers_change_nothing_but_add_their_columns(content, alone):
    observed = mpn_abm.run(scenario(content), observers=[lambda state, day: {"day_seen": day}, lambda *_: {"one": 1}])
    assert observed.trajectory.day_seen.to_list() == observed.trajectory.day.to_list()
    assert (observed.trajectory.one == 1.0).all()
    plain = observed.trajectory.drop(columns=["day_seen", "one"])
    assert plain.equals(alone[id(content)].trajectory)
    assert tables(observed)["snapshots"] == tables(alone[id(content)])["snapshots"]


@EVERY
def test_how_often_a_run_is_recorded_does_not_change_it(content, alone):
    """Rows and snapshots on days that two runs share are equal, and so is the end."""
    step = content["time"].get("step_days", 1 / 144)
    often = mpn_abm.run(scenario(content, {"time.record_every_days": step, "time.snapshot_every_days": 30 * step}))
    rows = often.trajectory[often.trajectory.day.isin(alone[id(content)].trajectory.day)].reset_index(drop=True)
    assert rows.drop(columns="run_id").equals(alone[id(content)].trajectory.drop(columns="run_id"))
    ends = [run.snapshots[run.snapshots.day == run.snapshots.day.max()] for run in (often, alone[id(content)])]
    one, other = (end.drop(columns="run_id").astype({"genotype": str}).reset_index(drop=True) for end in ends)
    assert one.equals(other)
    assert len(often.trajectory) > len(rows)


@EVERY
@pytest.mark.parametrize("output", [("clones", "events"), ("snapshots", "summary")])
def test_tables_that_are_left_out_change_nothing(content, output, alone):
    less = mpn_abm.run(scenario(content, {f"output.{name}": False for name in output}))
    assert digest(less) == digest(alone[id(content)])
    assert set(less.tables) == set(alone[id(content)].tables) - set(output)


@EVERY
@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_in_pieces_is_the_run_in_one(content, threads):
    """Rows and every array of the state. Catches what is kept outside the state between two calls."""
    program = compile_scenario(scenario(content, {"clones.late": None} if "late" in content["clones"] else None).spec)
    last = 12
    whole, cut = Batch(program, [0], threads), Batch(program, [0], threads)
    rows = {id(batch): [] for batch in (whole, cut)}

    def advance(batch, until):
        batch.advance(until, lambda: rows[id(batch)].append(batch.take_rows()), lambda _: None)

    advance(whole, last)
    for until in (1, 2, 2, 3, 5, 8, 11, last):
        advance(cut, until)
    for batch in (whole, cut):
        rows[id(batch)].append(batch.take_rows())
    one, other = (np.concatenate([values for _, _, values in rows[id(batch)]]) for batch in (whole, cut))
    assert one.tolist() == other.tolist()
    one, other = whole.marrow(0), cut.marrow(0)
    assert np.array_equal(one.cell, other.cell)
    for group in ("counters", "ledger", "ground", "signal"):
        for name, array in getattr(one, group)._asdict().items():
            if name != "work":
                assert np.array_equal(array, getattr(getattr(other, group), name)), (group, name)
    assert np.array_equal(one.tally, other.tally)


def test_room_that_grows_in_the_middle_of_a_step_changes_nothing():
    """Tables so short that clones, agents and rows all have to move while a step is open."""
    content = NICHE | {"fibrosis": OFF, "time": {"duration_days": 200, "step_days": 2, "record_every_days": 2}}
    program = compile_scenario(scenario(content, {"clones.late": None}).spec)
    short = replace(program, sizes=program.sizes._replace(clones=8, agents=32, rows=2, clone_rows=64, log=2))
    found = []
    for one in (program, short):
        batch, taken = Batch(one, [0]), []

        def flush(batch=batch, taken=taken):
            taken.append(batch.take_rows()[2])
            batch.take_clone_rows()
            batch.take_log()

        batch.advance(100, flush, lambda _: None)
        flush()
        found.append((np.concatenate(taken), batch.marrow(0).cell.copy()))
    assert found[0][0].tolist() == found[1][0].tolist()
    assert np.array_equal(found[0][1], found[1][1])
