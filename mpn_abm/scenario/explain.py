"""What every value of a scenario is: its unit, range, meaning, source and origin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_origin

from mpn_abm.scenario.expectations import bounds, choices
from mpn_abm.scenario.paths import Place
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.scenario.suggestions import one_of
from mpn_abm.scenario.tree import written
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
    return [_explanation(scenario, leaf) for leaf in _leaves(scenario.locate(path))]


def _choice(annotation: Any, words: list[str]) -> str:
    return f"any of {', '.join(words)}" if get_origin(annotation) is tuple else one_of(words)


def _leaves(place: Place) -> Iterator[Place]:
    if place.is_leaf:
        yield place
    for child in place.children():
        yield from _leaves(child)


def _explanation(scenario: Scenario, place: Place) -> Explanation:
    declaration, unit = place.declaration, place.unit
    assert declaration is not None
    assert unit is not None
    words = choices(place.annotation)
    return Explanation(
        path=place.path,
        value=list(place.value) if isinstance(place.value, tuple) else place.value,
        unit=phrase(unit),
        range=declaration.expects or (_choice(place.annotation, words) if words else bounds(declaration, unit)),
        meaning=declaration.doc,
        source=declaration.source or "",
        origin=str(scenario.origin_of(place)),
    )
