"""A study file as it is read: layers, arms, what `--set` reaches, and the file that stands alone."""

import jsonschema
import pytest
from ruamel.yaml import YAML
from studies.small_studies import ARMS, DOSE, DRUG, VAF, base, load, sweep, trial
from verification.runs import SCENARIOS, STUDIES

import mpn_abm
from mpn_abm.cli.main import main
from mpn_abm.errors import ScenarioError
from mpn_abm.scenario.json_schema import json_schema
from mpn_abm.scenario.resolved import yaml_of
from mpn_abm.scenario.studies.explaining import explained_study
from mpn_abm.scenario.studies.study_file import is_study, load_study

FITNESS = {"distribution": "lognormal", "median": 1, "log_sd": 0.6}


def library(name):
    return load_study(SCENARIOS / f"{name}.yaml")


def test_a_file_is_read_with_its_scenario_relative_to_it(tmp_path):
    (tmp_path / "marrows").mkdir()
    (tmp_path / "marrows" / "one.yaml").write_text(mpn_abm.load({"schema": "mpn-abm/1", **base()}).to_yaml())
    file = tmp_path / "dose.yaml"
    file.write_text(f"schema: mpn-abm/1\nscenario: marrows/one.yaml\nsweep:\n  parameters: {{{VAF}: [0.1, 0.2]}}\n")
    study = load_study(file)
    assert (study.name, study.kind, study.folder) == ("dose", "sweep", tmp_path)
    assert study.spec.parameters[VAF].levels == (0.1, 0.2)
    assert study.scenario.spec.name == "bare"
    assert is_study(file)
    assert not is_study(tmp_path / "marrows" / "one.yaml")
    assert not is_study(tmp_path / "nowhere.yaml")


def test_a_scenario_in_place_is_called_as_its_study_unless_it_says_a_name(tmp_path):
    (tmp_path / "one.yaml").write_text(mpn_abm.load({"schema": "mpn-abm/1", **base()}).to_yaml())
    nameless = {key: said for key, said in base().items() if key != "name"}
    for scenario, called in (
        (nameless, "dose"),
        (base(), "bare"),
        ({"extends": "one.yaml"}, "dose"),
        ({"extends": "one.yaml", "name": "other"}, "other"),
    ):
        file = tmp_path / "dose.yaml"
        file.write_text(yaml_of({"schema": "mpn-abm/1", **sweep({VAF: [0.1, 0.2]}, scenario)}))
        study = load_study(file)
        assert study.scenario.spec.name == study.member({}).spec.name == called
        assert load_study(study.to_yaml()).scenario.spec.name == called
    assert load_study(sweep({VAF: [0.1]}, nameless), sets=["name=mine"]).scenario.spec.name == "mine"


def test_a_patient_goes_over_set_and_an_arm_over_the_patient():
    """Catches layers in another order: each of the three says another value."""
    arms = {"control": {}, "fixed": {"patient.fitness": 3.0}}
    study = load(trial(arms=arms, cohort={"patient.interferon": FITNESS}), sets=["patient.antigen=2"])
    assert study.scenario.get("patient.antigen") == 2.0
    assert study.member({}, "fixed").get("patient.antigen") == 2.0
    drawn = {"patient.fitness": 1.5, "patient.antigen": 1.7}
    assert study.member(drawn, "fixed").get("patient.antigen") == 1.7
    assert study.member(drawn, "control").get("patient.fitness") == 1.5
    assert study.member(drawn, "fixed").get("patient.fitness") == 3.0


def test_a_member_is_the_scenario_that_a_file_would_say():
    study = load(trial(cohort={VAF: {"distribution": "uniform", "low": 0.1, "high": 0.4}}))
    said = mpn_abm.load({"schema": "mpn-abm/1", **base()}, overrides={VAF: 0.3, "treatments": DRUG})
    assert study.member({VAF: 0.3}, "treated").spec == said.spec
    # a fraction takes the place of the vaf that the file says
    assert study.member({"clones.mutant.fraction": 0.5}, "control").spec.clones["mutant"].vaf is None


def test_a_member_that_is_none_is_told():
    with pytest.raises(ScenarioError, match=r"parameters: clones\.mutant\.vaf: 0\.7: expected at most 0\.5"):
        load(trial()).member({VAF: 0.7}, "control")


