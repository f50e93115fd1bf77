"""When a run steps, records, takes a snapshot and lets a clone arrive."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.small import bare, tissue

from mpn_abm.compile.clock import boundary_at, timetable_of
from mpn_abm.scenario.scenario import load

STEPS = {"1 minute": Fraction(1, 1440), "10 minutes": Fraction(1, 144), "hour": Fraction(1, 24), "3 days": Fraction(3)}


def timetable(**time):
    return timetable_of(load(bare(time=time)).spec)


@pytest.mark.parametrize(
    ("day", "step", "boundary"),
    [(0, 1, 0), (1, 1, 1), (1.5, 1, 2), (0.001, 1, 1), (7, 30, 1), (30, 30, 1), (30.001, 30, 2), (1826.25, 1, 1827)],
)
def test_what_is_due_at_a_day_is_done_at_the_first_boundary_from_it_on(day, step, boundary):
    assert boundary_at(day, step) == boundary


@given(st.sampled_from(sorted(STEPS)), st.integers(0, 1_000_000))
def test_a_moment_on_a_boundary_is_on_it_whatever_rounding_says(step, k):
    """k steps of ten minutes are k boundaries, not k + 1, however the day was calculated."""
    length = STEPS[step]
    for day in (float(k * length), k * float(length), float(k * length * 1440) / 1440):
        assert boundary_at(day, float(length)) == k


@given(st.sampled_from(sorted(STEPS)), st.fractions(0, 1000, max_denominator=1000))
def test_no_boundary_comes_before_its_day(step, day):
    """The exact ceiling, unless the moment misses a boundary by a billionth of a step."""
    exact = day / STEPS[step]
    assert boundary_at(float(day), float(STEPS[step])) == ceil(exact - Fraction(1, 10**9))


def test_a_duration_that_is_no_whole_number_of_steps_is_rounded_up_to_one():
    assert timetable(duration_years=5).steps == 1827
    assert timetable(duration_days=30.5, step_days=7).steps == 5
    assert timetable(duration_days=28, step_days=7).steps == 4
    assert timetable(duration_days=0.5).steps == 1


def test_rows_stand_at_day_0_every_interval_and_on_the_last_day():
    assert timetable(duration_days=28, record_every_days=7).rows.tolist() == [0, 7, 14, 21, 28]
    assert timetable(duration_days=30, record_every_days=7).rows.tolist() == [0, 7, 14, 21, 28, 30]
    assert timetable(duration_days=3, record_every_days=100).rows.tolist() == [0, 3]


def test_a_row_between_two_boundaries_waits_for_the_next_and_none_comes_twice():
    assert timetable(duration_days=11, step_days=2, record_every_days=5).rows.tolist() == [0, 3, 5, 6]
    assert timetable(duration_days=3, record_every_hours=6).rows.tolist() == [0, 1, 2, 3]


def test_the_last_day_of_a_rounded_duration_is_recorded():
    """Of 11 days in steps of 4 the run makes 12, and the twelfth has the last row; the eleventh is no boundary."""
    assert timetable(duration_days=11, step_days=4, record_every_days=4).rows.tolist() == [0, 1, 2, 3]


def test_rows_of_a_lifetime_are_as_many_as_its_weeks():
    rows = timetable(duration_years=80).rows
    assert rows.tolist() == [*range(0, 29220, 7), 29220]


def test_half_hours_of_tissue_fall_on_steps_of_ten_minutes():
    found = timetable_of(load(tissue(time={"duration_hours": 48, "record_every_minutes": 30})).spec)
    assert (found.steps, found.rows.tolist()) == (288, list(range(0, 289, 3)))
    assert found.step == pytest.approx(1 / 144)


def test_snapshots_are_at_the_start_and_the_end_unless_said():
    assert timetable(duration_days=30).snapshots == (0, 30)
    assert timetable(duration_days=30, snapshot_every_days=12).snapshots == (0, 12, 24, 30)


def test_clones_arrive_in_the_order_of_the_file_at_the_boundary_of_their_day():
    clones = {
        "rest": {"genotype": "wild_type"},
        "late": {"genotype": "JAK2_V617F", "cells": 1, "day": 9.5},
        "early": {"genotype": "JAK2_V617F", "cells": 1, "day": 3},
        "also": {"genotype": "CALR_TYPE1", "cells": 1, "day": 10},
    }
    assert timetable_of(load(bare(clones=clones)).spec).arrivals == {3: ["early"], 10: ["late", "also"]}
