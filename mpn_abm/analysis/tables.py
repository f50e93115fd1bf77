"""The tables of a comparison: endpoints of each patient, times to events, statistics of arms and their differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from mpn_abm.analysis.claims import question_of, versus_of
from mpn_abm.analysis.endpoints import Own, details_on, times_to
from mpn_abm.analysis.estimates import Question, estimate
from mpn_abm.analysis.headlines import CLEARED, HEADLINES, Arms
from mpn_abm.scenario.claims import OF_TIMES, Claim
from mpn_abm.scenario.endpoints import ENDPOINTS, Endpoint, columns_of, endpoint_of

Days = Iterable[float | None]


def with_headlines(own: Own) -> dict[str, Endpoint]:
    """The endpoints of a file, and those that every comparison shows."""
    return {"cleared": CLEARED, **own}


def details(arms: Arms, own: Own, claims: Mapping[str, Claim], days: Days) -> pd.DataFrame:
    """One row per arm, patient, endpoint and day: base, value and changes."""
    pieces = []
    for name, day in _asked(arms, own, claims, days):
        for arm, patients in arms.items():
            found = details_on(patients, name, own, day)
            ends = pd.Series(patients.day[patients.last], index=patients.names)
            when = ends.loc[found.index].to_numpy() if day is None else day
            pieces.append(found.rename_axis("patient").reset_index().assign(arm=arm, endpoint=name, day=when))
    return pd.concat(pieces, ignore_index=True)


def event_times(arms: Arms, own: Own, claims: Mapping[str, Claim]) -> pd.DataFrame:
    """One row per arm, patient and endpoint with a time: when, whether it was the event, whether it was death."""
    names = [name for name in _names(arms, own, claims) if endpoint_of(name, dict(own)).is_event]
    pieces = [
        times_to(patients, name, own).rename_axis("patient").reset_index().assign(arm=arm, endpoint=name)
        for name in names
        for arm, patients in arms.items()
    ]
    return pd.concat(pieces, ignore_index=True)


def compared(arms: Arms, own: Own, claims: Mapping[str, Claim], days: Days, reference: str) -> pd.DataFrame:
    """The mean (of a yes or no the share) in each arm and its difference to the reference; and what claims ask."""
    asked: dict[tuple[Question, str, str | None], None] = {}
    for name, day in _asked(arms, own, claims, days):
        for arm in arms:
            asked[Question(name, day), arm, None] = None
            if arm != reference:
                asked[Question(name, day, contrast="difference"), arm, reference] = None
    for claim in claims.values():
        versus = versus_of(claim, reference) if claim.contrast_or_none else None
        if claim.arm is not None:
            asked[question_of(claim), claim.arm, versus] = None
    rows = []
    for question, arm, versus in asked:
        found = estimate(question, own, arms[arm], None if versus is None else arms[versus])
        rows.append(
            {
                "endpoint": question.endpoint, "day": question.day, "arm": arm, "versus": versus,
                "statistic": question.statistic, "contrast": question.contrast, "estimate": found.value,
                "low": found.low, "high": found.high, "n": found.n, "p_value": found.p_value,
            }
        )  # fmt: skip
    return pd.DataFrame(rows).astype({"day": "float64"})


def _asked(arms: Arms, own: Own, claims: Mapping[str, Claim], days: Days) -> list[tuple[str, float | None]]:
    """Endpoints and days: every endpoint on the days of the headlines, those of claims on theirs."""
    days = list(days)
    asked = [(name, day) for name in _names(arms, own, {}) for day in days]
    asked += [
        (claim.endpoint, claim.at_day)
        for claim in claims.values()
        if claim.statistic not in OF_TIMES and claim.contrast != "hazard_ratio"
    ]
    return list(dict.fromkeys(asked))


def _names(arms: Arms, own: Own, claims: Mapping[str, Claim]) -> list[str]:
    """The endpoints of which the tables have the columns, headlines first."""
    there = set.intersection(*(set(patients.table.columns) for patients in arms.values()))
    names = dict.fromkeys([*HEADLINES, *ENDPOINTS, *own, *(claim.endpoint for claim in claims.values())])
    return [name for name in names if columns_of(name, dict(own)) <= there]
