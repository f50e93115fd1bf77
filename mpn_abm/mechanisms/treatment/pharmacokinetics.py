"""Concentration and occupancy of an oral drug in one compartment.

With gut amount G and plasma concentration C, dG/dt = -a G and dC/dt = a G - k C, both advanced exactly;
amounts are in units of the concentration that they would make. Occupancy is C / (C + IC50).
"""

import math

import numpy as np

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import decay


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
def steady_at(time, interval, amount, absorption, elimination):
    """``steady_state`` at one time after a dose."""
    eliminated = decay(elimination * time) / (1.0 - decay(elimination * interval))
    absorbed = decay(absorption * time) / (1.0 - decay(absorption * interval))
    return amount * absorption / (absorption - elimination) * (eliminated - absorbed)


@jit
def advance(gut, plasma, absorption, elimination, dt):
    """Gut and plasma after dt without a dose."""
    absorbed = decay(absorption * dt)
    eliminated = decay(elimination * dt)
    return gut * absorbed, plasma * eliminated + gut * absorption / (absorption - elimination) * (eliminated - absorbed)
