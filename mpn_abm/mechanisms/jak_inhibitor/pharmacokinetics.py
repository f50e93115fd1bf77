"""Concentration and occupancy of an oral drug in one compartment.

With gut amount G and plasma concentration C, dG/dt = -a G and dC/dt = a G - k C, both advanced exactly;
amounts are in units of the concentration that they would make. Occupancy is C / (C + IC50).
"""

import math
from typing import NamedTuple

import numpy as np

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import decay


class DrugRules(NamedTuple):
    """The treatments of a scenario, one entry each; times in days.

    Only oral drugs have ``interval`` > 0. ``follows`` is 1 where steps are short enough to follow C(t);
    else a step sees the mean over a dosing interval at steady state.
    """

    follows: int
    start_step: np.ndarray  # int64[T]
    stop_step: np.ndarray  # int64[T]  first step without the drug
    interval: np.ndarray  # float64[T] days between doses
    doses: np.ndarray  # int64[T] doses in all
    amount: np.ndarray  # float64[T] concentration that one dose would make, nM
    absorption: np.ndarray  # float64[T] 1/day
    elimination: np.ndarray  # float64[T] 1/day
    ic50: np.ndarray  # float64[T] nM, of this patient
    mean_occupancy: np.ndarray  # float64[T]
    mean_concentration: np.ndarray  # float64[T] nM
    infusion_step: np.ndarray  # int64[I] step of each infusion of CAR T cells, ascending
    infusion_treatment: np.ndarray  # int64[I]
    infusion_agents: np.ndarray  # int64[I] agents; -1 if by the ratio
    infusion_ratio: np.ndarray  # float64[I] agents per antigen-positive cell
    infusion_by_faces: np.ndarray  # uint8[I] 1 if they enter from the faces of the lattice


def amount_per_dose(peak: float, absorption: float, elimination: float) -> float:
    """Concentration that a dose makes if it were not eliminated, from the peak after a first dose."""
    ratio = absorption / elimination
    return peak * ratio ** (1.0 / (ratio - 1.0)) if abs(ratio - 1.0) > 1e-9 else peak * math.e


def steady_state(
    times: np.ndarray, interval: float, amount: float, absorption: float, elimination: float
) -> np.ndarray:
    """Concentration at times after a dose, once doses every ``interval`` have gone on for long."""
    a, k = absorption, elimination
    eliminated = np.exp(-k * times) / -np.expm1(-k * interval)
    absorbed = np.exp(-a * times) / -np.expm1(-a * interval)
    concentration: np.ndarray = amount * a / (a - k) * (eliminated - absorbed)
    return concentration


def steady_means(
    interval: float, amount: float, absorption: float, elimination: float, ic50: float
) -> tuple[float, float]:
    """Mean occupancy and mean concentration over a dosing interval at steady state (Simpson's rule)."""
    times = np.linspace(0.0, interval, 2001)
    concentration = steady_state(times, interval, amount, absorption, elimination)
    weights = np.ones(2001)
    weights[1:-1:2], weights[2:-1:2] = 4.0, 2.0
    weights /= weights.sum()
    occupancy = concentration / (concentration + ic50)
    return float(weights @ occupancy), float(weights @ concentration)


@jit
def advance(gut, plasma, absorption, elimination, dt):
    """Gut and plasma after dt without a dose."""
    absorbed = decay(absorption * dt)
    eliminated = decay(elimination * dt)
    return gut * absorbed, plasma * eliminated + gut * absorption / (absorption - elimination) * (eliminated - absorbed)
