"""What a user waits for besides stepping: help, validation, warm start, cold compile, recording, memory.

python benchmarks/start_up.py [--cold]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCENARIO = Path(__file__).parent.parent / "scenarios" / "therapy" / "calr_car_t.yaml"
PROGRAM = [sys.executable, "-m", "mpn_abm.cli.main"]
REPEATS = 5


def seconds_of(*arguments: str, **environment: str) -> tuple[float, str]:
    """Wall time of a whole command, and what it printed."""
    start = time.perf_counter()
    done = subprocess.run(
        [*PROGRAM, *arguments], check=True, capture_output=True, text=True, env={**os.environ, **environment}
    )
    return time.perf_counter() - start, done.stdout


def median_of(*arguments: str) -> float:
    return statistics.median(seconds_of(*arguments)[0] for _ in range(REPEATS))


def weekly_recording() -> tuple[float, float]:
    """Stepping of a lifetime with weekly rows and with rows once in ten years."""
    from mpn_abm.batch import Batch
    from mpn_abm.bench import works
    from mpn_abm.compile.program import compile_scenario
    from mpn_abm.scenario.scenario import load
    from mpn_abm.simulate import warm_up

    found = []
    for every in (7.0, 3652.5):
        scenario = next(iter(works(1.0))).scenario
        scenario = {**scenario, "time": {**scenario["time"], "record_every_days": every}}
        program = compile_scenario(load(scenario).spec)
        warm_up(program, 1, 1)
        times = []
        for _ in range(REPEATS + 1):
            batch = Batch(program, [0])
            start = time.perf_counter()
            batch.advance(program.timetable.steps, lambda batch=batch: batch.take_rows(), lambda _: None)
            times.append(time.perf_counter() - start)
        found.append(statistics.median(times[1:]))
    return found[0], found[1]


def bytes_per_site() -> dict[str, float]:
    """State of a marrow over its sites: without CAR T cells, and with the agents of the main job."""
    from mpn_abm.arrays import bytes_of
    from mpn_abm.bench import main_job, works
    from mpn_abm.compile.program import compile_scenario
    from mpn_abm.scenario.scenario import load

    found = {}
    whole = next(work.scenario for work in works(1.0) if "all mechanisms: mutation" in work.name)
    for name, scenario in (("lifetime with scar", whole), ("with CAR T cells", main_job(1826.25))):
        program = compile_scenario(load(scenario).spec)
        sizes = program.sizes._replace(rows=1, clone_rows=1)
        found[name] = bytes_of(program.rules.lattice, sizes) / program.rules.lattice.sites
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cold", action="store_true", help="also compile from nothing (about a minute)")
    cold = parser.parse_args().cold
    print(f"--help     {median_of('--help'):.2f} s")
    print(f"validate   {median_of('validate', str(SCENARIO)):.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        arguments = ("run", str(SCENARIO), "--out", folder, "--overwrite", "--json", "--quiet")
        seconds_of(*arguments)
        waits = []
        for _ in range(REPEATS):
            wall, printed = seconds_of(*arguments)
            facts = json.loads(printed)
            waits.append(wall - facts["stepping_seconds"] - facts["writing_seconds"])
        print(f"warm start {statistics.median(waits):.2f} s (a whole `run` but for stepping and writing)")
        if cold:
            with tempfile.TemporaryDirectory() as cache:
                facts = json.loads(seconds_of(*arguments, MPN_ABM_CACHE=cache)[1])
                print(f"cold compile {facts['compile_seconds']:.0f} s")
    weekly, rarely = weekly_recording()
    print(f"weekly rows add {100 * (weekly / rarely - 1):.1f} % to {rarely:.3f} s of stepping a lifetime")
    for name, size in bytes_per_site().items():
        print(f"state {name}: {size:.1f} bytes per site")


if __name__ == "__main__":
    main()
