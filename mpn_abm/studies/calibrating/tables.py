"""The tables of a calibration, as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from mpn_abm.columns import STUDY_TABLES, Column
from mpn_abm.tables import table_from_frame

if TYPE_CHECKING:
    from mpn_abm.studies.calibration import Calibration

_BEFORE = ("prior_value", "prior_low", "prior_high")


def tables_of(found: Calibration) -> dict[str, pa.Table]:
    """The tables by the names of their files: estimate, predictions; of a posterior also that and generations."""
    estimate = found.parameters.assign(**{name: np.nan for name in _BEFORE if name not in found.parameters})
    tables = {"estimate": _table("estimate", estimate), "predictions": _table("predictions", found.predictions)}
    if found.posterior is not None and found.generations is not None:
        paths = tuple(Column(path, "float64", "by parameter", "value") for path in found.posterior.columns[2:])
        tables["posterior"] = _table("posterior", found.posterior, paths)
        tables["generations"] = _table("generations", found.generations)
    return tables


def _table(name: str, frame: pd.DataFrame, paths: tuple[Column, ...] = ()) -> pa.Table:
    """A table of its columns; those of words, of a choice of words, are texts."""
    columns = (*STUDY_TABLES[name], *paths)
    words = {
        column.name
        for column in columns
        if column.kind == "float64" and not pd.api.types.is_numeric_dtype(frame[column.name])
    }
    texts = tuple(Column(c.name, "string", c.unit, c.meaning) if c.name in words else c for c in columns)
    return table_from_frame(texts, frame.astype(dict.fromkeys(words, str)))
