"""The runs of a study that failed: what was raised, and the command that repeats each."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from mpn_abm.columns import Column
from mpn_abm.studies.identity import WHO
from mpn_abm.tables import schema_of, table_from_frame

FAILURES = (
    *WHO,
    Column("kind", "string", "-", "the type of the error"),
    Column("message", "string", "-", "what it says"),
    Column("command", "string", "-", "the command that repeats the run"),
)
LONGEST_MESSAGE = 2000


class WorkerDied(Exception):
    """What carried out a shard ended without a word."""


def failures_table(folder: str, plan: pd.DataFrame, failed: Sequence[tuple[int, Exception]]) -> pa.Table:
    """A row for each run that failed, given by its position in the plan."""
    rows = plan.iloc[[at for at, _ in failed]]
    errors = [error for _, error in failed]
    frame = rows[[column.name for column in WHO]].assign(
        kind=[type(error).__name__ for error in errors],
        message=[str(error)[:LONGEST_MESSAGE] for error in errors],
        command=[replay_command(folder, run_id) for run_id in rows["run_id"]],
    )
    return table_from_frame(FAILURES, frame)


def no_failures() -> pa.Table:
    """The table of a study in which every run went well."""
    return schema_of(FAILURES).empty_table()


def replay_command(folder: str, run_id: str) -> str:
    """The command that repeats one run of a study."""
    return shlex.join(["mpn-abm", "run", folder, "--run-id", run_id])
