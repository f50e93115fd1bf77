"""Cytokine activates myofibroblasts, which lay down scar; without them it resolves.

C = local mean of c_g A_g over the cells; dm/dt = a C/(C+1) (1 - m) - b m;
dE/dt = k q m (1 - E) - r E. Both are advanced with exact exponentials over the interval between two
updates of the fields, E with the mean of m over it.
"""

from typing import NamedTuple

import numpy as np

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import decay
from mpn_abm.kernels.field import solve
from mpn_abm.state import FIELD_CYCLES, SCARRED

# smaller fields are 0, so that a scar that fades never becomes a denormal number, which would be slow
NEGLIGIBLE = 1e-200
STILL = 1e-9
STRONGEST = 10.0


class ScarRules(NamedTuple):
    """Constants of scarring; B blocks."""

    enabled: int
    tissue: int  # 1: cytokine decays over decay_length; 0: mean over the homing radius
    every: int  # steps between two updates
    interval: float  # the same in days
    cytokine: np.ndarray  # float64[bases]  c_g
    activation: float  # 1/day
    deactivation: float  # 1/day
    deposition: float  # 1/day
    resolution: float  # 1/day
    patient_drive: float  # q where no scar is placed
    decay_length: float  # sites
    block_sites: np.ndarray  # float64[B]
    axis_weights: np.ndarray  # float64[2 reach + 1]  of the blocks around, one axis
    mean_weight: np.ndarray  # float64[B]  1 / weighted sites around


@jit
def fold_block(k, length, reflecting):
    """Index of a block beyond the border; lattices may be narrower than the reach."""
    if reflecting:
        k = k % (2 * length)
        return k if k < length else 2 * length - 1 - k
    return k % length


@jit
def sum_along_rows(values, out, width, weights, reflecting):
    """Weighted sum of the blocks before and after in a row, for every row."""
    reach = weights.shape[0] // 2
    inner = min(reach, width), max(min(reach, width), width - reach)
    for start in range(0, values.shape[0], width):
        row, total = values[start : start + width], out[start : start + width]
        for x in range(width):
            total[x] = 0.0
        for r in range(-reach, reach + 1):
            weight = weights[r + reach]
            for x in range(inner[0], inner[1]):
                total[x] += weight * row[x + r]
            for x in range(inner[0]):
                total[x] += weight * row[fold_block(x + r, width, reflecting)]
            for x in range(inner[1], width):
                total[x] += weight * row[fold_block(x + r, width, reflecting)]


@jit
def sum_across_rows(values, out, outer, length, inner, weights, reflecting):
    """Weighted sum along the middle axis of values[outer, length, inner]."""
    reach = weights.shape[0] // 2
    for o in range(outer):
        for j in range(length):
            at = (o * length + j) * inner
            total = out[at : at + inner]
            for i in range(inner):
                total[i] = 0.0
            for r in range(-reach, reach + 1):
                k = j + r
                if k < 0 or k >= length:
                    k = fold_block(k, length, reflecting)
                there = (o * length + k) * inner
                row = values[there : there + inner]
                weight = weights[r + reach]
                for i in range(inner):
                    total[i] += weight * row[i]


@jit
def sum_around(values, scratch, rules, lattice):
    """Weighted sum over the blocks within the homing radius, in place."""
    height, width = lattice.block_height, lattice.block_width
    depth = lattice.blocks // (height * width)
    sum_along_rows(values, scratch, width, rules.axis_weights, lattice.reflecting)
    if depth == 1:
        sum_across_rows(scratch, values, 1, height, width, rules.axis_weights, lattice.reflecting)
        return
    sum_across_rows(scratch, values, depth, height, width, rules.axis_weights, lattice.reflecting)
    sum_across_rows(values, scratch, 1, depth, height * width, rules.axis_weights, lattice.reflecting)
    for b in range(lattice.blocks):
        values[b] = scratch[b]


@jit
def spread_cytokine(ground, count, base, activity, tally, rules, levels, lattice):
    """Cytokine of every block from the cells and their activity, in place.

    Parameters
    ----------
    ground : Ground, ``cytokine`` written
    count, base : int64[G]
        Cells and signalling base of each genotype.
    activity : float64[bases]
    levels : Levels
        Of the multigrid solver; used at tissue scale.
    """
    source, cytokine, work = ground.source, ground.cytokine, ground.work
    blocks = lattice.blocks
    secreted = work[:blocks]
    secreted[:] = 0.0
    silent = True
    for b in range(activity.shape[0]):
        cells = 0
        for g in range(1, count.shape[0]):
            cells += count[g] if base[g] == b else 0
        per_cell = rules.cytokine[b] * activity[b]
        if cells == 0 or per_cell == 0.0:
            continue
        silent = False
        here = source[b]
        for k in range(blocks):
            secreted[k] += here[k] * per_cell
    if silent:
        cytokine[:] = 0.0
        return
    if rules.tissue == 1:
        for b in range(blocks):
            secreted[b] /= rules.block_sites[b]
        tally[FIELD_CYCLES] = solve(levels, secreted, rules.decay_length, cytokine, work[blocks:], 1e-6, 60)
        for b in range(blocks):
            cytokine[b] = max(0.0, cytokine[b])
        return
    sum_around(secreted, work[blocks : 2 * blocks], rules, lattice)
    for b in range(blocks):
        cytokine[b] = secreted[b] * rules.mean_weight[b]


