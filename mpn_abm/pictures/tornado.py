"""How much each parameter matters, the largest on top, and how well it is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mpn_abm.errors import UsageError
from mpn_abm.pictures.labels import unit_words, words
from mpn_abm.pictures.palette import EMPHASIS, INK, SOURCES
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.style import Picture, heading, legend_below, new_figure
from mpn_abm.scenario.citing import kind_of

TABLE = "indices"
MOST = 25
# the measure that ranks, of those that a table may have
LEADING = ("total", "mu_star", "prcc")
MEASURES = {
    "total": "Sobol's total index (share of the variance)",
    "first": "Sobol's first-order index (share of the variance)",
    "mu_star": "mean absolute effect over the range, Morris ({unit})",
    "sigma": "spread of the effects, Morris ({unit})",
    "prcc": "partial rank correlation (-1 to 1)",
}


def draw(
    recording: Recording, *, endpoint: str | None = None, day: float | None = None, title: str | None = None
) -> Picture:
    """Draw the index of each parameter with its 95 % interval, coloured by where its value comes from.

    Parameters
    ----------
    recording : Recording
        A sensitivity study, or its table: parameter, index, low, high, source; with more than one, endpoint, day and
        measure.
    endpoint : str, optional
        One of those in the table; the first unless said.
    day : float, optional
        The nearest day in the table.
    title : str, optional
        Instead of the question.
    """
    table = chosen_rows(recording, endpoint, day)
    rows = table.iloc[table["index"].abs().argsort(kind="stable")[::-1]].head(MOST).reset_index(drop=True)
    figure = new_figure(6.6, 1.3 + 0.24 * max(len(rows), 4))
    axis = figure.subplots()
    kinds = [source_kind(source) for source in rows["source"]]
    place = np.arange(len(rows))
    axis.barh(place, rows["index"], height=0.66, color=[SOURCES[kind] for kind in kinds], linewidth=0)
    _draw_intervals(axis, rows, place)
    measure = str(rows["measure"].iloc[0]) if "measure" in rows else ""
    axis.set_yticks(place, rows["parameter"])
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
    axis.grid(axis="x", visible=True)
    axis.axvline(0, color=INK, linewidth=0.6)
    axis.set_xlabel(MEASURES.get(measure, "index ({unit})").format(unit=_unit(recording, rows)))
    legend_below(figure, _legend(kinds, rows))
    question = recording.question
    what = _what(rows)
    below = "; ".join(part for part in (what, recording.name, _left_out(table)) if part)
    heading(figure, question if title is None else title, below if title != "" else "")
    said = ", ".join(f"{row.parameter} {row.index_:.2g} ({source_kind(row.source)})"
                     for row in rows.rename(columns={"index": "index_"}).head(5).itertuples())  # fmt: skip
    return Picture(
        figure, f"What matters to {what or 'the value'} in {recording.name}, of {len(table)} parameters: {said}."
    )


def chosen_rows(recording: Recording, endpoint: str | None, day: float | None) -> pd.DataFrame:
    """The rows of one endpoint, one day and the measure that ranks."""
    name = recording.tables[0] if recording.is_one_table else TABLE
    recording.need(name, "this is for a sensitivity study")
    table = recording.frame(name)
    missing = [column for column in ("parameter", "index", "low", "high") if column not in table]
    if missing:
        raise UsageError(f"{recording.place}: no table of sensitivities: it has no {', '.join(missing)}")
    if "source" not in table:
        table = table.assign(source=None)
    if "endpoint" in table:
        known = list(table["endpoint"].unique())
        if endpoint is not None and endpoint not in known:
            raise UsageError(f"--endpoint {endpoint}: expected one of {', '.join(known)}")
        table = table[table["endpoint"] == (endpoint or known[0])]
    if "day" in table and table["day"].notna().any():
        days = table["day"].dropna().unique()
        nearest = days.max() if day is None else days[np.abs(days - day).argmin()]
        table = table[table["day"] == nearest]
    if "measure" in table:
        known = list(table["measure"].unique())
        table = table[table["measure"] == next((one for one in LEADING if one in known), known[0])]
    if table["index"].isna().all():
        raise UsageError(f"{recording.place}: no index is known")
    return table.dropna(subset=["index"])


def source_kind(source: Any) -> str:
    """How well a parameter is known; `setting` for what a scenario chooses."""
    if source is None or pd.isna(source) or not str(source).strip():
        return "setting"
    kind = kind_of(str(source))
    return kind if kind in SOURCES else "setting"


def _draw_intervals(axis: Any, rows: pd.DataFrame, place: np.ndarray) -> None:
    known = rows["low"].notna() & rows["high"].notna()
    index = rows.loc[known, "index"].to_numpy(float)
    low, high = (rows.loc[known, name].to_numpy(float) for name in ("low", "high"))
    axis.errorbar(index, place[known], xerr=[np.maximum(index - low, 0), np.maximum(high - index, 0)], fmt="none",
                  ecolor=INK, elinewidth=0.9, capsize=2)  # fmt: skip
    if "noise" in rows and rows["noise"].notna().any():
        # on the side of the bar
        axis.plot(
            rows["noise"] * np.where(rows["index"] < 0, -1.0, 1.0),
            place,
            "|",
            color=EMPHASIS,
            markersize=17,
            markeredgewidth=1.3,
        )


def _legend(kinds: list[str], rows: pd.DataFrame) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    said = {"setting": "set by the scenario", "in part": "published in part"}
    handles: list[Any] = [
        Patch(facecolor=colour, label=said.get(kind, kind)) for kind, colour in SOURCES.items() if kind in kinds
    ]
    handles.append(Line2D([], [], color=INK, linewidth=0.9, marker="|", markersize=4, label="95 % interval"))
    if "noise" in rows and rows["noise"].notna().any():
        handles.append(Line2D([], [], color=EMPHASIS, marker="|", linewidth=0, markersize=9, markeredgewidth=1.3,
                              label="chance reaches this"))  # fmt: skip
    return handles


def _unit(recording: Recording, rows: pd.DataFrame) -> str:
    """The unit of the endpoint, as far as it is a column."""
    column = str(rows["endpoint"].iloc[0]) if "endpoint" in rows else ""
    for table in ("trajectory", "summary"):
        if recording.has(table) and column in recording.columns(table):
            return unit_words(recording.unit(column, table))
    return "in the unit of the value"


def _what(rows: pd.DataFrame) -> str:
    what = words(str(rows["endpoint"].iloc[0])) if "endpoint" in rows else ""
    if what and "day" in rows and pd.notna(rows["day"].iloc[0]):
        what += f" on day {rows['day'].iloc[0]:g}"
    return what


def _left_out(table: pd.DataFrame) -> str:
    return f"the {MOST} largest of {len(table)} parameters" if len(table) > MOST else ""
