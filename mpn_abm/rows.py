"""Rows and ends of runs as arrays, of one scenario or of many with the same columns, and the tables made of them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa

from mpn_abm.columns import Column, Layout, columns_of
from mpn_abm.mechanisms.outcome import DEATH, ERADICATION, EXTINCTION, FIXATION, GOES_ON
from mpn_abm.summary import summed_up
from mpn_abm.tables import table_of

END_REASONS = {
    GOES_ON: "duration",
    FIXATION: "fixation",
    EXTINCTION: "extinction",
    ERADICATION: "eradication",
    DEATH: "death",
}


class Rows(NamedTuple):
    """Rows of the trajectories, run by run and in the order of time."""

    run: np.ndarray  # int64[rows]  which of the ends
    day: np.ndarray  # float64[rows]
    values: np.ndarray  # float64[rows, columns]  not a number in all columns after death


class Ends(NamedTuple):
    """How each run ended."""

    run_id: np.ndarray  # texts
    replicate: np.ndarray  # int64
    seed: np.ndarray  # int64
    day: np.ndarray  # float64
    reason: np.ndarray  # int64, one of END_REASONS
    fixed_clone: np.ndarray  # texts, None but after fixation
    death_day: np.ndarray  # float64, 0 of the living
    sites: np.ndarray  # int64, of the lattice


Arrays = TypeVar("Arrays", Rows, Ends)


def joined(parts: Sequence[tuple[Rows, Ends]]) -> tuple[Rows, Ends]:
    """The rows and ends of several, one after the other."""
    lengths = [len(ends.run_id) for _, ends in parts]
    before = np.cumsum([0, *lengths[:-1]])
    rows = [rows._replace(run=rows.run + first) for (rows, _), first in zip(parts, before, strict=True)]
    return _stacked(rows), _stacked([ends for _, ends in parts])


def trajectory_of(
    layout: Layout, rows: Rows, ends: Ends, observed: Iterable[tuple[Column, np.ndarray]] = ()
) -> pa.Table:
    """One row per recorded day and run; columns of observers stand at the end."""
    observed = list(observed)
    arrays: dict[str, np.ndarray | pa.Array] = {
        "run_id": pa.array(ends.run_id, pa.string()).take(pa.array(rows.run)),
        "replicate": ends.replicate[rows.run],
        "seed": ends.seed[rows.run],
        "day": rows.day,
        "alive": ~_is_dead(rows.values),
    }
    arrays |= {column.name: _array_of(column, rows.values[:, k]) for k, column in enumerate(layout.columns)}
    arrays |= {column.name: _array_of(column, said) for column, said in observed}
    return table_of([*layout.table, *(column for column, _ in observed)], arrays)


def summary_of(layout: Layout, rows: Rows, ends: Ends) -> pa.Table:
    """One row per run."""
    living = ~_is_dead(rows.values)
    run, day, values = rows.run[living], rows.day[living], rows.values[living]
    first = np.searchsorted(run, np.arange(len(ends.run_id)))
    arrays = {
        "run_id": ends.run_id,
        "replicate": ends.replicate,
        "seed": ends.seed,
        "end_day": ends.day,
        "end_reason": np.array([END_REASONS[why] for why in ends.reason.tolist()], object),
        "fixed_clone": ends.fixed_clone,
        "death_day": pa.array(ends.death_day, mask=ends.death_day == 0.0),
    }
    arrays |= summed_up({column.name: values[:, k] for k, column in enumerate(layout.columns)}, day, first, ends.sites)
    arrays["eradicated"] |= ends.reason == ERADICATION
    columns = columns_of("summary", layout.groups)
    return table_of(columns, {column.name: arrays[column.name] for column in columns})


def _stacked(parts: Sequence[Arrays]) -> Arrays:
    if len(parts) == 1:
        return parts[0]
    return type(parts[0])(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _is_dead(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.isnan(values).all(axis=1))


def _array_of(column: Column, values: np.ndarray) -> np.ndarray | pa.Array:
    """Values of the census as the column has them; null where the patient is dead."""
    dead = np.isnan(values)
    if column.codes:
        words = np.array(column.codes, object)[np.where(dead, 0.0, values).astype(np.int64)]
        return pa.array(words, pa.string(), mask=dead)
    if not dead.any():
        return values.astype(column.kind)
    return pa.array(np.where(dead, 0.0, values).astype(column.kind), mask=dead)
