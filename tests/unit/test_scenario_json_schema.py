"""The JSON Schema says what the declarations say."""

import jsonschema
import pytest

from mpn_abm.mechanisms.declaration import accepted_keys
from mpn_abm.mechanisms.hematopoiesis.parameters import HematopoiesisParameters
from mpn_abm.scenario.json_schema import json_schema
from mpn_abm.scenario.schema import ScenarioFile


@pytest.fixture(scope="module")
def schema():
    return json_schema()


def references(node):
    if isinstance(node, dict):
        yield from [node["$ref"]] if "$ref" in node else []
        node = list(node.values())
    for child in node if isinstance(node, list) else []:
        yield from references(child)


def test_it_is_a_2020_12_schema_of_a_file(schema):
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["schema"]
    properties = schema["$defs"]["ScenarioFile"]["properties"]
    assert properties["schema"]["const"] == "mpn-abm/1"
    assert set(properties) == {*ScenarioFile.model_fields, "schema", "extends", "without"}


def test_every_reference_leads_somewhere(schema):
    found = set(references(schema))
    assert found == {f"#/$defs/{name}" for name in schema["$defs"]}


def test_every_key_that_may_be_written_is_a_property(schema):
    properties = schema["$defs"]["HematopoiesisParameters"]["properties"]
    assert set(properties) == set(accepted_keys(HematopoiesisParameters))
    assert schema["$defs"]["HematopoiesisParameters"]["additionalProperties"] is False


def test_bounds_and_defaults_stand_in_the_unit_of_the_key(schema):
    properties = schema["$defs"]["Time"]["properties"]
    assert properties["step_days"]["anyOf"][0] == {"type": "number", "exclusiveMinimum": 0.0, "maximum": 30.0}
    assert properties["step_hours"]["anyOf"][0]["maximum"] == 720.0
    assert properties["step_hours"]["default"] == 24.0


def test_a_parameter_carries_meaning_unit_and_source(schema):
    density = schema["$defs"]["AntigenParameters"]["properties"]["density_molecules"]
    assert density["unit"] == "molecules"
    assert density["source"] == "assumed"
    assert density["description"] == "median mutant CALR on a CALR-mutant stem cell"
    assert {"type": "null"} in density["anyOf"]


def test_whole_numbers_are_integers_with_bounds(schema):
    properties = schema["$defs"]["ScenarioFile"]["properties"]
    assert properties["seed"]["anyOf"][0] == {
        "type": "integer",
        "minimum": 0,
        "maximum": 2**53 - 1,
    }
    assert schema["$defs"]["Clone"]["properties"]["cells"]["anyOf"][0]["type"] == "integer"


def test_a_treatment_is_of_one_of_the_kinds(schema):
    named = schema["$defs"]["ScenarioFile"]["properties"]["treatments"]["anyOf"][0]["patternProperties"]
    (pattern,) = [key for key in named if key != r"\."]
    kinds = named[pattern]["anyOf"]
    told = {kind.get("$ref") for kind in kinds}
    assert {"#/$defs/JakInhibitorTreatment", "#/$defs/CarTTreatment", "#/$defs/TransplantTreatment", None} <= told
    assert len(told) == 10


def test_arms_endpoints_and_claims_are_in_it(schema):
    said = {
        "schema": "mpn-abm/1",
        "arms": {"control": {}, "early": {"treatments.first.day": 3, "treatments": {"boost": None}}},
        "endpoints": {"x": {"all": [{"column": "vaf_calr", "below": 0.1, "from_week": 2}]}},
        "expect": {"y": {"arm": "early", "endpoint": "x", "at_month": 3, "with": "vaf_jak2", "low": 0.5}},
    }
    jsonschema.validate(said, schema)
    for wrong in (
        {"arms": {"Control": {}}},
        {"arms": {"control": {"marow": {}}}},
        {"endpoints": {"x": {"all": [{"colum": "vaf_calr"}]}}},
        {"expect": {"y": {"endpoint": "x", "contrast": "sum"}}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**said, **wrong}, schema)


def test_bounds_of_the_items_of_a_list_stand_in_the_declared_unit_only(schema):
    properties = schema["$defs"]["Time"]["properties"]
    assert properties["record_at_days"]["anyOf"][0]["items"]["maximum"] == 73050
    assert properties["record_at_hours"]["anyOf"][0]["items"] == {"type": "number"}
