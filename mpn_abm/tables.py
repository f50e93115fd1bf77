"""Arrow tables from declared columns."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mpn_abm.columns import Column
from mpn_abm.errors import SimulationError

ARROW_TYPES = {
    "float64": pa.float64(),
    "float32": pa.float32(),
    "int64": pa.int64(),
    "int32": pa.int32(),
    "bool": pa.bool_(),
    "string": pa.string(),
    "category": pa.dictionary(pa.int16(), pa.string()),
}


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """A schema whose fields carry unit and meaning."""
    return pa.schema(
        [pa.field(c.name, ARROW_TYPES[c.kind], metadata={"unit": c.unit, "meaning": c.meaning}) for c in columns]
    )


def table_of(columns: Sequence[Column], arrays: Mapping[str, np.ndarray | pa.Array]) -> pa.Table:
    """A table of these columns.

    Raises
    ------
    SimulationError
        If a value is no number; a value that is missing is a null.
    """
    schema = schema_of(columns)
    data = [pa.array(arrays[field.name], type=field.type) for field in schema]
    table = pa.Table.from_arrays(data, schema=schema)
    for field in schema:
        if pa.types.is_floating(field.type):
            _refuse_what_is_no_number(table, field.name)
    return table


def table_from_frame(columns: Sequence[Column], frame: pd.DataFrame) -> pa.Table:
    """A table of these columns from a data frame; what is no number there is not known, a null."""
    return table_of(columns, {c.name: pa.Array.from_pandas(frame[c.name], type=ARROW_TYPES[c.kind]) for c in columns})


def category(codes: np.ndarray, labels: Sequence[str]) -> pa.Array:
    """Labels by their numbers, each label stored once."""
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int16()), pa.array(labels, pa.string()))


def as_bytes(tables: Sequence[pa.Table]) -> np.ndarray:
    """Tables of the same columns as an Arrow stream, uint8; each comes back as it was, however few its rows."""
    if not tables:
        return np.zeros(0, np.uint8)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, tables[0].schema) as stream:
        for table in tables:
            columns = [column.combine_chunks() for column in table.columns]
            stream.write_batch(pa.RecordBatch.from_arrays(columns, schema=table.schema))
    return np.frombuffer(sink.getvalue(), np.uint8)


def from_bytes(stream: np.ndarray) -> list[pa.Table]:
    """The tables that ``as_bytes`` was given."""
    if not len(stream):
        return []
    with pa.ipc.open_stream(pa.py_buffer(stream)) as reader:
        return [pa.Table.from_batches([batch]) for batch in reader]


def _refuse_what_is_no_number(table: pa.Table, name: str) -> None:
    finite = pc.is_finite(table.column(name))
    row = pc.index(finite, False).as_py()
    if row >= 0:
        day = table.column("day")[row].as_py() if "day" in table.column_names else None
        raise no_number(name, table.column(name)[row].as_py(), day)


def no_number(name: str, value: float, day: float | None) -> SimulationError:
    """What to raise for a value that is no number."""
    when = "" if day is None else f" on day {day:g}"
    return SimulationError(f"{name} is {value}{when}: this is a bug, please report it")
