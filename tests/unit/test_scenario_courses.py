"""Treatments as a file says them: what courses inherit, and every message about them."""
# ruff: noqa: E501  a line of the table is a case

import pytest

from mpn_abm.compile.program import compile_scenario
from mpn_abm.errors import ScenarioError
from mpn_abm.scenario.scenario import load

HEAD = """schema: mpn-abm/1
time: {duration_days: 10}
clones: {healthy: {genotype: wild_type}}
"""
TISSUE = "marrow: {scale: tissue, shape: [8, 8]}\n"


def problems_of(text):
    with pytest.raises(ScenarioError) as caught:
        compile_scenario(load(HEAD + text + "\n").spec)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("treatments: {ruxolitinib: {courses: {a: {}}}}", "4:38: treatments.ruxolitinib.courses.a: expected one of dose_mg"),
        ("treatments: {pu_h71: {dose_mg: 3}}", "dose_mg: not for the kind hsp90_inhibitor, expected one of kind, drug"),
        (
            "treatments: {car_t: {dose_cells: 1, courses: {a: {dose_mg: 1}}}}",
            "treatments.car_t.courses.a.dose_mg: not for the kind of this treatment, expected one of dose_relative",
        ),
        ("treatments: {car_t: {dose_cells: 1, day: 1, at_weeks: [2]}}", "expected only one of day, at_weeks"),
        ("treatments: {car_t: {dose_cells: 1, at_weeks: [1, -1]}}", "4:37: treatments.car_t.at_weeks: [1, -1]: expected a list of days"),
        ("treatments: {car_t: {dose_cells: 1, at_weeks: []}}", "treatments.car_t.at_weeks: []: expected a list of days"),
        ("treatments: {pu_h71: {dose_relative: 1, start_day: 1, after: {start: x}}}", "only one of start_day, after"),
        ("treatments: {pu_h71: {dose_relative: 1, stop_day: 1, duration_days: 1}}", "only one of stop_day, duration_days"),
        ("treatments: {pu_h71: {dose_relative: 1, courses: {a: {start_day: 5, stop_day: 5}}}}", "a.stop_day: 5: expected later than its start on day 5"),
        ("treatments: {pu_h71: {dose_relative: 1, repeat: true}}", "4:41: treatments.pu_h71.repeat: true: expected `when` or `after` beside it"),
        ("treatments: {car_t: {dose_cells: 1, at_days: [1, 5], when: {cells_total: {above: 1}}, repeat: true}}", "repeat: true: expected none beside listed days, which come once: say `every_days` and `doses` for a series"),
        ("treatments: {pu_h71: {dose_relative: 1, check_every_days: 3}}", "check_every_days: 3: expected `when`, `stop_when` or `adjust` beside it"),
        ("treatments: {pu_h71: {dose_relative: 1, when: {vaf_jack2: {above: 1}}}}", "4:48: treatments.pu_h71.when.vaf_jack2: unknown column, did you mean 'vaf_jak2'?"),
        ("treatments: {pu_h71: {dose_relative: 1, stop_when: {zzzzzz: {above: 1}}}}", "unknown column, expected one that `mpn-abm list columns` names"),
        ("treatments: {pu_h71: {dose_relative: 1, when: {vaf_jak2: {}}}}", "when.vaf_jak2: expected `above` or `below`"),
        ("treatments: {pu_h71: {dose_relative: 1, when: {vaf_jak2: {above: 2, below: 1}}}}", "expected `above` to be less than `below`"),
        ("treatments: {pu_h71: {dose_relative: 1, when: {vaf_jak2: {abov: 2}}}}", "4:59: treatments.pu_h71.when.vaf_jak2.abov: unknown key, did you mean 'above'?"),
        ("treatments: {pu_h71: {dose_relative: 1, when: {vaf_calr: {above: 50}}}}", "4:59: treatments.pu_h71.when.vaf_calr.above: 50: expected 0 to 1: vaf_calr is a share, not a percentage"),
        ("treatments: {pu_h71: {dose_relative: 1, stop_when: {hematocrit: {below: 45}}}}", "stop_when.hematocrit.below: 45: expected 0 to 1"),
        ("treatments: {pu_h71: {dose_relative: 1, when: {crs_index: {above: 2}}}}", "treatments.pu_h71.when.crs_index: expected a column that this run has"),
        ("treatments: {pu_h71: {dose_relative: 1, after: {days: 3}}}", "treatments.pu_h71.after: expected `start` or `stop`"),
        ("treatments: {pu_h71: {dose_relative: 1, after: {start: a, stop: b}}}", "expected only one of start, stop"),
        ("treatments: {pu_h71: {dose_relative: 1, after: {start: interferonn}}, interferon: {dose_relative: 1}}", "4:49: treatments.pu_h71.after.start: interferonn: unknown treatment or course, did you mean 'interferon'?"),
        ("treatments: {pu_h71: {dose_relative: 1, courses: {low: {start_day: 1}}}, interferon: {dose_relative: 1, after: {stop: pu_h71.lo}}}", "unknown treatment or course, did you mean 'pu_h71.low'?"),
        ("treatments: {pu_h71: {dose_relative: 1, after: {stop: pu_h71}}}", "stop: pu_h71: expected no circle, pu_h71 waits for pu_h71"),
        ("treatments: {pu_h71: {dose_relative: 1, after: {start: interferon}}, interferon: {dose_relative: 1, after: {stop: pu_h71}}}", "expected no circle, pu_h71 waits for interferon"),
        ("treatments: {pu_h71: {dose_relative: 1, adjust: {a: {when: {cells_total: {above: 1}}}}}}", "4:50: treatments.pu_h71.adjust.a: expected a largest dose"),
        ("treatments: {pu_h71: {dose_relative: 1, adjust: {a: {when: {}, max_dose_relative: 0}}}}", "adjust.a.when: expected at least one condition"),
        ("treatments: {pu_h71: {dose_relative: 1, adjust: {a: {when: {cells_total: {above: 1}}, max_dose_mg: 0}}}}", "max_dose_mg: not for the kind"),
        ("treatments: {ruxolitinib: {dose_mg: 1, adjust: {a: {max_dose_mg: 1, max_dose_relative: 0}}}}", "expected only one of max_dose_mg, max_dose_relative"),
        ("treatments: {transplant: {dose_relative: 1, donor: wild_typ}}", "donor: wild_typ: unknown genotype, did you mean 'wild_type'?"),
        ("treatments: {transplant: {dose_relative: 1, donor: CALR_TYPE1}}", "donor: CALR_TYPE1: expected one of wild_type, donor: a donor has no JAK2 or CALR mutation"),
        ("treatments: {transplant: {dose_relative: 0.5}}", "4:27: treatments.transplant.dose_relative: 0.5: expected 0 or 1: a transplant is done or not"),
        ("treatments: {transplant: {dose_relative: 1, adjust: {a: {when: {cells_total: {above: 1}}, max_dose_relative: 0.5}}}}", "adjust.a.max_dose_relative: 0.5: expected 0 or 1"),
        (TISSUE + "treatments: {transplant: {dose_relative: 1}}", "treatments.transplant: expected at niche scale only: a piece of tissue receives no transplant"),
        (TISSUE + "treatments: {car_t: {dose_cells_per_kg: 1}}", "dose_cells_per_kg: 1: expected at niche scale only: say `effector_to_target`, or `dose_cells` that enter the lattice"),
        ("treatments: {transplant: {dose_relative: 1, conditioning: mild}}", "conditioning: mild: expected one of myeloablative, reduced"),
        ("drugs: {a: {kind: jak_inhibitor, ic50_nM: 3}}", "4:9: drugs.a: expected `first_dose_peak_nM_per_mg`"),
        ("drugs: {a: {kind: jak_inhibitor, first_dose_peak_nM_per_mg: 3}}", "drugs.a: expected one of ic50_nM, usual_occupancy"),
        ("drugs: {a: {like: ruxolitinib, ic50_nM: 3, usual_occupancy: 0.3}}", "expected only one of ic50_nM, usual_occupancy"),
        ("drugs: {a: {kind: modifier, usual_concentration_nM: 3}}", "drugs.a.effects: expected at least one"),
        ("drugs: {a: {kind: modifier, effects: {x: {factor: loss, direction: increases}}}}", "expected one of first_dose_peak_nM_per_mg, usual_concentration_nM"),
        ("drugs: {a: {kind: modifier, usual_concentration_nM: 3, effects: {x: {factor: los, direction: increases}}}}", "did you mean 'loss'?"),
        ("drugs: {a: {kind: modifier, usual_concentration_nM: 3, effects: {x: {factor: loss, direction: decreases, saturation: 2}}}}", "saturation: 2: expected at most 1: a factor falls to 0 at most"),
        ("drugs: {a: {kind: modifier, usual_concentration_nM: 3, effects: {x: {factor: loss, direction: increases, genotype: JAK2}}}}", "unknown genotype, did you mean 'JAK2_V617F'?"),
        ("drugs: {a: {kind: modifier, usual_concentration_nM: 3, effects: {x: {factor: antigen, direction: increases, genotype: wild_type}}}}", "effects.x.genotype: wild_type: expected one with antigen: wild_type carries none"),
    ],
)  # fmt: skip
def test_a_wrong_treatment_is_told_where_it_stands(text, message):
    assert any(message in problem for problem in problems_of(text)), problems_of(text)


