"""What a file claims of its arms: a statistic of an endpoint, and the band that it should lie in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from mpn_abm.mechanisms.declaration import Block, setting
from mpn_abm.scenario.treatments import LONGEST

STATISTICS = (
    "mean", "median", "quantile_NN", "sd", "survival", "median_days", "incidence", "spearman", "pearson",
    "slope_per_year",
)  # fmt: skip
OF_TIMES = ("survival", "median_days", "incidence")
"""Statistics of the time to an event."""
CORRELATIONS = ("spearman", "pearson")
"""Statistics of two values of each patient."""

Statistic = Annotated[
    str,
    StringConstraints(
        pattern=r"^(mean|median|quantile_[0-9]{1,2}|sd|survival|median_days|incidence|spearman|pearson|slope_per_year)$"
    ),
]


class Claim(Block):
    """A claim on an arm, or on how it differs from another: held if `low` <= value <= `high`."""

    endpoint: str = setting(doc="a built-in endpoint, one of `endpoints:`, or a column")
    arm: str | None = setting(None, doc="the arm; without it the file itself")
    versus: str | None = setting(None, doc="the arm that it is compared with; the reference if `contrast` is said")
    contrast: Literal["difference", "ratio", "hazard_ratio"] | None = setting(
        None, doc="how the two are compared; `difference` if `versus` is said"
    )
    statistic: Statistic = setting(
        "mean",
        doc="what is made of the patients' values; of yes or no the mean is the share",
        expects=f"one of {', '.join(STATISTICS)}",
    )
    with_: str | None = setting(
        None, doc="the column beside the endpoint, of a rank (`spearman`) or linear (`pearson`) correlation"
    )
    at_day: float | None = setting(
        None, unit="at day", low=0.0, high=LONGEST, doc="when; the last day of each run unless said"
    )
    low: float | None = setting(None, doc="the lowest value with which the claim holds")
    high: float | None = setting(None, doc="the highest value with which the claim holds")
    value: float | None = setting(None, doc="the value that was published")
    unit: str = setting("", doc="the unit of the value, in words")
    source: str = setting("", doc="where the claim comes from")
    figure: str = setting("", doc="the published figure that it belongs to")
    role: Literal["fit", "test", "rival", "order", "unverified", "rule"] | None = setting(None, doc="what it is for")
    weight: float = setting(1.0, low=0.0, high=1e6, doc="its weight among others")

    @property
    def can_fail(self) -> bool:
        """Whether there is a band to miss."""
        return self.low is not None or self.high is not None

    @property
    def is_on_one_arm(self) -> bool:
        """Whether nothing is compared."""
        return self.contrast_or_none is None

    @property
    def contrast_or_none(self) -> Literal["difference", "ratio", "hazard_ratio"] | None:
        """How two arms are compared, None if there is one arm."""
        return self.contrast or (None if self.versus is None else "difference")
