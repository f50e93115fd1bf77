"""What `bench` prints."""

from __future__ import annotations

import json
import os
import platform
import sys

from mpn_abm.bench import Measurement, measure_all


def bench(as_json: bool, share: float) -> None:
    """Measure and print a table, or one JSON object."""
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors", file=sys.stderr)
    found = measure_all(share, tell=lambda measurement: _tell(measurement, as_json))
    if as_json:
        print(json.dumps({"share_of_work": share, "measurements": [m.as_dict() for m in found]}))


def _tell(measurement: Measurement, as_json: bool) -> None:
    low, high = min(measurement.seconds), max(measurement.seconds)
    line = (
        f"{measurement.figure:>24}  {measurement.work}, {measurement.threads} thread(s) "
        f"[{measurement.steps:,} steps, {measurement.candidates:,} candidates, {low:.3f}-{high:.3f} s]"
    )
    print(line, file=sys.stderr if as_json else sys.stdout, flush=True)
