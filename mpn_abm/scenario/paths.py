"""What stands at a path such as `treatments.car_t.dose_cells`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mpn_abm.errors import UsageError
from mpn_abm.mechanisms.declaration import Block, Declaration, accepted_keys, declarations
from mpn_abm.scenario.suggestions import unknown
from mpn_abm.units import Unit, convert, is_number


@dataclass(frozen=True)
class Place:
    """A place of a checked scenario.

    `path` is in the keys of a file, `names` in those of the blocks. The value stands in `unit`; a place that the file
    names itself, such as a clone, has no declaration.
    """

    path: str
    names: tuple[str, ...]
    value: Any
    declaration: Declaration | None = None
    annotation: Any = None
    unit: Unit | None = None

    @property
    def is_leaf(self) -> bool:
        return not isinstance(self.value, Block | dict)

    def ways(self) -> list[str]:
        """The keys that lead on, in every unit."""
        if isinstance(self.value, Block):
            return list(accepted_keys(type(self.value)))
        return list(self.value) if isinstance(self.value, dict) else []

    def children(self) -> Iterator[Place]:
        """What stands below, each in its declared unit."""
        if isinstance(self.value, Block):
            yield from (self.child(declared.key) for declared in declarations(type(self.value)).values())
        elif isinstance(self.value, dict):
            yield from map(self.child, self.value)

    def child(self, key: str) -> Place:
        """What stands at one of the keys that lead on."""
        path = f"{self.path}.{key}" if self.path else key
        if isinstance(self.value, dict):
            return Place(path, (*self.names, key), self.value[key])
        block: type[Block] = type(self.value)
        declaration, unit = accepted_keys(block)[key]
        value = getattr(self.value, declaration.name)
        if is_number(value):
            value = convert(value, declaration.unit, unit)
        elif isinstance(value, tuple):
            value = tuple(convert(item, declaration.unit, unit) if is_number(item) else item for item in value)
        annotation = block.model_fields[declaration.name].annotation
        return Place(path, (*self.names, declaration.name), value, declaration, annotation, unit)


def locate(path: str, root: Block) -> Place:
    """The place that a path leads to, in the unit that it says; UsageError if there is none."""
    place = Place("", (), root)
    for key in path.split(".") if path else ():
        if key not in place.ways():
            raise UsageError(f"{path}: {unknown('path', key, place.ways())}")
        place = place.child(key)
    return place
