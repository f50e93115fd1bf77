"""Clones over time, each within the one from which it arose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mpn_abm.pictures.genealogy import Clone, Tree, colours_of, legend_of, short_name, tree_of
from mpn_abm.pictures.labels import moment, quantity, time_unit
from mpn_abm.pictures.palette import FAINT, ON_DARK, ON_LIGHT, contrast, mixed
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.runs import head_of, palette_of
from mpn_abm.pictures.style import Picture, heading, legend_below, new_figure

MOST, MOST_DAYS = 60, 160
# shares of all cells: from which a clone is drawn, and how wide it must be for its name
LEAST, NAMED = 0.005, 0.05
# of the picture
WIDTH_OF_A_LETTER = 0.0125


@dataclass(frozen=True)
class Band:
    """Where a clone lies: from `low` to `high`, shares of all cells, on `days`."""

    clone: Clone
    days: np.ndarray
    low: np.ndarray
    high: np.ndarray


def draw(recording: Recording, *, replicate: int = 0, title: str | None = None) -> Picture:
    """Draw the shares of all clones of one run, nested by descent.

    Parameters
    ----------
    recording : Recording
        A run with a table of clones.
    replicate : int
    title : str, optional
        Instead of the question.
    """
    from matplotlib.patches import Patch
    from matplotlib.ticker import MultipleLocator, PercentFormatter

    tree, palette = tree_of(recording, replicate, MOST, LEAST), palette_of(recording)
    colours = colours_of(tree, palette)
    end = float(tree.days[-1])
    unit = time_unit(end)
    figure = new_figure(7.4, 3.9)
    axis = figure.subplots()
    axis.grid(False)
    bands = bands_of(tree)
    for band in bands:
        colour = colours[band.clone.number]
        axis.fill_between(band.days / unit.days, band.low, band.high, color=colour, linewidth=0.35,
                          edgecolor=mixed(colour, "#000000", 0.35), label=band.clone.name)  # fmt: skip
    for band in bands:
        _name(axis, band, bands, unit.days, colours[band.clone.number])
    axis.set_xlim(0, end / unit.days)
    axis.set_ylim(0, 1)
    axis.xaxis.set_major_locator(MultipleLocator(unit.step(end)))
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    axis.set_xlabel(unit.label)
    axis.set_ylabel("share of stem cells (%)")
    handles = [Patch(facecolor=colour, edgecolor=FAINT, linewidth=0.4, label=label) for label, colour in
               legend_of(tree, palette)]  # fmt: skip
    legend_below(figure, handles)
    question, whose = head_of(recording)
    pooled = f"; {tree.pooled} smaller clones are part of those from which they arose" if tree.pooled else ""
    heading(figure, question if title is None else title, whose + pooled if title != "" else "")
    last = [(clone.name, clone.cells[-1] / max(tree.cells[-1], 1.0)) for clone in tree.clones.values()]
    largest = sorted(last, key=lambda one: -one[1])[:4]
    said = ", ".join(f"{name} {100 * share:.3g} %" for name, share in largest)
    return Picture(figure, f"Clones of {recording.name} over time, nested by descent: {len(tree.clones)} drawn, "
                           f"{quantity(float(tree.cells[-1]))} cells {moment(end, unit)}, of them {said}.")  # fmt: skip


def bands_of(tree: Tree) -> list[Band]:
    """The bands of all clones, parents before those that lie within them.

    The clones of the file lie above one another. What arose from a clone divides the clone's own cells into equal
    parts, so that it opens in the middle of them on the day on which it arose.
    """
    births = [clone.born for clone in tree.clones.values() if tree.days[0] < clone.born < tree.days[-1]]
    # more days than the picture has room for would only make its file large
    every = np.unique(np.linspace(0, len(tree.days) - 1, MOST_DAYS).round().astype(int))
    days = np.unique(np.concatenate([tree.days[every], births]))
    own = {number: _over(days, tree.days, clone) for number, clone in tree.clones.items()}
    whole = np.maximum(sum(own.values()), 1e-9)
    bands: list[Band] = []

    def total(clone: Clone) -> np.ndarray:
        return np.asarray(own[clone.number] + sum(total(child) for child in clone.children))

    def lay(clone: Clone, low: np.ndarray) -> None:
        high = low + total(clone) / whole
        there = np.flatnonzero(high - low > 0)
        first, last = (max(there[0] - 1, 0), there[-1] + 2) if len(there) else (0, 0)
        bands.append(Band(clone, days[first:last], low[first:last], high[first:last]))
        gap = own[clone.number] / whole / (len(clone.children) + 1)
        for child in clone.children:
            low = low + gap
            lay(child, low)
            low = low + total(child) / whole

    low = np.zeros(len(days))
    for root in tree.roots:
        lay(root, low)
        low = low + total(root) / whole
    return bands


def _over(days: np.ndarray, recorded: np.ndarray, clone: Clone) -> np.ndarray:
    """The cells of a clone on more days: none before it arose, straight lines between those that are recorded."""
    known = recorded > clone.born
    x, y = recorded[known], clone.cells[known]
    if clone.born > recorded[0]:
        x, y = np.concatenate([[clone.born], x]), np.concatenate([[0.0], y])
    else:
        x, y = recorded, clone.cells
    return np.asarray(np.where(days < clone.born, 0.0, np.interp(days, x, y))) if len(x) else np.zeros(len(days))


def _name(axis: Any, band: Band, bands: list[Band], per_unit: float, colour: str) -> None:
    """The name of a large clone where its own cells are widest, if it fits."""
    if len(band.days) < 2:
        return
    inner = [other for other in bands if other.clone in band.clone.children]
    span = float(bands[0].days[-1])
    words = short_name(band.clone)
    half = WIDTH_OF_A_LETTER * len(words) / 2
    grid = np.linspace(0.0, 1.0, 201)
    days = grid * span
    edges = np.sort([_at(one, days, side) for one in (band, *inner) for side in ("low", "high")], axis=0)
    gaps = np.diff(edges, axis=0)[::2]
    # as wide as the name is long
    reach = max(round(200 * half), 1)
    clear = np.array([[row[max(k - reach, 0) : k + reach + 1].min() for k in range(201)] for row in gaps])
    clear[:, (grid < half + 0.01) | (grid > 0.99 - half)] = 0.0
    row, place = np.unravel_index(clear.argmax(), clear.shape)
    if clear[row, place] < NAMED:
        return
    ink = ON_LIGHT if contrast(ON_LIGHT, colour) > contrast(ON_DARK, colour) else ON_DARK
    axis.text(days[place] / per_unit, edges[2 * row : 2 * row + 2, place].mean(), words, fontsize=6.5, color=ink,
              ha="center", va="center")  # fmt: skip


def _at(band: Band, days: np.ndarray, side: str) -> np.ndarray:
    """An edge of a band on other days; without width before it opens and after it closes."""
    middle = np.interp(days, band.days, (band.low + band.high) / 2) if len(band.days) else np.zeros(len(days))
    if len(band.days) == 0:
        return middle
    inside = (days >= band.days[0]) & (days <= band.days[-1])
    return np.asarray(np.where(inside, np.interp(days, band.days, getattr(band, side)), middle))
