"""When treatments are given: days written out, chains, conditions, rules, chance."""

import numpy as np
import pytest
from verification.courses import followed, medication, spans, still, told
from verification.runs import YEAR, common_digests, digest, scenario

import mpn_abm
from mpn_abm.state import HSP90, INTERFERON, TRANSPLANT_STEP, TRANSPLANT_TREATMENT

# of this drug H is the relative dose on every day of a course and 0 between: the schedule itself
PU = {"drug": "pu_h71", "dose_relative": 1}
RUXOLITINIB = {"dose_mg": 20}
# persistence under it: I (1 - exp(-t/21)) with I 0.49 on, half as fast again off
PERSISTENCE = "persistence_JAK2_V617F"


def given(treatments, days=60, entry=HSP90, **changes):
    return spans(medication(still(days, treatments, **changes), entry))


# Days written out.

FULL, HALF = {"dose_relative": 1}, {"dose_relative": 0.5}


@pytest.mark.parametrize(
    ("treatment", "expected"),
    [
        ({}, [(0, 60, 1)]),
        ({"start_day": 5, "stop_day": 9}, [(5, 9, 1)]),
        ({"start_week": 1, "duration_weeks": 2}, [(7, 21, 1)]),
        ({"start_hour": 30, "stop_day": 9.5}, [(2, 10, 1)]),
        ({"duration_years": 1}, [(0, 60, 1)]),
        ({"start_day": 60}, []),
        ({"courses": {"a": {"stop_day": 10}, "b": {"start_day": 20, "stop_day": 30}}}, [(0, 10, 1), (20, 30, 1)]),
        ({"courses": {"full": FULL, "low": {**HALF, "start_week": 2, "stop_week": 4}}}, [(0, 14, 1), (14, 28, 0.5)]),
        ({"courses": {"low": {**HALF, "start_day": 8}, "full": {"stop_day": 20}}}, [(0, 8, 1), (8, 60, 0.5)]),
        ({"courses": {"on": FULL, "off": {"start_day": 3, "dose_relative": 0}}}, [(0, 3, 1)]),
        ({"duration_days": 4, "courses": {"a": {"start_day": 1}, "b": {"start_day": 9}}}, [(1, 5, 1), (9, 13, 1)]),
    ],
)
def test_a_course_runs_on_the_days_that_stand_in_the_file(treatment, expected):
    """Catches a day too many or too few, a course that outlives the next, and keys that are not inherited."""
    assert given({"a": {**PU, **treatment}}) == expected


@pytest.mark.parametrize("step", [2, 7])
def test_courses_start_at_the_first_boundary_from_their_day_on(step):
    courses = {"courses": {"a": {"start_day": 3, "stop_day": 20}, "b": {"start_day": 30, "duration_days": 10}}}
    time = {"duration_days": 56, "step_days": step, "record_every_days": 14}
    expected = [(-(-3 // step), -(-20 // step), 1), (-(-30 // step), -(-40 // step), 1)]
    assert given({"a": {**PU, **courses}}, time=time) == expected


# After another treatment.


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"start": "first"}, 5),
        ({"start": "first", "days": 10}, 15),
        ({"stop": "first", "weeks": 1}, 37),
        ({"stop": "first.one"}, 15),
        ({"start": "first.two", "hours": 36}, 17),
    ],
)
def test_a_treatment_starts_some_time_after_another_starts_or_stops(after, expected):
    """From one course to the next the first neither stops nor starts. It stands later in the file."""
    first = {**PU, "courses": {"one": {"start_day": 5}, "two": {"start_day": 15, "stop_day": 30}}}
    treatments = {"second": {"drug": "interferon", "dose_relative": 1, "duration_days": 4, "after": after}}
    assert given({**treatments, "first": first}, entry=INTERFERON) == [(expected, expected + 4, 1)]


