"""What is wrong with a study file is told with its place, what was given and what is expected, all at once."""

from copy import deepcopy

import pytest
from studies.small_studies import ARMS, VAF, base, load, sweep, trial

from mpn_abm.errors import ScenarioError, UsageError
from mpn_abm.scenario.studies.study_file import load_study

MARROW = """schema: mpn-abm/1
name: marrow
time: {duration_days: 28}
marrow: {shape: [8, 8]}
clones:
  healthy: {genotype: wild_type}
  mutant: {genotype: JAK2_V617F, vaf: 0.2}
"""


def told(text, tmp_path, *sets):
    """The problems of a study file beside a scenario, without the folder."""
    (tmp_path / "marrow.yaml").write_text(MARROW)
    file = tmp_path / "study.yaml"
    file.write_text(f"schema: mpn-abm/1\n{text}")
    with pytest.raises(ScenarioError) as caught:
        load_study(file, sets)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]


def of(content, **options):
    """The problems of a study that is a mapping, without their place."""
    with pytest.raises(ScenarioError) as caught:
        load(content, **options)
    return [str(problem).removeprefix("mapping: ") for problem in caught.value.problems]


def test_all_mistakes_of_a_sweep_are_shown_at_once_each_at_its_place(tmp_path):
    text = """scenario: marrow.yaml
sweep:
  method: sobal
  samples: 256
  replicates: -1
  parameters:
    clones.mutant.vaf: [0.1, 0.6, -0.2]
    clones.mutnat.vaf: [0.1]
    fibrosis.drive: {low: -5, high: 1, stesp: 3}
    patient.antigen: {low: 0.5, high: 1e9}
    niche.capacity_cost: 5
    patient.fitness: {distribution: lognormal, median: 1}
    seed: [1, 2]
    marrow: [1]
    patient.scar_drive: {low: 2, high: 1}
expect:
  a: {endpoint: svr36, at_week: 2, high: 0.1}
"""
    assert told(text, tmp_path) == [
        "study.yaml:4:3: sweep.method: sobal: expected one of grid, lhs, sobol, saltelli, morris, random, table "
        "(how the points lie), did you mean 'sobol'?",
        "study.yaml:6:3: sweep.replicates: -1: expected a whole number from 1 to 1e6 "
        "(runs of each point with different random numbers)",
        "study.yaml:8:30: sweep.parameters.clones.mutant.vaf: 0.6: expected at most 0.5, as it is heterozygous",
        "study.yaml:8:35: sweep.parameters.clones.mutant.vaf: -0.2: expected 0 to 1 "
        "(its part of the variant allele fraction of day 0)",
        "study.yaml:9:5: sweep.parameters.clones.mutnat.vaf: unknown path, did you mean 'mutant'?",
        "study.yaml:10:40: sweep.parameters.fibrosis.drive.stesp: unknown key, did you mean 'steps'?",
        "study.yaml:11:33: sweep.parameters.patient.antigen.high: 1000000000.0: expected 0 to 1000 "
        "(factor on the density of the antigen)",
        "study.yaml:12:5: sweep.parameters.niche.capacity_cost: 5: expected a mapping with levels, low, high, scale, "
        "steps, distribution, mean, sd, median, log_sd, a, b, values, weights",
        "study.yaml:13:5: sweep.parameters.patient.fitness.log_sd: missing, expected for the distribution lognormal",
        "study.yaml:14:5: sweep.parameters.seed: expected a path that changes the marrow or what is given",
        "study.yaml:15:5: sweep.parameters.marrow: expected a path to a value, such as marrow.scale",
        "study.yaml:16:34: sweep.parameters.patient.scar_drive.high: 1: expected more than low, 2",
        "study.yaml:18:7: expect.a.endpoint: svr36: unknown endpoint, did you mean 'svr35'?",
    ]


