"""Where the patients of a trial went, as the flow chart of a report counts them (CONSORT)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from mpn_abm.analysis.endpoints import Own, times_to, values_on
from mpn_abm.analysis.headlines import Arms
from mpn_abm.analysis.pairing import design_of
from mpn_abm.analysis.patients import TOLERANCE, Patients
from mpn_abm.scenario.endpoints import columns_of


def flow(
    arms: Arms, own: Own, names: Iterable[str], days: Iterable[float], plan: pd.DataFrame | None = None
) -> pd.DataFrame:
    """One row per arm and day: everybody allocated is failed, dead, gone, ended, or evaluable.

    Parameters
    ----------
    arms : mapping
        The patients of each arm.
    own : mapping
        The endpoints of the file.
    names : iterable of str
        The endpoints of the trial: who has a value of any of them is analysed.
    days : iterable of float
        The days.
    plan : DataFrame, optional
        A row per run with `arm` and `patient`; those without a trajectory failed.
    """
    names, design = list(names), design_of(arms)
    planned = {arm: set(patients.names) for arm, patients in arms.items()}
    if plan is not None:
        planned |= {str(arm): set(rows["patient"]) for arm, rows in plan.groupby("arm")}
    enrolled = len(set().union(*planned.values()))
    rows = []
    for day in days:
        for arm, patients in arms.items():
            counts = {"arm": arm, "day": day, "enrolled": enrolled, "allocated": len(planned[arm])}
            counts |= {"failed": len(planned[arm]) - len(patients), **_on(patients, own, names, day)}
            rows.append({**counts, "design": design})
    return pd.DataFrame(rows).astype({"progressed": "Int64"})


def _on(patients: Patients, own: Own, names: Iterable[str], day: float) -> dict[str, int | None]:
    died = patients.death_day <= day + TOLERANCE
    left = patients.has_left & (patients.dropout_day < day - TOLERANCE)
    ended = ~died & ~left & (patients.last_day_alive < day - TOLERANCE)
    analysed = np.zeros(len(patients), bool)
    for name in names:
        analysed |= values_on(patients, name, own, day).reindex(patients.names).notna().to_numpy()
    return {
        "died": int(died.sum()),
        "dropped_out": int(left.sum()),
        "ended": int(ended.sum()),
        "evaluable": int((~died & ~left & ~ended).sum()),
        "progressed": _progressed(patients, own, day),
        "analysed": int(analysed.sum()),
    }


def _progressed(patients: Patients, own: Own, day: float) -> int | None:
    if not columns_of("progression", dict(own)) <= set(patients.table.columns):
        return None
    times = times_to(patients, "progression", own, day)
    return int((times["event"] & (times["time_days"] <= day + TOLERANCE)).sum())
