"""The arms of a file: overlays on its scenario, applied after every other layer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from mpn_abm.errors import Problem
from mpn_abm.scenario.schema import Comparison, Spec
from mpn_abm.scenario.shape import Blocks, Named, Shape
from mpn_abm.scenario.suggestions import unknown
from mpn_abm.scenario.tree import Entry, Path, problem, problem_of_key
from mpn_abm.scenario.validation import A_NAME

Overlays = dict[str, tuple[Entry, ...]]

_PARTS = {block: frozenset(block.model_fields) - {"arms"} for block in (Spec, Comparison)}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
# what two arms must have in common to be compared marrow by marrow and day by day
_SHARED: tuple[Path, ...] = (
    ("seed",), ("replicates",), ("marrow", "shape"), ("marrow", "scale"), ("time", "duration"), ("time", "step"),
)  # fmt: skip


def part_of(layer: Entry, block: type[Spec] | type[Comparison]) -> Entry:
    """What a canonical layer says to one of the two parts of a file; arms are taken by `overlays_of`."""
    return layer.only(_PARTS[block])


def overlays_of(layers: Iterable[Entry], problems: list[Problem]) -> Overlays:
    """The overlays of each arm, later ones last; a null deletes an arm."""
    arms: Overlays = {}
    for layer in layers:
        said = layer.value.get("arms")
        if said is None:
            continue
        if said.value is None:
            arms.clear()
        elif not said.is_mapping:
            problems.append(problem(said, ("arms",), "expected a mapping of names to what each arm changes"))
        else:
            for name, overlay in said.value.items():
                _take(arms, name, overlay, problems)
    return arms


def _take(arms: Overlays, name: str, overlay: Entry, problems: list[Problem]) -> None:
    path: Path = ("arms", name)
    if not _NAME.fullmatch(name):
        problems.append(problem_of_key(overlay, path, A_NAME))
    elif overlay.value is None:
        if arms.pop(name, None) is None:
            problems.append(problem(overlay, path, f"nothing to delete, {unknown('arm', name, arms)}"))
    elif not overlay.is_mapping:
        problems.append(problem(overlay, path, "expected a mapping of paths to values, {} for an arm without changes"))
    else:
        for shared in _SHARED:
            said = overlay.at(shared)
            if said is not None:
                expectation = f"expected beside `arms:`, not in one: all arms share their {shared[-1]}"
                problems.append(problem_of_key(said, (*path, *shared[:-1], said.key or shared[-1]), expectation))
        arms[name] = (*arms.get(name, ()), overlay)


def refuse_what_arms_set(
    layers: Iterable[Entry], arms: Mapping[str, tuple[Entry, ...]], where: str = "arms"
) -> Iterator[Problem]:
    """What the command line or a caller says at a path that an arm sets, where the arm would win unseen."""
    set_by_arms = [
        (path, name, leaf)
        for name, overlays in arms.items()
        for overlay in overlays
        for path, leaf in leaves(overlay, ())
    ]
    for layer in layers:
        for path, entry in leaves(layer, ()):
            for other, name, leaf in set_by_arms:
                # an arm that leaves a thing out says nothing of the value that the others give it
                leaves_out = leaf.value is None and len(other) < len(path)
                if not leaves_out and say_one_thing(path, other):
                    there = ".".join((where, name, *map(str, other[:-1]), leaf.key or str(other[-1])))
                    told = f"expected a path that no arm sets, and {there} ({leaf.origin}) does; set that one instead"
                    yield problem(entry, path, told)
                    break


def say_one_thing(path: Path, other: Path) -> bool:
    """Whether one path leads through the other, or both end in keys of which a file says one, as `fraction`, `vaf`."""
    shorter = min(len(path), len(other))
    if path[:shorter] == other[:shorter]:
        return True
    if path[: shorter - 1] != other[: shorter - 1]:
        return False
    shape: Shape = Blocks((Spec,))
    for step in path[: shorter - 1]:
        shape = shape.child(str(step)) if isinstance(shape, Blocks | Named) else None
    return isinstance(shape, Blocks) and str(other[shorter - 1]) in shape.rivals(str(path[shorter - 1]))


def leaves(entry: Entry, path: Path) -> Iterator[tuple[Path, Entry]]:
    """What a layer says, leaf by leaf."""
    if not entry.is_mapping or (path and not entry.value):
        yield path, entry
        return
    for name, child in entry.value.items():
        yield from leaves(child, (*path, name))


def within_arm(name: str, found: Iterable[Problem], where: str = "arms") -> list[Problem]:
    """Problems of an arm's scenario, with the path at which the file says the arm."""
    return [replace(one, path=f"{where}.{name}.{one.path}".rstrip(".")) for one in found]


def without_arm(name: str, found: Iterable[Problem], where: str = "arms") -> list[Problem]:
    """The problems below an arm, with the path that its scenario gives them."""
    start = f"{where}.{name}."
    return [replace(one, path=one.path.removeprefix(start)) for one in found if one.path.startswith(start)]


def said_by(overlays: Iterable[Entry]) -> dict[tuple[Any, ...], Entry]:
    """What an arm says, leaf by leaf; later overlays win."""
    return {path: leaf for overlay in overlays for path, leaf in leaves(overlay, ()) if path}
