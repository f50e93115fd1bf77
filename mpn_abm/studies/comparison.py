"""Run all arms of a file with the same seeds and compare them, patient by patient."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import pyarrow as pa

from mpn_abm.analysis.answer import answer
from mpn_abm.analysis.claims import judged, rows_of, versus_of
from mpn_abm.analysis.headlines import headline_days, patients_of
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.tables import compared, details, event_times, with_headlines
from mpn_abm.columns import STUDY_TABLES
from mpn_abm.compile.program import compile_scenario
from mpn_abm.errors import Problem, ScenarioError
from mpn_abm.files import RESOLVED, claimed, digest_of, published_together, text
from mpn_abm.result import Result
from mpn_abm.scenario.arms import said_by
from mpn_abm.scenario.claim_columns import refuse_missing_columns
from mpn_abm.scenario.said import origins_of
from mpn_abm.scenario.scenario import Scenario, load
from mpn_abm.simulate import peak_memory_mb, run
from mpn_abm.studies.keys import canonical_json, key_of
from mpn_abm.studies.study import Study
from mpn_abm.studies.union import identified, of_one_schema
from mpn_abm.tables import table_from_frame, table_of


def compare(
    source: Scenario | str | PathLike[str] | Mapping[str, Any],
    *,
    out: str | PathLike[str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    replicates: int | None = None,
    threads: int = 1,
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
    """
    scenario = source if isinstance(source, Scenario) else load(source, overrides)
    refuse_without_arms(scenario)
    if out is None:
        return _compared(scenario, replicates, threads, progress)
    # refused before the work, not after it
    with claimed(Path(out), overwrite):
        study = _compared(scenario, replicates, threads, progress)
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


def _compared(
    scenario: Scenario, replicates: int | None, threads: int, progress: Callable[[float], None] | None
) -> Study:
    start = time.perf_counter()
    for arm in scenario.arms.values():
        _refuse_claims_without_columns(arm, reference_of(scenario))
    results = {}
    for number, (name, arm) in enumerate(scenario.arms.items()):
        tell = None if progress is None else _part_of(progress, number, len(scenario.arms))
        results[name] = run(arm, replicates=replicates, threads=threads, progress=tell)
    return _study(scenario, results, start)


def _refuse_claims_without_columns(arm: Scenario, reference: str) -> None:
    said = arm.comparison
    asked = {
        name: claim
        for name, claim in said.expect.items()
        if arm.arm in (claim.arm, None if claim.is_on_one_arm else versus_of(claim, reference))
    }
    known = {column.name for column in compile_scenario(arm.spec).layout.table}
    refuse_missing_columns(asked, said.endpoints, known, f"the arm {arm.arm}")


def _part_of(progress: Callable[[float], None], number: int, arms: int) -> Callable[[float], None]:
    return lambda share: progress((number + share) / arms)


def _study(scenario: Scenario, results: Mapping[str, Result], start: float) -> Study:
    own, claims = with_headlines(scenario.comparison.endpoints), scenario.comparison.expect
    reference = reference_of(scenario)
    parts = {
        name: of_one_schema([identified(results[arm].tables[name], arm) for arm in results])
        for name in ("trajectory", "summary")
    }
    patients: dict[str, Patients] = {
        arm: patients_of(trajectory.to_pandas(), summary.to_pandas())
        for arm, trajectory, summary in zip(results, parts["trajectory"], parts["summary"], strict=True)
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
    tables["plan"] = _plan(scenario, results)
    first = next(iter(results.values()))
    facts = _facts(scenario, results, parts["trajectory"], start) | {
        "reference": reference,
        "claims": rows_of(verdicts),
        "claims_left_out": [name for name in claims if name not in set(verdicts["claim"])],
    }
    said = answer(scenario.spec.question, verdicts, comparison, reference, facts["replicates"])
    provenance = {**first.provenance, "scenario": scenario.spec.name, "scenario_sha256": scenario.sha256}
    return Study(parts, tables, facts | {"answer": said}, provenance)


def _file_itself(scenario: Scenario, patients: Mapping[str, Patients]) -> dict[str | None, Patients]:
    """The arm that is the file without changes stands for claims that name no arm."""
    alike = [name for name, arm in scenario.arms.items() if arm.sha256 == scenario.sha256]
    return {None: patients[alike[0]]} if alike else {}


def _plan(scenario: Scenario, results: Mapping[str, Result]) -> pa.Table:
    rows: dict[str, list[Any]] = {column.name: [] for column in STUDY_TABLES["plan"]}
    for shard, (arm, result) in enumerate(results.items()):
        said = said_by(scenario.overlays[arm])
        parameters = canonical_json({".".join(map(str, path)): leaf.plain() for path, leaf in said.items()})
        summary = identified(result.tables["summary"], arm)
        seeds = summary.column("seed").to_pylist()
        for name in ("run_id", "arm", "patient", "replicate", "seed"):
            rows[name] += summary.column(name).to_pylist()
        rows["number"] += range(len(rows["number"]), len(rows["run_id"]))
        rows["key"] += [key_of(scenario.arms[arm].sha256, parameters, seed) for seed in seeds]
        rows["shard"] += [shard] * len(seeds)
        rows["parameters"] += [parameters] * len(seeds)
    return table_of(STUDY_TABLES["plan"], {name: pa.array(values) for name, values in rows.items()})


def _facts(
    scenario: Scenario, results: Mapping[str, Result], trajectory: list[pa.Table], start: float
) -> dict[str, Any]:
    each = [result.facts for result in results.values()]
    added = ("compile_seconds", "stepping_seconds", "site_steps", "candidates", "events")
    return {
        "status": "done",
        "name": scenario.spec.name,
        "question": scenario.spec.question,
        "arms": {name: arm.sha256 for name, arm in scenario.arms.items()},
        "origins": origins_of(scenario),
        "end_reason": each[0]["end_reason"],
        "end_reasons": {name: result.facts["end_reasons"] for name, result in results.items()},
        "replicates": each[0]["replicates"],
        "seed": scenario.spec.seed,
        "scenario_sha256": scenario.sha256,
        "trajectory_sha256": digest_of(pa.concat_tables(trajectory)),
        "wall_seconds": time.perf_counter() - start,
        "peak_memory_mb": peak_memory_mb(),
        **{name: sum(facts[name] for facts in each) for name in added},
    }
