"""An experiment by hand: every deed is a treatment from its day on, and what was before stays."""

import pytest
from unit.small import niche, tissue

import mpn_abm
from mpn_abm.dashboard.experiment import Experiment
from mpn_abm.dashboard.knobs import knobs_of
from mpn_abm.errors import ScenarioError, UsageError
from mpn_abm.scenario.examples import scenario_files
from mpn_abm.scenario.scenario import load
from mpn_abm.scenario.treatments import courses_of


def experiment(**treatments):
    return Experiment(load(niche(treatments=treatments)))


def given(changed, name):
    return changed.scenario.spec.treatments[name]


LASTS = {"drug": "ruxolitinib", "dose_mg": 15}
GIVEN = {"drug": "car_t", "dose_cells": 1e7}


def test_a_drug_is_given_from_its_day_on():
    changed = experiment().give("ruxolitinib", 12.0, dose_mg=20, times_per_day=2)
    course = given(changed, "ruxolitinib")
    assert (course.start, course.stop, course.dose_mg, course.times_per_day) == (12.0, None, 20.0, 2)
    assert list(map(str, changed.deeds)) == ["day 12: give ruxolitinib, 20 mg, 2 times a day"]


def test_a_new_dose_replaces_the_old_one():
    """Catches two courses of a drug that overlap."""
    changed = experiment(ruxolitinib=LASTS).give("ruxolitinib", 12.0, dose_mg=5)
    assert (given(changed, "ruxolitinib").stop, given(changed, "ruxolitinib_2").start) == (12.0, 12.0)


def test_an_infusion_takes_none_away():
    changed = experiment(car_t=GIVEN | {"day": 30}).infuse(12.0, dose_cells=1e8)
    assert [(course.day, course.dose_cells) for course in changed.scenario.spec.treatments.values()] == [
        (30.0, 1e7),
        (12.0, 1e8),
    ]


@pytest.mark.parametrize(
    ("said", "course"),
    [
        (LASTS, {"stop": 12.0}),
        (LASTS | {"stop_day": 30}, {"stop": 12.0}),
        (LASTS | {"stop_day": 8}, None),
        (LASTS | {"start_day": 5, "duration_days": 20}, {"start": 5.0, "stop": 12.0, "duration": None}),
        (LASTS | {"start_day": 5, "duration_days": 3}, None),
        (LASTS | {"start_day": 12}, {"dose_mg": None, "dose_relative": 0.0}),
        (LASTS | {"when": {"vaf_calr": {"above": 0.2}}}, {"stop": 12.0}),
        (LASTS | {"dose_mg": 0}, None),
        (GIVEN | {"day": 30}, {"dose_cells": None, "dose_relative": 0.0}),
        (GIVEN | {"day": 11}, None),
        (GIVEN | {"day": 2, "every_days": 7}, {"stop": 12.0}),
        (GIVEN | {"day": 2, "every_days": 7, "doses": 3}, {"stop": 12.0, "doses": None}),
        (GIVEN | {"day": 2, "every_days": 5, "doses": 2}, None),
        (GIVEN | {"at_days": [2, 11, 12, 20]}, {"at": (2.0, 11.0)}),
    ],
    ids=lambda said: " ".join(f"{key}={value}" for key, value in (said or {}).items() if key != "drug"),
)
def test_after_a_stop_nothing_more_is_given(said, course):
    """Stopped on day 12; None: nothing is left that could be stopped."""
    before = experiment(one=said)
    drug = said["drug"]
    if course is None:
        assert before.stoppable(12.0) == []
        with pytest.raises(UsageError, match="there is none"):
            before.stop(drug, 12.0)
        return
    assert before.stoppable(12.0) == [drug]
    after = before.stop(drug, 12.0)
    assert {key: getattr(given(after, "one"), key) for key in course} == course
    assert after.stoppable(12.0) == []


