"""Calibrations of the marrow itself: the fitness of a clone in a well mixed pool of 20 x 20 sites.

Its log-odds rise by the fitness each year (logistic growth), so that the fitness follows from the targets.
"""

import json
import os
import signal
import sys
import time
from dataclasses import replace
from math import exp

import numpy as np
import pandas as pd
import pytest
from studies.study_folders import command, marrow, written

import mpn_abm
from mpn_abm.analysis.estimates import Question, estimate
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.point_values import value_of
from mpn_abm.cli.main import main
from mpn_abm.errors import OutputExistsError, ScenarioError, SimulationError, UsageError
from mpn_abm.scenario.endpoints import Endpoint
from mpn_abm.scenario.studies.study_file import load_study
from mpn_abm.studies.calibration import EVALUATED
from mpn_abm.studies.executors import local
from mpn_abm.studies.shard import give_up

pytest.importorskip("pyabc", reason="needs pyabc, the extra `calibrate`")
pytest.importorskip("optuna", reason="needs optuna, the extra `calibrate`")
FITNESS, TRUE, YEAR = "genotypes.JAK2_V617F.fitness_per_year", 1.0, 365.25
SIZES = {"abc_smc": {"population": 16, "generations": 3, "max_runs": 200}, "optuna": {"max_runs": 64}}


def vaf(years):
    """Of a heterozygous clone that begins with a quarter of the sites, without chance."""
    odds = exp(TRUE * years) / 3.0
    return odds / (1.0 + odds) / 2.0


def pool(**blocks):
    return marrow(
        marrow={"shape": [20, 20]}, hematopoiesis={"recirculation": 1, "division_rate_per_year": 1},
        time={"duration_years": 2, "step_days": 7, "record_every_days": 364}, **blocks,
    )  # fmt: skip


def targets_in(folder, text=None):
    """A file with the growth of two years, and of the second one alone as a test."""
    content = text or "".join(
        f"  {name}: {{endpoint: vaf_driver, at_year: {years}, value: {vaf(years):.4f}, low: {vaf(years) - 0.03:.4f}, "
        f"high: {vaf(years) + 0.03:.4f}, role: {role}}}\n"
        for name, years, role in (("first", 1, "fit"), ("second", 2, "fit"), ("between", 1.5, "test"))
    )
    file = folder / "targets.yaml"
    file.write_text(f"schema: mpn-abm/1\ntargets:\n{content}")
    return file


def a_study(file, method="abc_smc", scenario=None, **block):
    said = {"method": method, "targets": str(file), "parameters": {FITNESS: {"low": -1.0, "high": 3.0}}}
    said |= SIZES[method] | {"seed": 4} | block
    kept = {"trajectory": "days"}
    return {"schema": "mpn-abm/1", "name": "growth", "scenario": scenario or pool(), "calibrate": said, "output": kept}


