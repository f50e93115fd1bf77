"""What the runs of an experiment say to each of its targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf, isnan
from typing import Any

import pandas as pd

from mpn_abm.analysis.claims import judged, question_of
from mpn_abm.analysis.endpoints import Own
from mpn_abm.analysis.estimates import estimate, step_between
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.statistics import Estimate
from mpn_abm.analysis.tables import with_headlines
from mpn_abm.analysis.trial import arms_of
from mpn_abm.errors import UsageError
from mpn_abm.evidence.blocks import Target
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.studies.study import Study

ONLY_ARM = "all"
NO_ARM = "no arm is the file without changes, and the target names none"


@dataclass(frozen=True)
class Answer:
    """The value of a target in the model, with its 95 % interval; `why` says why there is none."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    held: bool = False
    why: str = ""


def answers(targets: Mapping[str, Target], study: StudyFile, done: Study) -> dict[str, Answer]:
    """The answer to each target; where runs failed there is none."""
    if done.facts.get("failed"):
        why = f"{done.facts['failed']} of {done.facts['runs']} runs failed"
        return {name: Answer(why=why) for name in targets}
    tables = _Tables.of(done)
    return {name: _answer(name, target, study, tables) for name, target in targets.items()}


@dataclass(frozen=True)
class _Tables:
    """Trajectory, with the numbers of the summary, summary and plan; `patient` is one for each point and replicate."""

    trajectory: pd.DataFrame
    summary: pd.DataFrame
    plan: pd.DataFrame

    @classmethod
    def of(cls, done: Study) -> _Tables:
        plan = done.plan
        # the arms of a point hold the same patients
        plan = plan.assign(patient=pd.factorize(pd.MultiIndex.from_frame(plan[["patient", "replicate"]]))[0])
        who = plan.set_index("run_id")["patient"]
        frames = [
            frame.assign(
                arm=frame["arm"].astype(object).where(frame["arm"].notna(), ONLY_ARM),
                patient=frame["run_id"].map(who),
            )
            for frame in (done.trajectory, done.summary, plan)
        ]
        trajectory, summary, plan = frames
        kept = {*trajectory.columns, *plan.columns}
        numbers = [str(name) for name in summary.select_dtypes("number") if name not in kept]
        return cls(trajectory.merge(summary[["run_id", *numbers]], on="run_id", how="left"), summary, plan)

    def arms(self, where: Mapping[str, Any]) -> dict[str, Patients]:
        """The patients of each arm at the points that count."""
        plan = self.plan
        for path, value in where.items():
            plan = plan[plan[path] == value]
        runs = set(plan["run_id"])
        trajectory, summary = (table[table["run_id"].isin(runs)] for table in (self.trajectory, self.summary))
        return arms_of(trajectory, summary, plan)


def _answer(name: str, target: Target, study: StudyFile, tables: _Tables) -> Answer:
    arms = tables.arms(target.where)
    scenario = study.scenario
    asked: dict[str | None, Patients] = {}
    asked.update(arms)
    alike = [arm for arm, one in scenario.arms.items() if one.sha256 == scenario.sha256]
    itself = alike[0] if alike else None if scenario.arms else ONLY_ARM
    if itself in arms:
        asked[None] = arms[itself]
    reference = scenario.comparison.reference or next(iter(arms), None)
    own = with_headlines(study.endpoints)
    try:
        if target.kind == "order":
            return _ordered(target, own, asked)
        table = judged({name: target}, own, asked, reference)
    except UsageError as error:
        return Answer(why=str(error))
    if table.empty:
        return Answer(why=NO_ARM)
    row = table.iloc[0]
    value, low, high = (None if pd.isna(x) else float(x) for x in (row["value"], row["value_low"], row["value_high"]))
    if target.kind == "exists" and value is not None:
        why = "" if value > 0.0 else "there is none"
        return Answer(value, low, high, int(row["n"]), value > 0.0, why)
    why = "" if value is not None else "the runs do not tell it"
    return Answer(value, low, high, int(row["n"]), bool(row["held"]), why)


def _ordered(target: Target, own: Own, asked: Mapping[str | None, Patients]) -> Answer:
    """The step that is least sure; held if the interval of each step is above 0."""
    question = replace(question_of(target), contrast="difference")
    named: tuple[str | None, ...] = target.order_arms or (target.arm,)
    if any(arm not in asked for arm in named):
        return Answer(why=NO_ARM)
    if target.order_arms:
        pairs = pairwise(target.order_arms)
        steps = [estimate(question, own, asked[higher], asked[lower]) for lower, higher in pairs]
    else:
        days = pairwise(target.order)
        steps = [step_between(replace(question, day=higher), own, asked[target.arm], lower) for lower, higher in days]
    wrong = [
        f"{lower} < {higher}: {_step(step)}"
        for step, (lower, higher) in zip(steps, pairwise(target.steps), strict=True)
        if not step.low > 0.0
    ]
    least = min(steps, key=lambda step: -inf if isnan(step.low) else step.low)
    value, low, high = (None if isnan(x) else float(x) for x in (least.value, least.low, least.high))
    return Answer(value, low, high, least.n, not wrong, "; ".join(wrong))


def _step(step: Estimate) -> str:
    if isnan(step.value):
        return "the runs do not tell it"
    error = "error not known" if isnan(step.low) else f"{step.low:.3g} to {step.high:.3g}"
    return f"the step is {step.value:.3g} ({error})"
