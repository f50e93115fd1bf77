"""Patients drawn again with a fixed seed (bootstrap): what a statistic says of the draws."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mpn_abm.analysis.shares import LEVEL, NOT_KNOWN, Interval

BOOTSTRAP_SEED = 1
BOOTSTRAP_SAMPLES = 1999
# draws times patients that are in memory at once
LARGEST = 2_000_000


def over_draws(
    numbers: tuple[int, ...],
    statistic: Callable[..., np.ndarray],
    samples: int = BOOTSTRAP_SAMPLES,
    seed: int = BOOTSTRAP_SEED,
    sizes: tuple[int, ...] | None = None,
    chances: tuple[np.ndarray | None, ...] | None = None,
) -> np.ndarray:
    """float[samples]: a statistic of how often each patient of each group occurs in a draw with replacement.

    Parameters
    ----------
    numbers : tuple of int
        Patients of each group; groups are drawn independently of one another.
    statistic : callable
        Takes int[draws, patients] of each group, and returns float[draws].
    sizes : tuple of int, optional
        How many are drawn from each group; as many as it has unless said.
    chances : tuple, optional
        float[patients] of each group, with sum 1: how likely each is drawn; None where all are alike.
    """
    rng = np.random.default_rng(seed)
    sizes = numbers if sizes is None else sizes
    chances = (None,) * len(numbers) if chances is None else chances
    at_once = max(LARGEST // max(*numbers, *sizes, 1), 1)
    found = []
    for start in range(0, samples, at_once):
        draws = min(at_once, samples - start)
        found.append(statistic(*(_counts(rng, draws, *group) for group in zip(numbers, sizes, chances))))
    return np.concatenate(found)


def _counts(rng: np.random.Generator, draws: int, number: int, size: int, chances: np.ndarray | None) -> np.ndarray:
    """int[draws, patients]: how often each is drawn."""
    who = rng.integers(0, number, (draws, size)) if chances is None else rng.choice(number, (draws, size), p=chances)
    drawn = who + np.arange(draws)[:, None] * number
    return np.bincount(drawn.ravel(), minlength=draws * number).reshape(draws, number)


def percentiles(drawn: np.ndarray) -> Interval:
    """The interval that the draws give; not known where one of them has no value, as a median that is not reached."""
    if len(drawn) < 2 or np.isnan(drawn).any():
        return NOT_KNOWN
    low, high = np.quantile(drawn, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return float(low), float(high)


def p_value_of(drawn: np.ndarray, nothing: float = 0.0) -> float:
    """Twice the share of draws on the rarer side of no difference; NaN where not every draw has a value."""
    if len(drawn) < 2 or np.isnan(drawn).any():
        return np.nan
    rarer = min(int((drawn <= nothing).sum()), int((drawn >= nothing).sum()))
    return min(2.0 * (rarer + 1) / (len(drawn) + 1), 1.0)
