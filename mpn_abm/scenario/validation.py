"""Check a merged tree against the declarations, and say what is wrong in their words."""

from __future__ import annotations

from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from mpn_abm.errors import Problem
from mpn_abm.mechanisms.declaration import Block
from mpn_abm.scenario.expectations import choices, expectation, item_of, keys_in_words
from mpn_abm.scenario.shape import Blocks, Listed, Named, Shape
from mpn_abm.scenario.suggestions import did_you_mean, one_of
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
        return problem_of_key(entry, path, _a_name(path, root))
    if owner is None:
        return _of_a_block(tree, path, entry, shape)
    if kind == "extra_forbidden":
        return problem_of_key(entry, (*path[:-1], entry.key), _misplaced(owner))
    # below a field that is a plain mapping, names are no fields
    name = str(next(step for step in reversed(path) if step in owner.declarations()))
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


def _a_name(path: Path, root: type[Block]) -> str:
    """What the key of a named block may be."""
    _, owner, _ = _follow(path[:-1], root)
    name = str(path[-2])
    words = choices(get_args(owner.annotation(name))[0]) if owner is not None else []
    return f"expected {one_of(words)}{did_you_mean(path[-1], words)}" if words else A_NAME


def _of_a_block(tree: Entry, path: Path, entry: Entry, shape: Shape) -> Problem:
    if not isinstance(shape, Blocks):
        return problem_at(tree, path, "expected a mapping")
    if not entry.is_mapping:
        return problem_at(tree, path, f"expected a mapping with {keys_in_words(shape)}")
    kinds = shape.kinds()
    if entry.at(("kind",)) is None:
        return problem_at(tree, path, f"expected `kind:` {one_of(kinds)}, or `like:` a known one")
    hint = did_you_mean(entry.scalar("kind"), kinds)
    return problem_at(tree, (*path, "kind"), f"expected {one_of(kinds)}{hint}")


def _misplaced(owner: Blocks) -> str:
    kind = one_of(owner.kinds()) if owner.kinds() else "of this treatment"
    return f"not for the kind {kind}, expected one of {keys_in_words(owner)}"
