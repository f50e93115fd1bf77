"""The axes of everything that nobody has measured."""

from __future__ import annotations

from mpn_abm.scenario.citing import sources
from mpn_abm.scenario.paths import locate
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.scenario.studies.base import Base
from mpn_abm.scenario.studies.document import Document
from mpn_abm.scenario.tree import DEFAULT, Entry, entry_from

_WIDE = 10.0


def assumed_axes(document: Document, base: Base) -> Entry:
    """An axis for each assumed parameter that acts in the file or in an arm, over the range that it declares."""
    said = document.tree.at(document.place)
    assert said is not None
    axes: dict[str, object] = {}
    for spec in base.specs:
        found = sources(Scenario(spec, Entry({}, DEFAULT)))
        for path in (path for source in found if source.kind == "assumed" for path in source.paths):
            place = locate(path, spec)
            sweep = None if place.declaration is None else place.declaration.sweep
            if sweep is not None:
                low, high = sweep
                scale = "log" if low > 0.0 and high >= _WIDE * low else "linear"
                axes.setdefault(path, {"low": low, "high": high, "scale": scale})
    return entry_from(axes, said.origin)
