"""What a reader of a comparison asks for first, and when."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mpn_abm.analysis.patients import TOLERANCE, Patients
from mpn_abm.scenario.claim_checks import HEADLINE_DAYS
from mpn_abm.scenario.endpoints import Criterion, Endpoint

Arms = Mapping[str, Patients]

HEADLINES: dict[str, str] = {
    "vaf_driver": "VAF of the driver",
    "healthy_cells": "healthy cells",
    "spleen_ml": "spleen, ml",
    "mf_grade": "MF grade",
    "car_t_peak": "CAR T cells, peak",
    "cleared": "share cleared",
    "overall_survival": "share alive",
}
CLEARED = Endpoint(
    all=(Criterion(column="vaf_jak2", at_most=0.0), Criterion(column="vaf_calr", at_most=0.0)),
    meaning="no cell with a JAK2 or CALR mutation is left",
)
HEALTHY = ("genotype_cells_wild_type", "genotype_cells_donor")


def patients_of(trajectory: pd.DataFrame, summary: pd.DataFrame, plan: pd.DataFrame | None = None) -> Patients:
    """The patients of an arm; healthy cells of any origin and the most CAR T cells so far are columns of their own."""
    healthy = [name for name in HEALTHY if name in trajectory]
    if healthy:
        # a donor's cells are not known of an arm without transplant: there are none
        trajectory = trajectory.assign(healthy_cells=trajectory[healthy].sum(axis=1, min_count=1))
    if "car_t_total" in trajectory:
        peak = trajectory.groupby("patient")["car_t_total"].cummax()
        trajectory = trajectory.assign(car_t_peak=peak)
    return Patients(trajectory, summary, plan)


def headline_days(arms: Arms, step: float) -> list[float | None]:
    """Weeks 24 and 48, as far as every arm has rows of them before its end; and the end, None."""
    return [*(day for day in HEADLINE_DAYS if all(_has_a_row(patients, day, step) for patients in arms.values())), None]


def _has_a_row(patients: Patients, day: float, step: float) -> bool:
    near = (patients.day > day - TOLERANCE) & (patients.day < day + step)
    return bool(near.any()) and day < patients.day.max()
