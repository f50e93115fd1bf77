"""Parameters between 0 and 1: each stands for the quantile of its prior, which is uniform there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from mpn_abm.analysis.patients import Floats
from mpn_abm.studies.calibrating.evaluated import Point


class Prior(Protocol):
    """What a prior has to do; a frozen distribution of scipy.stats does it."""

    def ppf(self, q: Any, /) -> Any:
        """The value at a quantile."""


Priors = Mapping[str, Prior]


def point_of(priors: Priors, unit: Sequence[float], seed: int) -> Point:
    """The point at quantiles of the priors."""
    values = {path: value_of(prior, quantile) for (path, prior), quantile in zip(priors.items(), unit, strict=True)}
    return {**values, "seed": seed}


def value_of(prior: Prior, quantile: float) -> Any:
    """A plain number (or word, of a choice of words)."""
    return np.asarray(prior.ppf(float(quantile))).item()


def frame_of(priors: Priors, unit: Floats) -> pd.DataFrame:
    """A column of values per path, from float[rows, paths] of quantiles."""
    return pd.DataFrame(
        {path: [value_of(prior, quantile) for quantile in unit[:, k]] for k, (path, prior) in enumerate(priors.items())}
    )
