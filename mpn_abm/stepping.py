"""Step a batch of marrows from one boundary where Python has something to do to the next."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mpn_abm.batch import Batch
from mpn_abm.errors import SimulationError, UsageError
from mpn_abm.recorder import Recorder
from mpn_abm.state import DEAD_STEP, MarrowState

Observer = Callable[[MarrowState, float], Mapping[str, float]]


def drive(batch: Batch, recorder: Recorder, observers: tuple[Observer, ...], tell: Callable[[float], None]) -> None:
    """Step a batch from one boundary where Python has something to do to the next."""
    timetable = batch.program.timetable
    founders = batch.program.founders

    def flush() -> None:
        recorder.flush(batch)

    recorded = set(timetable.rows.tolist()) if observers else set()
    photographed = set(timetable.snapshots) if batch.program.spec.output.snapshots else set()
    pauses = {*photographed, *timetable.arrivals, timetable.steps, *recorded}
    # a batch that goes on has left the earlier ones behind
    for boundary in sorted(pause for pause in pauses if pause >= batch.towards):
        batch.advance(boundary, flush, tell)
        arrived = batch.reached == boundary
        ended = (batch.ended != 0) & (batch.reached > batch.departed)
        if observers:
            _observe(batch, np.flatnonzero(arrived | ended if boundary in recorded else ended), recorder, observers)
        # of the dead there is none but that of the day of death
        shown = (arrived if boundary in photographed else False) & ~batch.gone | ended
        recorder.snapshot(batch, np.flatnonzero(shown))
        for name in timetable.arrivals.get(boundary, ()):
            batch.arrive(founders.index(name), boundary)
        if (batch.ended != 0).all():
            return


def _observe(batch: Batch, marrows: np.ndarray, recorder: Recorder, observers: tuple[Observer, ...]) -> None:
    """Ask the observers about some marrows of a batch, by index, which have a row now."""
    for k in marrows.tolist():
        boundary = int(batch.reached[k])
        is_dead = batch.stack.tally[k, DEAD_STEP] > 0
        columns = None if is_dead else _asked(observers, batch.marrow(k), boundary * batch.program.timetable.step)
        recorder.observe(int(batch.replicates[k]), boundary, columns)


def _asked(observers: tuple[Observer, ...], marrow: MarrowState, day: float) -> dict[str, float]:
    """The columns of all observers."""
    columns: dict[str, float] = {}
    for observer in observers:
        who = f"observer {getattr(observer, '__name__', type(observer).__name__)}"
        said = observer(marrow, day)
        if not isinstance(said, Mapping):
            raise UsageError(f"{who}: expected a mapping of columns to numbers, not a {type(said).__name__}")
        for name, value in said.items():
            if name in columns:
                raise UsageError(f"{who}: {name}: expected a name that no other observer has")
            columns[name] = _number(who, name, value, day)
    return columns


def _number(who: str, name: str, value: Any, day: float) -> float:
    try:
        number = math.nan if isinstance(value, str) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise SimulationError(f"{name} is {value!r} on day {day:g}: expected a finite number of the {who}")
    return number
