"""A second call does what is missing, adds what is new, and loses nothing."""

from pathlib import Path

import pandas as pd
import pytest
from studies.study_folders import RATE, a_sweep, a_trial, digests, digests_of, marrow

import mpn_abm
from mpn_abm.errors import OutputExistsError
from mpn_abm.studies.executors import local


@pytest.fixture
def carried_out(monkeypatch):
    """The runs of every shard that was carried out."""
    runs = []
    carry_out = local.carry_out

    def counted(folder, shard, retry_failed=False):
        outcome = carry_out(folder, shard, retry_failed)
        runs.append(outcome.runs + outcome.failed)
        return outcome

    monkeypatch.setattr(local, "carry_out", counted)
    return runs


def states_of(folder):
    """Every file of a folder with its content."""
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_what_is_done_is_not_done_again_and_new_points_are_added(tmp_path, carried_out, tmp_path_factory):
    mpn_abm.sweep(a_sweep(64), out=tmp_path / "s")
    assert sum(carried_out) == 64
    before = states_of(tmp_path / "s")
    carried_out.clear()
    mpn_abm.sweep(a_sweep(64), out=tmp_path / "s")
    assert carried_out == []
    assert states_of(tmp_path / "s") == before
    grown = mpn_abm.sweep(a_sweep(96), out=tmp_path / "s")
    assert sum(carried_out) == 32
    assert grown.plan["run_id"].is_unique
    assert grown.summary["run_id"].tolist() == grown.plan["run_id"].tolist()
    assert digests(tmp_path / "s") == digests_of(tmp_path_factory, a_sweep(96))


@pytest.mark.parametrize(
    ("earlier", "later", "new"),
    [
        # more replicates name the earlier runs anew; a new level in the middle gives them other numbers
        (a_sweep(8), a_sweep(8, replicates=3), 16),
        (
            a_sweep() | {"sweep": {"parameters": {RATE: [1.0, 3.0]}}},
            a_sweep() | {"sweep": {"parameters": {RATE: [1.0, 2.0, 3.0]}}},
            1,
        ),
        # another number of patients in a trial of two arms
        (a_trial(4), a_trial(7), 6),
    ],
)
def test_runs_with_new_names_keep_their_rows(tmp_path, carried_out, tmp_path_factory, earlier, later, new):
    kind = "trial" if "trial" in later else "sweep"
    getattr(mpn_abm, kind)(earlier, out=tmp_path / "s")
    carried_out.clear()
    grown = getattr(mpn_abm, kind)(later, out=tmp_path / "s")
    assert sum(carried_out) == new
    assert grown.summary["run_id"].tolist() == grown.plan["run_id"].tolist()
    assert digests(tmp_path / "s") == digests_of(tmp_path_factory, later, kind)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (a_sweep(12, scenario=marrow(seed=4)), "scenario.seed: 3 there, 4 here"),
        (a_sweep(12, output={"trajectory": "none"}), "output"),
        (a_trial(), "sweep"),
    ],
)
def test_another_study_is_refused_and_nothing_is_lost(tmp_path, other, told):
    mpn_abm.sweep(a_sweep(12), out=tmp_path / "s")
    before = states_of(tmp_path / "s")
    with pytest.raises(OutputExistsError, match="holds another study") as refused:
        getattr(mpn_abm, "trial" if "trial" in other else "sweep")(other, out=tmp_path / "s")
    assert told in str(refused.value)
    assert states_of(tmp_path / "s") == before


@pytest.mark.parametrize(
    ("earlier", "later", "told"),
    [
        (a_sweep(8), a_sweep(4), "holds 8 runs, this file asks for 4 of them (sweep.samples: 8 there, 4 here)"),
        (
            a_sweep(4, replicates=2),
            a_sweep(4),
            "holds 8 runs, this file asks for 4 of them (sweep.replicates: 2 there, 1 here)",
        ),
        (a_trial(4), a_trial(3), "holds 8 runs, this file asks for 6 of them (trial.patients: 4 there, 3 here)"),
    ],
)
def test_a_study_that_became_smaller_is_refused_with_both_numbers(tmp_path, earlier, later, told):
    kind = "trial" if "trial" in later else "sweep"
    getattr(mpn_abm, kind)(earlier, out=tmp_path / "s")
    before = states_of(tmp_path / "s")
    with pytest.raises(OutputExistsError) as refused:
        getattr(mpn_abm, kind)(later, out=tmp_path / "s")
    assert str(refused.value) == f"{tmp_path / 's'}: {told}; choose another --out or say --overwrite"
    assert states_of(tmp_path / "s") == before


def test_another_version_of_the_program_does_its_own_runs(tmp_path, monkeypatch):
    mpn_abm.sweep(a_sweep(4), out=tmp_path / "s")
    monkeypatch.setattr(mpn_abm, "__version__", "99.0")
    with pytest.raises(OutputExistsError, match=r"made by mpn_abm \S+, this is 99.0"):
        mpn_abm.sweep(a_sweep(4), out=tmp_path / "s")


def test_a_folder_with_something_else_is_refused_unless_overwritten(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match="holds no study"):
        mpn_abm.sweep(a_sweep(4), out=tmp_path)
    mpn_abm.sweep(a_sweep(4), out=tmp_path, overwrite=True)
    study = mpn_abm.sweep(a_sweep(3), out=tmp_path, overwrite=True)
    assert len(study.summary) == 3
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_files_of_somebody_with_the_names_of_a_study_are_refused(tmp_path):
    """Catches a study file that is written over by the folder in which it stands."""
    (tmp_path / "study.yaml").write_text("name: mine\n")
    with pytest.raises(OutputExistsError, match="holds no study"):
        mpn_abm.sweep(a_sweep(4), out=tmp_path)
    assert states_of(tmp_path) == {Path("study.yaml"): b"name: mine\n"}


def test_two_processes_have_the_bits_of_one(tmp_path, tmp_path_factory):
    """Catches rows in the order in which shards come back, and anything of one run in the next."""
    source = a_sweep(10, replicates=2)
    study = mpn_abm.sweep(source, out=tmp_path / "s", jobs=2)
    assert digests(tmp_path / "s") == digests_of(tmp_path_factory, source)
    assert study.facts["peak_memory_mb"] < 600


def test_a_run_of_a_study_has_the_bits_of_a_run_alone(tmp_path):
    study = mpn_abm.trial(a_trial(5), out=tmp_path / "s")
    row = study.plan[study.plan["run_id"] == "fast-00003"].iloc[0]
    alone = mpn_abm.run(
        mpn_abm.load(
            {"schema": "mpn-abm/1", **marrow()},
            overrides={
                "seed": int(row["seed"]),
                "clones.mutant.fraction": row["clones.mutant.fraction"],
                RATE: 4.0,
                "time.record_at_days": [14],
            },
        )
    )
    mine = study.trajectory[study.trajectory["run_id"] == "fast-00003"]
    columns = [name for name in alone.trajectory if name not in ("run_id", "replicate")]
    pd.testing.assert_frame_equal(mine[columns].reset_index(drop=True), alone.trajectory[columns])
