"""Run all arms of a file with the same seeds and compare them, patient by patient."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mpn_abm.analysis.answer import answer
from mpn_abm.analysis.claims import judged, rows_of, versus_of
from mpn_abm.analysis.headlines import headline_days, patients_of
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.tables import compared, details, event_times, with_headlines
from mpn_abm.columns import STUDY_TABLES
from mpn_abm.compile.program import compile_scenario
from mpn_abm.errors import Problem, ScenarioError, UsageError
from mpn_abm.files import RESOLVED, claimed, digest_of, published_together, text
from mpn_abm.result import Result
from mpn_abm.scenario.arms import said_by
from mpn_abm.scenario.claim_columns import refuse_missing_columns
from mpn_abm.scenario.said import origins_of
from mpn_abm.scenario.scenario import Scenario, load
from mpn_abm.studies.arms_run import ArmsRun, Told, run_here, run_over
from mpn_abm.studies.executors.options import Options
from mpn_abm.studies.keys import canonical_json, key_of
from mpn_abm.studies.study import Study
from mpn_abm.tables import table_from_frame, table_of


def compare(
    source: Scenario | str | PathLike[str] | Mapping[str, Any],
    *,
    out: str | PathLike[str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    replicates: int | None = None,
    threads: int = 1,
    jobs: int = 1,
    overwrite: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Study:
    """Run all arms of a scenario and compare them with the reference.

    Replicate k has the same seed in all arms, so that two arms have the same bits until they differ.

    Parameters
    ----------
    source : Scenario, path, text or mapping
        A scenario with arms, as ``mpn_abm.load`` takes or returns it.
    out : path, optional
        The folder to which the tables are written.
    overrides : mapping, optional
        Values by path, over those of the file.
    replicates : int, optional
        Runs of each arm; the scenario's own number unless said.
    threads : int
        As of ``mpn_abm.run``.
    jobs : int
        Processes with one thread each, over which arms and replicates are spread. The tables have the same bits for
        any number.
    overwrite : bool
        Whether the tables of an earlier study make way.
    progress : callable, optional
        Told the share of the work that is done, now and then.

    Returns
    -------
    Study

    Raises
    ------
    ScenarioError
        If the scenario is wrong or has no two arms.
    OutputExistsError
        If the folder has something in it and ``overwrite`` is not set.
    UsageError
        If there are several threads and several jobs.
    """
    options = Options(jobs)
    if jobs > 1 and threads > 1:
        raise UsageError(f"threads: {threads}: expected 1 with several jobs, each of which has one thread")
    scenario = source if isinstance(source, Scenario) else load(source, overrides)
    refuse_without_arms(scenario)
    if out is None:
        return _compared(scenario, replicates, threads, options, progress)
    # refused before the work, not after it
    with claimed(Path(out), overwrite):
        study = _compared(scenario, replicates, threads, options, progress)
        with published_together(Path(out)) as write:
            write(RESOLVED, text(scenario.to_yaml()))
        study.facts = study.write_into(Path(out))
    return study


def refuse_without_arms(scenario: Scenario) -> None:
    """See that there is something to compare."""
    if len(scenario.arms) < 2:
        place = scenario.tree.origin
        told = "expected two or more, by name: what each changes, {} for one without changes"
        raise ScenarioError([Problem(place.file, place.line, place.column, "arms", "", told)])


def reference_of(scenario: Scenario) -> str:
    """The arm that others are compared with."""
    return scenario.comparison.reference or next(iter(scenario.arms))


def _compared(scenario: Scenario, replicates: int | None, threads: int, options: Options, progress: Told) -> Study:
    start = time.perf_counter()
    for arm in scenario.arms.values():
        _refuse_claims_without_columns(arm, reference_of(scenario))
    if options.jobs > 1:
        return _study(scenario, run_over(scenario, replicates, options, progress), start)
    return _study(scenario, run_here(scenario, replicates, threads, progress), start)


def _refuse_claims_without_columns(arm: Scenario, reference: str) -> None:
    said = arm.comparison
    asked = {
        name: claim
        for name, claim in said.expect.items()
        if arm.arm in (claim.arm, None if claim.is_on_one_arm else versus_of(claim, reference))
    }
    known = {column.name for column in compile_scenario(arm.spec).layout.table}
    refuse_missing_columns(asked, said.endpoints, known, f"the arm {arm.arm}")


def _study(scenario: Scenario, ran: ArmsRun, start: float) -> Study:
    own, claims = with_headlines(scenario.comparison.endpoints), scenario.comparison.expect
    reference = reference_of(scenario)
    patients: dict[str, Patients] = {
        arm: patients_of(trajectory.to_pandas(), summary.to_pandas())
        for arm, trajectory, summary in zip(scenario.arms, *ran.parts.values(), strict=True)
    }
    days = headline_days(patients, scenario.spec.time.step)
    asked = _file_itself(scenario, patients)
    asked.update(patients)
    verdicts = judged(claims, own, asked, reference)
    comparison = compared(patients, own, claims, days, reference)
    frames_of = {
        "endpoints": details(patients, own, claims, days),
        "survival": event_times(patients, own, claims),
        "comparison": comparison,
        "claims": verdicts,
    }
    tables = {name: table_from_frame(STUDY_TABLES[name], frame) for name, frame in frames_of.items()}
    tables["plan"] = _plan(scenario, ran)
    facts = _facts(scenario, ran, start) | {
        "reference": reference,
        "claims": rows_of(verdicts),
        "claims_left_out": [name for name in claims if name not in set(verdicts["claim"])],
    }
    said = answer(scenario.spec.question, verdicts, comparison, reference, facts["replicates"])
    return Study(ran.parts, tables, facts | {"answer": said}, Result(scenario, {}).provenance)


def _file_itself(scenario: Scenario, patients: Mapping[str, Patients]) -> dict[str | None, Patients]:
    """The arm that is the file without changes stands for claims that name no arm."""
    alike = [name for name, arm in scenario.arms.items() if arm.sha256 == scenario.sha256]
    return {None: patients[alike[0]]} if alike else {}


def _plan(scenario: Scenario, ran: ArmsRun) -> pa.Table:
    rows: dict[str, list[Any]] = {column.name: [] for column in STUDY_TABLES["plan"]}
    for shard, (arm, summary) in enumerate(zip(scenario.arms, ran.parts["summary"], strict=True)):
        said = said_by(scenario.overlays[arm])
        parameters = canonical_json({".".join(map(str, path)): leaf.plain() for path, leaf in said.items()})
        seeds = summary.column("seed").to_pylist()
        for name in ("run_id", "arm", "patient", "replicate", "seed"):
            rows[name] += summary.column(name).to_pylist()
        rows["number"] += range(len(rows["number"]), len(rows["run_id"]))
        rows["key"] += [key_of(scenario.arms[arm].sha256, parameters, seed) for seed in seeds]
        rows["shard"] += [shard] * len(seeds)
        rows["parameters"] += [parameters] * len(seeds)
    return table_of(STUDY_TABLES["plan"], {name: pa.array(values) for name, values in rows.items()})


def _facts(scenario: Scenario, ran: ArmsRun, start: float) -> dict[str, Any]:
    summaries = dict(zip(scenario.arms, ran.parts["summary"], strict=True))
    reasons = {name: Counter(summary.column("end_reason").to_pylist()) for name, summary in summaries.items()}
    first = next(iter(reasons.values()))
    days = sum(pc.sum(summary.column("end_day")).as_py() for summary in summaries.values())
    return {
        "status": "done",
        "name": scenario.spec.name,
        "question": scenario.spec.question,
        "arms": {name: arm.sha256 for name, arm in scenario.arms.items()},
        "origins": origins_of(scenario),
        "end_reason": first.most_common(1)[0][0],
        "end_reasons": {name: dict(told) for name, told in reasons.items()},
        "replicates": first.total(),
        "seed": scenario.spec.seed,
        "scenario_sha256": scenario.sha256,
        "trajectory_sha256": digest_of(pa.concat_tables(ran.parts["trajectory"])),
        "wall_seconds": time.perf_counter() - start,
        # arms share their steps and their sites
        "site_steps": round(days / scenario.spec.time.step) * math.prod(scenario.spec.marrow.shape),
        **ran.facts,
    }
