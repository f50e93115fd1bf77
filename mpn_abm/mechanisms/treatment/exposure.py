"""Concentrations and exposures of the drugs that run, and what all of them together do in a step."""

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.relaxation import mean_saturation, relax
from mpn_abm.mechanisms.treatment.pharmacokinetics import advance
from mpn_abm.mechanisms.treatment.rules import (
    ABSORPTION,
    AMOUNT,
    CALR_ANTIBODY,
    CAR_T_CELLS,
    CONCENTRATION,
    ELIMINATION,
    FOLLOWED,
    HALF_EXPOSURE,
    HALF_TO_THE_HILL,
    HILL,
    HSP90_INHIBITOR,
    IC50,
    INTERFERON_ALPHA,
    INTERVAL,
    JAK1_ODDS,
    JAK_TYPE_1,
    JAK_TYPE_2,
    KIND,
    LEVELS,
    MEAN_OCCUPANCY,
    MODIFIER,
    OF_BASE,
    OF_FACTOR,
    OF_TREATMENT,
    PD1_ANTIBODY,
    RECEPTOR_AGONIST,
    RELATIVE,
    SATURATION,
    STEM_CELLS,
    T_CELLS_SPARED,
    TOLERANCE,
)
from mpn_abm.state import (
    ANTI_CALR,
    BLOCKADE,
    ELTROMBOPAG,
    GIVEN,
    GUT,
    HSP90,
    INTERFERON,
    JAK1,
    LEVEL,
    ON,
    PLASMA,
    STARTED,
    T_CELL_JAK,
    TYPE_1,
    TYPE_2,
)


@jit
def running_course(t, course, rules):
    """The course of treatment t that runs, -1 if none does."""
    for k in range(rules.first_course[t], rules.first_course[t + 1]):
        if course[k, ON] == 1:
            return k
    return -1


@jit
def follow_concentration(t, k, level, drug, course, rules, step, dt):
    """Advance one drug over a step in which C(t) is followed; a due dose is given at its start.

    Returns
    -------
    concentration, occupancy : float
        Means over the step, by Simpson's rule.
    """
    facts, state = rules.treatment[t], drug[t]
    if k >= 0:
        start = (course[k, STARTED] - 1) * dt
        if start + course[k, GIVEN] * rules.timing[k, INTERVAL] <= step * dt + TOLERANCE:
            state[GUT] += rules.level[level, AMOUNT]
            course[k, GIVEN] += 1
    concentration, occupancy = 0.0, 0.0
    gut, plasma = state[GUT], state[PLASMA]
    for point in range(3):
        if point > 0:
            gut, plasma = advance(gut, plasma, facts[ABSORPTION], facts[ELIMINATION], 0.5 * dt)
        weight = 4.0 if point == 1 else 1.0
        concentration += weight / 6.0 * plasma
        occupancy += weight / 6.0 * plasma / (plasma + facts[IC50])
    state[GUT], state[PLASMA] = gut, plasma
    return concentration, occupancy


@jit
def modify(t, concentration, factor, rules):
    """Multiply the factors that drug t changes by 1 +- saturation c^n/(c^n + half^n)."""
    for e in range(rules.effect.shape[0]):
        effect = rules.effect[e]
        if int(effect[OF_TREATMENT]) != t:
            continue
        power = concentration ** effect[HILL]
        change = 1.0 + effect[SATURATION] * power / (power + effect[HALF_TO_THE_HILL])
        f, base = int(effect[OF_FACTOR]), int(effect[OF_BASE])
        for b in range(factor.shape[1]):
            if base in (-1, b):
                factor[f, b] *= change


@jit
def expose(medication, factor, drug, course, rules, step, dt):
    """What all drugs together do in this step.

    Occupancies of several drugs combine as 1 - product of (1 - I), exposures add, factors multiply.

    Parameters
    ----------
    medication : float64[MEDICATIONS], written
    factor : float64[FACTORS, bases], written if a drug modifies any
    drug : float64[T, DRUG_FACTS], written
    course : int64[K, COURSE_FACTS], GIVEN written
    rules : TreatmentRules
    step : int64
        The step that begins.
    """
    for m in range(medication.shape[0]):
        medication[m] = 0.0
    if rules.effect.shape[0] > 0:
        for f in range(factor.shape[0]):
            for b in range(factor.shape[1]):
                factor[f, b] = 1.0
    free_1, free_2, free_jak1, unburdened, unblocked = 1.0, 1.0, 1.0, 1.0, 1.0
    for t in range(rules.treatment.shape[0]):
        facts = rules.treatment[t]
        kind = int(facts[KIND])
        if kind == CAR_T_CELLS or kind == STEM_CELLS:
            continue
        k = running_course(t, course, rules)
        relative, concentration, occupancy = 0.0, 0.0, 0.0
        level = -1
        if k >= 0:
            level = rules.course[k, LEVELS] + course[k, LEVEL]
            relative = rules.level[level, RELATIVE]
            concentration = rules.level[level, CONCENTRATION]
            occupancy = rules.level[level, MEAN_OCCUPANCY]
        if facts[FOLLOWED] > 0.0:
            concentration, occupancy = follow_concentration(t, k, level, drug, course, rules, step, dt)
        elif kind == PD1_ANTIBODY or kind == CALR_ANTIBODY:
            x = facts[ELIMINATION] * dt
            before = drug[t, PLASMA]
            drug[t, PLASMA], concentration = relax(before, relative, x)
            if kind == CALR_ANTIBODY:
                medication[ANTI_CALR] += concentration
            else:
                unblocked *= 1.0 - mean_saturation(before, relative, x, facts[HALF_EXPOSURE])
        else:
            drug[t, PLASMA] = concentration
        if kind == JAK_TYPE_1 or kind == JAK_TYPE_2:
            jak1 = facts[JAK1_ODDS] * occupancy / (1.0 - occupancy + facts[JAK1_ODDS] * occupancy)
            free_jak1 *= 1.0 - jak1
            unburdened *= 1.0 - (0.1 * jak1 if facts[T_CELLS_SPARED] > 0.0 else occupancy)
            if kind == JAK_TYPE_1:
                free_1 *= 1.0 - occupancy
            else:
                free_2 *= 1.0 - occupancy
        elif kind == HSP90_INHIBITOR:
            medication[HSP90] = min(1.0, medication[HSP90] + relative)
        elif kind == INTERFERON_ALPHA:
            medication[INTERFERON] += relative
        elif kind == RECEPTOR_AGONIST:
            medication[ELTROMBOPAG] += relative
        elif kind == MODIFIER:
            modify(t, concentration, factor, rules)
    medication[TYPE_1] = 1.0 - free_1
    medication[TYPE_2] = 1.0 - free_2
    medication[JAK1] = 1.0 - free_jak1
    medication[T_CELL_JAK] = 1.0 - unburdened
    medication[BLOCKADE] = 1.0 - unblocked
