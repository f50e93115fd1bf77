"""Whether two arms are compared patient by patient or as independent groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mpn_abm.analysis.patients import Patients
from mpn_abm.errors import UsageError

PAIRED, INDEPENDENT = "paired", "independent"


def design_between(one: Any, other: Any) -> str:
    """`paired` if two arms hold the same patients (twins), `independent` if they share none.

    Where some patients are missing in one arm, as runs that failed, the pairs are those in both.
    """
    return INDEPENDENT if pd.Index(one).intersection(pd.Index(other)).empty else PAIRED


def design_of(arms: Mapping[str, Patients]) -> str:
    """The design of all arms of a study.

    Raises
    ------
    UsageError
        If some arms share patients and others do not.
    """
    names = [patients.names for patients in arms.values()]
    found = {design_between(one, other) for k, one in enumerate(names) for other in names[k + 1 :]}
    if len(found) > 1:
        raise UsageError("some arms share patients and others do not: expected every patient in all arms, or in one")
    return next(iter(found), INDEPENDENT)


def refuse_twins(one: pd.DataFrame, other: pd.DataFrame, test: str) -> None:
    """See that a test for independent groups gets them.

    Raises
    ------
    UsageError
        If the index, which names the patients, has some in common.
    """
    if design_between(one.index, other.index) == PAIRED:
        raise UsageError(
            f"{test} is for independent groups, and these arms hold the same patients; ask for the difference of "
            "restricted_mean or of survival at a day, which compares each patient with itself, or randomise the "
            "patients with `allocation`"
        )
