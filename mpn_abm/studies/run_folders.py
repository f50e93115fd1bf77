"""The runs that lie in folders, by arm: of a run alone, of a comparison, or of any other study that is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from mpn_abm.errors import MissingFileError, UsageError
from mpn_abm.files import LOCK, RESOLVED, is_locked
from mpn_abm.scenario.scenario import load
from mpn_abm.scenario.studies.study_file import load_study
from mpn_abm.studies.folder import MANIFEST, PLAN, STUDY, Folder
from mpn_abm.studies.identity import in_plan_order, put_together
from mpn_abm.studies.keys import canonical_json, key_of
from mpn_abm.studies.stored import facts_of, read, read_table
from mpn_abm.studies.union import identified

NEEDED = ("trajectory", "summary")
# days of a step where a folder does not tell its scenario
USUAL_STEP = 1.0


@dataclass(frozen=True)
class ArmRuns:
    """The runs of one arm.

    Attributes
    ----------
    tables : mapping of pyarrow.Table
        trajectory and summary, with `run_id`, `arm` and `patient`; a `run_id` is that of one run.
    plan : DataFrame
        A row per run, in order: `run_id`, `replicate`, `seed`, `key`, `parameters`, what a trial tells of a patient,
        and `shared`: what twins in other arms have in common beside the seed.
    step : float
        Days of a step.
    claims : list of dict
        The verdicts on claims that name no arm, as the folder tells them.
    """

    tables: Mapping[str, pa.Table]
    plan: pd.DataFrame
    step: float
    claims: list[dict[str, Any]]


@dataclass(frozen=True)
class RunFolder:
    """What lies in a folder: its arms (None: there is one, without a name), what its manifest says, and of which."""

    path: Path
    facts: Mapping[str, Any]
    arms: Mapping[str | None, ArmRuns]


def runs_in(path: Path) -> RunFolder:
    """Read the runs of a folder.

    Raises
    ------
    UsageError
        If it holds no run, one that is not finished, or no trajectories.
    """
    if not path.exists():
        raise MissingFileError(f"{path}: no such file or folder")
    if (path / PLAN).is_file():
        return _of_study(path)
    if not (path / MANIFEST).is_file():
        if is_locked(path / LOCK):
            raise UsageError(f"{path}: not finished: a run is writing to it")
        raise MissingFileError(f"{path}: expected the folder of a run or a study, with {MANIFEST}")
    facts = facts_of(path)
    if facts.get("status") != "done":
        raise UsageError(f"{path}: not finished: {MANIFEST} says {facts.get('status', 'no status')}")
    return RunFolder(path, facts, {None: _of_run(path, facts)})


def labels_of(paths: Sequence[Path]) -> list[str]:
    """The name of each folder, with as many of those above it as set all of them apart."""
    parts = [path.resolve().parts for path in paths]
    twice = next((path for k, path in enumerate(paths) if parts[k] in parts[:k]), None)
    if twice is not None:
        raise UsageError(f"{twice}: expected once, it is given twice")
    depth = 1
    while len({part[-depth:] for part in parts}) < len(parts):
        depth += 1
    return ["/".join(part[-depth:]) for part in parts]


def _of_run(path: Path, facts: Mapping[str, Any]) -> ArmRuns:
    missing = [name for name in NEEDED if not (path / f"{name}.parquet").is_file()]
    if missing:
        raise UsageError(f"{path}: no {missing[0]} of this run was written, which a comparison reads")
    tables = {name: identified(read_table(path / f"{name}.parquet"), path.name) for name in NEEDED}
    plan = tables["summary"].select(["run_id", "replicate", "seed"]).to_pandas()
    parameters = canonical_json({})
    keys = [key_of(str(facts["scenario_sha256"]), parameters, seed) for seed in plan["seed"].tolist()]
    plan = plan.assign(key=keys, parameters=parameters, shared=parameters)
    return ArmRuns(tables, plan, _step_of(path), _nameless(facts))


def _of_study(path: Path) -> RunFolder:
    stored = read(path)
    is_comparison = not (path / STUDY).is_file()
    if not is_comparison:
        _refuse_unfinished(Folder(path))
    missing = [name for name in NEEDED if not stored.parts[name]]
    if missing:
        raise UsageError(f"{path}: no {missing[0]} of its runs was kept, which a comparison reads")
    # of a comparison the plan tells what arms set, in which twins differ; of a study what its points and patients do
    plan = stored.plan.assign(shared=canonical_json({}) if is_comparison else stored.plan["parameters"])
    step = _step_of(path)
    whole = {name: in_plan_order(put_together(stored.parts[name]), plan) for name in NEEDED}
    names = [None if pd.isna(arm) else str(arm) for arm in pd.unique(plan["arm"])]
    arms = {}
    for name in names:
        mine = plan[plan["arm"].isna() if name is None else plan["arm"] == name]
        tables = {table: rows.filter(pa.array(_is_of(rows, mine))) for table, rows in whole.items()}
        # runs that failed have left nothing
        there = mine["run_id"].isin(tables["summary"].column("run_id").to_pylist())
        claims = _nameless(stored.facts) if len(names) == 1 else []
        arms[name] = ArmRuns(tables, mine[there].reset_index(drop=True), step, claims)
    return RunFolder(path, stored.facts, arms)


def _step_of(path: Path) -> float:
    if (path / STUDY).is_file():
        return load_study(path / STUDY, trusted=True).scenario.spec.time.step
    return load(path / RESOLVED).spec.time.step if (path / RESOLVED).is_file() else USUAL_STEP


def _refuse_unfinished(folder: Folder) -> None:
    runs = folder.runs_by_shard()
    if folder.done(runs) != runs.keys():
        raise UsageError(f"{folder.path}: not finished; `mpn-abm sweep status {folder.path}` tells how far it is")


def _is_of(rows: pa.Table, plan: pd.DataFrame) -> np.ndarray:
    """bool[rows]: whether a row is of a run of the plan."""
    return np.isin(np.array(rows.column("run_id").to_pylist(), object), plan["run_id"].to_numpy(object))


def _nameless(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [claim for claim in facts.get("claims", []) if claim["arm"] is None]
