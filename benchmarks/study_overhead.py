"""What a study of many short runs costs beyond stepping: a patient on 64 x 64 sites for a year, each run its own.

python benchmarks/study_overhead.py [--runs 10000]

Every run has three values of its own. Runs come in shards of 100, of which the tables are made together. Time is that
of the processor; stepping is what is spent in compiled entries, the placing of day 0 included.
"""

import argparse
import gc
import random
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mpn_abm import batch
from mpn_abm.harvest import Harvest
from mpn_abm.scenario.scenario import Variants

SCENARIO = Path(__file__).parent.parent / "scenarios" / "baseline" / "mf_patient.yaml"
SETS = ("marrow.shape=[64, 64]", "time.duration_years=1")
SHARD = 100
RANGES = {
    "hematopoiesis.division_rate_per_year": (0.5, 1.5),
    "patient.fitness": (0.5, 2.0),
    "fibrosis.deposition_rate_per_year": (0.1, 0.5),
}


class Clock:
    """Processor seconds by what they were spent on."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def on(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose time is counted under this name."""

        def timed(*arguments: Any) -> Any:
            start = time.process_time()
            result = function(*arguments)
            self.seconds[name] += time.process_time() - start
            return result

        return timed


def carry_out(points: list[dict[str, float]], variants: Variants, clock: Clock) -> int:
    """A shard: scenarios, runs, tables; returns the rows of the trajectories."""
    harvest = Harvest()
    member, run, tables = (clock.on(*said) for said in (
        ("scenarios", variants.member), ("runs", harvest.run), ("tables", harvest.tables)
    ))  # fmt: skip
    # one kind of work after the other: what it needs stays in the cache of the processor
    for number, scenario in enumerate([member(point) for point in points]):
        run(scenario, [f"{number:05d}"])
    return sum(table.num_rows for name in ("trajectory", "summary") for table in tables(name))


def measured(runs: int) -> dict[str, float]:
    """Milliseconds of a run, by what they were spent on."""
    chance = random.Random(1)
    points = [{path: chance.uniform(*ends) for path, ends in RANGES.items()} for _ in range(runs)]
    variants = Variants(SCENARIO, SETS)
    carry_out(points[:SHARD], variants, Clock())
    gc.freeze()
    clock = Clock()
    for entry in ("begin", "run_days"):
        setattr(batch, entry, clock.on("stepping", getattr(batch, entry)))
    start = time.process_time()
    for first in range(0, runs, SHARD):
        carry_out(points[first : first + SHARD], variants, clock)
    clock.seconds["all"] = time.process_time() - start
    clock.seconds["runs"] -= clock.seconds["stepping"]
    clock.seconds["beyond stepping"] = clock.seconds["all"] - clock.seconds["stepping"]
    return {name: 1e3 * seconds / runs for name, seconds in clock.seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    runs = parser.parse_args().runs
    found = measured(runs)
    print(f"{runs} runs of 64 x 64 sites for a year, ms of a run")
    for name in ("scenarios", "runs", "tables", "beyond stepping", "stepping", "all"):
        print(f"  {name:16} {found[name]:.2f}")


if __name__ == "__main__":
    main()
