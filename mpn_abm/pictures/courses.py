"""Courses over replicates: the median and the band in which most of them lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

LOW, HIGH = 0.1, 0.9
# fewer runs are drawn one by one
FEWEST_FOR_A_BAND = 5


@dataclass(frozen=True)
class Course:
    """One column of some runs.

    Attributes
    ----------
    day, middle, low, high : float arrays
        The median and the quantiles 0.1 and 0.9, on days of at least half of the runs that come so far.
    single : list of (day, value)
        The runs one by one, where they are few.
    runs : int
    """

    day: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray
    single: list[tuple[np.ndarray, np.ndarray]]
    runs: int


def course(rows: pd.DataFrame, column: str) -> Course:
    """The course of a column; after death nothing is drawn, and a run that a `stop` has ended stays as it was."""
    known = rows[["patient", "day", column]].dropna()
    by_run = [(part["day"].to_numpy(float), part[column].to_numpy(float)) for _, part in known.groupby("patient")]
    runs = len(by_run)
    if runs <= 1:
        day, value = by_run[0] if by_run else (np.empty(0), np.empty(0))
        return Course(day, value, value, value, [], runs)
    # a last day that only one run has would draw that run alone
    ends = np.sort(np.array([day[-1] for day, _ in by_run]))
    number = known.groupby("day").size()
    running = runs - np.searchsorted(ends, number.index.to_numpy(float), side="left")
    common = number.index[number.to_numpy() * 2 >= running]
    values = known.pivot_table(index="day", columns="patient", values=column, aggfunc="last")
    low, middle, high = _kept_after_the_end(values, rows).loc[common].quantile([LOW, 0.5, HIGH], axis=1).to_numpy(float)
    single = by_run if runs < FEWEST_FOR_A_BAND else []
    return Course(common.to_numpy(float), middle, low, high, single, runs)


def _kept_after_the_end(values: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The last value of each run whose patient did not die, on all later days as well."""
    lives = pd.Series(True, index=values.columns)
    if "alive" in rows:
        alive = rows["alive"].astype("boolean").fillna(True).astype(bool)
        lives = alive.groupby(rows["patient"]).all().reindex(values.columns)
    kept = values.ffill()
    # between two of its rows a run is not known
    last = values.apply(lambda run: run.last_valid_index())
    day = values.index.to_numpy(float)[:, None]
    return values.where((day <= last.to_numpy(float)) | ~lives.to_numpy(bool), kept)


def share_alive(rows: pd.DataFrame) -> Course | None:
    """The share of runs alive, None if nobody died."""
    if "alive" not in rows or rows["alive"].astype("boolean").fillna(True).all():
        return None
    dead = rows[~rows["alive"].astype("boolean").fillna(True).to_numpy(bool)].groupby("patient")["day"].min()
    day = np.unique(rows["day"].to_numpy(float))
    runs = rows["patient"].nunique()
    alive = 1.0 - np.searchsorted(np.sort(dead.to_numpy(float)), day, side="right") / runs
    return Course(day, alive, alive, alive, [], runs)
