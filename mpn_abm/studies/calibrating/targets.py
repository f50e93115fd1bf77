"""What a calibration aims at, and how far simulated values are from it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, isnan, sqrt
from pathlib import Path

import numpy as np

from mpn_abm.errors import MissingFileError, Problem, ScenarioError, UsageError
from mpn_abm.scenario.claims import Claim
from mpn_abm.studies.calibrating.seeds import seed_of

BAND = 1.959964
"""Half a band in standard errors, where the band is a 95 % interval."""


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
    """Targets from a CSV file: day, column, value and sd (of the error of the value), optionally weight and role.

    A band reaches 1.96 sd to both sides.

    Raises
    ------
    ScenarioError
        With everything that is wrong in the file.
    MissingFileError
        If it cannot be read.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            rows = list(csv.DictReader(text, skipinitialspace=True))
    except (OSError, UnicodeDecodeError) as error:
        raise MissingFileError(f"{file}: cannot be read: {error}") from error
    missing = [name for name in ("day", "column", "value", "sd") if not rows or name not in rows[0]]
    if missing:
        told = f"expected rows with the columns day, column, value, sd; missing: {', '.join(missing)}"
        raise ScenarioError([Problem(str(file), 1, 1, "", "", told)])
    problems: list[Problem] = []
    found = [_observation(str(file), line, row, problems) for line, row in enumerate(rows, start=2)]
    names = [target.name for target in found]
    for line, name in enumerate(names, start=2):
        if name in names[: line - 2]:
            problems.append(Problem(str(file), line, 1, name, "", "the column was observed on this day already"))
    if problems:
        raise ScenarioError(problems)
    return found


def _observation(file: str, line: int, row: Mapping[str, str | None], problems: list[Problem]) -> Target:
    def number(name: str, default: float, least: float, told: str) -> float:
        word = (row.get(name) or "").strip()
        try:
            value = float(word) if word or name in ("day", "value", "sd") else default
        except ValueError:
            value = np.nan
        if not (isfinite(value) and value >= least):
            problems.append(Problem(file, line, 1, name, word, f"expected {told}"))
        return value

    column, role = (row["column"] or "").strip(), (row.get("role") or "fit").strip()
    day, value = number("day", 0.0, 0.0, "a day from 0 on"), number("value", 0.0, -inf, "a number")
    sd = number("sd", 1.0, np.nextafter(0.0, 1.0), "a number above 0")
    weight = number("weight", 1.0, 0.0, "a number from 0 on")
    if not column:
        problems.append(Problem(file, line, 1, "column", "", "expected a column of the trajectory"))
    if role not in ("fit", "test", "rival", "order", "unverified"):
        problems.append(Problem(file, line, 1, "role", role, "expected fit, test, rival, order or unverified"))
    return Target(f"{column}@{day:g}", value, value - BAND * sd, value + BAND * sd, weight, role, column, day)
