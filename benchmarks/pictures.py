"""What pictures cost: films, a report, and the panel of a run on a terminal.

python benchmarks/pictures.py [--side 316]

Films have 100 frames of 512 x 512 and must be made in 10 s; the panel may take 2 % of the stepping of a run of seconds.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import mpn_abm
from mpn_abm.cli.panel import Panel
from mpn_abm.pictures.movie import write_movie
from mpn_abm.pictures.report.report import write_report

SCENARIOS = Path(__file__).parent.parent / "scenarios"
FRAMES, SIZE = 100, 512
# each takes some seconds of stepping
RUNS: dict[str, tuple[str, dict[str, Any], int]] = {
    "5-year patient, CAR T cells": ("therapy/calr_car_t.yaml", {"time.snapshot_every_days": None}, 8),
    "lifetime 700 x 700": ("baseline/jak2_lifetime.yaml", {"marrow.shape": [700, 700]}, 1),
}


class Terminal(io.StringIO):
    """What a panel takes for a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def timed(spent: list[float], function: Callable[..., None]) -> Callable[..., None]:
    """A function whose time is added up."""

    def run(*arguments: Any) -> None:
        start = time.perf_counter()
        function(*arguments)
        spent.append(time.perf_counter() - start)

    return run


def panel_share(file: str, overrides: dict[str, Any], replicates: int) -> tuple[float, float, float]:
    """Seconds of stepping, and the share that the panel takes of it; the seconds of loading before the first step."""
    scenario = mpn_abm.load(SCENARIOS / file, overrides=overrides)
    spent: list[float] = []
    with redirect_stderr(Terminal()):
        start = time.perf_counter()
        panel = Panel("benchmark")
        loading = time.perf_counter() - start
        done = mpn_abm.run(scenario, progress=timed(spent, panel.tell), watch=timed(spent, panel.watch),
                           replicates=replicates)  # fmt: skip
        panel.close()
    stepping = float(done.facts["stepping_seconds"])
    return stepping, sum(spent) / stepping, loading


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=316)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        overrides = {"time.snapshot_every_days": 18, "marrow.shape": [asked.side, asked.side]}
        scenario = mpn_abm.load(SCENARIOS / "therapy" / "calr_car_t.yaml", overrides=overrides)
        mpn_abm.run(scenario).write(f"{folder}/run")
        for kind in ("gif", "mp4", "html"):
            start = time.perf_counter()
            write_movie(f"{folder}/run", f"{folder}/film.{kind}", size=SIZE, frames=FRAMES)
            size = Path(f"{folder}/film.{kind}").stat().st_size / 1e6
            print(f"{kind}: {FRAMES} frames of {SIZE} x {SIZE} in {time.perf_counter() - start:.1f} s, {size:.1f} MB")
        start = time.perf_counter()
        page = write_report(f"{folder}/run", f"{folder}/report.html")
        print(f"report of a run: {time.perf_counter() - start:.1f} s, {page.stat().st_size / 1e6:.2f} MB")
    for name, (file, changes, replicates) in RUNS.items():
        stepping, share, loading = panel_share(file, changes, replicates)
        print(f"panel, {name}: {100 * share:.2f} % of {stepping:.1f} s, and {1000 * loading:.0f} ms before")


if __name__ == "__main__":
    main()
