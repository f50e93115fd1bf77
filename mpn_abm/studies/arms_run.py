"""The runs of all arms of a scenario: one arm after the other in this process, or all over several.

Over processes the arms are a trial of patients who are all alike, in a folder that is gone when its rows are read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc

from mpn_abm.errors import SimulationError, UsageError
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.scenario.schema import Output
from mpn_abm.scenario.studies.study_file import StudyFile, load_study
from mpn_abm.scenario.studies.writing import as_trial
from mpn_abm.simulate import peak_memory_mb, run
from mpn_abm.studies.executors.local import work
from mpn_abm.studies.executors.options import Options
from mpn_abm.studies.folder import Folder
from mpn_abm.studies.identity import in_plan_order, put_together
from mpn_abm.studies.opening import opened
from mpn_abm.studies.progress import Standing, Tally
from mpn_abm.studies.stored import read
from mpn_abm.studies.study import Study
from mpn_abm.studies.union import identified, of_one_schema
from mpn_abm.studies.warming import warm

TABLES = ("trajectory", "summary")
ADDED = ("compile_seconds", "stepping_seconds", "candidates", "events")
_OF_A_COMPARISON = Output(clones=False, events=False, snapshots=False)
Told = Callable[[float], None] | None


@dataclass(frozen=True)
class ArmsRun:
    """What the runs left: of each table one for each arm, all with the same columns; and what they took together."""

    parts: Mapping[str, list[pa.Table]]
    facts: Mapping[str, float]


def run_here(scenario: Scenario, replicates: int | None, threads: int, progress: Told) -> ArmsRun:
    """Run arm by arm in this process."""
    results = {}
    for number, (name, arm) in enumerate(scenario.arms.items()):
        tell = None if progress is None else _part_of(progress, number, len(scenario.arms))
        results[name] = run(_with_its_summary(arm), replicates=replicates, threads=threads, progress=tell)
    parts = {
        table: of_one_schema([identified(result.tables[table], arm) for arm, result in results.items()])
        for table in TABLES
    }
    facts = {name: sum(result.facts[name] for result in results.values()) for name in ADDED}
    return ArmsRun(parts, facts | {"peak_memory_mb": peak_memory_mb()})


def _with_its_summary(arm: Scenario) -> Scenario:
    """Whatever the file leaves out: a comparison has a trajectory and a summary, and no other table of a run."""
    return replace(arm, spec=arm.spec.model_copy(update={"output": _OF_A_COMPARISON}))


def _part_of(progress: Callable[[float], None], number: int, arms: int) -> Callable[[float], None]:
    return lambda share: progress((number + share) / arms)


def run_over(scenario: Scenario, replicates: int | None, options: Options, progress: Told) -> ArmsRun:
    """Run all arms over processes; the tables have the bits of ``run_here``.

    Raises
    ------
    SimulationError
        If a run failed.
    """
    study = _study_of(scenario, scenario.spec.replicates if replicates is None else replicates)

    def hear(standing: Standing) -> None:
        if progress is not None:
            progress(standing.share)

    with TemporaryDirectory(prefix="mpn_abm-") as place:
        plan = opened(Folder(Path(place)), study)
        start = time.perf_counter()
        warm(place)
        compile_seconds = time.perf_counter() - start
        tally = Tally(len(plan), 0, 0, hear)
        outcomes = work(place, sorted(set(plan["shard"].tolist())), options, tally.take)
        stored = read(place)
        _refuse_failures(stored, len(plan))
        whole = {name: in_plan_order(put_together(stored.parts[name]), plan) for name in TABLES}
    parts = {name: [_of_arm(table, arm) for arm in scenario.arms] for name, table in whole.items()}
    facts = {name: sum(getattr(outcome, name) for outcome in outcomes) for name in ADDED if name != "compile_seconds"}
    peak = max(peak_memory_mb(), tally.peak_memory_mb)
    return ArmsRun(parts, facts | {"compile_seconds": compile_seconds, "peak_memory_mb": peak})


def _study_of(scenario: Scenario, replicates: int) -> StudyFile:
    study = load_study(as_trial(scenario, replicates), trusted=True)
    for name, arm in scenario.arms.items():
        if study.scenario.arms[name].sha256 != arm.sha256:
            raise UsageError(f"jobs: expected a scenario as it was loaded, and its arm {name} has other values")
    return study


def _refuse_failures(stored: Study, runs: int) -> None:
    failed = stored.failures
    if len(failed):
        first = failed.iloc[0]
        raise SimulationError(f"{first['run_id']}: {first['message']} ({len(failed)} of {runs} runs failed)")


def _of_arm(table: pa.Table, arm: str) -> pa.Table:
    """The rows of an arm, without a word of the trial that they come from, in which patient k is replicate k."""
    rows = table.filter(pc.equal(table.column("arm"), arm)).replace_schema_metadata(None)
    place = rows.schema.get_field_index("replicate")
    return rows.set_column(place, rows.schema.field(place), rows.column("patient"))
