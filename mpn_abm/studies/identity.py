"""Whose row it is: the columns that the plan gives to every row of the tables of a study."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from mpn_abm.columns import IDENTITY, STUDY_IDENTITY, STUDY_TABLES, Column
from mpn_abm.studies.union import of_one_schema
from mpn_abm.tables import ARROW_TYPES

_RUN_ID, _REPLICATE, _SEED, _DAY = IDENTITY
# in the order of the columns
WHO = (_RUN_ID, *STUDY_IDENTITY, _REPLICATE, _SEED)


# what a trial's plan tells of a patient beside the paths
OF_PATIENT = ("weight", "dropout_day")


def paths_of(plan: pd.DataFrame) -> list[str]:
    """The columns of a plan that are paths of the scenario."""
    declared = {column.name for column in STUDY_TABLES["plan"]} | set(OF_PATIENT)
    return [name for name in plan.columns if name not in declared]


def who(plan: pd.DataFrame, paths: Sequence[str] = ()) -> pa.Table:
    """The identity of each run of a plan, and the values of its paths."""
    fields, arrays = [], []
    for column in WHO:
        field = _field(column)
        fields.append(field)
        arrays.append(pa.Array.from_pandas(plan[column.name], type=field.type))
    for path in paths:
        is_number = pd.api.types.is_numeric_dtype(plan[path])
        kind = pa.float64() if is_number else pa.string()
        fields.append(pa.field(path, kind, metadata={"unit": "as in the file", "meaning": "value at this path"}))
        arrays.append(pa.Array.from_pandas(plan[path].astype("float64") if is_number else plan[path], type=kind))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _field(column: Column) -> pa.Field:
    said = {"unit": column.unit, "meaning": column.meaning}
    return pa.field(column.name, ARROW_TYPES[column.kind], metadata=said)


def identified(table: pa.Table, owner: np.ndarray, plan: pd.DataFrame, paths: Sequence[str] = ()) -> pa.Table:
    """A table with the identity of each row in front; ``owner`` is the position in the plan of the run of each row."""
    front = who(plan, [path for path in paths if path not in table.column_names]).take(pa.array(owner))
    rest = [name for name in table.column_names if name not in front.column_names]
    columns = [*front.columns, *(table.column(name) for name in rest)]
    fields = [*front.schema, *(table.schema.field(name) for name in rest)]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields)).combine_chunks()


def put_together(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows of all tables, with the columns of all; quickly where they have the same columns."""
    by_schema: dict[pa.Schema, list[pa.Table]] = {}
    for table in tables:
        by_schema.setdefault(table.schema, []).append(table)
    if len(by_schema) == 1:
        return pa.concat_tables(tables)
    return pa.concat_tables(of_one_schema(list(tables)))


def in_plan_order(table: pa.Table, plan: pd.DataFrame) -> pa.Table:
    """The rows in the order of the runs of a plan; those of one run keep theirs."""
    place = pd.Series(np.arange(len(plan)), index=plan["run_id"])
    at = place.loc[table.column("run_id").to_pylist()].to_numpy()
    return table.take(pa.array(np.argsort(at, kind="stable"))) if (np.diff(at) < 0).any() else table
