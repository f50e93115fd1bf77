"""A patient's own measurements: the CSV file that calibration takes, too."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mpn_abm.errors import MissingFileError, UsageError

NEEDED = ("day", "column", "value")


def observations(file: str | Path) -> pd.DataFrame:
    """Day, column, value, and sd (missing if it is not said) of each measurement.

    Raises
    ------
    UsageError
        If a column is missing or a number is none; says the line.
    """
    path = Path(file)
    try:
        rows = pd.read_csv(path, dtype=str, skipinitialspace=True, keep_default_na=False)
    except (OSError, UnicodeDecodeError) as error:
        raise MissingFileError(f"{path}: cannot be read: {error}") from error
    except (ValueError, pd.errors.ParserError) as error:
        raise UsageError(f"{path}: expected a CSV file: {error}") from error
    missing = [name for name in NEEDED if name not in rows]
    if missing or rows.empty:
        raise UsageError(f"{path}: expected rows with day, column, value and, if known, sd; missing: "
                         f"{', '.join(missing) or 'rows'}")  # fmt: skip
    table = pd.DataFrame({"column": rows["column"].str.strip()})
    for name in ("day", "value", "sd"):
        table[name] = _numbers(path, rows, name) if name in rows else float("nan")
    return table


def _numbers(path: Path, rows: pd.DataFrame, name: str) -> pd.Series:
    said = rows[name].str.strip()
    numbers = pd.to_numeric(said, errors="coerce")
    wrong = numbers.isna() & ~((name == "sd") & (said == ""))
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        raise UsageError(f"{path}:{place + 2}: {name}: {said.iloc[place]!r}: expected a number")
    return numbers
