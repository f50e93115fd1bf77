"""The study in a folder, whose tables are read when somebody looks at them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mpn_abm.errors import MissingFileError, UsageError
from mpn_abm.studies.folder import MANIFEST, PARTS, PLAN, STUDY, WHOLE, Folder, part_name, path_of
from mpn_abm.studies.study import Study

_TABLES = ("plan", "patients", *WHOLE)


def read(folder: str | PathLike[str]) -> Study:
    """Read a study from its folder, finished or not.

    Parameters
    ----------
    folder : path
        What was given as ``out``.

    Returns
    -------
    Study
        Its tables are read when they are asked for; of a study that still runs, the parts that are there.

    Raises
    ------
    MissingFileError
        If there is no study in the folder.
    """
    path = path_of(folder, "folder")
    if not (path / PLAN).is_file():
        raise MissingFileError(f"{path}: expected the folder of a study, with {PLAN}")
    return Study(_Parts(path), _Whole(path), facts_of(path), _provenance(path))


def facts_of(path: Path) -> dict[str, Any]:
    """What the manifest of a folder says."""
    try:
        content: dict[str, Any] = json.loads((path / MANIFEST).read_text())
    except FileNotFoundError:
        return {"out": str(path), "status": "unfinished"}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path / MANIFEST}: cannot be read: {error}") from error
    content.pop("provenance", None)
    return content


def _provenance(path: Path) -> dict[str, object]:
    said: dict[str, object] = json.loads((pq.read_schema(path / PLAN).metadata or {}).get(b"mpn_abm", b"{}"))
    return said


class _Parts(Mapping[str, list[pa.Table]]):
    """trajectory, summary and failures, part by part; of a study that still runs, those of shards that are done."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __getitem__(self, table: str) -> list[pa.Table]:
        if table not in PARTS:
            raise KeyError(table)
        return [read_table(file) for file in self._files(table)]

    def _files(self, table: str) -> list[Path]:
        folder = Folder(self._path)
        shards = folder.shards_with(table)
        if (self._path / STUDY).is_file():
            shards &= folder.done(folder.runs_by_shard())
        return [self._path / table / part_name(shard) for shard in sorted(shards)]

    def __iter__(self) -> Iterator[str]:
        return iter(PARTS)

    def __len__(self) -> int:
        return len(PARTS)


class _Whole(Mapping[str, pa.Table]):
    """The tables of the whole study."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __getitem__(self, table: str) -> pa.Table:
        if table not in _TABLES:
            raise KeyError(table)
        return read_table(self._path / f"{table}.parquet")

    def __contains__(self, table: object) -> bool:
        return table in list(self)

    def __iter__(self) -> Iterator[str]:
        return (name for name in _TABLES if (self._path / f"{name}.parquet").is_file())

    def __len__(self) -> int:
        return sum(1 for _ in self)


def read_table(file: Path) -> pa.Table:
    """A Parquet file of a study or a run."""
    try:
        return pq.ParquetFile(file).read()
    except FileNotFoundError as error:
        raise MissingFileError(f"{file}: no such table; a study has it when all of its runs are done") from error
    except (OSError, pa.ArrowInvalid) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from error
