"""The points of a sweep: which parameters vary, and what came out at each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mpn_abm.columns import TABLES
from mpn_abm.errors import UsageError
from mpn_abm.pictures.recording import Recording
from mpn_abm.scenario.suggestions import unknown

IDENTITY = ("run_id", "arm", "patient", "replicate", "seed", "weight")
USUAL = ("vaf_driver_end", "spleen_best_relative_change", "end_day")
# with more levels than this a parameter counts as continuous
MOST_LEVELS = 12


@dataclass(frozen=True)
class Points:
    """One row per point, the mean over its replicates.

    Attributes
    ----------
    table : DataFrame
        A column for each parameter that varies, and the value.
    parameters : list of str
    value : str
    unit : str
    runs : int
    """

    table: pd.DataFrame
    parameters: list[str]
    value: str
    unit: str
    runs: int


def points_of(recording: Recording, value: str | None, arm: str | None, asked: list[str] | None) -> Points:
    """The points of a sweep and a column of its summary."""
    recording.need("summary", "its rows are the points of a sweep")
    rows = recording.frame("summary")
    outcomes = {column.name for column in TABLES["summary"]} - set(IDENTITY)
    if arm is not None:
        rows = rows[rows["arm"] == arm]
    elif "arm" in rows and rows["arm"].nunique() > 1:
        raise UsageError(f"--arm: expected one of {', '.join(map(str, rows['arm'].unique()))}")
    candidates = [str(name) for name in rows.columns if name not in IDENTITY and name not in outcomes]
    varying = [name for name in candidates if rows[name].nunique(dropna=False) > 1]
    if not varying:
        raise UsageError(f"{recording.place}: no parameter varies in its summary: this is for sweeps")
    for name in asked or ():
        if name not in varying:
            raise UsageError(f"--columns: {unknown('parameter that varies', name, varying)}")
    chosen = asked or varying
    known = [name for name in rows.columns if name in outcomes and pd.api.types.is_numeric_dtype(rows[name])]
    name = value or next((one for one in USUAL if one in known and rows[one].nunique() > 1), "vaf_driver_end")
    if name not in rows or not (pd.api.types.is_numeric_dtype(rows[name]) or pd.api.types.is_bool_dtype(rows[name])):
        raise UsageError(f"--endpoint: {unknown('column of numbers of the summary', name, known)}")
    numbers = rows.assign(**{name: rows[name].astype(float)})
    table = numbers.groupby(varying, dropna=False)[name].mean().reset_index()
    return Points(table, chosen, name, recording.unit(name, "summary"), len(rows))


def is_log(values: pd.Series) -> bool:
    """Whether numbers spread over so many powers of ten that their logarithm reads better."""
    return is_number(values) and bool(values.min() > 0 and values.max() / values.min() >= 9.99)


def is_number(values: pd.Series) -> bool:
    """Whether a parameter has numbers, and not words."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def levels_of(values: pd.Series) -> list[object] | None:
    """The levels of a parameter in order, None if it is continuous."""
    levels = sorted(values.dropna().unique(), key=lambda one: (str(type(one)), one) if not is_number(values) else one)
    return list(levels) if len(levels) <= MOST_LEVELS or not is_number(values) else None


def bins_of(values: pd.Series, number: int) -> np.ndarray:
    """Borders of bins over a continuous parameter."""
    low, high = float(values.min()), float(values.max())
    return np.geomspace(low, high, number + 1) if is_log(values) else np.linspace(low, high, number + 1)


def level_words(level: object) -> str:
    """A level as it stands on an axis."""
    return f"{level:g}" if isinstance(level, int | float | np.number) and not isinstance(level, bool) else str(level)


def path_words(path: str) -> str:
    """The path of a parameter in at most two lines."""
    head, _, tail = path.rpartition(".")
    return f"{head}.\n{tail}" if len(path) > 24 and head else path
