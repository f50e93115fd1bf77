"""The work behind the quoted speeds: that it is what it is called, and what `bench` prints."""

import json
from pathlib import Path

import pytest
from unit.small import bare

from mpn_abm import bench
from mpn_abm.cli.main import main
from mpn_abm.kernels.compiler import threads_available
from mpn_abm.scenario.scenario import load

MAIN_JOB = Path(__file__).resolve().parents[2] / "scenarios" / "therapy" / "calr_car_t.yaml"
TINY = bench.Work("tiny", bare(output={"clones": False, "snapshots": False}), replicates=2)
SAID = {
    "work",
    "threads",
    "median_seconds",
    "lowest_seconds",
    "highest_seconds",
    "steps",
    "candidates",
    "ns_per_candidate",
}


def test_the_main_job_is_the_scenario_of_the_library():
    """But for its name, its claims and what it writes. Catches a bench of some other patient."""
    told = {"name", "question", "output"}
    without_claims = {"arms": None, "endpoints": None, "expect": None}
    spec, file = load(bench.main_job(5 * 365.25)).spec, load(MAIN_JOB, without_claims).spec
    assert spec.model_dump(exclude={*told, "time"}) == file.model_dump(exclude={*told, "time"})
    assert spec.time.model_dump(exclude={"snapshot_every"}) == file.time.model_dump(exclude={"snapshot_every"})


def test_every_work_is_a_valid_scenario_and_a_share_of_it_is_shorter():
    """All but the patient, who gets his T cells on day 365."""
    whole, tenth = list(bench.works(1.0)), list(bench.works(0.1))
    assert len({(work.name, work.threads) for work in whole}) == len(whole) == len(tenth)
    for work, less in zip(whole, tenth, strict=True):
        long, short = load(work.scenario).spec, load(less.scenario).spec
        factor = long.time.duration * work.replicates / (short.time.duration * less.replicates)
        assert factor == 1.0 if long.treatments else factor > 5.0
        assert long.marrow == short.marrow
        assert 1 <= work.threads <= threads_available()


def test_the_lifetimes_are_those_of_eighty_years_on_the_lattice_that_they_name():
    for work in list(bench.works(1.0))[:3]:
        spec = load(work.scenario).spec
        assert (spec.marrow.shape, spec.time.duration, spec.time.step) == ((316, 316), 80 * 365.25, 1.0)
        assert spec.clones["jak2"].cells == 1


def test_a_measurement_counts_the_steps_and_candidates_of_one_repeat():
    measured = bench.measure(TINY, repeats=2)
    assert len(measured.seconds) == 2
    assert all(0.0 < seconds < 10.0 for seconds in measured.seconds)
    assert measured.steps == 2 * 28
    alone = bench.measure(TINY, repeats=1)
    assert measured.candidates == alone.candidates > 0


def test_figures_are_told_in_the_unit_in_which_the_work_is_compared():
    run = bench.Measurement("a", 1, (0.3, 0.1, 0.2), candidates=100_000_000, steps=5, per="run")
    assert (run.median, run.figure) == (0.2, "0.200 s")
    candidate = bench.Measurement("a", 1, (0.3, 0.1, 0.2), candidates=100_000_000, steps=5, per="candidate")
    assert candidate.figure == "2.0 ns per candidate"
    assert run.as_dict() == {
        "work": "a",
        "threads": 1,
        "median_seconds": 0.2,
        "lowest_seconds": 0.1,
        "highest_seconds": 0.3,
        "steps": 5,
        "candidates": 100_000_000,
        "ns_per_candidate": pytest.approx(2.0),
    }
    idle = bench.Measurement("a", 1, (0.3,), candidates=0, steps=5, per="run")
    assert idle.as_dict()["ns_per_candidate"] is None


def test_json_is_one_object_on_stdout_and_the_rest_is_on_stderr(capsys, monkeypatch):
    shares = []

    def works(share):
        shares.append(share)
        yield TINY

    monkeypatch.setattr(bench, "works", works)
    assert main(["bench", "--quick", "--json"]) == 0
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert out.count("\n") == 1
    assert shares == [said["share_of_work"]] == [0.1]
    (measurement,) = said["measurements"]
    assert set(measurement) == SAID
    assert measurement["work"] == "tiny"
    assert "tiny, 1 thread(s)" in err
    assert main(["bench"]) == 0
    out, err = capsys.readouterr()
    assert shares == [0.1, 1.0]
    assert "tiny, 1 thread(s) [56 steps, " in out
    assert "processors" in err