def test_a_mistake_that_courses_inherit_is_told_once():
    text = "treatments: {pu_h71: {dose_relative: 1, when: {vaf: {above: 1}}, courses: {a: {}, b: {start_day: 3}}}}"
    assert len(problems_of(text)) == 1


NESTED = """treatments:
  ruxolitinib:
    dose_mg: 20
    stop_week: 50
    when: {vaf_jak2: {above: 0.1}}
    adjust: {hold: {when: {cells_total: {below: 50}}, max_dose_ug: 500}}
    courses:
      full: {start_day: 3}
      low: {dose_relative: 0.5, duration_days: 7, when: {vaf_jak2: {below: 0.9, for_weeks: 2}}}
"""


def test_a_course_inherits_what_its_treatment_says():
    """Rivals replace each other, conditions on a column are joined."""
    scenario = load(HEAD + NESTED)
    full, low = scenario.spec.treatments["ruxolitinib"].courses.values()
    assert (full.start, full.stop, full.duration, full.dose_mg, full.times_per_day) == (3.0, 350.0, None, 20.0, 2)
    assert (low.start, low.stop, low.duration, low.dose_mg, low.dose_relative) == (None, None, 7.0, None, 0.5)
    condition = low.when["vaf_jak2"]
    assert (condition.above, condition.below, condition.for_days) == (0.1, 0.9, 14.0)
    assert full.adjust["hold"].max_dose_mg == 0.5
    assert scenario.get("treatments.ruxolitinib.courses.full.stop_week") == 50
    assert str(scenario.origin("treatments.ruxolitinib.courses.full.dose_mg")).endswith(":6:5")


def test_a_written_out_scenario_says_the_same_again():
    scenario = load(HEAD + NESTED + "  boost: {drug: car_t, dose_cells: 1.0e8, at_weeks: [1, 2]}\n")
    assert load(scenario.to_yaml()).sha256 == scenario.sha256
    assert scenario.get("treatments.boost.at_weeks") == (1.0, 2.0)


def test_a_path_into_a_course_can_be_set():
    spec = load(HEAD + NESTED, sets=["treatments.ruxolitinib.courses.low.dose_mg=5"]).spec
    low = spec.treatments["ruxolitinib"].courses["low"]
    assert (low.dose_mg, low.dose_relative) == (5.0, None)
