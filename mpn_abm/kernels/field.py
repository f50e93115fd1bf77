"""A fast field, such as a cytokine, in balance with its sources.

What diffuses and decays within hours is at rest on the scale of a day. With diffusion constant D,
decay rate k and decay length L = sqrt(D / k), in sites,

    (1 - L^2 laplacian) C = s,

where s is production / k: the concentration that would stand without transport, in the unit of C.
The lattice is cut into blocks, the product of one list of widths per axis; a layer is one block
deep. Finite volumes, with volume V of a block, area A of a face and distance d of the centres on
its two sides, and no face at a reflecting border, read

    V_i C_i + L^2 sum_j (A_ij / d_ij) (C_i - C_j) = V_i s_i,

so that sum V C = sum V s. The code has this divided by V_i, where A / (d V) is 1 / (d w), w the
width across the face: an M-matrix with row sums 1, so no error exceeds the largest residual.

The solver is cell-centred multigrid (an introduction: W. L. Briggs, V. E. Henson, S. F. McCormick,
A Multigrid Tutorial, 2nd ed., SIAM 2000). Each level merges pairs of cells along every axis, a last
odd one stays alone, down to one cell, and has the same equation with the merged widths. A cycle
smooths on the way up only: the residual is merged down through all levels, then each level
interpolates the correction of the coarser one and improves it by Gauss-Seidel. Interpolation is
linear; piecewise constant, this cycle can diverge when L spans many blocks. All loops are serial
and in fixed order, so the same input gives the same bits.
"""

from typing import NamedTuple

import numpy as np

from mpn_abm.kernels.compiler import allocating_jit

SWEEPS = 2  # of Gauss-Seidel, per level and cycle; 1 takes more time per digit, 3 as much


class Levels(NamedTuple):
    """The blocks, level 0, and their mergers; axes are z, y, x, padded to the longest."""

    shape: np.ndarray  # int64[levels, 3], cells along each axis
    first: np.ndarray  # int64[levels + 1], first cell of each level, all levels in one row
    before: np.ndarray  # float64[levels, 3, longest], 1 / (d w) to the cell before, 1/sites^2
    after: np.ndarray  # float64[levels, 3, longest], 1 / (d w) to the cell after
    share: np.ndarray  # float64[levels, 3, longest], fraction of the width of the merged cell
    beside: np.ndarray  # int64[levels, 3, longest], merged cell on the nearer side of one's own
    weight: np.ndarray  # float64[levels, 3, longest], its weight in interpolation


def plan_levels(widths_z, widths_y, widths_x, periodic) -> Levels:
    """Lay out all levels for blocks of these widths (sites); once per lattice."""
    levels = [[np.asarray(w, dtype=np.float64) for w in (widths_z, widths_y, widths_x)]]
    while max(len(w) for w in levels[-1]) > 1:
        levels.append([np.add.reduceat(w, np.arange(0, len(w), 2)) for w in levels[-1]])
    shape = np.array([[len(w) for w in axes] for axes in levels], dtype=np.int64)
    first = np.concatenate(([0], np.cumsum(shape.prod(axis=1))))
    before, after, share, weight = np.zeros((4, len(levels), 3, shape.max()))
    beside = np.zeros(before.shape, dtype=np.int64)
    for level, axes in enumerate(levels):
        for axis, w in enumerate(axes):
            at = level, axis, slice(len(w))
            before[at], after[at] = _couple(w, periodic)
            if level + 1 < len(levels):
                merged = levels[level + 1][axis]
                share[at], beside[at], weight[at] = _merge(w, merged, periodic)
    return Levels(shape, first, before, after, share, beside, weight)


def work_length(plan) -> int:
    """Length of the scratch of `solve`."""
    return 2 * int(plan.first[-1])


def _couple(w, periodic):
    """1 / (d w) of each cell with the one before and the one after."""
    per_distance = 2 / (w + np.roll(w, 1))
    if len(w) == 1 or not periodic:
        per_distance[0] = 0.0
    return per_distance / w, np.roll(per_distance, -1) / w


def _merge(w, merged, periodic):
    """Each cell's share of its merged cell, the next nearest merged cell and its weight."""
    own = np.arange(len(w)) // 2
    offset = (np.cumsum(w) - w / 2) - (np.cumsum(merged) - merged / 2)[own]
    beside = own + np.sign(offset).astype(np.int64)
    beside = beside % len(merged) if periodic else beside.clip(0, len(merged) - 1)
    distance = (merged[own] + merged[beside]) / 2
    return w / merged[own], beside, np.where(beside == own, 0.0, np.abs(offset) / distance)