def test_a_chain_of_starts_may_come_in_one_step_and_the_last_may_wait_for_a_day_of_its_own():
    """Three links on one day, against their order in the file."""
    interferon = {"drug": "interferon", "dose_relative": 1, "duration_days": 1}
    chain = {
        "c": {**interferon, "after": {"start": "b"}},
        "b": {"drug": "eltrombopag", "dose_relative": 1, "after": {"stop": "a"}},
        "a": {**PU, "start_day": 2, "stop_day": 6},
    }
    assert given(chain, entry=INTERFERON) == [(6, 7, 1)]
    chain["c"] = {"drug": "interferon", "dose_relative": 1, "after": {"start": "b"}, "stop_day": 5}
    assert given(chain, entry=INTERFERON) == []


def test_what_repeats_starts_after_every_start():
    waves = {"courses": {"one": {"start_day": 3}, "two": {"start_day": 8, "stop_day": 12}, "three": {"start_day": 30}}}
    echo = {"drug": "interferon", "dose_relative": 1, "after": {"start": "waves", "days": 2}, "duration_days": 3}
    once, again = [(5, 8, 1)], [(5, 8, 1), (32, 35, 1)]
    assert given({"waves": {**PU, **waves}, "echo": echo}, entry=INTERFERON) == once
    assert given({"waves": {**PU, **waves}, "echo": {**echo, "repeat": True}}, entry=INTERFERON) == again


# Conditions.


@pytest.fixture(scope="module")
def persistence():
    """By day, under ruxolitinib from day 0 on."""
    rows = mpn_abm.run(scenario(still(60, {"ruxolitinib": RUXOLITINIB}))).trajectory
    return rows[PERSISTENCE].to_numpy()


def first_day(holds):
    return int(np.flatnonzero(holds)[0])


