"""A study as one file that stands alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mpn_abm.scenario.arms import Overlays
from mpn_abm.scenario.claim_checks import HEADLINE_DAYS
from mpn_abm.scenario.defaults import catalogues
from mpn_abm.scenario.layers import merged
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.scenario.schema import SCHEMA, Comparison, Spec
from mpn_abm.scenario.shape import Blocks, Listed, Named, Shape
from mpn_abm.scenario.studies.base import Base
from mpn_abm.scenario.studies.document import Document
from mpn_abm.scenario.studies.reading import STUDY
from mpn_abm.scenario.tree import DEFAULT, Entry

_MARROW = Blocks((Spec,))
_FILES = ("patients_file", "file", "targets")


def as_study_file(document: Document, base: Base, compared: Entry, folder: Path) -> dict[str, Any]:
    """The content of the file: what was said, not what follows from it, so that it follows again."""
    own = _as_said(document.tree, STUDY)
    block = own[document.kind]
    for name in _FILES:
        if block.get(name) is not None:
            block[name] = str((folder / block[name]).resolve())
    scenario, arms = _marrow_as_said(base.layers, base.overlays)
    # a trial without arms says none: an empty list of them is refused
    if arms:
        (block if document.kind == "trial" else scenario)["arms"] = arms
    asked = _as_said(compared, Blocks((Comparison,)))
    return {"schema": SCHEMA, **own, **asked, "scenario": scenario}


def as_trial(scenario: Scenario, replicates: int) -> dict[str, Any]:
    """A scenario with arms as the content of a study file: a trial of so many patients who are all alike.

    Patient k has the seed of replicate k, so that its runs are those of the arms.
    """
    marrow, arms = _marrow_as_said(scenario.layers, scenario.overlays)
    asked = _as_said(scenario.comparison_tree, Blocks((Comparison,)))
    days = [day for day in HEADLINE_DAYS if day <= scenario.spec.time.duration]
    trial = {"patients": replicates, "seed": scenario.spec.seed, "arms": arms, "at_days": days}
    return {"schema": SCHEMA, "name": scenario.spec.name, **asked, "scenario": marrow, "trial": trial}


def _marrow_as_said(layers: Sequence[Entry], overlays: Overlays) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the layers say in one, and what each arm says over them."""
    said = _as_said(merged(Entry({}, DEFAULT), layers, _MARROW, []), _MARROW)
    for part, names in _deleted(layers).items():
        said.setdefault(part, {}).update(dict.fromkeys(names))
    return said, {name: _as_said(_in_one(overlay), _MARROW) for name, overlay in overlays.items()}


def _as_said(entry: Entry, shape: Shape) -> Any:
    """What was said, under the keys of a file in declared units."""
    if isinstance(shape, Listed) and isinstance(entry.value, list):
        return [_as_said(item, shape.of) for item in entry.value]
    if not isinstance(shape, Blocks | Named) or not entry.is_mapping:
        return entry.plain()
    if isinstance(shape, Named):
        return {name: _as_said(child, shape.of) for name, child in entry.value.items()}
    declared = shape.declarations()
    return {declared[name].key: _as_said(child, shape.child(name)) for name, child in entry.value.items()}


def _deleted(layers: Sequence[Entry]) -> dict[str, list[str]]:
    """What the layers delete from the catalogues."""
    known = catalogues()
    left = merged(known, layers, _MARROW, [])
    gone = {part: [name for name in said.value if left.at((part, name)) is None] for part, said in known.value.items()}
    return {part: names for part, names in gone.items() if names}


def _in_one(overlays: Iterable[Entry]) -> Entry:
    """The overlays of an arm as one, with the nulls that take something away."""
    result = Entry({}, DEFAULT)
    for overlay in overlays:
        result = _over(result, overlay, _MARROW)
    return result


def _over(below: Entry, above: Entry, shape: Shape) -> Entry:
    if not isinstance(shape, Blocks | Named) or not (below.is_mapping and above.is_mapping):
        return above
    children = dict(below.value)
    for name, child in above.value.items():
        for rival in shape.rivals(name) if isinstance(shape, Blocks) else ():
            children.pop(rival, None)
        children[name] = _over(children[name], child, shape.child(name)) if name in children else child
    return above.with_value(children)
