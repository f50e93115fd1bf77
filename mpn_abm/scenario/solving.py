"""Solve layers into values: defaults below them, references followed, everything checked."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from mpn_abm.errors import Problem, UnknownKey
from mpn_abm.scenario.checks import checked
from mpn_abm.scenario.defaults import SIGNS_STAND_IN, Signs, catalogues, presets, signs_of
from mpn_abm.scenario.layers import merged
from mpn_abm.scenario.references import with_references
from mpn_abm.scenario.schema import Comparison, Spec
from mpn_abm.scenario.shape import Blocks, Named
from mpn_abm.scenario.tree import DEFAULT, Entry, Origin, entry_from
from mpn_abm.scenario.validation import validated
from mpn_abm.units import is_number

_ROOT = Blocks((Spec,))
_NAMED_DAYS = Origin("default, the days that claims and endpoints name")


def checked_comparison(tree: Entry, problems: list[Problem]) -> tuple[Comparison, set[str]]:
    """Endpoints and claims, without those that are wrong in themselves; and the names of such endpoints."""
    comparison, found = validated(tree, Comparison)
    problems += news(found, problems)
    if comparison is not None:
        return comparison, set()
    wrong = {tuple(told.path.split(".")[:2]) for told in found}
    right = {
        part: entry.with_value({name: one for name, one in entry.value.items() if (part, name) not in wrong})
        for part, entry in tree.value.items()
        if (part,) not in wrong and entry.is_mapping
    }
    right |= {part: entry for part, entry in tree.value.items() if (part,) not in wrong and not entry.is_mapping}
    comparison, _ = validated(tree.with_value(right), Comparison)
    return comparison or Comparison(), {step[1] for step in wrong if step[0] == "endpoints" and len(step) == 2}


def solved(layers: list[Entry], days: set[float], known: list[Problem]) -> tuple[Entry, Spec | None, list[Problem]]:
    """The tree and values of layers, and what is wrong beside the problems that are known."""
    problems = list(known)
    base = _base(layers)
    tree = with_references(merged(base, layers, _ROOT, problems), _ROOT, problems)
    tree = _with_days(tree, days)
    spec = _checked_spec(tree, problems)
    return tree, spec, [told for told in problems if told not in known]


def _base(layers: list[Entry]) -> Entry:
    """The defaults below the layers, which depend on what the layers say about scale and disease."""
    telling = [layer.only(SIGNS_STAND_IN) for layer in layers]
    return _defaults(signs_of(merged(Entry({}, DEFAULT), telling, _ROOT, [])))


@cache
def _defaults(signs: Signs) -> Entry:
    return merged(catalogues(), presets(signs), _ROOT, [])


def _with_days(tree: Entry, days: set[float]) -> Entry:
    """The tree in which the named days are recorded, as far as they lie within the run."""
    time = tree.at(("time",))
    duration = tree.scalar("time", "duration")
    if time is None or not time.is_mapping or not is_number(duration):
        return tree
    said = time.value.get("record_at")
    there = said.plain() if said is not None else []
    within = [day for day in sorted(days) if day <= duration]
    if not isinstance(there, list) or not within:
        return tree
    missing = [entry_from(day, _NAMED_DAYS) for day in within if day not in there]
    entry = entry_from([], _NAMED_DAYS) if said is None else said
    recorded = entry.with_value([*entry.value, *missing])
    return tree.with_value({**tree.value, "time": time.with_value({**time.value, "record_at": recorded})})


def _checked_spec(tree: Entry, problems: list[Problem]) -> Spec | None:
    """The values of a tree; what is wrong with them is added to the problems."""
    spec, found = validated(tree, Spec)
    problems += news(found, problems)
    unknown = [told for told in problems if isinstance(told, UnknownKey)]
    wrong = [*found, *(told for told in problems if told not in unknown)]
    right, _ = validated(_what_is_right(tree, wrong), Spec) if wrong else (spec, [])
    if right is not None:
        between = checked(right, tree, {told.path.partition(".")[0] for told in wrong})
        problems += [told for told in between if told.path not in {key.path for key in unknown}]
    return spec


def _what_is_right(tree: Entry, wrong: Iterable[Problem]) -> Entry:
    """The tree without what is wrong in itself, for the checks between values.

    Of the things that a file names, those with a problem are left out; of a clone its genotype stays.
    """
    places = {tuple(told.path.split(".")) for told in wrong}
    parts: dict[str, Entry] = dict(tree.value)
    for part in {place[0] for place in places} & parts.keys():
        whole = parts.pop(part)
        if (part,) in places or not isinstance(_ROOT.child(part), Named):
            continue
        items = {place[1] for place in places if place[0] == part}
        kept = {name: item for name, item in whole.value.items() if name not in items}
        for name in items & whole.value.keys() if part == "clones" else ():
            genotype = whole.at((name, "genotype"))
            if genotype is not None and places.isdisjoint({(part, name), (part, name, "genotype")}):
                kept[name] = Entry({"genotype": genotype}, genotype.origin)
        parts[part] = whole.with_value(kept)
    stand_ins = {"time": {"duration": 1.0}, "clones": {}}
    return tree.with_value({part: entry_from(said, DEFAULT) for part, said in stand_ins.items()} | parts)


def news(found: Iterable[Problem], known: list[Problem]) -> list[Problem]:
    """The findings that do not stand where something is known to be wrong."""
    return [told for told in found if not any(_is_at_or_in(problem.path, told.path) for problem in known)]


def _is_at_or_in(path: str, place: str) -> bool:
    return f"{path}.".startswith(f"{place}.")
