"""The runs of a design as arrays: points in their order, replicates beside each other, parameters from 0 to 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mpn_abm.analysis.patients import Floats
from mpn_abm.errors import UsageError

Range = tuple[float, float, str]
"""Low, high, and `linear` or `log`."""


@dataclass(frozen=True)
class Design:
    """Points that were run.

    Attributes
    ----------
    parameters : sequence of str
    unit : float[points, parameters]
        Each parameter from 0 (low) to 1 (high).
    runs : float[points, replicates]
        The endpoint; NaN where a run has none.
    """

    parameters: Sequence[str]
    unit: Floats
    runs: Floats


def design_of(frame: pd.DataFrame, parameters: Sequence[str], ranges: Mapping[str, Range] | None = None) -> Design:
    """The design behind a table with a row per run.

    Parameters
    ----------
    frame : DataFrame
        Columns `patient` (the number of the point), `replicate`, `value` and one per parameter.
    parameters : sequence of str
        The paths that varied.
    ranges : mapping, optional
        By path; the lowest and highest value there is, linear, unless said.

    Raises
    ------
    UsageError
        If a parameter is no number or does not vary.
    """
    points = frame.drop_duplicates("patient").sort_values("patient").set_index("patient")
    unit = np.column_stack([_unit(points[name], (ranges or {}).get(name)) for name in parameters])
    runs = frame.pivot(index="patient", columns="replicate", values="value").loc[points.index]
    return Design(tuple(parameters), unit, runs.to_numpy(float))


def complete(design: Design, block: int) -> tuple[Design, int]:
    """The blocks of points in which every run has a value, and how many points were left out."""
    blocks = len(design.runs) // block
    known = ~np.isnan(design.runs[: blocks * block]).any(axis=1)
    kept = np.repeat(known.reshape(blocks, block).all(axis=1), block)
    used = np.flatnonzero(kept)
    return Design(design.parameters, design.unit[used], design.runs[used]), len(design.runs) - len(used)


def _unit(values: pd.Series, asked: Range | None) -> Floats:
    if not pd.api.types.is_numeric_dtype(values):
        raise UsageError(f"{values.name}: its values are no numbers, and a sensitivity needs numbers")
    low, high, scale = asked or (float(values.min()), float(values.max()), "linear")
    if not low < high:
        raise UsageError(f"{values.name}: does not vary: leave it out of the parameters")
    if scale == "log":
        return np.asarray(np.log(values.to_numpy(float) / low) / np.log(high / low))
    return np.asarray((values.to_numpy(float) - low) / (high - low))
