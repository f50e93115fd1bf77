"""The marrow on one day, or on several: cells by genotype, scar as shade, T cells as dots."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np

from mpn_abm.errors import UsageError
from mpn_abm.pictures.labels import axis_label, moment, quantity, time_unit
from mpn_abm.pictures.marrow import Marrow, Snapshot
from mpn_abm.pictures.palette import EMPTY, FAINT, PAPER, SCAR, SCAR_STRENGTH, T_CELL, mixed, rgb
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.runs import head_of
from mpn_abm.pictures.shading import angle_of, edges, flat_image, projected
from mpn_abm.pictures.style import Picture, heading, legend_below, new_figure

MOST_SMALL = 8
ACROSS = 4
# the share of the map under dots above which T cells are a veil, and how dense that is
CROWD, VEIL = 0.35, 0.55
# more dots are an image within the picture
MOST_DOTS = 1000
MF_2 = 1.5 / 3.5
"""ECM from which a site has grade 2."""


def draw(recording: Recording, *, day: float | None = None, replicate: int = 0, title: str | None = None) -> Picture:
    """Draw the marrow on one day; one with depth as three slices through its middle and a projection.

    Parameters
    ----------
    recording : Recording
        A run with snapshots.
    day : float, optional
        The nearest snapshot is taken; the last unless said.
    replicate : int
    title : str, optional
        Instead of the question.
    """
    marrow = Marrow(recording, replicate)
    snapshot = marrow.on(marrow.nearest(day))
    question, whose = head_of(recording)
    when = f"{whose}, {_moment(marrow, snapshot.day)}"
    if snapshot.is_flat:
        height = 4.3 * min(marrow.shape[1] / marrow.shape[2], 1.6)
        figure = new_figure(7.4, 0.75 + height)
        axis = figure.subplots()
        draw_plane(axis, marrow, snapshot, (0, 0))
        _name_axes(axis, recording, "x", "y")
    else:
        figure = new_figure(7.4, 6.0)
        _draw_depth(figure, marrow, snapshot, recording)
    figure.legend(handles=legend_of(marrow, [snapshot], recording), loc="outside right center", labelspacing=0.7)
    heading(figure, question if title is None else title, when if title != "" else "")
    return Picture(figure, f"Map of the marrow of {recording.name}, {_moment(marrow, snapshot.day)}: "
                           f"{_inventory(marrow, snapshot)}.")  # fmt: skip


def draw_several(
    recording: Recording, *, days: Sequence[float] = (), replicate: int = 0, title: str | None = None
) -> Picture:
    """Draw the marrow on several days side by side.

    Parameters
    ----------
    recording : Recording
        A run with snapshots.
    days : sequence of float
        The nearest snapshots are taken; eight over the run, with the most T cells among them, unless said.
    replicate : int
    title : str, optional
        Instead of the question.
    """
    marrow = Marrow(recording, replicate)
    chosen = list(dict.fromkeys(map(marrow.nearest, days))) if days else chosen_days(marrow, MOST_SMALL)
    if len(chosen) > 24:
        raise UsageError(f"--days: {len(chosen)} maps: expected at most 24")
    across = min(ACROSS, len(chosen))
    down = ceil(len(chosen) / across)
    figure = new_figure(7.4, 1.0 + down * (7.0 / across * marrow.shape[1] / marrow.shape[2] + 0.25))
    snapshots = draw_small(figure, marrow, chosen, across, down)
    legend_below(figure, legend_of(marrow, snapshots, recording))
    question, whose = head_of(recording)
    heading(figure, question if title is None else title, whose if title != "" else "")
    said = "; ".join(f"{_moment(marrow, one.day)}: {_inventory(marrow, one)}" for one in snapshots)
    return Picture(figure, f"Maps of the marrow of {recording.name}. {said}.")


def draw_small(figure: Any, marrow: Marrow, days: Sequence[float], across: int, down: int) -> list[Snapshot]:
    """Maps without ticks, a day above each, into a figure or a part of one."""
    axes = figure.subplots(down, across, squeeze=False)
    for axis in axes.flat[len(days) :]:
        axis.set_axis_off()
    snapshots = []
    for axis, day in zip(axes.flat, days, strict=False):
        snapshot = marrow.on(day)
        snapshots.append(snapshot)
        if snapshot.is_flat:
            draw_plane(axis, marrow, snapshot, (0, 0))
            axis.set_xticks([])
            axis.set_yticks([])
        else:
            draw_projection(axis, marrow, snapshot)
        axis.set_title(_moment(marrow, day), fontweight="normal")
    return snapshots


def chosen_days(marrow: Marrow, most: int) -> list[float]:
    """Days over the whole run, evenly, and the one with the most T cells in place of the nearest."""
    days = marrow.days
    if len(days) <= most:
        return days
    places = np.unique(np.round(np.linspace(0, len(days) - 1, most)).astype(int))
    recording = marrow.recording
    if recording.has("trajectory") and "car_t_total" in recording.columns("trajectory"):
        rows = recording.rows("trajectory", columns=["day", "car_t_total"], replicate=marrow.replicate)
        there = np.interp(days, rows["day"], rows["car_t_total"].fillna(0.0))
        peak, inner = int(there.argmax()), places[1:-1]
        if there[peak] > 0 and peak not in places:
            inner[np.abs(inner - peak).argmin()] = peak
    return [days[k] for k in np.unique(places)]


def draw_plane(axis: Any, marrow: Marrow, snapshot: Snapshot, plane: tuple[int, int]) -> None:
    """One plane of sites with the border of the scar and the T cells on it."""
    image = flat_image(snapshot, marrow.colours, plane)
    rows, columns = image.shape[:2]
    axis.grid(False)
    extent = (0, columns, 0, rows)
    axis.imshow(image, origin="lower", interpolation="nearest", extent=extent)
    scar = np.take(snapshot.scar, plane[1], axis=plane[0])
    if scar.min() < MF_2 <= scar.max() and min(scar.shape) > 1:
        x, y = np.arange(columns) + 0.5, np.arange(rows) + 0.5
        axis.contour(x, y, scar, levels=[MF_2], colors=SCAR, linewidths=0.6)
    where = np.argwhere(np.take(snapshot.t_cells, plane[1], axis=plane[0]) > 0)
    if len(where):
        _draw_t_cells(axis, where, (rows, columns))
    axis.set_xlim(0, columns)
    axis.set_ylim(0, rows)
    axis.set_aspect("equal")
    for side in axis.spines.values():
        side.set_visible(True)


def _draw_t_cells(axis: Any, where: np.ndarray, shape: tuple[int, int]) -> None:
    """A dot on each site with T cells; where dots would hide the cells, a veil on these sites."""
    rows, columns = shape
    share = len(where) / (rows * columns)
    site = axis.get_window_extent().width * 72 / axis.figure.get_dpi() / columns
    size = min(max(1.1 * site, 1.6), 5.0)
    if share * (size / site) ** 2 > CROWD:
        veil = np.zeros((rows, columns, 4))
        veil[where[:, 0], where[:, 1]] = (*(np.array(rgb(T_CELL)) / 255.0), VEIL)
        axis.imshow(veil, origin="lower", interpolation="nearest", extent=(0, columns, 0, rows))
        return
    edge = {"linewidth": 0.25, "edgecolor": PAPER} if size > 2.5 else {"linewidth": 0}
    axis.scatter(where[:, 1] + 0.5, where[:, 0] + 0.5, s=size**2, color=T_CELL, zorder=3,
                 rasterized=len(where) > MOST_DOTS, **edge)  # fmt: skip


def draw_projection(axis: Any, marrow: Marrow, snapshot: Snapshot, angle: float = angle_of(0.0)) -> None:
    """The marrow as glass in a frame."""
    image = projected(snapshot, marrow.colours, healthy_kinds(marrow), angle)
    reach = image.shape[0] / 2
    axis.imshow(image, extent=(-reach, reach, -reach, reach), interpolation="bilinear")
    for x0, y0, x1, y1 in edges(marrow.shape, angle):
        axis.plot((x0, x1), (y0, y1), color=FAINT, linewidth=0.6)
    axis.set_aspect("equal")
    axis.set_axis_off()


def healthy_kinds(marrow: Marrow) -> list[int]:
    """The kinds that are healthy cells."""
    return [k + 1 for k, (label, _) in enumerate(marrow.legend) if label.startswith(("wild type", "donor"))]


def legend_of(marrow: Marrow, snapshots: Sequence[Snapshot], recording: Recording) -> list[Any]:
    """What the colours, the shade and the dots are, as far as they occur."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    there = set().union(*(np.unique(one.kind).tolist() for one in snapshots))
    handles: list[Any] = [
        Patch(facecolor=colour, edgecolor=FAINT, linewidth=0.4, label=label)
        for k, (label, colour) in enumerate(marrow.legend, 1)
        if k in there
    ]
    if 0 in there:
        handles.append(Patch(facecolor=EMPTY, edgecolor=FAINT, linewidth=0.6, label="empty niche"))
    if any(one.scar.max() > 0.02 for one in snapshots):
        handles.append(Patch(facecolor=mixed(PAPER, SCAR, SCAR_STRENGTH), label="shade: scar, full at ECM 1"))
        if all(one.is_flat for one in snapshots):
            handles.append(Patch(facecolor=EMPTY, edgecolor=SCAR, linewidth=1.1, label="border of MF-2 scar"))
    if any(one.t_cells.any() for one in snapshots):
        handles.append(Line2D([], [], marker="o", linewidth=0, color=T_CELL, markersize=4.5, markeredgecolor=FAINT,
                              markeredgewidth=0.5,
                              label=_of_t_cells(marrow, snapshots, recording)))  # fmt: skip
    return handles