def test_all_mistakes_of_a_trial_are_shown_at_once_each_at_its_place(tmp_path):
    text = """scenario: {extends: marrow.yaml, marrow.shape: [0, 4], clones.mutant.genotyp: x}
trial:
  cohort:
    patient.scar_drive: {distribution: normal, mean: 0, sd: 1, low: 50}
  arms:
    control: {}
    rux: {treatments.ruxolitinib: {dose_mgg: 20, times_per_day: 2, start_day: 0}}
    Big: {}
  allocation: {control: 1, ruxo: 0}
  endpoints: [svr35, tss51]
  at_days: [29]
  power: {endpoint: svr, arms: [control], sizes: [1]}
"""
    names = "expected a name of letters, digits and _ that begins with a letter (capitals in genotypes only)"
    assert told(text, tmp_path) == [
        "study.yaml:2:34: scenario.marrow.shape: [0, 4]: expected 2 or 3 lengths from 1 to 16384 "
        "(at most 2^28 sites in all)",
        "study.yaml:2:56: scenario.clones.mutant.genotyp: unknown key, did you mean 'genotype'?",
        "study.yaml:3:1: trial.patients: missing, expected the number of patients, or a `patients_file`",
        "study.yaml:5:64: trial.cohort.patient.scar_drive.low: 50: expected ends between which something is drawn",
        "study.yaml:8:36: trial.arms.rux.treatments.ruxolitinib.dose_mgg: unknown key, did you mean 'dose_mg'?",
        f"study.yaml:9:5: trial.arms.Big: {names}",
        "study.yaml:10:3: trial.allocation: expected a part for every arm, rux has none",
        "study.yaml:10:28: trial.allocation.ruxo: 0: unknown arm, did you mean 'rux'?",
        "study.yaml:10:28: trial.allocation.ruxo: 0: expected a whole number of 1 or more",
        "study.yaml:11:22: trial.endpoints.1: tss51: unknown endpoint, did you mean 'tss50'?",
        "study.yaml:13:11: trial.power.endpoint: svr: unknown endpoint, did you mean 'svr35'?",
        "study.yaml:13:26: trial.power.arms: [control]: expected two arms",
        "study.yaml:13:43: trial.power.sizes: [1]: expected numbers of 2 or more",
    ]


def test_what_is_wrong_with_the_scenario_is_told_at_its_own_place(tmp_path):
    (tmp_path / "bad.yaml").write_text(MARROW.replace("0.2", "0.7"))
    text = "scenario: bad.yaml\nsweep: {parameters: {patient.fitness: [1]}}\n"
    assert told(text, tmp_path) == [
        "bad.yaml:7:34: clones.mutant.vaf: 0.7: expected at most 0.5, as it is heterozygous"
    ]


def test_a_value_that_only_one_arm_refuses_is_told():
    """Catches values that are tried on the file without its arms."""
    both = {"healthy": {"genotype": "wild_type"}, "mutant": {"genotype": "JAK2_V617F_HOM", "vaf": 0.2}}
    arms = {"homozygous": {}, "heterozygous": {"clones.mutant.genotype": "JAK2_V617F"}}
    cohort = {VAF: {"distribution": "uniform", "low": 0.1, "high": 0.7}}
    found = of(trial({**base(), "clones": both}, arms, cohort=cohort))
    assert found == [f"trial.cohort.{VAF}.high: 0.7: expected at most 0.5, as it is heterozygous"]
    assert load(trial({**base(), "clones": both}, {"homozygous": {}}, cohort=cohort)).name


def test_an_axis_of_what_only_an_arm_adds_is_told():
    """Else the patients of the other arm would have the drug, too."""
    drug = {"ruxolitinib": {"dose_mg": 20, "times_per_day": 2, "start_day": 0}}
    cohort = {"treatments.ruxolitinib.dose_mg": {"distribution": "uniform", "low": 5, "high": 20}}
    study = load(trial(base(treatments=drug), {"none": {"treatments.ruxolitinib": None}, "drug": {}}, cohort=cohort))
    assert study.member({"treatments.ruxolitinib.dose_mg": 7.0}, "drug").get("treatments.ruxolitinib.dose_mg") == 7.0
    assert study.member({"treatments.ruxolitinib.dose_mg": 7.0}, "none").spec.treatments == {}
    (found,) = of(trial(base(), {"none": {}, "drug": {"treatments": drug}}, cohort=cohort))
    assert "expected a path of the scenario itself, which drug adds" in found


