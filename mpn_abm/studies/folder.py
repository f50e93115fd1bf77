"""The folder of a study on disk: its plan, the parts of its tables, and which shards are done.

    DIR/  study.yaml  plan.parquet  trajectory/  summary/  failures/  manifest.json  and the tables of the whole study

A part is named after its shard. A shard is done when its summary part is there, and its trajectory part if the study
keeps one; or when its failures part holds all of its runs. Parts are written whole and renamed into place, the summary
last, so that a shard is done or not, at whatever instant somebody is killed.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mpn_abm.errors import MissingFileError, OutputExistsError, SimulationError, UsageError
from mpn_abm.files import LOCK, PART, Writer, csv, is_locked, locked, parquet, published_together, text

PARTS = ("trajectory", "summary", "failures")
STUDY, PLAN, PATIENTS, MANIFEST = "study.yaml", "plan.parquet", "patients.parquet", "manifest.json"
# what else a finished study has
WHOLE = (
    "endpoints", "survival", "comparison", "claims", "km", "flow", "power", "indices", "noise",
    "estimate", "posterior", "predictions", "generations",
)  # fmt: skip
# rows of the plan that are read together: a worker reads those of its shard
ROWS_PER_GROUP = 4096

# a lock is tried so often before it is somebody else's
LOOKS, SECONDS_BETWEEN_LOOKS = 3, 0.1

_PART_NAME = re.compile(r"part-(\d+)\.parquet")


def path_of(said: object, name: str) -> Path:
    """The path that a caller says as an argument of this name."""
    if not isinstance(said, str | PathLike):
        raise UsageError(f"{name}: {said!r}: expected the path of a folder")
    return Path(said)


def files_of(table: str) -> tuple[str, str]:
    """The files of a table of the whole study: for programs, and for whoever opens it in a spreadsheet."""
    return f"{table}.parquet", f"{table}.csv"


def write_table(
    write: Callable[[str, Writer], None], name: str, table: pa.Table, provenance: dict[str, object]
) -> None:
    """Write a table of the whole study into both of its files."""
    for file, writer in zip(files_of(name), (parquet(table, provenance, 1), csv(table)), strict=True):
        write(file, writer)


def part_name(shard: int) -> str:
    """The file of a shard, in the folder of each table."""
    return f"part-{shard:05d}.parquet"


@dataclass(frozen=True)
class Folder:
    """A study on disk."""

    path: Path

    @property
    def is_study(self) -> bool:
        """Whether a study was begun here."""
        return (self.path / PLAN).is_file() and (self.path / STUDY).is_file()

    def part(self, table: str, shard: int) -> Path:
        """The file of a table's part."""
        return self.path / table / part_name(shard)

    # ---- the plan

    def plan(self) -> pd.DataFrame:
        """All runs, in their order."""
        frame: pd.DataFrame = self._plan_table().to_pandas()
        return frame

    def plan_of(self, shard: int) -> pd.DataFrame:
        """The runs of a shard, in their order."""
        frame: pd.DataFrame = self._plan_table([("shard", "=", shard)]).to_pandas()
        return frame

    def _plan_table(self, filters: Any = None, columns: list[str] | None = None) -> pa.Table:
        if not self.is_study:
            raise MissingFileError(f"{self.path}: expected the folder of a study, with {STUDY} and {PLAN}")
        try:
            return pq.read_table(self.path / PLAN, columns=columns, filters=filters)
        except (OSError, pa.ArrowInvalid) as error:
            raise UsageError(f"{self.path / PLAN}: cannot be read: {error}") from error

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """What the plan says of program and study."""
        said = (pq.read_schema(self.path / PLAN).metadata or {}).get(b"mpn_abm", b"{}")
        content: dict[str, Any] = json.loads(said)
        return content

    def runs_by_shard(self) -> dict[int, int]:
        """How many runs each shard has."""
        return runs_of(self._plan_table(columns=["shard"]).to_pandas())

    # ---- what is done

    def shards_with(self, table: str) -> set[int]:
        """Shards that have a part of a table."""
        with suppress(FileNotFoundError):
            found = (_PART_NAME.fullmatch(file.name) for file in (self.path / table).iterdir())
            return {int(name[1]) for name in found if name}
        return set()

    def failed_by_shard(self) -> dict[int, int]:
        """How many runs failed, of the shards in which some did."""
        return {shard: rows_in(self.part("failures", shard)) for shard in sorted(self.shards_with("failures"))}

    def done(self, runs: Mapping[int, int]) -> set[int]:
        """Which of these shards are done."""
        finished = self.shards_with("summary")
        if self.provenance["kept"]["trajectory"] != "none":
            finished &= self.shards_with("trajectory")
        finished |= {shard for shard, failed in self.failed_by_shard().items() if failed == runs.get(shard)}
        return finished & runs.keys()

    def is_done(self, shard: int, runs: int) -> bool:
        """Whether one shard is done."""
        return shard in self.done({shard: runs})

    def remove_orphans(self, runs: Mapping[int, int]) -> None:
        """Take away parts of shards that are not done, or are none of the plan, and files that were being written.

        A part that no longer reads, as a disk or a copy has damaged it, goes as well: its shard is done anew.
        """
        for table in PARTS:
            for shard in self.shards_with(table):
                if not _reads(self.part(table, shard)):
                    print(f"{self.part(table, shard)}: is damaged; its runs are made anew", file=sys.stderr)
                    _remove(self.part(table, shard))
        done = self.done(runs)
        for table in PARTS:
            for shard in self.shards_with(table) - done:
                _remove(self.part(table, shard))
        for folder in (self.path, *(self.path / table for table in PARTS)):
            for left in folder.iterdir() if folder.is_dir() else ():
                if PART.fullmatch(left.name):
                    _remove(left)

    def empty(self) -> None:
        """Take away everything that a study leaves; the plan first, so that what is left is none."""
        for name in (PLAN, STUDY, PATIENTS, MANIFEST, *(file for table in WHOLE for file in files_of(table))):
            _remove(self.path / name)
        for table in PARTS:
            for shard in self.shards_with(table):
                _remove(self.part(table, shard))

    # ---- holding it

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder, made if needed; nobody else can while this process lives.

        Raises
        ------
        OutputExistsError
            If another run holds it, or it is a file.
        SimulationError
            If it cannot be made or written to.
        """
        if self.path.exists() and not self.path.is_dir():
            raise OutputExistsError(f"{self.path}: exists and is no folder")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file = self._lock()
        except OutputExistsError:
            raise
        except OSError as error:
            raise SimulationError(f"{self.path}: cannot be written to: {error.strerror or error}") from error
        with file:
            try:
                yield
            finally:
                with suppress(OSError):
                    (self.path / LOCK).unlink(missing_ok=True)

    def _lock(self) -> IO[bytes]:
        for _ in range(LOOKS):
            # somebody who only looks holds it for an instant
            with suppress(OutputExistsError):
                return locked(self.path / LOCK)
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return locked(self.path / LOCK)

    @property
    def is_held(self) -> bool:
        """Whether somebody works on it now, as far as the file system tells."""
        return is_locked(self.path / LOCK)


def publish_tables(folder: Folder, tables: Mapping[str, pa.Table]) -> None:
    """Put the tables of the whole study in place of earlier ones; manifest.json, which speaks of those, goes first."""
    earlier = [MANIFEST, *(file for name in WHOLE for file in files_of(name))]
    with published_together(folder.path, replaced=earlier) as write:
        for name, table in tables.items():
            write_table(write, name, table, folder.provenance)


def publish_manifest(folder: Folder, facts: Mapping[str, Any]) -> None:
    """Write manifest.json, after the tables."""
    with published_together(folder.path) as write:
        write(MANIFEST, text(json.dumps({**facts, "provenance": folder.provenance}, indent=2) + "\n"))


def runs_of(plan: pd.DataFrame) -> dict[int, int]:
    """How many runs each shard of a plan has."""
    shards, numbers = np.unique(plan["shard"].to_numpy(), return_counts=True)
    return dict(zip(shards.tolist(), numbers.tolist(), strict=True))


def _reads(file: Path) -> bool:
    try:
        return rows_in(file) >= 0
    except (OSError, pa.ArrowInvalid):
        return False


def rows_in(file: Path) -> int:
    """Rows of a Parquet file, by what its end says."""
    return int(pq.read_metadata(file).num_rows)


def parts_together(folder: Folder, shard: int, tables: Mapping[str, Any]) -> None:
    """Put the parts of a shard in place, in the order given: each is there before the next appears.

    Raises
    ------
    SimulationError
        If the disk is full, the folder cannot be written to, or the like; then none is in place.
    """
    if not tables:
        return
    *others, (name, writer) = tables.items()
    try:
        (folder.path / name).mkdir(exist_ok=True)
    except OSError as error:
        raise SimulationError(f"{folder.path / name}: cannot be written to: {error.strerror or error}") from error
    with published_together(folder.path / name) as write:
        write(part_name(shard), writer)
        parts_together(folder, shard, dict(others))


def without_parts(folder: Folder, shard: int, tables: Collection[str]) -> None:
    """Take parts of a shard away."""
    for table in tables:
        _remove(folder.part(table, shard))


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise SimulationError(f"{file}: cannot be removed: {error.strerror or error}") from error
