"""Names and labels of ADaM variables and parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from mpn_abm.analysis.endpoints import Own
from mpn_abm.scenario.endpoints import endpoint_of

LABELS = {
    "STUDYID": "Study Identifier",
    "USUBJID": "Unique Subject Identifier",
    "SUBJID": "Subject Identifier for the Study",
    "ARM": "Description of Planned Arm",
    "ARMCD": "Planned Arm Code",
    "TRT01P": "Planned Treatment for Period 01",
    "TRT01PN": "Planned Treatment for Period 01 (N)",
    "TRTP": "Planned Treatment",
    "AGE": "Age",
    "AGEU": "Age Units",
    "ITTFL": "Intent-To-Treat Population Flag",
    "TRTSDY": "Study Day of Start of Treatment",
    "EOSSTT": "End of Study Status",
    "DCSREAS": "Reason for Discontinuation from Study",
    "EOSDY": "Study Day of End of Study",
    "DTHFL": "Subject Death Flag",
    "DTHDY": "Study Day of Death",
    "PATWGT": "Weight of the Virtual Patient",
    "PARAMCD": "Parameter Code",
    "PARAM": "Parameter",
    "AVAL": "Analysis Value",
    "AVALC": "Analysis Value (C)",
    "AVALU": "Analysis Value Unit",
    "STARTDT": "Time-to-Event Origin, Day of the Run",
    "ADY": "Analysis Relative Day",
    "CNSR": "Censor",
    "EVNTDESC": "Event or Censoring Description",
    "CNSDTDSC": "Censor Date Description",
    "AVISIT": "Analysis Visit",
    "AVISITN": "Analysis Visit (N), Day of the Run",
    "BASE": "Baseline Value",
    "CHG": "Change from Baseline",
    "PCHG": "Percent Change from Baseline",
    "ABLFL": "Baseline Record Flag",
}
CODES = {
    "vaf_relative_change": "VAFRCHG",
    "molecular_response": "MOLRESP",
    "mf_grade_change": "MFGRCHG",
    "progression": "PROG",
    "progression_free_survival": "PFS",
    "overall_survival": "OS",
    "response_loss": "RESPLOSS",
}
_LONGEST_PARAM = 200


def codes(names: Iterable[str], longest: int) -> dict[str, str]:
    """For each name a code of capitals and digits, starting with a letter, no two alike."""
    found: dict[str, str] = {}
    for name in names:
        bare = CODES.get(name) or re.sub(r"[^A-Z0-9]", "", name.upper())
        code = bare = (bare if bare[:1].isalpha() else f"P{bare}")[:longest]
        number = 2
        while code in found.values():
            code = f"{bare[: longest - len(str(number))]}{number}"
            number += 1
        found[name] = code
    return found


def param(name: str, own: Own) -> str:
    """What a parameter is, in words, with the name of the endpoint, so that no two are alike."""
    endpoint = endpoint_of(name, dict(own))
    words = name.replace("_", " ")
    return (f"{words}: {endpoint.meaning}" if endpoint.meaning else words)[:_LONGEST_PARAM]


def covariates(plan: pd.DataFrame | None) -> dict[str, str]:
    """For each path that patients differ in, the variable of its column."""
    paths = [] if plan is None else [str(name) for name in plan.columns if "." in str(name)]
    return {path: f"COV{number:02d}" for number, path in enumerate(paths, start=1)}