SWEEP, TRIAL = "sweep: {parameters: {patient.fitness: [1]}}\n", "trial: {patients: 2}\n"
HERE = "scenario: marrow.yaml\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"scenario: marow.yaml\n{SWEEP}", "study.yaml:2:1: scenario: marow.yaml: expected a file relative"),
        (f"scenari: marrow.yaml\n{SWEEP}", "scenari: unknown key, did you mean 'scenario'?"),
        (SWEEP, "scenario: missing, expected a file relative to this one"),
        (f"scenario: 5\n{SWEEP}", "study.yaml:2:1: scenario: 5: expected a file"),
        (HERE, "expected one of sweep, trial, sensitivity, calibrate"),
        (
            HERE + SWEEP + TRIAL,
            "study.yaml:4:1: trial: expected one of sweep, trial, sensitivity, calibrate, and sweep",
        ),
        (f"{HERE}extends: marrow.yaml\n{TRIAL}", "extends: marrow.yaml: expected within `scenario:`"),
        (f"scenario: {{extends: nowhere.yaml}}\n{TRIAL}", "extends: nowhere.yaml: expected a file relative"),
        (f"{HERE}trials: {{patients: 2}}\n", "trials: unknown key, did you mean 'trial'?"),
        (f"{HERE}{TRIAL}output: {{trajectory: some}}\n", "expected one of none, days, all"),
        (f"{HERE}{TRIAL}output: {{trajectory: none, every_days: 7}}\n", "expected beside `trajectory: all`"),
        (f"{HERE}{TRIAL}arms: {{x: {{}}}}\n", "arms: unknown key"),
        (f"{HERE}{TRIAL}reference: x\n", "reference: x: unknown arm"),
    ],
)
def test_a_wrong_frame_is_told(tmp_path, text, expected):
    assert any(expected in line for line in told(text, tmp_path)), told(text, tmp_path)


RANGE = {"low": 1.0, "high": 2.0}


