"""How the keys of a file lead through the declared blocks.

A place of a scenario is a block (or one of several kinds of block), a mapping of names to blocks, a list of blocks,
or a value.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from mpn_abm.mechanisms.declaration import Block, Declaration, accepted_keys, declarations, is_path
from mpn_abm.units import Unit


@dataclass(frozen=True)
class Blocks:
    """A block; more than one member are the kinds of which it can be, told apart by their field `kind`."""

    members: tuple[type[Block], ...]

    def keys(self) -> Mapping[str, tuple[Declaration, Unit]]:
        """The keys of all kinds."""
        return _keys(self.members)

    def declarations(self) -> Mapping[str, Declaration]:
        return {name: said for member in self.members for name, said in declarations(member).items()}

    def exclusive(self) -> list[frozenset[str]]:
        return [group for member in self.members for group in member.exclusive]

    def rivals(self, name: str) -> frozenset[str]:
        """The fields that say the same thing as this one."""
        return _rivals(self.members, name)

    def child(self, name: str) -> Shape:
        """What stands at a field; before the kind is known, all that can."""
        return _child(self.members, name)

    def annotation(self, name: str) -> Any:
        """The type of a field."""
        return next((block.model_fields[name].annotation for block in self.members if name in block.model_fields), None)

    def kinds(self) -> list[str]:
        """The kinds among which a file chooses; none where there is one block."""
        return [str(_kind(member)) for member in self.members if _kind(member) is not None]

    def of_kind(self, kind: object) -> Blocks:
        """The one member of a kind; all of them if none is of it."""
        chosen = tuple(member for member in self.members if _kind(member) == kind)
        return Blocks(chosen) if chosen else self


@dataclass(frozen=True)
class Named:
    """A mapping of names to blocks; where the names are paths of a scenario, their dots are no nesting."""

    of: Blocks
    by_path: bool = False

    def child(self, _name: str) -> Blocks:
        return self.of


@dataclass(frozen=True)
class Listed:
    """A list of blocks."""

    of: Blocks


Shape = Blocks | Named | Listed | None


@cache
def shape_of(annotation: Hashable) -> Shape:
    """What stands at a field of this type."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return shape_of(arguments[0])
    if origin is dict:
        inner = shape_of(arguments[1])
        return Named(inner, by_path=is_path(arguments[0])) if isinstance(inner, Blocks) else None
    if origin is tuple:
        item = shape_of(arguments[0])
        return Listed(item) if isinstance(item, Blocks) else None
    if origin in (Union, UnionType):
        kinds = [shape_of(argument) for argument in arguments if argument is not NoneType]
        members = tuple(member for kind in kinds if isinstance(kind, Blocks) for member in kind.members)
        return Blocks(members) if members else None
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return Blocks((annotation,))
    return None


@cache
def _keys(members: tuple[type[Block], ...]) -> Mapping[str, tuple[Declaration, Unit]]:
    return {key: meaning for member in members for key, meaning in accepted_keys(member).items()}


@cache
def _rivals(members: tuple[type[Block], ...], name: str) -> frozenset[str]:
    groups = [group for member in members for group in member.exclusive if name in group]
    return frozenset().union(*groups) - {name}


@cache
def _child(members: tuple[type[Block], ...], name: str) -> Shape:
    having = (Blocks((block,)) for block in members if name in block.model_fields)
    shapes = list(dict.fromkeys(shape_of(block.annotation(name)) for block in having))
    if len(shapes) > 1 and all(isinstance(shape, Named) for shape in shapes):
        return Named(Blocks(_members(shape.of for shape in shapes if isinstance(shape, Named))))
    return shapes[0] if shapes else None


def _members(shapes: Iterable[Blocks]) -> tuple[type[Block], ...]:
    return tuple(dict.fromkeys(member for shape in shapes for member in shape.members))


def _kind(block: type[Block]) -> object:
    field = block.model_fields.get("kind")
    return None if field is None else field.default
