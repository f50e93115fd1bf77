"""Points and patients that stand in a file: CSV or Parquet, a column per path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from mpn_abm.errors import MissingFileError, Problem, ScenarioError


def rows_of_file(path: Path) -> pd.DataFrame:
    """The rows of a CSV or Parquet file."""
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except OSError as error:
        raise MissingFileError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:  # of pandas and pyarrow alike
        raise _refused(path, f"expected a CSV or Parquet file ({str(error).partition(chr(10))[0]})") from error
    if frame.empty:
        raise _refused(path, "expected at least one row")
    for name in frame.columns:
        missing = frame[name].isna()
        if missing.any():
            raise _refused(path, f"{name}: expected a value in every row, row {int(missing.argmax()) + 1} has none")
    return pd.DataFrame({str(name): frame[name].map(_value) for name in frame.columns})


def _refused(path: Path, expectation: str) -> ScenarioError:
    return ScenarioError([Problem(str(path), None, None, "", "", expectation)])


def _value(value: Any) -> Any:
    """A list or mapping is written as JSON."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        return json.loads(value)
    return value
