"""Whether a clone that is read by sequencing on a few days grows at a steady rate.

A sample of D reads shows the mutation in Binomial(D, h c) of them, c the clone's share of the cells and h of its copies
that are mutant. Growth is steady if the log-odds of c lie on a line in time: an exponential while the clone is small,
which levels off as it takes the whole marrow. The line of highest likelihood is put through the readings of a clone; a
reading is an outlier if, on that line, 2.5 % or less of all readings were as low, or as high (Fabre 2022 Nature
10.1038/s41586-022-04785-z, without the spread between samples that these authors add to that of counting).
"""

from __future__ import annotations

import numpy as np
from scipy import stats

TAIL = 0.025
READS_SEED = 2
MOST_STEPS = 50
# log-odds beyond which a share is nothing, or all
STEEPEST = 15.0


def readings(shares: np.ndarray, reads: int, copies: float, who: int) -> np.ndarray:
    """int[days]: mutant reads of a clone of these shares; the draws are those of the patient with this number."""
    rng = np.random.default_rng([READS_SEED, who])
    return np.asarray(rng.binomial(reads, copies * np.clip(shares, 0.0, 1.0)))


def steady_shares(years: np.ndarray, found: np.ndarray, reads: int, copies: float) -> np.ndarray:
    """float[days]: the shares on the line of highest likelihood (Fisher scoring), NaN if there is none."""
    sketch = np.clip((found + 0.5) / (reads + 1.0) / copies, 1e-6, 1.0 - 1e-6)
    odds = np.log(sketch / (1.0 - sketch))
    line = np.column_stack([np.ones(len(years)), years - years.mean()])
    for _ in range(MOST_STEPS):
        share = 1.0 / (1.0 + np.exp(-odds))
        chance = copies * share
        slope = chance * (1.0 - share)
        weight = reads * slope**2 / (chance * (1.0 - chance))
        target = odds + (found / reads - chance) / slope
        normal = line.T @ (weight[:, None] * line)
        if not np.isfinite(normal).all() or np.linalg.cond(normal) > 1e12:
            return np.full(len(years), np.nan)
        last, odds = odds, line @ np.linalg.solve(normal, line.T @ (weight * target))
        odds = np.clip(odds, -STEEPEST, STEEPEST)
        if np.abs(odds - last).max() < 1e-9:
            break
    return np.asarray(1.0 / (1.0 + np.exp(-odds)))


def is_steady(years: np.ndarray, found: np.ndarray, reads: int, copies: float) -> float:
    """1 if no reading is an outlier, 0 if one is, NaN where all reads are healthy or no line can be put through.

    Parameters
    ----------
    years : float[days]
    found : int[days]
        Mutant reads.
    reads : int
        Of each day.
    copies : float
        Part of a clone's copies of the gene that is mutant, 0.5 if heterozygous.
    """
    if not found.any():
        return np.nan
    chance = copies * steady_shares(years, found, reads, copies)
    if np.isnan(chance).any():
        return np.nan
    below = stats.binom.cdf(found, reads, chance)
    above = stats.binom.sf(found - 1, reads, chance)
    return float((np.minimum(below, above) >= TAIL).all())