@pytest.mark.parametrize("every", [1, 30])
def test_a_condition_sees_the_columns_after_the_step_before_recorded_or_not(persistence, every):
    """The first boundary above 0.2. Catches a condition that sees its own step, or recorded rows alone."""
    when = {"when": {PERSISTENCE: {"above": 0.2}}}
    time = {"duration_days": 60, "record_every_days": every}
    day = first_day(persistence > 0.2)
    assert 5 < day < 30
    assert given({"ruxolitinib": RUXOLITINIB, "a": {**PU, **when}}, time=time) == [(day, 60, 1)]


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ({"when": {PERSISTENCE: {"above": 0.2, "for_days": 5}}}, lambda p: first_day(p > 0.2) + 5),
        ({"when": {PERSISTENCE: {"above": 0.2}}, "start_day": 40}, lambda p: 40),
        ({"when": {PERSISTENCE: {"above": 0.2}}, "check_every_days": 11}, lambda p: 11 * -(-first_day(p > 0.2) // 11)),
        ({"when": {PERSISTENCE: {"above": 0.2, "below": 0.3}}}, lambda p: first_day(p > 0.2)),
        ({"when": {PERSISTENCE: {"below": 0.1}}, "start_day": 40}, lambda p: None),
        ({"when": {PERSISTENCE: {"above": 0.1}, "cells_total": {"below": 60}}}, lambda p: None),
        ({"when": {PERSISTENCE: {"above": 0.1}, "cells_total": {"above": 59}}}, lambda p: first_day(p > 0.1)),
        (
            {"when": {PERSISTENCE: {"above": 0.1}}, "after": {"start": "ruxolitinib", "days": 25}},
            lambda p: 25,
        ),
    ],
)
def test_all_conditions_of_a_start_must_hold_for_their_time_at_a_look(persistence, said, day):
    expected = day(persistence)
    spanned = given({"ruxolitinib": RUXOLITINIB, "a": {**PU, **said}})
    assert spanned == ([] if expected is None else [(expected, 60, 1)])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"stop_when": {"cells_total": {"above": 0}}}, lambda p: []),
        ({"stop_when": {PERSISTENCE: {"below": 0.2}}}, lambda p: [(first_day(p > 0.2), 60, 1)]),
        (
            {"stop_when": {PERSISTENCE: {"below": 0.2}}, "duration_days": 9},
            lambda p: [(first_day(p > 0.2), first_day(p > 0.2) + 9, 1)],
        ),
        (
            {"stop_when": {PERSISTENCE: {"below": 0.2}}, "check_every_days": 7},
            lambda p: [(7 * -(-first_day(p > 0.2) // 7), 60, 1)],
        ),
    ],
)
def test_what_its_stop_would_end_does_not_start_before_that_has_passed(persistence, said, expected):
    """With no other condition. Catches a start on day 0 that is taken back on day 1."""
    assert given({"ruxolitinib": RUXOLITINIB, "a": {**PU, **said}}) == expected(persistence)


def test_a_condition_that_fails_in_between_counts_its_days_anew(persistence):
    """Above 0.2 for 25 days: a drug holiday of ten days lets it fall below, and the count starts again."""
    holiday = {**RUXOLITINIB, "courses": {"a": {"stop_day": 25}, "b": {"start_day": 35}}}
    rows = mpn_abm.run(scenario(still(90, {"ruxolitinib": holiday}))).trajectory[PERSISTENCE].to_numpy()
    above = rows > 0.2
    up = first_day(above)
    down = up + first_day(~above[up:])
    again = down + first_day(above[down:])
    assert 25 < down < again < 60
    said = {"when": {PERSISTENCE: {"above": 0.2, "for_days": 25}}}
    assert given({"ruxolitinib": holiday, "a": {**PU, **said}}, days=90) == [(again + 25, 90, 1)]


def relaxation(days, decide, held):
    """Persistence by day under a drug of which `decide` says by day whether it runs."""
    value, on, path = 0.0, False, []
    for _ in range(days):
        on = decide(on, value)
        path.append(on)
        value = held + (value - held) * np.exp(-1 / 21) if on else value * np.exp(-1 / 14)
    return path


@pytest.mark.parametrize("repeat", [True, False])
def test_a_drug_comes_and_goes_with_what_it_does_itself(persistence, repeat):
    """Off above 0.3, on again below 0.1: the cycle of a hand-made copy. Catches a repeat that never or always comes."""
    held = persistence[-1] / -np.expm1(-60 / 21)
    courses = {"when": {PERSISTENCE: {"below": 0.1}}, "stop_when": {PERSISTENCE: {"above": 0.3}}, "repeat": repeat}
    started = []

    def decide(on, value):
        if on:
            return not value > 0.3
        if value < 0.1 and (repeat or not started):
            started.append(value)
            return True
        return False

    path = relaxation(200, decide, held)
    found = medication(still(200, {"ruxolitinib": {**RUXOLITINIB, **courses}}), 0)
    assert [value > 0.0 for value in found] == path
    assert (len(started) > 2) == repeat


# Rules.


def test_the_first_rule_that_holds_limits_the_dose_until_it_does_not(persistence):
    """Half a dose from 0.15 on, none from 0.25 on, and back as persistence falls; one above the dose does nothing.

    The order of the rules is that of the file: the more severe one stands first.
    """
    rules = {
        "idle": {"when": {"cells_total": {"above": 0}}, "max_dose_relative": 5},
    }
    severe = {"hold": {"when": {PERSISTENCE: {"above": 0.25}}, "max_dose_relative": 0}}
    mild = {"less": {"when": {PERSISTENCE: {"above": 0.15}}, "max_dose_relative": 0.5}}
    stopped = {"ruxolitinib": {**RUXOLITINIB, "stop_day": 30}}
    rows = mpn_abm.run(scenario(still(80, stopped))).trajectory[PERSISTENCE].to_numpy()[:-1]
    graded = np.where(rows > 0.25, 0.0, np.where(rows > 0.15, 0.5, 1.0))
    assert medication(still(80, {**stopped, "a": {**PU, "adjust": {**severe, **mild}}}), HSP90) == graded.tolist()
    mildest = np.where(rows > 0.15, 0.5, 1.0)
    assert medication(still(80, {**stopped, "a": {**PU, "adjust": {**mild, **severe}}}), HSP90) == mildest.tolist()
    assert given({**stopped, "a": {**PU, "adjust": {**rules, **severe}}}) == [(0, 60, 1)]


def test_a_rule_has_the_bits_of_the_same_doses_with_their_days_written_out():
    """Also what the log tells. Catches a dose that is worked out another way when a rule sets it."""
    held = {"hold": {"when": {PERSISTENCE: {"above": 0.3}}, "max_dose_mg": 0}}
    held |= {"less": {"when": {PERSISTENCE: {"above": 0.2}}, "max_dose_mg": 15}}
    adjusted = mpn_abm.run(scenario(still(60, {"ruxolitinib": {**RUXOLITINIB, "adjust": held}})))
    kinds = ["treatment_start", "treatment_stop", "dose_change"]
    events = adjusted.events[adjusted.events.kind.isin(kinds)]
    doses, value = {}, {264: 15, 352: 20}
    for row in events[events.kind != "treatment_stop"].itertuples():
        doses[f"from_{int(row.day)}"] = {"start_day": row.day, "dose_mg": value[round(row.value)]}
    for row in events[events.kind == "treatment_stop"].itertuples():
        doses.setdefault(f"from_{int(row.day)}", {"start_day": row.day, "dose_mg": 0})
    assert len(doses) > 3
    in_order = dict(sorted(doses.items(), key=lambda course: course[1]["start_day"]))
    written = mpn_abm.run(scenario(still(60, {"ruxolitinib": {"courses": in_order}})))
    assert digest(written) == digest(adjusted)
    # from course to course it stops and starts, under a rule its dose changes
    as_courses, dose = [], None
    for row in events.itertuples():
        if row.kind == "dose_change":
            as_courses.append([row.day, "treatment_stop", dose])
        as_courses.append([row.day, row.kind.replace("dose_change", "treatment_start"), row.value])
        dose = row.value
    other = written.events[written.events.kind.isin(kinds)]
    assert other[["day", "kind", "value"]].values.tolist() == as_courses


def test_a_change_of_dose_is_one_event_with_the_new_dose(persistence):
    """One start, two changes, no stop. Catches a stop at every change, and an event where the dose stays as it is."""
    half, third = first_day(persistence > 0.2), first_day(persistence > 0.3)
    rules = {
        "third": {"when": {PERSISTENCE: {"above": 0.3}}, "max_dose_relative": 0.25},
        "half": {"when": {PERSISTENCE: {"above": 0.2}}, "max_dose_relative": 0.5},
        "idle": {"when": {PERSISTENCE: {"above": 0.1}}, "max_dose_relative": 5},
    }
    result = mpn_abm.run(scenario(still(60, {"ruxolitinib": RUXOLITINIB, "a": {**PU, "adjust": rules}})))
    events = result.events[result.events.name == "a"]
    assert events[["day", "kind", "value"]].values.tolist() == [
        [0, "treatment_start", 1], [half, "dose_change", 0.5], [third, "dose_change", 0.25],
    ]  # fmt: skip


# Given at once.

SMALL = {"car_t": {"cells_per_agent": 1e6}}


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ({}, [0]),
        ({"day": 7}, [7]),
        ({"at_weeks": [2, 1, 3]}, [7, 14, 21]),
        ({"day": 3, "every_days": 10, "doses": 3}, [3, 13, 23]),
        ({"every_weeks": 2, "stop_day": 42}, [0, 14, 28]),
        ({"after": {"stop": "a", "days": 2}, "every_days": 4, "doses": 2}, [32, 36]),
        ({"when": {PERSISTENCE: {"above": 0.2}}, "day": 29}, [29]),
        ({"courses": {"one": {"day": 1}, "two": {"after": {"start": "t.one", "days": 5}}}}, [1, 6]),
        ({"every_days": 5, "stop_when": {PERSISTENCE: {"above": 0.2}}}, [0, 5, 10]),
        ({"every_days": 10, "adjust": {"none": {"when": {PERSISTENCE: {"above": 0.2}}, "max_dose_cells": 0}}}, [0, 10]),
    ],
)
def test_infusions_come_on_their_days(persistence, said, days):
    """0.2 is crossed on day 11 or 12. Catches an infusion before or after its day, or one given twice."""
    assert 10 < first_day(persistence > 0.2) < 15
    treatments = {
        "ruxolitinib": RUXOLITINIB, "a": {**PU, "stop_day": 30}, "t": {"drug": "car_t", "dose_cells": 1e8, **said},
    }  # fmt: skip
    result = mpn_abm.run(scenario(still(50, treatments, **SMALL)))
    assert [day for day, _, _ in told(result, "dose")] == days


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ({"at_days": [2, 5, 20, 31], "when": {PERSISTENCE: {"above": 0.2}}}, lambda day: [20, 31]),
        ({"at_days": [2, 5], "when": {PERSISTENCE: {"above": 0.2}}}, lambda day: []),
        ({"at_days": [2, 5, 20], "stop_when": {PERSISTENCE: {"below": 0.2}}}, lambda day: [20]),
        ({"every_days": 4, "stop_day": 10, "when": {PERSISTENCE: {"above": 0.2}}}, lambda day: []),
        ({"every_days": 4, "stop_day": 19, "when": {PERSISTENCE: {"above": 0.2}}}, lambda day: [*range(day, 19, 4)]),
        ({"every_days": 4, "stop_day": 30, "after": {"stop": "a", "days": 2}}, lambda day: []),
        ({"every_days": 4, "doses": 2, "stop_when": {PERSISTENCE: {"below": 0.2}}}, lambda day: [day, day + 4]),
    ],
)
def test_no_infusion_makes_up_for_a_day_that_is_past(persistence, said, days):
    """Catches all past days given at once when a condition comes to hold, and an infusion after the stop."""
    treatments = {
        "ruxolitinib": RUXOLITINIB, "a": {**PU, "stop_day": 30}, "t": {"drug": "car_t", "dose_cells": 1e8, **said},
    }  # fmt: skip
    result = mpn_abm.run(scenario(still(50, treatments, **SMALL)))
    assert [day for day, _, _ in told(result, "dose")] == days(first_day(persistence > 0.2))


