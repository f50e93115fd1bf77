"""Compare runs that lie in folders: each folder is an arm, the first one the reference."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

import mpn_abm
from mpn_abm.analysis.claims import rows_of, verdicts
from mpn_abm.analysis.headlines import headline_days, patients_of
from mpn_abm.analysis.pairing import design_between
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.tables import compared, details, event_times, with_headlines
from mpn_abm.columns import STUDY_TABLES
from mpn_abm.errors import UsageError
from mpn_abm.files import TABLE_VERSION, digest_of
from mpn_abm.studies.run_folders import NEEDED, ArmRuns, RunFolder, labels_of, runs_in
from mpn_abm.studies.study import Study
from mpn_abm.studies.union import of_one_schema
from mpn_abm.tables import table_from_frame

ROW = ["endpoint", "day", "arm", "versus", "statistic", "contrast"]
OWN = with_headlines({})


def side_by_side(paths: Sequence[Path]) -> Study:
    """Compare the runs of folders that are there.

    Runs of one seed are twins, and arms with twins are compared run by run; arms without any are independent groups.

    Parameters
    ----------
    paths : sequence of Path
        Folders of runs or studies; a study with arms is one arm for each of them.

    Raises
    ------
    UsageError
        If a folder holds no run, one that is not finished, or the folders have no two arms.
    """
    start = time.perf_counter()
    labels = labels_of(paths)
    folders = [runs_in(path) for path in paths]
    arms = {
        _named(label, name, alone=len(folders) == 1): runs
        for label, folder in zip(labels, folders, strict=True)
        for name, runs in folder.arms.items()
    }
    if len(arms) < 2:
        raise UsageError(f"{paths[0]}: one arm, expected further folders, or the folder of a study with arms")
    reference = _reference(labels, folders)
    plans = _numbered(arms)
    parts = {
        table: of_one_schema([_identified(runs.tables[table], name, plans[name]) for name, runs in arms.items()])
        for table in NEEDED
    }
    patients = {
        name: patients_of(trajectory.to_pandas(), summary.to_pandas(), plans[name])
        for name, trajectory, summary in zip(arms, parts["trajectory"], parts["summary"], strict=True)
    }
    step = max(runs.step for runs in arms.values())
    claims = verdicts([{**claim, "arm": name} for name, runs in arms.items() for claim in runs.claims])
    days = headline_days(patients, step)
    frames = {
        "plan": pd.concat(plans.values(), ignore_index=True).assign(number=lambda plan: range(len(plan))),
        "endpoints": details(patients, OWN, {}, days),
        "survival": event_times(patients, OWN, {}),
        "comparison": _pair_by_pair(patients, reference, step),
        "claims": claims,
    }
    tables = {name: table_from_frame(STUDY_TABLES[name], frame) for name, frame in frames.items()}
    facts = {
        "status": "done",
        "name": " and ".join(labels),
        "arms": {name: len(one) for name, one in patients.items()},
        "folders": dict(zip(labels, map(str, paths), strict=True)),
        "reference": reference,
        "twins": {name: _twins(one, patients[reference]) for name, one in patients.items() if name != reference},
        "ends": {name: float(one.day.max()) for name, one in patients.items()},
        "columns_missing": _missing({name: runs.tables["trajectory"] for name, runs in arms.items()}),
        "replicates": max(map(len, patients.values())),
        "trajectory_sha256": digest_of(pa.concat_tables(parts["trajectory"])),
        "claims": rows_of(claims),
        "wall_seconds": time.perf_counter() - start,
    }
    made_by = {name: folder.facts.get("provenance", {}) for name, folder in zip(labels, folders, strict=True)}
    provenance: dict[str, object] = {"program": "mpn_abm", "version": mpn_abm.__version__, "folders": made_by}
    return Study(parts, tables, facts, provenance | {"table_version": TABLE_VERSION})


def _named(label: str, arm: str | None, alone: bool) -> str:
    if arm is None:
        return label
    return arm if alone else f"{label}/{arm}"


def _reference(labels: Sequence[str], folders: Sequence[RunFolder]) -> str:
    """The arm of the first folder, or the one with which that folder compares itself."""
    said, names = folders[0].facts.get("reference"), list(folders[0].arms)
    return _named(labels[0], said if said in names else names[0], alone=len(folders) == 1)


def _numbered(arms: Mapping[str, ArmRuns]) -> dict[str, pd.DataFrame]:
    """The plan of each arm, in which twins have one number as `patient`."""
    numbers: dict[tuple[Any, ...], int] = {}
    plans = {}
    for shard, (name, runs) in enumerate(arms.items()):
        shared = runs.plan[["shared", "seed"]]
        # the same run twice in one arm is two patients
        alike = shared.assign(place=shared.groupby(["shared", "seed"]).cumcount())
        patient = [numbers.setdefault(row, len(numbers)) for row in alike.itertuples(index=False, name=None)]
        run_ids = [f"{name}-{number:05d}" for number in patient]
        plans[name] = runs.plan.assign(was=runs.plan["run_id"], run_id=run_ids, arm=name, patient=patient, shard=shard)
    return plans


def _identified(table: pa.Table, arm: str, plan: pd.DataFrame) -> pa.Table:
    """The rows under the names that the plan gives to their runs."""
    rows = plan.set_index("was").loc[table.column("run_id").to_pylist()]
    for name in ("run_id", "arm", "patient"):
        place = table.schema.get_field_index(name)
        field = table.schema.field(place)
        table = table.set_column(place, field, pa.array(rows[name].tolist(), field.type))
    return table


def _pair_by_pair(patients: Mapping[str, Patients], reference: str, step: float) -> pd.DataFrame:
    """Each arm with the reference: one may be its twin and the next one independent of it, or end on another day."""
    found = []
    for name, others in patients.items():
        if name != reference:
            pair = {reference: patients[reference], name: others}
            found.append(compared(pair, OWN, {}, headline_days(pair, step), reference))
    return pd.concat(found, ignore_index=True).drop_duplicates(ROW, ignore_index=True)


def _twins(one: Patients, other: Patients) -> dict[str, Any]:
    """Whether an arm is compared run by run, and how many pairs there are."""
    both = pd.Index(one.names).intersection(pd.Index(other.names))
    return {"design": design_between(one.names, other.names), "pairs": len(both)}


def _missing(trajectories: Mapping[str, pa.Table]) -> dict[str, list[str]]:
    """Columns of other arms that an arm has not, by arm."""
    known = dict.fromkeys(name for table in trajectories.values() for name in table.column_names)
    found = {arm: [name for name in known if name not in table.column_names] for arm, table in trajectories.items()}
    return {arm: names for arm, names in found.items() if names}
