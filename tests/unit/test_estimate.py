"""What a run is said to take, against what it takes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from unit.small import bare, niche, run

import mpn_abm
from mpn_abm import batch, estimate, simulate
from mpn_abm.compile.program import compile_scenario
from mpn_abm.errors import ResourceError

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"


def estimated(content, overrides=None):
    program = compile_scenario(mpn_abm.load(content, overrides=overrides).spec)
    together = simulate.replicates_together(program, program.spec.replicates)
    return estimate.estimate(program, together, program.spec.replicates)


# run and write in a process of its own: its peak is that of the run
MEASURED = """
import json, sys, tempfile, os, mpn_abm
from mpn_abm.simulate import peak_memory_mb
result = mpn_abm.run(mpn_abm.load(json.loads(sys.argv[1])))
with tempfile.TemporaryDirectory() as folder:
    result.write(folder)
    disk = sum(file.stat().st_size for file in os.scandir(folder))
print(json.dumps({"memory": peak_memory_mb() * 2**20, "disk": disk}))
"""
LARGE = {
    # what there is beside the interpreter: the marrow, the scratch of day 0, rows, snapshots
    "snapshots of 1024 x 1024": bare(marrow={"shape": [1024, 1024]}, time={"duration_days": 2}),
    "rows of 1000 replicates": bare(
        replicates=1000, time={"duration_days": 2000}, output={"snapshots": False, "clones": False, "events": False}
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_memory_is_told_within_a_fifth_and_disk_within_a_factor_of_one_and_a_half(name):
    """Against the peak of a process and the files that it leaves."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, json.dumps(LARGE[name])], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found, told = json.loads(done.stdout), estimated(LARGE[name])
    assert told.memory_bytes == pytest.approx(found["memory"], rel=0.2)
    assert 1 / 1.5 < told.disk_bytes / found["disk"] < 1.5


def test_the_main_job_takes_about_the_candidates_the_disk_and_the_time_that_are_told(tmp_path):
    """Time by a wide factor: it is that of another machine."""
    main_job = SCENARIOS / "therapy" / "calr_car_t.yaml"
    told, result = estimated(main_job), mpn_abm.run(mpn_abm.load(main_job))
    result.write(tmp_path)
    disk = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert 1 / 1.5 < told.disk_bytes / disk < 1.5
    assert 0.5 < told.candidates / result.facts["candidates"] < 2.0
    assert 0.1 < told.seconds / result.facts["stepping_seconds"] < 10.0
    assert told.site_steps == result.facts["site_steps"]


@pytest.mark.parametrize(
    ("change", "of"),
    [
        ({"time.duration_days": 2800}, {"seconds", "disk_bytes", "candidates", "memory_bytes"}),
        ({"marrow.shape": [64, 64]}, {"seconds", "disk_bytes", "candidates", "memory_bytes"}),
        ({"replicates": 50}, {"seconds", "disk_bytes", "candidates", "memory_bytes"}),
        ({"time.snapshot_every_days": 1}, {"seconds", "disk_bytes", "memory_bytes"}),
        ({"time.record_every_days": 1}, {"disk_bytes", "memory_bytes"}),
        ({"fibrosis.enabled": True}, {"seconds", "disk_bytes", "memory_bytes"}),
        ({"hematopoiesis.division_rate_per_year": 30}, {"seconds", "candidates", "memory_bytes"}),
        ({"treatments.car_t": {"dose_cells": 1e8, "day": 1}}, {"seconds", "disk_bytes", "memory_bytes"}),
    ],
    ids=lambda change: " ".join(change) if isinstance(change, dict) else "",
)
def test_more_of_anything_is_told_as_more_of_what_it_takes(change, of):
    """And of nothing else. Catches a term that is missing."""
    less, more = estimated(bare()), estimated(bare(), change)
    grown = {name for name, value in vars(more).items() if value > getattr(less, name)}
    assert grown - {"site_steps"} == of
    assert all(value >= getattr(less, name) for name, value in vars(more).items())


