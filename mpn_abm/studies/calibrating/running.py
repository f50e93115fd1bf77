"""Calibrate a study in a folder: points on executors, the state that a second call goes on from, the tables."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from math import isnan
from os import PathLike
from typing import Any

from mpn_abm.analysis.extras import extra
from mpn_abm.errors import OutputExistsError, UsageError
from mpn_abm.files import digest_of, replaced, text
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.simulate import peak_memory_mb
from mpn_abm.studies.calibrating.points import Planner, priors_of, spec_of
from mpn_abm.studies.calibrating.setup import SETUP, digest, refuse_too_few_runs
from mpn_abm.studies.calibrating.simulated import Simulator
from mpn_abm.studies.calibrating.tables import tables_of
from mpn_abm.studies.calibrating.targets import of_claims
from mpn_abm.studies.calibration import EVALUATED, HISTORY, Calibration, calibrated
from mpn_abm.studies.executors.options import Options
from mpn_abm.studies.folder import PLAN, STUDY, Folder, path_of, publish_manifest, publish_tables
from mpn_abm.studies.opening import plan_writer, provenance_of, refuse_what_is_there
from mpn_abm.studies.progress import Tally, Watcher
from mpn_abm.studies.running import EXECUTORS, Source, of_kind
from mpn_abm.studies.stored import read
from mpn_abm.studies.study import Study

_PACKAGES = {"abc_smc": "pyabc", "optuna": "optuna"}


def calibrate(
    source: Source,
    *,
    out: str | PathLike[str],
    overrides: Mapping[str, Any] | None = None,
    jobs: int = 1,
    executor: str = "local",
    scheduler: str | None = None,
    slurm: Mapping[str, Any] | None = None,
    retry_failed: bool = False,
    overwrite: bool = False,
    progress: Watcher | None = None,
) -> Study:
    """Find the parameters with which a model shows what was seen; a second call with the same folder goes on.

    Parameters
    ----------
    source : path, text or mapping
        A study file with `calibrate:`.
    out, overrides, jobs, executor, scheduler, slurm, retry_failed, overwrite, progress
        As of ``sweep``.

    Returns
    -------
    Study
        With ``estimate`` and ``predictions``; of ABC-SMC also ``posterior`` and ``generations``.

    Raises
    ------
    UsageError
        If the file asks for too few runs, or pyabc or optuna is not installed.
    ScenarioError, OutputExistsError, SimulationError
        As ``sweep``; also where no point has a value of every target.
    """
    study = of_kind("calibrate", source, overrides)
    return run_calibration(
        study, out, jobs=jobs, executor=executor, scheduler=scheduler, slurm=slurm, retry_failed=retry_failed,
        overwrite=overwrite, progress=progress,
    )[0]  # fmt: skip


def run_calibration(
    study: StudyFile,
    out: str | PathLike[str],
    *,
    jobs: int = 1,
    executor: str = "local",
    scheduler: str | None = None,
    slurm: Mapping[str, Any] | None = None,
    retry_failed: bool = False,
    overwrite: bool = False,
    progress: Watcher | None = None,
) -> tuple[Study, Calibration]:
    """Calibrate a study that was loaded; as ``calibrate``, with what was found."""
    if executor not in EXECUTORS:
        raise UsageError(f"executor: {executor!r}: expected one of {', '.join(EXECUTORS)}")
    if study.output.trajectory == "none":
        raise UsageError(f"{study.name}: expected `output: {{trajectory: days}}` or `all`, of which targets are made")
    spec, start = spec_of(study), time.perf_counter()
    # before anything is run or written
    extra(_PACKAGES[spec.method], "calibrate")
    folder, planner = Folder(path_of(out, "out")), Planner(study)
    options = Options(jobs, scheduler, slurm or {}, retry_failed)
    refuse_too_few_runs(study, planner.runs_of_a_point)
    with folder.held():
        _open(folder, study, planner, overwrite)
        tally = _tally(folder, spec.max_runs, progress)
        simulator = Simulator(folder, study, planner, executor, options, tally)
        found = calibrated(
            simulator, priors_of(study), of_claims(study.targets), folder.path, method=spec.method, seed=spec.seed,
            max_runs=spec.max_runs, replicates=planner.runs_of_a_point, population=spec.population,
            generations=spec.generations, context=_context(study, planner),
        )  # fmt: skip
        _finish(folder, study, found, time.perf_counter() - start, tally)
    return read(out), found


def _context(study: StudyFile, planner: Planner) -> str:
    """What else the values of a point depend on."""
    own = {name: endpoint.model_dump_json() for name, endpoint in study.endpoints.items()}
    return digest([sorted((str(arm), said) for arm, said in planner.digests.items()), sorted(own.items())])


def _open(folder: Folder, study: StudyFile, planner: Planner, overwrite: bool) -> None:
    """Make the folder ready; whether the state that is there is of this calibration is seen before the first run."""
    if overwrite:
        folder.empty()
        for name in (SETUP, EVALUATED, HISTORY):
            (folder.path / name).unlink(missing_ok=True)
    if not folder.is_study:
        refuse_what_is_there(folder, study)
        replaced(folder.path / STUDY, text(study.to_yaml()))
        replaced(folder.path / PLAN, plan_writer(planner.empty(), provenance_of(study)))
    elif folder.provenance["kind"] != study.kind:
        there = folder.provenance["kind"]
        raise OutputExistsError(f"{folder.path}: holds a {there} study; choose another --out or say --overwrite")
    folder.remove_orphans(folder.runs_by_shard())


def _tally(folder: Folder, max_runs: int, progress: Watcher | None) -> Tally:
    """Counts runs of all that are allowed, beginning with those that are there."""
    runs, failed = folder.runs_by_shard(), folder.failed_by_shard()
    done = folder.done(runs)
    return Tally(
        max_runs, sum(runs[shard] for shard in done), sum(failed.get(shard, 0) for shard in done), progress
    )  # fmt: skip


def _finish(folder: Folder, study: StudyFile, found: Calibration, wall_seconds: float, tally: Tally) -> None:
    """Write the tables, and manifest.json last."""
    folder = Folder(folder.path)
    tables, plan = tables_of(found), folder.plan()
    failed = sum(folder.failed_by_shard().values())
    facts = {
        "out": str(folder.path),
        "status": "failures" if failed else "done",
        "name": study.name,
        "question": study.question,
        "kind": study.kind,
        "method": found.method,
        "runs": len(plan),
        "failed": failed,
        "arms": {name: arm.sha256 for name, arm in study.scenario.arms.items()},
        "seed": study.scenario.spec.seed,
        "scenario_sha256": study.scenario.sha256,
        "stopped": found.stopped,
        "points_simulated_now": found.simulated,
        "floor": {name: None if isnan(value) else value for name, value in asdict(found.floor).items()},
        "explained": found.explained,
        "warnings": found.warnings,
        "digests": {name: digest_of(table) for name, table in tables.items()},
        "wall_seconds": wall_seconds,
        "peak_memory_mb": tally.peak_memory_mb or peak_memory_mb(),
    }
    replaced(folder.path / STUDY, text(study.to_yaml()))
    publish_tables(folder, tables)
    publish_manifest(folder, facts)
