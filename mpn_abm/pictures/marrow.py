"""Snapshots as arrays: what stands on each site, the scar there, and the T cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mpn_abm.errors import UsageError
from mpn_abm.pictures.looks import Look, looks_of
from mpn_abm.pictures.palette import EMPTY, rgb
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.runs import palette_of

SITES_PER_BLOCK = 4
NAMES = ["day", "x", "y", "z", "genotype", "clone", "fibrosis", "layer"]


@dataclass(frozen=True)
class Snapshot:
    """One marrow on one day; arrays are [z, y, x], flat marrows have one z.

    Attributes
    ----------
    day : float
    kind : uint8 array
        0 for an empty site, else the place in the legend plus 1.
    scar : float array
        ECM, 0 to 1.
    t_cells : int array
        T-cell agents on the site.
    """

    day: float
    kind: np.ndarray
    scar: np.ndarray
    t_cells: np.ndarray

    @property
    def is_flat(self) -> bool:
        """Whether it has one layer of sites."""
        return bool(self.kind.shape[0] == 1)


class Marrow:
    """The snapshots of one replicate, with one legend.

    Parameters
    ----------
    recording : Recording
    replicate : int
    """

    def __init__(self, recording: Recording, replicate: int) -> None:
        recording.need("snapshots", "run with time.snapshot_every_days")
        self.recording, self.replicate = recording, replicate
        self.palette = palette_of(recording)
        if not self.days:
            raise UsageError(f"{recording.place}: no snapshot of replicate {replicate}; snapshots are of replicate 0")

    @cached_property
    def days(self) -> list[float]:
        """The days with a snapshot."""
        found = self.recording.rows("snapshots", columns=["day"], replicate=self.replicate)
        return [float(day) for day in np.unique(found["day"].to_numpy())]

    def nearest(self, day: float | None) -> float:
        """The day of the nearest snapshot; the last unless a day is asked for."""
        return self.days[-1] if day is None else min(self.days, key=lambda one: abs(one - day))

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Depth, height, width."""
        scenario = self.recording.scenario
        if scenario is not None:
            width, height, *depth = scenario.spec.marrow.shape
            return (depth[0] if depth else 1, height, width)
        found = self.recording.frame("snapshots")
        last = [int(found[name].max()) + 1 if name in found else 1 for name in ("z", "y", "x")]
        return last[0], last[1], last[2]

    @cached_property
    def legend(self) -> list[Look]:
        """Label and colour of every kind, in the order of the kinds."""
        return list(dict.fromkeys(self._looks.values()))

    @cached_property
    def _looks(self) -> dict[str | int, Look]:
        return looks_of(self.palette, self._genotypes)

    @cached_property
    def _genotypes(self) -> list[str]:
        """The genotypes of all snapshots: those that the file places first, then by name."""
        if self.recording.folder is not None:
            file = pq.ParquetFile(self.recording.folder / "snapshots.parquet")
            known: set[str] = set()
            for group in range(file.num_row_groups):
                column = file.read_row_group(group, columns=["genotype"]).column(0)
                known.update(pc.unique(column).to_pylist())
        else:
            known = set(self.recording.rows("snapshots", columns=["genotype"])["genotype"].unique())
        known.discard("car_t")
        placed = list(dict.fromkeys(self.palette.clones.values()))
        return [name for name in placed if name in known] + sorted(known - set(placed))

    @cached_property
    def colours(self) -> np.ndarray:
        """float[kinds + 1, 3]: red, green and blue of every kind, 0 to 1; the first is the empty site."""
        return np.array([rgb(EMPTY), *(rgb(colour) for _, colour in self.legend)]) / 255.0

    def on(self, day: float) -> Snapshot:
        """The snapshot of one of its days."""
        rows = self.recording.rows("snapshots", replicate=self.replicate, day=day)
        return self._snapshot(day, pa.Table.from_pandas(rows, preserve_index=False))

    def all(self) -> Iterator[Snapshot]:
        """Every snapshot in turn; one is in memory at a time."""
        for day, table in _by_day(self._tables()):
            yield self._snapshot(day, table)

    def _tables(self) -> Iterator[pa.Table]:
        names = [name for name in ("replicate", *NAMES) if name in self.recording.columns("snapshots")]
        if self.recording.folder is None:
            whole = [pa.Table.from_pandas(self.recording.frame("snapshots")[names], preserve_index=False)]
        else:
            file = pq.ParquetFile(self.recording.folder / "snapshots.parquet")
            whole = (file.read_row_group(group, columns=names) for group in range(file.num_row_groups))  # type: ignore[assignment]
        for table in whole:
            yield table.filter(pc.equal(table.column("replicate"), self.replicate))

    def _snapshot(self, day: float, table: pa.Table) -> Snapshot:
        depth, height, width = self.shape
        z = table.column("z").to_numpy() if "z" in table.column_names else np.zeros(table.num_rows, np.int32)
        site = (z.astype(np.int64) * height + table.column("y").to_numpy()) * width + table.column("x").to_numpy()
        is_cell = _words(table, "layer") == "cell"
        genotype, clone = _words(table, "genotype"), table.column("clone").to_numpy()
        kind = np.zeros(depth * height * width, np.uint8)
        kind[site[is_cell]] = self._kinds(genotype[is_cell], clone[is_cell])
        t_cells = np.bincount(site[~is_cell], minlength=len(kind)).reshape(self.shape)
        scar = self._scar(site, table.column("fibrosis").to_numpy())
        return Snapshot(day, kind.reshape(self.shape), scar, t_cells)

    def _kinds(self, genotype: _Words, clone: np.ndarray) -> np.ndarray:
        place = {look: k + 1 for k, look in enumerate(self.legend)}
        of_word = np.array([place.get(self._looks.get(word, ("", "")), 0) for word in genotype.labels], np.uint8)
        found = of_word[genotype.codes] if len(of_word) else np.zeros(len(genotype.codes), np.uint8)
        for number, look in self._looks.items():
            if isinstance(number, int):
                found[clone == number] = place[look]
        return found

    def _scar(self, site: np.ndarray, ecm: np.ndarray) -> np.ndarray:
        """The ECM of every site: that of its block, which an empty site has from its neighbours."""
        depth, height, width = self.shape
        z, y, x = np.unravel_index(np.arange(depth * height * width), self.shape)
        blocks = -(-height // SITES_PER_BLOCK), -(-width // SITES_PER_BLOCK)
        block = ((z // SITES_PER_BLOCK) * blocks[0] + y // SITES_PER_BLOCK) * blocks[1] + x // SITES_PER_BLOCK
        of_block = np.zeros(int(block.max()) + 1, np.float32)
        of_block[block[site]] = ecm
        return np.asarray(of_block[block].reshape(self.shape))


@dataclass(frozen=True)
class _Words:
    """A column of words as numbers and labels."""

    codes: np.ndarray
    labels: list[str]

    def __eq__(self, word: object) -> np.ndarray:  # type: ignore[override]
        return np.asarray(self.codes == (self.labels.index(str(word)) if word in self.labels else -1))

    def __getitem__(self, which: np.ndarray) -> _Words:
        return _Words(self.codes[which], self.labels)


def _words(table: pa.Table, name: str) -> _Words:
    column = table.column(name)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    array = pa.chunked_array(column.chunks, type=column.type).unify_dictionaries()
    if array.num_chunks == 0:
        return _Words(np.empty(0, np.int64), [])
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in array.chunks])
    return _Words(codes, array.chunk(0).dictionary.to_pylist())


def _by_day(tables: Iterator[pa.Table]) -> Iterator[tuple[float, pa.Table]]:
    """The rows of each day, whose parts may stand in two tables."""
    held: list[pa.Table] = []
    held_day: float | None = None
    for table in tables:
        days = table.column("day").to_numpy()
        edges = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
        for start, stop in pairwise(edges):
            if start == stop:
                continue
            if held_day is not None and days[start] != held_day:
                yield held_day, pa.concat_tables(held)
                held = []
            held_day = float(days[start])
            held.append(table.slice(start, stop - start))
    if held_day is not None:
        yield held_day, pa.concat_tables(held)