@allocating_jit
def solve(plan, source, decay_length, field, work, tolerance=1e-6, most_cycles=50):
    """Bring the field into balance with its source, from where it stands; return the cycles used.

    Stops when the residual is at most tolerance * max|s| in every block. Then so is the error, and
    a C that should be zero may be negative by as much. A last shift by the mean residual, counted
    in, makes sum V C equal sum V s to rounding even where `most_cycles` ends it before.

    Parameters
    ----------
    plan : Levels
        From `plan_levels`.
    source : float64[blocks]
        Mean source density s of each block, unit of C; x runs fastest, then y.
    decay_length : float
        L, sites.
    field : float64[blocks], written
        C on return; on entry the start, best the last solution.
    work : float64[work_length(plan)], written
        Scratch of one thread; its content does not matter.
    """
    square = decay_length * decay_length
    strongest = np.abs(source).max()
    if strongest == 0.0:
        field[:] = 0.0
        return 0
    cells, coarsest = plan.first[-1], len(plan.shape) - 1
    residual, correction = work[:cells], work[cells : 2 * cells]
    cycles = 0
    while True:
        low, high = _find_residual(plan, square, source, field, residual)
        for level in range(coarsest):
            _restrict(plan, level, residual)
        mean = residual[-1]
        if max(high - mean, mean - low) <= tolerance * strongest or cycles == most_cycles:
            field += mean
            return cycles
        correction[-1] = mean
        for level in range(coarsest - 1, -1, -1):
            _prolong(plan, level, correction)
            for _ in range(SWEEPS):
                _smooth(plan, level, square, residual, correction)
        field += correction[: len(field)]
        cycles += 1


@allocating_jit
def _grid(plan, level, cells):
    """The cells of one level as [z, y, x]."""
    nz, ny, nx = plan.shape[level, 0], plan.shape[level, 1], plan.shape[level, 2]
    return cells[plan.first[level] : plan.first[level + 1]].reshape((nz, ny, nx))


@allocating_jit
def _beside(k, n):
    """The indices before and after k on a ring of n."""
    return (k if k > 0 else n) - 1, k + 1 if k + 1 < n else 0


@allocating_jit
def _find_residual(plan, square, source, field, residual):
    """Write r = s - C + L^2 laplacian C and return its lowest and highest value."""
    s, c, r = _grid(plan, 0, source), _grid(plan, 0, field), _grid(plan, 0, residual)
    nz, ny, nx = s.shape
    before, after, low, high = plan.before[0], plan.after[0], np.inf, -np.inf
    for z in range(nz):
        z0, z1 = _beside(z, nz)
        for y in range(ny):
            y0, y1 = _beside(y, ny)
            for x in range(nx):
                x0, x1 = _beside(x, nx)
                here = c[z, y, x]
                in_z = before[0, z] * (c[z0, y, x] - here) + after[0, z] * (c[z1, y, x] - here)
                in_y = before[1, y] * (c[z, y0, x] - here) + after[1, y] * (c[z, y1, x] - here)
                in_x = before[2, x] * (c[z, y, x0] - here) + after[2, x] * (c[z, y, x1] - here)
                r[z, y, x] = s[z, y, x] - here + square * (in_z + in_y + in_x)
                low, high = min(low, r[z, y, x]), max(high, r[z, y, x])
    return low, high


@allocating_jit
def _restrict(plan, level, residual):
    """Merge the residual to its means by volume, which leaves the sum of V r as it is."""
    r, merged = _grid(plan, level, residual), _grid(plan, level + 1, residual)
    nz, ny, nx = r.shape
    share = plan.share[level]
    merged[:] = 0.0
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                part = share[0, z] * share[1, y] * share[2, x]
                merged[z // 2, y // 2, x // 2] += part * r[z, y, x]


@allocating_jit
def _prolong(plan, level, correction):
    """Interpolate the correction linearly, axis by axis, from the next coarser level."""
    e, merged = _grid(plan, level, correction), _grid(plan, level + 1, correction)
    nz, ny, nx = e.shape
    beside, weight = plan.beside[level], plan.weight[level]
    row = np.empty(merged.shape[2])
    for z in range(nz):
        near_z, far_z, q = z // 2, beside[0, z], weight[0, z]
        for y in range(ny):
            near_y, far_y, p = y // 2, beside[1, y], weight[1, y]
            for x in range(len(row)):
                near = (1 - p) * merged[near_z, near_y, x] + p * merged[near_z, far_y, x]
                far = (1 - p) * merged[far_z, near_y, x] + p * merged[far_z, far_y, x]
                row[x] = (1 - q) * near + q * far
            for x in range(nx):
                e[z, y, x] = (1 - weight[2, x]) * row[x // 2] + weight[2, x] * row[beside[2, x]]


@allocating_jit
def _smooth(plan, level, square, residual, correction):
    """One Gauss-Seidel sweep of (1 - L^2 laplacian) e = r, cell after cell."""
    r, e = _grid(plan, level, residual), _grid(plan, level, correction)
    nz, ny, nx = r.shape
    before, after = plan.before[level], plan.after[level]
    for z in range(nz):
        z0, z1 = _beside(z, nz)
        bz, az = square * before[0, z], square * after[0, z]
        for y in range(ny):
            y0, y1 = _beside(y, ny)
            by, ay = square * before[1, y], square * after[1, y]
            for x in range(nx):
                x0, x1 = _beside(x, nx)
                bx, ax = square * before[2, x], square * after[2, x]
                from_zy = bz * e[z0, y, x] + az * e[z1, y, x] + by * e[z, y0, x] + ay * e[z, y1, x]
                known = r[z, y, x] + from_zy + ax * e[z, y, x1]
                scale = 1.0 / (1.0 + bz + az + by + ay + bx + ax)
                # e[z, y, x0] was just written; entering last, it is waited for least
                e[z, y, x] = known * scale + (bx * scale) * e[z, y, x0]
