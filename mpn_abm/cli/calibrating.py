"""What `calibrate` does and prints."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from mpn_abm.analysis.claims import rows_of
from mpn_abm.cli.sensing import print_rows
from mpn_abm.cli.studying import NO_OUT, Machine, fail_if_runs_did, stopped_in, tell_rehearsal
from mpn_abm.cli.watching import stoppable, watching
from mpn_abm.errors import ClaimError, UsageError
from mpn_abm.scenario.studies.study_file import load_study
from mpn_abm.studies.calibrating.running import run_calibration
from mpn_abm.studies.calibrating.telling import HEAD, PREDICTED_HEAD, lines, predicted_rows, rows
from mpn_abm.studies.calibration import Calibration
from mpn_abm.studies.progress import duration
from mpn_abm.studies.rehearsal import rehearse
from mpn_abm.studies.running import refuse_other_kinds
from mpn_abm.studies.study import Study
from mpn_abm.words import counted

# what a calibrated model is held to
_BINDING = ("fit", "test")


def run_file(
    file: Path,
    out: Path | None,
    machine: Machine,
    *,
    sets: Iterable[str],
    retry_failed: bool,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    strict: bool,
) -> None:
    """Calibrate as a file says, or rehearse it, and tell."""
    study = load_study(file, sets=sets)
    refuse_other_kinds(study, "calibrate")
    if dry_run:
        tell_rehearsal(rehearse(study, machine.jobs), study, out, machine, as_json)
        return
    if out is None:
        raise UsageError(NO_OUT)
    with stoppable(stopped_in(out)), watching(study.name, quiet) as watcher:
        done, found = run_calibration(
            study, out, jobs=machine.jobs, executor=machine.executor, scheduler=machine.scheduler,
            slurm=machine.slurm, retry_failed=retry_failed, overwrite=overwrite, progress=watcher,
        )  # fmt: skip
    if as_json:
        tables = {"estimate": done.estimate, "predictions": done.predictions}
        print(json.dumps(done.facts | {name: rows_of(frame) for name, frame in tables.items()}))
    else:
        _report(done, found)
    fail_if_runs_did(done.facts, out)
    missed = [row["target"] for row in rows_of(found.predictions) if row["role"] in _BINDING and not row["held"]]
    if strict and missed:
        raise ClaimError(f"not held: {', '.join(missed)}")


def _report(done: Study, found: Calibration) -> None:
    facts = done.facts
    print(f"{facts['name']}: {counted(facts['runs'], 'run')}, {facts['failed']:,} failed")
    print_rows(HEAD, rows(found))
    print_rows(PREDICTED_HEAD, predicted_rows(found))
    print(*lines(found), sep="\n")
    print(f"{duration(facts['wall_seconds'])}, in {facts['out']}")
