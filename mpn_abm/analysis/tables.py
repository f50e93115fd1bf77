"""The tables of a comparison: endpoints of each patient, times to events, statistics of arms and their differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

import pandas as pd

from mpn_abm.analysis.claims import question_of, versus_of
from mpn_abm.analysis.endpoints import Own, details_on, times_to
from mpn_abm.analysis.estimates import Question, estimate
from mpn_abm.analysis.headlines import CLEARED, HEADLINES, Arms
from mpn_abm.analysis.pairing import design_of
from mpn_abm.scenario.claims import OF_TIMES, Claim
from mpn_abm.scenario.endpoints import ENDPOINTS, Endpoint, columns_of, endpoint_of

Days = Iterable[float | None]
Asked = dict[tuple[Question, str, str | None], None]
"""Questions, each of an arm or of an arm versus another, in order."""
Contrast = Literal["difference", "ratio", "hazard_ratio"]
TIMES = ("arm", "patient", "endpoint", "time_days", "event", "died", "dropped_out")


def with_headlines(own: Own) -> dict[str, Endpoint]:
    """The endpoints of a file, and those that every comparison shows."""
    return {"cleared": CLEARED, **own}


def details(arms: Arms, own: Own, claims: Mapping[str, Claim], days: Days) -> pd.DataFrame:
    """One row per arm, patient, endpoint and day: base, value and changes."""
    return details_of(arms, own, _asked(arms, own, claims, days))


def details_of(arms: Arms, own: Own, asked: Iterable[tuple[str, float | None]]) -> pd.DataFrame:
    """As `details`, of these endpoints on these days."""
    pieces = []
    for name, day in asked:
        for arm, patients in arms.items():
            found = details_on(patients, name, own, day)
            ends = pd.Series(patients.day[patients.last], index=patients.names)
            when = ends.loc[found.index].to_numpy() if day is None else day
            pieces.append(found.rename_axis("patient").reset_index().assign(arm=arm, endpoint=name, day=when))
    return pd.concat(pieces, ignore_index=True)


def event_times(arms: Arms, own: Own, claims: Mapping[str, Claim]) -> pd.DataFrame:
    """One row per arm, patient and endpoint with a time: when, whether it was the event, whether it was death."""
    return times_of(arms, own, _names(arms, own, claims))


def times_of(arms: Arms, own: Own, names: Iterable[str]) -> pd.DataFrame:
    """As `event_times`, of the endpoints of these names that have a time."""
    pieces = []
    for name in names:
        if endpoint_of(name, dict(own)).is_event:
            for arm, patients in arms.items():
                found = times_to(patients, name, own)
                left = pd.Series(patients.has_left, index=patients.names).loc[found.index]
                found = found.assign(arm=arm, endpoint=name, dropped_out=left & ~found["event"])
                pieces.append(found.rename_axis("patient").reset_index())
    return pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame(columns=list(TIMES))


def compared(arms: Arms, own: Own, claims: Mapping[str, Claim], days: Days, reference: str) -> pd.DataFrame:
    """The mean (of a yes or no the share) in each arm and its difference to the reference; and what claims ask."""
    asked: Asked = {}
    for name, day in _asked(arms, own, claims, days):
        ask(asked, Question(name, day), arms, reference)
    return answered(asked | asked_by(claims, reference), own, arms)


def ask(asked: Asked, question: Question, arms: Arms, reference: str, contrast: Contrast = "difference") -> None:
    """Ask a question of every arm, and how each differs from the reference."""
    for arm in arms:
        asked[question, arm, None] = None
        if arm != reference:
            asked[replace(question, contrast=contrast), arm, reference] = None


def asked_by(claims: Mapping[str, Claim], reference: str) -> Asked:
    """What claims on arms ask."""
    asked: Asked = {}
    for claim in claims.values():
        versus = versus_of(claim, reference) if claim.contrast_or_none else None
        if claim.arm is not None:
            asked[question_of(claim), claim.arm, versus] = None
    return asked


def answered(asked: Asked, own: Own, arms: Arms) -> pd.DataFrame:
    """The rows of a comparison: each question of an arm, or of an arm versus another, with its design."""
    design, rows = design_of(arms), []
    for question, arm, versus in asked:
        found = estimate(question, own, arms[arm], None if versus is None else arms[versus])
        rows.append(
            {
                "endpoint": question.endpoint, "day": question.day, "arm": arm, "versus": versus,
                "statistic": question.statistic, "contrast": question.contrast, "estimate": found.value,
                "low": found.low, "high": found.high, "n": found.n, "p_value": found.p_value, "design": design,
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
