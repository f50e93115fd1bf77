"""Which rows of the trajectories a study keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from mpn_abm.analysis.endpoints import telling_rows
from mpn_abm.analysis.patients import Patients
from mpn_abm.scenario.claim_checks import days_named
from mpn_abm.scenario.endpoints import columns_of
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


def thinned(study: StudyFile, rows: pa.Table, owner: np.ndarray) -> np.ndarray:
    """bool[rows]: the rows that are kept; the first and the last of a run always are.

    Where only the days are kept that are asked about, those stay as well on which an event is first seen
    or from which a change counts; and of T cells the peak so far.

    Parameters
    ----------
    rows : Table
        Trajectories; rows of a run stand together, in the order of time.
    owner : int64[rows]
        The run of each row.
    """
    day = rows.column("day").to_numpy()
    keep = np.ones(len(day), bool)
    if study.output.trajectory == "days":
        keep = _first_from(days_asked(study), day, owner)
    if study.output.every is not None:
        keep &= _first_of_each(study.output.every, day, owner)
    if study.output.trajectory == "days":
        keep |= _of_endpoints(study, rows, owner)
    return _with_peaks(rows, owner, np.asarray(keep | _ends(owner)))


def _with_peaks(rows: pa.Table, owner: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """And for each row that is kept, the one on which T cells stood highest so far: the peak is one of those kept."""
    if keep.all() or "car_t_total" not in rows.column_names:
        return keep
    cells = pd.Series(rows.column("car_t_total").to_numpy(zero_copy_only=False))
    before = cells.groupby(owner).cummax().groupby(owner).shift(fill_value=-np.inf)
    highest = np.maximum.accumulate(np.where(cells > before, np.arange(len(owner)), 0))
    found = highest[keep]
    keep[found[owner[found] == owner[keep]]] = True
    return keep


def _of_endpoints(study: StudyFile, rows: pa.Table, owner: np.ndarray) -> np.ndarray:
    own = dict(study.endpoints)
    names = {*getattr(study.spec, "endpoints", ()), *(claim.endpoint for claim in study.expect.values())}
    known = sorted(name for name in names if columns_of(name, own) <= {*rows.column_names})
    columns = set[str]().union(*(columns_of(name, own) for name in known))
    read = rows.select(["day", "alive", *sorted(columns - {"day", "alive"})]).to_pandas()
    return telling_rows(Patients(read.assign(replicate=owner)), known, own, days_asked(study))


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
