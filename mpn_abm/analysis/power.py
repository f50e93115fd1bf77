"""How many patients a trial needs: smaller and larger ones drawn from one large trial.

A large trial is a sample itself. Its effect is known within its own error, which no number of repeats makes smaller:
drawing again as many patients as it has says no more than its p-value. With N patients the noncentrality of a trial of
m is known with a standard error of sqrt(m / N); `trial_low` and `trial_high` are the power at its 95 % limits, by the
normal approximation of a two-sided test, and `answered` says whether N is large enough. Where it is not, more patients
have to be simulated. Where all patients are alike, or an arm has none, the large trial leaves every power possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, stats

from mpn_abm.analysis.endpoints import Own, times_to, values_on
from mpn_abm.analysis.headlines import Arms
from mpn_abm.analysis.pairing import PAIRED, design_between
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.resampling import over_draws
from mpn_abm.analysis.shares import LEVEL, wilson
from mpn_abm.analysis.trial_tests import TestOfDraws, of_pairs, of_times, of_values
from mpn_abm.errors import UsageError
from mpn_abm.scenario.endpoints import endpoint_of

SEED = 2
# how far apart the powers may be that the large trial leaves possible
WIDEST = 0.2


@dataclass(frozen=True)
class PowerQuestion:
    """Which trials are planned.

    `arms` are the two that are compared. `day` None asks the time to the event (log-rank; of twins the difference of
    restricted means), or the last value. `sizes` are patients of each arm. `design` is that of the planned trials, of
    the large one unless said: of twins also independent groups can be drawn, but not the other way round.
    """

    endpoint: str
    arms: tuple[str, str]
    day: float | None = None
    sizes: tuple[int, ...] = (25, 50, 100, 200)
    repeats: int = 1000
    alpha: float = 0.05
    design: str | None = None


def power(asked: PowerQuestion, own: Own, arms: Arms) -> pd.DataFrame:
    """One row per size: the share of drawn trials with a significant difference, and how sure that is.

    Raises
    ------
    UsageError
        If pairs are asked of arms that hold different patients, or an arm is not there.
    """
    for arm in asked.arms:
        if arm not in arms:
            raise UsageError(f"power.arms: {arm}: expected one of {', '.join(arms)}")
    versus, arm = asked.arms
    one, other = arms[arm], arms[versus]
    there = design_between(one.names, other.names)
    design = asked.design or there
    if design == PAIRED != there:
        raise UsageError(
            "power.design: paired: expected independent, as the arms of the large trial hold different patients"
        )
    test = _test(asked, own, one, other, design)
    everybody = (np.ones((1, number), int) for number in test.numbers)
    is_testable = not np.isnan(test.p_values(*everybody)[0])
    rows = [
        {
            "endpoint": asked.endpoint, "day": asked.day, "arm": arm, "versus": versus, "design": design,
            "test": test.name, "alpha": asked.alpha, "size": size, "repeats": asked.repeats,
            **_of_size(asked, test, size, is_testable),
        }
        for size in asked.sizes
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"day": "float64", "patients_needed": "Int64"})


def counted_as_one(numbers: Iterable[int]) -> float:
    """Patients that count as one number: of two groups the harmonic mean."""
    shares = [1.0 / number for number in numbers]
    return len(shares) / sum(shares)


def _test(asked: PowerQuestion, own: Own, one: Patients, other: Patients, design: str) -> TestOfDraws:
    is_event = endpoint_of(asked.endpoint, dict(own)).is_event
    if asked.day is None and is_event:
        first, second = (times_to(patients, asked.endpoint, own) for patients in (one, other))
        return of_times(first, second, design)
    one_values, other_values = (values_on(patients, asked.endpoint, own, asked.day) for patients in (one, other))
    make: Callable[..., TestOfDraws] = of_pairs if design == PAIRED else of_values
    return make(one_values, other_values, is_event, one.weight, other.weight)


def _of_size(asked: PowerQuestion, test: TestOfDraws, size: int, is_testable: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"patients": test.numbers[0], "patients_versus": test.numbers[-1]}
    if not is_testable:
        found |= dict.fromkeys(("power", "low", "high"), np.nan)
        return found | {"trial_low": 0.0, "trial_high": 1.0, "patients_needed": None, "answered": False}
    sizes = (size,) * len(test.numbers)
    p_values = over_draws(test.numbers, test.p_values, asked.repeats, SEED, sizes, test.chances)
    significant = int((p_values < asked.alpha).sum())
    share = significant / asked.repeats
    low, high = wilson(significant, asked.repeats)
    patients = counted_as_one(test.numbers)
    trial_low, trial_high = _range(share, asked, np.sqrt(size / patients))
    needed = _patients_needed(share, asked, size)
    return found | {
        "power": share, "low": low, "high": high, "trial_low": trial_low, "trial_high": trial_high,
        "patients_needed": needed, "answered": patients >= needed,
    }  # fmt: skip


def _range(share: float, asked: PowerQuestion, error: float) -> tuple[float, float]:
    """The power where the noncentrality is higher and lower by so many standard errors' reach."""
    # a share of 0 or 1 has no quantile
    known = float(np.clip(share, 0.5 / asked.repeats, 1.0 - 0.5 / asked.repeats))
    reach, middle = float(stats.norm.ppf(0.5 + LEVEL / 2)) * error, float(stats.norm.ppf(known))
    return float(stats.norm.cdf(middle - reach)), float(stats.norm.cdf(middle + reach))


def _patients_needed(share: float, asked: PowerQuestion, size: int) -> int:
    def too_wide(error: float) -> float:
        low, high = _range(share, asked, error)
        return high - low - WIDEST

    return ceil(size / float(optimize.brentq(too_wide, 0.0, 100.0)) ** 2)
