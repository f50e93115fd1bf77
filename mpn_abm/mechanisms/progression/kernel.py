"""Phases by blasts, loss of response, and death.

Chronic below 10 % blasts, accelerated from there, blast from 20 %, and never past the accelerated phase. Hazards are
frozen for a step; each has a number of its own in the stream of the patient, so that arms share their draws.
"""

from typing import NamedTuple

import numpy as np
from numba import uint64

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import PATIENT, chance, decay, words
from mpn_abm.state import (
    PHASE,
    RESPONSE_LOST_STEP,
    SPLEEN,
    TRANSPLANT_STEP,
    TRANSPLANT_TREATMENT,
    TYPE_1,
)

CHRONIC, ACCELERATED, BLAST = range(3)
ET, PV, PMF = range(3)
YEAR = 365.25
# numbers of the hazards
RESPONSE_HAZARD, BACKGROUND_HAZARD, DISEASE_HAZARD, TRANSPLANT_HAZARD = 1, 2, 3, 4


class ProgressionRules(NamedTuple):
    """Constants of phases and death; rates per day."""

    enabled: int
    mortal: int
    disease: int
    is_transformed: np.ndarray  # uint8[G]
    is_mutant: np.ndarray  # uint8[bases]
    is_calr: np.ndarray  # uint8[bases]
    accelerated: float
    blast: float
    background: float  # on day 0
    ageing: float  # growth of that, 1/day
    chronic: np.ndarray  # float64[diseases]
    scarred: float
    spleen: float  # ml
    calr_factor: float
    late: np.ndarray  # float64[phases]
    burden_half: float
    response_loss: float
    response_needs: float  # occupancy of a drug to whose loss one can come
    transplant: np.ndarray  # float64[2]  first year, later
    mismatched: np.ndarray  # float64[T]  factor of the transplant's donor, 0 without a transplant
    first_year: np.ndarray  # float64[T]  rate in the first year that a treatment states, -1 if none; 1/day
    humane: float  # share of the sites, 2 if there is no such endpoint


@jit
def strikes(hazard, number, step, key_low, key_high):
    """Whether a hazard (its mean number in the step) comes true."""
    if hazard <= 0.0:
        return False
    w0, _, _, _ = words(number, step, PATIENT, 0, key_low, key_high)
    return uint64(w0) < chance(1.0 - decay(hazard))


@jit
def count_blasts(count, base, activity, granulocytes, is_transformed):
    """Share of transformed cells in the progenitor output."""
    transformed = 0.0
    total = 0.0
    for g in range(1, count.shape[0]):
        if count[g] > 0:
            output = count[g] * (1.0 + granulocytes[base[g]] * activity[base[g]])
            total += output
            if is_transformed[g] == 1:
                transformed += output
    return transformed / total if total > 0.0 else 0.0


@jit
def phase_of(blasts, phase, rules):
    """The phase by the blasts; at most one further than it was."""
    now = CHRONIC
    if blasts >= rules.blast:
        now = BLAST
    elif blasts >= rules.accelerated:
        now = ACCELERATED
    return min(now, phase + 1)


@jit
def disease_hazard(share, reading, grade, phase, rules):
    """Hazard of death by the disease, 1/day; with a small clone it fades."""
    mutants = 0.0
    calr = 0.0
    for b in range(share.shape[0]):
        if rules.is_mutant[b] == 1:
            mutants += share[b]
            calr += share[b] * rules.is_calr[b]
    if mutants == 0.0:
        return 0.0
    if phase > CHRONIC:
        rate = rules.late[phase]
    elif grade >= 2.0:
        calr /= mutants
        rate = rules.scarred * 0.5 * (1.0 + reading[SPLEEN] / rules.spleen) * (1.0 - calr + rules.calr_factor * calr)
    else:
        rate = rules.chronic[rules.disease]
    return rate * mutants / (mutants + rules.burden_half)


@jit
def transplant_hazard(tally, rules, step, dt):
    """Hazard of death by the transplant, 1/day."""
    if tally[TRANSPLANT_STEP] == 0:
        return 0.0
    treatment = tally[TRANSPLANT_TREATMENT]
    if (step + 1 - tally[TRANSPLANT_STEP]) * dt >= YEAR:
        return rules.transplant[1] * rules.mismatched[treatment]
    stated = rules.first_year[treatment]
    return stated if stated >= 0.0 else rules.transplant[0] * rules.mismatched[treatment]


@jit
def response_is_lost(signal, tally, rules, step, dt, key_low, key_high):
    """Whether the response to a type I inhibitor is lost in this step; only while one is taken."""
    if tally[RESPONSE_LOST_STEP] > 0 or signal.medication[TYPE_1] <= rules.response_needs:
        return False
    if strikes(rules.response_loss * dt, RESPONSE_HAZARD, step, key_low, key_high):
        tally[RESPONSE_LOST_STEP] = step + 1
        return True
    return False


@jit
def is_dying(body, filled, grade, tally, rules, step, dt, key_low, key_high):
    """Whether the patient dies in this step: of age, of the disease, of the transplant, or by a humane endpoint.

    filled : float
        Share of the sites with a cell.
    """
    if rules.mortal == 1:
        age = rules.background / decay(rules.ageing * step * dt)
        disease = disease_hazard(body.share, body.reading, grade, tally[PHASE], rules)
        procedure = transplant_hazard(tally, rules, step, dt)
        if (
            strikes(age * dt, BACKGROUND_HAZARD, step, key_low, key_high)
            or strikes(disease * dt, DISEASE_HAZARD, step, key_low, key_high)
            or strikes(procedure * dt, TRANSPLANT_HAZARD, step, key_low, key_high)
        ):
            return True
    mutants = 0.0
    for b in range(body.share.shape[0]):
        mutants += body.share[b] * rules.is_mutant[b]
    return mutants * filled >= rules.humane
