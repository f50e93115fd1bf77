"""What a study will take, from three of its runs."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mpn_abm.compile.program import compile_scenario
from mpn_abm.files import parquet
from mpn_abm.kernels.compiler import is_compiled
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.simulate import kernels_of, peak_memory_mb, warm_up
from mpn_abm.studies.calibrating.points import Planner, priors_of, spec_of
from mpn_abm.studies.calibrating.priors import point_of
from mpn_abm.studies.calibrating.setup import refuse_too_few_runs
from mpn_abm.studies.harvesting import run_rows, scenario_of, seeded
from mpn_abm.studies.part_tables import empty_tables, part_tables
from mpn_abm.studies.plan import plan_of

SAMPLES = 3
# points of a calibration that are drawn for it
MOST_DRAWN = 1000
# starting a process and loading the compiled code
SECONDS_OF_A_START = 4.0
# of a process that compiles all kernels of a study before it runs
COMPILING_MB = 750.0
_COMPILE = """
import sys
from mpn_abm.compile.program import compile_scenario
from mpn_abm.scenario.scenario import load
from mpn_abm.simulate import warm_up
warm_up(compile_scenario(load(sys.stdin.read()).spec), 1, 1)
"""


@dataclass(frozen=True)
class Rehearsal:
    """What a study will take."""

    name: str
    kind: str
    runs: int
    shards: int
    arms: int
    jobs: int
    samples: list[str]
    failed: list[str]
    seconds_per_run: float
    core_hours: float
    wall_seconds: float
    disk_bytes: float
    memory_mb: float
    # of a task that finds no compiled code and makes it first
    compiling_memory_mb: float

    @property
    def longest_task_runs(self) -> int:
        """Runs of a task."""
        return -(-self.runs // self.shards)


def rehearse(study: StudyFile, jobs: int) -> Rehearsal:
    """Run the first, the middle and the last run of a study, and reckon from them."""
    plan = planned(study)
    rows = plan.iloc[sorted({0, len(plan) // 2, len(plan) - 1})]
    seconds, size, failed, empty = [], 0, [], empty_tables(study)
    for _, row in rows.iterrows():
        _compile(study, row)
        start = time.perf_counter()
        one = pd.DataFrame([row]).reset_index(drop=True).astype(plan.dtypes)
        made = run_rows(study, one)
        tables = part_tables(study, empty, one, made)
        for table in tables.values():
            size += _bytes(table) - _bytes(table.slice(0, 0))
        seconds.append(time.perf_counter() - start)
        failed += [f"{row['run_id']}: {error}" for _, error in made.failures]
    mean = sum(seconds) / len(seconds)
    shards = plan["shard"].nunique()
    jobs = min(jobs, shards)
    work = mean * len(plan)
    memory = peak_memory_mb()
    return Rehearsal(
        name=study.name,
        kind=study.kind,
        runs=len(plan),
        shards=shards,
        arms=plan["arm"].nunique(),
        jobs=jobs,
        samples=rows["run_id"].tolist(),
        failed=failed,
        seconds_per_run=mean,
        core_hours=work / 3600,
        wall_seconds=work / jobs + SECONDS_OF_A_START * (jobs > 1),
        disk_bytes=size / len(rows) * len(plan),
        memory_mb=memory,
        compiling_memory_mb=max(memory, COMPILING_MB),
    )


def planned(study: StudyFile) -> pd.DataFrame:
    """The runs of a study; of a calibration, which chooses its points while it runs, as many from its priors."""
    if study.kind != "calibrate":
        return plan_of(study)
    planner, spec = Planner(study), spec_of(study)
    refuse_too_few_runs(study, planner.runs_of_a_point)
    number = spec.max_runs // planner.runs_of_a_point
    shares = np.random.default_rng(spec.seed).random((min(number, MOST_DRAWN), len(spec.parameters)))
    points = [point_of(priors_of(study), row.tolist(), k) for k, row in enumerate(shares)]
    few = planner.grown(planner.empty(), points)
    return pd.concat([few] * -(-number // len(points)), ignore_index=True)[: number * planner.runs_of_a_point]


def _compile(study: StudyFile, row: pd.Series) -> None:
    """Compiling is done once and is no part of what a run takes; a run that fails says so itself."""
    try:
        scenario = seeded(scenario_of(study, row), int(row["seed"]))
        program = compile_scenario(scenario.spec)
        if not is_compiled(kernels_of(program, 1, 1)):
            # the compiler's memory stays with its process, and most tasks find compiled code
            subprocess.run(
                [sys.executable, "-c", _COMPILE], input=scenario.to_yaml().encode(), capture_output=True, check=True
            )
        warm_up(program, 1, 1)
    except Exception:
        return


def _bytes(table: object) -> int:
    file = io.BytesIO()
    parquet(table, {}, 1)(file)  # type: ignore[arg-type]
    return file.tell()
