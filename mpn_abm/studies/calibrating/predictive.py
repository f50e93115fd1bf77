"""What the calibrated model shows of every target, fitted or not, in runs that played no part in the fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mpn_abm.analysis.patients import Floats
from mpn_abm.analysis.shares import LEVEL
from mpn_abm.studies.calibrating.evaluated import Evaluations
from mpn_abm.studies.calibrating.priors import Priors, point_of
from mpn_abm.studies.calibrating.seeds import seed_of
from mpn_abm.studies.calibrating.targets import Target

PREDICTIONS = (
    "target", "role", "published", "low", "high", "predicted", "predicted_low", "predicted_high", "held",
)  # fmt: skip


def drawn_again(
    evaluations: Evaluations, priors: Priors, unit: Floats, weights: Floats, number: int, seed: int
) -> list[dict[str, float]]:
    """Simulated targets of points drawn by weight, each with a new seed: those that were kept were lucky ones."""
    # systematic: each particle as often as its weight says, up to one
    places = (np.arange(number) + 0.5) / number
    rows = np.minimum(np.searchsorted(np.cumsum(weights) / weights.sum(), places), len(weights) - 1)
    points = [point_of(priors, list(unit[row]), seed_of(seed, "predict", k)) for k, row in enumerate(rows)]
    return evaluations.of(points)


def checked(targets: Sequence[Target], simulated: Sequence[Mapping[str, float]]) -> pd.DataFrame:
    """A row per target: what was published and what the points show (median and 95 % interval)."""
    rows = []
    for target in targets:
        values = np.array([each.get(target.name, np.nan) for each in simulated])
        known = values[~np.isnan(values)]
        shares = [0.5, 0.5 - LEVEL / 2.0, 0.5 + LEVEL / 2.0]
        middle, low, high = np.quantile(known, shares) if len(known) else [np.nan] * 3
        rows.append(
            (target.name, target.role, target.centre, target.low, target.high, middle, low, high, target.holds(middle))
        )
    table = pd.DataFrame(rows, columns=list(PREDICTIONS))
    return table.astype({"low": "float64", "high": "float64", "published": "float64", "held": bool})
