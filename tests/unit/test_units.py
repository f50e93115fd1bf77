"""Units: keys carry them, and conversions lose nothing."""

import math

import pytest

from mpn_abm.units import UNITS, convert, key_of, keys_of, phrase


def key(name: str, unit: str) -> str:
    return key_of(name, UNITS[unit])


@pytest.mark.parametrize(
    ("name", "unit", "expected"),
    [
        ("division_rate", "1/year", "division_rate_per_year"),
        ("recirculation", "", "recirculation"),
        ("duration", "day", "duration_days"),
        ("start", "at day", "start_day"),
        ("day", "at day", "day"),
        ("cells", "cells", "cells"),
        ("dose_mg", "mg", "dose_mg"),
        ("dose_cells_per_kg", "cells/kg", "dose_cells_per_kg"),
        ("speed", "um/min", "speed_um_per_min"),
        ("ic50", "nM", "ic50_nM"),
    ],
)
def test_a_key_is_the_name_with_the_suffix_of_its_unit(name, unit, expected):
    assert key(name, unit) == expected


def test_a_parameter_answers_to_every_suffix_of_its_family_and_to_no_other():
    assert set(keys_of("every", UNITS["day"])) == {
        "every_days",
        "every_minutes",
        "every_hours",
        "every_weeks",
        "every_months",
        "every_years",
    }
    assert set(keys_of("day", UNITS["at day"])) == {"day", "minute", "hour", "week", "month", "year"}
    assert set(keys_of("dose_mg", UNITS["mg"])) == {"dose_mg", "dose_ug"}
    assert set(keys_of("spread", UNITS[""])) == {"spread"}


@pytest.mark.parametrize(
    ("value", "unit", "target", "expected"),
    [
        (5, "year", "day", 1826.25),
        (12, "month", "year", 1),
        (10, "minute", "day", 10 / 1440),
        (1, "1/day", "1/year", 365.25),
        (1, "1/hour", "1/day", 24.0),
        (20_000, "ug", "mg", 20.0),
        (2, "at week", "at day", 14.0),
    ],
)
def test_conversion_is_exact(value, unit, target, expected):
    assert convert(value, UNITS[unit], UNITS[target]) == expected


def test_a_number_in_its_own_unit_is_untouched():
    assert convert(7, UNITS["day"], UNITS["day"]) == 7
    assert isinstance(convert(7, UNITS["day"], UNITS["day"]), int)


def test_a_number_too_large_for_its_unit_becomes_infinite_so_that_validation_refuses_it():
    assert convert(1e308, UNITS["year"], UNITS["day"]) == math.inf
    assert convert(-math.inf, UNITS["year"], UNITS["day"]) == -math.inf


def test_units_read_as_words():
    assert [phrase(UNITS[name]) for name in ("1/day", "week", "at day", "nM", "")] == [
        "per day",
        "weeks",
        "days",
        "nM",
        "",
    ]
