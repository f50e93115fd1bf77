"""The tree of clones: who arose from whom, when, and how large it became."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpn_abm.pictures.genealogy import Clone, Tree, colours_of, legend_of, short_name, tree_of
from mpn_abm.pictures.labels import quantity, time_unit
from mpn_abm.pictures.palette import FAINT, mixed
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.runs import head_of, palette_of
from mpn_abm.pictures.style import Picture, heading, legend_below, new_figure

MOST, MOST_DAYS = 30, 120
# in rows
THIN, THICK = 0.08, 0.66
ROW = 0.19


def draw(recording: Recording, *, replicate: int = 0, title: str | None = None) -> Picture:
    """Draw a line for each of the largest clones, from its birth to its end, from the line of its parent.

    Parameters
    ----------
    recording : Recording
        A run with a table of clones.
    replicate : int
    title : str, optional
        Instead of the question.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    tree, palette = tree_of(recording, replicate, MOST), palette_of(recording)
    colours = colours_of(tree, palette)
    order = rows_of(tree)
    end = float(tree.days[-1])
    unit = time_unit(end)
    figure = new_figure(7.4, 1.2 + ROW * max(len(order), 6))
    axis = figure.subplots()
    axis.grid(False)
    row_of = {clone.number: row for row, clone in enumerate(order)}
    largest = max(float(clone.cells.max()) for clone in order)
    for row, clone in enumerate(order):
        _draw_clone(axis, clone, row, row_of, tree, unit.days, largest, colours[clone.number])
    axis.set_ylim(len(order) - 0.3, -0.7)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    # room for the names
    axis.set_xlim(0, 1.25 * end / unit.days)
    axis.set_xticks(np.arange(0, end / unit.days + 1e-9, unit.step(end)))
    axis.spines["bottom"].set_bounds(0, end / unit.days)
    axis.set_xlabel(unit.label)
    handles: list[Any] = [Patch(facecolor=colour, edgecolor=FAINT, linewidth=0.4, label=label) for label, colour in
                          legend_of(tree, palette)]  # fmt: skip
    sizes = [10.0**k for k in range(int(np.log10(max(largest, 10.0))) + 1)]
    for number in (sizes[0], sizes[-1]):
        words = "1 cell" if number == 1 else f"{quantity(number)} cells"
        # rows in points
        width = 72 * ROW * float(_height(number, largest))
        handles.append(Line2D([], [], color=FAINT, linewidth=width, label=words, solid_capstyle="butt"))
    if any(clone.cells[-1] == 0 for clone in order):
        handles.append(Line2D([], [], color=FAINT, marker="x", linewidth=0, markersize=4, label="died out"))
    legend_below(figure, handles)
    question, whose = head_of(recording)
    left_out = f", the {len(order)} largest clones; {tree.pooled} smaller ones are left out" if tree.pooled else ""
    heading(figure, question if title is None else title, whose + left_out if title != "" else "")
    named = ", ".join(clone.name for clone in sorted(order, key=lambda one: -one.cells[-1])[:4])
    return Picture(figure, f"Tree of {len(order)} clones of {recording.name}; the largest at the end: {named}.")


def rows_of(tree: Tree) -> list[Clone]:
    """The clones from top to bottom: each followed by those that arose from it, the latest first."""
    order: list[Clone] = []

    def add(clone: Clone) -> None:
        order.append(clone)
        for child in sorted(clone.children, key=lambda one: -one.born):
            add(child)

    for root in tree.roots:
        add(root)
    return order


def _height(cells: Any, largest: float) -> np.ndarray:
    """How thick a line is, in rows."""
    share = np.log1p(np.maximum(cells, 0.0)) / np.log1p(max(largest, 1.0))
    return np.asarray(THIN + (THICK - THIN) * share)


def _draw_clone(
    axis: Any, clone: Clone, row: int, row_of: dict[int, int], tree: Tree, per_unit: float, largest: float, colour: str
) -> None:
    there = np.flatnonzero(clone.cells > 0)
    last = float(tree.days[there[-1]]) if len(there) else clone.born
    start = max(clone.born, 0.0)
    if clone.parent in row_of:
        axis.plot([start / per_unit] * 2, [row_of[clone.parent], row], color=FAINT, linewidth=0.7, zorder=1)
    days = np.unique(np.concatenate([[start], tree.days[(tree.days > start) & (tree.days <= last)], [last]]))
    days = days[np.unique(np.linspace(0, len(days) - 1, MOST_DAYS).round().astype(int))]
    half = _height(np.interp(days, tree.days, clone.cells), largest) / 2
    axis.fill_between(days / per_unit, row - half, row + half, color=mixed(colour, "#000000", 0.1), linewidth=0,
                      zorder=2, label=clone.name)  # fmt: skip
    if last < tree.days[-1]:
        axis.plot(last / per_unit, row, "x", color=FAINT, markersize=4, zorder=3)
    axis.annotate(short_name(clone), (last / per_unit, row), xytext=(6, 0), textcoords="offset points", va="center",
                  fontsize=6.5)  # fmt: skip
