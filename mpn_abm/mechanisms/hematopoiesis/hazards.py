"""From rates to integer thresholds, once a step."""

from math import sqrt

from numba import int64, uint64

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import (
    ALL_ONES,
    COUNT,
    TWO_32,
    fill_poisson_table,
    ladder,
    poisson_number,
    poisson_table_length,
    threshold,
    words,
)
from mpn_abm.mechanisms.hematopoiesis.rules import DEATH_BIRTH
from mpn_abm.state import DIVISION, ELTROMBOPAG, INTERFERON, LOSS, TABLE_ENTRIES, TABLE_LOWEST

# entries of `rate`
TABLE_RHO, RHO, HIGHEST_DIVISION = 0, 1, 2


@jit
def regeneration_factor(empty_sites, rules, lattice):
    """R = 1 + regeneration e/(e + 0.1): empty niches call stem cells into cycle (model.md 5.1)."""
    empty = empty_sites / float(lattice.sites)
    return 1.0 + rules.regeneration * empty / (empty + 0.1)


@jit
def net_fitness(g, activity, late, rules):
    """s_net = s A - c_J (1 - A) of a genotype, 1/day; of transformed cells s whatever A.

    late : int
        1 from the accelerated phase on, in which an antigen-low variant loses less of its driver.
    """
    if rules.steady[g] == 1:
        return rules.fitness[g]
    a = activity[rules.base[g]]
    s = rules.fitness[g] - rules.coupling[late] * rules.antigen_fitness[g]
    return s * a - rules.inhibition_cost[g] * (1.0 - a)


@jit
def rates_of(g, regeneration, signal, hazard, late, rules):
    """Division and loss of a genotype, 1/day: the product of the factors of all mechanisms, and what they add.

    b = lambda R x eltrombopag x modifiers + max(0, s); d = (delta + max(0, -s)) x modifiers + interferon + T cells. A
    modifier that increases loss adds its excess in units of lambda, as delta is 0 in a full marrow.
    """
    base = rules.base[g]
    s = net_fitness(g, signal.activity, late, rules)
    exposure = signal.medication[ELTROMBOPAG]
    receptor = 1.0 + rules.receptor_gain * 2.0 * exposure / (1.0 + exposure)
    division = rules.division_rate * regeneration * signal.factor[DIVISION, base] * receptor + max(0.0, s)
    factor = signal.factor[LOSS, base]
    loss = (rules.loss_rate + max(0.0, -s)) * min(1.0, factor) + max(0.0, factor - 1.0) * rules.division_rate
    return division, loss + signal.medication[INTERFERON] * rules.interferon[g] + hazard[base]


@jit
def clear_marks(g, marks):
    """A genotype without cells does nothing, also if a cell of it appears within the step."""
    marks.division[g] = uint64(0)
    marks.division_scar[g] = uint64(0)
    marks.loss[g] = uint64(0)
    for k in range(marks.mutation.shape[1]):
        marks.mutation[g, k] = uint64(0)
    marks.known[g] = 0.0


@jit
def mutation_rate(g, k, boost, rules):
    """Rate of a kind of mutation, 1/day; scar speeds transformation up."""
    return rules.mutation_rate[g, k] * (boost if k == rules.transformation else 1.0)


@jit
def mark_mutations(g, marks, rules, rho, boost, dt):
    """Mutation thresholds, made anew where rho or the boost is another one; their sum."""
    mutation = uint64(0)
    # no boost leads from one rung of the ladder to another
    if marks.known[g] == rho * boost:
        for k in range(marks.mutation.shape[1]):
            mutation += marks.mutation[g, k]
        return mutation
    for k in range(marks.mutation.shape[1]):
        share = min(threshold(mutation_rate(g, k, boost, rules) * dt / rho), ALL_ONES - mutation)
        marks.mutation[g, k] = share
        mutation += share
    marks.known[g] = rho * boost
    return mutation


