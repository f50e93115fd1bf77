"""Sensitivity studies end to end, and the analysis of sweeps that are there: two clones on 12 x 12 sites for a year."""

import json
import warnings

import pandas as pd
import pytest
from studies.study_folders import a_sweep, marrow, written

import mpn_abm
from mpn_abm.cli.main import main
from mpn_abm.columns import STUDY_TABLES
from mpn_abm.errors import OutputExistsError, ScenarioError, UsageError
from mpn_abm.scenario.studies.study_file import load_study
from mpn_abm.studies.designs import points_of
from mpn_abm.studies.executors import local

ACTS, IDLE = "genotypes.JAK2_V617F.fitness_per_year", "genotypes.CALR_TYPE1.fitness_per_year"
AXES = {ACTS: {"low": -2.0, "high": 3.0}, IDLE: {"low": 0.0, "high": 1.0}}
CLAIM = {"endpoint": "vaf_driver", "statistic": "spearman", "with": ACTS, "low": 0.5}
needs_salib = pytest.mark.usefixtures("salib")


@pytest.fixture
def salib():
    return pytest.importorskip("SALib", reason="needs SALib, the extra `sensitivity`")


def year(**blocks):
    return marrow(
        marrow={"shape": [12, 12]}, time={"duration_days": 364, "step_days": 7, "record_every_days": 182}, **blocks
    )  # fmt: skip


def a_study(method="morris", samples=6, axes=AXES, **beside):
    """The fitness of the mutant moves its share; that of a genotype that is not there moves nothing."""
    block = {"method": method, "samples": samples, "replicates": 2, "parameters": axes, "endpoints": ["vaf_driver"]}
    return {"schema": "mpn-abm/1", "name": "which", "scenario": year(), "sensitivity": block | beside}


def ranked(study, measure=None):
    table = study.indices
    return table[table["measure"] == (measure or table["measure"].iloc[0])].set_index("parameter")


# ---- a study


@needs_salib
@pytest.mark.parametrize(("method", "samples"), [("sobol", 8), ("morris", 6), ("prcc", 12)])
def test_what_acts_ranks_first_and_what_is_not_there_does_nothing(tmp_path, method, samples):
    """Fitness from -2 to 3 a year moves a share by most of its range; the other parameter is of an absent genotype."""
    study = mpn_abm.sensitivity(a_study(method, samples, at_days=[182, 364]), out=tmp_path / "s")
    assert list(study.indices.columns) == [column.name for column in STUDY_TABLES["indices"]]
    for _, table in study.indices.groupby("day"):
        first = table[table["rank"] == 1]
        assert set(first["parameter"]) == {ACTS}
        assert set(first["verdict"]) == {"matters"}
    assert sorted(study.indices["day"].unique()) == [182.0, 364.0]
    assert ranked(study).loc[IDLE, "verdict"].eq("noise").all()
    if method != "prcc":
        # the same seeds: what does nothing moves no bit
        assert ranked(study).loc[IDLE, "index"].eq(0.0).all()
    assert study.noise["share"].between(0.0, 0.6).all()
    assert {f"{name}.{kind}" for name in ("indices", "noise") for kind in ("csv", "parquet")} <= {
        file.name for file in (tmp_path / "s").iterdir()
    }


def test_a_second_call_does_what_is_missing_and_ends_alike(tmp_path, monkeypatch):
    whole = mpn_abm.sensitivity(a_study("prcc", 12), out=tmp_path / "whole")
    carry_out, calls = local.carry_out, []

    def breaking(folder, shard, retry_failed=False):
        calls.append(shard)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return carry_out(folder, shard, retry_failed)

    monkeypatch.setattr(local, "carry_out", breaking)
    with pytest.raises(KeyboardInterrupt):
        mpn_abm.sensitivity(a_study("prcc", 12), out=tmp_path / "s")
    assert not (tmp_path / "s" / "indices.parquet").exists()
    again = mpn_abm.sensitivity(a_study("prcc", 12), out=tmp_path / "s")
    assert calls[4:] == calls[3:4] + sorted(set(calls[4:]) - {calls[3]})
    pd.testing.assert_frame_equal(again.indices, whole.indices, check_exact=True)
    pd.testing.assert_frame_equal(again.noise, whole.noise, check_exact=True)
    with pytest.raises(OutputExistsError, match="holds another study"):
        mpn_abm.sensitivity(a_study("prcc", 13), out=tmp_path / "s")


