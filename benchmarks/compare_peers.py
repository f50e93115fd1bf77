"""Speed against the peers, at equal rules and with the work stated.

    python benchmarks/compare_peers.py [--seconds 3]

The C programs are compiled where a C compiler is found. The event list in C does the same candidates as the
kernel, bit for bit; the loop over all sites and plain Mesa have the same rates and nearly the same law
(benchmarks/peers/README.md).
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mpn_abm.batch import Batch
from mpn_abm.compile.program import compile_scenario
from mpn_abm.scenario.scenario import load
from mpn_abm.simulate import warm_up

PEERS = Path(__file__).parent / "peers"
YEAR = 365.25
REPEATS = 5


def scenario(side: int, steps: int, division: float, loss: float, advantage: float, recirculation: float, radius: int):
    """Hazards per step of a day, as the peers take them; a JAK2-like genotype on half of the sites."""
    off = {"enabled": False}
    return {
        "time": {"duration_days": steps, "record_every_days": 7},
        "marrow": {"shape": [side, side]},
        "clones": {"healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "jak2", "fraction": 0.5}},
        "genotypes": {"jak2": {"like": "wild_type", "fitness_per_year": advantage * YEAR}},
        "hematopoiesis": {
            "division_rate_per_year": division * YEAR,
            "loss_rate_per_year": loss * YEAR,
            "recirculation": recirculation,
            "homing_radius_sites": radius,
            "regeneration": 0,
        },
        "mutation": off, "fibrosis": off, "antigen": off, "jak_stat": off, "car_t": off,
        "immune": off, "blood": off, "spleen": off, "progression": off,
        "output": {"clones": False, "snapshots": False},
    }  # fmt: skip


def ours(side: int, steps: int, *rules: float) -> dict[str, float]:
    """Median of our stepping, weekly rows included."""
    program = compile_scenario(load(scenario(side, steps, *rules)).spec)
    warm_up(program, 1, 1)
    seconds = []
    for _ in range(REPEATS + 1):
        batch = Batch(program, [0])
        start = time.perf_counter()
        batch.advance(steps, lambda batch=batch: batch.take_rows(), lambda _: None)
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds[1:])
    return {
        "seconds": median,
        "ns_per_candidate": 1e9 * median / batch.candidates,
        "site_updates_per_second": side * side * steps / median,
    }


def compiled(folder: Path, name: str, *flags: str) -> Path | None:
    """A peer in C, if there is a compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    target = folder / name
    source = str(PEERS / f"{name}.c")
    subprocess.run([compiler, *flags, "-O3", "-march=native", "-o", str(target), source, "-lm"], check=True)
    return target


def told(*command: object) -> dict[str, float]:
    """The JSON line of a peer."""
    done = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="time for each peer that is measured by time")
    seconds = parser.parse_args().seconds
    sys.path.insert(0, str(PEERS))
    import plain_mesa

    lifetime = (1 / YEAR, 0.1 / YEAR, 0.35 / YEAR, 0.3, 3)
    dense = (0.1 / 1.45, 0.01 / 1.45, 0.035 / 1.45, 0.0, 1)
    sparse = tuple(np.array(dense[:3]) / 10) + dense[3:]
    with tempfile.TemporaryDirectory() as folder:
        event_list = compiled(Path(folder), "event_list", "-std=gnu11", "-ffp-contract=off")
        visit_all = compiled(Path(folder), "visit_all", "-std=c11")
        print("the same event list in C, one thread, median of ours against its best of 5")
        for label, side, steps, rules in (
            ("lifetime 316 x 316", 316, 29220, lifetime),
            ("512 x 512, p = 0.06", 512, 1000, (0.04, 0.004, 0.014, 0.3, 3)),
            ("2048 x 2048 daily", 2048, 365, lifetime),
        ):
            mine = ours(side, steps, *rules)
            line = f"  {label}: {mine['ns_per_candidate']:.1f} ns per candidate"
            if event_list is not None:
                c = told(event_list, side, steps, *rules, 7, 0.5, 0, 5)
                ratio = mine["ns_per_candidate"] / c["ns_per_candidate"]
                line += f", C {c['ns_per_candidate']:.1f}: {ratio:.2f} x its time"
            print(line)
        print("128 x 128, recirculation 0, radius 1, site updates per second")
        for p, rules, steps in ((0.1, dense, 20_000), (0.01, sparse, 70_000)):
            mine = ours(128, steps, *rules)["site_updates_per_second"]
            mesa, _ = plain_mesa.steps_per_second(128, p, seconds)
            line = f"  p = {p}: {mine:.3g}; plain Mesa {mesa:.3g}: {mine / mesa:.0f} x"
            if visit_all is not None:
                c = told(visit_all, 128, p, "plain", seconds)["site_updates_per_second"]
                line += f"; visit-all loop in C {c:.3g}: {mine / c:.1f} x"
            print(line)


if __name__ == "__main__":
    main()
