"""A marrow that is treated while it runs, and stays a run of its scenario bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Any

from mpn_abm.dashboard.experiment import Experiment
from mpn_abm.errors import ScenarioError
from mpn_abm.model import MarrowModel

Tell = Callable[[float], None]


class LiveMarrow(MarrowModel):
    """A model of an experiment at a step boundary.

    What is done to it makes another model: that of the new scenario, stepped from day 0 to the same boundary. Random
    numbers are functions of who asks and when, so what was before stays as it was.

    Parameters
    ----------
    experiment : Experiment
    boundary : int
        Step boundary to which it is stepped at once.
    tell : callable, optional
        Told the share of these steps that is done.
    kwargs : values by path
        Other values than those of the scenario; the name is what Mesa's page asks for. They are left out, and
        ``refused`` says why, if they cannot be together.
    """

    def __init__(self, experiment: Experiment, *, boundary: int = 0, tell: Tell | None = None, **kwargs: Any) -> None:
        # whoever holds it keeps the marrow where it is
        self.still = RLock()
        # what is waited for before a step; a page has its drawing done
        self.wait: Callable[[], None] = _for_nothing
        self.refused = ""
        try:
            self.experiment = experiment.tuned(kwargs)
        except ScenarioError as error:
            self.experiment, self.refused = experiment, str(error)
        super().__init__(self.experiment.scenario)
        while self.boundary < boundary and self.running:
            self.step()
            if tell is not None and self.boundary % 64 == 0:
                tell(self.boundary / boundary)

    def step(self) -> None:
        """Advance by one step, once what it waits for is done and nobody holds it still."""
        self.wait()
        with self.still:
            super().step()

    def after(self, change: Callable[[Experiment, float], Experiment], tell: Tell | None = None) -> LiveMarrow:
        """The marrow at the same boundary, with its experiment changed from this day on."""
        with self.still:
            return LiveMarrow(change(self.experiment, self.day), boundary=self.boundary, tell=tell)


def _for_nothing() -> None:
    """A marrow that nobody draws waits for nothing."""
