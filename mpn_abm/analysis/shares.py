"""Shares of patients and their differences, with Wilson's and Newcombe's intervals.

Where patients have weights, the counts are those of as many patients as say the same without (Kish's effective number).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

LEVEL = 0.95
Interval = tuple[float, float]
NOT_KNOWN: Interval = (np.nan, np.nan)
Told = tuple[float, Interval]


class Share(NamedTuple):
    """A share of so many patients."""

    value: float
    number: float

    @property
    def interval(self) -> Interval:
        """Wilson's interval."""
        return wilson(self.value * self.number, self.number)


def wilson(yes: float, number: float) -> Interval:
    """Wilson's interval of a share (JASA 1927, 22:209); of counts that need not be whole."""
    if number == 0:
        return NOT_KNOWN
    z, share = float(stats.norm.ppf(0.5 + LEVEL / 2)), yes / number
    middle = (share + z * z / (2 * number)) / (1 + z * z / number)
    reach = z / (1 + z * z / number) * np.sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    # at the ends the sum is 0 or 1 but for rounding
    low, high = 0.0 if yes <= 0 else middle - reach, 1.0 if yes >= number else middle + reach
    return float(low), float(high)


def effective_number(weights: np.ndarray | None, number: int) -> float:
    """How many patients without weights say as much: (sum w)^2 / sum w^2."""
    if weights is None or number == 0:
        return float(number)
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0.0 else 0.0


def share_of(yes: np.ndarray, weights: np.ndarray | None = None) -> Share:
    """The share of ones."""
    number = effective_number(weights, len(yes))
    return Share(float(np.average(yes, weights=weights)) if number > 0 else np.nan, number)


def newcombe(first: Share, second: Share, correlation: float = 0.0) -> Interval:
    """Newcombe's interval of a difference, from Wilson's of both (Stat Med 1998, 17:873; of pairs 17:2635)."""
    return square_and_add((first.value, first.interval), (second.value, second.interval), correlation)


def square_and_add(first: Told, second: Told, correlation: float = 0.0) -> Interval:
    """The interval of a difference, from the value and the interval of each."""
    (value, (low, high)), (value_other, (low_other, high_other)) = first, second
    down, up, down_other, up_other = value - low, high - value, value_other - low_other, high_other - value_other
    below = np.sqrt(max(down**2 - 2 * correlation * down * up_other + up_other**2, 0.0))
    above = np.sqrt(max(up**2 - 2 * correlation * up * down_other + down_other**2, 0.0))
    return float(value - value_other - below), float(value - value_other + above)


def newcombe_of_pairs(first: np.ndarray, second: np.ndarray, weights: np.ndarray | None = None) -> Interval:
    """Newcombe's interval of the difference of shares of the same patients."""
    one, other = share_of(first, weights), share_of(second, weights)
    spread = np.sqrt(one.value * (1 - one.value) * other.value * (1 - other.value))
    together = share_of(first * second, weights).value - one.value * other.value
    return newcombe(one, other, together / spread if spread > 0.0 else 0.0)


def mcnemar(only_first: np.ndarray, only_second: np.ndarray) -> np.ndarray:
    """McNemar's exact p-value from the numbers of pairs with a yes in one only; NaN where there are none."""
    changed = only_first + only_second
    tail = stats.binom.cdf(np.minimum(only_first, only_second), changed, 0.5)
    return np.asarray(np.where(changed > 0, np.minimum(2.0 * tail, 1.0), np.nan))


def fisher(yes_one: int, number_one: int, yes_other: int, number_other: int) -> float:
    """Fisher's exact p-value of two independent groups."""
    counts = np.array([[yes_one, number_one - yes_one], [yes_other, number_other - yes_other]])
    return float(stats.fisher_exact(counts).pvalue)
