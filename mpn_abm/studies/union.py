"""Tables of several arms with one set of columns."""

from __future__ import annotations

import pyarrow as pa

from mpn_abm.columns import STUDY_IDENTITY
from mpn_abm.tables import schema_of


def identified(table: pa.Table, arm: str) -> pa.Table:
    """A table of runs with its arm and patient (the replicate); the run is named after both."""
    patient = table.column("replicate")
    names = pa.array([f"{arm}-{number:05d}" for number in patient.to_pylist()], pa.string())
    arm_field, patient_field = schema_of(STUDY_IDENTITY)
    run_id = table.schema.field("run_id")
    place = table.column_names.index("run_id")
    table = table.set_column(place, run_id, names)
    table = table.add_column(place + 1, arm_field, pa.repeat(pa.scalar(arm), table.num_rows))
    return table.add_column(place + 2, patient_field, patient)


def of_one_schema(tables: list[pa.Table]) -> list[pa.Table]:
    """The tables with the columns of all, in the order of the first that has each; null where one has none."""
    fields: dict[str, pa.Field] = {}
    for table in tables:
        before = None
        for field in table.schema:
            if field.name not in fields:
                fields = _put_after(fields, before, field)
            before = field.name
    schema = pa.schema(list(fields.values()))
    return [_filled(table, schema) for table in tables]


def _put_after(fields: dict[str, pa.Field], before: str | None, field: pa.Field) -> dict[str, pa.Field]:
    names = list(fields)
    place = 0 if before is None else names.index(before) + 1
    return {name: fields.get(name, field) for name in [*names[:place], field.name, *names[place:]]}


def _filled(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        table.column(field.name) if field.name in table.column_names else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