@jit
def grow_scar(ground, tally, rules, modified):
    """Advance myofibroblasts and ECM over one interval, in place, then take stock of the scar.

    Parameters
    ----------
    ground : Ground
        ``myofibroblast``, ``ecm``, ``scar`` and ``summary`` are written.
    modified : float
        What modifiers multiply deposition by.
    """
    dt = rules.interval
    cytokine, active, ecm, drive = ground.cytokine, ground.myofibroblast, ground.ecm, ground.drive
    activation, deactivation = rules.activation, rules.deactivation
    deposition, resolution = rules.deposition * modified, rules.resolution
    for b in range(ecm.shape[0]):
        c = cytokine[b]
        gain = activation * c / (c + 1.0)
        rate = gain + deactivation + NEGLIGIBLE
        balance = gain / rate
        left = decay(rate * dt)
        apart = active[b] - balance
        # the mean of an exponential over the interval; where nothing turns over, it stays as it is
        mean = balance + apart * ((1.0 - left) / (rate * dt) if rate * dt > STILL else 1.0)
        m = balance + apart * left
        laid = deposition * drive[b] * mean
        turnover = laid + resolution + NEGLIGIBLE
        settled = laid / turnover
        e = settled + (ecm[b] - settled) * decay(turnover * dt)
        active[b] = m if m > NEGLIGIBLE else 0.0
        ecm[b] = e if e > NEGLIGIBLE else 0.0
    take_stock(ground, tally, rules)


@jit
def take_stock(ground, tally, rules):
    """Scar bytes, the mean ECM and the WHO grade (the highest on 30 % of the marrow), from the ECM."""
    ecm, scar, sites = ground.ecm, ground.scar, rules.block_sites
    total = 0.0
    extent = 0.0
    one = 0.0
    two = 0.0
    three = 0.0
    highest = 0.0
    for b in range(ecm.shape[0]):
        e = ecm[b]
        n = sites[b]
        total += e * n
        extent += n
        graded = 3.5 * e
        one += n if graded >= 0.5 else 0.0
        two += n if graded >= 1.5 else 0.0
        three += n if graded >= 2.5 else 0.0
        highest = max(highest, e)
        scar[b] = np.uint8(e * 255.0 + 0.5)
    enough = 0.3 * extent
    grade = 0.0
    if one >= enough:
        grade = 1.0
    if two >= enough:
        grade = 2.0
    if three >= enough:
        grade = 3.0
    ground.summary[0] = total / extent
    ground.summary[1] = grade
    tally[SCARRED] = np.int64(highest * 255.0 + 0.5)


@jit
def balance_of_myofibroblasts(cytokine, rules):
    """Active fraction m that stands still under a cytokine."""
    gain = rules.activation * cytokine / (cytokine + 1.0)
    return gain / (gain + rules.deactivation + NEGLIGIBLE)


@jit
def settle_scar(ground, rules):
    """Put the placed scar at balance with the untreated clone of day 0.

    Myofibroblasts stand at balance. Where there is scar and cytokine, the drive q is solved so that the ECM
    stands still; elsewhere it is the patient's. A block that the clone hardly reaches would need a huge drive, and
    would turn to dense scar as soon as the clone came: q is at most STRONGEST times what the mean cytokine of the
    scarred blocks asks for, and such a block slowly loses its scar.
    """
    ecm, cytokine = ground.ecm, ground.cytokine
    reached = 0
    total = 0.0
    for b in range(ecm.shape[0]):
        if ecm[b] > 0.0 and cytokine[b] > 0.0:
            reached += 1
            total += cytokine[b]
    typical = balance_of_myofibroblasts(total / max(reached, 1), rules)
    for b in range(ecm.shape[0]):
        m = balance_of_myofibroblasts(cytokine[b], rules)
        ground.myofibroblast[b] = m
        ground.drive[b] = rules.patient_drive
        if ecm[b] > 0.0 and m > 0.0 and rules.deposition > 0.0 and ecm[b] < 1.0:
            wanted = rules.resolution * ecm[b] / (rules.deposition * (1.0 - ecm[b]))
            ground.drive[b] = wanted / max(m, typical / STRONGEST)


def overlap_weights(radius: int) -> np.ndarray:
    """Share of the window of ``2 radius + 1`` sites around a site of a block of 4 that lies in each block around.

    Averaged over the four sites of the block.
    """
    reach = (radius + 3) // 4
    weights = np.zeros(2 * reach + 1)
    for site in range(4):
        for other in range(site - radius, site + radius + 1):
            weights[other // 4 + reach] += 1.0
    mean: np.ndarray = weights / (4.0 * (2 * radius + 1))
    return mean
