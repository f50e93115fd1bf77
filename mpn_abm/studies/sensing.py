"""What the parameters of a finished sweep or sensitivity study do to its endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from mpn_abm.analysis.sensitivity.ranking import Sensitivity, sensitivity
from mpn_abm.analysis.tables import with_headlines
from mpn_abm.columns import STUDY_TABLES
from mpn_abm.errors import UsageError
from mpn_abm.scenario.citing import sources
from mpn_abm.scenario.studies.blocks import SensitivitySpec, SweepSpec
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.studies.designs import points_of, shares_of
from mpn_abm.studies.folder import Folder
from mpn_abm.studies.run_patients import Runs
from mpn_abm.studies.run_values import RunValues
from mpn_abm.studies.shard import study_in
from mpn_abm.tables import table_from_frame

_METHODS = {"saltelli": "sobol", "morris": "morris"}


@dataclass(frozen=True)
class Finding:
    """The ranks of the parameters for an endpoint of an arm on a day (None: the last of each run).

    `only` is the value of all runs, where they have one.
    """

    arm: str | None
    day: float | None
    ranks: Sensitivity
    only: float | None

    @property
    def title(self) -> str:
        """Of what and when."""
        when = " at the end" if self.day is None else f" on day {self.day:g}"
        return f"{self.ranks.endpoint}{when}" + ("" if self.arm is None else f" in {self.arm}")


@dataclass(frozen=True)
class Findings:
    """What was found.

    Attributes
    ----------
    found : list of Finding
    left_out : list of str
        Parameters that do not vary, or are no numbers.
    missing : list of str
        Why there is nothing of some endpoint.
    """

    found: list[Finding]
    left_out: list[str]
    missing: list[str]

    @property
    def frames(self) -> dict[str, pd.DataFrame]:
        """`indices` and `noise`, with the columns of ``STUDY_TABLES``."""
        if not self.found:
            return {}
        of = [({"arm": one.arm, "endpoint": one.ranks.endpoint, "day": one.day}, one.ranks) for one in self.found]
        # as objects, as columns in which nothing is known have no type of their own
        indices = [ranks.table.assign(**who, method=ranks.method).astype(object) for who, ranks in of]
        noise = [{**asdict(ranks.noise), **who, "left_out": ranks.left_out} for who, ranks in of]
        return {
            "indices": pd.concat(indices, ignore_index=True).astype(_typed("indices")),
            "noise": pd.DataFrame(noise).astype(_typed("noise")),
        }

    @property
    def tables(self) -> dict[str, pa.Table]:
        """The same as they are written."""
        return {name: table_from_frame(STUDY_TABLES[name], frame) for name, frame in self.frames.items()}


def _typed(table: str) -> dict[str, str]:
    return {column.name: column.kind for column in STUDY_TABLES[table] if column.kind != "string"}


def analysed(folder: Path, endpoints: Sequence[str] = (), days: Iterable[float] = (), strict: bool = True) -> Findings:
    """Rank the parameters of the study in a folder.

    Parameters
    ----------
    folder : Path
    endpoints : sequence of str
        Built in, of the file, columns of the trajectory or of the summary; those of the study unless said.
    days : iterable of float
        Those of the study unless said, else the last of each run.
    strict : bool
        Whether an endpoint that cannot be had is an error; else it is told in ``missing``.

    Raises
    ------
    UsageError
        If the study is neither a sweep nor a sensitivity study or is not done, or has not what is asked.
    """
    place = Folder(folder)
    plan_is_there = place.runs_by_shard()
    study = study_in(place)
    if not isinstance(study.spec, SweepSpec | SensitivitySpec):
        raise UsageError(f"{folder}: expected a study with `sweep:` or `sensitivity:`, this one has `{study.kind}:`")
    if place.done(plan_is_there) != plan_is_there.keys():
        raise UsageError(f"{folder}: not all of its runs are done; `mpn-abm sweep status {folder}` tells how far it is")
    runs = Runs(folder)
    method, paths, left_out = _method(study.spec, runs)
    where = _sources(study)
    unit = _unit(study, runs.plan) if method != "prcc" else None
    asked_days: list[float | None] = [*dict.fromkeys(days)] or [*getattr(study.spec, "at", ())] or [None]
    found: list[Finding] = []
    missing: list[str] = []
    for arm in runs.arms:
        values = RunValues(runs, arm, with_headlines(study.endpoints), study)
        plan = runs.of(runs.plan, arm)
        frame = plan if unit is None else plan.drop(columns=paths).join(unit.loc[plan.index])
        ranges = {} if unit is None else dict.fromkeys(paths, (0.0, 1.0, "linear"))
        names = endpoints or getattr(study.spec, "endpoints", ()) or values.usual
        for name in names:
            for day in [None] if values.is_of_the_summary(name) else asked_days:
                try:
                    each = frame.assign(value=values.of(name, day).reindex(frame["run"]).to_numpy(float))
                    ranks = sensitivity(each, paths, method, endpoint=name, ranges=ranges, sources=where)
                except UsageError as error:
                    if strict:
                        raise
                    missing.append(str(error))
                    continue
                seen = each["value"].dropna().unique()
                found.append(Finding(arm, day, ranks, float(seen[0]) if len(seen) == 1 else None))
    return Findings(found, left_out, missing)


def _method(spec: SweepSpec | SensitivitySpec, runs: Runs) -> tuple[str, list[str], list[str]]:
    """The method that the design allows, the parameters, and those left out."""
    method: str = spec.method if isinstance(spec, SensitivitySpec) else _METHODS.get(spec.method, "prcc")
    if method != "prcc":
        return method, runs.paths, []
    usable = [path for path in runs.paths if pd.api.types.is_numeric_dtype(runs.plan[path]) and _varies(runs, path)]
    if runs.plan["patient"].nunique() < 2:
        raise UsageError("the study has one point, and rank correlations need points that differ")
    if not usable:
        raise UsageError("no parameter of the study varies in numbers, which rank correlations need")
    return method, usable, [path for path in runs.paths if path not in usable]


def _varies(runs: Runs, path: str) -> bool:
    return bool(runs.plan[path].nunique() > 1)


def _unit(study: StudyFile, plan: pd.DataFrame) -> pd.DataFrame:
    """The points of the plan in the unit cube in which they were drawn: exact also where values were rounded."""
    assert isinstance(study.spec, SweepSpec | SensitivitySpec)
    shares = shares_of(study.spec)
    points = points_of(study.spec, study.scenario, study.folder)
    numbers = plan["patient"].to_numpy()
    for path in points:
        drawn = points[path].to_numpy()[numbers] if numbers.max() < len(points) else None
        if drawn is None or not _is_same(drawn, plan[path].to_numpy()):
            raise UsageError("the points are not those of the design: they were drawn by another version of SALib")
    return pd.DataFrame(shares[numbers], columns=list(points.columns), index=plan.index)


def _is_same(drawn: np.ndarray, there: np.ndarray) -> bool:
    if there.dtype.kind == "f":
        return bool(np.allclose(drawn.astype(float), there, rtol=1e-12))
    return len(drawn) == len(there)


def _sources(study: StudyFile) -> Mapping[str, str]:
    """By path, `assumed` or the paper behind its value; nothing for what the file chooses."""
    return {
        path: "assumed" if source.kind == "assumed" else source.text
        for source in sources(study.scenario)
        for path in source.paths
    }
