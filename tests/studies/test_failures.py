"""Runs that fail are listed with the command that repeats them, and do not stop the others; a full disk stops all."""

import errno
import json
import os
import shlex

import pytest
from studies.study_folders import a_sweep, command, marrow, written

import mpn_abm
from mpn_abm.batch import seeds_of
from mpn_abm.cli.main import main
from mpn_abm.errors import SimulationError
from mpn_abm.harvest import Harvest

TWO_FRACTIONS = {"healthy": {"genotype": "wild_type"}, "a": {"genotype": "JAK2_V617F", "fraction": 0.1}} | {
    "b": {"genotype": "CALR_TYPE1", "fraction": 0.1}
}


def too_full():
    """Each value is allowed, and in one of four points they do not fit together."""
    axes = {"clones.a.fraction": [0.2, 0.7], "clones.b.fraction": [0.2, 0.7]}
    return a_sweep(scenario=marrow(clones=TWO_FRACTIONS)) | {"sweep": {"replicates": 2, "parameters": axes}}


def test_failures_are_listed_with_a_command_that_repeats_them(tmp_path, capsys):
    file, folder = written(tmp_path / "study.json", too_full()), tmp_path / "a study"
    assert main(["sweep", "run", str(file), "--out", str(folder), "--quiet"]) == 5
    assert "2 of 8 runs failed" in capsys.readouterr().err
    study = mpn_abm.read(folder)
    assert study.failures["run_id"].tolist() == ["00003-000", "00003-001"]
    assert len(study.summary) == 6
    assert main(["sweep", "errors", str(folder), "--json"]) == 0
    failure = json.loads(capsys.readouterr().out)[0]
    assert failure["kind"] == "ScenarioError"
    program, *words = shlex.split(failure["command"])
    assert program == "mpn-abm"
    assert main(words) == 3
    assert failure["message"] in capsys.readouterr().err
    assert main(["sweep", "errors", str(folder)]) == 0
    assert shlex.quote(str(folder)) in capsys.readouterr().out
    # and without --retry-failed they are not tried again, but told again
    assert main(["sweep", "run", str(file), "--out", str(folder), "--quiet"]) == 5


def test_a_replicate_that_fails_does_not_take_the_others_of_its_batch(tmp_path, monkeypatch):
    run, bad = Harvest.run, 1465518506178852
    study = a_sweep(2, replicates=40)

    def sometimes(self, scenario, run_ids, replicates=(0,)):
        if bad in seeds_of(scenario.spec.seed, replicates).tolist():
            raise SimulationError("vaf_driver is nan on day 7")
        run(self, scenario, run_ids, replicates)

    with monkeypatch.context() as patched:
        patched.setattr(Harvest, "run", sometimes)
        found = mpn_abm.sweep(study, out=tmp_path / "s")
    assert found.failures["seed"].tolist() == [bad, bad]
    assert found.failures["message"].tolist() == ["vaf_driver is nan on day 7"] * 2
    assert len(found.summary) == 78
    again = mpn_abm.sweep(study, out=tmp_path / "s", retry_failed=True)
    assert again.failures.empty
    whole = mpn_abm.sweep(study, out=tmp_path / "whole")
    assert again.facts["trajectory_sha256"] == whole.facts["trajectory_sha256"]
    assert again.facts["summary_sha256"] == whole.facts["summary_sha256"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_disk_that_takes_nothing_more_stops_the_study(tmp_path, monkeypatch, capsys, code):
    """Once the plan is there; what fits later goes on from there."""
    file = written(tmp_path / "study.json", a_sweep(6))
    fsync, calls = os.fsync, []

    def full(number):
        calls.append(number)
        if len(calls) > 6:
            raise OSError(code, os.strerror(code))
        fsync(number)

    words = ["sweep", "run", str(file), "--out", str(tmp_path / "s"), "--quiet"]
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert main(words) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"cannot be written: {os.strerror(code)}")
    assert not list((tmp_path / "s").rglob("*.part"))
    assert main(words) == 0


def test_a_folder_that_cannot_be_made_is_told_in_a_line(tmp_path, capsys):
    file = written(tmp_path / "study.json", a_sweep(2))
    assert main(["sweep", "run", str(file), "--out", "/proc/nothing/s", "--quiet"]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("/proc/nothing/s: cannot be written to: ")
    assert main(["sweep", "run", str(file), "--out", str(file), "--quiet"]) == 6
    assert "exists and is no folder" in capsys.readouterr().err


def test_workers_tell_of_a_full_disk(tmp_path):
    """No file may be longer than that of the plan, as the system itself says."""
    import resource

    file = written(tmp_path / "study.json", a_sweep(6))
    mpn_abm.sweep(a_sweep(6), out=tmp_path / "model")
    part = (tmp_path / "model" / "trajectory" / "part-00000.parquet").stat().st_size
    assert (tmp_path / "model" / "plan.parquet").stat().st_size < part - 100
    limit = (part - 100, part - 100)
    process = command(
        "sweep", "run", file, "--out", tmp_path / "s", "--jobs", 2, "--quiet",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )  # fmt: skip
    _, err = process.communicate()
    assert (process.returncode, len(err.splitlines())) == (4, 1), err
    assert os.strerror(errno.EFBIG) in err
