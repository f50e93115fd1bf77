"""A snapshot as an image: flat from above, with depth as a rotating projection."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import cos, pi, sin

import numpy as np

from mpn_abm.pictures.marrow import Snapshot
from mpn_abm.pictures.palette import DARK_PAPER, SCAR, SCAR_STRENGTH, T_CELL, rgb

TILT = 0.42
# how much of the light a row of cells through the whole marrow takes
HEALTHY_DEPTH, OTHER_DEPTH, T_CELL_DEPTH, SCAR_DEPTH = 0.35, 3.5, 14.0, 0.5


def _colour(name: str) -> np.ndarray:
    return np.array(rgb(name)) / 255.0


def flat_image(snapshot: Snapshot, colours: np.ndarray, plane: tuple[int, int] = (0, 0)) -> np.ndarray:
    """float[rows, columns, 3]: the cells of one plane of sites, the darker the more scar.

    `plane` is the axis of the arrays (0 for z) and the place along it.
    """
    axis, place = plane
    kind, scar = (np.take(array, place, axis=axis) for array in (snapshot.kind, snapshot.scar))
    share = SCAR_STRENGTH * scar[..., None]
    return np.asarray(colours[kind] * (1.0 - share) + _colour(SCAR) * share)


@lru_cache(maxsize=4)
def _places(shape: tuple[int, int, int]) -> tuple[np.ndarray, float]:
    """float[3, sites]: x, y, z from the middle; and the reach of the marrow from there."""
    grid = np.indices(shape).reshape(3, -1)[::-1].astype(np.float32)
    middle = (np.array(shape[::-1], np.float32) - 1.0) / 2.0
    return grid - middle[:, None], float(np.sqrt(((middle + 0.5) ** 2).sum()))


def turned(x: np.ndarray, y: np.ndarray, z: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Right and up of places, seen from the side and a little from above, after a turn about z."""
    right = x * cos(angle) - y * sin(angle)
    away = x * sin(angle) + y * cos(angle)
    return right, z * cos(TILT) + away * sin(TILT)


def projected(snapshot: Snapshot, colours: np.ndarray, healthy: Sequence[int], angle: float, dark: bool = False
              ) -> np.ndarray:  # fmt: skip
    """float[size, size, 3]: the marrow as glass, in which mutant cells and T cells are denser than healthy ones.

    `healthy` are the kinds that let light through.
    """
    shape = snapshot.kind.shape
    (x, y, z), reach = _places(shape)
    size = int(2 * reach) + 3
    kind = snapshot.kind.ravel()
    depth_of = np.full(len(colours), OTHER_DEPTH)
    depth_of[[0, *healthy]] = 0.0, *([HEALTHY_DEPTH] * len(healthy))
    length = float(np.mean(shape))
    light = np.zeros((4, size * size))
    t_cells, scar = snapshot.t_cells.ravel(), snapshot.scar.ravel()
    for strength, colour in (
        (depth_of[kind], colours[kind]),
        (T_CELL_DEPTH * (t_cells > 0), _colour(T_CELL)),
        (SCAR_DEPTH * scar, _colour(SCAR)),
    ):
        there = np.flatnonzero(strength)
        right, up = turned(x[there], y[there], z[there], angle)
        of_sites = colour[there] if colour.ndim == 2 else np.broadcast_to(colour, (len(there), 3))
        _add(light, size, right, up, strength[there] / length, of_sites)
    taken = light[3]
    colour = light[:3] / np.maximum(taken, 1e-9)
    paper = _colour(DARK_PAPER)[:, None] if dark else np.ones((3, 1))
    through = np.exp(-taken)
    return np.asarray((paper * through + colour * (1.0 - through)).T.reshape(size, size, 3)[::-1])


def _add(light: np.ndarray, size: int, right: np.ndarray, up: np.ndarray, strength: np.ndarray, colour: np.ndarray
         ) -> None:  # fmt: skip
    """Spread each place over the four pixels around it."""
    column, row = right + (size - 1) / 2, up + (size - 1) / 2
    left, low = np.floor(column).astype(np.int64), np.floor(row).astype(np.int64)
    part_x, part_y = column - left, row - low
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        share = strength * (part_x if dx else 1.0 - part_x) * (part_y if dy else 1.0 - part_y)
        pixel = (low + dy) * size + left + dx
        light[3] += np.bincount(pixel, share, minlength=size * size)
        for channel in range(3):
            light[channel] += np.bincount(pixel, share * colour[:, channel], minlength=size * size)


def edges(shape: tuple[int, int, int], angle: float) -> list[tuple[float, float, float, float]]:
    """The twelve edges of the marrow in the projection, in pixels from its middle."""
    corners = np.array([(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]) * np.array(shape[::-1]) / 2.0
    right, up = turned(corners[:, 0], corners[:, 1], corners[:, 2], angle)
    pairs = [(i, j) for i in range(8) for j in range(i) if bin(i ^ j).count("1") == 1]
    return [(right[i], up[i], right[j], up[j]) for i, j in pairs]


def angle_of(share: float) -> float:
    """The turn after a share of a film: once around, from a corner on."""
    return pi / 6 + 2 * pi * share
