"""Runs of many scenarios leave, together, what each leaves alone."""

import numpy as np
import pyarrow as pa
import pytest
from unit.small import bare, niche, tissue

import mpn_abm
from mpn_abm import harvest, simulate
from mpn_abm.errors import ResourceError, SimulationError
from mpn_abm.harvest import Harvest

TO_FIXATION = {
    "marrow": {"shape": [4, 4]},
    "clones": {"one": {"genotype": "wild_type", "cells": 8}, "mutant": {"genotype": "JAK2_V617F", "cells": 8}},
    "time": {"duration_years": 40, "step_days": 30, "record_every_days": 360},
    "stop": {"when": ["fixation"]},
}
OLD = {"patient": {"age_years": 100}, "time": {"duration_years": 10, "record_every_days": 200}, "progression": {}}
SCENARIOS = {
    "bare": bare(),
    "other": bare(seed=8, hematopoiesis={"division_rate_per_year": 20.0}, time={"duration_days": 9}),
    "large": bare(seed=9, marrow={"shape": [16, 12]}),
    "fixation": bare(**TO_FIXATION),
    "mortal": bare(**OLD),
    "niche": niche(),
    "tissue": tissue(),
}
NUMBERS = [0, 2, 3]


@pytest.fixture(scope="module")
def scenarios():
    return {name: mpn_abm.load(content) for name, content in SCENARIOS.items()}


@pytest.fixture(scope="module")
def harvested(scenarios):
    """The tables of all scenarios, in which those with the same columns come one between the others."""
    together = Harvest()
    for name, scenario in scenarios.items():
        together.run(scenario, [f"{name}-{k}" for k in NUMBERS], NUMBERS)
    return {table: together.tables(table) for table in ("trajectory", "summary")}


def rows_of(tables, name, replicate):
    """The rows of one run, from whichever table has them."""
    (found,) = [
        part for table in tables if (part := table.filter(pa.compute.equal(table["run_id"], f"{name}-{replicate}")))
    ]
    return found.drop_columns(["run_id"]).combine_chunks()


@pytest.mark.parametrize("table", ["trajectory", "summary"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_each_run_has_the_rows_that_it_has_alone(scenarios, harvested, name, table):
    """Catches days, sizes or names that are those of another scenario, and replicates with another seed."""
    alone = mpn_abm.run(scenarios[name], replicates=4).tables[table]
    for replicate in NUMBERS:
        mine = alone.filter(pa.compute.equal(alone["replicate"], replicate)).drop_columns(["run_id"]).combine_chunks()
        assert mine.num_rows > 0
        assert rows_of(harvested[table], name, replicate).equals(mine, check_metadata=True)


def test_there_is_a_table_for_each_set_of_columns_with_the_runs_in_their_order(harvested):
    for tables in harvested.values():
        order = [list(dict.fromkeys(table["run_id"].to_pylist())) for table in tables]
        assert order == [
            [f"{name}-{k}" for name in names for k in NUMBERS]
            for names in (["bare", "other", "large"], ["fixation"], ["mortal"], ["niche"], ["tissue"])
        ]


def test_replicates_that_are_stepped_in_parts_leave_the_same(scenarios, harvested, monkeypatch):
    monkeypatch.setattr(simulate, "MOST_TOGETHER", 2)
    parts = Harvest()
    parts.run(scenarios["fixation"], [f"fixation-{k}" for k in NUMBERS], NUMBERS)
    for table, tables in harvested.items():
        for replicate in NUMBERS:
            one, other = (rows_of(found, "fixation", replicate) for found in (parts.tables(table), tables))
            assert one.equals(other)


def test_a_run_that_fails_leaves_nothing_and_the_others_stay(scenarios, monkeypatch):
    together = Harvest()
    together.run(scenarios["bare"], ["first"])
    drive = harvest.drive

    def spoilt(batch, *others):
        drive(batch, *others)
        batch.stack.record.rows[0, 1, 0] = np.inf

    monkeypatch.setattr(harvest, "drive", spoilt)
    with pytest.raises(SimulationError, match="cells_total is inf on day 7"):
        together.run(scenarios["other"], ["second"])
    monkeypatch.setattr(harvest, "drive", drive)
    together.run(scenarios["large"], ["third"])
    (summary,) = together.tables("summary")
    assert summary["run_id"].to_pylist() == ["first", "third"]


def test_a_run_for_which_there_is_no_memory_is_refused_after_smaller_ones(scenarios, monkeypatch):
    """Catches a look at the memory of the machine at the first run alone."""
    together = Harvest()
    together.run(scenarios["bare"], ["first"])
    monkeypatch.setattr("mpn_abm.estimate.memory_available", lambda: 2**20)
    together.run(scenarios["bare"], ["as large"])
    with pytest.raises(ResourceError, match="16 x 12"):
        together.run(scenarios["large"], ["larger"])


def test_a_harvest_of_nothing_has_no_table():
    assert Harvest().tables("summary") == []