def test_all_courses_of_a_drug_are_stopped():
    courses = {
        "low": {"stop_day": 9, "dose_mg": 5},
        "high": {"start_day": 9, "stop_day": 20},
        "late": {"start_day": 25},
    }
    after = experiment(ruxolitinib=LASTS | {"courses": courses}).stop("ruxolitinib", 12.0)
    stops = {
        one.name: (one.course.stop, one.course.dose_relative) for one in courses_of(after.scenario.spec.treatments)
    }
    assert stops == {
        "ruxolitinib.low": (9.0, None),
        "ruxolitinib.high": (12.0, None),
        "ruxolitinib.late": (None, 0.0),
    }


@pytest.mark.parametrize(
    "said",
    [
        LASTS | {"when": {"vaf_calr": {"above": 0.2}}, "duration_days": 9},
        GIVEN | {"when": {"vaf_calr": {"above": 0.2}}},
        GIVEN | {"when": {"vaf_calr": {"above": 0.2}}, "every_days": 7, "doses": 2},
    ],
)
def test_what_cannot_be_stopped_without_changing_the_past_says_so(said):
    with pytest.raises(UsageError, match="its days follow from others"):
        experiment(one=said).stop(said["drug"], 12.0)


def test_a_deed_can_be_undone():
    first = experiment()
    assert first.infuse(3.0, dose_cells=1e8).before is first


def test_what_is_wrong_is_said():
    with pytest.raises(UsageError, match="nonsense: expected a drug of the scenario"):
        experiment().give("nonsense", 1.0, dose_mg=3)
    with pytest.raises(ScenarioError, match="dose_mg"):
        experiment().give("pu_h71", 1.0, dose_mg=3)


def test_the_file_says_what_was_done_and_reads_as_the_same_scenario(tmp_path):
    changed = experiment(ruxolitinib=LASTS).infuse(3.0, dose_cells=1e8).stop("ruxolitinib", 12.0)
    file = tmp_path / "saved.yaml"
    file.write_text(changed.to_yaml())
    assert "#   day 3: infuse CAR T cells, 100,000,000 cells\n#   day 12: stop ruxolitinib" in changed.to_yaml()
    assert load(file).sha256 == changed.scenario.sha256
    assert changed.scenario.spec.name == "niche-by-hand"


def test_nothing_done_is_the_scenario_itself():
    assert load(experiment().to_yaml()).sha256 == load(niche(treatments={})).sha256


# Sliders.


@pytest.mark.parametrize("name", list(scenario_files()))
def test_every_slider_of_every_example_can_be_moved_to_both_ends(name):
    """All at once: no two of them may exclude each other."""
    scenario = load(scenario_files()[name])
    knobs = knobs_of(scenario)
    first = Experiment(scenario)
    assert first.tuned({knob.path: knob.value for knob in knobs}) is first
    for end in ("low", "high"):
        tuned = first.tuned({knob.path: getattr(knob, end) for knob in knobs})
        assert {knob.path: tuned.scenario.get(knob.path) for knob in knobs} == {
            knob.path: getattr(knob, end) for knob in knobs
        }


def test_a_slider_has_the_value_of_the_scenario_on_its_scale():
    """A browser rounds to whole steps, and would change what nobody moved."""
    scenario = load(niche(antigen={"density_molecules": 333.3}))
    for knob in knobs_of(scenario):
        steps = (knob.value - knob.low) / knob.step
        assert steps == pytest.approx(round(steps), abs=1e-6), knob


def test_a_slider_changes_the_run():
    first = Experiment(load(niche()))
    tuned = first.tuned({"clones.calr.fraction": 0.1})
    assert mpn_abm.run(tuned.scenario).trajectory["fraction_calr"][0] == pytest.approx(0.1, abs=0.005)


def test_tissue_is_dosed_by_targets():
    changed = Experiment(load(tissue())).infuse(1 / 24, effector_to_target=3.0)
    assert given(changed, "car_t_2").effector_to_target == 3.0
