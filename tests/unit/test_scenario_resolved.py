"""A checked scenario: its values by path, its text, its digest, and what it says about each value."""

import pickle

import pytest

from mpn_abm.errors import UsageError
from mpn_abm.scenario.examples import example_files, file_of
from mpn_abm.scenario.explain import explained
from mpn_abm.scenario.scenario import load

TEXT = file_of("calr_car_t").read_text()


@pytest.fixture(scope="module")
def scenario():
    return load(TEXT)


def test_a_value_is_read_in_the_unit_of_its_path(scenario):
    assert scenario.get("time.duration_years") == 5
    assert scenario.get("time.duration_days") == scenario.spec.time.duration == 5 * 365.25
    assert scenario.get("treatments.car_t.week") == pytest.approx(365 / 7)
    assert scenario.get("clones.calr.genotype") == "CALR_TYPE1"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("antigen.densty", "unknown path, did you mean 'density_molecules'"),
        ("clones.clar.fraction", "did you mean 'calr'"),
        ("seed.x", "unknown path"),
        ("antigen.density", "did you mean 'density_molecules'"),
    ],
)
def test_a_path_to_nothing_is_a_usage_error(scenario, path, message):
    with pytest.raises(UsageError, match=message):
        scenario.get(path)


@pytest.mark.parametrize("name", [name for name in example_files() if not name.startswith("studies/")])
def test_the_resolved_text_is_the_same_scenario(name):
    scenario = load(file_of(name))
    again = load(scenario.to_yaml())
    assert again.spec == scenario.spec
    assert again.sha256 == scenario.sha256
    assert again.to_yaml() == scenario.to_yaml()


def test_the_resolved_text_says_every_value(scenario):
    again = load(scenario.to_yaml())
    silent = [row.path for row in explained(again) if row.origin.startswith("default") and row.value is not None]
    assert silent == []


def test_the_digest_is_of_the_values_and_of_nothing_else(scenario):
    assert load("# another comment\n" + TEXT).sha256 == scenario.sha256
    assert load(TEXT.replace("1.0e8", "100000000")).sha256 == scenario.sha256
    assert load(TEXT, overrides={"seed": 8}).sha256 != scenario.sha256
    assert load(TEXT, overrides={"antigen.spread": 0.61}).sha256 != scenario.sha256


def test_a_scenario_travels_between_processes(scenario):
    again = pickle.loads(pickle.dumps(scenario))
    assert again == scenario
    assert again.sha256 == scenario.sha256


def test_a_scenario_does_not_change(scenario):
    with pytest.raises(Exception, match="frozen"):
        scenario.spec.time.duration = 3.0


def test_explain_tells_value_unit_range_meaning_source_and_origin():
    (row,) = explained(load(TEXT, sets=["car_t.exhaustion_decay_weeks=1"]), "car_t.exhaustion_decay_weeks")
    assert (row.value, row.unit, row.source) == (1.0, "weeks", "assumed")
    assert row.range == "more than 0 and at most 521.429 weeks"
    assert row.meaning == "time constant with which engagements are forgotten"
    assert row.origin == "--set car_t.exhaustion_decay_weeks=1"
    assert str(row).splitlines()[0] == "car_t.exhaustion_decay_weeks: 1.0 weeks"


def test_explain_covers_everything_below_a_path(scenario):
    paths = {row.path for row in explained(scenario, "clones.calr")}
    assert paths == {
        f"clones.calr.{key}"
        for key in (
            "genotype",
            "flags",
            "fraction",
            "cells",
            "vaf",
            "pattern",
            "patches",
            "day",
        )
    }
    everything = explained(scenario)
    assert len({row.path for row in everything}) == len(everything) > 100
    assert all(row.meaning for row in everything)
