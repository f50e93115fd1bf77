"""Courses of a run or of the arms of a study, with what was given beneath."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mpn_abm.errors import UsageError
from mpn_abm.pictures.courses import Course, course, share_alive
from mpn_abm.pictures.exposures import Exposure, draw_exposures, exposures_of
from mpn_abm.pictures.labels import TimeUnit, axis_label, moment, quantity, time_unit, words
from mpn_abm.pictures.observations import observations
from mpn_abm.pictures.palette import INK
from mpn_abm.pictures.panels import (
    Line,
    Panel,
    panels_of_arms,
    panels_of_columns,
    panels_of_run,
    with_other_clones,
)
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.runs import chosen_arms, head_of, palette_of, reference_of, trajectory_of
from mpn_abm.pictures.style import Picture, heading, legend_below, new_figure

MOST_IN_ONE_COLUMN = 3
# above the highest value, of the height of an axis
ROOM = 0.08
# of a row of a legend, of the height of the axis without it
LEGEND_ROW = 0.27


def draw(
    recording: Recording,
    *,
    arm: str | None = None,
    replicate: int | None = None,
    columns: Sequence[str] = (),
    data: str | Path | None = None,
    title: str | None = None,
) -> Picture:
    """Draw the courses of clones, VAF, T cells, scar, blood, spleen and symptoms.

    Parameters
    ----------
    recording : Recording
        A run, or a study: a line for each arm unless ``arm`` chooses one.
    arm, replicate : optional
        Which runs; of several the median and the band of the middle 80 %.
    columns : sequence of str
        Columns of the trajectory, instead of what a reader asks for first.
    data : path, optional
        Measurements (CSV: day, column, value, sd), drawn over the model.
    title : str, optional
        Instead of the question.
    """
    arms = chosen_arms(recording, arm)
    rows = with_other_clones(trajectory_of(recording, arm, replicate))
    if rows.empty:
        raise UsageError(f"{recording.place}: no row of the trajectory is left to draw")
    measured = None if data is None else observations(data)
    panels = _panels(recording, rows, arms, columns, measured)
    start, end = _span(rows, measured)
    unit = time_unit(end)
    given = _given(recording, rows) if len(arms) == 1 else []
    figure, axes, beneath = _layout(len(panels), len(given))
    for axis, panel in zip(axes, panels, strict=True):
        draw_panel(axis, panel, rows, unit, measured)
    _legends(figure, axes, panels, rows, measured)
    for axis in beneath:
        draw_exposures(axis, given, unit.days)
    for axis in (*axes, *beneath):
        _draw_time(axis, start, end, unit)
    lowest = beneath or _lowest(axes)
    for axis in (*axes, *beneath):
        axis.tick_params(labelbottom=axis in lowest)
    for axis in lowest:
        axis.set_xlabel(unit.label)
    runs = rows["patient"].nunique()
    question, whose = head_of(recording, arm, runs, len(arms))
    heading(figure, question if title is None else title, whose if title != "" else "")
    return Picture(figure, _alt(recording, panels, rows, given))


def _panels(
    recording: Recording, rows: pd.DataFrame, arms: list[str | None], columns: Sequence[str],
    measured: pd.DataFrame | None,
) -> list[Panel]:  # fmt: skip
    palette, reference = palette_of(recording), reference_of(recording)
    if columns:
        panels = panels_of_columns(rows, recording.unit, columns, palette, arms, reference)
    elif len(arms) > 1:
        panels = panels_of_arms(rows, recording.unit, arms, reference)
    else:
        panels = panels_of_run(rows, recording.unit, palette)
    if measured is not None:
        shown = set().union(*(panel.columns for panel in panels))
        more = [name for name in dict.fromkeys(measured["column"]) if name not in shown]
        panels += panels_of_columns(rows, recording.unit, more, palette, arms, reference)
    if not columns and share_alive(rows) is not None and rows["patient"].nunique() > 1:
        panels.append(Panel("alive", "share of patients", "-", _alive_lines(panels, arms)))
    if not panels:
        raise UsageError(f"{recording.place}: nothing in the trajectory but zeros; name --columns to see them")
    return panels


def _alive_lines(panels: list[Panel], arms: list[str | None]) -> tuple[Line, ...]:
    if len(arms) > 1 and panels:
        return tuple(Line("alive", line.label, line.colour, line.arm) for line in panels[0].lines)
    return (Line("alive", "alive", INK, None),)


def _given(recording: Recording, rows: pd.DataFrame) -> list[Exposure]:
    """The treatments of the first of the runs that are drawn."""
    if not recording.has("events"):
        return []
    first = int(rows["patient"].min())
    return exposures_of(recording.rows("events", replicate=first), float(rows["day"].max()))


def _layout(panels: int, given: int) -> tuple[Any, list[Any], list[Any]]:
    across = 1 if panels <= MOST_IN_ONE_COLUMN else 2
    down = ceil(panels / across)
    beneath = [0.30 + 0.17 * given] if given else []
    height = 0.9 + 1.2 * down + sum(beneath)
    figure = new_figure(7.4 if across == 2 else 5.6, height)
    grid = figure.add_gridspec(down + len(beneath), across, height_ratios=[1.2] * down + beneath)
    axes: list[Any] = []
    # by columns, so that the marrow is on the left and the blood on the right
    for number in range(panels):
        column, row = divmod(number, down)
        share = axes[0] if axes else None
        # the last one fills its column
        until = down if number == panels - 1 else row + 1
        axes.append(figure.add_subplot(grid[row:until, column], sharex=share))
    bars = [figure.add_subplot(grid[down, column], sharex=axes[0]) for column in range(across)] if given else []
    return figure, axes, bars


def _lowest(axes: list[Any]) -> list[Any]:
    """The lowest axis of each column."""
    found = {}
    for axis in axes:
        found[axis.get_subplotspec().colspan.start] = axis
    return list(found.values())


def draw_panel(
    axis: Any, panel: Panel, rows: pd.DataFrame, unit: TimeUnit, measured: pd.DataFrame | None = None
) -> None:
    """The lines of one axis and what was measured, with its title and its unit."""
    for line in panel.lines:
        mine = rows if line.arm is None or "arm" not in rows else rows[rows["arm"] == line.arm]
        if line.column not in mine or mine[line.column].isna().all():
            continue
        found = share_alive(mine) or _everybody(mine) if panel.title == "alive" else course(mine, line.column)
        _draw_line(axis, found, line, unit, panel.log)
    if measured is not None:
        _draw_measured(axis, panel, measured, unit)
    _set_range(axis, panel)
    axis.set_title(panel.title)
    axis.set_ylabel(axis_label(panel.label, panel.unit))


def _set_range(axis: Any, panel: Panel) -> None:
    """From 0, with room above what is drawn."""
    from matplotlib.ticker import NullFormatter

    if panel.title == "alive":
        axis.set_ylim(0, 1.03)
    elif panel.log:
        axis.set_yscale("log")
        axis.yaxis.set_minor_formatter(NullFormatter())
        low, high = axis.get_ylim()
        if high < 10 * low:
            # two powers of ten have a number
            axis.set_ylim(10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high)))
    else:
        lowest, highest = axis.dataLim.intervaly
        bottom = 0.0 if lowest >= 0.0 else lowest - ROOM * (highest - lowest)
        axis.set_ylim(bottom, highest + ROOM * (highest - bottom) if highest > bottom else bottom + 1.0)
        if not 1e-3 <= axis.get_ylim()[1] < 1e3:
            axis.yaxis.set_major_formatter(lambda value, _: quantity(value))


def _everybody(rows: pd.DataFrame) -> Course:
    day = np.array([0.0, float(rows["day"].max())])
    return Course(day, np.ones(2), np.ones(2), np.ones(2), [], rows["patient"].nunique())


def _draw_line(axis: Any, found: Course, line: Line, unit: TimeUnit, log: bool) -> None:
    def shown(values: np.ndarray) -> np.ndarray:
        return np.where(values > 0, values, np.nan) if log else values

    style = {"color": line.colour, "linestyle": line.dash}
    for day, value in found.single:
        axis.plot(day / unit.days, shown(value), linewidth=0.6, alpha=0.5, **style)
    if found.runs > 1 and not found.single and not np.array_equal(found.low, found.high):
        axis.fill_between(found.day / unit.days, shown(found.low), shown(found.high), color=line.colour, alpha=0.16,
                          linewidth=0)  # fmt: skip
    axis.plot(found.day / unit.days, shown(found.middle), linewidth=line.width, label=line.label, **style)


def _draw_measured(axis: Any, panel: Panel, measured: pd.DataFrame, unit: TimeUnit) -> None:
    for line in panel.lines:
        mine = measured[measured["column"] == line.column]
        if mine.empty:
            continue
        error = (1.96 * mine["sd"].fillna(0.0)).to_numpy(float)
        axis.errorbar(mine["day"] / unit.days, mine["value"], yerr=error if error.any() else None, fmt="o",
                      markersize=4.2, markerfacecolor=line.colour, markeredgecolor=INK, markeredgewidth=0.8,
                      ecolor=INK, elinewidth=0.8, capsize=1.5, zorder=5, clip_on=False)  # fmt: skip
        if len({row.arm for row in panel.lines}) > 1:
            break


def _legends(
    figure: Any, axes: list[Any], panels: list[Panel], rows: pd.DataFrame, measured: pd.DataFrame | None
) -> None:
    """One legend for arms; else one in each axis with several lines; and what bands and points are."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    arms = [line.arm for line in panels[0].lines]
    runs = rows.groupby("arm")["patient"].nunique().max() if len(arms) > 1 and "arm" in rows else (
        rows["patient"].nunique())  # fmt: skip
    common: list[Any] = []
    if len(arms) > 1 and arms[0] is not None:
        common += [Line2D([], [], color=line.colour, linewidth=1.7, label=line.label) for line in panels[0].lines]
    else:
        for axis, panel in zip(axes, panels, strict=True):
            if len(panel.lines) > 1 or panel.lines[0].label not in (panel.title, panel.label, words(panel.title)):
                _legend(axis, panel)
    if runs >= 5:
        common.append(Patch(facecolor="#80858f", alpha=0.35, label=f"median and middle 80 % of {runs} runs"))
    elif runs > 1:
        common.append(Line2D([], [], color="#80858f", linewidth=0.6, label=f"each of {runs} runs; bold: the median"))
    if measured is not None:
        common.append(Line2D([], [], color=INK, marker="o", markersize=4.2, markerfacecolor="none", linewidth=0,
                             label="measured (± 1.96 sd)" if measured["sd"].notna().any() else "measured"))  # fmt: skip
    if common:
        legend_below(figure, common)


