"""The tables of a shard, from what its runs left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mpn_abm.columns import columns_of
from mpn_abm.compile.program import compile_scenario
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.studies.harvesting import Made
from mpn_abm.studies.identity import identified, paths_of, put_together
from mpn_abm.studies.thinning import keeps_trajectory, thinned
from mpn_abm.tables import schema_of

KEPT: tuple[Literal["trajectory", "summary"], ...] = ("trajectory", "summary")


def part_tables(study: StudyFile, empty: Mapping[str, pa.Table], plan: pd.DataFrame, made: Made) -> dict[str, pa.Table]:
    """The rows of the runs that went well, in the order of the plan, with the columns of ``empty`` and their own."""
    tables: dict[str, pa.Table] = {}
    for name in KEPT[0 if keeps_trajectory(study) else 1 :]:
        pieces = made.harvest.tables(name)
        if not pieces:
            continue
        whole = put_together([empty[name], *pieces])
        owner = pc.index_in(whole.column("run_id"), pa.array(plan["run_id"], pa.string())).to_numpy()
        if (np.diff(owner) < 0).any():
            order = np.argsort(owner, kind="stable")
            whole, owner = whole.take(pa.array(order)), owner[order]
        if name == "trajectory":
            keep = thinned(study, whole, owner)
            if not keep.all():
                whole, owner = whole.filter(pa.array(keep)), owner[keep]
        tables[name] = identified(whole, owner, plan, paths_of(plan) if name == "summary" else ())
    return tables


def empty_tables(study: StudyFile) -> dict[str, pa.Table]:
    """Tables without rows that have the columns of all arms, so that every part has the same."""
    empty = [_empty(scenario) for scenario in study.scenario.arms.values() or [study.scenario]]
    return {name: put_together([one[name] for one in empty]) for name in empty[0]}


def _empty(scenario: Scenario) -> dict[str, pa.Table]:
    layout = compile_scenario(scenario.spec).layout
    columns = {"trajectory": layout.table, "summary": columns_of("summary", layout.groups)}
    return {name: schema_of(said).empty_table() for name, said in columns.items()}
