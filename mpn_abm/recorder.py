"""What a run leaves: rows of the trajectory, clones, events, snapshots and one summary line each.

What is recorded, and when, is apart from what happens: the kernels fill blocks, and the recorder takes them.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from mpn_abm.batch import Batch
from mpn_abm.columns import PHASES, Column, columns_of
from mpn_abm.compile.program import Program
from mpn_abm.errors import UsageError
from mpn_abm.mechanisms.log import (
    DIED,
    DOSE,
    DOSE_CHANGE,
    PHASE_CHANGE,
    RESPONSE_LOSS,
    TREATMENT_START,
    TREATMENT_STOP,
)
from mpn_abm.mechanisms.outcome import FIXATION, GOES_ON
from mpn_abm.rows import Ends, Rows, label_of, summary_of, trajectory_of
from mpn_abm.snapshot import Photographer
from mpn_abm.state import BORN_SITE, BORN_STEP, CLONE_GENOTYPE, DEAD_STEP, ENDED_STEP, LOST_STEP, NEXT_CLONE, PARENT
from mpn_abm.tables import as_bytes, from_bytes, no_number, table_of

LOGGED_KINDS = {
    TREATMENT_START: "treatment_start",
    TREATMENT_STOP: "treatment_stop",
    DOSE: "dose",
    PHASE_CHANGE: "phase",
    RESPONSE_LOSS: "response_lost",
    DIED: "death",
    DOSE_CHANGE: "dose_change",
}
OF_COURSES = (TREATMENT_START, TREATMENT_STOP, DOSE, DOSE_CHANGE)


class Pieces:
    """Arrays of one length each, which come piece by piece; the first says the replicate of every entry."""

    def __init__(self) -> None:
        self._pieces: list[tuple[np.ndarray, ...]] = []

    def add(self, replicate: np.ndarray, *arrays: np.ndarray) -> None:
        """Append a piece."""
        self._pieces.append((replicate, *arrays))

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def whole(self) -> tuple[np.ndarray, ...]:
        """The pieces put together, in the order of replicates; those of one come in time order and stay in it."""
        if len(self._pieces) > 1:
            self._pieces = [tuple(np.concatenate(arrays) for arrays in zip(*self._pieces, strict=True))]
        (whole,) = self._pieces
        if (np.diff(whole[0]) < 0).any():
            order = np.argsort(whole[0], kind="stable")
            whole = tuple(array[order] for array in whole)
            self._pieces = [whole]
        return whole


class Recorder:
    """Takes what the marrows of a program leave, batch after batch."""

    def __init__(self, program: Program, run_id: str) -> None:
        self.program = program
        self.run_id = run_id
        self.groups = program.layout.groups | ({"depth"} if program.rules.lattice.radius_z > 0 else set())
        self._rows = Pieces()  # replicate, boundary, values
        self._clone_rows = Pieces()  # replicate, boundary, (clone, cells)
        self._log = Pieces()  # replicate, entries
        self._observed = Pieces()  # replicate, boundary, values
        self._observed_names: tuple[str, ...] | None = None
        # replicate, seed, boundary, reason, clone that is left alone or 0, its genotype, boundary of death or 0
        self._ends = Pieces()
        self._clone_tables = Pieces()  # replicate, clone, facts
        self._snapshots: list[tuple[int, pa.Table]] = []  # replicate, sites

    @cached_property
    def labels(self) -> list[str]:
        """Genotypes with their background drivers, by number."""
        return ["empty", *map(label_of, self.program.cell_types.types)]

    @cached_property
    def _photographer(self) -> Photographer:
        return Photographer(self.program, self.run_id, self.labels, self.groups)

    # ---- taking

    def flush(self, batch: Batch) -> None:
        """Empty the blocks of a batch; a value that is no number stops the run here."""
        k, boundary, values = batch.take_rows()
        # after death a whole row holds no number
        wrong = ~np.isfinite(values) & ~np.isnan(values).all(axis=1, keepdims=True)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            name = self.program.layout.columns[column].name
            raise no_number(name, values[row, column], self._day(boundary[row]))
        self._rows.add(batch.replicates[k], boundary, values)
        if self.program.spec.output.clones:
            k, facts = batch.take_clone_rows()
            self._clone_rows.add(batch.replicates[k], facts[:, 0], facts[:, 1:])
        if self.program.spec.output.events:
            logs = batch.take_log()
            self._log.add(np.repeat(batch.replicates, [len(log) for log in logs]), np.concatenate(logs))

    def observe(self, replicate: int, boundary: int, columns: Mapping[str, float] | None) -> None:
        """A row of observers' columns, beside the row of the same boundary; None of a patient who is dead."""
        if columns is None:
            columns = dict.fromkeys(self._observed_names or (), np.nan)
        names = tuple(columns)
        if self._observed_names is None:
            taken = {column.name for column in self.program.layout.table}.intersection(names)
            if taken:
                raise UsageError(f"observer: {', '.join(sorted(taken))}: expected names that no column has yet")
            self._observed_names = names
        if names != self._observed_names:
            first = ", ".join(self._observed_names) or "none"
            raise UsageError(f"observer: expected the columns of day 0, {first}, every day")
        values = np.array([list(columns.values())], np.float64)
        self._observed.add(np.array([replicate]), np.array([boundary]), values)

    def snapshot(self, batch: Batch, marrows: np.ndarray) -> None:
        """Every occupied site and every T cell of some marrows of a batch, by index, as they stand."""
        if self.program.spec.output.snapshots:
            for k in marrows.tolist():
                replicate, day = int(batch.replicates[k]), float(self._day(batch.reached[k]))
                pieces = self._photographer.pieces(batch.marrow(k), replicate, day)
                self._snapshots.extend((replicate, piece) for piece in pieces)

    def finish(self, batch: Batch) -> None:
        """The last rows, clone table and end of every marrow of a batch."""
        self.flush(batch)
        tally = batch.stack.tally
        ended = np.where(batch.ended == GOES_ON, batch.reached, tally[:, ENDED_STEP])
        alone = _clones_left_alone(batch)
        genotype = batch.stack.clone_table[np.arange(len(batch)), alone, CLONE_GENOTYPE]
        seeds = batch.seeds.astype(np.int64)
        died = tally[:, DEAD_STEP].copy()
        self._ends.add(batch.replicates, seeds, ended, batch.ended.copy(), alone, genotype, died)
        if not (self.program.spec.output.clones or self.program.spec.output.events):
            return
        there = np.arange(batch.stack.clone_table.shape[1])[None, :] < tally[:, NEXT_CLONE][:, None]
        k, clone = np.nonzero(there)
        self._clone_tables.add(batch.replicates[k], clone, batch.stack.clone_table[there])

    # ---- keeping

    @property
    def _kept(self) -> dict[str, Pieces]:
        return {
            "rows": self._rows, "clone_rows": self._clone_rows, "log": self._log, "ends": self._ends,
            "clone_tables": self._clone_tables,
        }  # fmt: skip

    def arrays(self) -> dict[str, np.ndarray]:
        """All that was taken so far, by name; what observers said is not among it."""
        parts = {name: pieces.whole() for name, pieces in self._kept.items() if pieces}
        arrays = {f"{name}.{k}": array for name, whole in parts.items() for k, array in enumerate(whole)}
        owners = np.array([replicate for replicate, _ in self._snapshots], np.int64)
        return arrays | {"snapshots.0": owners, "snapshots.1": as_bytes([piece for _, piece in self._snapshots])}

    def take_over(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from what ``arrays`` of another recorder of the program returned."""
        for name, pieces in self._kept.items():
            whole = [arrays[key] for key in (f"{name}.{k}" for k in range(len(arrays))) if key in arrays]
            if whole:
                pieces.add(*whole)
        self._snapshots = list(zip(arrays["snapshots.0"].tolist(), from_bytes(arrays["snapshots.1"]), strict=True))

    # ---- tables

    def _day(self, boundary: Any) -> Any:
        return boundary * self.program.timetable.step

    def _clone_names(self, clone: np.ndarray, genotype: np.ndarray) -> np.ndarray:
        founders = self.program.founders
        return np.array(
            [
                founders[c - 1] if c <= len(founders) else f"{self.labels[g]}#{c}"
                for c, g in zip(clone.tolist(), genotype.tolist(), strict=True)
            ],
            object,
        )

    def rows(self) -> Rows:
        """The rows of all replicates."""
        replicate, boundary, values = self._rows.whole()
        return Rows(np.searchsorted(self._ends.whole()[0], replicate), self._day(boundary), values)

    def ends(self) -> Ends:
        """The end of each replicate."""
        replicate, seeds, ended, reason, alone, genotype, died = self._ends.whole()
        number = len(replicate)
        fixed = np.full(number, None, object)
        left = reason == FIXATION
        if left.any():
            fixed[left] = self._clone_names(alone[left], genotype[left])
        return Ends(
            run_id=np.full(number, self.run_id, object),
            replicate=replicate,
            seed=seeds,
            day=self._day(ended),
            reason=reason,
            fixed_clone=fixed,
            death_day=self._day(died.astype(np.float64)),
            sites=np.full(number, self.program.rules.lattice.sites),
        )

    def trajectory(self) -> pa.Table:
        """One row per recorded day and replicate."""
        names = [Column(name, "float64", "-", "column of an observer") for name in self._observed_names or ()]
        observed = zip(names, self._observed.whole()[2].T, strict=True) if names else ()
        return trajectory_of(self.program.layout, self.rows(), self.ends(), observed)

    def summary(self) -> pa.Table:
        """One row per replicate."""
        return summary_of(self.program.layout, self.rows(), self.ends())

    def clones(self) -> pa.Table:
        """Recorded day x living clone."""
        replicate, boundary, clone_and_cells = self._clone_rows.whole()
        clone, cells = clone_and_cells.T
        owner, _, facts = self._clone_tables.whole()
        row = np.searchsorted(owner, replicate) + clone
        genotype, used = facts[row, CLONE_GENOTYPE], np.unique(row)
        names = self._clone_names((used - np.searchsorted(owner, owner[used])), facts[used, CLONE_GENOTYPE])
        arrays = {
            "run_id": pa.repeat(self.run_id, len(clone)),
            "replicate": replicate,
            "day": self._day(boundary),
            "clone": clone,
            "name": names[np.searchsorted(used, row)],
            "cells": cells,
            "genotype": np.array(self.labels, object)[genotype],
            "parent": facts[row, PARENT],
            "born_day": self._day(facts[row, BORN_STEP]),
        }
        return table_of(columns_of("clones", self.groups), arrays)

    def events(self) -> pa.Table:
        """What happened: clones born and lost, treatments started and stopped, doses."""
        owner, clone, facts = self._clone_tables.whole()
        log_owner, log = self._log.whole()
        mutant = clone > len(self.program.founders)
        born = np.flatnonzero(mutant | ((clone > 0) & (facts[:, BORN_STEP] > 0)))
        lost = np.flatnonzero((clone > 0) & (facts[:, LOST_STEP] >= 0))
        of_clones, logged = np.concatenate([born, lost]), len(log)
        at, kind, who, value = log.T
        told = zip(kind.tolist(), who.astype(np.int64).tolist(), strict=True)
        courses = self.program.courses
        named = [PHASES[w] if k == PHASE_CHANGE else courses[w] if k in OF_COURSES else "" for k, w in told]
        # a mutation falls within its step and shows at the boundary after it
        boundary = np.concatenate([facts[born, BORN_STEP] + mutant[born], facts[lost, LOST_STEP] + 1, at])
        kinds = ["clone_born"] * len(born) + ["clone_lost"] * len(lost) + [LOGGED_KINDS[k] for k in kind.tolist()]
        names = self._clone_names(clone[of_clones], facts[of_clones, CLONE_GENOTYPE])
        site = np.concatenate([facts[born, BORN_SITE], np.full(len(lost) + logged, -1)])
        number = np.concatenate([clone[of_clones], np.zeros(logged, np.int64)])
        is_logged = np.arange(len(number)) >= len(of_clones)
        replicate = np.concatenate([owner[of_clones], log_owner])
        # births, then what is given, then losses
        turn = np.repeat([0, 2, 1], [len(born), len(lost), logged])
        order = np.lexsort((number, turn, boundary, replicate))
        arrays = {
            "run_id": pa.repeat(self.run_id, len(order)),
            "replicate": replicate[order],
            "day": self._day(boundary[order]),
            "kind": np.array(kinds, object)[order],
            "name": np.concatenate([names, np.array(named, object)])[order],
            "clone": pa.array(number[order], mask=is_logged[order]),
            "site": pa.array(site[order], mask=site[order] < 0),
            "value": pa.array(np.append(np.zeros(len(of_clones)), value)[order], mask=~is_logged[order]),
        }
        return table_of(columns_of("events", self.groups), arrays)

    def snapshots(self) -> pa.Table:
        """Every occupied site, and every T cell, of the days with a snapshot."""
        pieces = [piece for _, piece in sorted(self._snapshots, key=lambda snapshot: snapshot[0])]
        return pa.concat_tables(pieces or [self._photographer.nothing()])


def _clones_left_alone(batch: Batch) -> np.ndarray:
    cells = batch.stack.counters.clone_cells[:, 1:]
    return np.where((cells > 0).sum(axis=1) == 1, cells.argmax(axis=1) + 1, 0)
