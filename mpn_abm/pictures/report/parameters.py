"""Every value of a scenario on a page, with its origin and its source; of a study what its runs vary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

import pandas as pd

from mpn_abm.errors import MpnAbmError
from mpn_abm.pictures.labels import quantity
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.sweep_tables import is_number
from mpn_abm.pictures.tornado import source_kind
from mpn_abm.scenario.explain import Explanation, explained
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.scenario.studies.study_file import load_study
from mpn_abm.scenario.tree import written

# claims and arms have tables of their own
ELSEWHERE = ("arms.", "expect.")
IDENTITY = ("run_id", "number", "arm", "patient", "replicate", "seed", "key", "shard", "parameters", "weight")


@dataclass(frozen=True)
class Value:
    """One value in words."""

    path: str
    value: str
    meaning: str
    source: str
    kind: str
    origin: str


@dataclass(frozen=True)
class Varied:
    """What the runs of a study vary, or what an arm changes."""

    name: str
    text: str


def values_of(recording: Recording) -> tuple[list[Value], dict[str, list[Value]]]:
    """The values that somebody said, and all others by block."""
    scenario = recording.scenario or _scenario_of_study(recording)
    if scenario is None:
        return [], {}
    # a run was told in another file than the one that its folder keeps
    origins = {row.path: row.origin for row in explained(scenario)} if recording.scenario is None else (
        recording.facts.get("origins"))  # fmt: skip
    said: list[Value] = []
    others: dict[str, list[Value]] = {}
    for row in explained(scenario):
        if row.path.startswith(ELSEWHERE):
            continue
        origin = row.origin if origins is None else origins.get(row.path, "default")
        value = _value(row, origin)
        if origins is not None and not origin.startswith("default"):
            said.append(value)
        else:
            others.setdefault(row.path.partition(".")[0], []).append(value)
    return said, others


def _scenario_of_study(recording: Recording) -> Scenario | None:
    """The scenario under a study before an arm, a point or a patient changes it, as far as its file can be read."""
    if recording.study_file is None:
        return None
    try:
        return load_study(recording.study_file, trusted=True).scenario
    except MpnAbmError:
        # of another version, or its tables are on another machine
        return None


def _value(row: Explanation, origin: str) -> Value:
    unit = "" if row.value is None else row.unit
    kind = source_kind(row.source) if row.source else ""
    return Value(row.path, f"{written(row.value)} {unit}".strip(), row.meaning, row.source, kind, _short(origin))


def _short(origin: str) -> str:
    """A place without the folders of the machine."""
    file, colon, place = origin.partition(":")
    return f"{PurePath(file).name}{colon}{place}" if colon and not file.startswith("--") else origin


def varied_by(recording: Recording) -> list[Varied]:
    """The parameters that a plan varies, each with its range or levels; and what each arm changes."""
    if not recording.is_study:
        return []
    plan = recording.frame("plan")
    found = []
    for name in (str(column) for column in plan.columns if column not in IDENTITY):
        values = plan[name].dropna()
        if values.nunique() < 2:
            continue
        if is_number(values) and values.nunique() > 8:
            text = f"{quantity(float(values.min()))} to {quantity(float(values.max()))}, {values.nunique()} values"
        else:
            text = ", ".join(quantity(float(v)) if is_number(values) else str(v) for v in sorted(values.unique()))
        found.append(Varied(name, text))
    # the parameters of a comparison are those of its arms, of other studies those of points or patients
    if plan["arm"].notna().any() and set(map(str, plan.columns)) <= set(IDENTITY):
        for arm, parameters in plan.drop_duplicates("arm")[["arm", "parameters"]].itertuples(index=False):
            found.append(Varied(f"arm {arm}", str(parameters) if pd.notna(parameters) else ""))
    return found