def test_t_cells_that_meet_no_antigen_take_less_time_than_those_that_multiply():
    lone = niche(clones={"healthy": {"genotype": "wild_type"}}, time={"duration_days": 365})
    assert estimated(lone).seconds < 0.5 * estimated(niche(time={"duration_days": 365})).seconds


def test_a_marrow_that_does_not_fit_is_refused_with_both_figures_before_it_is_made(monkeypatch):
    def never(*arguments):
        raise AssertionError("allocated")

    monkeypatch.setattr(estimate, "memory_available", lambda: 2**30)
    monkeypatch.setattr(batch, "stack", never)
    content = bare(marrow={"shape": [8192, 4096]}, time={"duration_days": 7})
    expected = estimated(content).memory_bytes / 2**30
    with pytest.raises(ResourceError) as caught:
        run(content)
    assert str(caught.value) == (
        f"marrow.shape: 8192 x 4096: needs about {expected:.1f} GiB of memory, this machine has 1.0 GiB free"
    )
    assert caught.value.exit_code == 4
    assert isinstance(caught.value, MemoryError)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            {"replicates": 1_000_000, "output": {"clones": False, "snapshots": False}},
            "the table trajectory of 1,000,000",
        ),
        (
            {"mutation": {"enabled": True}, "replicates": 1000, "time.duration_years": 50, "marrow.shape": [64, 64]},
            "the table clones of 1,000",
        ),
        ({"time.duration_days": 20_000, "time.snapshot_every_days": 1, "marrow.shape": [256, 256]}, "the table snaps"),
    ],
    ids=["rows", "clones", "snapshots"],
)
def test_a_refusal_names_what_takes_the_memory(monkeypatch, change, named):
    """Catches a lattice of 64 sites that is blamed for the rows of a million replicates."""
    monkeypatch.setattr(estimate, "memory_available", lambda: 2**30)
    monkeypatch.setattr(batch, "stack", None)
    with pytest.raises(ResourceError, match="needs about") as caught:
        mpn_abm.run(mpn_abm.load(bare(), overrides=change))
    assert str(caught.value).startswith(named)


GROUPS = {
    "a container": ("0::/\n", {"memory.max": "3000", "memory.current": "1000"}, "", [2200]),
    "a job": ("0::/job/step\n", {"memory.max": "3000", "memory.current": "1000"}, "job", [2200]),
    "no limit": ("0::/\n", {"memory.max": "max", "memory.current": "1000"}, "", []),
    "the older kind": (
        "5:cpu:/x\n4:memory:/job\n",
        {"memory.limit_in_bytes": "3000", "memory.usage_in_bytes": "4000"},
        "memory/job",
        [0],
    ),
    "none": ("", {}, "", []),
}


@pytest.mark.parametrize("name", GROUPS)
def test_the_limit_of_a_container_or_a_job_counts(tmp_path, name):
    """Less what is used, but for files that were read. Catches the free memory of the whole machine."""
    said, values, folder, expected = GROUPS[name]
    own, group = tmp_path / "own", tmp_path / "mounts" / folder
    own.write_text(said)
    group.mkdir(parents=True)
    for file, value in {**values, "memory.stat": "anon 7\ninactive_file 200\ntotal_inactive_file 200"}.items():
        (group / file).write_text(value)
    assert list(estimate._left_in_groups(tmp_path / "mounts", own)) == expected


def test_the_memory_of_a_group_is_all_that_a_run_can_get(monkeypatch):
    monkeypatch.setattr(estimate, "_left_in_groups", lambda: iter([2**20, 2**50]))
    assert estimate.memory_available() == 2**20


def test_a_machine_that_does_not_tell_its_memory_refuses_nothing(monkeypatch):
    monkeypatch.setattr(estimate, "memory_available", lambda: None)
    assert len(run(bare()).trajectory) == 5


def test_the_memory_of_this_machine_is_told():
    available = estimate.memory_available()
    assert available is None or 2**27 < available < 2**46
