"""The tables of a calibration, as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from mpn_abm.columns import Column
from mpn_abm.tables import table_from_frame

if TYPE_CHECKING:
    from mpn_abm.studies.calibration import Calibration

_PARAMETER = Column("parameter", "string", "-", "path of the parameter")
_PARTICLE = (
    Column("particle", "int64", "-", "number of the particle"),
    Column("weight", "float64", "-", "its weight; the sum of all is 1"),
)
_LEFT = Column("left_of_prior", "float64", "-", "part of the prior that the interval covers")
_BEFORE = (
    Column("prior_value", "float64", "by parameter", "median of the prior"),
    Column("prior_low", "float64", "by parameter", "lower limit of its 95 % interval"),
    Column("prior_high", "float64", "by parameter", "upper limit"),
)
_INTERVAL = (
    Column("value", "float64", "by parameter", "median of the posterior, or the estimate"),
    Column("low", "float64", "by parameter", "lower limit of its 95 % interval, or of its profile"),
    Column("high", "float64", "by parameter", "upper limit"),
)
PREDICTIONS = (
    Column("target", "string", "-", "name of the target"),
    Column("role", "string", "-", "fit, or what else the target is for"),
    Column("published", "float64", "by target", "the value to aim at"),
    Column("low", "float64", "by target", "lower edge of the band; null if there is none"),
    Column("high", "float64", "by target", "upper edge"),
    Column("predicted", "float64", "by target", "median of points of the posterior, simulated with new seeds"),
    Column("predicted_low", "float64", "by target", "lower limit of 95 % of them"),
    Column("predicted_high", "float64", "by target", "upper limit"),
    Column("held", "bool", "-", "whether the median lies in the band"),
)
GENERATIONS = (
    Column("generation", "int64", "-", "number of the generation; 0 is the prior"),
    Column("epsilon", "float64", "-", "largest distance that was accepted, in half bands; null for the prior"),
    Column("points", "int64", "-", "points that were simulated"),
    Column("accepted", "int64", "-", "particles that were kept"),
)


def tables_of(found: Calibration) -> dict[str, pa.Table]:
    """The tables by the names of their files: parameters, predictions; of a posterior also that and generations."""
    parameters, predictions = found.parameters, found.predictions
    has_prior = "prior_low" in parameters
    columns = (_PARAMETER, *_INTERVAL, *(_BEFORE if has_prior else ()), _LEFT)
    tables = {"parameters": _table(columns, parameters), "predictions": _table(PREDICTIONS, predictions)}
    if found.posterior is not None and found.generations is not None:
        paths = tuple(Column(path, "float64", "by parameter", "value") for path in found.posterior.columns[2:])
        tables["posterior"] = _table((*_PARTICLE, *paths), found.posterior)
        tables["generations"] = _table(GENERATIONS, found.generations)
    return tables


def _table(columns: tuple[Column, ...], frame: pd.DataFrame) -> pa.Table:
    """A table of these columns; those of words, of a choice of words, are texts."""
    words = {
        column.name
        for column in columns
        if column.kind == "float64" and not pd.api.types.is_numeric_dtype(frame[column.name])
    }
    texts = tuple(Column(c.name, "string", c.unit, c.meaning) if c.name in words else c for c in columns)
    return table_from_frame(texts, frame.astype(dict.fromkeys(words, str)))
