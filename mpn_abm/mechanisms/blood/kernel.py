"""Progenitor output and blood counts.

Output of a genotype O = n (1 + b A); its share in granulocytes sets the variant allele fraction. A count stands at
[1 + sum G x A](1 - r E)(1 - d I) 1.05 F/(F + 0.05) of its normal value, x the share of the genotype in the cells, F the
filled share of the niches, and follows through three transit compartments.
"""

from typing import NamedTuple

import numpy as np

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.relaxation import relax
from mpn_abm.state import TYPE_1

PLATELETS, RED_CELLS, WHITE_CELLS = range(3)


class BloodRules(NamedTuple):
    """Constants of the blood; lines are platelets, red and white cells."""

    enabled: int
    granulocytes: np.ndarray  # float64[bases]  b
    gain: np.ndarray  # float64[3, bases]  G
    scar_cost: np.ndarray  # float64[3]  r
    drug_cost: np.ndarray  # float64[3]  d
    lag: np.ndarray  # float64[3]  days, of all compartments together
    reserve_half: float
    normal: np.ndarray  # float64[3]  per nl, haematocrit, per nl
    hemoglobin: float  # g/l at a haematocrit of 1


@jit
def share_cells(count, base, share):
    """x_g: cells of each signalling base over all cells, in place; all 0 in an empty marrow."""
    share[:] = 0.0
    total = 0
    for g in range(1, count.shape[0]):
        if count[g] > 0:
            share[base[g]] += count[g]
            total += count[g]
    if total > 0:
        for b in range(share.shape[0]):
            share[b] /= total


@jit
def put_out(body, activity, rules):
    """Share of each base in the granulocyte output, in place; the cells' own without the mechanism."""
    total = 0.0
    for b in range(body.share.shape[0]):
        body.output[b] = body.share[b]
        if rules.enabled == 1:
            body.output[b] *= 1.0 + rules.granulocytes[b] * activity[b]
        total += body.output[b]
    if total > 0.0:
        for b in range(body.share.shape[0]):
            body.output[b] /= total


@jit
def standing_count(line, body, activity, inhibited, scar, filled, rules):
    """The count at which a line would stand, over normal."""
    drive = 1.0
    for b in range(body.share.shape[0]):
        drive += rules.gain[line, b] * body.share[b] * activity[b]
    reserve = (1.0 + rules.reserve_half) * filled / (filled + rules.reserve_half)
    return drive * (1.0 - rules.scar_cost[line] * scar) * (1.0 - rules.drug_cost[line] * inhibited) * reserve


@jit
def settle_blood(body, activity, scar, filled, rules):
    """Day 0: every line at balance."""
    for line in range(3):
        body.blood[line, :] = standing_count(line, body, activity, 0.0, scar, filled, rules)


@jit
def make_blood(body, signal, scar, filled, rules, dt):
    """Advance the counts over one step, in place; each compartment follows the mean of the one before."""
    for line in range(3):
        x = dt * 3.0 / rules.lag[line]
        inflow = standing_count(line, body, signal.activity, signal.medication[TYPE_1], scar, filled, rules)
        for k in range(3):
            body.blood[line, k], inflow = relax(body.blood[line, k], inflow, x)
