"""What a run leaves: rows of the trajectory, clones, events, snapshots and one summary line each.

What is recorded, and when, is apart from what happens: the kernels fill blocks, and the recorder takes them.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from mpn_abm.batch import Batch
from mpn_abm.columns import Column
from mpn_abm.compile.genotypes import CellType
from mpn_abm.compile.program import Program
from mpn_abm.errors import SimulationError
from mpn_abm.mechanisms.jak_inhibitor.kernel import DOSE, TREATMENT_START, TREATMENT_STOP
from mpn_abm.mechanisms.schedule import ERADICATION, EXTINCTION, FIXATION, GOES_ON
from mpn_abm.state import (
    ANTIGEN,
    ANTIGEN_SHIFT,
    BORN_SITE,
    BORN_STEP,
    CLONE_GENOTYPE,
    CLONE_SHIFT,
    ENDED_STEP,
    GENOTYPE,
    LOST_STEP,
    NEXT_CLONE,
    PARENT,
    T_CELLS,
)

END_REASONS = {GOES_ON: "duration", FIXATION: "fixation", EXTINCTION: "extinction", ERADICATION: "eradication"}
LOGGED_KINDS = {TREATMENT_START: "treatment_start", TREATMENT_STOP: "treatment_stop", DOSE: "dose"}
ARROW_TYPES = {"float64": pa.float64(), "int64": pa.int64(), "string": pa.string(), "bool": pa.bool_()}


def label_of(cell_type: CellType) -> str:
    """A genotype with its background drivers, as in JAK2_V617F+TET2."""
    return "+".join([cell_type.base, *sorted(cell_type.flags), *(["antigen_low"] if cell_type.antigen_low else [])])


def table_of(columns: list[Column], arrays: dict[str, np.ndarray | pa.Array]) -> pa.Table:
    """An Arrow table whose fields carry unit and meaning."""
    fields = [pa.field(c.name, ARROW_TYPES[c.kind], metadata={"unit": c.unit, "meaning": c.meaning}) for c in columns]
    data = [pa.array(arrays[c.name], type=ARROW_TYPES[c.kind]) for c in columns]
    return pa.Table.from_arrays(data, schema=pa.schema(fields))


_RUN = (
    Column("run_id", "string", "-", "the run, the first 16 digits of the digest of its scenario"),
    Column("replicate", "int64", "-", "number of the replicate"),
)


@dataclass
class Rows:
    """Pieces of a table as they come, and the whole in the order of replicates."""

    replicate: list[np.ndarray] = field(default_factory=list)
    boundary: list[np.ndarray] = field(default_factory=list)
    values: list[np.ndarray] = field(default_factory=list)

    def add(self, replicate: np.ndarray, boundary: np.ndarray, values: np.ndarray) -> None:
        """Append a piece."""
        self.replicate.append(replicate)
        self.boundary.append(boundary)
        self.values.append(values)

    def whole(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Replicate, boundary and values; pieces come in time order, so a stable sort suffices."""
        replicate = np.concatenate(self.replicate)
        order = np.argsort(replicate, kind="stable")
        return replicate[order], np.concatenate(self.boundary)[order], np.concatenate(self.values)[order]


