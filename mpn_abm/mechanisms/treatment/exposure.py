"""Concentrations and exposures of the drugs that run, and what all of them together do in a step."""

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.relaxation import mean_saturation, relax
from mpn_abm.mechanisms.treatment.pharmacokinetics import advance, steady_at
from mpn_abm.mechanisms.treatment.rules import (
    ABSORPTION,
    AMOUNT,
    CALR_ANTIBODY,
    CAR_T_CELLS,
    CONCENTRATION,
    ELIMINATION,
    FIRST_OF_DRUG,
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

# pieces of a day in which a steady state is looked at, about as many as for a single treatment
STEADY_POINTS = 1000


@jit
def running_course(t, course, rules):
    """The course of treatment t that runs, -1 if none does."""
    for k in range(rules.first_course[t], rules.first_course[t + 1]):
        if course[k, ON] == 1:
            return k
    return -1


@jit
def follow_concentration(t, k, level, drug, course, rules, step, dt):
    """Advance one treatment over a step in which C(t) is followed; a due dose is given at its start.

    Returns
    -------
    first, middle, last : float
        C(t) at the start, in the middle and at the end of the step.
    """
    facts, state = rules.treatment[t], drug[t]
    if k >= 0:
        start = (course[k, STARTED] - 1) * dt
        if start + course[k, GIVEN] * rules.timing[k, INTERVAL] <= step * dt + TOLERANCE:
            state[GUT] += rules.level[level, AMOUNT]
            course[k, GIVEN] += 1
    first = state[PLASMA]
    gut, middle = advance(state[GUT], first, facts[ABSORPTION], facts[ELIMINATION], 0.5 * dt)
    state[GUT], state[PLASMA] = advance(gut, middle, facts[ABSORPTION], facts[ELIMINATION], 0.5 * dt)
    return first, middle, state[PLASMA]


@jit
def steady_occupancy(t, course, rules):
    """Mean occupancy under all treatments with the drug of t at steady state, their concentrations added.

    By Simpson's rule, over the pieces of a day between any two doses; each treatment starts its day with a dose.
    """
    facts = rules.treatment[t]
    pieces = 1
    for u in range(t, rules.treatment.shape[0]):
        k = running_course(u, course, rules)
        if k >= 0 and rules.treatment[u, FIRST_OF_DRUG] == t:
            a, b = pieces, int(1.0 / rules.timing[k, INTERVAL] + 0.5)
            while b > 0:
                a, b = b, a % b
            pieces *= int(1.0 / rules.timing[k, INTERVAL] + 0.5) // a
    points = 2 * (1 + STEADY_POINTS // pieces)
    width = 1.0 / (pieces * points)
    total = 0.0
    for piece in range(pieces):
        for point in range(points + 1):
            concentration = 0.0
            for u in range(t, rules.treatment.shape[0]):
                k = running_course(u, course, rules)
                if k < 0 or rules.treatment[u, FIRST_OF_DRUG] != t:
                    continue
                interval = rules.timing[k, INTERVAL]
                # whole pieces since the last dose
                since = piece % int(pieces * interval + 0.5)
                amount = rules.level[rules.course[k, LEVELS] + course[k, LEVEL], AMOUNT]
                concentration += steady_at(
                    (since * points + point) * width, interval, amount, facts[ABSORPTION], facts[ELIMINATION]
                )
            weight = 1.0 if point in (0, points) else (4.0 if point % 2 == 1 else 2.0)
            total += weight / 3.0 * width * concentration / (concentration + facts[IC50])
    return total


@jit
def expose_to_drug(t, drug, course, rules, step, dt):
    """All treatments with the drug of t, the first of them, together.

    Returns
    -------
    relative, concentration, occupancy, blocked : float
        Sums of the doses and of the concentrations, the occupancy at that sum, the share of PD-1 that is blocked.
    """
    facts = rules.treatment[t]
    kind = int(facts[KIND])
    relative, concentration, occupancy, blocked = 0.0, 0.0, 0.0, 0.0
    first, middle, last, before = 0.0, 0.0, 0.0, 0.0
    running = 0
    for u in range(t, rules.treatment.shape[0]):
        if rules.treatment[u, FIRST_OF_DRUG] != t:
            continue
        k = running_course(u, course, rules)
        mine, level = 0.0, -1
        if k >= 0:
            level = rules.course[k, LEVELS] + course[k, LEVEL]
            mine = rules.level[level, RELATIVE]
            running += mine > 0.0
            relative += mine
            if mine > 0.0 and facts[FOLLOWED] == 0.0:
                occupancy = rules.level[level, MEAN_OCCUPANCY]
        if facts[FOLLOWED] > 0.0:
            points = follow_concentration(u, k, level, drug, course, rules, step, dt)
            first, middle, last = first + points[0], middle + points[1], last + points[2]
        elif kind == PD1_ANTIBODY or kind == CALR_ANTIBODY:
            before += drug[u, PLASMA]
            drug[u, PLASMA], mean = relax(drug[u, PLASMA], mine, facts[ELIMINATION] * dt)
            concentration += mean
        else:
            drug[u, PLASMA] = rules.level[level, CONCENTRATION] if k >= 0 else 0.0
            concentration += drug[u, PLASMA]
    if facts[FOLLOWED] > 0.0:
        ic50 = facts[IC50]
        for weight, point in ((1.0, first), (4.0, middle), (1.0, last)):
            concentration += weight / 6.0 * point
            occupancy += weight / 6.0 * point / (point + ic50)
    elif kind == PD1_ANTIBODY:
        blocked = mean_saturation(before, relative, facts[ELIMINATION] * dt, facts[HALF_EXPOSURE])
    elif running > 1 and (kind == JAK_TYPE_1 or kind == JAK_TYPE_2):
        occupancy = steady_occupancy(t, course, rules)
    return relative, concentration, occupancy, blocked


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

    Concentrations of treatments with the same drug add. Occupancies of different drugs combine as 1 - product of
    (1 - I), exposures add, factors multiply.

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
        if kind == CAR_T_CELLS or kind == STEM_CELLS or facts[FIRST_OF_DRUG] != t:
            continue
        relative, concentration, occupancy, blocked = expose_to_drug(t, drug, course, rules, step, dt)
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
        elif kind == CALR_ANTIBODY:
            medication[ANTI_CALR] += concentration
        elif kind == PD1_ANTIBODY:
            unblocked *= 1.0 - blocked
        elif kind == MODIFIER:
            modify(t, concentration, factor, rules)
    medication[TYPE_1] = 1.0 - free_1
    medication[TYPE_2] = 1.0 - free_2
    medication[JAK1] = 1.0 - free_jak1
    medication[T_CELL_JAK] = 1.0 - unburdened
    medication[BLOCKADE] = 1.0 - unblocked
