"""The parameters of a scenario that the page has a slider for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from mpn_abm.scenario.scenario import Scenario
from mpn_abm.scenario.schema import Spec
from mpn_abm.scenario.sizes import takes_the_rest

# path, label, lowest, highest, step, and the mechanism that has to be on
_MECHANISMS = (
    ("patient.fitness", "fitness of mutants, factor", 0.0, 3.0, 0.05, None),
    ("hematopoiesis.division_rate_per_year", "divisions of a stem cell, 1/year", 0.0, 4.0, 0.05, None),
    ("fibrosis.initial.mf_grade", "scar of day 0, MF grade", 0, 3, 1, "fibrosis"),
    ("patient.scar_drive", "drive of scarring, factor", 0.0, 5.0, 0.1, "fibrosis"),
    ("antigen.density_molecules", "antigen, molecules a cell", 0.0, 2000.0, 10.0, "antigen"),
)


@dataclass(frozen=True)
class Knob:
    """A slider: the path of its value, what it says, and its range; whole numbers have whole bounds."""

    path: str
    label: str
    value: float
    low: float
    high: float
    step: float


def knobs_of(scenario: Scenario) -> list[Knob]:
    """The sliders of a scenario; each value of each of them is allowed beside any of the others."""
    return [_fitted(scenario, *said) for said in _said(scenario.spec)]


def _said(spec: Spec) -> Iterator[tuple[str, str, float, float, float]]:
    yield "seed", "seed", 0, 100, 1
    yield from _sizes(spec)
    for path, label, low, high, step, mechanism in _MECHANISMS:
        if mechanism is None or getattr(spec, mechanism).enabled:
            yield path, label, low, high, step


def _sizes(spec: Spec) -> Iterator[tuple[str, str, float, float, float]]:
    """The size of the one clone that has one, where another takes the rest."""
    first = {name: clone for name, clone in spec.clones.items() if clone.day == 0}
    sized = [name for name, clone in first.items() if not takes_the_rest(clone)]
    if len(sized) != 1 or len(first) != 2:
        return
    (name,) = sized
    if first[name].fraction is not None:
        yield f"clones.{name}.fraction", f"{name} on day 0, share of sites", 0.0, 1.0, 0.01
    elif first[name].vaf is not None:
        copies = spec.genotypes[first[name].genotype].mutant_copies
        yield f"clones.{name}.vaf", f"{name} on day 0, VAF", 0.0, copies / 2 - 0.01, 0.01


def _fitted(scenario: Scenario, path: str, label: str, low: float, high: float, step: float) -> Knob:
    """A slider that has the scenario's own value on its scale, which would be rounded otherwise."""
    value = scenario.get(path)
    while not math.isclose(round((value - low) / step), (value - low) / step, abs_tol=1e-9) and step > 1e-9:
        step /= 10.0
    return Knob(path, label, value, min(low, value), max(high, value), step)