def _legend(axis: Any, panel: Panel) -> None:
    """Where it hides least; of more than two lines above them, with room made for it."""
    if not len(axis.get_lines()) or len(panel.lines) < 2:
        return
    style = {"borderaxespad": 0.2, "labelspacing": 0.25, "columnspacing": 1.0}
    if len(panel.lines) == 2:
        axis.legend(loc="best", **style)
        return
    columns = 3 if len(panel.lines) == 3 else 2
    room = LEGEND_ROW * ceil(len(panel.lines) / columns)
    low, high = axis.get_ylim()
    axis.set_ylim(low, high * (high / low) ** room if panel.log else high + room * (high - low))
    axis.legend(loc="upper right", ncols=columns, **style)


def _span(rows: pd.DataFrame, measured: pd.DataFrame | None) -> tuple[float, float]:
    """First and last day of the model and of what was measured."""
    days = [0.0, float(rows["day"].max()), *([] if measured is None else measured["day"])]
    return min(days), max(days)


def _draw_time(axis: Any, start: float, end: float, unit: TimeUnit) -> None:
    from matplotlib.ticker import MultipleLocator

    axis.xaxis.set_major_locator(MultipleLocator(unit.step(end - start, most=7)))
    axis.set_xlim(start / unit.days, end / unit.days)


def _alt(recording: Recording, panels: list[Panel], rows: pd.DataFrame, given: list[Exposure]) -> str:
    """First and last medians in words."""
    last = moment(float(rows["day"].max()), time_unit(float(rows["day"].max())))
    parts = []
    for panel in panels:
        for line in panel.lines:
            mine = rows if line.arm is None or "arm" not in rows else rows[rows["arm"] == line.arm]
            if line.column not in mine or mine[line.column].isna().all() or panel.title == "alive":
                continue
            found = course(mine, line.column)
            whose = f"{panel.title}, {line.label}" if len(panel.lines) > 1 else panel.title
            parts.append(f"{whose} {quantity(found.middle[0])} to {quantity(found.middle[-1])}")
    drugs = f" Given: {', '.join(exposure.name for exposure in given)}." if given else ""
    return f"Courses of {recording.name} from day 0 to {last}: {'; '.join(parts)}.{drugs}"
