"""What the verbs of studies do and print."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mpn_abm.analysis.claims import rows_of
from mpn_abm.analysis.trial_lines import trial_lines
from mpn_abm.cli import claiming
from mpn_abm.cli.sensing import print_findings
from mpn_abm.cli.watching import stoppable, watching
from mpn_abm.errors import RunsFailed, UsageError
from mpn_abm.scenario.studies.blocks import TrialSpec
from mpn_abm.scenario.studies.notes import notes_of
from mpn_abm.scenario.studies.study_file import StudyFile, load_study
from mpn_abm.studies.folder import Folder
from mpn_abm.studies.profile import read_profile
from mpn_abm.studies.progress import duration
from mpn_abm.studies.rehearsal import Rehearsal, planned, rehearse
from mpn_abm.studies.running import refuse_other_kinds, run_study
from mpn_abm.studies.sensing import analysed
from mpn_abm.studies.status import status
from mpn_abm.studies.stored import read
from mpn_abm.studies.study import Study
from mpn_abm.studies.study_tables import export_adam, frames_of
from mpn_abm.words import counted

MOST_ERRORS_SHOWN = 20
NO_OUT = "--out DIR: expected the folder of the study"


@dataclass(frozen=True)
class Machine:
    """Who works on a study."""

    executor: str
    jobs: int
    scheduler: str | None
    slurm: Mapping[str, Any]


def machine_of(profile: Path | None, executor: str | None, jobs: int | None, scheduler: str | None) -> Machine:
    """What the command line says of the machine, over what a profile says."""
    said = None if profile is None else read_profile(profile)
    chosen = executor or (said.executor if said else "local")
    address = scheduler or (said.scheduler if said else None)
    if address and chosen != "dask":
        raise UsageError(f"--scheduler {address}: expected with --executor dask")
    wanted = jobs or (said.jobs if said else None) or 1
    return Machine(str(chosen), wanted, address, said.slurm.asked() if said else {})


def run_file(
    file: Path,
    out: Path | None,
    kind: str,
    machine: Machine,
    *,
    sets: Iterable[str],
    retry_failed: bool,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    strict: bool,
    export: str | None = None,
) -> None:
    """Run a study file, or rehearse it, and tell."""
    study = load_study(file, sets=sets)
    refuse_other_kinds(study, kind)
    if dry_run:
        tell_rehearsal(rehearse(study, machine.jobs), study, out, machine, as_json)
        return
    if out is None:
        raise UsageError(NO_OUT)
    start, done_before = time.perf_counter(), 0 if overwrite else _done_before(out)
    with stoppable(stopped_in(out)), watching(study.name, quiet) as watcher:
        done = run_study(
            study, out, jobs=machine.jobs, executor=machine.executor, scheduler=machine.scheduler,
            slurm=machine.slurm, retry_failed=retry_failed, overwrite=overwrite, progress=watcher,
        )  # fmt: skip
    if export is not None:
        export_adam(out)
    if as_json:
        print(json.dumps(done.facts))
    else:
        _report(study, done, min(done_before, done.facts["runs"]), time.perf_counter() - start)
    fail_if_runs_did(done.facts, out)
    if strict and "claims" in done.tables:
        claiming.fail_if_any(done.claims)


def _done_before(out: Path) -> int:
    """Runs that are in a folder before anything is done there."""
    return status(out).standing.done if Folder(out).is_study else 0


def stopped_in(out: Path) -> str:
    """What is said when somebody stops a study."""
    return f"stopped; what is done stays in {out}, and the same command goes on from there"


def fail_if_runs_did(facts: Mapping[str, Any], out: Path) -> None:
    """Raise RunsFailed if a run has failed."""
    if facts["failed"]:
        told = f"`mpn-abm sweep errors {out}` lists them"
        raise RunsFailed(f"{facts['failed']:,} of {counted(facts['runs'], 'run')} failed: {told}")


def _report(study: StudyFile, done: Study, done_before: int, seconds: float) -> None:
    facts = done.facts
    arms = f", {counted(len(facts['arms']), 'arm')}" if facts["arms"] else ""
    before = f", {done_before:,} of them done before" if done_before else ""
    print(f"{facts['name']}: {counted(facts['runs'], 'run')}{arms}, {facts['failed']:,} failed{before}")
    said = study.spec.patients if isinstance(study.spec, TrialSpec) else None
    there = len(done.tables["patients"]) if said is not None else 0
    if said is not None and there > said:
        print(f"{there:,} patients, more than the {said:,} of the file, for the power that is asked")
    shown = frames_of(done, ("comparison", "flow", "km", "survival", "power"))
    if "comparison" in shown:
        print(*trial_lines(shown, facts["reference"]), sep="\n")
    if study.kind == "sensitivity":
        print_findings(analysed(Path(facts["out"]), strict=False))
    if "claims" in done.tables:
        why = "no arm is the file without changes, and these name no arm"
        for line in claiming.lines(done.claims, study.endpoints, facts["claims_left_out"], why):
            print(line)
    elif study.expect:
        print(f"not asked: {', '.join(study.expect)}: claims are asked of trials that keep trajectories")
    if facts.get("answer"):
        print(facts["answer"])
    print(f"{duration(seconds)}, in {facts['out']}")


def tell_rehearsal(told: Rehearsal, study: StudyFile, out: Path | None, machine: Machine, as_json: bool) -> None:
    """Print what a study will take."""
    script = _script(study, out, machine) if machine.executor == "slurm" else None
    if as_json:
        print(json.dumps(asdict(told) | ({"script": script} if script else {})))
        return
    for note in notes_of(study.spec):
        print(f"{told.name}: {note}", file=sys.stderr)
    arms = f" in {counted(told.arms, 'arm')}" if told.arms else ""
    compiling = f"{told.compiling_memory_mb:.0f} of one that compiles first"
    lines = [
        f"{told.name}: {counted(told.runs, 'run')}{arms}, {counted(told.shards, 'task')} of up to "
        f"{counted(told.longest_task_runs, 'run')}",
        f"  from {counted(len(told.samples), 'sample')}: {', '.join(told.samples)}",
        f"  a run    {told.seconds_per_run:10.3f} s",
        f"  all      {told.core_hours:10.2f} core-hours",
        f"  wall     {duration(told.wall_seconds):>12} with {counted(told.jobs, 'job')}",
        f"  disk     {told.disk_bytes / 2**20:10.1f} MiB",
        f"  memory   {told.memory_mb:10.0f} MiB of each task, {compiling}",
    ]
    print("\n".join([*lines, *(f"  failed   {line}" for line in told.failed), *([script] if script else [])]))


def _script(study: StudyFile, out: Path | None, machine: Machine) -> str:
    from mpn_abm.studies.executors import slurm
    from mpn_abm.studies.executors.options import Options

    shards = sorted(set(planned(study)["shard"].tolist()))
    options = Options(machine.jobs, machine.scheduler, machine.slurm)
    return slurm.script(str(out or study.name), shards, options)


def tell_status(folder: Path, as_json: bool) -> None:
    """Print how far a study is."""
    found = status(folder)
    standing = found.standing
    if as_json:
        print(json.dumps({**asdict(found), "state": found.state, "standing": asdict(standing)}))
        return
    print(f"{found.name} ({found.kind}): {found.state}")
    print(f"  {standing}")
    print(f"  {found.shards_done:,} of {counted(found.shards, 'part')}, in {found.folder}")


def tell_errors(folder: Path, as_json: bool) -> None:
    """Print what failed."""
    rows = rows_of(read(folder).failures)
    if as_json:
        print(json.dumps(rows))
        return
    for row in rows[:MOST_ERRORS_SHOWN]:
        print(f"{row['run_id']}: {row['kind']}: {row['message']}\n  {row['command']}")
    if len(rows) > MOST_ERRORS_SHOWN:
        print(f"and {len(rows) - MOST_ERRORS_SHOWN:,} more: --json lists all", file=sys.stderr)
    if not rows:
        print("no run has failed")