def test_listed_days_within_the_step_of_the_start_are_not_past():
    """Steps of seven days: what falls between two boundaries comes at the second, with a condition or without."""
    time = {"duration_days": 28, "step_days": 7, "record_every_days": 7}
    for when in ({}, {"when": {"cells_total": {"above": 0}}}):
        treatment = {"drug": "car_t", "dose_cells": 1e8, "at_days": [1, 4, 20], **when}
        result = mpn_abm.run(scenario(still(28, {"t": treatment}, time=time, **SMALL)))
        assert [day for day, _, _ in told(result, "dose")] == [7, 7, 21]


def test_a_whole_series_may_repeat_and_another_treatment_waits_for_its_last_infusion():
    series = {"drug": "car_t", "dose_cells": 1e8, "every_days": 3, "doses": 3}
    second = {"drug": "interferon", "dose_relative": 1, "after": {"stop": "t", "days": 1}, "stop_day": 30}
    assert given({"t": {**series, "day": 2}, "b": second}, days=30, entry=INTERFERON, **SMALL) == [(9, 30, 1)]
    often = {**series, "when": {"cells_total": {"above": 0}}, "repeat": True}
    result = mpn_abm.run(scenario(still(20, {"t": often}, **SMALL)))
    assert [day for day, _, _ in told(result, "dose")] == [0, 3, 6, 7, 10, 13, 14, 17]


