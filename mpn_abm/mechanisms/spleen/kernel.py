"""Spleen volume and symptoms.

dV/dt = (V_inf - V)/28 d, V_inf = 200 ml + 4,500 ml (0.1 + E) x [0.30 + 0.38 A + 0.32 (1 - I_JAK1)(1 + rho P off drug)]
summed over the mutant genotypes, x their share of the cells. The symptom score likewise, without a base.
"""

from typing import NamedTuple

import numpy as np

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.relaxation import relax
from mpn_abm.state import HELD_JAK1, HELD_JAK2, SPLEEN, SYMPTOMS


class SpleenRules(NamedTuple):
    """Constants of spleen and symptoms."""

    enabled: int
    is_mutant: np.ndarray  # uint8[bases]
    rebound: np.ndarray  # float64[bases]  rho
    on_drug: float  # occupancy
    normal: float  # ml
    gain: np.ndarray  # float64[2]  ml, score
    weight: np.ndarray  # float64[2, 3]  clone, activity, JAK1 cytokines
    time: np.ndarray  # float64[2]  days


@jit
def standing_organ(organ, body, signal, scar, rules):
    """What the volume or the score would stand at."""
    weight = rules.weight[organ]
    off = signal.response[HELD_JAK2] <= rules.on_drug
    total = 0.0
    for b in range(body.share.shape[0]):
        if rules.is_mutant[b] == 1 and body.share[b] > 0.0:
            cytokine = 1.0 - signal.response[HELD_JAK1]
            if off:
                cytokine *= 1.0 + rules.rebound[b] * signal.persistence[b]
            total += body.share[b] * (weight[0] + weight[1] * signal.activity[b] + weight[2] * cytokine)
    return rules.gain[organ] * (0.1 + scar) * total + (rules.normal if organ == 0 else 0.0)


@jit
def settle_spleen(body, signal, scar, rules):
    """Day 0: at balance."""
    body.reading[SPLEEN] = standing_organ(0, body, signal, scar, rules)
    body.reading[SYMPTOMS] = standing_organ(1, body, signal, scar, rules)


@jit
def fill_spleen(body, signal, scar, rules, dt):
    """Advance volume and score over one step, in place."""
    volume = standing_organ(0, body, signal, scar, rules)
    score = standing_organ(1, body, signal, scar, rules)
    body.reading[SPLEEN], _ = relax(body.reading[SPLEEN], volume, dt / rules.time[0])
    body.reading[SYMPTOMS], _ = relax(body.reading[SYMPTOMS], score, dt / rules.time[1])
