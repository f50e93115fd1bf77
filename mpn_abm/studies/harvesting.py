"""Run some rows of a plan: those with the same parameters and arm side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from mpn_abm.batch import seeds_of
from mpn_abm.errors import Stopped
from mpn_abm.harvest import Harvest
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.scenario.studies.study_file import StudyFile


@dataclass
class Made:
    """What runs left: those that went well by their run_id, and position in the plan and error of those that failed."""

    harvest: Harvest = field(default_factory=Harvest)
    failures: list[tuple[int, Exception]] = field(default_factory=list)


def run_rows(study: StudyFile, plan: pd.DataFrame) -> Made:
    """Run all rows; a run that fails does not stop the others."""
    made = Made()
    position = np.arange(len(plan))
    for _, rows in plan.assign(position=position).groupby(["arm", "parameters"], sort=False, dropna=False):
        try:
            scenario = scenario_of(study, rows.iloc[0])
        except Stopped:
            raise
        except Exception as error:
            made.failures += [(at, error) for at in rows["position"].tolist()]
            continue
        for batch, seed, numbers in _batches(study, scenario, rows):
            _run(made, scenario, batch, seed, numbers)
    made.failures.sort(key=lambda failure: failure[0])
    return made


def scenario_of(study: StudyFile, row: pd.Series) -> Scenario:
    """The scenario of a run but for its seed: patient or axis over the file, the arm over that."""
    arm = None if pd.isna(row["arm"]) else str(row["arm"])
    return study.member(json.loads(row["parameters"]), arm)


def seeded(scenario: Scenario, seed: int) -> Scenario:
    """The scenario with another seed."""
    return replace(scenario, spec=scenario.spec.model_copy(update={"seed": seed}))


def _batches(study: StudyFile, scenario: Scenario, rows: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, int, list[int]]]:
    """Rows that are stepped together, with the seed of the scenario and the numbers that they have under it."""
    seeds = rows["seed"].to_numpy(np.uint64)
    if len(rows) > 1:
        # replicates of a point have the seeds of replicates, patients those of patients
        of_study = getattr(study.spec, "seed", scenario.spec.seed)
        # points of a calibration have seeds of their own, which are those of replicate 0
        for seed, name in ((scenario.spec.seed, "replicate"), (of_study, "patient"), (int(seeds[0]), "replicate")):
            numbers = rows[name].to_numpy()
            if (np.diff(numbers) > 0).all() and (seeds_of(seed, numbers.tolist()) == seeds).all():
                yield rows, seed, numbers.tolist()
                return
    for k, seed in enumerate(seeds.tolist()):
        yield rows.iloc[k : k + 1], seed, [0]


def _run(made: Made, scenario: Scenario, rows: pd.DataFrame, seed: int, numbers: list[int]) -> None:
    try:
        made.harvest.run(seeded(scenario, seed), rows["run_id"].tolist(), numbers)
    except Stopped:
        raise
    except Exception as error:
        if len(rows) == 1:
            made.failures.append((int(rows["position"].iloc[0]), error))
            return
        # the others of its batch are well
        for k, own in enumerate(rows["seed"].tolist()):
            _run(made, scenario, rows.iloc[k : k + 1], own, [0])