def test_set_reaches_the_study_and_any_other_path_the_scenario():
    study = load(
        trial(cohort={VAF: {"distribution": "uniform", "low": 0.1, "high": 0.4}}),
        sets=["trial.patients=3", "trial.cohort.clones.mutant.vaf.high=0.3", "time.duration_weeks=2", "name=mine"],
        overrides={"trial": {"seed": 9}, "marrow.shape": [4, 4]},
    )
    assert (study.name, study.spec.patients, study.spec.seed, study.spec.cohort[VAF].high) == ("mine", 3, 9, 0.3)
    assert (study.scenario.spec.time.duration, study.scenario.spec.marrow.shape) == (14.0, (4, 4))


def test_set_replaces_levels_by_a_range_and_takes_an_axis_away():
    said = sweep({VAF: [0.1, 0.2], "patient.fitness": [1, 2]})
    study = load(said, sets=[f"sweep.parameters.{VAF}={{low: 0.1, high: 0.3, steps: 3}}"])
    assert (study.spec.parameters[VAF].levels, study.spec.parameters[VAF].steps) == (None, 3)
    assert list(study.spec.parameters) == [VAF, "patient.fitness"]
    assert list(load(said, sets=[f"sweep.parameters.{VAF}=null"]).spec.parameters) == ["patient.fitness"]


def test_days_of_a_study_have_rows():
    study = load(trial(endpoints=["vaf_driver"], at_days=[10, 0]))
    assert study.spec.at == (10.0, 0.0)
    assert 10.0 in study.member({}, "treated").spec.time.record_at
    claimed = trial(beside={"expect": {"a": {"arm": "treated", "endpoint": "vaf_driver", "at_day": 11, "low": 0}}})
    assert load(claimed).scenario.spec.time.record_at == (11.0,)


def test_arms_of_a_trial_take_the_place_of_those_of_its_scenario():
    with_arms = base(arms={"other": {}}, expect={"a": {"arm": "other", "endpoint": "vaf_driver", "low": 0}})
    assert list(load(trial(with_arms)).scenario.arms) == ["control", "treated"]
    assert load(trial(with_arms)).expect == {}
    assert list(load(trial(with_arms, arms=None)).scenario.arms) == ["other"]
    assert list(load(sweep({VAF: [0.1]}, with_arms)).scenario.arms) == ["other"]


def test_endpoints_of_a_scenario_are_there_and_those_of_the_study_go_first():
    there = base(endpoints={"low": {"column": "vaf_driver", "below": 0.1}, "kept": {"column": "cells_mutant"}})
    there["endpoints"]["kept"]["change"] = "relative"
    study = load(
        trial(there, beside={"endpoints": {"low": {"column": "vaf_driver", "below": 0.2}}}, endpoints=["kept"])
    )
    assert {name: one.below for name, one in study.endpoints.items()} == {"low": 0.2, "kept": None}


def test_an_endpoint_is_ranked_with_a_path_that_is_varied_and_with_no_other():
    def claiming(path):
        claim = {"endpoint": "vaf_driver", "statistic": "spearman", "with": path, "low": 0.5}
        return {**sweep({VAF: [0.1, 0.2]}), "expect": {"a": claim}}

    assert load(claiming(VAF)).expect["a"].with_ == VAF
    with pytest.raises(ScenarioError, match=r"expect\.a\.with: clones\.mutant\.cells: unknown column"):
        load(claiming("clones.mutant.cells"))


def test_assumed_parameters_have_an_axis_over_their_declared_range():
    marrow = {"shape": [16, 16]}
    asked = {"sensitivity": {"samples": 4, "parameters": "assumed"}}
    study = load({**asked, "scenario": base(antigen={"enabled": True}, marrow=marrow)})
    axis = study.spec.parameters["antigen.density_molecules"]
    assert (axis.low, axis.high, axis.scale) == (100, 2000, "log")
    assert study.spec.parameters["antigen.coupling"].scale == "linear"
    # of a mechanism that is off nothing matters
    off = load({**asked, "scenario": base(marrow=marrow)}).spec.parameters
    assert not any(path.startswith("antigen") for path in off)
    assert off


@pytest.mark.parametrize("name", STUDIES)
def test_the_file_that_stands_alone_is_the_same_study(name):
    study = library(name)
    again = load_study(study.to_yaml(), trusted=True)
    assert (again.name, again.question, again.kind, again.output) == (
        study.name, study.question, study.kind, study.output
    )  # fmt: skip
    assert again.spec == study.spec
    assert again.scenario.spec == study.scenario.spec
    assert {name: arm.spec for name, arm in again.scenario.arms.items()} == {
        name: arm.spec for name, arm in study.scenario.arms.items()
    }
    assert (again.endpoints, again.expect) == (study.endpoints, study.expect)
    assert again.scenario.comparison.reference == study.scenario.comparison.reference
    assert again.to_yaml() == study.to_yaml()