@pytest.mark.parametrize(
    ("axis", "method", "expected"),
    [
        ([], "grid", "X: []: expected at least one value"),
        ([1, 1.0], "grid", "X: 1.0: expected each value once"),
        ({}, "grid", "X: expected a list of levels, or `low` and `high`"),
        ({"low": 1}, "lhs", "X.high: missing, expected the other end of the range"),
        (RANGE, "grid", "X.steps: missing, expected how many values of the range are in the grid"),
        ({**RANGE, "steps": 3}, "lhs", "X.steps: 3: expected in a grid only"),
        ({**RANGE, "steps": 1}, "grid", "X.steps: 1: expected a whole number from 2 to 1e6"),
        ({**RANGE, "levels": [1]}, "lhs", "X.levels: [1]: expected only one of low, levels"),
        ({"low": 2, "high": 2}, "lhs", "X.high: 2: expected more than low, 2"),
        ({"low": 0, "high": 2, "scale": "log"}, "lhs", "X.low: 0: expected more than 0, as the logarithm is uniform"),
        ({**RANGE, "mean": 3}, "lhs", "X.mean: 3: expected beside `distribution:`, normal"),
        ({"distribution": "normal", "mean": 1, "sd": 1}, "grid", "X.distribution: normal: expected a list of levels"),
        ({"distribution": "normall", "mean": 1, "sd": 1}, "lhs", "did you mean 'normal'?"),
        ({"distribution": "normal", "mean": 1}, "lhs", "X.sd: missing, expected for the distribution normal"),
        ({"distribution": "normal", "mean": 1, "sd": 0}, "lhs", "X.sd: 0: expected more than 0"),
        ({"distribution": "normal", "mean": 1, "sd": 1, "a": 2}, "lhs", "X.a: 2: not for the distribution normal"),
        ({"distribution": "uniform", "low": 1}, "lhs", "X.high: missing, expected for the distribution uniform"),
        ({"distribution": "loguniform", "low": -1, "high": 1}, "lhs", "X.low: -1: expected more than 0"),
        ({"distribution": "beta", "a": 1, "b": 1, "low": 1}, "lhs", "X.low: 1: expected less than 1"),
        ({"distribution": "beta", "a": 1, "b": 1, "high": 0}, "lhs", "X.high: 0: expected more than 0"),
        ({"distribution": "lognormal", "median": 1, "log_sd": 1, "high": -1}, "lhs", "X.high: -1: expected"),
        ({"distribution": "normal", "mean": 1, "sd": 0.01, "high": 0}, "lhs", "expected ends between which something"),
        ({"distribution": "normal", "mean": 1, "sd": 1, "scale": "log"}, "lhs", "X.scale: log: expected of a range"),
        ({"distribution": "choice"}, "lhs", "X.values: missing, expected for the distribution choice"),
        ({"distribution": "choice", "values": []}, "lhs", "X.values: []: expected at least one value"),
        ({"distribution": "choice", "values": [1, 2], "weights": [1]}, "lhs", "X.weights: [1]: expected as many"),
        ({"distribution": "choice", "values": [1, 2], "weights": [1, -1]}, "lhs", "expected numbers of 0 or more"),
        ({"distribution": "choice", "values": [1, 2], "weights": [0, 0]}, "lhs", "expected numbers of 0 or more"),
        ({"distribution": "choice", "values": [1, "a"]}, "lhs", "X: a: expected 0 to 1000|X: a: expected a number"),
        (
            {"distribution": "normal", "mean": 1, "sd": 0.5}, "lhs",
            "X: can draw -1.38: expected 0 to 1000 (factor on the fitness of mutants); cut it off with `low`",
        ),
    ],
)  # fmt: skip
def test_a_wrong_axis_is_told(axis, method, expected):
    block = {"method": method} if method == "grid" else {"method": method, "samples": 4}
    found = of(sweep({"patient.fitness": axis}, **block))
    ways = [f"sweep.parameters.patient.fitness{way[1:]}" if way[0] == "X" else way for way in expected.split("|")]
    assert any(way in line for line in found for way in ways), found


def test_what_is_cut_off_is_told_at_its_own_end():
    """A number that nobody wrote is said to be drawn; one that somebody wrote stands where they did."""
    cohort = {VAF: {"distribution": "normal", "mean": 0.3, "sd": 0.3, "low": -0.1}}
    written, drawn = of(trial(cohort=cohort))
    assert written.startswith(f"trial.cohort.{VAF}.low: -0.1: expected 0 to 1 ")
    assert drawn.startswith(f"trial.cohort.{VAF}: can draw 1.73: expected 0 to 1 ")


def test_two_axes_that_say_one_thing_are_refused():
    """Every run of theirs would fail."""
    (found,) = of(sweep({VAF: [0.1, 0.2], "patient.fitness": [1], "clones.mutant.fraction": [0.1, 0.2]}))
    assert found == f"sweep.parameters.clones.mutant.fraction: expected one of the two: {VAF} says the same thing"
    (found,) = of(sweep({"patient.age_years": [60], "patient.age_months": [720]}))
    assert found.startswith("sweep.parameters.patient.age_months: expected one of the two: patient.age_years")


@pytest.mark.parametrize(
    ("method", "samples", "axes", "told"),
    [
        ("sobol", 2, {"patient.fitness": RANGE}, "base points"),
        ("morris", 2, {"patient.fitness": RANGE}, "paths"),
        ("prcc", 4, {"patient.fitness": RANGE}, "points, 3 more than parameters (1)"),
        ("prcc", 5, {"patient.fitness": RANGE, "patient.antigen": RANGE}, "points, 3 more than parameters (2)"),
    ],
)
def test_points_that_are_too_few_for_a_method_are_told(method, samples, axes, told):
    def study(number):
        return {"scenario": base(), "sensitivity": {"method": method, "samples": number, "parameters": axes}}

    assert load(study(samples)).spec.samples == samples
    (found,) = of(study(samples - 1))
    assert found == f"sensitivity.samples: {samples - 1}: expected at least {samples} {told}"


