"""What `mpn_abm.run` returns: the same rows however the work is cut, why it ended, and what it took."""

import json
import subprocess
import sys
import time

import pytest
from unit.small import bare, niche, run, same, tissue

import mpn_abm
from mpn_abm import simulate
from mpn_abm.errors import UsageError

NAMES = ("replicate", "seed", "run_id")
TO_FIXATION = {
    "marrow": {"shape": [4, 4]},
    "clones": {"one": {"genotype": "wild_type", "cells": 8}, "other": {"genotype": "wild_type"}},
    "time": {"duration_years": 40, "step_days": 30, "record_every_days": 360},
    "stop": {"when": ["fixation"]},
}


def rows_of(result, table, replicate):
    """The rows of one replicate, without what names it."""
    frame = getattr(result, table)
    names = [name for name in NAMES if name in frame]
    return frame[frame.replicate == replicate].drop(columns=names).reset_index(drop=True)


# The same rows however the work is cut.


@pytest.mark.parametrize("make", [niche, tissue, lambda **blocks: bare(**{**TO_FIXATION, **blocks})])
def test_a_replicate_can_be_repeated_alone_with_its_seed(make):
    """Every table, whatever became of the others. Catches replicates that know their number."""
    together = run(make(replicates=4))
    for replicate in (0, 2, 3):
        seed = together.summary.seed[replicate]
        alone = run(make(seed=int(seed)))
        assert alone.trajectory.seed.unique().tolist() == [seed]
        for table in together.tables:
            assert rows_of(alone, table, 0).equals(rows_of(together, table, replicate)), table


@pytest.mark.parametrize("content", [niche(), bare(**TO_FIXATION)], ids=["niche", "fixation"])
def test_how_many_replicates_are_stepped_together_changes_nothing(monkeypatch, content):
    whole = run(content, replicates=7)
    monkeypatch.setattr(simulate, "MOST_TOGETHER", 3)
    parts = run(content, replicates=7)
    for name, table in whole.tables.items():
        assert same(table, parts.tables[name]), name
    for fact in ("candidates", "events", "site_steps", "end_reasons", "trajectory_sha256"):
        assert parts.facts[fact] == whole.facts[fact]


def test_threads_change_nothing():
    content = niche(replicates=3)
    one, two = run(content), run(content, threads=2)
    assert all(same(one.tables[name], two.tables[name]) for name in one.tables)


def test_the_number_of_replicates_is_that_of_the_call_or_else_of_the_file():
    assert run(bare(replicates=3)).summary.replicate.tolist() == [0, 1, 2]
    assert run(bare(replicates=3), replicates=2).summary.replicate.tolist() == [0, 1]


def test_only_as_many_marrows_are_in_memory_as_fit(monkeypatch):
    module = simulate
    program = module.compile_scenario(mpn_abm.load(bare()).spec)
    one = module.memory_of_batch(program, 1)
    monkeypatch.setattr(module, "MEMORY_TOGETHER", 3.5 * one)
    assert module.replicates_together(program, 100) == 3
    monkeypatch.setattr(module, "MEMORY_TOGETHER", one / 2)
    assert module.replicates_together(program, 100) == 1
    assert module.replicates_together(program, 1) == 1


# Why it ended.


def ends(**blocks):
    facts = run(bare(**blocks)).facts
    return facts["end_reason"], facts["end_day"]


def test_a_run_says_why_and_when_it_ended():
    alone = {"healthy": {"genotype": "wild_type"}}
    fast = {"division_rate_per_year": 60.0, "loss_rate_per_year": 0.0}
    rare = {**alone, "mutant": {"genotype": "JAK2_V617F", "cells": 1}}
    long = {"duration_years": 20, "record_every_days": 1000}
    assert ends(stop={"when": ["fixation", "extinction", "eradication"]}, clones=alone) == ("duration", 28.0)
    reason, day = ends(**TO_FIXATION)
    assert (reason, day % 30) == ("fixation", 0.0)
    assert 0 < day < 40 * 365
    dying = {"division_rate_per_year": 0.0, "loss_rate_per_year": 50.0}
    reason, day = ends(stop={"when": ["extinction"]}, hematopoiesis=dying, time=long)
    assert (reason, 0 < day < 365) == ("extinction", True)
    reason, day = ends(stop={"when": ["eradication"]}, hematopoiesis=fast, time=long, clones=rare, seed=4)
    assert (reason, 0 < day < 7300) == ("eradication", True)


