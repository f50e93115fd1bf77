"""How much antigen the cells show now, and how T cells respond to it.

a = a0 x phase x (1 + (m - 1) X/(X + 1)) x modifiers, X the exposure to eltrombopag; lysis h(a) and activation g(a) are
a^n/(a^n + half^n), each with a half of its own. Progenitors and megakaryocytes carry 4 a0.
"""

from typing import NamedTuple

import numpy as np

from mpn_abm.kernels.compiler import jit
from mpn_abm.state import ANTIGEN_DENSITY, ELTROMBOPAG


class AntigenRules(NamedTuple):
    """Constants of the antigen; class 0 carries none."""

    molecules: np.ndarray  # float64[classes, 256]  by antigen byte, in the chronic phase without drugs
    progenitor: np.ndarray  # float64[classes]  median of progenitors and megakaryocytes
    base: np.ndarray  # int64[classes]  a signalling base that carries the class
    always_late: np.ndarray  # uint8[classes]  1 where the molecules have the phase factor already
    late_factor: float
    highest: float  # factor at saturating eltrombopag
    lysis_half: float
    activation_half: float
    steepness: float  # n of both responses
    background: float  # attachment to cells without antigen over that to saturated ones


@jit
def response(molecules, half, steepness):
    """a^n/(a^n + half^n): the part of the full response that T cells give to so many molecules."""
    power = (molecules / half) ** steepness
    return power / (power + 1.0)


@jit
def show_antigen(immunity, signal, late, rules):
    """Bring densities and responses up to date where a factor has changed, in place.

    Parameters
    ----------
    immunity : Immunity, ``density``, ``lysis``, ``activation`` and those of progenitors written
    late : int
        1 from the accelerated phase on.
    """
    exposure = signal.medication[ELTROMBOPAG]
    receptor = 1.0 + (rules.highest - 1.0) * exposure / (exposure + 1.0)
    for c in range(1, rules.molecules.shape[0]):
        factor = receptor * signal.factor[ANTIGEN_DENSITY, rules.base[c]]
        if late == 1 and rules.always_late[c] == 0:
            factor *= rules.late_factor
        if factor == immunity.density[c]:
            continue
        immunity.density[c] = factor
        for byte in range(256):
            a = rules.molecules[c, byte] * factor
            immunity.lysis[c, byte] = response(a, rules.lysis_half, rules.steepness)
            immunity.activation[c, byte] = response(a, rules.activation_half, rules.steepness)
        a = rules.progenitor[c] * factor
        immunity.lysis_progenitor[c] = response(a, rules.lysis_half, rules.steepness)
        immunity.activation_progenitor[c] = response(a, rules.activation_half, rules.steepness)