def test_several_infusions_may_be_due_at_one_boundary():
    """Steps of seven days, an infusion every three: those of the days before come together, each with its own uid."""
    time = {"duration_days": 28, "step_days": 7, "record_every_days": 7}
    treatment = {"drug": "car_t", "dose_cells": 1e8, "day": 1, "every_days": 3, "doses": 6}
    result = mpn_abm.run(scenario(still(28, {"t": treatment}, time=time, **SMALL)))
    assert [day for day, _, _ in told(result, "dose")] == [7, 7, 7, 14, 14, 21]


def test_a_transplant_leaves_its_step_and_its_treatment():
    treatments = {
        "a": {**PU, "stop_day": 4},
        "transplant": {"dose_relative": 1, "after": {"stop": "a", "days": 3}, "conditioning": "myeloablative"},
    }
    tally = followed(still(10, treatments), lambda stack: stack.tally)
    steps = [int(row[0, TRANSPLANT_STEP]) for row in tally]
    assert steps == [0] * 7 + [8] * 3
    assert tally[-1][0, TRANSPLANT_TREATMENT] == 1
    treatments["transplant"]["dose_relative"] = 0
    assert not followed(still(10, treatments), lambda stack: stack.tally)[-1][0, TRANSPLANT_STEP]


# The log.


