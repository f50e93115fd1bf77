"""Check a merged tree against the declarations, and say what is wrong in their words."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from mpn_abm.errors import Problem
from mpn_abm.mechanisms.declaration import Block
from mpn_abm.scenario.expectations import expectation, item_of, keys_in_words
from mpn_abm.scenario.shape import Blocks, Listed, Named, Shape
from mpn_abm.scenario.suggestions import one_of
from mpn_abm.scenario.tree import DEFAULT, Entry, Path, problem_at, problem_of_key

A_NAME = "expected a name of letters, digits and _ that begins with a letter (capitals in genotypes only)"


Checked = TypeVar("Checked", bound=Block)


def validated(tree: Entry, root: type[Checked]) -> tuple[Checked | None, list[Problem]]:
    """The block that a tree says, or what is wrong with it."""
    try:
        return root.model_validate(tree.plain()), []
    except ValidationError as error:
        told = (_told(tree, root, details["type"], details["loc"]) for details in error.errors(include_url=False))
        return None, list(dict.fromkeys(told))


def _told(tree: Entry, root: type[Block], kind: str, loc: tuple[Any, ...]) -> Problem:
    """One finding of the validator in the words of the declarations."""
    path, owner, shape = _follow(loc, root)
    entry = tree.at(path) or Entry(None, DEFAULT)
    if loc and loc[-1] == "[key]":
        return problem_of_key(entry, path, A_NAME)
    if owner is None:
        return problem_at(tree, path, _of_a_block(entry, shape))
    if kind == "extra_forbidden":
        return problem_of_key(entry, (*path[:-1], entry.key), _misplaced(owner))
    name = str(next(step for step in reversed(path) if isinstance(step, str)))
    declaration, annotation = owner.declarations()[name], owner.annotation(name)
    if kind == "missing":
        words = expectation(declaration, annotation, declaration.unit, None)
        return problem_at(tree, (*path[:-1], declaration.key), f"missing, {words}")
    if declaration.expects:
        path = path[: path.index(name) + 1]
    elif isinstance(path[-1], int):
        annotation = item_of(annotation)
    _, unit = owner.keys().get(entry.key, (declaration, declaration.unit))
    return problem_at(tree, path, expectation(declaration, annotation, unit, entry.value))


def _follow(loc: tuple[Any, ...], root: type[Block]) -> tuple[Path, Blocks | None, Shape]:
    """The path of a finding, the block that declares its end (none: it is named by the file) and what stands there.

    The validator takes the kind of a block for a step of its own, which is no step of a file.
    """
    path: list[str | int] = []
    owner: Blocks | None = None
    shape: Shape = Blocks((root,))
    for step in loc:
        if step == "[key]":
            break
        if isinstance(shape, Blocks) and len(shape.members) > 1:
            shape = shape.of_kind(step)
            continue
        path.append(step)
        match shape:
            case Blocks():
                owner, shape = shape, shape.child(step)
            case Named() | Listed():
                owner, shape = None, shape.of
    return tuple(path), owner, shape


def _of_a_block(entry: Entry, shape: Shape) -> str:
    if not isinstance(shape, Blocks):
        return "expected a mapping"
    if entry.is_mapping:
        return f"expected `kind:` {one_of(shape.kinds())}, or `like:` a known one"
    return f"expected a mapping with {keys_in_words(shape)}"


def _misplaced(owner: Blocks) -> str:
    return f"not for the kind {one_of(owner.kinds())}, expected one of {keys_in_words(owner)}"
