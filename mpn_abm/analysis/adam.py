"""The tables of a trial as ADaM data sets (CDISC ADaM 2.1): ADSL, ADTTE and the BDS table ADEFF, with their variables.

A run has no dates: days are relative, day 0 of the run is study day 1 (ADaM knows no day 0), and STARTDT is the day of
the run from which a time counts. A twin is a subject of its own in each arm; the patient is its SUBJID.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import IO

import numpy as np
import pandas as pd

from mpn_abm.analysis.adam_names import LABELS, codes, covariates, param
from mpn_abm.analysis.endpoints import Own
from mpn_abm.analysis.headlines import Arms
from mpn_abm.analysis.pairing import PAIRED, design_of
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.trial_lines import when
from mpn_abm.scenario.endpoints import endpoint_of

IDENTITY = ("STUDYID", "USUBJID", "SUBJID")
AGE = "patient.age_years"


def adam(
    study: str,
    arms: Arms,
    tables: Mapping[str, pd.DataFrame],
    own: Own,
    plan: pd.DataFrame | None = None,
    age_years: float | None = None,
) -> dict[str, pd.DataFrame]:
    """ADSL, ADTTE, ADEFF, and DEFINE with the label of every variable.

    Parameters
    ----------
    study : str
        STUDYID.
    arms : mapping
        The patients of each arm.
    tables : mapping
        `endpoints` and `survival` of the trial.
    own : mapping
        The endpoints of the file.
    plan : DataFrame, optional
        A row per run with `arm` and `patient`; its columns named by a path (with a dot) become COV01, COV02, ....
    age_years : float, optional
        Age of all patients, where the plan does not tell it.
    """
    drawn = covariates(plan)
    subjects = _adsl(study, arms, plan, drawn, age_years)
    keyed = subjects.set_index(["ARM", "SUBJID"])
    sets = {"ADSL": subjects, "ADTTE": _adtte(tables["survival"], keyed, own), "ADEFF": _adeff(tables, keyed, own)}
    labels = LABELS | {code: path for path, code in drawn.items()}
    rows = [(name, variable, labels[variable]) for name, table in sets.items() for variable in map(str, table)]
    return sets | {"DEFINE": pd.DataFrame(rows, columns=["DATASET", "VARIABLE", "LABEL"])}


def adam_files(sets: Mapping[str, pd.DataFrame]) -> dict[str, Callable[[IO[bytes]], None]]:
    """What writes each data set into an open file, as Parquet and as CSV, by the file's name."""
    writers: dict[str, Callable[[IO[bytes]], None]] = {}
    for name, table in sets.items():
        writers[f"{name}.parquet"] = _parquet(table)
        writers[f"{name}.csv"] = _csv(table)
    return writers


def _parquet(table: pd.DataFrame) -> Callable[[IO[bytes]], None]:
    return lambda file: table.to_parquet(file, index=False)


def _csv(table: pd.DataFrame) -> Callable[[IO[bytes]], None]:
    return lambda file: table.to_csv(file, index=False, lineterminator="\n")


def _adsl(
    study: str, arms: Arms, plan: pd.DataFrame | None, drawn: Mapping[str, str], age_years: float | None
) -> pd.DataFrame:
    """One row per subject."""
    are_twins = design_of(arms) == PAIRED
    armcd = codes(arms, 20)
    pieces = [
        _subjects(study, arm, number, armcd[arm], patients, are_twins, plan, drawn, age_years)
        for number, (arm, patients) in enumerate(arms.items(), start=1)
    ]
    return pd.concat(pieces, ignore_index=True)


def _subjects(
    study: str,
    arm: str,
    number: int,
    code: str,
    patients: Patients,
    are_twins: bool,
    plan: pd.DataFrame | None,
    drawn: Mapping[str, str],
    age_years: float | None,
) -> pd.DataFrame:
    subject = [f"{name:05d}" for name in patients.names]
    died = ~np.isnan(patients.death_day)
    last_day = patients.last_day_alive
    table = pd.DataFrame(
        {
            "STUDYID": study,
            "USUBJID": [f"{study}-{code}-{name}" if are_twins else f"{study}-{name}" for name in subject],
            "SUBJID": subject,
            "ARM": arm,
            "ARMCD": code,
            "TRT01P": arm,
            "TRT01PN": number,
            "AGE": np.nan if age_years is None else float(age_years),
            "AGEU": "YEARS",
            "ITTFL": "Y",
            "TRTSDY": 1,
            "EOSSTT": np.where(died | patients.has_left, "DISCONTINUED", "COMPLETED"),
            "DCSREAS": np.where(died, "DEATH", np.where(patients.has_left, "WITHDRAWAL BY SUBJECT", "")),
            "EOSDY": study_day(last_day),
            "DTHFL": np.where(died, "Y", ""),
            "DTHDY": study_day(patients.death_day),
            "PATWGT": 1.0 if patients.weight is None else patients.weight.to_numpy(float),
        }
    )
    if plan is not None:
        rows = plan[plan["arm"] == arm].drop_duplicates("patient").set_index("patient").reindex(patients.names)
        for path, variable in drawn.items():
            table[variable] = rows[path].to_numpy()
        if AGE in rows:
            table["AGE"] = rows[AGE].to_numpy(float)
    return table


