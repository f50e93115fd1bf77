"""The plan of a study: one row per run, made before the first run starts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd

from mpn_abm.batch import seeds_of
from mpn_abm.compile.program import compile_scenario
from mpn_abm.errors import ScenarioError
from mpn_abm.estimate import estimate
from mpn_abm.scenario.arms import said_by
from mpn_abm.scenario.resolved import as_file, plain
from mpn_abm.scenario.studies.blocks import TrialSpec
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.scenario.studies.trying import is_whole
from mpn_abm.studies.cohort import BESIDE
from mpn_abm.studies.identity import OF_PATIENT
from mpn_abm.studies.keys import canonical_json, key_of
from mpn_abm.studies.points import checked_points
from mpn_abm.units import is_number

SHARDS, MOST_RUNS_OF_A_SHARD = 16, 1000
SECONDS_OF_A_SHARD = 60.0
_LOOKED_AT = 4
# what is told of a marrow and changes none: runs have seeds of their own
_NO_MATTER = ("name", "question", "seed", "replicates", "output")


def plan_of(study: StudyFile) -> pd.DataFrame:
    """The runs of a study in their order: point by point, arms inside, replicates innermost.

    Returns
    -------
    DataFrame
        With the columns of ``STUDY_TABLES["plan"]`` and one more per path.
    """
    points = checked_points(study)
    paths = [str(name) for name in points if name not in BESIDE]
    parameters = _parameters(study, points[paths])
    texts = [canonical_json(one) for one in parameters]
    arms = _arms_of_points(study, points)
    replicates = getattr(study.spec, "replicates", 1)
    seeds = _seeds(study, len(points), replicates)
    digests = {arm: digest_of_arm(study, arm) for arm in study.base.runs}
    rows = [
        (_run_id(arm, point, k, replicates), arm, point, k, seed, key_of(digests[arm], text, seed), text)
        for point, text in enumerate(texts)
        for arm in arms[point]
        for k in range(replicates)
        for seed in (int(seeds[point, k]),)
    ]
    plan = pd.DataFrame(rows, columns=["run_id", "arm", "patient", "replicate", "seed", "key", "parameters"])
    plan["arm"] = plan["arm"].astype(object)
    plan.insert(1, "number", np.arange(len(plan)))
    plan.insert(7, "shard", (np.arange(len(plan)) // size_of_a_shard(study, parameters, len(plan))).astype(np.int32))
    whole_numbers = plan["patient"].to_numpy()
    for name in OF_PATIENT:
        if name in points:
            plan[name] = points[name].to_numpy(np.float64)[whole_numbers]
    for path in paths:
        plan[path] = column_of([one[path] for one in parameters])[whole_numbers]
    return plan


def _arms_of_points(study: StudyFile, points: pd.DataFrame) -> list[Sequence[str | None]]:
    if isinstance(study.spec, TrialSpec) and "arm" in points:
        return [(str(arm),) for arm in points["arm"]]
    return [study.base.runs] * len(points)


def _seeds(study: StudyFile, points: int, replicates: int) -> np.ndarray:
    """uint64[points, replicates]; replicate k has one seed at all points, patient j one in all arms."""
    if isinstance(study.spec, TrialSpec):
        return seeds_of(study.spec.seed, range(points)).reshape(points, 1)
    return np.broadcast_to(seeds_of(study.scenario.spec.seed, range(replicates)), (points, replicates))


def _parameters(study: StudyFile, points: pd.DataFrame) -> list[dict[str, Any]]:
    """What each point sets, as plain numbers: whole ones where the parameter is whole, else floats."""
    specs = study.base.specs
    columns = {str(path): list(plain_numbers(points[path].tolist(), is_whole(str(path), specs))) for path in points}
    return [{path: values[point] for path, values in columns.items()} for point in range(len(points))]


def plain_numbers(values: Iterable[Any], whole: bool) -> Iterator[Any]:
    """Numbers as Python has them: whole ones where they must be, else floats."""
    for value in values:
        if not is_number(value):
            yield list(value) if isinstance(value, tuple) else value
        else:
            yield int(value) if whole and float(value).is_integer() else float(value)


def digest_of_arm(study: StudyFile, arm: str | None) -> str:
    """Digest of the marrow of an arm, of what the arm says, and of what is kept of its runs."""
    marrow = {key: value for key, value in as_file(study.scenario.spec).items() if key not in _NO_MATTER}
    said = [] if arm is None else said_by(study.base.overlays[arm]).items()
    overlay = [[list(path), leaf.plain()] for path, leaf in said]
    return sha256(canonical_json([marrow, overlay, plain(study.output)]).encode()).hexdigest()


def _run_id(arm: str | None, point: int, replicate: int, replicates: int) -> str:
    parts = [] if arm is None else [arm]
    parts.append(f"{point:05d}")
    if replicates > 1:
        parts.append(f"{replicate:03d}")
    return "-".join(parts)


def size_of_a_shard(study: StudyFile, parameters: list[dict[str, Any]], runs: int) -> int:
    """Runs of a shard: a sixteenth of all, two to a thousand, and about a minute of steps."""
    size = min(max(math.ceil(runs / SHARDS), 2), MOST_RUNS_OF_A_SHARD)
    looked_at = parameters[:: max(1, len(parameters) // _LOOKED_AT)]
    seconds = [_seconds(study, one, arm) for one in looked_at for arm in study.base.runs]
    # a run of half a minute and more is a shard of its own
    return max(1, min(size, int(SECONDS_OF_A_SHARD / max(*seconds, SECONDS_OF_A_SHARD / size))))


def _seconds(study: StudyFile, parameters: dict[str, Any], arm: str | None) -> float:
    """What a run takes; nothing where its values do not go together, which is told when it is run."""
    try:
        return estimate(compile_scenario(study.member(parameters, arm).spec), 1, 1).seconds
    except ScenarioError:
        return 0.0


def column_of(values: list[Any]) -> np.ndarray:
    """Numbers as float64, anything else as text."""
    if all(is_number(value) for value in values):
        return np.array(values, np.float64)
    texts = np.empty(len(values), object)
    texts[:] = [value if isinstance(value, str) else canonical_json(value) for value in values]
    return texts