def test_the_file_that_stands_alone_keeps_what_follows_from_what_is_said(tmp_path):
    """Members, not only the base: a disease in an arm brings its defaults, a drug that is `like` another follows it."""
    (tmp_path / "a.csv").write_text("patient.fitness\n1\n")
    scenario = base(
        drugs={"mine": {"like": "ruxolitinib"}, "fedratinib": None},
        treatments={"mine": {"times_per_day": 2, "start_day": 0, "dose_mg": 20}},
        genotypes={"JAK2_V617F": {"fitness_per_year": 0.5}},
    )
    arms = {"pv": {"patient.disease": "PV"}, "none": {"treatments.mine": None}}
    file = tmp_path / "study.yaml"
    file.write_text(yaml_of({"schema": "mpn-abm/1", **trial(scenario, arms, patients_file="a.csv")}))
    study = load_study(file, sets=["trial.arms.none.patient.fitness=2", "patient.age_years=50"])
    again = load_study(study.to_yaml(), trusted=True)
    patient = {"drugs.ruxolitinib.ic50_nM": 100.0, "patient.antigen": 2.0}
    for arm in arms:
        assert again.member(patient, arm).spec == study.member(patient, arm).spec
    assert again.member(patient, "pv").spec.drugs["mine"].ic50 == 100.0
    assert again.spec.patients_file == str(tmp_path / "a.csv")


def test_a_scenario_is_no_study_and_a_study_no_scenario():
    with pytest.raises(ScenarioError, match="expected a study, with `scenario:` and one of sweep"):
        load_study(SCENARIOS / "therapy" / "calr_car_t.yaml")
    with pytest.raises(ScenarioError, match="expected a scenario, this is a study, for `mpn-abm trial`"):
        mpn_abm.load(SCENARIOS / "studies" / "comfort_like.yaml")
    with pytest.raises(ScenarioError, match=r"trial\.patients: 20: expected in a study only|expected in a study only"):
        mpn_abm.load(SCENARIOS / "therapy" / "calr_car_t.yaml", sets=["trial.patients=20"])


def test_validate_and_explain_take_a_study(capsys):
    file = str(SCENARIOS / "studies" / "comfort_like.yaml")
    assert main(["validate", file, "--set", "trial.patients=4"]) == 0
    assert capsys.readouterr().out == f"{file}: valid\n"
    assert main(["validate", file, "--set", "trial.patients=0"]) == 3
    assert "trial.patients: 0: expected a whole number from 1" in capsys.readouterr().err
    assert main(["explain", file, "trial.patients"]) == 0
    assert "trial.patients: 300" in capsys.readouterr().out
    assert main(["explain", file, "time.duration_weeks"]) == 0
    assert "time.duration_weeks: 48" in capsys.readouterr().out
    assert main(["explain", file, "trial.patience"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_explain_says_of_an_axis_where_it_stands():
    study = library("studies/comfort_like")
    rows = {row.path: row for row in explained_study(study)}
    assert rows["trial.cohort.patient.fitness.log_sd"].value == 0.6
    assert "comfort_like.yaml:" in rows["trial.cohort.patient.fitness.log_sd"].origin
    assert "trial.cohort.patient.fitness.mean" not in rows
    assert rows["patient.age_years"].origin == "default"


@pytest.mark.parametrize("name", STUDIES)
def test_the_json_schema_takes_the_studies_of_the_library(name):
    content = YAML(typ="safe", pure=True).load(SCENARIOS / f"{name}.yaml")
    validator = jsonschema.Draft202012Validator(json_schema())
    assert list(validator.iter_errors(content)) == []
    kind = next(key for key in ("trial", "sweep") if key in content)
    for wrong in ({kind: {**content[kind], "patience": 3}}, {"scenario": 5}, {"trails": {}}):
        assert list(validator.iter_errors({**content, **wrong}))


def test_the_json_schema_takes_what_the_program_takes():
    validator = jsonschema.Draft202012Validator(json_schema())
    axes = {VAF: [0.1, 0.2], DOSE: {"low": 1, "high": 2, "scale": "log"}}
    assert list(validator.iter_errors({"schema": "mpn-abm/1", **sweep(axes, method="lhs", samples=4)})) == []
    said = {"scenario": "a.yaml", "sensitivity": {"samples": 4, "parameters": "assumed"}}
    assert list(validator.iter_errors({"schema": "mpn-abm/1", **said})) == []
    assert list(validator.iter_errors({"schema": "mpn-abm/1", **trial(arms=ARMS)})) == []