def _adtte(survival: pd.DataFrame, subjects: pd.DataFrame, own: Own) -> pd.DataFrame:
    """One row per subject and time to an event; CNSR 1 is a time that ended without it."""
    names = codes(dict.fromkeys(survival["endpoint"]), 8)
    start = _starts(survival, own)
    end = start + survival["time_days"]
    censored = np.select(
        [survival["event"], survival["died"], survival["dropped_out"]], ["", "DEATH", "DROPPED OUT"], "END OF RUN"
    )
    table = _identified(survival, subjects)
    return table.assign(
        PARAMCD=survival["endpoint"].map(names).to_numpy(),
        PARAM=[f"Time to {param(name, own)} (days)" for name in survival["endpoint"]],
        AVAL=survival["time_days"].to_numpy(float),
        AVALU="DAYS",
        STARTDT=start.to_numpy(float),
        ADY=study_day(end.to_numpy(float)),
        CNSR=(~survival["event"].astype(bool)).astype(int).to_numpy(),
        EVNTDESC=np.where(survival["event"], [param(name, own).upper() for name in survival["endpoint"]], censored),
        CNSDTDSC=censored,
    )


def _starts(survival: pd.DataFrame, own: Own) -> pd.Series:
    """The day from which each time counts: 0, or that of the event which the endpoint follows."""
    start = pd.Series(0.0, index=survival.index)
    times = survival.set_index(["endpoint", "arm", "patient"])["time_days"]
    for name in dict.fromkeys(survival["endpoint"]):
        since = endpoint_of(name, dict(own)).since
        rows = survival["endpoint"] == name
        if since is not None:
            who = [(since, arm, patient) for arm, patient in survival.loc[rows, ["arm", "patient"]].to_numpy()]
            start[rows] = times.reindex(who).to_numpy()
    return start


def _adeff(tables: Mapping[str, pd.DataFrame], subjects: pd.DataFrame, own: Own) -> pd.DataFrame:
    """One row per subject, parameter and visit, with a baseline where the endpoint has one."""
    found = tables["endpoints"].drop_duplicates(["arm", "patient", "endpoint", "day"])
    with_base = found[found["base"].notna()].drop_duplicates(["arm", "patient", "endpoint"])
    visits = pd.concat(
        [
            with_base.assign(value=with_base["base"], day=0.0, change=np.nan, relative_change=np.nan, is_base=True),
            found[(found["day"] > 0.0) | found["base"].isna()].assign(is_base=False),
        ]
    ).sort_values(["endpoint", "arm", "patient", "day"], kind="stable", ignore_index=True)
    names = codes(dict.fromkeys(visits["endpoint"]), 8)
    answers = {name for name in names if endpoint_of(name, dict(own)).is_event}
    is_answer = visits["endpoint"].isin(answers)
    return _identified(visits, subjects).assign(
        PARAMCD=visits["endpoint"].map(names).to_numpy(),
        PARAM=[param(name, own) for name in visits["endpoint"]],
        AVISIT=np.where(visits["is_base"], "Baseline", [when(day).capitalize() for day in visits["day"]]),
        AVISITN=visits["day"].to_numpy(float),
        ADY=study_day(visits["day"].to_numpy(float)),
        AVAL=visits["value"].to_numpy(float),
        AVALC=np.where(is_answer & visits["value"].notna(), np.where(visits["value"] == 1.0, "Y", "N"), ""),
        BASE=visits["base"].to_numpy(float),
        CHG=visits["change"].to_numpy(float),
        PCHG=100.0 * visits["relative_change"].to_numpy(float),
        ABLFL=np.where(visits["is_base"], "Y", ""),
    )


def _identified(rows: pd.DataFrame, subjects: pd.DataFrame) -> pd.DataFrame:
    """The subject of each row, with its planned treatment."""
    who = pd.MultiIndex.from_arrays([rows["arm"], [f"{patient:05d}" for patient in rows["patient"]]])
    found = subjects.reindex(who).rename_axis(["ARM", "SUBJID"]).reset_index()
    return found[[*IDENTITY, "ARM", "ARMCD", "TRT01P"]].rename(columns={"TRT01P": "TRTP"})


def study_day(days: np.ndarray) -> pd.Series:
    """Study days, from 1; null where a day is not known."""
    found: pd.Series = pd.Series(np.floor(days) + 1.0).astype("Int64")
    return found
