"""The scenario below a study, with its arms, and what becomes of it with other values."""

from __future__ import annotations

from dataclasses import dataclass

from mpn_abm.errors import Problem
from mpn_abm.scenario.arms import Overlays
from mpn_abm.scenario.assembly import Solved
from mpn_abm.scenario.schema import Spec
from mpn_abm.scenario.solving import solved
from mpn_abm.scenario.tree import Entry


@dataclass(frozen=True)
class Base:
    """What is said of the marrow, before and after it is solved.

    Attributes
    ----------
    layers : list of Entry
        Canonical layers of the scenario with those of `--set`, later over earlier.
    overlays : dict
        What each arm says over them.
    days : set of float
        Days that have a row as an endpoint, a claim or the study asks for them.
    file, arms : Solved
        The scenario itself, and that of each arm.
    """

    layers: list[Entry]
    overlays: Overlays
    days: set[float]
    file: Solved
    arms: dict[str, Solved]

    @property
    def specs(self) -> list[Spec]:
        """The values of the file and of the arms, as far as there are."""
        return [one.spec for one in (self.file, *self.arms.values()) if one.spec is not None]

    @property
    def runs(self) -> tuple[str | None, ...]:
        """The arms that are run: without any the file itself."""
        return tuple(self.arms) or (None,)

    def solved(self, layer: Entry, arm: str | None, known: list[Problem]) -> tuple[Entry, Spec | None, list[Problem]]:
        """Tree and values with a layer over the file and below the arm, and what is wrong besides what is known."""
        overlay = () if arm is None else self.overlays[arm]
        return solved([*self.layers, layer, *overlay], self.days, known)
