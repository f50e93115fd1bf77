"""JAK/STAT activity under a type I inhibitor: persistence builds up, and rebounds after withdrawal."""

from typing import NamedTuple

import numpy as np

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import decay
from mpn_abm.state import TYPE_1


class SignalRules(NamedTuple):
    """Constants of signalling; one entry per signalling base where an array."""

    enabled: int
    trans_activation: float  # theta
    onset: float  # days
    decay: float  # days
    on_drug: float  # occupancy
    rebound: np.ndarray  # float64[bases]  rho
    persists: np.ndarray  # uint8[bases]   1 where mutant JAK/STAT signalling persists


@jit
def relax(value, target, x):
    """Exponential approach over x time constants: the value reached, and its mean on the way."""
    left = decay(x)
    mean_left = (1.0 - left) / x if x > 1e-6 else 1.0 - 0.5 * x
    return target + (value - target) * left, target + (value - target) * mean_left


@jit
def signal_in_cells(signal, rules, dt):
    """Persistence P and activity A of every signalling base over one step, in place.

    On the drug dP/dt = (I - P)/onset and A = (1 - I) + theta P; off it dP/dt = -P/decay and
    A = 1 + rho P. A uses the exact mean of P over the step, so that the step length hardly matters.
    The wild type builds up no persistence.

    Parameters
    ----------
    signal : Signal, ``activity`` and ``persistence`` written, ``medication`` read
    """
    if rules.enabled == 0:
        return
    inhibited = signal.medication[TYPE_1]
    on = inhibited > rules.on_drug
    for b in range(signal.activity.shape[0]):
        if rules.persists[b] == 0:
            signal.activity[b] = 1.0 - inhibited
        elif on:
            reached, mean = relax(signal.persistence[b], inhibited, dt / rules.onset)
            signal.persistence[b] = reached
            signal.activity[b] = (1.0 - inhibited) + rules.trans_activation * mean
        else:
            reached, mean = relax(signal.persistence[b], 0.0, dt / rules.decay)
            signal.persistence[b] = reached
            signal.activity[b] = (1.0 - inhibited) + rules.rebound[b] * mean
