"""Kaplan-Meier and Aalen-Johansen on chosen days, with numbers at risk: the table under a survival curve."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from mpn_abm.analysis.endpoints import Own, times_to
from mpn_abm.analysis.headlines import Arms
from mpn_abm.analysis.patients import TOLERANCE
from mpn_abm.analysis.survival import incidence_with_interval, survival_at
from mpn_abm.scenario.endpoints import endpoint_of

COLUMNS = (
    "arm", "endpoint", "day", "at_risk", "events", "died", "censored", "survival", "survival_low", "survival_high",
    "incidence", "incidence_low", "incidence_high",
)  # fmt: skip


def km_table(arms: Arms, own: Own, names: Iterable[str], days: Iterable[float]) -> pd.DataFrame:
    """One row per arm, endpoint with a time, and day; the numbers count patients, the shares their weights."""
    days = [*days]
    rows = [
        {"arm": arm, "endpoint": name, **_on(times, day)}
        for name in names
        if endpoint_of(name, dict(own)).is_event
        for arm, patients in arms.items()
        for day in days
        for times in [times_to(patients, name, own, day)]
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _on(times: pd.DataFrame, day: float) -> dict[str, float]:
    time, event, died = (times[name].to_numpy() for name in ("time_days", "event", "died"))
    is_before = time < day - TOLERANCE
    free, (free_low, free_high) = survival_at(times, day)
    had, (had_low, had_high) = incidence_with_interval(times, day)
    return {
        "day": day,
        "at_risk": int((~is_before).sum()),
        "events": int((event & (time <= day + TOLERANCE)).sum()),
        "died": int((died & (time <= day + TOLERANCE)).sum()),
        "censored": int(np.sum(is_before & ~event & ~died)),
        "survival": free,
        "survival_low": free_low,
        "survival_high": free_high,
        "incidence": had,
        "incidence_low": had_low,
        "incidence_high": had_high,
    }