@jit
def set_thresholds(count, signal, hazard, marks, rules, lattice, boost, late, dt):
    """Hazards of this step as 64-bit thresholds of the genotypes that are present.

    b and d as in ``rates_of``, m_k = mu_k, times dt; rho is the smallest rung of
    the ladder 2^(j/4) that holds them, so that two arms whose rates differ a little share their draws.
    The caps keep b + d + m = rho from wrapping to 0. With death_birth, division is no event of its own:
    the chance that an offered parent is taken stands in its place, as a threshold of a 32-bit word.

    Parameters
    ----------
    count : int64[G]
    signal : Signal
    hazard : float64[bases]
        Of T cells, 1/day.
    marks : Marks, written
    boost : float
        Factor on transformation.
    late : int
        1 from the accelerated phase on.

    Returns
    -------
    lowest_mutation : uint64
        No genotype mutates below this action word.
    """
    filling = rules.update == DEATH_BIRTH
    regeneration = regeneration_factor(count[0], rules, lattice)
    genotypes, kinds = rules.mutation_rate.shape
    highest = 0.0
    most_division = 0.0
    for g in range(1, genotypes):
        if count[g] > 0:
            b, d = rates_of(g, regeneration, signal, hazard, late, rules)
            b, d = b * dt, d * dt
            m = 0.0
            for k in range(kinds):
                m += mutation_rate(g, k, boost, rules) * dt
            highest = max(highest, d + m if filling else b + d + m)
            most_division = max(most_division, b)
    if filling and count[0] < lattice.sites:
        highest = max(highest, rules.division_rate * regeneration * dt)
    marks.rate[HIGHEST_DIVISION] = most_division
    if highest == 0.0:
        marks.rate[RHO] = 0.0
        return ALL_ONES
    rho = ladder(highest)
    marks.rate[RHO] = rho
    most_mutation = uint64(0)
    for g in range(1, genotypes):
        if count[g] == 0:
            if marks.known[g] != 0.0:
                clear_marks(g, marks)
            continue
        mutation = mark_mutations(g, marks, rules, rho, boost, dt)
        most_mutation = max(most_mutation, mutation)
        b, d = rates_of(g, regeneration, signal, hazard, late, rules)
        b, d = b * dt, d * dt
        room = ALL_ONES - mutation
        division = uint64(0)
        if filling:
            if b > 0.0:
                division = threshold(b / most_division) >> uint64(32) if b < most_division else TWO_32
            marks.loss[g] = min(threshold(d / rho), room)
        else:
            division = min(threshold(b / rho), room)
            marks.loss[g] = min(threshold(d / rho), room - division)
        marks.division[g] = division
        marks.division_scar[g] = (division >> uint64(16)) * uint64(65536.0 * rules.scar_cost[g]) // uint64(255)
    return ALL_ONES - most_mutation


@jit
def has_table(marks, tally, lattice):
    """Make the Poisson table of this step's rate if it is another one; False if the table is too short."""
    rho = marks.rate[RHO]
    if rho == marks.rate[TABLE_RHO] or rho == 0.0:
        return True
    mean = rho * lattice.sites
    if poisson_table_length(mean) > marks.poisson.shape[0]:
        return False
    lowest, entries = fill_poisson_table(mean, marks.poisson)
    tally[TABLE_LOWEST] = lowest
    tally[TABLE_ENTRIES] = entries
    marks.rate[TABLE_RHO] = rho
    return True


@jit
def number_of_candidates(marks, tally, step, key_low, key_high):
    """Poisson number of candidates of this step; none if nothing can happen."""
    if marks.rate[RHO] == 0.0:
        return int64(0)
    high, low, _, _ = words(0, step, COUNT, 0, key_low, key_high)
    word = (uint64(high) << uint64(32)) | uint64(low)
    return poisson_number(marks.poisson, tally[TABLE_LOWEST], tally[TABLE_ENTRIES], word)


@jit
def most_mutants(number, lowest_mutation):
    """Cells that mutate among the candidates of a step at most: their mean, 12 standard deviations and 60 more.

    A candidate mutates with a chance of at most p, where its word is not below the lowest that mutates. More than
    this happens less than once in 1e31 steps (Bernstein). The number of candidates would be a bound as well, but a
    hazard of a hundred per day makes that millions, and each is a row of the clone table in every replicate.
    """
    p = float(ALL_ONES - lowest_mutation) / 2.0**64
    mean = number * p
    return min(number, int64(mean + 12.0 * sqrt(mean) + 60.0)) if p > 0.0 else int64(0)