@pytest.mark.parametrize("method", list(SIZES))
def test_the_fitness_of_a_growing_clone_is_recovered(tmp_path, method, capsys):
    """Chance of 400 sites moves the fitness by about 0.15; half of the prior is 1 away."""
    file = written(tmp_path / "growth.json", a_study(targets_in(tmp_path), method))
    words = ["calibrate", str(file), "--out", str(tmp_path / "c"), "--quiet"]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert FITNESS in told
    assert "noise floor" in told
    study = mpn_abm.read(tmp_path / "c")
    found = study.estimate.iloc[0]
    assert found["value"] == pytest.approx(TRUE, abs=0.4)
    assert found["low"] < TRUE < found["high"]
    roles = dict(zip(study.predictions["target"], study.predictions["role"], strict=True))
    assert roles == {"first": "fit", "second": "fit", "between": "test"}
    assert study.facts["runs"] <= SIZES[method]["max_runs"]
    assert study.facts["floor"]["noise"] > 0.0
    assert len(study.plan) == study.facts["runs"] == len(study.summary)
    assert ("posterior" in study.tables) == (method == "abc_smc")
    assert main(["sweep", "status", str(tmp_path / "c"), "--json"]) == 0
    standing = json.loads(capsys.readouterr().out)["standing"]
    assert standing["done"] == standing["total"] == study.facts["runs"]
    assert main([*words, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["points_simulated_now"] == 0
    assert again["digests"] == study.facts["digests"]
    assert again["estimate"][0]["value"] == found["value"]


def test_one_that_was_killed_goes_on_to_the_same_posterior(tmp_path, capsys):
    """The parent is killed in its second batch; the second call makes no run twice."""
    source = a_study(targets_in(tmp_path), replicates=2, max_runs=400, generations=2)
    whole = mpn_abm.calibrate(source, out=tmp_path / "whole")
    folder = tmp_path / "c"
    process = command("calibrate", written(tmp_path / "growth.json", source), "--out", folder, "--quiet")
    while process.poll() is None and not (folder / EVALUATED).exists():
        time.sleep(0.01)
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (folder / "manifest.json").exists()
    assert main(["sweep", "status", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["state"], told["standing"]["total"]) == ("stopped, a second call goes on", 400)
    assert 0 < told["standing"]["done"] < 400
    again = mpn_abm.calibrate(source, out=folder)
    assert again.facts["digests"] == whole.facts["digests"]
    pd.testing.assert_frame_equal(again.posterior, whole.posterior, check_exact=True)
    assert again.plan["key"].is_unique
    assert sorted(again.summary["run_id"]) == sorted(whole.summary["run_id"])
    assert main(["sweep", "status", str(folder)]) == 0
    assert "done" in capsys.readouterr().out


def test_a_batch_that_broke_off_is_not_run_again(tmp_path, monkeypatch):
    source, carry_out, calls = a_study(targets_in(tmp_path), generations=2), local.carry_out, []

    def breaking(folder, shard, retry_failed=False):
        calls.append(shard)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return carry_out(folder, shard, retry_failed)

    monkeypatch.setattr(local, "carry_out", breaking)
    with pytest.raises(KeyboardInterrupt):
        mpn_abm.calibrate(source, out=tmp_path / "c")
    mpn_abm.calibrate(source, out=tmp_path / "c")
    counts = pd.Series(calls).value_counts()
    assert counts.drop(calls[2]).eq(1).all()
    assert counts[calls[2]] == 2
    for other, told in (({"seed": 5}, "with other seed"), ({"replicates": 2}, "with other replicates")):
        with pytest.raises(OutputExistsError, match=told):
            mpn_abm.calibrate(a_study(targets_in(tmp_path), generations=2, **other), out=tmp_path / "c")
    slower = pool(niche={"enabled": False})
    with pytest.raises(OutputExistsError, match="with other context"):
        mpn_abm.calibrate(a_study(targets_in(tmp_path), scenario=slower, generations=2), out=tmp_path / "c")


@pytest.mark.cluster
def test_processes_of_dask_leave_the_same_bits(tmp_path):
    """Catches points that are judged in the order in which workers return them."""
    pytest.importorskip("distributed", reason="no Dask: pip install 'mpn-abm[cluster]'")
    source = a_study(targets_in(tmp_path), generations=2, population=8, max_runs=100)
    alone = mpn_abm.calibrate(source, out=tmp_path / "alone")
    study = mpn_abm.calibrate(source, out=tmp_path / "dask", jobs=2, executor="dask")
    assert study.facts["digests"] == alone.facts["digests"]
    assert study.facts["runs"] == alone.facts["runs"] > 8
    for name in ("plan", "estimate", "posterior", "predictions", "generations"):
        pd.testing.assert_frame_equal(getattr(study, name), getattr(alone, name), check_exact=True)
    rows = [each.summary.sort_values("run_id", ignore_index=True) for each in (study, alone)]
    pd.testing.assert_frame_equal(*rows, check_exact=True)


def test_observations_and_arms(tmp_path):
    """A difference between arms is a target; only arms that targets name are run."""
    arms = {"control": {}, "fast": {"hematopoiesis.division_rate_per_year": 2.0}, "idle": {}}
    file = targets_in(
        tmp_path,
        "  faster: {arm: fast, versus: control, endpoint: vaf_driver, at_year: 2, value: 0.05, low: 0.0, high: 0.1}\n"
        "  slow: {arm: control, endpoint: vaf_driver, at_year: 1, statistic: median, value: 0.24, role: test}\n",
    )
    block = {"population": 4, "generations": 2, "replicates": 2, "max_runs": 120}
    study = mpn_abm.calibrate(a_study(file, scenario=pool(arms=arms), **block), out=tmp_path / "arms")
    assert set(study.plan["arm"]) == {"control", "fast"}
    assert study.facts["runs"] <= 120
    assert study.predictions["predicted"].notna().all()
    seen = tmp_path / "seen.csv"
    seen.write_text(f"day,column,value,sd\n{YEAR},vaf_driver,{vaf(1)},0.015\n{2 * YEAR},vaf_driver,{vaf(2)},0.015\n")
    study = mpn_abm.calibrate(a_study(seen, population=8, generations=2, max_runs=100), out=tmp_path / "seen")
    assert study.predictions["target"].tolist() == ["vaf_driver@365.25", "vaf_driver@730.5"]


def test_a_worker_that_died_ends_it_and_leaves_no_value(tmp_path, monkeypatch):
    source, carry_out = a_study(targets_in(tmp_path), generations=2), local.carry_out
    monkeypatch.setattr(local, "carry_out", lambda folder, shard, _: give_up(folder, shard, "was killed"))
    with pytest.raises(SimulationError, match="--retry-failed tries again"):
        mpn_abm.calibrate(source, out=tmp_path / "c")
    assert not (tmp_path / "c" / EVALUATED).exists()
    monkeypatch.setattr(local, "carry_out", carry_out)
    study = mpn_abm.calibrate(source, out=tmp_path / "c", retry_failed=True)
    assert study.facts["failed"] == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("  a: {endpoint: vaf_drivr, value: 1}\n", "targets.a.endpoint: vaf_drivr: unknown endpoint, did you mean"),
        ("  a: {endpoint: vaf_driver, at_day: 4000, value: 1}\n", "targets.a.at_day: 4000: expected a day of the run"),
        ("  a: {endpoint: vaf_driver}\n", "targets.a: expected `low`, `high` or both"),
        ("  a: {endpoint: vaf_driver, value: high}\n", "targets.a.value: high: expected a number"),
        ("  a: {endpoint: vaf_driver, value: 1, arm: fast}\n", "targets.a.arm: fast: expected `arms:` in the file"),
        ("  a: {endpoint: vaf_driver, valu: 1}\n", "targets.a.valu: unknown key, did you mean 'value'"),
        ("  {}\n", "targets: expected targets, by name"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_targets_is_told_where_it_stands(tmp_path, text, told):
    file = targets_in(tmp_path, text)
    with pytest.raises(ScenarioError) as error:
        load_study(a_study(file))
    assert told in str(error.value)
    assert str(error.value).startswith(f"{file}:")


def test_observations_that_are_missing_are_told_apart_from_their_columns(tmp_path):
    for text, told in (
        ("day,column,value,sd\n", "; there are no rows"),
        ("day,column,value\n1,vaf_driver,0.2\n", "; missing: sd"),
        ("", "; missing: day, column, value, sd"),
    ):
        (tmp_path / "seen.csv").write_text(text)
        with pytest.raises(ScenarioError) as error:
            load_study(a_study(tmp_path / "seen.csv"))
        assert str(error.value).endswith(f"seen.csv:1:1: expected rows with the columns day, column, value, sd{told}")


def test_what_makes_no_calibration_is_told(tmp_path, monkeypatch, capsys):
    file = written(tmp_path / "growth.json", a_study(tmp_path / "none.yaml"))
    assert main(["calibrate", str(file), "--out", str(tmp_path / "c")]) == 3
    assert "calibrate.targets" in capsys.readouterr().err
    source = a_study(targets_in(tmp_path), max_runs=20)
    file = written(tmp_path / "growth.json", source)
    asked = (["calibrate", str(file), "--out", str(tmp_path / "c")], ["calibrate", str(file), "--dry-run"])
    for words in (*asked, ["validate", str(file)]):
        assert main(words) == 3
        told = capsys.readouterr().err
        assert f"{file}:1:" in told
        assert "calibrate.max_runs: 20: expected at least 48 runs\n" in told
    assert main(["validate", str(file), "--set", "calibrate.max_runs=95", "--set", "calibrate.replicates=2"]) == 3
    assert "max_runs: 95: expected at least 96 runs, 2 of each of 48 points\n" in capsys.readouterr().err
    assert main(["validate", str(file), "--set", "calibrate.max_runs=48"]) == 0
    assert main(["calibrate", str(written(tmp_path / "few.json", a_study(targets_in(tmp_path))))]) == 2
    assert main(["trial", str(file), "--out", str(tmp_path / "t")]) == 2
    capsys.readouterr()
    assert main(["calibrate", str(file), "--dry-run", "--json", "--set", "calibrate.max_runs=300"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == 300
    monkeypatch.setitem(sys.modules, "pyabc", None)
    with pytest.raises(UsageError, match=r"mpn-abm\[calibrate\]"):
        mpn_abm.calibrate(a_study(targets_in(tmp_path)), out=tmp_path / "none")
    assert not (tmp_path / "none").exists()


# ---- values without intervals


def patients(seed, number=12):
    rng = np.random.default_rng(seed)
    days = np.tile([0.0, 30.0, 60.0], number)
    value = rng.normal(10.0, 2.0, 3 * number) - days / 30.0
    return Patients(pd.DataFrame({"patient": np.repeat(np.arange(number), 3), "day": days, "x": value, "y": -value}))


@pytest.mark.parametrize("contrast", [None, "difference", "ratio"])
@pytest.mark.parametrize(
    "question",
    [
        *(Question("x", 60.0, statistic) for statistic in ("mean", "median", "quantile_20", "sd")),
        Question("x", None, "slope_per_year"),
        Question("low", 60.0),
        *(Question("low", day, name) for name, day in (("survival", 40.0), ("incidence", 40.0), ("median_days", None))),
        *(Question("x", 60.0, statistic, "y") for statistic in ("spearman", "pearson")),
    ],
    ids=lambda question: f"{question.endpoint} {question.statistic}",
)
def test_a_value_alone_is_that_of_the_estimate(question, contrast):
    own = {"low": Endpoint(column="x", below=8.0)}
    one, other = patients(1), patients(2)
    asked = replace(question, contrast=contrast)
    expected = estimate(asked, own, one, other).value
    assert value_of(asked, own, one, other) == pytest.approx(expected, nan_ok=True)
