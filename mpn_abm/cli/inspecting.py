"""What `inspect` says of a run or a table."""

from __future__ import annotations

import json
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
    console = Console(width=120, highlight=False)
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
    """Rows, columns with unit and range, and provenance of a Parquet file."""
    try:
        table = pq.read_table(file)
    except (OSError, pa.ArrowInvalid) as error:
        raise UsageError(f"{file}: expected a Parquet file: {error}") from error
    metadata = table.schema.metadata or {}
    columns = []
    for field in table.schema:
        about = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        kind = "category" if pa.types.is_dictionary(field.type) else str(field.type)
        columns.append({"name": field.name, "type": kind, **about, **_range_of(table.column(field.name))})
    return {
        "rows": table.num_rows,
        "columns": columns,
        "provenance": json.loads(metadata.get(b"mpn_abm", b"{}")),
    }


def _range_of(column: pa.ChunkedArray) -> dict[str, Any]:
    if len(column) == 0 or not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        return {}
    import pyarrow.compute as pc

    ends = pc.min_max(column).as_py()
    return {"first": column[0].as_py(), "last": column[-1].as_py(), "lowest": ends["min"], "highest": ends["max"]}


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
