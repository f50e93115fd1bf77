"""What an endpoint says of each patient: a value on a day, a yes or no on a day, the time to an event.

Answers are 1 (yes), 0 (no) and one half (not known, as a column is missing). Together conditions hold as the lowest of
their answers, alternatives as the highest, so that what is not known matters only where it decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from mpn_abm.analysis import growth
from mpn_abm.analysis.patients import TOLERANCE, Floats, Patients, at
from mpn_abm.scenario.endpoints import Criterion, Endpoint, Readings, endpoint_of

NO, UNKNOWN, YES = 0.0, 0.5, 1.0
DAYS_PER_YEAR = 365.25
Own = Mapping[str, Endpoint]


def values_on(patients: Patients, name: str, own: Own, day: float | None) -> pd.Series:
    """The value of an endpoint, by patient; of a yes or no 1 or 0.

    Without a day, that of each patient's last row. After death a value is missing and a yes or no is no; after a
    patient left both are missing. Patients of whom it asks nothing, because they had not the event that it follows, are
    left out.
    """
    endpoint = endpoint_of(name, dict(own))
    asked, since = _asked(patients, endpoint, own)
    rows = patients.last if day is None else patients.row_from(day + since)
    if endpoint.is_event:
        answers = answers_of(patients, endpoint)
        value = np.where(answers == UNKNOWN, np.nan, answers)
        is_dead = patients.death_day <= (np.inf if day is None else day + since)
        found = np.where((rows < 0) & is_dead, NO, at(value, rows))
        if endpoint.ever:
            # a yes of an earlier day stays one, also where the rows end with death
            found = np.where((rows < 0) & is_dead, at(value, patients.last), found)
    else:
        found = at(shown(patients, endpoint), rows)
    found = np.where(patients.is_unobserved(None if day is None else day + since), np.nan, found)
    return pd.Series(found, index=patients.names, name=name)[asked]


def times_to(patients: Patients, name: str, own: Own, by: float | None = None) -> pd.DataFrame:
    """By patient: `time_days` to the event or the end of watching, `event`, and `died` if death came first.

    With `weight` if patients have weights. What the row shows that stands for the day ``by`` was there by that day,
    also where the row is a part of a step later: a share on a day and the incidence by it agree.
    """
    endpoint = endpoint_of(name, dict(own))
    asked, since = _asked(patients, endpoint, own)
    row = _event_rows(patients, endpoint, since)
    day = at(patients.day, row)
    if by is not None:
        stands = (row >= 0) & (row == patients.row_from(by + since))
        day = np.where(stands, np.fmin(day, by + since), day)
    if endpoint.death == "event":
        day = np.fmin(day, patients.death_day)
    event = ~np.isnan(day)
    time = np.where(event, day, patients.last_day_alive) - since
    died = ~event & ~np.isnan(patients.death_day)
    table = pd.DataFrame({"time_days": time, "event": event, "died": died}, index=patients.names)
    if patients.weight is not None:
        table["weight"] = patients.weight
    return table[asked]


def _event_rows(patients: Patients, endpoint: Endpoint, since: Floats) -> np.ndarray:
    """int[patients]: the first row at which an event is seen, -1 if it never is; death is no row."""
    happens = _holds(patients, endpoint) == YES
    return patients.first_row(happens & (patients.day >= (since - TOLERANCE)[patients.owner]))


def telling_rows(patients: Patients, names: Iterable[str], own: Own, days: Sequence[float]) -> np.ndarray:
    """bool[rows]: the rows that say all about endpoints, their events and those that they follow on these days.

    They are the rows of the days, the first rows of the events, and where a change counts from the lowest value so far,
    the rows of that.
    """
    keep = np.zeros(len(patients.day), bool)
    for name in names:
        endpoint = endpoint_of(name, dict(own))
        _, since = _asked(patients, endpoint, own)
        rows = [patients.last, *(patients.row_from(day + since) for day in days)]
        if endpoint.steady is not None:
            rows += [patients.row_from(day) for day in endpoint.steady.at]
        if endpoint.is_event:
            rows.append(_event_rows(patients, endpoint, since))
        for row in rows:
            keep[row[row >= 0]] = True
        for condition in endpoint.conditions:
            if condition.change == "relative_to_lowest":
                for row in rows:
                    keep[_lowest_before(patients, condition, row)] = True
        keep |= telling_rows(patients, endpoint.follows, own, days)
    return keep


def _lowest_before(patients: Patients, condition: Criterion, row: np.ndarray) -> np.ndarray:
    """int[...]: the rows of the lowest value, from the day that counts up to a row, of patients who have that row."""
    assert condition.column is not None
    before = patients.day >= condition.from_day - TOLERANCE
    before &= np.arange(len(patients.day)) <= row[patients.owner]
    value = np.where(before, patients.column(condition.column), np.nan)
    lowest = pd.Series(value).groupby(patients.owner).transform("min").to_numpy(float)
    found = patients.first_row(value == lowest)
    return found[found >= 0]


def slopes(patients: Patients, name: str, own: Own, until: float | None) -> pd.Series:
    """The slope of a value per year, by patient, from `from_day` to a day or the end; missing below two rows."""
    endpoint = endpoint_of(name, dict(own))
    values = shown(patients, endpoint)
    last = np.inf if until is None else until + TOLERANCE
    used = ~np.isnan(values) & (patients.day >= endpoint.from_day - TOLERANCE) & (patients.day <= last)
    found = np.full(len(patients), np.nan)
    for k, first in enumerate(patients.first):
        rows = slice(first, first + patients.row_counts[k])
        years, those = patients.day[rows][used[rows]] / DAYS_PER_YEAR, values[rows][used[rows]]
        if len(years) > 1:
            found[k] = np.polynomial.Polynomial.fit(years, those, 1).convert().coef[1] if np.ptp(those) else 0.0
    return pd.Series(found, index=patients.names, name=name)


def details_on(patients: Patients, name: str, own: Own, day: float | None) -> pd.DataFrame:
    """By patient: the value on a day, and for an endpoint on one column of numbers its base and the changes."""
    endpoint = endpoint_of(name, dict(own))
    value = values_on(patients, name, own, day)
    table = pd.DataFrame({"base": np.nan, "value": value, "change": np.nan, "relative_change": np.nan})
    if endpoint.is_event or endpoint.column is None:
        return table
    raw = patients.column(endpoint.column)
    base = at(raw, patients.row_from(endpoint.from_day))
    there = at(raw, patients.last if day is None else patients.row_from(day))
    there = np.where(patients.is_unobserved(day), np.nan, there)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(base != 0.0, there / base - 1.0, np.nan)
    found = pd.DataFrame(
        {"base": base, "value": there, "change": there - base, "relative_change": relative}, index=patients.names
    )
    return found.loc[table.index]


def answers_of(patients: Patients, endpoint: Endpoint) -> Floats:
    """float[rows]: yes, no or not known on every recorded day."""
    holds = _holds(patients, endpoint)
    if endpoint.death == "event":
        free = 1.0 - _so_far(patients, holds)
        return np.where(patients.is_after_death, NO, free)
    return _so_far(patients, holds) if endpoint.ever else holds


def shown(patients: Patients, condition: Criterion) -> Floats:
    """float[rows]: the value that a condition looks at: the column itself, or its change."""
    assert condition.column is not None
    value = patients.column(condition.column)
    if condition.change is None:
        return value
    base = at(value, patients.row_from(condition.from_day))[patients.owner]
    if condition.change == "absolute":
        return np.asarray(value - base)
    if condition.change == "relative_to_lowest":
        counted = np.where(patients.day >= condition.from_day - TOLERANCE, value, np.nan)
        base = pd.Series(counted).groupby(patients.owner).cummin().to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(base != 0.0, value / base - 1.0, np.nan))


def _holds(patients: Patients, endpoint: Endpoint) -> Floats:
    """float[rows]: the answer on each day, without regard to other days."""
    parts = [_answer(patients, condition) for condition in endpoint.all]
    if endpoint.any:
        parts.append(np.maximum.reduce([_answer(patients, condition) for condition in endpoint.any]))
    if endpoint.column is not None and endpoint.asks:
        parts.append(_answer(patients, endpoint))
    if endpoint.steady is not None:
        parts.append(_grows_steadily(patients, endpoint, endpoint.steady))
    return np.minimum.reduce(parts) if parts else np.full(len(patients.day), NO)


def _answer(patients: Patients, condition: Criterion) -> Floats:
    """float[rows]: the answer of one condition; no after death, and before the day from which it counts."""
    assert condition.column is not None
    parts = []
    if condition.one_of:
        words = patients.words(condition.column)
        parts.append(np.where(words == None, UNKNOWN, np.isin(words, condition.one_of)))  # noqa: E711
    bounds = {
        np.greater: condition.above,
        np.greater_equal: condition.at_least,
        np.less: condition.below,
        np.less_equal: condition.at_most,
    }
    if any(bound is not None for bound in bounds.values()):
        value = shown(patients, condition)
        parts += [_compared(value, holds, bound) for holds, bound in bounds.items() if bound is not None]
    bases = {np.greater: condition.base_above, np.less: condition.base_below}
    if any(bound is not None for bound in bases.values()):
        base = at(patients.column(condition.column), patients.row_from(condition.from_day))[patients.owner]
        parts += [_compared(base, holds, bound) for holds, bound in bases.items() if bound is not None]
    answer = np.minimum.reduce(parts)
    return np.where(patients.is_after_death | (patients.day < condition.from_day - TOLERANCE), NO, answer)


def _grows_steadily(patients: Patients, endpoint: Endpoint, said: Readings) -> Floats:
    """float[rows]: whether the readings are those of steady growth; not known before the last; no after death."""
    assert endpoint.column is not None
    share = patients.column(endpoint.column)
    rows = np.stack([patients.row_from(day) for day in sorted(set(said.at))])
    verdict = np.full(len(patients), UNKNOWN)
    for k, who in enumerate(patients.names.tolist()):
        found = rows[rows[:, k] >= 0, k]
        if len(found) == len(rows) and not np.isnan(share[found]).any():
            counts = growth.readings(share[found], said.reads, said.copies, int(who))
            steady = growth.is_steady(patients.day[found] / DAYS_PER_YEAR, counts, said.reads, said.copies)
            verdict[k] = UNKNOWN if np.isnan(steady) else steady
    last = np.where(rows[-1] < 0, len(patients.day), rows[-1])
    answer = np.where(np.arange(len(patients.day)) < last[patients.owner], UNKNOWN, verdict[patients.owner])
    return np.where(patients.is_after_death, NO, answer)


def _compared(value: Floats, holds: np.ufunc, bound: float) -> Floats:
    return np.where(np.isnan(value), UNKNOWN, holds(value, bound))


def _so_far(patients: Patients, answers: Floats) -> Floats:
    """float[rows]: the highest answer up to each row."""
    return pd.Series(answers).groupby(patients.owner).cummax().to_numpy(float)


def _asked(patients: Patients, endpoint: Endpoint, own: Own) -> tuple[np.ndarray, Floats]:
    """bool[patients]: who is asked; float[patients]: the day from which days count for each."""
    asked = np.full(len(patients), True)
    since = np.zeros(len(patients))
    if endpoint.among is not None:
        had = times_to(patients, endpoint.among.endpoint, own)
        asked &= _by_patient(had["event"], patients, 0.0).astype(bool)
    if endpoint.since is not None:
        had = times_to(patients, endpoint.since, own)
        asked &= _by_patient(had["event"], patients, 0.0).astype(bool)
        since = np.where(asked, _by_patient(had["time_days"], patients, 0.0), 0.0)
    return asked, since


def _by_patient(told: pd.Series, patients: Patients, otherwise: float) -> np.ndarray:
    return told.reindex(patients.names, fill_value=otherwise).to_numpy()
