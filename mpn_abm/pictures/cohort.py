"""What became of each patient: times to events and changes, from the tables of a study or the rows of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mpn_abm.analysis.endpoints import details_on, times_to
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.trial import arms_of as patients_by_arm
from mpn_abm.analysis.trial import without_equal_weights
from mpn_abm.errors import UsageError
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.runs import arms_of, trajectory_of
from mpn_abm.scenario.endpoints import ENDPOINTS, columns_of, endpoint_of
from mpn_abm.scenario.suggestions import unknown

COLUMNS = ["arm", "patient", "time_days", "event", "died"]


def times_of(recording: Recording, endpoint: str) -> pd.DataFrame:
    """arm, patient, time_days, event, died, if patients have weights weight: the time to an event of each patient."""
    if recording.has("survival"):
        table = recording.frame("survival")
        if (table["endpoint"] == endpoint).any():
            return _weighted(recording, table.loc[table["endpoint"] == endpoint, COLUMNS].reset_index(drop=True))
    if endpoint not in ENDPOINTS or not ENDPOINTS[endpoint].is_event:
        raise UsageError(unknown("event", endpoint, events_of(recording)))
    pieces = [
        times_to(patients, endpoint, {}).rename_axis("patient").reset_index().assign(arm=arm)
        for arm, patients in _patients(recording)
    ]
    return _weighted(recording, pd.concat(pieces, ignore_index=True)[COLUMNS])


def _weighted(recording: Recording, table: pd.DataFrame) -> pd.DataFrame:
    """A table of patients with their weights, if they have any."""
    plan = without_equal_weights(recording.frame("plan")) if recording.is_study else table
    if "weight" not in plan or plan is table:
        return table
    return table.merge(plan[["arm", "patient", "weight"]], on=["arm", "patient"], how="left")


def events_of(recording: Recording) -> list[str]:
    """The endpoints with a time: those of the table, or those whose columns the trajectory has."""
    if recording.has("survival"):
        return [str(name) for name in recording.frame("survival")["endpoint"].unique()]
    recording.need("trajectory", "times to events are read from its rows")
    there = set(recording.columns("trajectory"))
    return [name for name, said in ENDPOINTS.items() if said.is_event and columns_of(name, {}) <= there]


def changes_of(recording: Recording, endpoint: str, day: float | None) -> tuple[pd.DataFrame, float | None]:
    """arm, patient, base, value, relative_change, as above weight, of a column or endpoint; and the day, None for the
    last.
    """
    if recording.has("endpoints"):
        table = recording.frame("endpoints")
        mine = table[table["endpoint"] == endpoint]
        if len(mine):
            asked = day if day is not None else _usual_day(mine)
            nearest = min(mine["day"].unique(), key=lambda one: abs(one - asked))
            return _weighted(recording, mine[mine["day"] == nearest].reset_index(drop=True)), float(nearest)
    pieces = []
    for arm, patients in _patients(recording):
        column = endpoint_of(endpoint, {}).column
        if column is None or column not in patients.table:
            raise UsageError(unknown("column", endpoint, map(str, patients.table.columns)))
        found = details_on(patients, endpoint, {}, day)
        pieces.append(found.rename_axis("patient").reset_index().assign(arm=arm))
    return _weighted(recording, pd.concat(pieces, ignore_index=True)), day


def _usual_day(table: pd.DataFrame) -> float:
    """The day of which most patients have a value, week 24 before others."""
    days = table.dropna(subset=["relative_change"]).groupby("day").size()
    return 168.0 if 168.0 in days.index else float(str(days.idxmax())) if len(days) else float(table["day"].max())


def _patients(recording: Recording) -> Iterator[tuple[str | None, Patients]]:
    recording.need("trajectory", "the patients are read from its rows")
    summary = recording.frame("summary") if recording.has("summary") else None
    if "dropout_day" in (recording.columns("plan") if recording.is_study else ()):
        # a trial does not see what becomes of those who have left
        yield from patients_by_arm(
            recording.frame("trajectory"), recording.frame("summary"), recording.frame("plan")
        ).items()
        return
    for arm in arms_of(recording):
        rows = trajectory_of(recording, arm, None)
        mine = summary
        if summary is not None:
            mine = summary if arm is None else summary[summary["arm"] == arm]
            if "patient" not in mine:
                mine = mine.assign(patient=mine["replicate"])
        yield arm, Patients(rows, mine)


def are_independent(times: pd.DataFrame) -> bool:
    """Whether no two arms share a patient."""
    known = times.dropna(subset=["arm"])
    return bool(known.groupby("patient")["arm"].nunique().max() == 1) if len(known) else True


def by_arm(table: pd.DataFrame) -> dict[str | None, pd.DataFrame]:
    """The rows of each arm, in their order; None for what has none."""
    if table["arm"].isna().all():
        return {None: table}
    return {str(arm): part for arm, part in table.groupby("arm", sort=False)}
