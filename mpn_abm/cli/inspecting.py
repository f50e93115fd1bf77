"""What `inspect` says of a run or a table."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from mpn_abm.errors import MissingFileError, UsageError

_FACTS = (
    "scenario", "version", "status", "end_reason", "end_day", "replicates", "seed", "candidates", "events",
    "stepping_seconds", "compile_seconds", "writing_seconds", "wall_seconds", "peak_memory_mb", "scenario_sha256",
    "trajectory_sha256",
)  # fmt: skip


def inspect(path: Path, as_json: bool) -> None:
    """Show a run folder or one Parquet file."""
    if not path.exists():
        raise MissingFileError(f"{path}: no such file or folder")
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise UsageError(f"{path}: expected a run, with Parquet tables in it")
    manifest = _manifest(path) if path.is_dir() else {}
    tables = {file.stem: _facts_of(file) for file in files}
    if as_json:
        print(json.dumps({"manifest": manifest, "tables": tables}))
        return
    # names are shown as they are, and lines as long as the terminal takes them
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False, markup=False)
    # a table says itself where it comes from, with or without its run
    known = {**next(iter(tables.values()))["provenance"], **manifest}
    for fact in _FACTS:
        if fact in known:
            console.print(f"{fact:18} {_short(known[fact])}")
    for name, facts in tables.items():
        console.print(_columns_of(name, facts))


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder / 'manifest.json'}: cannot be read: {error}") from error
    return content


def _facts_of(file: Path) -> dict[str, Any]:
    """Rows, columns with unit and range, and provenance of a Parquet file; its rows stay on the disk."""
    try:
        with pq.ParquetFile(file) as table:
            return _facts_of_table(table)
    except (OSError, pa.ArrowInvalid) as error:
        raise UsageError(f"{file}: expected a Parquet file: {error}") from error


def _facts_of_table(table: pq.ParquetFile) -> dict[str, Any]:
    schema, about = table.schema_arrow, table.metadata
    numbers = [field.name for field in schema if pa.types.is_floating(field.type) or pa.types.is_integer(field.type)]
    first, last = _ends_of(table, numbers)
    columns = []
    places = {about.schema.column(k).path: k for k in range(about.num_columns)}
    for field in schema:
        said = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        kind = "category" if pa.types.is_dictionary(field.type) else str(field.type)
        ends = {"first": first[field.name], "last": last[field.name]} if field.name in first else {}
        bounds = _bounds_of(about, places[field.name]) if ends else {}
        columns.append({"name": field.name, "type": kind, **said, **ends, **bounds})
    return {
        "rows": about.num_rows,
        "columns": columns,
        "provenance": json.loads((schema.metadata or {}).get(b"mpn_abm", b"{}")),
    }


def _ends_of(table: pq.ParquetFile, columns: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The first and the last row."""
    if table.metadata.num_rows == 0:
        return {}, {}
    head = next(table.iter_batches(1, columns=columns))
    filled = [k for k in range(table.num_row_groups) if table.metadata.row_group(k).num_rows]
    tail = table.read_row_group(filled[-1], columns=columns)
    return head.to_pylist()[0], tail.slice(tail.num_rows - 1).to_pylist()[0]


def _bounds_of(about: pq.FileMetaData, place: int) -> dict[str, Any]:
    """Lowest and highest value of a column, as the file itself says; null where there is none."""
    groups = [about.row_group(k).column(place).statistics for k in range(about.num_row_groups)]
    known = [group for group in groups if group is not None and group.has_min_max]
    # Parquet gives 0.0 as -0.0 where it is the lowest, which + 0 undoes
    return {
        "lowest": min((group.min + 0 for group in known), default=None),
        "highest": max((group.max + 0 for group in known), default=None),
    }


def _columns_of(name: str, facts: dict[str, Any]) -> Table:
    table = Table(title=f"{name}: {facts['rows']} rows", title_justify="left", show_edge=False)
    for heading in ("column", "type", "unit", "first", "last", "lowest", "highest"):
        right = heading in {"first", "last", "lowest", "highest"}
        table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    for column in facts["columns"]:
        numbers = [_short(column.get(key)) for key in ("first", "last", "lowest", "highest")]
        table.add_row(column["name"], column["type"], column.get("unit", ""), *numbers)
    return table


def _short(value: object) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
