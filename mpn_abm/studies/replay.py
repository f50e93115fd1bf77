"""One run of a study, to be run again alone."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path

from mpn_abm.errors import UsageError
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.studies.folder import Folder
from mpn_abm.studies.harvesting import scenario_of
from mpn_abm.studies.shard import study_in


def scenario_of_run(path: str | PathLike[str], run_id: str) -> Scenario:
    """The scenario of a run of the study in a folder: its parameters, its arm and its seed, as one replicate.

    Raises
    ------
    UsageError
        If the study has no such run.
    ScenarioError
        If its parameters do not make a scenario.
    """
    folder = Folder(Path(path))
    plan = folder.plan()
    rows = plan[plan["run_id"] == run_id]
    if rows.empty:
        names = plan["run_id"].tolist()
        known = f"expected one from {names[0]} to {names[-1]}" if names else "it has none yet"
        raise UsageError(f"--run-id {run_id}: {path} has no such run, {known}")
    row = rows.iloc[0]
    scenario = scenario_of(study_in(folder), row)
    spec = scenario.spec.model_copy(update={"seed": int(row["seed"]), "replicates": 1})
    return replace(scenario, spec=spec)
