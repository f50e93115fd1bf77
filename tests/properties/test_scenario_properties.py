"""Nothing that is read gives a traceback; what is valid survives its own text; layers are an order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpn_abm.errors import MpnAbmError
from mpn_abm.mechanisms.declaration import declarations
from mpn_abm.scenario.scenario import load
from mpn_abm.scenario.schema import Spec
from mpn_abm.scenario.shape import Blocks, shape_of
from mpn_abm.units import convert, keys_of

VALID = {
    "time": {"duration_days": 10},
    "marrow": {"shape": [12, 12]},
    "clones": {"healthy": {"genotype": "wild_type"}, "mutant": {"genotype": "JAK2_V617F", "fraction": 0.1}},
    "treatments": {"ruxolitinib": {"dose_mg": 20}, "car_t": {"dose_cells": 1e8}},
}


def said_of_parameters():
    """Overrides of one parameter each, within its range and in any unit of its family."""
    cases = []
    for part, field in Spec.model_fields.items():
        shape = shape_of(field.annotation)
        for block in shape.members if isinstance(shape, Blocks) else ():
            for declared in declarations(block).values():
                if declared.source is not None and declared.high is not None:
                    cases.append((part, block, declared))
    return cases


PARAMETERS = said_of_parameters()
KEYS = sorted(
    {
        *Spec.model_fields,
        "schema",
        "extends",
        "without",
        "like",
        "kind",
        "drug",
        "genotype",
        "fraction",
        "vaf",
        "car_t",
        "ruxolitinib",
        "wild_type",
        "CALR_TYPE1",
        "duration_days",
        "shape",
        "initial",
        "x.y",
        "a.",
    }
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(KEYS), st.just(10**400)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=6)), inner, max_size=5),
    ),
    max_leaves=12,
)


def load_or_refuse(*arguments, **options):
    try:
        return load(*arguments, **options)
    except MpnAbmError as error:
        message = str(error)
    assert message
    assert "errors.pydantic.dev" not in message
    return None


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=120))
def test_any_text_is_a_scenario_or_a_list_of_problems(text):
    load_or_refuse("\n" + text)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="abc:{}[],&*!-? \n'\"#|>%@`~<0.e", max_size=60))
def test_any_text_of_signs_is_a_scenario_or_a_list_of_problems(text):
    load_or_refuse("\n" + text)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), TREES, max_size=6))
def test_any_mapping_is_a_scenario_or_a_list_of_problems(said):
    load_or_refuse(said)
    load_or_refuse(VALID, overrides=said)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KEYS), st.text(max_size=20))
def test_any_assignment_is_taken_or_refused(path, text):
    load_or_refuse(VALID, sets=[f"{path}={text}", text])


@st.composite
def one_said_parameter(draw):
    part, block, declared = draw(st.sampled_from(PARAMETERS))
    low = declared.low if declared.low is not None else declared.above
    is_whole = isinstance(block.model_fields[declared.name].default, int)
    if is_whole:
        value = draw(st.integers(int(low), int(min(declared.high, 10))))
    else:
        value = draw(st.floats(low, declared.high, exclude_min=declared.above is not None, allow_subnormal=False))
    return part, declared, value


@settings(max_examples=80, deadline=None)
@given(one_said_parameter())
def test_a_valid_scenario_survives_its_own_text(said):
    part, declared, value = said
    scenario = load_or_refuse(VALID, overrides={f"{part}.{declared.key}": value})
    if scenario is not None:
        again = load(scenario.to_yaml())
        assert again.spec == scenario.spec
        assert again.sha256 == scenario.sha256
        assert scenario.get(f"{part}.{declared.key}") == value


@settings(max_examples=60, deadline=None)
@given(one_said_parameter(), st.data())
def test_a_value_is_the_same_in_any_unit(said, data):
    part, declared, value = said
    key, unit = data.draw(st.sampled_from(list(keys_of(declared.name, declared.unit).items())))
    scenario = load_or_refuse(VALID, overrides={part: {key: convert(value, declared.unit, unit)}})
    if scenario is not None and unit != declared.unit:
        assert scenario.get(f"{part}.{declared.key}") == pytest.approx(value, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(one_said_parameter(), one_said_parameter())
def test_the_later_of_two_layers_wins_and_null_undoes_both(one, two):
    path_of = [f"{part}.{declared.key}" for part, declared, _ in (one, two)]
    sets = [f"{path}={value!r}" for path, (_, _, value) in zip(path_of, (one, two), strict=True)]
    scenario = load_or_refuse(VALID, sets=[*sets, sets[1]])
    if scenario is not None:
        assert scenario.get(path_of[1]) == two[2]
        assert str(scenario.origin(path_of[1])) == f"--set {sets[1]}"
    undone = load(VALID, sets=[*sets, *(f"{path}=null" for path in path_of)])
    assert undone.sha256 == load(VALID).sha256


@settings(max_examples=30, deadline=None)
@given(st.permutations(list(VALID)))
def test_the_order_of_the_parts_of_a_file_does_not_matter(order):
    assert load({part: VALID[part] for part in order}).sha256 == load(VALID).sha256
