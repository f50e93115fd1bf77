"""A checked scenario, in which every value knows its origin."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import Any

from mpn_abm.errors import Problem, ScenarioError, UnknownKey, UsageError
from mpn_abm.scenario.checks import checked
from mpn_abm.scenario.defaults import catalogues, presets
from mpn_abm.scenario.layers import canonical, merged
from mpn_abm.scenario.paths import Place, locate
from mpn_abm.scenario.references import with_references
from mpn_abm.scenario.resolved import as_file, as_yaml
from mpn_abm.scenario.schema import Spec
from mpn_abm.scenario.shape import Blocks, Named
from mpn_abm.scenario.sources import (
    layer_of_option,
    layer_of_overrides,
    layer_of_set,
    layers_of_file,
    layers_of_mapping,
    layers_of_text,
)
from mpn_abm.scenario.tree import DEFAULT, Entry, Origin, entry_from, in_reading_order
from mpn_abm.scenario.validation import validated

_ROOT = Blocks((Spec,))


@dataclass(frozen=True)
class Scenario:
    """A checked scenario.

    Attributes
    ----------
    spec : Spec
        All values, by block; lengths of time of `time` and `treatments` in days, parameters in their declared units.
    tree : Entry
        What was said, and where, after all layers were merged.
    """

    spec: Spec
    tree: Entry

    def get(self, path: str) -> Any:
        """The value at a path such as `treatments.car_t.dose_cells`, in the unit that the path says."""
        return self.locate(path).value

    def origin(self, path: str) -> Origin:
        """Where the value at a path comes from."""
        return self.origin_of(self.locate(path))

    def origin_of(self, place: Place) -> Origin:
        """Where the value at a place comes from."""
        entry = self.tree.at(place.names)
        return DEFAULT if entry is None else entry.origin

    def locate(self, path: str) -> Place:
        """What stands at a path; UsageError if nothing can."""
        return locate(path, self.spec)

    def to_yaml(self) -> str:
        """The whole scenario as a file that says every value."""
        return as_yaml(self.spec)

    @cached_property
    def sha256(self) -> str:
        """Digest of all values in their order, whatever file, units or layers they came from."""
        text = json.dumps(as_file(self.spec), ensure_ascii=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()


def load(
    source: str | PathLike[str] | Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    sets: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
) -> Scenario:
    """Read and check a scenario.

    Parameters
    ----------
    source : path, text or mapping
        A file; the text of one (it has more than one line or begins with a brace); or its content as Python objects.
    overrides : mapping, optional
        Values by path (`{"marrow.shape": [96, 96]}`) or nested, over those of the file and of `sets`.
    sets : texts
        `PATH=VALUE` with the value in YAML, as `--set` takes them.
    options : mapping, optional
        Values that have an option of their own on the command line, such as `seed`.

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        With everything that is wrong.
    UsageError
        If the file cannot be read or a text of `sets` is no assignment.
    """
    problems: list[Problem] = []
    layers = _layers_of(source, problems)
    layers += [layer_of_set(assignment) for assignment in ((sets,) if isinstance(sets, str) else sets)]
    layers += [layer_of_option(name, value) for name, value in (options or {}).items()]
    if overrides:
        layers.append(layer_of_overrides(overrides))
    layers = [canonical(layer, _ROOT, problems) for layer in layers]
    base = _base(layers)
    tree = with_references(merged(base, layers, _ROOT, problems), _ROOT, problems)
    return Scenario(_checked_spec(tree, problems), tree)


def _layers_of(source: str | PathLike[str] | Mapping[str, Any], problems: list[Problem]) -> list[Entry]:
    if isinstance(source, Mapping):
        return layers_of_mapping(source, problems)
    if isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{")):
        return layers_of_text(source, problems)
    if not isinstance(source, str | PathLike):
        raise UsageError(f"expected a path, a text or a mapping, not a {type(source).__name__}")
    return layers_of_file(Path(source), problems)


def _base(layers: list[Entry]) -> Entry:
    """The defaults below the layers, which depend on what the layers say about scale and disease."""
    said = merged(catalogues(), layers, _ROOT, [])
    return merged(catalogues(), presets(said), _ROOT, [])


def _checked_spec(tree: Entry, problems: list[Problem]) -> Spec:
    spec, found = validated(tree)
    problems += _news(found, problems)
    unknown = [told for told in problems if isinstance(told, UnknownKey)]
    wrong = [*found, *(told for told in problems if told not in unknown)]
    right, _ = validated(_what_is_right(tree, wrong)) if wrong else (spec, [])
    if right is not None:
        between = checked(right, tree, {told.path.partition(".")[0] for told in wrong})
        problems += [told for told in between if told.path not in {key.path for key in unknown}]
    if problems or spec is None:
        raise ScenarioError(in_reading_order(problems))
    return spec


def _news(found: Iterable[Problem], known: Sequence[Problem]) -> list[Problem]:
    """The findings that do not stand where something is known to be wrong."""
    return [told for told in found if not any(_is_at_or_in(problem.path, told.path) for problem in known)]


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


def _is_at_or_in(path: str, place: str) -> bool:
    return f"{path}.".startswith(f"{place}.")
