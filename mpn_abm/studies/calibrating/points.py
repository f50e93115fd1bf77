"""The points of a calibration as runs of a plan that grows, batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mpn_abm.batch import seeds_of
from mpn_abm.columns import STUDY_TABLES
from mpn_abm.scenario.studies.axes import Axis
from mpn_abm.scenario.studies.blocks import CalibrateSpec
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.scenario.studies.trying import is_whole
from mpn_abm.studies.calibrating.evaluated import Point
from mpn_abm.studies.keys import canonical_json, key_of
from mpn_abm.studies.plan import column_of, digest_of_arm, plain_numbers, size_of_a_shard
from mpn_abm.studies.quantiles import values_at

Arm = str | None
_KINDS = {"int64": np.int64, "int32": np.int32}


class AxisPrior:
    """The distribution of an axis: its values by quantile."""

    def __init__(self, axis: Axis, whole: bool) -> None:
        self._axis, self._whole = axis, whole

    def ppf(self, q: float, /) -> Any:
        """The value at a quantile."""
        value = values_at(self._axis, np.array([q]), self._whole)[0]
        return next(plain_numbers([value], self._whole))


def priors_of(study: StudyFile) -> dict[str, AxisPrior]:
    """The prior of each path."""
    specs = study.base.specs
    return {path: AxisPrior(axis, is_whole(path, specs)) for path, axis in spec_of(study).parameters.items()}


def spec_of(study: StudyFile) -> CalibrateSpec:
    """What the file says of its calibration."""
    assert isinstance(study.spec, CalibrateSpec)
    return study.spec


def arms_of(study: StudyFile) -> list[Arm]:
    """The arms that targets are about, None for the file itself; in the order of the file."""
    reference = reference_of(study)
    asked = {claim.arm for claim in study.targets.values()}
    asked |= {claim.versus or reference for claim in study.targets.values() if claim.contrast_or_none is not None}
    return [arm for arm in (None, *study.scenario.arms) if arm in asked]


def reference_of(study: StudyFile) -> Arm:
    """The arm with which others are compared."""
    return study.scenario.comparison.reference or next(iter(study.scenario.arms), None)


class Planner:
    """Makes runs of points; the run of a point in an arm with a seed has one key wherever it stands."""

    def __init__(self, study: StudyFile) -> None:
        self.study, self.arms = study, arms_of(study)
        self.replicates = spec_of(study).replicates
        self.digests = {arm: digest_of_arm(study, arm) for arm in self.arms}
        self._paths = list(spec_of(study).parameters)

    @property
    def runs_of_a_point(self) -> int:
        """How many runs a point takes."""
        return len(self.arms) * self.replicates

    def keys(self, point: Point) -> list[str]:
        """The keys of the runs of a point: arm by arm, replicates inside."""
        text, seeds = self._said(point), seeds_of(int(point["seed"]), range(self.replicates)).tolist()
        return [key_of(self.digests[arm], text, seed) for arm in self.arms for seed in seeds]

    def empty(self) -> pd.DataFrame:
        """A plan without runs."""
        kinds = {column.name: _KINDS.get(column.kind, object) for column in STUDY_TABLES["plan"]}
        paths = dict.fromkeys(self._paths, np.float64)
        return pd.DataFrame({name: pd.Series([], dtype=kind) for name, kind in (kinds | paths).items()})

    def grown(self, plan: pd.DataFrame, points: Sequence[Point]) -> pd.DataFrame:
        """The plan with the runs of more points after those that it has, in shards of whole points."""
        if not points:
            return plan
        first, number = (0, 0) if plan.empty else (int(plan["patient"].max()) + 1, len(plan))
        shard = 0 if plan.empty else int(plan["shard"].max()) + 1
        parameters = [self._parameters(point) for point in points]
        runs = len(points) * self.runs_of_a_point
        size = max(1, size_of_a_shard(self.study, parameters, runs) // self.runs_of_a_point)
        rows: list[tuple[Any, ...]] = []
        for k, point in enumerate(points):
            seeds, text = seeds_of(int(point["seed"]), range(self.replicates)).tolist(), self._said(point)
            for arm in self.arms:
                for replicate, seed in enumerate(seeds):
                    key = key_of(self.digests[arm], text, seed)
                    run_id = _run_id(arm, first + k, replicate, self.replicates)
                    rows.append(
                        (run_id, number + len(rows), arm, first + k, replicate, seed, key, shard + k // size, text)
                    )
        added = pd.DataFrame(rows, columns=[column.name for column in STUDY_TABLES["plan"]])
        added["arm"], added["shard"] = added["arm"].astype(object), added["shard"].astype(np.int32)
        places = added["patient"].to_numpy() - first
        for path in self._paths:
            added[path] = column_of([one[path] for one in parameters])[places]
        return added if plan.empty else pd.concat([plan.astype(added.dtypes), added], ignore_index=True)

    def _parameters(self, point: Point) -> dict[str, Any]:
        return {path: point[path] for path in self._paths}

    def _said(self, point: Point) -> str:
        return canonical_json(self._parameters(point))


def _run_id(arm: Arm, point: int, replicate: int, replicates: int) -> str:
    parts = [*([] if arm is None else [arm]), f"{point:05d}", *([f"{replicate:03d}"] if replicates > 1 else [])]
    return "-".join(parts)
