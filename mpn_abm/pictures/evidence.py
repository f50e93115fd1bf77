"""Published figures and the model side by side, one row each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mpn_abm.analysis.bands import band_in_words, counts
from mpn_abm.errors import UsageError
from mpn_abm.pictures.labels import quantity
from mpn_abm.pictures.palette import FAINT, GRID, HELD, INK, NOT_HELD
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.style import Picture, heading, legend_below, new_figure, note
from mpn_abm.scenario.suggestions import unknown

TABLES = ("evidence", "score", "claims")
# how far beyond a band is drawn, in widths of the band
REACH = 1.25
MOST = 70


@dataclass(frozen=True)
class Row:
    """One figure, on a scale on which its band goes from 0 to 1; an open band has one end."""

    name: str
    low: float | None
    high: float | None
    published: float | None
    value: float | None
    value_low: float | None
    value_high: float | None
    held: bool
    role: str
    text: str


def draw(recording: Recording, *, columns: Sequence[str] | None = None, title: str | None = None) -> Picture:
    """Draw for each figure the published band, the published value, and the model's value with its interval.

    Parameters
    ----------
    recording : Recording
        The score of an evidence run, a study or run with claims, or one table of claims.
    columns : sequence of str, optional
        Names of figures, in the order in which they are drawn; all unless said.
    title : str, optional
        Instead of the question.
    """
    rows = _chosen(rows_of(recording), columns, recording.place)[:MOST]
    figure = new_figure(7.4, 1.2 + 0.235 * max(len(rows), 3))
    axis = figure.subplots()
    for place, row in enumerate(rows):
        _draw_row(axis, place, row)
    axis.axvspan(0, 1, color=GRID, alpha=0.35, linewidth=0, zorder=0)
    axis.set_yticks(range(len(rows)), [row.name.replace("_", " ") for row in rows])
    for label, row in zip(axis.get_yticklabels(), rows, strict=True):
        label.set_fontweight("normal" if row.held else "bold")
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set_xlim(-REACH - 0.06, 1 + REACH + 0.06)
    axis.set_xticks([0, 1], ["lower end", "upper end"])
    axis.set_xlabel("place in the published band (each row on its own scale)")
    axis.grid(False)
    right = axis.twinx()
    right.set_ylim(axis.get_ylim())
    right.set_yticks(range(len(rows)), [row.text for row in rows], fontsize=6.8)
    right.tick_params(length=0)
    note(axis, "model  [published band]", x=1.012, y=1.0, ha="left", va="bottom")
    right.spines["right"].set_visible(False)
    right.grid(False)
    axis.tick_params(axis="y", length=0)
    legend_below(figure, _legend())
    scored = [row for row in rows if counts(row.role)]
    held = sum(row.held for row in scored)
    told = f"{held} of {len(scored)} within their bands"
    question = recording.question or "Does the model agree with what was published?"
    heading(figure, question if title is None else title, f"{recording.name}; {told}" if title != "" else "")
    missed = ", ".join(row.name for row in scored if not row.held)
    return Picture(figure, f"Published bands and the model's intervals, {recording.name}: {told}."
                           + (f" Missed: {missed}." if missed else ""))  # fmt: skip


def rows_of(recording: Recording) -> list[Row]:
    """The rows of a score or of claims, in their order."""
    table = _table(recording)
    needed = ("value", "low", "high")
    missing = [name for name in needed if name not in table]
    if missing or table.empty:
        raise UsageError(f"{recording.place}: no figures to compare: {', '.join(missing) or 'the table is empty'}")
    # what has neither limit has no place beside a band
    table = table[table["low"].notna() | table["high"].notna()]
    return [_row(said) for said in table.astype(object).where(table.notna(), None).to_dict("records")]


def _chosen(rows: list[Row], names: Sequence[str] | None, place: str) -> list[Row]:
    if names is None:
        return rows
    known = {row.name: row for row in rows}
    for name in names:
        if name not in known:
            raise UsageError(f"{place}: {unknown('figure', name, known)}")
    return [known[name] for name in names]


def _table(recording: Recording) -> pd.DataFrame:
    for name in TABLES:
        if recording.has(name):
            return recording.frame(name)
    if recording.is_one_table:
        return recording.frame(recording.tables[0])
    claims = recording.facts.get("claims")
    if claims:
        return pd.DataFrame(claims)
    raise UsageError(f"{recording.place}: no table of evidence or claims")


def _row(said: dict[Any, Any]) -> Row:
    low, high, value = said["low"], said["high"], said["value"]
    published = said.get("published")
    held = bool(said["held"]) if said.get("held") is not None else _within(value, low, high)
    scale = _scale(low, high, value, published)

    def placed(number: Any) -> float | None:
        return None if number is None else scale[0] + scale[1] * float(number)

    unit = f" {said['unit']}" if said.get("unit") not in (None, "", "-", "fraction") else ""
    name = str(said.get("target") or said.get("claim") or said.get("id"))
    band = band_in_words(said, quantity)
    text = "not known" if value is None else f"{quantity(float(value))}{unit}  [{band}]"
    return Row(name, placed(low), placed(high), placed(published), placed(value), placed(said.get("value_low")),
               placed(said.get("value_high")), held, str(said.get("role") or ""), text)  # fmt: skip


def _within(value: Any, low: Any, high: Any) -> bool:
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def _scale(low: Any, high: Any, value: Any, published: Any) -> tuple[float, float]:
    """Offset and factor that put the band on 0 to 1; one end of an open one is where its limit is."""
    if low is not None and high is not None and high > low:
        return -low / (high - low), 1.0 / (high - low)
    limit = float(low if low is not None else high)
    far = max((abs(float(one) - limit) for one in (value, published) if one is not None), default=0.0)
    width = max(far, 0.25 * abs(limit), 1e-12)
    if low is not None and high is not None:
        # a band of one number
        return 0.5 - limit / width, 1.0 / width
    return (-limit / width if low is not None else 1.0 - limit / width), 1.0 / width


def _draw_row(axis: Any, place: int, row: Row) -> None:
    low = -REACH if row.low is None else max(row.low, -REACH)
    high = 1 + REACH if row.high is None else min(row.high, 1 + REACH)
    axis.barh(place, max(high - low, 0.02), left=low, height=0.62, color=GRID, linewidth=0, zorder=1)
    for end, sign in ((row.low is None, "<"), (row.high is None, ">")):
        if end:
            axis.plot(low if sign == "<" else high, place, sign, color=FAINT, markersize=4, zorder=2)
    if row.published is not None:
        axis.plot([_clipped(row.published)] * 2, [place - 0.31, place + 0.31], color=INK, linewidth=1.2, zorder=2)
    if row.value is None:
        return
    colour = HELD if row.held else NOT_HELD
    if row.value_low is not None and row.value_high is not None:
        axis.plot(
            [_clipped(row.value_low), _clipped(row.value_high)], [place] * 2, color=colour, linewidth=1.6, zorder=3
        )
    beyond = row.value != _clipped(row.value)
    mark = ("<" if row.value < 0 else ">") if beyond else "o" if row.held else "D"
    axis.plot(_clipped(row.value), place, mark, color=colour, markersize=4.6, zorder=4)


def _clipped(value: float) -> float:
    return min(max(value, -REACH), 1 + REACH)


def _legend() -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        Patch(facecolor=GRID, label="published band"),
        Line2D([], [], color=INK, linewidth=1.2, label="published value"),
        Line2D([], [], color=HELD, marker="o", markersize=4.6, label="model, within"),
        Line2D([], [], color=NOT_HELD, marker="D", markersize=4.6, label="model, outside (bold)"),
    ]