def test_the_log_tells_courses_by_name_and_no_dose_of_0():
    """One name while a treatment is a single course, treatment.course if it has several."""
    courses = {"full": {"dose_mg": 20}, "none": {"start_day": 5, "dose_mg": 0}, "low": {"start_day": 9, "dose_mg": 5}}
    treatments = {"ruxolitinib": {"courses": courses, "stop_day": 12}, "a": {**PU, "start_day": 2, "stop_day": 3}}
    start, stop = "treatment_start", "treatment_stop"
    assert told(mpn_abm.run(scenario(still(20, treatments))), start, stop) == [
        (0, start, "ruxolitinib.full"), (2, start, "a"), (3, stop, "a"), (5, stop, "ruxolitinib.full"),
        (9, start, "ruxolitinib.low"), (12, stop, "ruxolitinib.low"),
    ]  # fmt: skip


# Chance.


def stops(replicates, treatment, days=730):
    """Days that the drug was given in each replicate."""
    time = {"duration_days": days, "record_every_days": days}
    output = {"clones": False, "snapshots": False}
    content = still(days, {"a": {**PU, **treatment}}, replicates=replicates, time=time, output=output)
    events = mpn_abm.run(scenario(content)).events
    stopped = events[events.kind == "treatment_stop"]
    assert stopped.replicate.is_unique
    return np.append(stopped.day.to_numpy(), np.full(replicates - len(stopped), float(days)))


def test_a_stop_at_random_has_its_rate():
    """Exponential with rate 2 a year, over two years: 4000 patients, mean and share left within 4.9 standard errors.

    1e-6 for each; finds a rate that is off by 9 %. Catches a draw that all patients share, and one that is made once.
    """
    n, rate, years = 4000, 2.0, 2.0
    days = stops(n, {"stop_per_year": rate})
    p = -np.expm1(-rate / YEAR)
    last = round(years * 365)
    # the draw of the last boundary is never made
    left = np.exp(-rate / YEAR * (last - 1))
    expected = -np.expm1(-rate / YEAR * last) / p
    assert abs((days == last).mean() - left) < 4.9 * np.sqrt(left * (1 - left) / n)
    assert abs(days.mean() - expected) < 4.9 * days.std() / np.sqrt(n)


def test_a_stop_at_random_does_not_depend_on_the_other_treatments():
    """Arms share their chances: the number of the hazard is that of the course's name, not of its place."""
    alone = told(mpn_abm.run(scenario(still(400, {"a": {**PU, "stop_per_year": 3}}))), "treatment_stop")
    more = {"b": {"drug": "interferon", "dose_relative": 1}, "a": {**PU, "stop_per_year": 3}}
    assert told(mpn_abm.run(scenario(still(400, more))), "treatment_stop") == alone
    other = {"c": {**PU, "stop_per_year": 3}}
    assert [day for day, _, _ in told(mpn_abm.run(scenario(still(400, other))), "treatment_stop")] != [alone[0][0]]


# The same bits.

MOVING = {
    "time": {"duration_days": 120, "record_every_days": 7}, "marrow": {"shape": [24, 24]}, "seed": 4,
    "clones": {"healthy": {"genotype": "wild_type"}, "calr": {"genotype": "CALR_TYPE1", "fraction": 0.4}},
    "hematopoiesis": {"division_rate_per_year": 20}, "car_t": {"cells_per_agent": 5e6, "minimum_agents": 5},
}  # fmt: skip
DYNAMIC = {
    "ruxolitinib": {
        "courses": {
            "full": {"start_day": 3, "dose_mg": 20, "stop_when": {"persistence_CALR_TYPE1": {"above": 0.25}}},
            "again": {"when": {"persistence_CALR_TYPE1": {"below": 0.1}}, "start_day": 10, "dose_mg": 10},
        },
    },
    "t": {"drug": "car_t", "dose_cells": 5e8, "after": {"stop": "ruxolitinib.full", "days": 4}},
}


