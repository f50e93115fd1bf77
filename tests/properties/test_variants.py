"""Variants of a scenario are those that `load` gives, one after the other in any order, with the same mistakes."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpn_abm.errors import MpnAbmError
from mpn_abm.scenario.examples import scenario_files
from mpn_abm.scenario.scenario import Variants, load

LIBRARY = [file for name, file in scenario_files().items() if "/" in name]
# right at some paths, wrong at most
VALUES = st.sampled_from(
    [None, True, False, 0, 1, 1.0, -1, 0.5, 300, 1e9, [8, 8], [], {}, "PMF", "tissue", "wild_type"]
)
NAMES = ["arms", "arms.new.seed", "arms.new", "expect", "reference", "clones.new.genotype", "nothing", "seed", "time"]


@cache
def variants(file):
    """Shared by all examples, so that one that left a trace in the next would show."""
    return Variants(file, sets=["seed=7"])


@cache
def loaded(file):
    return load(file)


@cache
def paths(file):
    """Every path of a scenario, and some that few have."""
    scenario = loaded(file)
    found, ahead = [*NAMES], [scenario.locate("")]
    while ahead:
        for place in ahead.pop().children():
            found.append(place.path)
            ahead.append(place)
    return [*found, *(f"arms.{arm}.{path}" for arm in scenario.arms for path in ("seed", "patient.age_years"))]


@st.composite
def cases(draw):
    """A file, an arm, and values near to what the file says, or quite others."""
    file = draw(st.sampled_from(LIBRARY))
    scenario = loaded(file)
    arm = draw(st.sampled_from([None, *scenario.arms, "none_such"]))
    parameters = {}
    for path in draw(st.lists(st.sampled_from(paths(file)), max_size=3)):
        try:
            said = scenario.get(path)
        except MpnAbmError:
            said = None
        near = isinstance(said, int | float | str | bool) and draw(st.booleans())
        factor = draw(st.sampled_from([0.5, 1.0, 1.01])) if near and isinstance(said, float) else 1
        parameters[path] = said * factor if near else draw(VALUES)
    return file, parameters, arm


def outcome(make):
    """The scenario in full, or what is wrong."""
    try:
        scenario = make()
    except MpnAbmError as error:
        return type(error), str(error)
    return scenario.sha256, scenario


@settings(max_examples=150, deadline=None)
@given(cases())
def test_a_member_is_what_load_gives(case):
    """Catches what an earlier member leaves behind, and a mistake that is told otherwise."""
    file, parameters, arm = case
    expected = outcome(lambda: load(file, overrides=parameters, sets=["seed=7"], arm=arm))
    assert outcome(lambda: variants(file).member(parameters, arm)) == expected


@pytest.mark.parametrize("file", LIBRARY, ids=lambda file: file.stem)
def test_the_member_without_changes_is_the_file_itself(file):
    scenario = loaded(file)
    members = Variants(file)
    assert members.member({}) == scenario
    assert {arm: members.member({}, arm) for arm in scenario.arms} == dict(scenario.arms)


def test_values_that_are_equal_and_not_the_same_are_told_apart():
    """1, 1.0 and true. Catches a member that is taken for the one before."""
    members = Variants(LIBRARY[0])
    members.member({"patient.fitness": 1})
    with pytest.raises(MpnAbmError, match=r"patient\.fitness: true"):
        members.member({"patient.fitness": True})


def test_what_is_wrong_with_the_file_is_told_with_every_member():
    members = Variants({"clones": {}, "tome": 3})
    for _ in range(2):
        with pytest.raises(MpnAbmError, match="time") as caught:
            members.member({"seed": "x"})
        assert "tome" in str(caught.value)
        assert "seed: x" in str(caught.value)


def test_the_arms_of_a_point_are_made_once(monkeypatch):
    """Catches a study that solves every arm of a file for each arm that it runs."""
    from mpn_abm.scenario import scenario as module

    file = next(file for file in LIBRARY if len(loaded(file).arms) > 1)
    members, solved = Variants(file), []
    whole = module._assembled
    monkeypatch.setattr(module, "_assembled", lambda *layers: (solved.append(1), whole(*layers))[1])
    for arm in loaded(file).arms:
        members.member({"seed": 5}, arm)
    assert len(solved) == 1