class Recorder:
    """Takes what the marrows of a program leave, batch after batch."""

    def __init__(self, program: Program, run_id: str) -> None:
        self.program = program
        self.run_id = run_id
        self.rows = Rows()
        self.clone_rows = Rows()
        self.observed: dict[str, list[float]] = {}
        self._log: dict[int, list[np.ndarray]] = {}
        self._snapshots: list[pa.Table] = []
        self._events: list[pa.Table] = []
        self._clone_tables: dict[int, np.ndarray] = {}
        self._ends: list[tuple[np.ndarray, ...]] = []
        self._seeds: dict[int, int] = {}

    def flush(self, batch: Batch) -> None:
        """Empty the blocks of a batch; a value that is no number stops the run here."""
        replicate, boundary, values = batch.take_rows()
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            name = self.program.layout.columns[column].name
            day = boundary[row] * self.program.timetable.step
            raise SimulationError(f"{name} is {values[row, column]} on day {day:g}: this is a bug, please report it")
        self.rows.add(batch.replicates[replicate], boundary, values)
        if self.program.spec.output.clones:
            replicate, facts = batch.take_clone_rows()
            self.clone_rows.add(batch.replicates[replicate], facts[:, 0], facts[:, 1:])
        if self.program.spec.output.events:
            for number, log in zip(batch.replicates.tolist(), batch.take_log(), strict=True):
                if len(log):
                    self._log.setdefault(number, []).append(log)

    def observe(self, columns: Mapping[str, float]) -> None:
        """A row of observers' columns, beside the row of the same boundary."""
        for name, value in columns.items():
            self.observed.setdefault(name, []).append(float(value))

    def snapshot(self, batch: Batch, boundary: int) -> None:
        """Every occupied site and every T cell of the marrows that stand at a boundary."""
        if not self.program.spec.output.snapshots:
            return
        for k in range(len(batch)):
            if batch.reached[k] == boundary:
                self._snapshots.append(self._snapshot_of(batch, k, boundary))

    def finish(self, batch: Batch) -> None:
        """The last rows, clone table and end of every marrow of a batch."""
        self.flush(batch)
        tally = batch.stack.tally
        ended = np.where(batch.ended == GOES_ON, batch.reached, tally[:, ENDED_STEP])
        self._ends.append((batch.replicates, ended, batch.ended.copy(), self._fixed_clones(batch)))
        self._seeds.update(zip(batch.replicates.tolist(), batch.seeds.tolist(), strict=True))
        if not (self.program.spec.output.clones or self.program.spec.output.events):
            return
        for k, number in enumerate(batch.replicates.tolist()):
            self._clone_tables[number] = batch.stack.clone_table[k, : tally[k, NEXT_CLONE]].copy()

    def _fixed_clones(self, batch: Batch) -> np.ndarray:
        cells = batch.stack.counters.clone_cells[:, 1:]
        return np.where((cells > 0).sum(axis=1) == 1, cells.argmax(axis=1) + 1, 0)

    # ---- tables

    @functools.cached_property
    def _labels(self) -> list[str]:
        return ["empty", *(label_of(cell_type) for cell_type in self.program.cell_types.types)]

    def _clone_name(self, clone: int, genotype: int) -> str:
        founders = self.program.founders
        return founders[clone - 1] if clone <= len(founders) else f"{self._labels[genotype]}#{clone}"

    def trajectory(self) -> pa.Table:
        """One row per recorded day and replicate."""
        layout = self.program.layout
        replicate, boundary, values = self.rows.whole()
        seeds = np.array([self._seeds[k] for k in np.unique(replicate).tolist()], np.int64)
        arrays: dict[str, np.ndarray | pa.Array] = {
            "run_id": pa.repeat(self.run_id, len(replicate)),
            "replicate": replicate,
            "seed": seeds[np.searchsorted(np.unique(replicate), replicate)],
            "day": boundary * self.program.timetable.step,
            "alive": np.ones(len(replicate), bool),
        }
        for k, column in enumerate(layout.columns):
            arrays[column.name] = values[:, k].astype(column.kind)
        observed = [Column(name, "float64", "-", "column of an observer") for name in self.observed]
        arrays |= {name: np.array(column) for name, column in self.observed.items()}
        return table_of([*layout.table, *observed], arrays)

    def clones(self) -> pa.Table:
        """Recorded day x living clone."""
        columns = [
            *_RUN,
            Column("day", "float64", "day", "time since day 0"),
            Column("clone", "int64", "-", "number of the clone; those of the file come first"),
            Column("name", "string", "-", "name in the file, or genotype#number"),
            Column("cells", "int64", "cells", "cells of the clone"),
            Column("genotype", "string", "-", "genotype with its background drivers"),
            Column("parent", "int64", "-", "clone from which it arose, 0 for those of the file"),
            Column("born_day", "float64", "day", "when it arose"),
        ]
        replicate, boundary, facts = self.clone_rows.whole()
        clone = facts[:, 0]
        step = self.program.timetable.step
        genotype, parent, born = np.empty((3, len(clone)), np.int64)
        name = np.empty(len(clone), object)
        for number, table in self._clone_tables.items():
            rows = slice(*np.searchsorted(replicate, [number, number + 1]))
            of = clone[rows]
            genotype[rows], parent[rows] = table[of, CLONE_GENOTYPE], table[of, PARENT]
            born[rows] = table[of, BORN_STEP]
            names = np.array([self._clone_name(c, table[c, CLONE_GENOTYPE]) for c in range(len(table))], object)
            name[rows] = names[of]
        return table_of(
            columns,
            {
                "run_id": pa.repeat(self.run_id, len(clone)),
                "replicate": replicate,
                "day": boundary * step,
                "clone": clone,
                "name": name,
                "cells": facts[:, 1],
                "genotype": np.array(self._labels, object)[genotype],
                "parent": parent,
                "born_day": born * step,
            },
        )

    def events(self) -> pa.Table:
        """What happened: clones born and lost, treatments started and stopped, doses."""
        founders = len(self.program.founders)
        treatments = list(self.program.spec.treatments)
        found: list[tuple[int, float, int, str, str, int | None, int | None, float | None]] = []
        step = self.program.timetable.step
        for number, table in self._clone_tables.items():
            for clone in range(1, len(table)):
                facts = table[clone]
                name = self._clone_name(clone, facts[CLONE_GENOTYPE])
                site = None if facts[BORN_SITE] < 0 else int(facts[BORN_SITE])
                if clone > founders or facts[BORN_STEP] > 0:
                    # a mutation falls within its step and shows at the boundary after it
                    day = (facts[BORN_STEP] + (clone > founders)) * step
                    found.append((number, day, 0, "clone_born", name, clone, site, None))
                if facts[LOST_STEP] >= 0:
                    found.append((number, (facts[LOST_STEP] + 1) * step, 2, "clone_lost", name, clone, None, None))
            for log in self._log.get(number, []):
                for at, kind, who, value in log.tolist():
                    found.append((number, at * step, 1, LOGGED_KINDS[kind], treatments[int(who)], None, None, value))
        found.sort(key=lambda event: (event[0], event[1], event[2], event[5] or 0))
        columns = [
            *_RUN,
            Column("day", "float64", "day", "time since day 0"),
            Column("kind", "string", "-", "clone_born, clone_lost, treatment_start, treatment_stop or dose"),
            Column("name", "string", "-", "the clone or the treatment"),
            Column("clone", "int64", "-", "number of the clone"),
            Column("site", "int64", "-", "site of the first cell: (z height + y) width + x"),
            Column("value", "float64", "-", "CAR T cells infused, or mean concentration in nM"),
        ]
        by_column = list(zip(*found, strict=True)) if found else [()] * 8
        names = ("replicate", "day", "order", "kind", "name", "clone", "site", "value")
        arrays = {name: pa.array(list(values)) for name, values in zip(names, by_column, strict=True)}
        arrays["run_id"] = pa.repeat(self.run_id, len(found))
        kinds = {c.name: ARROW_TYPES[c.kind] for c in columns}
        return table_of(columns, {name: arrays[name].cast(kind) for name, kind in kinds.items()})

    def snapshots(self) -> pa.Table:
        """Every occupied site, and every T cell, of the days with a snapshot."""
        return pa.concat_tables(self._snapshots)

    def _snapshot_of(self, batch: Batch, k: int, boundary: int) -> pa.Table:
        program, marrow = self.program, batch.marrow(k)
        lattice = program.rules.lattice
        cells = np.nonzero(marrow.cell)[0]
        agents = marrow.agents.site[: marrow.tally[T_CELLS]].astype(np.int64)
        sites = np.concatenate([cells, agents])
        words = marrow.cell[cells]
        genotype = (words & GENOTYPE).astype(np.int64)
        classes = program.antigens.class_of[genotype]
        byte = ((words & ANTIGEN) >> ANTIGEN_SHIFT).astype(np.int64)
        density = program.antigens.molecules(program.spec.antigen.spread)[classes, byte]
        z, y, x = np.unravel_index(sites, (lattice.depth, lattice.height, lattice.width))
        block = ((z >> 2) * lattice.block_height + (y >> 2)) * lattice.block_width + (x >> 2)
        blank = np.zeros(len(agents), bool)
        is_cell = np.concatenate([np.ones(len(cells), bool), blank])
        labels = np.array([*self._labels, "car_t"], object)
        number = len(self._labels)
        layer = pa.DictionaryArray.from_arrays(np.where(is_cell, 0, 1).astype(np.int8), ["cell", "car_t"])
        names = pa.DictionaryArray.from_arrays(
            np.concatenate([genotype, np.full(len(agents), number)]).astype(np.int16), labels
        )
        clone = np.concatenate([(words >> CLONE_SHIFT).astype(np.int64), np.zeros(len(agents), np.int64)])
        antigen = np.concatenate([np.where(classes > 0, density, 0.0), np.zeros(len(agents))])
        columns: dict[str, pa.Array] = {
            "run_id": pa.DictionaryArray.from_arrays(np.zeros(len(sites), np.int8), [self.run_id]),
            "replicate": pa.array(np.full(len(sites), batch.replicates[k])),
            "day": pa.array(np.full(len(sites), boundary * program.timetable.step)),
            "x": pa.array(x.astype(np.int32)),
            "y": pa.array(y.astype(np.int32)),
        }
        if lattice.radius_z > 0:
            columns["z"] = pa.array(z.astype(np.int32))
        columns |= {
            "genotype": names,
            "clone": pa.array(clone),
            "antigen": pa.array(antigen.astype(np.float32)),
            "fibrosis": pa.array(marrow.ground.ecm[block].astype(np.float32)),
            "layer": layer,
        }
        return pa.table(columns)

    def summary(self) -> pa.Table:
        """One row per replicate."""
        replicate, boundary, values = self.rows.whole()
        numbers, first = np.unique(replicate, return_index=True)
        last = np.append(first[1:], len(replicate)) - 1
        place = {column.name: k for k, column in enumerate(self.program.layout.columns)}
        day = boundary * self.program.timetable.step
        ends = {k: end for ends in self._ends for k, *end in zip(*(a.tolist() for a in ends), strict=True)}
        reason = [END_REASONS[ends[k][1]] for k in numbers.tolist()]
        fixed = [
            self._name_of_fixed(k, ends[k][2]) if why == "fixation" else None
            for k, why in zip(numbers.tolist(), reason, strict=True)
        ]
        vaf = values[:, place["vaf_driver"]]
        mutants = vaf > 0.0
        columns: dict[str, pa.Array] = {
            "run_id": pa.repeat(self.run_id, len(numbers)),
            "replicate": pa.array(numbers),
            "seed": pa.array([self._seeds[k] for k in numbers.tolist()], pa.int64()),
            "end_day": pa.array([ends[k][0] * self.program.timetable.step for k in numbers.tolist()], pa.float64()),
            "end_reason": pa.array(reason, pa.string()),
            "fixed_clone": pa.array(fixed, pa.string()),
            "vaf_driver_start": pa.array(vaf[first]),
            "vaf_driver_end": pa.array(vaf[last]),
            "vaf_driver_min": pa.array(np.minimum.reduceat(vaf, first)),
            "vaf_below_1pct_day": _first_day(vaf < 0.01, day, first, mutants),
            "eradicated": pa.array(np.maximum.reduceat(mutants, first) & ~mutants[last]),
        }
        if "mf_grade" in place:
            grade = values[:, place["mf_grade"]].astype(np.int64)
            columns |= {"mf_grade_start": pa.array(grade[first]), "mf_grade_end": pa.array(grade[last])}
        if "car_t_total" in place:
            total = values[:, place["car_t_total"]]
            peak = np.maximum.reduceat(total, first)
            columns |= {
                "car_t_peak": pa.array(peak),
                "car_t_peak_day": _first_day(total == np.repeat(peak, last - first + 1), day, first, total > 0.0),
                "kills": pa.array(values[last, place["kills"]].astype(np.int64)),
            }
        healthy = values[:, place["genotype_cells_wild_type"]] / self.program.rules.lattice.sites
        columns["healthy_min_fraction"] = pa.array(np.minimum.reduceat(healthy, first))
        return pa.table(columns)

    def _name_of_fixed(self, number: int, clone: int) -> str | None:
        if clone == 0:
            return None
        if clone <= len(self.program.founders):
            return self.program.founders[clone - 1]
        table = self._clone_tables.get(number)
        return f"#{clone}" if table is None else self._clone_name(clone, table[clone, CLONE_GENOTYPE])


def _first_day(holds: np.ndarray, day: np.ndarray, first: np.ndarray, seen: np.ndarray) -> pa.Array:
    """First day of each replicate on which something holds; null if it never did or nothing was ever seen."""
    found = np.minimum.reduceat(np.where(holds, day, np.inf), first)
    ever = np.maximum.reduceat(seen, first)
    return pa.array(found, mask=~(np.isfinite(found) & ever))
