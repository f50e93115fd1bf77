"""What every value of a scenario is: its unit, range, meaning, source and origin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, get_origin

from mpn_abm.errors import UsageError
from mpn_abm.scenario.arms import said_by
from mpn_abm.scenario.expectations import bounds, choices
from mpn_abm.scenario.paths import Place
from mpn_abm.scenario.resolved import plain
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.scenario.suggestions import one_of, unknown
from mpn_abm.scenario.tree import Origin, written
from mpn_abm.units import phrase


@dataclass(frozen=True)
class Explanation:
    """One value; `source` is empty for what a scenario chooses."""

    path: str
    value: Any
    unit: str
    range: str
    meaning: str
    source: str
    origin: str

    def __str__(self) -> str:
        lines = {"range": self.range, "meaning": self.meaning, "source": self.source, "from": self.origin}
        unit = "" if self.value is None else self.unit
        head = f"{self.path}: {written(self.value)} {unit}".rstrip()
        return "\n".join([head, *(f"  {word:8}{text}" for word, text in lines.items() if text)])


def explained(scenario: Scenario, path: str = "") -> list[Explanation]:
    """Every value at and below a path, in its declared unit; a single one in the unit that the path says."""
    head, _, rest = path.partition(".")
    if head == "arms":
        name, _, within = rest.partition(".")
        if name not in ("", *scenario.arms):
            raise UsageError(f"{path}: {unknown('arm', name, scenario.arms)}")
        return [row for arm in ([name] if name else scenario.arms) for row in _of_arm(scenario, arm, within)]
    rows = [explanation(leaf, scenario.origin_of(leaf)) for leaf in leaves_of(scenario.locate(path))]
    if path:
        return rows
    # a file that says nothing of arms and claims is spared their defaults
    said = [name for name in scenario.comparison_tree.value if name != "arms"]
    beside = [explanation(leaf, scenario.origin_of(leaf)) for name in said for leaf in leaves_of(scenario.locate(name))]
    return [*rows, *beside, *(row for arm in scenario.arms for row in _of_arm(scenario, arm, ""))]


def _of_arm(scenario: Scenario, arm: str, within: str) -> Iterator[Explanation]:
    """What an arm says, in its own keys."""
    for names, entry in said_by(scenario.overlays[arm]).items():
        path = ".".join([*map(str, names[:-1]), entry.key or str(names[-1])])
        if not f"{path}.".startswith(f"{within}." if within else ""):
            continue
        here = f"arms.{arm}.{path}"
        if entry.value is None:
            yield Explanation(here, None, "", "", "left out, or the default again", "", str(entry.origin))
            continue
        for leaf in leaves_of(scenario.arms[arm].locate(path)):
            row = explanation(leaf, scenario.arms[arm].origin_of(leaf))
            yield replace(row, path=f"arms.{arm}.{row.path}")


def _choice(annotation: Any, words: list[str]) -> str:
    return f"any of {', '.join(words)}" if get_origin(annotation) is tuple else one_of(words)


def leaves_of(place: Place) -> Iterator[Place]:
    """The values at and below a place."""
    if place.is_leaf:
        yield place
    for child in place.children():
        yield from leaves_of(child)


def explanation(place: Place, origin: Origin) -> Explanation:
    """What is to be said of the value at a place, which comes from there."""
    declaration, unit = place.declaration, place.unit
    assert declaration is not None
    assert unit is not None
    words = choices(place.annotation)
    return Explanation(
        path=place.path,
        value=plain(place.value),
        unit=phrase(unit),
        range=declaration.expects or (_choice(place.annotation, words) if words else bounds(declaration, unit)),
        meaning=declaration.doc,
        source=declaration.source or "",
        origin=str(origin),
    )
