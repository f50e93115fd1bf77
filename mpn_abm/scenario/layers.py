"""The layers of a scenario: each is brought into canonical form, then they are merged, later over earlier.

In canonical form dotted keys are nested, keys are the names of fields and numbers stand in the declared units.
A null deletes a named thing or restores the default.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mpn_abm.errors import Problem, UnknownKey
from mpn_abm.mechanisms.declaration import Declaration
from mpn_abm.scenario.schema import DIRECTIVES, STUDIES
from mpn_abm.scenario.shape import Blocks, Listed, Named, Shape
from mpn_abm.scenario.suggestions import closest, unknown
from mpn_abm.scenario.tree import DEFAULT, Entry, Path, problem, problem_of_key
from mpn_abm.units import Unit, convert, is_number


def canonical(layer: Entry, shape: Shape, problems: list[Problem], path: Path = ()) -> Entry:
    """The layer in the names and units of the declarations; what it cannot say is reported and left out."""
    if isinstance(shape, Listed) and isinstance(layer.value, list):
        items = [canonical(item, shape.of, problems, (*path, place)) for place, item in enumerate(layer.value)]
        return layer.with_value(items)
    if not isinstance(shape, Blocks | Named) or not layer.is_mapping:
        return layer
    if isinstance(shape, Named) and shape.by_path:
        children = _below_paths(layer.value, shape, problems, path)
    else:
        children = _nested(layer.value, problems, path)
    if isinstance(shape, Named):
        return layer.with_value(
            {name: canonical(child, shape.child(name), problems, (*path, name)) for name, child in children.items()}
        )
    return layer.with_value(_block(children, shape, problems, path))


def merged(base: Entry, layers: Iterable[Entry], shape: Shape, problems: list[Problem]) -> Entry:
    """All layers over the defaults, which a null brings back."""
    result = base
    for layer in layers:
        result = _merge(result, layer, shape, base, problems, ())
    return result


def _nested(children: dict[str, Entry], problems: list[Problem], path: Path) -> dict[str, Entry]:
    """The children with dotted keys spelled out: `marrow.shape: x` is `marrow: {shape: x}`."""
    nested: dict[str, Entry] = {}
    for key, child in children.items():
        head, dot, rest = key.partition(".")
        if dot:
            child = Entry({rest: replace(child, key=rest)}, child.origin, head, child.said)
        nested[head] = _joined(nested[head], child, problems, (*path, head)) if head in nested else child
    return nested


def _below_paths(children: dict[str, Entry], shape: Named, problems: list[Problem], path: Path) -> dict[str, Entry]:
    """The children by path, what follows a path spelled out: `a.b.low: x` is `a.b: {low: x}`."""
    keys, nested = shape.of.keys(), dict[str, Entry]()
    for key, child in children.items():
        name, _, last = key.rpartition(".")
        if name and last in keys:
            child, key = Entry({last: replace(child, key=last)}, child.origin, name, child.said), name
        nested[key] = _joined(nested[key], child, problems, (*path, key)) if key in nested else child
    return nested


def _joined(one: Entry, other: Entry, problems: list[Problem], path: Path) -> Entry:
    if not (one.is_mapping and other.is_mapping):
        problems.append(problem(other, path, f"expected once, it is said at {one.origin} already"))
        return one
    children = dict(one.value)
    for key, child in other.value.items():
        children[key] = _joined(children[key], child, problems, (*path, key)) if key in children else child
    return one.with_value(children)


def _block(children: dict[str, Entry], shape: Blocks, problems: list[Problem], path: Path) -> dict[str, Entry]:
    keys = shape.keys()
    said: dict[str, Entry] = {}
    # what nobody knows comes last: it gives way to what is said by its name
    for key, child in sorted(children.items(), key=lambda child: child[0] not in keys):
        meant = key
        if key not in keys:
            problems.append(UnknownKey(**vars(problem_of_key(child, (*path, key), _unknown_key(key, shape, path)))))
            # read as what is meant, so that it is not said to be missing, too
            meant = closest(key, [*keys, *([] if path else DIRECTIVES)]) or ""
            if meant not in keys or keys[meant][0].name in said:
                continue
        declaration, unit = keys[meant]
        name = declaration.name
        if name in said:
            problems.append(problem(child, (*path, key), f"expected only one of {said[name].key} and {key}"))
            continue
        said[name] = canonical(_converted(child, declaration, unit), shape.child(name), problems, (*path, name))
    for group in shape.exclusive():
        stated = [entry for name, entry in said.items() if name in group and entry.key in keys]
        rivals = [entry for entry in stated if entry.value is not None]
        if len(rivals) > 1:
            expectation = f"expected only one of {', '.join(entry.key for entry in rivals)}"
            problems.append(problem(rivals[1], (*path, rivals[1].key), expectation))
    return said


def _unknown_key(key: str, shape: Blocks, path: Path) -> str:
    if not path and key in DIRECTIVES:
        return "expected in a file only"
    if not path and key in (*STUDIES, "scenario"):
        return "expected in a study only"
    directives = () if path else DIRECTIVES
    declared = [declaration.key for declaration in shape.declarations().values()]
    return unknown("key", key, [*shape.keys(), *directives], [*declared, *directives])


def _converted(entry: Entry, declaration: Declaration, unit: Unit) -> Entry:
    if isinstance(entry.value, list):
        return entry.with_value([_converted(item, declaration, unit) for item in entry.value])
    if not is_number(entry.value):
        return entry
    return entry.with_value(convert(entry.value, unit, declaration.unit))


def _merge(below: Entry, above: Entry, shape: Shape, base: Entry | None, problems: list[Problem], path: Path) -> Entry:
    if not isinstance(shape, Blocks | Named) or not (above.is_mapping and below.is_mapping):
        return above
    children: dict[str, Entry] = dict(below.value)
    for name, child in above.value.items():
        default = None if base is None else base.at((name,))
        if child.value is None:
            if isinstance(shape, Named) and name not in children:
                # a path of `without` has no null to show
                tell = problem if child.said is None else problem_of_key
                problems.append(tell(child, (*path, name), f"nothing to delete, {unknown('name', name, children)}"))
            children.pop(name, None)
            if default is not None and isinstance(shape, Blocks):
                children[name] = default
            continue
        if isinstance(shape, Blocks):
            for rival in shape.rivals(name):
                children.pop(rival, None)
        start = children.get(name, Entry({}, DEFAULT))
        children[name] = _merge(start, child, shape.child(name), default, problems, (*path, name))
    return Entry(children, above.origin, above.key or below.key, below.said)
