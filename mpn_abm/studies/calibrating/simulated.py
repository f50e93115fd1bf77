"""Simulate points on executors: their runs are added to the plan of the folder, carried out, and asked for targets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from mpn_abm.analysis.claims import question_of, versus_of
from mpn_abm.analysis.headlines import patients_of
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.point_values import value_of
from mpn_abm.analysis.tables import with_headlines
from mpn_abm.errors import SimulationError
from mpn_abm.files import replaced
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.studies.calibrating.evaluated import Point, Simulated
from mpn_abm.studies.calibrating.points import Arm, Planner, reference_of
from mpn_abm.studies.executors.options import Options
from mpn_abm.studies.failures import WorkerDied
from mpn_abm.studies.folder import PLAN, Folder, runs_of
from mpn_abm.studies.identity import put_together
from mpn_abm.studies.opening import plan_writer, provenance_of
from mpn_abm.studies.progress import Tally


class Simulator:
    """What evaluates points; runs that are in the folder are not made again."""

    def __init__(
        self, folder: Folder, study: StudyFile, planner: Planner, executor: str, options: Options, tally: Tally
    ) -> None:
        self._folder, self._study, self._planner = folder, study, planner
        self._executor, self._options, self._tally = executor, options, tally
        self.plan = folder.plan()
        self._own = with_headlines(study.endpoints)

    def __call__(self, points: list[Point]) -> list[Simulated]:
        """The values of all targets at each point, from all of its replicates together."""
        wanted = [self._planner.keys(point) for point in points]
        known = set(self.plan["key"])
        new = [point for point, keys in zip(points, wanted, strict=True) if not known.issuperset(keys)]
        if new:
            self.plan = self._planner.grown(self.plan, new)
            replaced(self._folder.path / PLAN, plan_writer(self.plan, provenance_of(self._study)))
        patient = dict(zip(self.plan["key"].tolist(), self.plan["patient"].tolist(), strict=True))
        of_points = [patient[keys[0]] for keys in wanted]
        its_rows = self.plan[self.plan["patient"].isin(of_points)]
        self._carry_out(its_rows)
        tables = {name: self._read(name, its_rows) for name in ("trajectory", "summary")}
        by_point = {name: dict(list(table.groupby("patient"))) for name, table in tables.items()}
        return [self._values(*(by_point[name].get(point) for name in tables)) for point in of_points]

    def _carry_out(self, rows: pd.DataFrame) -> None:
        folder = Folder(self._folder.path)
        # a part has the runs of whole shards
        runs = runs_of(self.plan[self.plan["shard"].isin(rows["shard"])])
        done = folder.done(runs)
        failed = folder.failed_by_shard() if self._options.retry_failed else {}
        todo = sorted(runs.keys() - done | (done & failed.keys()))
        if todo:
            work = import_module(f"mpn_abm.studies.executors.{self._executor}").work
            work(str(folder.path), todo, self._options, self._tally.take)
        died = [shard for shard in runs if self._has_died(shard)]
        if died:
            told = "a process that ran a part died twice, for which --retry-failed tries again"
            raise SimulationError(f"{folder.path}: part {died[0]}: {told}; a calibration goes on with whole batches")

    def _has_died(self, shard: int) -> bool:
        file = self._folder.part("failures", shard)
        return file.exists() and WorkerDied.__name__ in pq.read_table(file, columns=["kind"]).column(0).to_pylist()

    def _read(self, table: str, rows: pd.DataFrame) -> pd.DataFrame:
        files = [self._folder.part(table, shard) for shard in sorted(set(rows["shard"].tolist()))]
        there = [pq.ParquetFile(file).read() for file in files if file.exists()]
        if not there:
            return pd.DataFrame({"patient": [], "arm": []})
        frame: pd.DataFrame = put_together(there).to_pandas()
        return frame

    def _values(self, trajectory: pd.DataFrame | None, summary: pd.DataFrame | None) -> Simulated:
        arms = dict(_patients(trajectory, summary, self._planner.arms))
        reference = reference_of(self._study)
        found = {}
        for name, claim in self._study.targets.items():
            one, value = arms.get(claim.arm), np.nan
            other = None if claim.contrast_or_none is None else arms.get(versus_of(claim, reference))
            if one is not None and (claim.contrast_or_none is None or other is not None):
                value = value_of(question_of(claim), self._own, one, other)
            found[name] = [value]
        return found


def _patients(
    trajectory: pd.DataFrame | None, summary: pd.DataFrame | None, arms: Sequence[Arm]
) -> Iterable[tuple[Arm, Patients]]:
    """The replicates of a point as patients, by arm; not of an arm in which all failed."""
    if trajectory is None or summary is None:
        return
    for arm in arms:
        rows, ends = (_of(frame.assign(patient=frame["replicate"]), arm) for frame in (trajectory, summary))
        if len(rows):
            yield arm, patients_of(rows, ends)


def _of(frame: pd.DataFrame, arm: Arm) -> pd.DataFrame:
    return frame[frame["arm"].isna() if arm is None else frame["arm"] == arm]
