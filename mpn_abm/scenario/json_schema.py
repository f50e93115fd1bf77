"""The JSON Schema (2020-12) of scenario and study files, for editors and other programs.

The validator supplies the types, the declarations supply keys, units and bounds: every suffix that may be written is a
property of its own. A null stands for the default, a key with a dot for nesting; what holds between values is left to
`validate`.
"""

from __future__ import annotations

from typing import Any

from mpn_abm.mechanisms.declaration import Block, Declaration, declarations
from mpn_abm.scenario.schema import SCHEMA, ScenarioFile
from mpn_abm.scenario.shape import Blocks, Listed, Named
from mpn_abm.scenario.studies.axes import Axis
from mpn_abm.scenario.studies.blocks import SensitivitySpec, StudyDocument
from mpn_abm.scenario.studies.document import ASSUMED
from mpn_abm.units import Unit, convert, is_number, phrase

_TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_DIRECTIVES = {
    "schema": {"const": SCHEMA, "description": "the version of the format, the first key of a file"},
    "extends": {**_TEXTS, "description": "files that this one changes, relative to it"},
    "without": {**_TEXTS, "description": "paths of those files that this one drops"},
}
_SCENARIO = {
    "anyOf": [{"type": "string"}, {"$ref": "#/$defs/ScenarioFile"}],
    "description": StudyDocument.model_fields["scenario"].description,
}
_AXIS = {"$ref": f"#/$defs/{Axis.__name__}"}
_NUMBERS = ("number", "integer")
_INTERNAL = ("title", "unit", "expects", "source", "sweep", "default", "description")


def json_schema() -> dict[str, Any]:
    """The schema as plain Python objects."""
    raw = [(root, root.model_json_schema()) for root in (ScenarioFile, StudyDocument)]
    blocks = {block.__name__: block for root, _ in raw for block in _blocks_below(root)}
    defined = {name: schema for _, schema in raw for name, schema in schema["$defs"].items()}
    scenario, study = (_object(schema, root) for root, schema in raw)
    scenario["properties"] = {**_DIRECTIVES, **scenario["properties"]}
    study["properties"] = {"schema": _DIRECTIVES["schema"], **study["properties"], "scenario": _SCENARIO}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mpn_abm scenario or study",
        "type": "object",
        "required": ["schema"],
        "if": {"required": ["scenario"]},
        "then": {"$ref": "#/$defs/StudyDocument"},
        "else": {"$ref": "#/$defs/ScenarioFile"},
        "$defs": {
            "ScenarioFile": scenario,
            "StudyDocument": study,
            **{name: _object(schema, blocks[name]) for name, schema in defined.items()},
        },
    }


def _blocks_below(block: type[Block]) -> list[type[Block]]:
    found = [block]
    for name in block.model_fields:
        shape = Blocks((block,)).child(name)
        inner = shape.of if isinstance(shape, Named | Listed) else shape
        for member in inner.members if isinstance(inner, Blocks) else ():
            found += _blocks_below(member)
    return found


def _object(schema: dict[str, Any], block: type[Block]) -> dict[str, Any]:
    properties = {
        key: _property(schema["properties"][declaration.name], declaration, unit)
        for declaration in declarations(block).values()
        for key, unit in declaration.keys.items()
    }
    if block is SensitivitySpec:
        properties["parameters"]["anyOf"].append({"const": ASSUMED})
    return {
        "type": "object",
        "description": block.__doc__ or "",
        "properties": properties,
        "patternProperties": {r"\.": True},
        "additionalProperties": False,
    }


def _property(leaf: dict[str, Any], declaration: Declaration, unit: Unit) -> dict[str, Any]:
    """One key of an object, in the unit that the key says."""
    kinds = [kind for kind in leaf.get("anyOf", [leaf]) if kind.get("type") != "null"]
    said: dict[str, Any] = {"description": declaration.doc}
    if unit.name:
        said["unit"] = phrase(unit)
    if declaration.source:
        said["source"] = declaration.source
    default = leaf.get("default")
    if is_number(default):
        said["default"] = convert(default, declaration.unit, unit)
    elif default is not None and not isinstance(default, dict):
        said["default"] = default
    return {**said, "anyOf": [*(_kind(kind, declaration, unit) for kind in kinds), {"type": "null"}]}


def _kind(kind: dict[str, Any], declaration: Declaration, unit: Unit) -> dict[str, Any]:
    """One type that a key takes."""
    if "patternProperties" in kind:
        ((pattern, item),) = kind["patternProperties"].items()
        items = item.get("oneOf", [item])
        return {
            "type": "object",
            "patternProperties": {pattern: {"anyOf": [*items, {"type": "null"}]}, r"\.": True},
            "additionalProperties": False,
        }
    if isinstance(kind.get("additionalProperties"), dict):
        # a list alone is short for levels
        items = [_AXIS, {"type": "array"}] if kind["additionalProperties"] == _AXIS else [kind["additionalProperties"]]
        return {"type": "object", "additionalProperties": {"anyOf": [*items, {"type": "null"}]}}
    if kind.get("type") in _NUMBERS:
        exact = unit == declaration.unit
        return {"type": kind["type"] if exact else "number", **_bounds(declaration, unit)}
    said = {word: value for word, value in kind.items() if word not in _INTERNAL}
    if unit != declaration.unit and kind.get("type") == "array":
        # the bounds of the items stand in the declared unit
        said["items"] = {"type": "number"}
    return said


def _bounds(declaration: Declaration, unit: Unit) -> dict[str, float]:
    bounds = {"minimum": declaration.low, "exclusiveMinimum": declaration.above, "maximum": declaration.high}
    return {word: convert(bound, declaration.unit, unit) for word, bound in bounds.items() if bound is not None}
