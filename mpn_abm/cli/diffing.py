"""What `diff` says of two runs: the values that differ, and where the results part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mpn_abm.analysis.parting import Parting, parting
from mpn_abm.errors import MissingFileError
from mpn_abm.files import RESOLVED
from mpn_abm.scenario.differences import Difference, differences
from mpn_abm.scenario.resolved import as_file
from mpn_abm.scenario.scenario import load
from mpn_abm.words import counted


def diff(first: Path, second: Path, as_json: bool) -> None:
    """Compare the scenarios and the trajectories of two folders of runs."""
    files = [[_there(folder, name) for name in (RESOLVED, "trajectory.parquet")] for folder in (first, second)]
    before, after = (as_file(load(scenario).spec) for scenario, _ in files)
    values = list(differences(before, after))
    one, other = (pd.read_parquet(trajectory) for _, trajectory in files)
    where = parting(one, other)
    alone = [[name for name in a.columns if name not in b.columns] for a, b in ((one, other), (other, one))]
    if as_json:
        part = None if where is None else {name: _plain(value) for name, value in where._asdict().items()}
        print(json.dumps({"values": [difference._asdict() for difference in values], "part": part, "alone": alone}))
        return
    _print_values(values)
    print(_told(where, [first, second], len(one)))
    for folder, names in zip((first, second), alone, strict=True):
        if names:
            print(f"columns of {folder} only: {', '.join(names)}")


def _there(folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        raise MissingFileError(f"{folder}: expected the folder of a run that is done, with {name}")
    return folder / name


def _print_values(values: list[Difference]) -> None:
    print(f"{counted(len(values), 'value')} of the scenarios differ{'s' if len(values) == 1 else ''}")
    for difference in values:
        print(f"  {difference}")


def _told(where: Parting | None, folders: list[Path], rows: int) -> str:
    if where is None:
        return f"the trajectories are the same, in all {rows} rows"
    place = f"day {where.day:g}, replicate {where.replicate}"
    if where.column is None:
        return f"the trajectories part on {place}: only {folders[0 if where.first else 1]} has a row then"
    return f"the trajectories part on {place}, at {where.column}: {where.first} and {where.second}"


def _plain(value: Any) -> Any:
    """A value as JSON has it; one that is missing is null."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if value is None or value is pd.NA or value != value else value
