"""A checked scenario, in which every value knows its origin."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import Any

from mpn_abm.errors import Problem, ScenarioError, UsageError
from mpn_abm.scenario.arms import Overlays, overlays_of, part_of, refuse_what_arms_set
from mpn_abm.scenario.assembly import assembled
from mpn_abm.scenario.claim_checks import HEADLINE_DAYS, checked_between, days_named
from mpn_abm.scenario.layers import canonical, merged
from mpn_abm.scenario.paths import Place, locate
from mpn_abm.scenario.resolved import as_file, as_yaml
from mpn_abm.scenario.schema import Comparison, ScenarioFile, Spec
from mpn_abm.scenario.shape import Blocks
from mpn_abm.scenario.solving import checked_comparison, news
from mpn_abm.scenario.sources import (
    layer_of_option,
    layer_of_overrides,
    layer_of_set,
    layers_of_file,
    layers_of_mapping,
    layers_of_text,
)
from mpn_abm.scenario.suggestions import unknown
from mpn_abm.scenario.tree import DEFAULT, Entry, Origin, in_reading_order

_FILE = Blocks((ScenarioFile,))
_NOTHING = Entry({}, DEFAULT)


@dataclass(frozen=True)
class Scenario:
    """A checked scenario: that of a file itself, or of one of its arms.

    Attributes
    ----------
    spec : Spec
        All values, by block; lengths of time of `time` and `treatments` in days, parameters in their declared units.
    tree : Entry
        What was said, and where, after all layers were merged.
    comparison : Comparison
        Endpoints, claims and the reference of the file.
    comparison_tree : Entry
        What was said of them, and where.
    arm : str or None
        The arm, None for the file itself.
    arms : dict of Scenario
        The scenarios of the arms, in the order of the file; an arm has none itself.
    overlays : dict
        What each arm says over the file.
    layers : tuple of Entry
        What is said below the arms, later over earlier, before it was merged with the defaults.
    """

    spec: Spec
    tree: Entry
    comparison: Comparison = field(default_factory=Comparison)
    comparison_tree: Entry = _NOTHING
    arm: str | None = None
    arms: Mapping[str, Scenario] = field(default_factory=dict)
    overlays: Overlays = field(default_factory=dict)
    layers: tuple[Entry, ...] = field(default=(), repr=False, compare=False)

    def get(self, path: str) -> Any:
        """The value at a path such as `treatments.car_t.dose_cells`, in the unit that the path says."""
        return self.locate(path).value

    def origin(self, path: str) -> Origin:
        """Where the value at a path comes from."""
        return self.origin_of(self.locate(path))

    def origin_of(self, place: Place) -> Origin:
        """Where the value at a place comes from."""
        entry = (self.comparison_tree if _compares(place.path) else self.tree).at(place.names)
        return DEFAULT if entry is None else entry.origin

    def locate(self, path: str) -> Place:
        """What stands at a path; UsageError if nothing can."""
        return locate(path, self.comparison if _compares(path) else self.spec)

    def to_yaml(self) -> str:
        """The whole scenario as a file that says every value, without arms and claims."""
        return as_yaml(self.spec)

    @cached_property
    def sha256(self) -> str:
        """Digest of all values in their order, whatever file, units, layers or arm they came from.

        Claims are left out: they ask about a run and do not change it, but for the days of its rows.
        """
        text = json.dumps(as_file(self.spec), ensure_ascii=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()


def load(
    source: str | PathLike[str] | Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    sets: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
    arm: str | None = None,
) -> Scenario:
    """Read and check a scenario, with all of its arms.

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
    arm : str, optional
        The arm of which the scenario is returned; that of the file itself unless said.

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        With everything that is wrong.
    UsageError
        If the file cannot be read, a text of `sets` is no assignment, or the file has no such arm.
    """
    return Variants(source, sets, options).member(overrides or {}, arm)


class Variants:
    """Scenarios that differ from one in some values; the file is read once.

    Parameters
    ----------
    source, sets, options
        As of ``load``, which tells what is wrong with them when the first member is asked for.
    """

    def __init__(
        self,
        source: str | PathLike[str] | Mapping[str, Any],
        sets: Iterable[str] = (),
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._problems: list[Problem] = []
        layers = _layers_of(source, self._problems)
        later = [layer_of_set(assignment) for assignment in ((sets,) if isinstance(sets, str) else sets)]
        later += [layer_of_option(name, value) for name, value in (options or {}).items()]
        self._layers = [canonical(layer, _FILE, self._problems) for layer in layers]
        self._later = [canonical(layer, _FILE, self._problems) for layer in later]
        # the arms of a point are asked for one after the other
        self._latest: tuple[str, Scenario] | None = None

    def member(self, parameters: Mapping[str, Any], arm: str | None = None) -> Scenario:
        """The scenario with these values: the same, or the same errors, as ``load`` gives with them as overrides."""
        scenario = self._with(parameters)
        if arm is None:
            return scenario
        if arm not in scenario.arms:
            known = unknown("arm", arm, scenario.arms) if scenario.arms else "the scenario has no `arms:`"
            raise UsageError(f"--arm {arm}: {known}")
        return scenario.arms[arm]

    def _with(self, parameters: Mapping[str, Any]) -> Scenario:
        # two mappings may be equal and not the same: 1, 1.0 and true are
        key = repr(parameters)
        if self._latest is None or self._latest[0] != key:
            problems = [*self._problems]
            said = [canonical(layer_of_overrides(parameters), _FILE, problems)] if parameters else []
            self._latest = key, _assembled(self._layers, [*self._later, *said], problems)
        return self._latest[1]


def _compares(path: str) -> bool:
    return path.partition(".")[0] in Comparison.model_fields


def _layers_of(source: str | PathLike[str] | Mapping[str, Any], problems: list[Problem]) -> list[Entry]:
    if isinstance(source, Mapping):
        return layers_of_mapping(source, problems)
    if isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{")):
        return layers_of_text(source, problems)
    if not isinstance(source, str | PathLike):
        raise UsageError(f"expected a path, a text or a mapping, not a {type(source).__name__}")
    return layers_of_file(Path(source), problems)


def _assembled(layers: list[Entry], later: list[Entry], problems: list[Problem]) -> Scenario:
    """The scenario of canonical layers, with those of all arms; every problem of any of them is raised at once."""
    overlays = overlays_of([*layers, *later], problems)
    comparison_tree = merged(
        _NOTHING,
        [part_of(layer, Comparison) for layer in (*layers, *later)],
        Blocks((Comparison,)),
        problems,
    )
    comparison, wrong_endpoints = checked_comparison(comparison_tree, problems)
    days = days_named(comparison) | set(HEADLINE_DAYS if overlays else ())
    of_file = [part_of(layer, Spec) for layer in (*layers, *later)]
    (tree, spec), arms = assembled(of_file, overlays, days, problems)
    problems += refuse_what_arms_set((part_of(layer, Spec) for layer in later), overlays)
    specs = {name: arm_spec for name, (_, arm_spec) in arms.items()}
    problems += news(checked_between(comparison, comparison_tree, spec, specs, wrong_endpoints), problems)
    if problems or spec is None:
        raise ScenarioError(in_reading_order(problems))
    said = comparison, comparison_tree
    of_each = {name: Scenario(s, t, *said, arm=name) for name, (t, s) in arms.items() if s is not None}
    return Scenario(spec, tree, *said, arms=of_each, overlays=overlays, layers=tuple(of_file))
