"""What a file of targets says, as declared blocks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Strict

from mpn_abm.analysis.bands import WITHOUT_BAND, counts
from mpn_abm.mechanisms.declaration import Block, Name, setting
from mpn_abm.scenario.claims import Claim
from mpn_abm.scenario.schema import Moment


class Experiment(Block):
    """A study or a scenario, in a file or in place, that is run once for all of its targets."""

    exclusive = (frozenset({"file", "scenario"}),)

    file: str | None = setting(None, doc="a scenario or study", expects="a file relative to this one")
    scenario: Any = setting(None, doc="a scenario in place, beside it `sweep:` or `trial:` make a study of it")
    sweep: Any = setting(None, doc="as in a study file")
    trial: Any = setting(None, doc="as in a study file")
    endpoints: Any = setting(None, doc="endpoints by name, beside those of the file")
    change: dict[str, Any] = setting({}, doc="values by path, over those of the file", expects="a mapping of paths")
    quick: dict[str, Any] = setting({}, doc="values by path for --quick", expects="a mapping of paths")


class Target(Claim):
    """A published figure: a claim on an experiment. Without an experiment it counts as missed."""

    experiment: str | None = setting(doc="the experiment, null if there is none", expects="an experiment, or null")
    endpoint: str = setting("", doc="a built-in endpoint, one of the experiment, or a column of trajectory or summary")
    where: dict[str, Any] = setting({}, doc="which points count, by path", expects="a mapping of paths to values")
    kind: Literal["value", "direction", "bound", "order", "exists"] = setting(
        "value", doc="what was published; `order` and `exists` have no band"
    )
    order_arms: Annotated[tuple[str, ...], Strict(False)] = setting(
        (), doc="of an `order`: the arms from the lowest value to the highest", expects="a list of arms"
    )
    order: Annotated[tuple[Moment, ...], Strict(False)] = setting(
        (), unit="day", doc="of an `order`: the days from the lowest value to the highest", expects="a list of days"
    )
    constrains: Annotated[tuple[str, ...], Strict(False)] = setting(
        (), doc="parameters that it holds down", expects="a list of parameters"
    )
    quantity: str = setting("", doc="what was measured, in whom")
    reason: str = setting("", doc="why there is no experiment, or a remark")

    @property
    def is_scored(self) -> bool:
        """Whether it counts."""
        return counts(self.role)

    @property
    def can_fail(self) -> bool:
        """Whether there is a band, or a kind that needs none."""
        return self.kind in WITHOUT_BAND or super().can_fail

    @property
    def days(self) -> set[float]:
        """The days that it asks about."""
        return {*self.order, *(() if self.at_day is None else (self.at_day,))}

    @property
    def steps(self) -> tuple[str, ...]:
        """What an order goes through, in words."""
        return self.order_arms or tuple(f"hour {24 * day:g}" if 0 < day < 1 else f"day {day:g}" for day in self.order)


class TargetsDocument(Block):
    """A file of targets."""

    experiments: dict[Name, Experiment] = setting({}, doc="experiments, by name")
    targets: dict[Name, Target] = setting(doc="targets, by name")
