"""Where two trajectories part."""

from typing import Any, NamedTuple

import pandas as pd

# what says which run a row is of, and not what came of it
_IDENTITY = ("run_id", "replicate", "seed", "day")


class Parting(NamedTuple):
    """The first row that is not the same in both, and the first column in it; without one if only one has the row."""

    day: float
    replicate: int
    column: str | None
    first: Any
    second: Any


def parting(first: pd.DataFrame, second: pd.DataFrame) -> Parting | None:
    """Where two trajectories part, by day, then by replicate, then by column; None if they are the same.

    Columns that only one of them has are left out.

    Parameters
    ----------
    first, second : DataFrame
        Of the table ``trajectory``, one row per replicate and day.
    """
    one, other = (frame.set_index(["day", "replicate"]).sort_index() for frame in (first, second))
    columns = [name for name in one.columns if name in other.columns and name not in _IDENTITY]
    both, all_rows = one.index.intersection(other.index), one.index.union(other.index)
    here, there = one.loc[both, columns], other.loc[both, columns]
    differs = ~((here == there) | (here.isna() & there.isna()))
    rows = [*both[differs.any(axis=1)][:1], *all_rows.difference(both)[:1]]
    if not rows:
        return None
    day, replicate = min(rows)
    if (day, replicate) not in both:
        return Parting(day, replicate, None, *((day, replicate) in frame.index for frame in (one, other)))
    column = str(differs.loc[(day, replicate)].idxmax())
    return Parting(day, replicate, column, *(frame.loc[(day, replicate), column] for frame in (one, other)))
