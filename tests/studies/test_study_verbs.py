"""What the verbs of studies print, and how they end."""

import json
import signal
import subprocess

import pandas as pd
import pytest
from studies.study_folders import a_sweep, a_trial, command, digests, digests_of, written
from studies.test_killed import wait_for

import mpn_abm
from mpn_abm.cli.main import main
from mpn_abm.errors import UsageError
from mpn_abm.studies import rehearsal
from mpn_abm.studies.executors import local


def test_status_from_another_process(tmp_path, monkeypatch, capsys):
    """While it runs, after it was stopped, and when it is done."""
    carry_out, seen = local.carry_out, []

    def watched(folder, shard, retry_failed=False):
        if shard == 3:
            process = command("sweep", "status", folder, "--json")
            seen.append(json.loads(process.communicate()[0]))
            raise KeyboardInterrupt
        return carry_out(folder, shard, retry_failed)

    file, folder = written(tmp_path / "study.json", a_sweep(16)), str(tmp_path / "s")
    words = ["sweep", "run", str(file), "--out", folder, "--quiet"]
    with monkeypatch.context() as patched:
        patched.setattr(local, "carry_out", watched)
        assert main(words) == 130
    assert (seen[0]["state"], seen[0]["standing"]["done"], seen[0]["standing"]["total"]) == ("running", 6, 16)
    capsys.readouterr()
    assert main(["sweep", "status", folder]) == 0
    assert "stopped" in capsys.readouterr().out
    assert main(words) == 0
    capsys.readouterr()
    assert main(["sweep", "status", folder, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "done"
    assert main(["sweep", "status", str(tmp_path)]) == 2


@pytest.mark.parametrize(
    ("sent", "code", "told"), [(signal.SIGTERM, 75, "goes on from there"), (signal.SIGINT, 130, "")]
)
def test_a_study_that_is_stopped_says_so_and_goes_on(tmp_path, tmp_path_factory, sent, code, told):
    source = a_sweep(40)
    file = written(tmp_path / "study.json", source)
    process = command("sweep", "run", file, "--out", tmp_path / "s", "--jobs", 2)
    wait_for(lambda: list((tmp_path / "s").glob("summary/part-*")), process)
    process.send_signal(sent)
    _, err = process.communicate()
    assert process.returncode == code, err
    assert told in err
    assert "Traceback" not in err
    assert not (tmp_path / "s" / ".running").exists()
    mpn_abm.sweep(source, out=tmp_path / "s")
    assert digests(tmp_path / "s") == digests_of(tmp_path_factory, source)


def test_a_folder_that_somebody_works_on_is_refused(tmp_path, monkeypatch, capsys):
    file = written(tmp_path / "study.json", a_sweep(4))
    words = ["sweep", "run", str(file), "--out", str(tmp_path / "s"), "--quiet"]
    carry_out, codes = local.carry_out, []

    def meanwhile(*those):
        with monkeypatch.context() as patched:
            patched.setattr(local, "carry_out", carry_out)
            codes.append(main(words))
        return carry_out(*those)

    monkeypatch.setattr(local, "carry_out", meanwhile)
    assert main(words) == 0
    assert codes == [6, 6]
    assert "another run is writing to it" in capsys.readouterr().err


def test_a_rehearsal_says_what_a_study_takes_and_leaves_nothing(tmp_path, capsys):
    file = written(tmp_path / "study.json", a_sweep(200))
    assert main(["sweep", "run", str(file), "--out", str(tmp_path / "s"), "--jobs", "2", "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["runs"], told["shards"], told["jobs"]) == (200, 16, 2)
    assert told["samples"] == ["00000", "00100", "00199"]
    assert told["core_hours"] == pytest.approx(200 * told["seconds_per_run"] / 3600)
    assert not (tmp_path / "s").exists()
    done = mpn_abm.sweep(a_sweep(200), out=tmp_path / "s")
    disk = sum(part.stat().st_size for part in (tmp_path / "s").glob("*/part-*"))
    assert told["disk_bytes"] / 4 < disk < 4 * told["disk_bytes"]
    assert told["wall_seconds"] < 100 * done.facts["wall_seconds"]
    assert main(["sweep", "run", str(file), "--dry-run"]) == 0
    assert "core-hours" in capsys.readouterr().out


def test_a_rehearsal_has_its_kernels_compiled_by_another_process(tmp_path, monkeypatch, capsys):
    """Catches the memory of the compiler among that of a run."""
    started, real = [], subprocess.run

    def watched(*words, **options):
        started.append(real(*words, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "run", watched)
    file = written(tmp_path / "study.json", a_trial(4))
    for is_there, processes in ((True, 0), (False, 3)):
        monkeypatch.setattr(rehearsal, "is_compiled", lambda kernels, is_there=is_there: is_there)
        assert main(["trial", str(file), "--dry-run"]) == 0
        assert [done.returncode for done in started] == [0] * processes
        assert "of one that compiles first" in capsys.readouterr().out


@pytest.mark.slow
def test_a_rehearsal_tells_the_memory_of_a_task_that_finds_compiled_code(tmp_path):
    file, told = written(tmp_path / "study.json", a_sweep(4)), []
    for _ in range(2):
        process = command("sweep", "run", file, "--dry-run", "--json", env={"MPN_ABM_CACHE": str(tmp_path / "cache")})
        out, err = process.communicate()
        assert process.returncode == 0, err
        told.append(json.loads(out))
    cold, warm = told
    assert cold["memory_mb"] == pytest.approx(warm["memory_mb"], rel=0.15)
    assert cold["compiling_memory_mb"] > 1.5 * cold["memory_mb"]


def test_a_trial_leaves_the_tables_of_its_arms(tmp_path, capsys):
    file = written(tmp_path / "study.json", a_trial(6))
    assert main(["trial", str(file), "--out", str(tmp_path / "t"), "--json", "--quiet"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["runs"], facts["failed"], list(facts["arms"])) == (12, 0, ["control", "fast"])
    study = mpn_abm.read(tmp_path / "t")
    assert {"endpoints", "survival", "comparison", "claims", "plan"} <= set(study.tables)
    assert set(study.endpoints["arm"]) == {"control", "fast"}
    assert study.comparison["day"].eq(14).any()
    other = written(tmp_path / "sweep.json", a_sweep(2))
    assert main(["trial", str(other), "--out", str(tmp_path / "w")]) == 2
    kinds = "expected a study with `trial:`, this one has `sweep:`"
    assert capsys.readouterr().err == f"{other}: {kinds}, which `mpn-abm sweep run` runs\n"


def test_a_run_that_is_none_of_the_study_is_told_with_one_that_is(tmp_path, capsys):
    mpn_abm.sweep(a_sweep(3), out=tmp_path / "s")
    assert main(["run", str(tmp_path / "s"), "--run-id", "00007", "--out", str(tmp_path / "r")]) == 2
    assert "has no such run, expected one from 00000 to 00002\n" in capsys.readouterr().err
    assert main(["run", str(tmp_path / "s"), "--run-id", "00001", "--seed", "4"]) == 2
    assert main(["run", str(tmp_path), "--run-id", "00001", "--out", str(tmp_path / "r")]) == 2
    capsys.readouterr()


def test_only_the_rows_that_are_asked_for_are_kept(tmp_path):
    """28 days with a row every week; the first and the last row always stay."""
    claims = {"grows": {"arm": "fast", "endpoint": "vaf_driver", "at_day": 14, "low": 0.0}}
    days = {}
    for name, output in {
        "none": {"trajectory": "none"},
        "days": {"trajectory": "days"},
        "every": {"every_days": 14},
    }.items():
        # endpoints need rows, claims are told as not asked
        asked = {"endpoints": []} if name == "none" else {}
        study = a_trial(3, **asked) | {"output": output, "expect": claims}
        mpn_abm.trial(study, out=tmp_path / name)
        found = mpn_abm.read(tmp_path / name)
        assert len(found.summary) == 6
        if name == "none":
            assert not (tmp_path / name / "trajectory").exists()
            with pytest.raises(AttributeError, match="trajectory"):
                _ = found.trajectory
        else:
            days[name] = found.trajectory.groupby("run_id")["day"].apply(list).iloc[0]
    assert days == {"days": [0.0, 14.0, 28.0], "every": [0.0, 14.0, 28.0]}


def test_events_between_the_days_that_are_kept_are_found_all_the_same(tmp_path):
    """Whoever was above a bound in some week and no more on day 56; also from the lowest value so far."""
    vaf = "vaf_driver"
    endpoints = {
        "high": {"column": vaf, "above": 0.13},
        "rises": {"column": vaf, "change": "relative_to_lowest", "at_least": 0.05},
        "falls_later": {"column": vaf, "change": "relative_to_lowest", "at_least": 0.05, "since": "high"},
    }
    found = {}
    for name in ("all", "days"):
        study = a_trial(40) | {"output": {"trajectory": name}, "endpoints": endpoints}
        study["scenario"] = {**study["scenario"], "time": {"duration_days": 56}}
        study["trial"] = {**study["trial"], "endpoints": [*endpoints], "at_days": [30, 56]}
        found[name] = mpn_abm.trial(study, out=tmp_path / name)
    rows = {name: study.parts["trajectory"][0].num_rows for name, study in found.items()}
    events = found["all"].comparison.query("statistic == 'incidence' and day == 56 and contrast.isna()")
    assert (events["estimate"] > 0.1).all(), "else there is little to find"
    assert rows["days"] < 0.8 * rows["all"]
    for table in ("endpoints", "survival", "km", "comparison"):
        pd.testing.assert_frame_equal(getattr(found["days"], table), getattr(found["all"], table))


@pytest.mark.parametrize("output", [{"trajectory": "days"}, {"every_days": 28}])
def test_the_peak_of_t_cells_is_that_of_all_days(tmp_path, output):
    """T cells peak within a fortnight, between the days that are kept."""
    arms = {"control": {}, "fast": {"treatments.car_t.dose_cells": 1e9}}
    clones = {"healthy": {"genotype": "wild_type"}, "mutant": {"genotype": "CALR_TYPE1", "fraction": 0.4}}
    study = a_trial(4, arms=arms, endpoints=[], at_days=[30, 56])
    scenario = {**study["scenario"], "time": {"duration_days": 56}, "clones": clones}
    scenario["treatments"] = {"car_t": {"dose_cells": 5e8}}
    found = mpn_abm.trial(study | {"scenario": scenario, "output": output}, out=tmp_path / "t")
    treated = found.summary[found.summary["arm"] == "fast"].sort_values("patient")
    end = found.trajectory.query("arm == 'fast' and day == 56").sort_values("patient")["car_t_total"]
    assert (treated["car_t_peak"].to_numpy() > 1.1 * end.to_numpy()).all(), "else the last day has the peak"
    last = found.endpoints.query("arm == 'fast' and endpoint == 'car_t_peak' and day == 56").sort_values("patient")
    assert last["value"].tolist() == treated["car_t_peak"].tolist()


@pytest.mark.parametrize("table", ["summary", "trajectory"])
def test_a_part_that_a_disk_has_damaged_is_made_anew(table, tmp_path, capsys):
    file, folder = written(tmp_path / "study.json", a_sweep(8)), tmp_path / "s"
    words = ["sweep", "run", str(file), "--out", str(folder), "--quiet"]
    assert main(words) == 0
    whole = digests(folder)
    part = folder / table / "part-00002.parquet"
    part.write_bytes(part.read_bytes()[:100])
    capsys.readouterr()
    assert main(words) == 0
    said = capsys.readouterr()
    assert "part-00002.parquet: is damaged; its runs are made anew" in said.err
    assert digests(folder) == whole
    assert len(mpn_abm.read(folder).summary) == 8


def test_a_study_begun_anew_had_nothing_done_before(tmp_path, capsys):
    file = written(tmp_path / "study.json", a_sweep(4))
    words = ["sweep", "run", str(file), "--out", str(tmp_path / "s"), "--quiet"]
    assert main(words) == 0
    assert main([*words, "--overwrite"]) == 0
    assert "done before" not in capsys.readouterr().out


def test_one_run_is_no_plural(tmp_path, capsys):
    words = ["sweep", "run", str(written(tmp_path / "one.json", a_sweep(1))), "--out", str(tmp_path / "s"), "--quiet"]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("rates: 1 run, 0 failed")
    assert main(["sweep", "status", str(tmp_path / "s")]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "  1 of 1 run"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda out: mpn_abm.sweep(a_sweep(2), out=out, jobs="2"), "jobs: '2': expected a whole number from 1"),
        (lambda out: mpn_abm.sweep(a_sweep(2), out=out, jobs=0), "jobs: 0: expected a whole number from 1"),
        (lambda out: mpn_abm.sweep(a_sweep(2), out=None), "out: None: expected the path of a folder"),
        (lambda out: mpn_abm.sweep(a_sweep(2), out=out, overrides=["a=1"]), "overrides: ['a=1']: expected a mapping"),
        (lambda out: mpn_abm.read(None), "folder: None: expected the path of a folder"),
    ],
)
def test_an_argument_of_a_wrong_kind_is_told(tmp_path, call, told):
    with pytest.raises(UsageError) as error:
        call(tmp_path / "s")
    assert str(error.value).startswith(told)
    assert not (tmp_path / "s").exists()
