"""What a run or a study left, wherever it is: a folder, one Parquet or CSV file, a Result or a Study."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from mpn_abm.errors import MissingFileError, UsageError
from mpn_abm.files import RESOLVED
from mpn_abm.scenario.scenario import Scenario, load

MANIFEST = "manifest.json"
SCORE = "score.json"
STUDY = "study.yaml"
PARTED = ("trajectory", "summary", "failures")


class Recording:
    """The tables of a run or a study, read when somebody asks for them.

    Parameters
    ----------
    source : path, Result or Study
        A folder, one table as a file, or what ``run`` and ``compare`` return.
    """

    def __init__(self, source: Any) -> None:
        self._held: dict[str, pa.Table] = {}
        self._file: Path | None = None
        self.folder: Path | None = None
        self._frames: dict[str, pd.DataFrame] = {}
        self.facts: dict[str, Any] = {}
        self.source = source
        if isinstance(source, str | PathLike):
            self._open(Path(source))
        elif hasattr(source, "tables") and hasattr(source, "facts"):
            self._hold(source)
        else:
            raise UsageError(f"expected the folder of a run or a study, not a {type(source).__name__}")

    def _open(self, path: Path) -> None:
        if not path.exists():
            raise MissingFileError(f"{path}: no such file or folder")
        if path.is_file():
            self._file = path
            return
        self.folder = path
        self.facts = self._manifest(path / MANIFEST) or self._manifest(path / SCORE)
        if not (self.tables or self.facts):
            raise UsageError(f"{path}: expected a run or a study, with Parquet tables in it")

    def _hold(self, source: Any) -> None:
        self._held = {name: source.tables[name] for name in source.tables}
        for name, parts in getattr(source, "parts", {}).items():
            if parts:
                self._held[name] = pa.concat_tables(parts)
        self.facts = {"provenance": source.provenance, **source.facts}
        if isinstance(getattr(source, "scenario", None), Scenario):
            self.__dict__["scenario"] = source.scenario

    @staticmethod
    def _manifest(path: Path) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads(path.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise UsageError(f"{path}: cannot be read: {error}") from error
        return content

    @property
    def place(self) -> str:
        """Where it is, as a reader would type it."""
        return str(self._file or self.folder or "the result")

    @cached_property
    def tables(self) -> list[str]:
        """The tables that are there."""
        if self._file is not None:
            return [self._file.stem]
        if self.folder is None:
            return list(self._held)
        whole = [file.stem for file in sorted(self.folder.glob("*.parquet"))]
        return whole + [name for name in PARTED if name not in whole and any((self.folder / name).glob("*.parquet"))]

    @property
    def is_one_table(self) -> bool:
        """Whether it is one file and no folder."""
        return self._file is not None

    @property
    def is_study(self) -> bool:
        """Whether its runs have arms and patients."""
        return "plan" in self.tables

    def has(self, table: str) -> bool:
        """Whether a table is there."""
        return table in self.tables

    def need(self, table: str, why: str) -> None:
        """Refuse what lacks a table."""
        if not self.has(table):
            there = ", ".join(self.tables) or "none"
            raise UsageError(f"{self.place}: no table {table}: {why} (there: {there})")

    def schema(self, table: str) -> pa.Schema:
        """The columns of a table, with units."""
        if table in self._held:
            return self._held[table].schema
        return self._dataset(table).schema

    def columns(self, table: str) -> list[str]:
        """The names of the columns of a table."""
        return list(self.schema(table).names)

    def unit(self, column: str, table: str = "trajectory") -> str:
        """The unit of a column, from the metadata of the table."""
        return self._said(column, table, b"unit")

    def meaning(self, column: str, table: str = "trajectory") -> str:
        """What a column is."""
        return self._said(column, table, b"meaning")

    def _said(self, column: str, table: str, key: bytes) -> str:
        schema = self.schema(table)
        place = schema.get_field_index(column)
        said = {} if place < 0 else schema.field(place).metadata or {}
        return str(said.get(key, b"").decode())

    def frame(self, table: str) -> pd.DataFrame:
        """A table as a data frame; do not change it."""
        if table not in self._frames:
            if self._file is not None:
                self._frames[table] = self._single()
            else:
                self.need(table, "it was not written")
                whole = self._held[table] if table in self._held else self._dataset(table).to_table()
                self._frames[table] = whole.to_pandas()
        return self._frames[table]

    def rows(self, table: str, columns: Sequence[str] | None = None, **equal: Any) -> pd.DataFrame:
        """The rows of a table in which columns have these values; read row group by row group."""
        if table in self._held or self._file is not None:
            found = self.frame(table)
            for name, value in equal.items():
                found = found[found[name] == value]
            return found if columns is None else found[list(columns)]
        condition = None
        for name, value in equal.items():
            one = ds.field(name) == value
            condition = one if condition is None else condition & one
        read = self._dataset(table).to_table(columns=None if columns is None else list(columns), filter=condition)
        found_frame: pd.DataFrame = read.to_pandas()
        return found_frame

    def _dataset(self, table: str) -> Any:
        if self._file is not None:
            file = self._file
        else:
            assert self.folder is not None
            self.need(table, "it was not written")
            file = self.folder / f"{table}.parquet"
            if not file.is_file():
                file = self.folder / table
        try:
            return ds.dataset(file, format="parquet", exclude_invalid_files=False)
        except (OSError, pa.ArrowInvalid) as error:
            raise UsageError(f"{file}: cannot be read: {error}") from error

    def _single(self) -> pd.DataFrame:
        assert self._file is not None
        try:
            if self._file.suffix == ".csv":
                return pd.read_csv(self._file)
            frame: pd.DataFrame = pq.read_table(self._file).to_pandas()
        except (OSError, ValueError, pa.ArrowInvalid) as error:
            raise UsageError(f"{self._file}: expected a Parquet or CSV table: {error}") from error
        return frame

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Program, scenario and packages behind the tables."""
        if "provenance" in self.facts:
            return dict(self.facts["provenance"])
        for table in self.tables if self._file is None or self._file.suffix != ".csv" else ():
            said = (self.schema(table).metadata or {}).get(b"mpn_abm")
            if said:
                return dict(json.loads(said))
        return {}

    @cached_property
    def scenario(self) -> Scenario | None:
        """The scenario that was run, as far as the folder tells."""
        file = None if self.folder is None else self.folder / RESOLVED
        return load(file) if file is not None and file.is_file() else None

    @property
    def study_file(self) -> Path | None:
        """The file of a study that its folder keeps, complete in itself."""
        file = None if self.folder is None else self.folder / STUDY
        return file if file is not None and file.is_file() else None

    @property
    def name(self) -> str:
        """The name of the scenario or study."""
        told = self.facts.get("name") or self.provenance.get("scenario")
        return str(told or (self._file or self.folder or Path("result")).stem)

    @property
    def question(self) -> str:
        """The question that the file asks."""
        if self.facts.get("question"):
            return str(self.facts["question"])
        return "" if self.scenario is None else self.scenario.spec.question
