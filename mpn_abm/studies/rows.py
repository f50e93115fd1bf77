"""Points and patients that stand in a file: CSV or Parquet, a column per path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from mpn_abm.errors import MissingFileError, Problem, ScenarioError
from mpn_abm.scenario.studies.base import Base
from mpn_abm.scenario.studies.trying import rivals, tried_value, wrong_path
from mpn_abm.scenario.tree import Origin, entry_from
from mpn_abm.units import is_number

MOST_TOLD = 20
"""Problems of a kind that are told of a file."""


def rows_of_file(path: Path) -> pd.DataFrame:
    """The rows of a CSV or Parquet file.

    Raises
    ------
    MissingFileError
        If it cannot be read.
    ScenarioError
        If it is no table with a value in every row.
    """
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except OSError as error:
        raise MissingFileError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:  # those of pandas and pyarrow are, too
        told = f"expected a CSV or Parquet file ({str(error).splitlines()[0]})"
        raise ScenarioError([problem_of_row(path, None, "", "", told)]) from error
    if frame.empty:
        raise ScenarioError([problem_of_row(path, None, "", "", "expected at least one row")])
    frame.columns = [str(name) for name in frame.columns]
    missing = [
        problem_of_row(path, int(empty.argmax()), str(name), "", "missing, expected a value in every row")
        for name, empty in frame.isna().items()
        if empty.any()
    ]
    if missing:
        raise ScenarioError(missing)
    return pd.DataFrame({name: _values(frame[name], path) for name in frame.columns})


def wrong_rows(points: pd.DataFrame, path: Path, base: Base) -> list[Problem]:
    """What is wrong with columns, which are paths, and their values: the lowest and highest number, or each word."""
    return list(islice(_wrong(points, path, base), MOST_TOLD))


def _wrong(points: pd.DataFrame, file: Path, base: Base) -> Iterator[Problem]:
    for path in map(str, points.columns):
        wrong = wrong_path(path, base)
        if wrong:
            yield problem_of_row(file, None, path, "", wrong)
            continue
        for row, value in _extremes(points[path].tolist()):
            entry = entry_from(value, Origin(str(file), row + 2, 1))
            yield from tried_value(path, entry, (path,), base)
    for path, other in rivals(map(str, points.columns)):
        yield problem_of_row(file, None, other, "", f"expected one of the two: {path} says the same thing")


def _extremes(values: list[Any]) -> list[tuple[int, Any]]:
    """The rows and values that are tried."""
    if all(map(is_number, values)):
        rows = sorted(
            {min(range(len(values)), key=values.__getitem__), max(range(len(values)), key=values.__getitem__)}
        )
        return [(row, values[row]) for row in rows]
    first = {json.dumps(value): row for row, value in reversed(list(enumerate(values)))}
    return [(row, values[row]) for row in sorted(first.values())]


def _values(column: pd.Series, path: Path) -> list[Any]:
    """Plain values; a list or a mapping is written as JSON."""
    values = column.tolist()
    for row, value in enumerate(values):
        if isinstance(value, str) and value[:1] in ("[", "{"):
            try:
                values[row] = json.loads(value)
            except ValueError as error:
                raise ScenarioError([problem_of_row(path, row, str(column.name), value, "expected JSON")]) from error
    return values


def problem_of_row(path: Path, row: int | None, column: str, value: str, expectation: str) -> Problem:
    """What is wrong with a row, of which the first stands in line 2 of a CSV file."""
    if row is None:
        return Problem(str(path), None, None, column, value, expectation)
    return Problem(str(path), row + 2, 1, column, value, expectation)
