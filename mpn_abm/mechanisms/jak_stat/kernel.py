"""JAK/STAT activity under drugs: persistence builds up under a type I inhibitor and rebounds after withdrawal."""

from typing import NamedTuple

import numpy as np

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.relaxation import relax
from mpn_abm.state import ANTI_CALR, HELD_JAK1, HELD_JAK2, HSP90, JAK1, RESPONSE_LOST_STEP, TYPE_1, TYPE_2


class SignalRules(NamedTuple):
    """Constants of signalling; one entry per signalling base where an array."""

    enabled: int
    trans_activation: float  # theta
    onset: float  # days
    decay: float  # days
    on_drug: float  # occupancy
    rebound: np.ndarray  # float64[bases]  rho
    persists: np.ndarray  # uint8[bases]   1 where mutant JAK/STAT signalling persists
    turnover: float  # of JAK2 protein, 1/day
    hsp90: np.ndarray  # float64[bases]  h
    antibody: np.ndarray  # float64[bases]  part of the activity that an antibody takes at full exposure
    left_response: float  # factor on I once the response is lost


@jit
def signal_in_cells(signal, tally, rules, dt):
    """Protein J, persistence P and activity A of every signalling base over one step, in place.

    dJ/dt = k (1/(1 + h H) - J). On a type I inhibitor dP/dt = (I - P)/onset and A = J [(1 - I) + theta P] (1 - I2);
    off it dP/dt = -P/decay and A = J (1 + rho P) (1 - I2). A uses the exact means of J and P over the step, so that
    the step length hardly matters. The wild type builds up no persistence. Once the response is lost, I counts less
    in all that mutant cells do.

    Parameters
    ----------
    signal : Signal, ``activity``, ``persistence``, ``protein`` and ``response`` written, ``medication`` read
    """
    if rules.enabled == 0:
        return
    medication = signal.medication
    counts = rules.left_response if tally[RESPONSE_LOST_STEP] > 0 else 1.0
    held = medication[TYPE_1] * counts
    signal.response[HELD_JAK2] = held
    signal.response[HELD_JAK1] = medication[JAK1] * counts
    free_of_type_2 = 1.0 - medication[TYPE_2]
    antibody = min(1.0, medication[ANTI_CALR])
    on = held > rules.on_drug
    for b in range(signal.activity.shape[0]):
        reached, protein = relax(
            signal.protein[b], 1.0 / (1.0 + rules.hsp90[b] * medication[HSP90]), dt * rules.turnover
        )
        signal.protein[b] = reached
        if rules.persists[b] == 0:
            active = 1.0 - medication[TYPE_1]
        elif on:
            reached, mean = relax(signal.persistence[b], held, dt / rules.onset)
            signal.persistence[b] = reached
            active = (1.0 - held) + rules.trans_activation * mean
        else:
            reached, mean = relax(signal.persistence[b], 0.0, dt / rules.decay)
            signal.persistence[b] = reached
            active = (1.0 - held) + rules.rebound[b] * mean
        signal.activity[b] = protein * active * free_of_type_2 * (1.0 - rules.antibody[b] * antibody)
