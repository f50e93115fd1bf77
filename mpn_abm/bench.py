"""The work whose speed the documentation quotes, so that a user can measure it on another machine.

Stepping is timed apart from compiling, placing the first day and writing. Each piece of work is repeated and
the median told with the lowest and highest.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mpn_abm.batch import Batch
from mpn_abm.compile.program import Program, compile_scenario
from mpn_abm.kernels.compiler import threads_available
from mpn_abm.scenario.scenario import load
from mpn_abm.simulate import warm_up

REPEATS = 3


@dataclass(frozen=True)
class Measurement:
    """Seconds of stepping of one piece of work."""

    work: str
    threads: int
    seconds: tuple[float, ...]
    candidates: int
    steps: int
    per: str  # what the median is told per: "run" or "candidate"

    @property
    def median(self) -> float:
        """Median seconds of the repeats."""
        return statistics.median(self.seconds)

    @property
    def figure(self) -> str:
        """The median in the unit that the work is compared in."""
        if self.per == "candidate":
            scale = 1e9 / self.candidates
            return f"{self.median * scale:.1f} ns per candidate"
        return f"{self.median:.3f} s"

    def as_dict(self) -> dict[str, Any]:
        """The measurement for JSON."""
        return {
            "work": self.work,
            "threads": self.threads,
            "median_seconds": self.median,
            "lowest_seconds": min(self.seconds),
            "highest_seconds": max(self.seconds),
            "steps": self.steps,
            "candidates": self.candidates,
            "ns_per_candidate": self.median / self.candidates * 1e9 if self.candidates else None,
        }


@dataclass(frozen=True)
class Work:
    """A piece of work: what it is, its scenario, replicates and threads."""

    name: str
    scenario: dict[str, Any]
    replicates: int = 1
    threads: int = 1
    per: str = "run"


def _scenario(days: float, shape: list[int], clones: dict[str, Any], **blocks: Any) -> dict[str, Any]:
    quiet = {"clones": False, "snapshots": False}
    time_block = {"duration_days": days, **blocks.pop("time", {})}
    marrow = {"shape": shape, **blocks.pop("marrow", {})}
    return {"seed": 7, "time": time_block, "marrow": marrow, "clones": clones, "output": quiet, **blocks}


def _two_clones(cells: int) -> dict[str, Any]:
    return {"healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "JAK2_V617F", "cells": cells}}


def main_job(days: float) -> dict[str, Any]:
    """The patient of scenarios/therapy/calr_car_t.yaml."""
    return _scenario(
        days,
        [316, 316],
        {
            "healthy": {"genotype": "wild_type"},
            "calr": {"genotype": "CALR_TYPE1", "fraction": 0.4, "pattern": "patches", "patches": 8},
        },
        fibrosis={"initial": {"mf_grade": 2, "patches": 12, "cover_fraction": 0.4}},
        treatments={
            "car_t": {"target": "CALR", "dose_cells": 1.0e8, "day": 365},
            "ruxolitinib": {"dose_mg": 15, "times_per_day": 2, "start_day": 0, "stop_day": 300},
        },
    )


def works(share: float) -> Iterator[Work]:
    """All pieces of work; ``share`` below 1 shortens them."""
    off = {"enabled": False}
    cells = dict.fromkeys(("fibrosis", "mutation", "immune", "blood", "spleen", "progression"), off)
    lifetime = 80 * 365.25 * share
    both = min(2, threads_available())
    cells_only = _scenario(lifetime, [316, 316], _two_clones(1), **cells)
    yield Work("lifetime 316 x 316, 1-day steps, one JAK2 clone, cells and weekly rows", cells_only)
    yield Work("two such lifetimes side by side", cells_only, replicates=2, threads=both)
    # the clone is followed for the whole of it, whoever carries it
    whole = _scenario(lifetime, [316, 316], _two_clones(1), progression={"mortality": False})
    yield Work("the same lifetime with all mechanisms: mutation, scar, immune system, blood, spleen, phases", whole)
    yield Work("5-year patient: all mechanisms, ruxolitinib, CAR T cells, 316 x 316", main_job(5 * 365.25))
    for threads in range(1, both + 1):
        fast = {"division_rate_per_year": 20.0, "loss_rate_per_year": 1.0, "regeneration": 0}
        dense = _scenario(2000 * share, [512, 512], _two_clones(80_000), hematopoiesis=fast, **cells)
        yield Work("512 x 512, p = 0.06", dense, threads=threads, per="candidate")
        daily = _scenario(400 * share, [2048, 2048], _two_clones(1_200_000), **cells)
        yield Work("2048 x 2048, 1-day steps", daily, threads=threads, per="candidate")
        tissue = _scenario(
            200 * share / 144,
            [2048, 2048],
            _two_clones(1_200_000),
            marrow={"scale": "tissue"},
            time={"record_every_hours": 24},
            hematopoiesis={"division_rate_per_year": 365.25, "loss_rate_per_year": 180.0},
            **cells,
        )
        yield Work("tissue 2048 x 2048, 10-minute steps, no recirculation", tissue, threads=threads, per="candidate")
    for days in (30, 1):
        moran = _scenario(
            70_000,
            [16, 16],
            {"healthy": {"genotype": "wild_type"}, "mutant": {"genotype": "mutant", "pattern": "single"}},
            time={"step_days": days, "record_every_days": 70_000},
            genotypes={"mutant": {"like": "wild_type", "fitness_per_year": 0.1}},
            stop={"when": ["fixation"]},
            antigen=off,
            **cells,
        )
        replicates = max(100, round(10_000 * share))
        yield Work(f"{replicates} Moran runs 16 x 16 to fixation, {days}-day steps", moran, replicates, both)


def measure(work: Work, repeats: int = REPEATS) -> Measurement:
    """Time the stepping of a piece of work."""
    program = compile_scenario(load(work.scenario).spec)
    warm_up(program, work.replicates, work.threads)
    _step(program, work, until=1)
    seconds, batch = [], None
    for _ in range(repeats):
        elapsed, batch = _step(program, work, until=program.timetable.steps)
        seconds.append(elapsed)
    assert batch is not None
    return Measurement(work.name, work.threads, tuple(seconds), batch.candidates, int(batch.reached.sum()), work.per)


def _step(program: Program, work: Work, until: int) -> tuple[float, Batch]:
    batch = Batch(program, range(work.replicates), work.threads)

    def drop_rows() -> None:
        batch.take_rows()
        batch.take_clone_rows()
        batch.take_log()

    start = time.perf_counter()
    batch.advance(until, drop_rows, lambda _: None)
    return time.perf_counter() - start, batch


def measure_all(share: float, tell: Callable[[Measurement], None]) -> list[Measurement]:
    """Measure everything, telling each figure as it comes."""
    found = []
    for work in works(share):
        measurement = measure(work)
        tell(measurement)
        found.append(measurement)
    return found
