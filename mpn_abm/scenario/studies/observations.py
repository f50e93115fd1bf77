"""Observations in a CSV file, as targets: the value of a column on a day, with the standard error of the value."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from io import StringIO
from math import inf, isfinite, nan, nextafter
from pathlib import Path

from mpn_abm.errors import Problem, ScenarioError
from mpn_abm.scenario.claims import Claim
from mpn_abm.scenario.documents import text_of_file

BAND = 1.959964
"""Half a band in standard errors, where the band is a 95 % interval."""
_NEEDED = ("day", "column", "value", "sd")
_ROLES = ("fit", "test", "rival", "order", "unverified")


def observations(file: Path) -> dict[str, Claim]:
    """Targets by name, column@day, from a file with day, column, value and sd, and perhaps weight and role.

    A band reaches 1.96 sd to both sides. Row k of the file is the k-th of them and stands in line k + 2.

    Raises
    ------
    ScenarioError
        With everything that is wrong in the file.
    MissingFileError
        If it cannot be read.
    """
    try:
        reader = csv.DictReader(StringIO(text_of_file(file), newline=""), skipinitialspace=True)
        known, rows = reader.fieldnames or (), list(reader)
    except csv.Error as error:
        raise ScenarioError([Problem(str(file), None, None, "", "", f"expected a CSV file ({error})")]) from error
    missing = [name for name in _NEEDED if name not in known]
    if missing or not rows:
        what = f"missing: {', '.join(missing)}" if missing else "there are no rows"
        told = f"expected rows with the columns {', '.join(_NEEDED)}; {what}"
        raise ScenarioError([Problem(str(file), 1, 1, "", "", told)])
    problems: list[Problem] = []
    found: dict[str, Claim] = {}
    for line, row in enumerate(rows, start=2):
        name, claim = _observation(str(file), line, row, problems)
        if name in found:
            problems.append(Problem(str(file), line, 1, name, "", "the column was observed on this day already"))
        found[name] = claim
    if problems:
        raise ScenarioError(problems)
    return found


def _observation(file: str, line: int, row: Mapping[str, str | None], problems: list[Problem]) -> tuple[str, Claim]:
    def number(name: str, default: float, least: float, told: str) -> float:
        word = (row.get(name) or "").strip()
        try:
            value = float(word) if word or name in _NEEDED else default
        except ValueError:
            value = nan
        if not (isfinite(value) and value >= least):
            problems.append(Problem(file, line, 1, name, word, f"expected {told}"))
        return value

    column, role = (row["column"] or "").strip(), (row.get("role") or "fit").strip()
    day, value = number("day", 0.0, 0.0, "a day from 0 on"), number("value", 0.0, -inf, "a number")
    sd = number("sd", 1.0, nextafter(0.0, 1.0), "a number above 0")
    weight = number("weight", 1.0, 0.0, "a number from 0 on")
    if not column:
        problems.append(Problem(file, line, 1, "column", "", "expected a column of the trajectory"))
    if role not in _ROLES:
        problems.append(Problem(file, line, 1, "role", role, f"expected {', '.join(_ROLES[:-1])} or {_ROLES[-1]}"))
    said = {
        "endpoint": column, "at_day": day, "value": value, "low": value - BAND * sd, "high": value + BAND * sd,
        "weight": weight, "role": role,
    }  # fmt: skip
    # what is wrong in itself was told
    return f"{column}@{day:g}", Claim.model_construct(**{**Claim(endpoint=column).model_dump(), **said})
