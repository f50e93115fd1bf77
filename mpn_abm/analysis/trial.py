"""All tables of a virtual trial from the trajectories of its arms.

Twin arms hold the same patients and are compared patient by patient; randomised arms are independent groups, which
also have a hazard ratio with a log-rank test. Twins have the difference of restricted means instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from mpn_abm.analysis.claims import judged
from mpn_abm.analysis.endpoints import Own
from mpn_abm.analysis.estimates import Question
from mpn_abm.analysis.flow import flow
from mpn_abm.analysis.headlines import Arms, patients_of
from mpn_abm.analysis.km import km_table
from mpn_abm.analysis.pairing import INDEPENDENT, design_of
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.power import PowerQuestion, power
from mpn_abm.analysis.tables import Asked, answered, ask, asked_by, details_of, times_of
from mpn_abm.scenario.claims import OF_TIMES, Claim
from mpn_abm.scenario.endpoints import endpoint_of


def arms_of(trajectory: pd.DataFrame, summary: pd.DataFrame, plan: pd.DataFrame | None = None) -> dict[str, Patients]:
    """The patients of each arm, from the tables of a study; arms in the order of the plan, else of the summary.

    Of the plan `dropout_day` and `weight` are read, where it has them; weights that are alike in all arms count as
    none. What its columns named by a path set apart each patient is a column of that patient's rows, with which an
    endpoint can be ranked.
    """
    if plan is not None:
        trajectory = _with_paths(trajectory, plan)
        plan = without_equal_weights(plan)
    names = [str(arm) for arm in pd.unique((summary if plan is None else plan)["arm"])]
    found = {}
    for arm in names:
        parts = [None if table is None else table[table["arm"] == arm] for table in (trajectory, summary, plan)]
        if parts[0] is not None and parts[1] is not None and len(parts[0]):
            found[arm] = patients_of(parts[0], parts[1], parts[2])
    return found


def _with_paths(trajectory: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    paths = [name for name in plan if "." in str(name) and name not in trajectory]
    return (
        trajectory.merge(plan[["arm", "patient", *paths]], on=["arm", "patient"], how="left") if paths else trajectory
    )


def without_equal_weights(plan: pd.DataFrame) -> pd.DataFrame:
    """A plan without its weights where all patients count alike."""
    # exact tests, the log-rank test and the hazard ratio are of patients who count alike
    are_equal = "weight" in plan and plan["weight"].nunique(dropna=False) == 1 and plan["weight"].iloc[0] > 0.0
    return plan.drop(columns="weight") if are_equal else plan


def trial_tables(
    arms: Arms,
    own: Own,
    names: Sequence[str],
    days: Sequence[float],
    reference: str,
    *,
    claims: Mapping[str, Claim] | None = None,
    plan: pd.DataFrame | None = None,
    planned: PowerQuestion | None = None,
    itself: str | None = None,
) -> dict[str, pd.DataFrame]:
    """The tables of a trial, with the columns of ``columns.STUDY_TABLES``.

    Parameters
    ----------
    arms : mapping
        The patients of each arm.
    own : mapping
        The endpoints of the file.
    names : sequence of str
        The endpoints of the trial.
    days : sequence of float
        The days that are asked; they have rows.
    reference : str
        The arm that others are compared with.
    claims : mapping, optional
        What the file expects.
    plan : DataFrame, optional
        A row per run with `arm` and `patient`: those without a trajectory failed.
    planned : PowerQuestion, optional
        What sizes of trials are planned.
    itself : str, optional
        The arm that is the file without changes: claims that name no arm are on it.

    Returns
    -------
    dict of DataFrame
        endpoints, survival, comparison, claims, km, flow, and power if trials are planned.

    Raises
    ------
    UsageError
        If arms share some patients and not others, or have not the columns of an endpoint.
    """
    claims = claims or {}
    asked = _asked(arms, own, names, days, reference)
    judged_on: dict[str | None, Patients] = {}
    judged_on.update(arms)
    if itself is not None and itself in arms:
        judged_on[None] = arms[itself]
    claimed = [(claim.endpoint, claim.at_day) for claim in claims.values() if _is_of_a_day(claim)]
    wanted = dict.fromkeys([*((name, day) for name in names for day in days), *claimed])
    timed = dict.fromkeys([*names, *(claim.endpoint for claim in claims.values())])
    tables = {
        "endpoints": details_of(arms, own, wanted),
        "survival": times_of(arms, own, timed),
        "comparison": answered(asked | asked_by(claims, reference), own, arms),
        "claims": judged(claims, own, judged_on, reference),
        "km": km_table(arms, own, names, [0.0, *days]),
        "flow": flow(arms, own, names, [0.0, *days], plan),
    }
    return tables if planned is None else tables | {"power": power(planned, own, arms)}


def _is_of_a_day(claim: Claim) -> bool:
    return claim.statistic not in OF_TIMES and claim.contrast != "hazard_ratio"


def _asked(arms: Arms, own: Own, names: Sequence[str], days: Sequence[float], reference: str) -> Asked:
    """Values and shares on the days; of events also Kaplan-Meier or the incidence, medians, and the hazard."""
    asked: Asked = {}
    is_independent = design_of(arms) == INDEPENDENT
    for name in names:
        endpoint = endpoint_of(name, dict(own))
        # whoever is alive without event is a yes: on a day that is what Kaplan-Meier estimates
        is_survival = endpoint.death == "event"
        if not is_survival:
            for day in days:
                ask(asked, Question(name, day), arms, reference)
        if not endpoint.is_event:
            continue
        for day in days:
            ask(asked, Question(name, day, "survival" if is_survival else "incidence"), arms, reference)
        if is_survival:
            for arm in arms:
                asked[Question(name, None, "median_days"), arm, None] = None
            if days:
                ask(asked, Question(name, max(days), "restricted_mean"), arms, reference)
        if is_independent:
            for arm in [arm for arm in arms if arm != reference]:
                asked[Question(name, contrast="hazard_ratio"), arm, reference] = None
    return asked