@pytest.mark.parametrize(
    ("asked", "named"),
    [({"endpoints": ["svr35"]}, "endpoints"), ({"power": {"endpoint": "svr35", "sizes": [10]}}, "power")],
)
def test_a_trial_that_asks_for_endpoints_keeps_trajectories(asked, named):
    kept = {"output": {"trajectory": "none"}}
    (found,) = of(trial(beside=kept, **asked))
    assert found.startswith(f"output.trajectory: none: expected `days` or `all`: `trial.{named}`")
    assert load(trial(beside=kept)).output.trajectory == "none"


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"method": "lhs"}, "sweep.samples: missing, expected the number of points of lhs"),
        ({"samples": 4}, "sweep.samples: 4: not for the method grid"),
        ({"file": "a.csv"}, "sweep.file: a.csv: expected for `method: table` only"),
        ({"method": "table"}, "sweep.file: missing, expected a CSV or Parquet file"),
        ({"method": "table", "file": "a.txt"}, "sweep.file: a.txt: expected a file that ends in .csv or .parquet"),
        ({"method": "table", "file": "a.csv"}, "sweep.file: a.csv: expected a file relative to this one"),
        ({"method": "table", "file": "a.csv"}, "sweep.parameters: expected none beside a table"),
        ({"method": "lhs", "samples": 10_000_000, "replicates": 2}, "expected at most 10,000,000 runs"),
        ({"seed": -1}, "sweep.seed: -1: expected a whole number from 0"),
    ],
)  # fmt: skip
def test_a_wrong_sweep_is_told(block, expected):
    found = of(sweep({"patient.fitness": [1, 2]}, **block))
    assert any(expected in line for line in found), found
    assert any("at least one path" in line for line in of(sweep({})))


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"cohort": {"patient.fitness": [1, 2]}}, "trial.cohort.patient.fitness: expected a `distribution:`"),
        ({"correlations": [["a", "b", 2]]}, "trial.correlations.0: [a, b, 2]: unknown path of the cohort"),
        ({"correlations": [["a", "b"]]}, "trial.correlations: [[a, b]]: expected a list of [PATH, PATH, correlation"),
        ({"patients_file": "p.csv"}, "trial.patients_file: p.csv: expected a file relative to this one"),
        ({"patients_file": "p.csv", "cohort": {VAF: {}}}, "expected only one of"),
        ({"dropout_per_year": -1}, "trial.dropout_per_year: -1: expected 0 to 100 per year"),
        ({"at_weeks": 24}, "trial.at_weeks: 24: expected a list of moments"),
        ({"at_days": [29]}, "trial.at_days: [29]: expected days of the run, which lasts 28 days"),
        ({"endpoints": "svr35"}, "trial.endpoints: svr35: expected a list of names of endpoints"),
        ({"power": {"arms": ["control", "treated"]}}, "trial.power.endpoint: missing"),
        ({"power": {"endpoint": "svr35", "arms": ["control", "tread"]}}, "trial.power.arms.1: tread: unknown arm"),
        ({"arms": {"control": {"seed": 3}, "treated": {}}}, "trial.arms.control.seed: expected beside `arms:`"),
        ({"arms": {"control": {"patient.age_years": -3}}}, "trial.arms.control.patient.age_years: -3: expected 0 to"),
        ({"arms": {"control": {"time.duration_days": 3}}}, "trial.arms.control.time.duration_days: expected beside"),
        ({"allocation": {"control": "x", "treated": 1}}, "trial.allocation: expected a mapping of arms to"),
        ({"allocation": {"control": 0, "treated": 1}}, "trial.allocation.control: 0: expected a whole number of 1"),
        ({"arms": 5}, "trial.arms: 5: expected a mapping of names"),
        ({"arms": {}}, "trial.arms: expected at least one arm"),
    ],
)  # fmt: skip
def test_a_wrong_trial_is_told(block, expected):
    found = of(trial(**block))
    assert any(expected in line for line in found), found


