"""Which rows of the trajectories a study keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from mpn_abm.scenario.claim_checks import days_named
from mpn_abm.scenario.schema import Comparison
from mpn_abm.scenario.studies.study_file import StudyFile

# a row that misses a day by less than this part of a day is of that day
TOLERANCE = 1e-6


def keeps_trajectory(study: StudyFile) -> bool:
    """Whether rows are kept at all."""
    return study.output.trajectory != "none"


def kept(study: StudyFile) -> dict[str, Any]:
    """What decides which rows are kept: the parts of a folder have it in common."""
    days = days_asked(study) if study.output.trajectory == "days" else None
    return {"trajectory": study.output.trajectory, "every_days": study.output.every, "days": days}


def thinned(study: StudyFile, day: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """bool[rows]: the rows that are kept; the first and the last of a run always are.

    Parameters
    ----------
    day : float64[rows]
        Rows of a run stand together, in the order of time.
    owner : int64[rows]
        The run of each row.
    """
    keep = np.ones(len(day), bool)
    if study.output.trajectory == "days":
        keep = _first_from(days_asked(study), day, owner)
    if study.output.every is not None:
        keep &= _first_of_each(study.output.every, day, owner)
    return np.asarray(keep | _ends(owner))


def days_asked(study: StudyFile) -> list[float]:
    """The days that endpoints and claims ask for."""
    claims = {**study.expect, **study.targets}
    # they were checked, and those of observations have names of their own kind
    named = days_named(Comparison.model_construct(endpoints=dict(study.endpoints), expect=claims))
    return sorted({*named, *getattr(study.spec, "at", ())})


def _ends(owner: np.ndarray) -> np.ndarray:
    new = np.ones(len(owner) + 1, bool)
    new[1:-1] = np.diff(owner) != 0
    return new[:-1] | new[1:]


def _first_from(days: Iterable[float], day: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """The first row of each run on each of the days, or later."""
    passed = np.searchsorted(np.asarray(sorted(days), float), day + TOLERANCE, side="right")
    return _rises(passed, owner)


def _first_of_each(every: float, day: np.ndarray, owner: np.ndarray) -> np.ndarray:
    return _rises(np.floor((day + TOLERANCE) / every).astype(np.int64), owner)


def _rises(number: np.ndarray, owner: np.ndarray) -> np.ndarray:
    keep = np.ones(len(number), bool)
    keep[1:] = (np.diff(number) > 0) | (np.diff(owner) != 0)
    return keep
