"""Steps and the boundaries between them."""

import math
from dataclasses import dataclass

import numpy as np

from mpn_abm.mechanisms.treatment.rules import TOLERANCE
from mpn_abm.scenario.schema import Spec


def boundary_at(day: float, step: float) -> int:
    """First step boundary from a day on."""
    return max(0, math.ceil(day / step - TOLERANCE))


@dataclass(frozen=True)
class Timetable:
    """When a run looks; boundary k lies k steps after day 0."""

    step: float  # days
    steps: int
    rows: np.ndarray  # int64[rows], boundaries with a trajectory row, ascending, with 0 and the last
    snapshots: tuple[int, ...]
    arrivals: dict[int, list[str]]  # boundary -> clones that arrive there, in the order of the file


def timetable_of(spec: Spec) -> Timetable:
    """Rows, snapshots and arrivals of a scenario."""
    step = spec.time.step
    steps = max(1, boundary_at(spec.time.duration, step))

    def every(interval: float) -> set[int]:
        times = int(steps * step / interval + TOLERANCE)
        return {min(boundary_at(k * interval, step), steps) for k in range(times + 1)} | {0, steps}

    named = {boundary_at(day, step) for day in spec.time.record_at or ()}
    rows = np.array(sorted(every(spec.time.record_every) | {at for at in named if at <= steps}), np.int64)
    snapshots = every(spec.time.snapshot_every) if spec.time.snapshot_every else {0, steps}
    arrivals: dict[int, list[str]] = {}
    for name, clone in spec.clones.items():
        # one that is due at the end or later never comes
        if 0 < boundary_at(clone.day, step) < steps:
            arrivals.setdefault(boundary_at(clone.day, step), []).append(name)
    return Timetable(step, steps, rows, tuple(sorted(snapshots)), arrivals)
