"""Solve layers into values: defaults below them, references followed, everything checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mpn_abm.errors import Problem
from mpn_abm.scenario.checks import checked
from mpn_abm.scenario.defaults import catalogues, presets
from mpn_abm.scenario.layers import merged
from mpn_abm.scenario.references import with_references
from mpn_abm.scenario.schema import Comparison, Spec
from mpn_abm.scenario.shape import Blocks
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
    said = merged(catalogues(), layers, _ROOT, [])
    return merged(catalogues(), presets(said), _ROOT, [])


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
    wrong = {problem.path.partition(".")[0] for problem in problems}
    if spec is None:
        right = {part: entry for part, entry in tree.value.items() if part not in wrong}
        stand_ins = {part: entry_from(value, DEFAULT) for part, value in _stand_ins(tree).items()}
        part_of_it, _ = validated(tree.with_value({**stand_ins, **right}), Spec)
        if part_of_it is not None:
            problems += checked(part_of_it, tree, wrong)
        return None
    problems += checked(spec, tree, wrong)
    return spec


def news(found: Iterable[Problem], known: list[Problem]) -> list[Problem]:
    """The findings that do not stand where something is known to be wrong."""
    return [told for told in found if not any(_is_at_or_in(problem.path, told.path) for problem in known)]


def _stand_ins(tree: Entry) -> dict[str, Any]:
    """What the checks between parts see of a required part that is wrong in itself: of clones, their genotypes."""
    clones = tree.value.get("clones")
    named = clones.value.items() if clones is not None and clones.is_mapping else ()
    said = {name: clone.value.get("genotype") for name, clone in named if clone.is_mapping}
    known = {name: {"genotype": genotype.value} for name, genotype in said.items() if genotype is not None}
    texts = {name: clone for name, clone in known.items() if isinstance(clone["genotype"], str)}
    return {"time": {"duration": 1.0}, "clones": texts}


def _is_at_or_in(path: str, place: str) -> bool:
    return f"{path}.".startswith(f"{place}.")
