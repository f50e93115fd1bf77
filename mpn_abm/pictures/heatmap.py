"""A value of a sweep over two of its parameters, as colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mpn_abm.errors import UsageError
from mpn_abm.pictures.labels import axis_label, quantity, words
from mpn_abm.pictures.palette import ON_DARK, ON_LIGHT, PAPER
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.runs import head_of
from mpn_abm.pictures.style import Picture, heading, log_scale, new_figure
from mpn_abm.pictures.sweep_tables import Points, bins_of, is_log, level_words, levels_of, points_of

COLOURS = "cividis"
# a bin of a continuous parameter should hold about so many points
POINTS_PER_BIN = 3
MOST_NUMBERS = 100


def draw(
    recording: Recording, *, endpoint: str | None = None, columns: list[str] | None = None, arm: str | None = None,
    title: str | None = None,
) -> Picture:  # fmt: skip
    """Draw the mean of a value over two parameters.

    Parameters
    ----------
    recording : Recording
        A sweep.
    endpoint : str, optional
        A column of the summary; the VAF of the driver at the end unless said.
    columns : list of str, optional
        The two parameters, across and up; the first two that vary unless said.
    arm : str, optional
        The arm of a sweep with arms.
    title : str, optional
        Instead of the question.
    """
    points = points_of(recording, endpoint, arm, columns)
    if len(points.parameters) < 2 or (columns and len(columns) != 2):
        raise UsageError(f"--columns: expected two parameters of {', '.join(points.parameters)}")
    across, up = points.parameters[:2]
    x, y, means = grid_of(points, across, up)
    figure = new_figure(5.6, 4.4)
    axis = figure.subplots()
    axis.grid(False)
    shown = axis.pcolormesh(x.borders, y.borders, np.ma.masked_invalid(means), cmap=COLOURS, edgecolors=PAPER,
                            linewidth=0.5)  # fmt: skip
    x.mark(axis.xaxis, axis, "x")
    y.mark(axis.yaxis, axis, "y")
    axis.set_xlabel(across)
    axis.set_ylabel(up)
    _write_numbers(axis, x, y, means, shown)
    bar = figure.colorbar(shown, ax=axis, pad=0.02)
    bar.set_label(axis_label(words(points.value), points.unit))
    bar.outline.set_visible(False)
    question, whose = head_of(recording, arm, points.runs)
    rest = len(points.parameters) - 2 if columns is None else 0
    over = f"; mean over replicates and {rest} other parameter{'s' * (rest > 1)}" if rest else "; mean over replicates"
    over += "; blank: no point" if np.isnan(means).any() else ""
    heading(figure, question if title is None else title, whose + over if title != "" else "")
    best, worst = np.nanargmin(means), np.nanargmax(means)
    return Picture(figure, f"{words(points.value)} over {across} and {up} in {recording.name}: lowest "
                           f"{quantity(float(np.nanmin(means)))} at {_at(x, y, best, means)}, highest "
                           f"{quantity(float(np.nanmax(means)))} at {_at(x, y, worst, means)}.")  # fmt: skip


class Scale:
    """One axis of the map: levels side by side, or bins of a continuous parameter."""

    def __init__(self, values: pd.Series, bins: int) -> None:
        self.levels = levels_of(values)
        self.is_log = self.levels is None and is_log(values)
        self.borders = np.arange(len(self.levels) + 1.0) if self.levels is not None else bins_of(values, bins)

    def place(self, values: pd.Series) -> np.ndarray:
        """The cell of each value."""
        if self.levels is not None:
            of_level = {level: k for k, level in enumerate(self.levels)}
            return np.array([of_level.get(value, -1) for value in values])
        return np.asarray(np.clip(np.searchsorted(self.borders, values, side="right") - 1, 0, len(self.borders) - 2))

    def mark(self, part: Any, axis: Any, name: str) -> None:
        """Ticks: a level in the middle of its cell."""
        if self.levels is not None:
            part.set_ticks(np.arange(len(self.levels)) + 0.5, [level_words(level) for level in self.levels])
            part.set_tick_params(length=0)
        elif self.is_log:
            log_scale(axis, name)

    def middle(self, cell: int) -> str:
        """The middle of a cell in words."""
        if self.levels is not None:
            return level_words(self.levels[cell])
        low, high = self.borders[cell : cell + 2]
        return quantity(float(np.sqrt(low * high) if self.is_log else (low + high) / 2))


def grid_of(points: Points, across: str, up: str) -> tuple[Scale, Scale, np.ndarray]:
    """The two scales, and float[up, across]: the mean of the points in each cell, NaN without points."""
    bins = int(np.clip(np.sqrt(len(points.table) / POINTS_PER_BIN), 3, 24))
    x, y = Scale(points.table[across], bins), Scale(points.table[up], bins)
    cells = pd.DataFrame({"x": x.place(points.table[across]), "y": y.place(points.table[up]),
                          "value": points.table[points.value]})  # fmt: skip
    means = np.full((len(y.borders) - 1, len(x.borders) - 1), np.nan)
    mean = cells.groupby(["x", "y"], as_index=False)["value"].mean()
    means[mean["y"].to_numpy(int), mean["x"].to_numpy(int)] = mean["value"].to_numpy(float)
    return x, y, means


def _write_numbers(axis: Any, x: Scale, y: Scale, means: np.ndarray, shown: Any) -> None:
    """The value in each cell, where there are few."""
    if means.size > MOST_NUMBERS or x.levels is None or y.levels is None:
        return
    for (row, column), value in np.ndenumerate(means):
        if np.isfinite(value):
            ink = ON_DARK if shown.norm(value) < 0.5 else ON_LIGHT
            axis.text(column + 0.5, row + 0.5, quantity(float(value)), ha="center", va="center", fontsize=7, color=ink)


def _at(x: Scale, y: Scale, place: np.intp, means: np.ndarray) -> str:
    row, column = np.unravel_index(place, means.shape)
    return f"{x.middle(int(column))}, {y.middle(int(row))}"
