"""The trajectories of the patients of one arm, as arrays by row and by patient.

A row is a recorded day of a patient. After death the columns are missing, whether the table still has rows or not.
What comes after a patient left the trial was not observed: neither rows nor death.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from mpn_abm.errors import UsageError
from mpn_abm.scenario.claim_columns import missing_column

# a row that misses a day by less than this part of a day is of that day
TOLERANCE = 1e-6
Floats = np.ndarray


class Patients:
    """The patients of one arm.

    Parameters
    ----------
    trajectory : DataFrame
        Rows of one arm: `patient` or else `replicate`, `day`, and columns; without `alive` all live.
    summary : DataFrame, optional
        One row per patient; its `death_day` tells the day of death more exactly than the rows do.
    plan : DataFrame, optional
        One row per patient of the arm; of its columns, `dropout_day` says when each leaves (null: never), and `weight`
        for how many each stands.
    """

    def __init__(
        self, trajectory: pd.DataFrame, summary: pd.DataFrame | None = None, plan: pd.DataFrame | None = None
    ) -> None:
        self._key = "patient" if "patient" in trajectory else "replicate"
        self._take(trajectory.sort_values([self._key, "day"], kind="stable").reset_index(drop=True))
        self._summary = None if summary is None or "death_day" not in summary else summary.set_index(self._key)
        self.weight: pd.Series | None = _weights(self._planned(plan, "weight"), self.names)
        self.dropout_day: Floats = self._planned(plan, "dropout_day")
        until = np.fmin(self.day[self.last], self.death_day) if len(self) else np.empty(0)
        self.has_left: np.ndarray = self.dropout_day < until - TOLERANCE
        if self.has_left.any():
            self._death_day = np.where(self.has_left, np.nan, self.death_day)
            leaves = np.where(self.has_left, self.dropout_day, np.inf)[self.owner]
            is_first = np.arange(len(self.day)) == self.first[self.owner]
            self._take(self.table[(self.day <= leaves + TOLERANCE) | is_first].reset_index(drop=True))

    def _take(self, table: pd.DataFrame) -> None:
        self.table = table
        self.day: Floats = table["day"].to_numpy(float)
        self.names, self.first, self.row_counts = np.unique(
            table[self._key].to_numpy(), return_index=True, return_counts=True
        )
        self.owner = np.repeat(np.arange(len(self.names)), self.row_counts)

    def _planned(self, plan: pd.DataFrame | None, name: str) -> Floats:
        """float[patients]: a column of the plan, NaN where it says nothing."""
        if plan is None or name not in plan:
            return np.full(len(self), np.nan)
        told = plan.drop_duplicates(self._key).set_index(self._key)[name]
        return told.reindex(self.names).to_numpy(float, na_value=np.nan)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def last(self) -> np.ndarray:
        """int[patients]: the last row of each."""
        return self.first + self.row_counts - 1

    @property
    def death_day(self) -> Floats:
        """float[patients]: day of death, NaN for those who live or left before."""
        return self._death_day

    @cached_property
    def _death_day(self) -> Floats:
        if "alive" in self.table:
            dead = ~self.table["alive"].astype("boolean").fillna(True).to_numpy(bool)
            day = self.least(np.where(dead, self.day, np.inf))
        else:
            day = np.full(len(self), np.inf)
        if self._summary is not None:
            told = self._summary["death_day"].reindex(self.names).to_numpy(float)
            day = np.where(np.isnan(told), day, told)
        return np.asarray(np.where(np.isinf(day), np.nan, day))

    @cached_property
    def is_after_death(self) -> np.ndarray:
        """bool[rows]"""
        return np.asarray(self.day >= self.death_day[self.owner])

    @cached_property
    def last_day_alive(self) -> Floats:
        """float[patients]: how long each was watched; the day of death or of leaving at the latest."""
        watched = np.fmin(self.day[self.last], self.death_day)
        return np.asarray(np.where(self.has_left, self.dropout_day, watched))

    def is_unobserved(self, day: float | Floats | None) -> np.ndarray:
        """bool[patients]: whether a day (None: the last of the run) comes after each had left.

        Who had left by then does not count, even if death came before: with the deaths counted and the lives not, the
        share of those alive would be too low.
        """
        return self.has_left if day is None else np.asarray(self.dropout_day < np.asarray(day, float) - TOLERANCE)

    def least(self, of_rows: Floats) -> Floats:
        """float[patients]: the lowest value of the rows of each."""
        return np.asarray(np.minimum.reduceat(of_rows, self.first)) if len(of_rows) else np.empty(0)

    def first_row(self, holds: np.ndarray) -> np.ndarray:
        """int[patients]: the first row of each at which something holds, -1 if there is none."""
        rows = np.arange(len(self.day))
        found = self.least(np.where(holds, rows, len(rows)))
        return np.where(found == len(rows), -1, found).astype(int)

    def row_from(self, day: float | Floats) -> np.ndarray:
        """int[patients]: the first row of each on a day or later, -1 if there is none."""
        asked = np.broadcast_to(np.asarray(day, float), len(self))
        return self.first_row(self.day >= (asked - TOLERANCE)[self.owner])

    def column(self, name: str) -> Floats:
        """float[rows]: a column of numbers; NaN where it is missing and after death."""
        values = self._found(name).astype("Float64").to_numpy(float, na_value=np.nan)
        return np.where(self.is_after_death, np.nan, values)

    def words(self, name: str) -> np.ndarray:
        """object[rows]: a column of words; None where it is missing and after death."""
        found = self._found(name)
        values = np.array(found.to_list(), object)
        values[self.is_after_death | found.isna().to_numpy()] = None
        return values

    def _found(self, name: str) -> pd.Series:
        if name not in self.table:
            raise UsageError(missing_column(name, map(str, self.table.columns)))
        return self.table[name]


def _weights(told: Floats, names: np.ndarray) -> pd.Series | None:
    """By patient, None where the plan says no weights."""
    if np.isnan(told).all():
        return None
    if not (np.isfinite(told) & (told >= 0.0)).all() or told.sum() <= 0.0:
        raise UsageError("weight: expected 0 or more for every patient, and not 0 for all")
    return pd.Series(told, index=names)


def at(values: np.ndarray, rows: np.ndarray) -> Floats:
    """float[patients]: the values at one row each, NaN where there is none."""
    return np.where(rows < 0, np.nan, values[np.maximum(rows, 0)]) if len(values) else np.full(len(rows), np.nan)