def test_correlations_that_cannot_hold_together_are_told():
    normal = {"distribution": "normal", "mean": 1, "sd": 0.1}
    paths = ["patient.fitness", "patient.antigen", "patient.interferon"]
    one, two, three = paths
    bad = [[one, two, 0.9], [two, three, 0.9], [one, three, -0.9]]
    cohort = dict.fromkeys(paths, normal)
    (found,) = of(trial(cohort=cohort, correlations=bad))
    assert found.startswith("trial.correlations: [[patient.fitness, patient.antigen, 0.9], ")
    assert found.endswith("expected correlations that can hold together (a positive definite matrix)")
    assert load(trial(cohort=cohort, correlations=[[one, two, 0.9], [two, three, 0.9], [one, three, 0.9]])).spec
    (found,) = of(trial(cohort=cohort, correlations=[[one, two, 0.1], [two, one, 0.2]]))
    assert "trial.correlations.1" in found
    (found,) = of(trial(cohort=cohort, correlations=[[one, two, 1.5]]))
    assert "expected a correlation from -1 to 1" in found


def test_what_an_axis_or_an_arm_sets_is_refused_on_the_command_line():
    cohort = {VAF: {"distribution": "uniform", "low": 0.1, "high": 0.4}}
    for path, where in (
        ("clones.mutant.vaf=0.3", "trial.cohort.clones.mutant.vaf"),
        ("clones.mutant.fraction=0.3", "trial.cohort.clones.mutant.vaf"),
        ("treatments.ruxolitinib.dose_mg=5", "trial.arms.treated.treatments.ruxolitinib.dose_mg"),
    ):
        found = of(trial(cohort=cohort), sets=[path])
        assert any(line.startswith(f"--set {path}") and where in line for line in found), found
    assert load(trial(cohort=cohort), sets=["clones.mutant.pattern=disc"]).name


def test_a_set_that_is_none_is_told():
    with pytest.raises(UsageError, match="expected PATH=VALUE"):
        load(trial(), sets=["trial.patients"])
    assert of(trial(), sets=["trial.patience=3"]) == [
        "--set trial.patience=3: trial.patience: unknown key, did you mean 'patients'?"
    ]
    assert ARMS["control"] == {}


WHOLE = {
    "sweep": {
        **sweep({VAF: [0.1, 0.2], "patient.fitness": RANGE}, method="lhs", samples=4),
        "endpoints": {"x": {"column": "vaf_driver", "below": 0.1}},
        "expect": {"a": {"endpoint": "x", "at_day": 7, "low": 0}},
        "output": {"trajectory": "all"},
    },
    "trial": trial(
        cohort={
            VAF: {"distribution": "beta", "a": 2, "b": 3, "high": 0.4},
            "patient.fitness": {"distribution": "choice", "values": [1, 2], "weights": [1, 2]},
        },
        correlations=[[VAF, "patient.fitness", 0.2]],
        allocation={"control": 1, "treated": 1},
        at_days=[1],
        power={"endpoint": "svr35", "arms": ["control", "treated"], "sizes": [3]},
    ),
}
ODD = (None, 5, "x", [], {}, [[1, 2]], {"a": 1}, True, {"levels": None}, [None], {"x.y": {"z": 1}})


def places(content, above=()):
    for key, child in content.items() if isinstance(content, dict) else ():
        yield (*above, key)
        yield from places(child, (*above, key))


@pytest.mark.parametrize("kind", WHOLE)
def test_whatever_stands_in_its_place_a_part_is_read_or_told(kind):
    """Catches every other error than the two that are meant for people."""
    assert load(WHOLE[kind], trusted=True).kind == kind
    wrong = 0
    for place in places(WHOLE[kind]):
        for odd in ODD if place[0] != "scenario" else ():
            content = deepcopy(WHOLE[kind])
            within = content
            for key in place[:-1]:
                within = within[key]
            within[place[-1]] = odd
            try:
                load(content, trusted=True)
            except (ScenarioError, UsageError):
                wrong += 1
    assert wrong > 100
