"""A value of a sweep against each of its parameters, and over each pair of them."""

from __future__ import annotations

from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from mpn_abm.errors import UsageError
from mpn_abm.pictures.heatmap import COLOURS
from mpn_abm.pictures.labels import axis_label, words
from mpn_abm.pictures.palette import FAINT, INK
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.runs import head_of
from mpn_abm.pictures.style import Picture, heading, log_scale, new_figure, note
from mpn_abm.pictures.sweep_tables import Points, is_log, is_number, level_words, levels_of, path_words, points_of

MOST = 6


def draw(
    recording: Recording, *, endpoint: str | None = None, columns: list[str] | None = None, arm: str | None = None,
    title: str | None = None,
) -> Picture:  # fmt: skip
    """Draw the value against each parameter above, and below it the points over each pair, coloured by the value.

    Parameters
    ----------
    recording : Recording
        A sweep.
    endpoint : str, optional
        A column of the summary; the VAF of the driver at the end unless said.
    columns : list of str, optional
        The parameters; those that go with the value most, six at most, unless said.
    arm : str, optional
        The arm of a sweep with arms.
    title : str, optional
        Instead of the question.
    """
    points = points_of(recording, endpoint, arm, columns)
    ranks = {name: rank_correlation(points, name) for name in points.parameters}
    names = columns or sorted(points.parameters, key=lambda name: -abs(np.nan_to_num(ranks[name])))[:MOST]
    if len(names) > MOST:
        raise UsageError(f"--columns: expected at most {MOST} parameters")
    number = len(names)
    figure = new_figure(min(2.1 + 1.55 * number, 10.5), 1.3 + 1.35 * number)
    axes = figure.subplots(number, number, squeeze=False)
    for k, name in enumerate(names):
        _draw_against(axes[0, k], points, name, ranks[name], is_first=k == 0)
    shown = None
    for row in range(1, number):
        for column in range(number):
            if column >= row:
                axes[row, column].set_axis_off()
                continue
            shown = _draw_pair(axes[row, column], points, names[column], names[row])
            if column == 0:
                axes[row, column].set_ylabel(path_words(names[row]), fontsize=7)
            else:
                axes[row, column].set_yticklabels([])
    for column in range(number):
        lowest = axes[number - 1 if column < number - 1 else 0, column]
        lowest.set_xlabel(path_words(names[column]), fontsize=7)
    if shown is not None:
        # in the corner that has no pairs
        bar = figure.colorbar(shown, cax=axes[1, -1].inset_axes((0.0, 0.62, 1.0, 0.1)), orientation="horizontal")
        bar.set_label(_wrapped(axis_label(words(points.value), points.unit)), fontsize=7)
        bar.outline.set_visible(False)
    question, whose = head_of(recording, arm, points.runs)
    left_out = len(points.parameters) - number
    more = f"; the {number} that go with it most of {len(points.parameters)}" if left_out and columns is None else ""
    heading(figure, question if title is None else title, whose + more if title != "" else "")
    said = ", ".join(f"{name} {ranks[name]:+.2f}" for name in names)
    return Picture(figure, f"{words(points.value)} against the parameters of {recording.name}; "
                           f"rank correlations {said}.")  # fmt: skip


def rank_correlation(points: Points, name: str) -> float:
    """Spearman's, NaN for words."""
    known = points.table[[name, points.value]].dropna()
    if not is_number(known[name]) or known[name].nunique() < 2 or known[points.value].nunique() < 2:
        return float("nan")
    return float(spearmanr(known[name], known[points.value]).statistic)


def _draw_against(axis: Any, points: Points, name: str, rank: float, is_first: bool) -> None:
    values = points.table[points.value]
    axis.scatter(_numbers(points.table[name]), values, s=7, color=FAINT, alpha=0.7, linewidth=0)
    _scale(axis, points.table[name], "x")
    axis.margins(y=0.18)
    if np.isfinite(rank):
        note(axis, f"rank correlation {rank:+.2f}", y=1.0, color=INK if abs(rank) >= 0.3 else FAINT)
    if is_first:
        axis.set_ylabel(_wrapped(axis_label(words(points.value), points.unit)), fontsize=7)
    else:
        axis.set_yticklabels([])


def _draw_pair(axis: Any, points: Points, across: str, up: str) -> Any:
    axis.grid(False)
    shown = axis.scatter(_numbers(points.table[across]), _numbers(points.table[up]), c=points.table[points.value],
                         cmap=COLOURS, s=11, linewidth=0)  # fmt: skip
    _scale(axis, points.table[across], "x")
    _scale(axis, points.table[up], "y")
    return shown


def _numbers(values: pd.Series) -> np.ndarray:
    """The numbers of a parameter; words by their place."""
    if is_number(values):
        return values.to_numpy(float)
    levels = levels_of(values) or []
    return np.array([levels.index(value) if value in levels else np.nan for value in values], float)


def _scale(axis: Any, values: pd.Series, name: str) -> None:
    if is_log(values):
        log_scale(axis, name, (1.0, 3.0))
    elif not is_number(values):
        levels = levels_of(values) or []
        getattr(axis, f"set_{name}ticks")(range(len(levels)), [level_words(level) for level in levels])


def _wrapped(text: str) -> str:
    return fill(text, 22)
