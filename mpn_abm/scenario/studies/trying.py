"""Whether the values of axes make scenarios: each is tried, with the others as the file says them, in every arm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations
from math import exp
from statistics import NormalDist
from sys import float_info

from mpn_abm.errors import Problem, UsageError
from mpn_abm.mechanisms.declaration import Block
from mpn_abm.scenario.arms import leaves, say_one_thing
from mpn_abm.scenario.expectations import types_of
from mpn_abm.scenario.layers import canonical
from mpn_abm.scenario.paths import Place, locate
from mpn_abm.scenario.schema import Spec
from mpn_abm.scenario.studies.axes import Axis
from mpn_abm.scenario.studies.base import Base
from mpn_abm.scenario.studies.document import Document
from mpn_abm.scenario.studies.reading import SCENARIO
from mpn_abm.scenario.tree import Entry, Origin, Path, entry_from, problem, problem_of_key, shown

# what an axis may not set: replicates have seeds of their own, and studies have an output of their own
_NO_AXES = ("seed", "replicates", "name", "question", "output")
# so rarely is a value drawn beyond the one that is tried: once in a million
_RARE = 1e-6
_LARGEST = float_info.max


def place_of(path: str, specs: Iterable[Spec]) -> Place | None:
    """What stands at a path of any of these; None if nothing can."""
    for spec in specs:
        try:
            return locate(path, spec)
        except UsageError:
            continue
    return None


def is_whole(path: str, specs: Iterable[Spec]) -> bool:
    """Whether a path takes whole numbers only."""
    place = place_of(path, specs)
    if place is None or place.declaration is None or place.unit != place.declaration.unit:
        return False
    kinds = types_of(place.annotation)
    return int in kinds and float not in kinds


def tried(document: Document, base: Base) -> Iterator[Problem]:
    """What is wrong with the paths and values of the axes."""
    for path, axis in document.axes.items():
        entry = document.tree.at((*document.place, path))
        assert entry is not None
        here = (*document.place, path)
        wrong = wrong_path(path, base)
        if wrong:
            yield problem_of_key(entry, here, wrong)
            continue
        for end, value in _values(axis, entry, is_whole(path, base.specs)):
            if not end or entry.at((end,)) is not None:
                yield from tried_value(path, value, (*here, end) if end else here, base)
                continue
            for told in tried_value(path, value, here, base):
                expectation = f"{told.expectation}; cut it off with `{end}`"
                yield replace(told, value=f"can draw {value.value:.3g}", expectation=expectation)
    for path, other in rivals(document.axes):
        entry = document.tree.at((*document.place, other))
        assert entry is not None
        yield problem_of_key(entry, (*document.place, other), f"expected one of the two: {path} says the same thing")


def rivals(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of paths of which a file may say one only."""
    origin = Origin("paths")
    said = []
    for path in paths:
        layer = canonical(Entry({path: Entry(None, origin, path)}, origin), SCENARIO, [])
        said += [(path, names) for names, _ in leaves(layer, ()) if names]
    for (path, names), (other, others) in combinations(said, 2):
        if path != other and say_one_thing(names, others):
            yield path, other


def wrong_path(path: str, base: Base) -> str:
    """What is wrong with the path of an axis; empty if nothing is."""
    if path.partition(".")[0] in _NO_AXES:
        return "expected a path that changes the marrow or what is given"
    assert base.file.spec is not None
    try:
        place = locate(path, base.file.spec)
    except UsageError as error:
        adding = [name for name, arm in base.arms.items() if arm.spec is not None and place_of(path, [arm.spec])]
        if adding:
            # below an arm that does not have it, it would bring it into that arm
            return f"expected a path of the scenario itself, which {adding[0]} adds; take it away in other arms instead"
        return str(error).removeprefix(f"{path}: ")
    if isinstance(place.value, Block):
        return f"expected a path to a value, such as {path}.{place.ways()[0]}"
    return ""


def _values(axis: Axis, entry: Entry, whole: bool) -> Iterator[tuple[str, Entry]]:
    """The values that are tried, each with the end that it is of its axis."""
    listed = entry.at(("values" if axis.distribution == "choice" else "levels",))
    if listed is not None:
        yield from (("", item) for item in listed.value)
        return
    for name, value in zip(("low", "high"), ends_of(axis), strict=True):
        said = entry.at((name,))
        if said is not None:
            yield name, said
        elif value is not None:
            value = max(-_LARGEST, min(value, _LARGEST))
            yield name, entry_from(round(value) if whole else value, entry.origin)


def ends_of(axis: Axis) -> tuple[float | None, float | None]:
    """The ends of a range; of a distribution that is not cut off what it all but never leaves."""
    z = NormalDist().inv_cdf(1.0 - _RARE)
    usual: tuple[float | None, float | None] = (None, None)
    match axis.distribution:
        case "normal" if axis.mean is not None and axis.sd is not None:
            usual = axis.mean - z * axis.sd, axis.mean + z * axis.sd
        case "lognormal" if axis.median is not None and axis.log_sd is not None:
            half = NormalDist(0.0, axis.log_sd).inv_cdf(1.0 - _RARE)
            usual = axis.median * _exp(-half), axis.median * _exp(half)
        case "beta":
            usual = _RARE, 1.0 - _RARE
    return (usual[0] if axis.low is None else axis.low, usual[1] if axis.high is None else axis.high)


def _exp(power: float) -> float:
    try:
        return exp(power)
    except OverflowError:
        return _LARGEST


def tried_value(path: str, value: Entry, here: Path, base: Base) -> Iterator[Problem]:
    """What is wrong in any arm with one value at a path, which is said `here`."""
    found: list[Problem] = []
    leaf = replace(value, key=path)
    layer = canonical(Entry({path: leaf}, value.origin), SCENARIO, found)
    for arm in base.runs:
        found += base.solved(layer, arm, found)[2]
    for told in dict.fromkeys(found):
        about = "" if told.path == path else f"{told.path}: "
        yield replace(problem(replace(value, key=""), here, f"{about}{told.expectation}"), value=shown(value))


def refuse_what_axes_set(layers: Iterable[Entry], document: Document) -> Iterator[Problem]:
    """What the command line or a caller says at a path that an axis sets, where the axis would win unseen."""
    axes = []
    for path in document.axes:
        entry = document.tree.at((*document.place, path))
        assert entry is not None
        said = canonical(Entry({path: Entry(None, entry.origin, path)}, entry.origin), SCENARIO, [])
        axes += [(path, entry, names) for names, _ in leaves(said, ())]
    where = ".".join(document.place)
    expectation = "expected a path that no axis sets, and {} ({}) does; change that one"
    for layer in layers:
        for names, entry in leaves(layer, ()):
            for path, axis, others in axes:
                if names and others and say_one_thing(names, others):
                    yield problem(entry, names, expectation.format(f"{where}.{path}", axis.origin))
                    break