def _of_t_cells(marrow: Marrow, snapshots: Sequence[Snapshot], recording: Recording) -> str:
    """What a dot stands for."""
    most = max(snapshots, key=lambda one: int(one.t_cells.sum()))
    if not recording.has("trajectory"):
        return "CAR T cells"
    rows = recording.rows("trajectory", replicate=marrow.replicate)
    near = rows.iloc[(rows["day"] - most.day).abs().argmin()]
    if abs(near["day"] - most.day) > 1e-6 or not near.get("car_t_total", 0):
        return "CAR T cells"
    each = near["car_t_total"] / most.t_cells.sum()
    return "CAR T cell" if each < 1.5 else f"CAR T cells, {quantity(float(f'{each:.1g}'))} each"


def _draw_depth(figure: Any, marrow: Marrow, snapshot: Snapshot, recording: Recording) -> None:
    depth, height, width = marrow.shape
    axes = figure.subplots(2, 2)
    planes = (
        (axes[0, 0], (0, depth // 2), "x", "y", f"slice at z = {depth // 2}"),
        (axes[0, 1], (1, height // 2), "x", "z", f"slice at y = {height // 2}"),
        (axes[1, 0], (2, width // 2), "y", "z", f"slice at x = {width // 2}"),
    )
    for axis, plane, right, up, title in planes:
        draw_plane(axis, marrow, snapshot, plane)
        _name_axes(axis, recording, right, up)
        axis.set_title(title, fontweight="normal")
    draw_projection(axes[1, 1], marrow, snapshot)
    axes[1, 1].set_title("all of it, healthy cells as glass", fontweight="normal")


def _name_axes(axis: Any, recording: Recording, right: str, up: str) -> None:
    axis.set_xlabel(axis_label(right, recording.unit(right, "snapshots")))
    axis.set_ylabel(axis_label(up, recording.unit(up, "snapshots")))


def _moment(marrow: Marrow, day: float) -> str:
    return moment(day, time_unit(marrow.days[-1]))


def _inventory(marrow: Marrow, snapshot: Snapshot) -> str:
    counts = np.bincount(snapshot.kind.ravel(), minlength=len(marrow.legend) + 1)
    parts = [f"{label} {quantity(float(n))}" for (label, _), n in zip(marrow.legend, counts[1:], strict=True) if n]
    if snapshot.t_cells.any():
        parts.append(f"T cells on {quantity(float((snapshot.t_cells > 0).sum()))} sites")
    return f"{', '.join(parts) or 'no cells'} of {quantity(float(snapshot.kind.size))} sites"
