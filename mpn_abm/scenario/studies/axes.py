"""What a study varies: levels, a range or a distribution of the values at a path."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Strict

from mpn_abm.mechanisms.declaration import Block, Whole, setting

Distribution = Literal["normal", "lognormal", "beta", "uniform", "loguniform", "choice"]

NEEDS: dict[str, tuple[str, ...]] = {
    "normal": ("mean", "sd"),
    "lognormal": ("median", "log_sd"),
    "beta": ("a", "b"),
    "uniform": ("low", "high"),
    "loguniform": ("low", "high"),
    "choice": ("values",),
}
"""What each distribution has to be told; `low` and `high` truncate the others."""

SHAPES = ("mean", "sd", "median", "log_sd", "a", "b", "values", "weights")
"""What only distributions have."""

_OF_RANGES = ("low", "high", "scale", "steps", "distribution")


class Axis(Block):
    """The values that a parameter takes: a list of levels, a range from `low` to `high`, or a distribution."""

    exclusive = tuple(frozenset({"levels", name}) for name in _OF_RANGES)

    levels: Annotated[tuple[Any, ...], Strict(False)] | None = setting(
        None, doc="the values, for which the list alone is short", expects="a list of values"
    )
    low: float | None = setting(None, doc="lower end of a range, or where a distribution is cut off")
    high: float | None = setting(None, doc="upper end of a range, or where a distribution is cut off")
    scale: Literal["linear", "log"] = setting("linear", doc="how the values of a range are spread")
    steps: Whole | None = setting(None, low=2, high=1_000_000, doc="values of a range in a grid, both ends in")
    distribution: Distribution | None = setting(None, doc="the distribution that values are drawn from")
    mean: float | None = setting(None, doc="mean of a normal distribution")
    sd: float | None = setting(None, above=0.0, doc="standard deviation of a normal distribution")
    median: float | None = setting(None, above=0.0, doc="median of a lognormal distribution")
    log_sd: float | None = setting(None, above=0.0, doc="standard deviation of the logarithm")
    a: float | None = setting(None, above=0.0, doc="first shape of a beta distribution")
    b: float | None = setting(None, above=0.0, doc="second shape of a beta distribution")
    values: Annotated[tuple[Any, ...], Strict(False)] | None = setting(
        None, doc="what is chosen among", expects="a list of values"
    )
    weights: Annotated[tuple[float, ...], Strict(False)] | None = setting(
        None, doc="how often each value is chosen, relative to the others", expects="a list of numbers, 0 or more"
    )

    @property
    def listed(self) -> tuple[Any, ...] | None:
        """The values, where they are listed."""
        return self.values if self.distribution == "choice" else self.levels