def test_conditions_have_the_bits_of_the_same_run_with_the_days_written_out():
    dynamic = mpn_abm.run(scenario({**MOVING, "treatments": DYNAMIC}))
    day = {(kind, name): when for when, kind, name in told(dynamic, "treatment_start", "treatment_stop", "dose")}
    stop, again = day["treatment_stop", "ruxolitinib.full"], day["treatment_start", "ruxolitinib.again"]
    assert 10 < stop < again < 100
    courses = {"full": {"start_day": 3, "dose_mg": 20, "stop_day": stop}, "again": {"start_day": again, "dose_mg": 10}}
    written = {"ruxolitinib": {"courses": courses}, "t": {"drug": "car_t", "dose_cells": 5e8, "day": stop + 4}}
    fixed = mpn_abm.run(scenario({**MOVING, "treatments": written}))
    assert digest(fixed) == digest(dynamic)
    assert fixed.snapshots.drop(columns="run_id").equals(dynamic.snapshots.drop(columns="run_id"))


def test_replicates_decide_for_themselves_alone_or_together():
    """The day of a start that waits for the clone is another in every replicate, and the same on one or two threads."""
    waits = {"a": {**PU, "when": {"vaf_calr": {"above": 0.21}}, "stop_per_year": 20}}
    content = {**MOVING, "treatments": {**DYNAMIC, **waits}, "replicates": 4}
    together = mpn_abm.run(scenario(content), threads=2)
    assert digest(mpn_abm.run(scenario(content), threads=1)) == digest(together)
    columns = ["day", "kind", "name", "value"]
    days = set()
    for k, seed in together.trajectory.groupby("replicate").seed.first().items():
        alone = mpn_abm.run(scenario({**content, "replicates": 1, "seed": int(seed)}))
        mine = together.events[together.events.replicate == k][columns].reset_index(drop=True)
        assert alone.events[columns].equals(mine)
        days.add(tuple(mine[mine.name == "a"].day))
    assert len(days) > 1


def test_a_run_in_pieces_decides_as_a_run_in_one_go():
    """Little room for rows and log, so that steps are left and taken up again."""
    content = {
        **MOVING,
        "treatments": {**DYNAMIC, "t": {**DYNAMIC["t"], "dose_cells": 5e9, "every_days": 1, "doses": 9}},
    }
    whole = mpn_abm.run(scenario(content))
    batches = followed(content, lambda stack: stack.tally)
    assert len(told(whole, "dose")) == 9
    assert digest(mpn_abm.run(scenario({**content, "time": {**MOVING["time"], "snapshot_every_days": 1}}))) == digest(
        whole
    )
    assert len(batches) == 120


# Nothing.

DOSES = {
    "fedratinib": {"dose_mg": 0}, "chz868": {"dose_relative": 0}, "pu_h71": {"dose_relative": 0},
    "interferon": {"dose_relative": 0}, "eltrombopag": {"dose_mg": 0}, "pembrolizumab": {"dose_mg": 0},
    "anti_calr": {"dose_relative": 0}, "transplant": {"dose_relative": 0}, "car_t": {"dose_relative": 0},
    "mine": {"dose_mg": 0},
}  # fmt: skip


@pytest.mark.parametrize("drug", DOSES)
def test_a_dose_of_0_of_any_kind_has_the_bits_of_no_treatment(drug):
    effects = {"slow": {"factor": "division", "direction": "decreases"}}
    content = {**MOVING, "drugs": {"mine": {"kind": "modifier", "first_dose_peak_nM_per_mg": 3, "effects": effects}}}
    treatment = {**DOSES[drug], "when": {"vaf_calr": {"above": 0}}, "stop_when": {"vaf_calr": {"above": 0.5}}}
    without = mpn_abm.run(scenario(content))
    with_0 = mpn_abm.run(scenario({**content, "treatments": {drug: treatment}}))
    one, other, own = common_digests(without, with_0)
    assert one == other
    assert not with_0.trajectory[[name for name in own if not name.startswith("activity_")]].to_numpy().any()
    assert not told(with_0, "treatment_start", "treatment_stop", "dose")
