"""The plan of a study: its rows, names, seeds, keys and shards."""

import json

import pandas as pd
import pytest
from studies.small_studies import ARMS, VAF, base, load, sweep, trial
from verification.runs import SCENARIOS

import mpn_abm
from mpn_abm.batch import seeds_of
from mpn_abm.columns import STUDY_TABLES
from mpn_abm.errors import ScenarioError, UsageError
from mpn_abm.scenario.studies.study_file import load_study
from mpn_abm.studies import plan as plans
from mpn_abm.studies.plan import plan_of

FITNESS = "patient.fitness"
COHORT = {VAF: {"distribution": "uniform", "low": 0.1, "high": 0.4}}
DECLARED = [column.name for column in STUDY_TABLES["plan"]]


def test_a_sweep_goes_point_by_point_replicates_innermost():
    plan = plan_of(load(sweep({VAF: [0.1, 0.3], FITNESS: [1, 2]}, replicates=2)))
    assert list(plan.columns) == [*DECLARED, VAF, FITNESS]
    assert plan["run_id"].tolist()[:3] == ["00000-000", "00000-001", "00001-000"]
    assert plan["number"].tolist() == list(range(8))
    assert plan["patient"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert plan["replicate"].tolist() == [0, 1] * 4
    assert plan["arm"].isna().all()
    assert plan[FITNESS].tolist() == [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]
    assert json.loads(plan["parameters"][2]) == {VAF: 0.1, FITNESS: 2.0}
    # replicate k has one seed at all points: the file's, then those that `run --replicates` has
    assert plan["seed"].tolist() == seeds_of(3, [0, 1]).tolist() * 4
    assert {name: str(plan[name].dtype) for name in ("number", "patient", "replicate", "seed", "shard")} == {
        "number": "int64", "patient": "int64", "replicate": "int64", "seed": "int64", "shard": "int32"
    }  # fmt: skip


def test_arms_stand_inside_a_point():
    plan = plan_of(load(sweep({VAF: [0.1, 0.3]}, base(arms=ARMS))))
    assert plan["run_id"].tolist() == ["control-00000", "treated-00000", "control-00001", "treated-00001"]
    assert plan["key"].is_unique
    assert plan["seed"].tolist() == [3] * 4


def test_patient_j_has_the_seed_of_replicate_j_in_all_arms():
    plan = plan_of(load(trial(cohort=COHORT, patients=3)))
    assert plan["seed"].tolist() == [seed for seed in seeds_of(5, range(3)).tolist() for _ in ARMS]
    assert plan["arm"].tolist() == ["control", "treated"] * 3
    twins = plan.pivot(index="patient", columns="arm", values=VAF)
    assert (twins["control"] == twins["treated"]).all()
    # the seed of its scenario is no matter
    other = plan_of(load(trial(base(seed=99, replicates=4), cohort=COHORT, patients=3)))
    pd.testing.assert_frame_equal(other, plan)


def test_randomised_patients_are_in_one_arm_each():
    plan = plan_of(load(trial(cohort=COHORT, patients=8, allocation={"control": 1, "treated": 1})))
    assert plan["patient"].tolist() == list(range(8))
    assert plan["arm"].value_counts().to_dict() == {"control": 4, "treated": 4}
    assert plan["run_id"].tolist() == [f"{arm}-{j:05d}" for j, arm in enumerate(plan["arm"])]


def test_an_arm_of_a_file_of_patients_is_known(tmp_path):
    file = tmp_path / "p.csv"
    file.write_text(f"arm,{VAF}\ntreated,0.1\ncontrol,0.2\n")
    said = trial(patients=None, patients_file=str(file))
    assert plan_of(load(said))["arm"].tolist() == ["treated", "control"]
    file.write_text(f"arm,{VAF}\ntreated,0.1\ncontol,0.2\n")
    with pytest.raises(ScenarioError, match="contol: unknown arm, did you mean 'control'"):
        plan_of(load(said))


def test_a_run_alone_has_the_bits_of_its_row():
    """A member with the seed of its row is a scenario that anybody can write."""
    study = load(trial(cohort=COHORT, patients=2))
    row = plan_of(study).iloc[3]
    member = study.member(json.loads(row["parameters"]), row["arm"])
    vaf = {VAF: row[VAF]}
    said = mpn_abm.load({"schema": "mpn-abm/1", **base(arms=ARMS)}, overrides=vaf, options={"seed": int(row["seed"])})
    alone = mpn_abm.run(said.arms[row["arm"]]).trajectory
    seeded = member.spec.model_copy(update={"seed": int(row["seed"])})
    pd.testing.assert_frame_equal(
        mpn_abm.run(mpn_abm.Scenario(seeded, member.tree)).trajectory.drop(columns="run_id"),
        alone.drop(columns="run_id"),
    )


def keys(content, **options):
    return set(plan_of(load(content, **options))["key"])


def test_a_longer_study_keeps_the_keys_of_the_shorter():
    said = trial(cohort=COHORT)
    assert keys(said, sets=["trial.patients=3"]) < keys(said, sets=["trial.patients=12"])
    said = sweep({VAF: [0.1, 0.2]})
    assert keys(said) < keys(said, sets=["sweep.replicates=3"])
    assert keys(said) < keys(sweep({VAF: [0.3, 0.2, 0.1]}))
    # a new arm as well
    assert keys(trial(cohort=COHORT)) < keys(trial(arms={"new": {FITNESS: 2}, **ARMS}, cohort=COHORT))


def test_the_key_follows_everything_that_a_run_depends_on(monkeypatch):
    said = trial(cohort=COHORT, patients=2)
    usual = keys(said)
    for sets in (
        ["time.duration_days=29"], ["trial.seed=6"], ["trial.cohort.clones.mutant.vaf.high=0.3"],
        ["trial.arms.control.patient.fitness=1.5", "trial.arms.treated.patient.fitness=1.5"], ["trial.at_days=[3]"],
        ["output.trajectory=none"],
    ):  # fmt: skip
        assert keys(said, sets=sets).isdisjoint(usual), sets
    for sets in (["question=Why?"], ["trial.endpoints=[vaf_driver]"], ["trial.dropout_per_year=1"]):
        assert keys(said, sets=sets) == usual, sets
    # what the arm says counts even where the file says the same: below it a patient could say something else
    same = trial(base(patient={"fitness": 2}), {"control": {}, "fixed": {FITNESS: 2}}, patients=1)
    assert len(keys(same)) == 2
    monkeypatch.setattr(mpn_abm, "__version__", "9.9")
    assert keys(said).isdisjoint(usual)


def test_one_number_has_one_key_however_it_is_written():
    assert keys(sweep({FITNESS: [1, 2]})) == keys(sweep({FITNESS: [1.0, 2.0]}))
    assert keys(sweep({"marrow.hsc_pool_cells": [1.0e5]})) == keys(sweep({"marrow.hsc_pool_cells": [100000]}))


def test_shards_are_consecutive_and_small_enough(monkeypatch):
    plan = plan_of(load(sweep({VAF: [0.1, 0.2]}, replicates=80)))
    sizes = plan.groupby("shard").size()
    assert sizes.tolist() == [10] * 16
    assert (plan["shard"].diff().dropna() >= 0).all()
    assert plan_of(load(sweep({VAF: [0.1, 0.2]}, replicates=10_000))).groupby("shard").size().max() == 1000
    assert plan_of(load(sweep({VAF: [0.1, 0.2, 0.3]})))["shard"].tolist() == [0, 0, 1]
    # a shard of long runs is to take about as long as it says
    monkeypatch.setattr(plans, "SECONDS_OF_A_SHARD", 1e-9)
    assert plan_of(load(sweep({VAF: [0.1, 0.2]}, replicates=80)))["shard"].nunique() == 160


def test_long_runs_make_small_shards():
    long = base(marrow={"shape": [4096, 4096]}, time={"duration_years": 20})
    sizes = plan_of(load(sweep({VAF: [0.1, 0.2]}, long, replicates=160))).groupby("shard").size()
    assert sizes.max() < 20


def test_words_lists_and_what_is_taken_away_have_columns_of_text():
    drug = {"ruxolitinib": {"dose_mg": 20, "times_per_day": 2, "start_day": 0}}
    axes = {
        "clones.mutant.genotype": ["JAK2_V617F", "CALR_TYPE1"],
        "marrow.shape": [[4, 4]],
        "treatments.ruxolitinib.dose_mg": [5],
    }
    plan = plan_of(load(sweep(axes, base(treatments=drug))))
    assert plan["clones.mutant.genotype"].tolist() == ["JAK2_V617F", "CALR_TYPE1"]
    assert plan["marrow.shape"].tolist() == ["[4,4]", "[4,4]"]
    assert plan["treatments.ruxolitinib.dose_mg"].tolist() == [5.0, 5.0]


@pytest.mark.parametrize("name", ["response_like", "combination_matrix"])
def test_the_file_that_stands_alone_has_the_same_plan(name):
    study = load_study(SCENARIOS / "studies" / f"{name}.yaml")
    pd.testing.assert_frame_equal(plan_of(load_study(study.to_yaml(), trusted=True)), plan_of(study))


def test_a_calibration_has_no_plan(tmp_path):
    (tmp_path / "targets.csv").write_text("day,column,value,sd\n7,vaf_driver,0.2,0.1\n")
    prior = {"distribution": "uniform", "low": 0.1, "high": 0.4}
    said = {"scenario": base(), "calibrate": {"targets": str(tmp_path / "targets.csv"), "parameters": {VAF: prior}}}
    with pytest.raises(UsageError, match="chooses its points while it runs"):
        plan_of(load(said))
