"""What a calibration aims at, and how far simulated values are from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, isnan, sqrt
from pathlib import Path

import numpy as np

from mpn_abm.errors import UsageError
from mpn_abm.scenario.claims import Claim
from mpn_abm.scenario.studies.observations import BAND
from mpn_abm.scenario.studies.observations import observations as observed
from mpn_abm.studies.calibrating.seeds import seed_of


@dataclass(frozen=True)
class Target:
    """A value that the model should show.

    Attributes
    ----------
    name : str
    value : float, optional
        What was seen; the middle of the band unless said.
    low, high : float, optional
        The band. With one of them alone, everything beyond it is as good.
    weight : float
    role : str
        Only `fit` enters a distance.
    column, day : optional
        Where an observation was made.
    """

    name: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    weight: float = 1.0
    role: str = "fit"
    column: str | None = None
    day: float | None = None

    @property
    def is_fitted(self) -> bool:
        """Whether it enters the distance."""
        return self.role == "fit" and self.weight > 0.0

    @property
    def centre(self) -> float:
        """The value to aim at."""
        if self.value is not None:
            return self.value
        if self.low is not None and self.high is not None:
            return (self.low + self.high) / 2.0
        return self.low if self.low is not None else self.high if self.high is not None else np.nan

    def residual(self, simulated: float) -> float:
        """How far a value is from the target, in half bands; 1 is the edge of the band."""
        off = simulated - self.centre
        if isnan(off) or self._is_beyond_the_only_limit(simulated):
            return off if isnan(off) else 0.0
        return off / self._scale(off)

    def seen(self, simulated: float, seed: int) -> float:
        """A simulated value as it would be seen: with an error that the band, as a 95 % interval, allows for."""
        if self.low is None or self.high is None:
            return simulated
        error = float(np.random.default_rng(seed_of(seed, self.name)).standard_normal())
        return simulated + error * self._scale(error) / BAND

    def holds(self, simulated: float) -> bool:
        """Whether a value lies in the band."""
        low, high = -inf if self.low is None else self.low, inf if self.high is None else self.high
        return low <= simulated <= high

    def _is_beyond_the_only_limit(self, simulated: float) -> bool:
        if self.high is None and self.low is not None:
            return simulated >= self.low
        return self.low is None and self.high is not None and simulated <= self.high

    def _scale(self, off: float) -> float:
        edge = self.low if off < 0.0 else self.high
        reach = 0.0 if edge is None else abs(edge - self.centre)
        if reach == 0.0 and self.low is not None and self.high is not None:
            reach = (self.high - self.low) / 2.0
        return reach or abs(self.centre) or 1.0


def fitted(targets: Iterable[Target]) -> list[Target]:
    """The targets that enter the distance.

    Raises
    ------
    UsageError
        If there are none.
    """
    found = [target for target in targets if target.is_fitted]
    if not found:
        raise UsageError("no target has `role: fit` and a weight: there is nothing to calibrate on")
    return found


def distance(targets: Sequence[Target], simulated: Mapping[str, float]) -> float:
    """Root mean square of the residuals, by weight; infinite if a value is missing. In half bands."""
    total = sum(target.weight * residual_of(target, simulated) ** 2 for target in targets)
    found = sqrt(total / sum(target.weight for target in targets))
    return found if isfinite(found) else inf


def residual_of(target: Target, simulated: Mapping[str, float]) -> float:
    """The residual of a target, NaN if its value is missing."""
    return target.residual(simulated.get(target.name, np.nan))


def of_claims(claims: Mapping[str, Claim]) -> list[Target]:
    """Targets from claims, by name; a claim without a role is fitted."""
    return [
        Target(
            name, claim.value, claim.low, claim.high, claim.weight, claim.role or "fit", claim.endpoint, claim.at_day
        )
        for name, claim in claims.items()
    ]


def observations(file: Path) -> list[Target]:
    """Targets from a CSV file, as `scenario.studies.observations` reads it."""
    return of_claims(observed(file))
