"""A trial of 1,000 patients for five years in two arms, 100,000 stem cells each, with weekly rows.

python benchmarks/trial.py [--patients 1000] [--arms drugs|car_t] [--jobs 2] [--folder DIR]

`drugs` compares ruxolitinib with nothing, `car_t` one infusion of CAR T cells with nothing. Seconds are those of the
whole call: plan, runs, tables; kernels are compiled before. Memory is the most that any process that stepped runs has
taken.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import mpn_abm

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"
# what is treated from day 0 or the first year on, in a marrow with one stem cell a site
SCENARIO: dict[str, Any] = {
    "time": {"duration_years": 5, "record_every_days": 7},
    "marrow": {"shape": [316, 316], "hsc_pool_cells": None},
}
BASES: dict[str, dict[str, Any]] = {
    "drugs": {"extends": str(SCENARIOS / "baseline" / "mf_patient.yaml"), "without": ["expect"]},
    "car_t": {
        "extends": str(SCENARIOS / "therapy" / "calr_car_t.yaml"),
        "without": ["arms", "endpoints", "expect"],
        "time.snapshot_every_days": None,
        "treatments.ruxolitinib": None,
    },
}
ARMS: dict[str, dict[str, Any]] = {
    "drugs": {
        "control": {},
        "ruxolitinib": {"treatments.ruxolitinib": {"dose_mg": 20, "times_per_day": 2, "start_day": 0}},
    },
    "car_t": {"control": {"treatments.car_t": None}, "car_t": {}},
}
SIZES = {
    "drugs": {"clones.jak2.vaf": {"distribution": "beta", "a": 4, "b": 6, "low": 0.05, "high": 0.49}},
    "car_t": {"clones.calr.fraction": {"distribution": "beta", "a": 4, "b": 6, "low": 0.1, "high": 0.9}},
}


def trial_of(kind: str, patients: int) -> dict[str, Any]:
    """The study."""
    return {
        "name": kind,
        "scenario": {**BASES[kind], **SCENARIO},
        "trial": {
            "patients": patients,
            "seed": 1,
            "cohort": {**SIZES[kind], "patient.fitness": {"distribution": "lognormal", "median": 1, "log_sd": 0.6}},
            "arms": ARMS[kind],
            "endpoints": ["vaf_driver", "overall_survival"],
            "at_weeks": [24, 48, 104, 260],
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--arms", choices=tuple(ARMS), default="drugs")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where the study is kept; else it is removed at the end")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = said.folder or Path(temporary) / "trial"
        # compiles what is not compiled yet
        mpn_abm.trial(trial_of(said.arms, 1), out=Path(temporary) / "first")
        start = time.perf_counter()
        study = mpn_abm.trial(trial_of(said.arms, said.patients), out=folder, jobs=said.jobs)
        seconds = time.perf_counter() - start
        facts, rows = study.facts, sum(part.num_rows for part in study.parts["trajectory"])
    print(f"{said.arms}: {said.patients:,} patients in two arms, {facts['failed']} runs failed, {rows:,} rows")
    print(f"  {seconds:.1f} s with {said.jobs} job(s), {said.patients / seconds:.2f} patients/s")
    print(f"  {1000 * seconds / said.patients:.0f} s for 1,000 patients at this pace")
    print(f"  {facts['peak_memory_mb']:.0f} MB at most in a process")


if __name__ == "__main__":
    main()