def test_the_command_prints_ranks_and_claims(tmp_path, capsys):
    file = written(tmp_path / "which.json", a_study("prcc", 12) | {"expect": {"grows": CLAIM}})
    words = ["sensitivity", str(file), "--out", str(tmp_path / "s"), "--quiet"]
    assert main([*words, "--strict"]) == 0
    told = capsys.readouterr().out
    assert "vaf_driver at the end: partial rank correlation of 2 parameters" in told
    assert "held     grows: rank correlation of vaf_driver" in told
    assert "chance makes" in told
    assert main([*words, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["kind"], facts["runs"], facts["endpoints_left_out"]) == ("sensitivity", 24, [])
    assert main(["sweep", "run", str(file), "--out", str(tmp_path / "w")]) == 2
    assert "expected a study with `sweep:`" in capsys.readouterr().err
    assert main([*words, "--endpoint", "vaf_driver"]) == 2
    assert "expected with the folder of a study" in capsys.readouterr().err


def test_assumed_parameters_are_named_as_such(tmp_path):
    study = load_study(a_study("prcc", 1000, "assumed"))
    assert len(study.spec.parameters) > 1
    few = {path: {"low": axis.low, "high": axis.high} for path, axis in list(study.spec.parameters.items())[:2]}
    done = mpn_abm.sensitivity(a_study("prcc", 8, few | AXES), out=tmp_path / "s")
    assert set(ranked(done).loc[list(few), "source"]) == {"assumed"}


# ---- a folder that is there


def test_any_sweep_that_is_done_can_be_asked(tmp_path, capsys):
    """A random sweep: rank correlations; of endpoints built in, of the file, of columns and of the summary."""
    own = {"grew": {"column": "vaf_driver", "change": "relative", "above": 0.0}}
    points = {"method": "lhs", "samples": 12, "replicates": 2, "parameters": AXES}
    study = {"schema": "mpn-abm/1", "name": "points", "scenario": year(), "sweep": points, "endpoints": own}
    mpn_abm.sweep(study, out=tmp_path / "s")
    before = sorted(file.name for file in (tmp_path / "s").iterdir())
    for name in ("vaf_relative_change", "grew", "fraction_mutant", "vaf_driver_end"):
        found = mpn_abm.sensitivity(tmp_path / "s", endpoints=[name])
        assert ranked(found).index[0] == ACTS, name
        assert ranked(found)["method"].eq("prcc").all()
    # on the last day, column and summary are one
    one, other = (mpn_abm.sensitivity(tmp_path / "s", endpoints=[n]) for n in ("vaf_driver", "vaf_driver_end"))
    assert ranked(one)["index"].tolist() == ranked(other)["index"].tolist()
    assert sorted(file.name for file in (tmp_path / "s").iterdir()) == before
    assert main(["sensitivity", str(tmp_path / "s"), "--at-day", "182", "--out", str(tmp_path / "t"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {(row["endpoint"], row["day"]) for row in told["indices"]} == {("grew", 182.0)}
    assert (tmp_path / "t" / "indices.csv").exists()


def test_what_cannot_be_asked_is_told_in_one_line(tmp_path, capsys):
    mpn_abm.sweep(a_sweep(12), out=tmp_path / "s")
    for words, told in (
        (["--endpoint", "vaf_drivr"], "did you mean 'vaf_driver'?"),
        (["--endpoint", "nosuch"], "nosuch: unknown endpoint, expected one of "),
        (["--endpoint", "nosuch"], " svr35, "),
        (["--set", "seed=3", "--jobs", "2"], "--set, --jobs: "),
        (["--endpoint", "svr35"], "there is no column spleen_ml"),
        (["--endpoint", "end_reason"], "its values are words"),
        (["--endpoint", "vaf_driver", "--at-day", "3"], "day 3: no row of it was kept, the closest are those of days"),
    ):
        assert main(["sensitivity", str(tmp_path / "s"), *words]) == 2
        error = capsys.readouterr().err
        assert told in error
        assert error.count("\n") == 1
    assert main(["sensitivity", str(tmp_path)]) == 2
    assert "expected the folder of a study" in capsys.readouterr().err
    (tmp_path / "s" / "summary" / "part-00003.parquet").unlink()
    with pytest.raises(UsageError, match="not all of its runs are done"):
        mpn_abm.sensitivity(tmp_path / "s")


def test_an_endpoint_that_never_differs_ranks_nothing(tmp_path, capsys):
    never = {"never": {"column": "vaf_driver", "above": 2.0}}
    file = written(tmp_path / "which.json", a_study("prcc", 6, endpoints=["never"]) | {"endpoints": never})
    assert main(["sensitivity", str(file), "--out", str(tmp_path / "s"), "--quiet"]) == 0
    told = capsys.readouterr().out
    assert "never at the end: 0 in all runs: there is nothing that parameters could explain" in told
    assert "not told from chance" not in told


def test_one_point_is_told_as_one(tmp_path, capsys):
    mpn_abm.sweep(a_sweep(1), out=tmp_path / "s")
    assert main(["sensitivity", str(tmp_path / "s")]) == 2
    assert "the study has one point" in capsys.readouterr().err


@needs_salib
@pytest.mark.parametrize(
    ("samples", "note"),
    [(6, "samples: 6: points of a Sobol sequence are even for powers of 2, here 4 or 8\n"), (8, "")],
)
def test_a_number_of_points_that_is_no_power_of_two_is_a_note(tmp_path, capsys, samples, note):
    """And no warning of another package, which would reach the terminal of a quiet run."""
    file = written(tmp_path / "which.json", a_study("sobol", samples))
    assert main(["validate", str(file)]) == 0
    assert capsys.readouterr().err == (note and f"{file}: {note}")
    study = load_study(file)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(points_of(study.spec, study.scenario, tmp_path)) == samples * 4


def test_a_file_that_asks_for_words_or_what_is_unknown_is_refused():
    with pytest.raises(ScenarioError, match="expected numbers"):
        load_study(a_study(endpoints=["phase_end"]))
    with pytest.raises(ScenarioError, match="did you mean 'vaf_driver_end'"):
        load_study(a_study(endpoints=["vaf_driver_ends"]))
    assert load_study(a_study(endpoints=["vaf_driver_end"])).spec.endpoints == ("vaf_driver_end",)