def test_replicates_count_their_reasons():
    result = run(bare(**{**TO_FIXATION, "replicates": 30, "time": {"duration_days": 900, "step_days": 30}}))
    reasons = result.facts["end_reasons"]
    assert reasons == result.summary.end_reason.value_counts().to_dict()
    assert set(reasons) == {"fixation", "duration"}
    assert result.facts["end_reason"] == max(reasons, key=reasons.get)
    assert result.facts["end_day"] == result.summary.end_day.max()


# What it took.


def test_site_steps_are_the_sites_times_the_steps_that_were_made():
    """Also of runs that ended early. Catches the planned number of steps."""
    result = run(bare(**{**TO_FIXATION, "replicates": 20}))
    assert result.facts["site_steps"] == 16 * round(result.summary.end_day.sum() / 30)
    assert result.facts["site_steps"] < 16 * 20 * 487


def test_the_parts_of_the_time_are_parts_of_the_whole():
    facts = run(niche()).facts
    assert facts["compile_seconds"] + facts["stepping_seconds"] <= facts["wall_seconds"]
    assert min(facts["compile_seconds"], facts["stepping_seconds"]) > 0.0
    assert 50 < facts["peak_memory_mb"] < 10_000
    assert facts["candidates"] > facts["events"] > 0


def test_the_peak_of_memory_is_that_of_this_process_and_not_of_the_one_that_started_it():
    """Linux hands the peak of the parent on to the child in getrusage."""
    ballast = bytearray(600 * 2**20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    code = "from mpn_abm.simulate import peak_memory_mb; print(peak_memory_mb())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert 100 < float(done.stdout) < 500
    assert simulate.peak_memory_mb() > 600


@pytest.mark.parametrize("replicates", [1, 5])
def test_progress_grows_to_the_whole(monkeypatch, replicates):
    monkeypatch.setattr(simulate, "MOST_TOGETHER", 2)
    told = []
    run(bare(time={"duration_years": 20}, replicates=replicates), progress=told.append)
    assert told == sorted(told)
    assert 0.0 < told[0] < told[-1] == 1.0


def test_what_surrounds_the_steps_of_10000_replicates_takes_less_than_two_seconds():
    """Processor time of everything but the kernels, which have next to nothing to do here. Catches work in Python for
    every replicate or row."""
    content = bare(replicates=10_000, marrow={"shape": [4, 4]}, time={"duration_days": 28}, output={"snapshots": False})
    scenario = mpn_abm.load(content)
    mpn_abm.run(scenario, replicates=2)
    start = time.process_time()
    result = mpn_abm.run(scenario)
    assert time.process_time() - start < 2.0
    assert len(result.trajectory) == 50_000


# The public word.


def test_every_public_word_is_there_and_no_other():
    assert {name for name in mpn_abm.__all__ if not hasattr(mpn_abm, name)} == set()
    assert set(mpn_abm.__all__) <= set(dir(mpn_abm))
    with pytest.raises(AttributeError, match="no attribute 'rum'"):
        _ = mpn_abm.rum


# What a caller says.


def test_a_scenario_may_be_a_path_a_text_or_a_mapping(tmp_path):
    file = tmp_path / "bare.yaml"
    file.write_text(json.dumps(bare()))
    loaded = mpn_abm.run(mpn_abm.load(file))
    for source in (file, str(file), file.read_text(), bare()):
        assert same(mpn_abm.run(source).tables["trajectory"], loaded.tables["trajectory"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replicates": 0}, "replicates: 0: expected a whole number from 1 to 1000000"),
        ({"replicates": -1}, "replicates: -1: expected a whole number from 1 to 1000000"),
        ({"replicates": 2.5}, "replicates: 2.5: expected a whole number from 1 to 1000000"),
        ({"threads": 0}, "threads: 0: expected a whole number from 1 to "),
        ({"threads": 4096}, "threads: 4096: expected a whole number from 1 to "),
        ({"threads": "2"}, "threads: '2': expected a whole number from 1 to "),
    ],
)
def test_a_wrong_argument_is_a_usage_error(options, message):
    with pytest.raises(UsageError) as caught:
        run(bare(), **options)
    assert str(caught.value).startswith(message)
