"""Runs that are there when a study grows: they keep their parts, or get new ones under their new names.

The parts of moved runs are new files; the plan that speaks of them comes after them, and the old ones go last. Killed
in between, there is the old plan with its parts or the new one with its own, and orphans.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mpn_abm.files import parquet
from mpn_abm.studies.failures import replay_command
from mpn_abm.studies.folder import Folder, parts_together, runs_of
from mpn_abm.studies.identity import WHO, identified, paths_of


def merged_plan(old: pd.DataFrame, new: pd.DataFrame, places: pd.Series) -> pd.DataFrame:
    """The new plan in which the runs of the old one stay together in their shards, and new runs have new shards.

    Parameters
    ----------
    places : Series of int64
        Where each run of the old plan stands in the new one.
    """
    if len(old) == len(new) and (places == np.arange(len(new))).all() and _same_names(old, new, places):
        return old
    shard = np.full(len(new), -1, np.int64)
    first = 0 if _same_names(old, new, places) else int(old["shard"].max()) + 1
    shard[places] = old["shard"].to_numpy() + first
    added = shard < 0
    ranks = np.unique(new["shard"].to_numpy()[added], return_inverse=True)[1]
    shard[added] = int(shard.max()) + 1 + ranks
    return new.assign(shard=shard.astype(np.int32))


def moved(folder: Folder, old: pd.DataFrame, new: pd.DataFrame, places: pd.Series) -> None:
    """Write the parts of the runs that are there under their new names, where they have new ones."""
    if _same_names(old, new, places):
        return
    runs = runs_of(old)
    to = dict(zip(old["shard"], new["shard"].iloc[places], strict=True))
    for shard in sorted(folder.done(runs)):
        plan = new.iloc[places[old["shard"] == shard]].reset_index(drop=True)
        before = old.loc[old["shard"] == shard, "run_id"].reset_index(drop=True)
        tables = {
            name: _renamed(pq.ParquetFile(file).read(), name, before, plan, folder)
            for name in ("trajectory", "failures", "summary")
            if (file := folder.part(name, shard)).exists()
        }
        said = folder.provenance
        parts_together(folder, to[shard], {name: parquet(table, said, len(plan)) for name, table in tables.items()})


def _same_names(old: pd.DataFrame, new: pd.DataFrame, places: pd.Series) -> bool:
    """Whether the runs that are there are called the same, and the tables have the same paths."""
    names = [column.name for column in WHO]
    there, here = old[names].reset_index(drop=True), new[names].iloc[places].reset_index(drop=True)
    return paths_of(old) == paths_of(new) and bool(((there == here) | (there.isna() & here.isna())).all(axis=None))


def _renamed(table: pa.Table, name: str, before: pd.Series, plan: pd.DataFrame, folder: Folder) -> pa.Table:
    place = pd.Series(np.arange(len(before)), index=before)
    owner = place.loc[table.column("run_id").to_pylist()].to_numpy()
    dropped = [column.name for column in WHO] + [column for column in table.column_names if "." in column]
    rest = table.drop_columns([column for column in dropped if column in table.column_names])
    if name == "failures":
        commands = pa.array([replay_command(str(folder.path), run) for run in plan["run_id"].iloc[owner]])
        rest = rest.set_column(rest.column_names.index("command"), "command", commands)
    return identified(rest, owner, plan, paths_of(plan) if name == "summary" else ())
