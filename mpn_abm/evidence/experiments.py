"""Experiments: loaded with the days that their targets need, and run once each in a folder that keeps them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mpn_abm.columns import describe
from mpn_abm.errors import Problem, ScenarioError
from mpn_abm.evidence.blocks import Experiment
from mpn_abm.evidence.kind_checks import findings_between
from mpn_abm.evidence.targets import TargetFile
from mpn_abm.scenario.claim_checks import checked_between
from mpn_abm.scenario.endpoints import endpoint_of
from mpn_abm.scenario.scenario import load
from mpn_abm.scenario.studies.study_file import StudyFile, is_study, load_study
from mpn_abm.scenario.suggestions import unknown
from mpn_abm.scenario.tree import Entry, in_reading_order, problem_at
from mpn_abm.studies.identity import paths_of
from mpn_abm.studies.plan import plan_of
from mpn_abm.studies.progress import Watcher
from mpn_abm.studies.running import run_study
from mpn_abm.studies.study import Study

OF_SUMMARY = {column.name for column in describe("summary")}
DIGITS = 12


@dataclass(frozen=True)
class Loaded:
    """An experiment as a study that is ready to run."""

    name: str
    file: TargetFile
    study: StudyFile

    def run(self, cache: Path, machine: Mapping[str, Any], progress: Watcher | None) -> Study:
        """Run what is missing; the folder is that of these runs, whatever is asked of them."""
        keys = "".join(plan_of(self.study)["key"])
        digest = hashlib.sha256(keys.encode()).hexdigest()[:DIGITS]
        return run_study(self.study, cache / f"{self.name}-{digest}", progress=progress, **machine)


def loaded(file: TargetFile, quick: bool, names: Iterable[str]) -> dict[str, Loaded]:
    """The experiments of these names.

    Raises
    ------
    ScenarioError
        With all that is wrong with them, and between them and their targets.
    """
    problems: list[Problem] = []
    found = {}
    for name in names:
        try:
            study = _study(file, name, quick)
        except ScenarioError as error:
            problems += [_at_home(file, name, one) for one in error.problems]
            continue
        problems += _wrong_targets(file, name, study)
        found[name] = Loaded(name, file, study)
    if problems:
        raise ScenarioError(in_reading_order(problems))
    return found


def _study(file: TargetFile, name: str, quick: bool) -> StudyFile:
    said = file.experiments[name]
    source, changes = _source(file.path.parent, name, said)
    changes |= said.change | (said.quick if quick else {}) | {"output.trajectory": "all"}
    if said.endpoints:
        changes["endpoints"] = said.endpoints
    study = load_study(source, overrides=changes)
    days = _days(file, name, study)
    kept = set(study.scenario.spec.time.record_at or ())
    # a day beyond the end is told with the target
    if missing := {day for day in days - kept if day <= study.scenario.spec.time.duration}:
        study = load_study(source, overrides=changes | {"time.record_at_days": sorted(kept | missing)})
    return study


def _source(folder: Path, name: str, said: Experiment) -> tuple[Any, dict[str, Any]]:
    if said.file is None:
        blocks = {"sweep": said.sweep, "trial": said.trial}
        content = {"name": name, "scenario": _absolute(said.scenario, folder)}
        content |= {kind: block for kind, block in blocks.items() if block is not None}
        if len(content) == 2:
            content["trial"] = _as_trial(content["scenario"])
        return content, {}
    path = folder / said.file
    if not path.exists() or is_study(path):
        return path, {}
    scenario = str(path.resolve())
    return {"name": name, "scenario": scenario, "trial": _as_trial(scenario)}, {}


def _as_trial(scenario: Any) -> dict[str, Any]:
    """A scenario with its replicates as a trial of patients who are alike."""
    spec = load(scenario if isinstance(scenario, str) else {"schema": "mpn-abm/1", **scenario}).spec
    return {"patients": spec.replicates, "seed": spec.seed}


def _absolute(scenario: Any, folder: Path) -> Any:
    """The scenario with paths that do not depend on where the program was started."""
    if isinstance(scenario, str):
        return str((folder / scenario).resolve())
    if not isinstance(scenario, Mapping) or "extends" not in scenario:
        return scenario
    extended = scenario["extends"]
    names = extended if isinstance(extended, list) else [extended]
    return {**scenario, "extends": [str((folder / str(one)).resolve()) for one in names]}


def _days(file: TargetFile, name: str, study: StudyFile) -> set[float]:
    """The days after day 0 that targets ask about."""
    own = dict(study.endpoints)
    days = {
        day
        for target in file.targets_of(name).values()
        if endpoint_of(target.endpoint, own).since is None
        for day in target.days
    }
    return {day for day in days if day > 0.0}


def _at_home(file: TargetFile, name: str, told: Problem) -> Problem:
    """A problem of what the file of targets says itself, at the place of the experiment."""
    if told.file not in ("overrides", "mapping"):
        return told
    entry = file.tree.at(("experiments", name))
    assert entry is not None
    place = entry.origin
    return replace(told, file=place.file, line=place.line, column=place.column, path=f"experiments.{name}: {told.path}")


def _wrong_targets(file: TargetFile, name: str, study: StudyFile) -> list[Problem]:
    """What is wrong between an experiment and its targets: arms, endpoints, days, points."""
    targets = file.targets_of(name)
    # an order by days asks the same on each of them
    claims = {one: target.model_copy(update={"at_day": min(target.days, default=None)})
              for one, target in targets.items()}  # fmt: skip
    asked = study.scenario.comparison.model_copy(update={"expect": claims, "endpoints": dict(study.endpoints)})
    entry = file.tree.at(("targets",))
    assert entry is not None
    tree = Entry({"expect": entry}, file.tree.origin)
    specs = {arm: scenario.spec for arm, scenario in study.scenario.arms.items()}
    # one number of each run, which has no days
    wrong = OF_SUMMARY - set(study.endpoints)
    plan = plan_of(study)
    varied = paths_of(plan)
    problems = [
        one
        for one in checked_between(asked, tree, study.scenario.spec, specs, wrong, varied)
        if one.path.startswith("expect.")
    ]
    for target_name, target in targets.items():
        wrong_kind = findings_between(
            ("expect", target_name), target, specs, study.endpoints, study.scenario.spec.time.duration
        )
        problems += [problem_at(tree, *finding) for finding in wrong_kind]
        for path, value in target.where.items():
            place = ("expect", target_name, "where", path)
            if path not in varied:
                problems.append(problem_at(tree, place, unknown("path of a point", path, varied)))
            elif not (plan[path] == value).any():
                problems.append(problem_at(tree, place, "expected a value that the experiment has"))
    return [replace(one, path=one.path.replace("expect.", "targets.", 1)) for one in problems]
