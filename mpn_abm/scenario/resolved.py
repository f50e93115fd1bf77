"""A checked scenario as a file that says every value, in the declared units."""

from __future__ import annotations

from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import SequenceNode
from ruamel.yaml.representer import SafeRepresenter

from mpn_abm.mechanisms.declaration import Block, declarations
from mpn_abm.scenario.schema import SCHEMA, Spec


class _ListsInALine(SafeRepresenter):
    """Writes `[96, 96]` as an author would."""

    def represent_list(self, data: list[Any]) -> SequenceNode:
        node: SequenceNode = self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)
        return node


_ListsInALine.add_representer(list, _ListsInALine.represent_list)


def as_file(spec: Spec) -> dict[str, Any]:
    """The content of the file as plain Python objects; what has no value is left out."""
    return {"schema": SCHEMA, **plain(spec)}


def as_yaml(spec: Spec) -> str:
    """The text of the file."""
    return yaml_of(as_file(spec))


def yaml_of(content: dict[str, Any]) -> str:
    """The text of plain Python objects."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _ListsInALine
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 120
    text = StringIO()
    yaml.dump(content, text)
    return text.getvalue()


def plain(value: Any) -> Any:
    """A block or value as plain Python objects under the keys of a file."""
    match value:
        case Block():
            said = {declared.key: plain(getattr(value, name)) for name, declared in declarations(type(value)).items()}
            return {key: child for key, child in said.items() if child is not None}
        case dict():
            return {name: plain(child) for name, child in value.items()}
        case tuple():
            return [plain(child) for child in value]
        case _:
            return value
