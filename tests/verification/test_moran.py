"""What the event kernel must do on average: Moran's formula, exact chains, voters, decay and mutation.

Every statistical test has a fixed seed, chosen once. Unless it says otherwise its claim is |z| < 4.9, which a
right program misses once in a million. Each names the deviation that it would find: one of 10 standard errors,
which passes once in a million or less.
"""

import numpy as np
import pytest
from numba import uint64
from scipy import stats
from verification.kernel_marrow import MUTANT, WILD, build, run_steps, two_genotypes
from verification.moran_loops import fixations, keys_of, scatter_mutants, survival_steps, ups_and_downs

from mpn_abm.state import NEXT_CLONE

BOUND = 4.9
RULES = pytest.mark.parametrize("update", ["birth_death", "death_birth"])


def z_of_share(hits, trials, expected):
    return (hits - trials * expected) / np.sqrt(trials * expected * (1.0 - expected))


def fixed_share(setup, replicates, seed):
    kernel = build(setup)
    return fixations(kernel.state, kernel.rules, kernel.lattice, setup.dt, uint64(seed), replicates)


# Fixation.


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": (16, 16)},
        {"shape": (16, 16), "radius": 3, "recirculation": 0.3},
        {"shape": (16, 16), "recirculation": 1.0},
        {"shape": (4, 5, 6), "radius": 2, "recirculation": 0.1},
        {"shape": (4, 5, 6), "radius": 4, "boundary": "reflecting"},
        {"shape": (9, 11), "radius": 2, "boundary": "reflecting"},
    ],
    ids=["torus", "recirculation", "well mixed", "volume", "reflecting volume", "reflecting"],
)
def test_a_mutant_takes_over_with_the_chance_of_moran_whatever_the_neighbourhood(changes):
    """(1 - 1/r) / (1 - 1/r^N), r = 1.1: symmetric weights leave it alone (Lieberman 2005, doi:10.1038/nature03204).

    60,000 runs: finds a chance that is off by 13 %. Catches births that are not weighed by fitness, displacement
    that prefers a type or a place, borders whose weights are not symmetric, replicates that share their draws.
    """
    r = 1.1
    setup = two_genotypes(r - 1.0, dt=0.5, **changes)
    replicates = 60_000
    expected = (1.0 - 1.0 / r) / (1.0 - r ** -float(np.prod(setup.shape)))
    assert abs(z_of_share(fixed_share(setup, replicates, seed=271_828), replicates, expected)) < BOUND


def exact_fixation(r, n, update):
    """From one mutant of n, each cell next to all others: absorption of the chain of the number of mutants.

    birth_death: a cell divides by fitness and displaces one of the n - 1 others. death_birth: a cell is lost,
    one of the n - 1 others fills its place by fitness.
    """
    i = np.arange(1, n)
    if update == "birth_death":
        up = r * i / (r * i + n - i) * (n - i) / (n - 1)
        down = (n - i) / (r * i + n - i) * i / (n - 1)
    else:
        up = (n - i) / n * r * i / (r * i + n - i - 1)
        down = i / n * (n - i) / (r * (i - 1) + n - i)
    chain = np.diag(up + down) - np.diag(up[:-1], 1) - np.diag(down[1:], -1)
    won = np.zeros(n - 1)
    won[-1] = up[-1]
    return np.linalg.solve(chain, won)[0]


@RULES
@pytest.mark.parametrize("r", [1.1, 1.5, 0.7])
def test_on_three_by_three_sites_fixation_is_that_of_the_exact_chain(r, update):
    """400,000 runs find a chance off by 4, 3 and 12 %, less than the 4, 10 and 29 % that the rules differ by:
    neither passes for the other. Catches a lost cell that is its own parent, one taken without regard to fitness.
    """
    setup = two_genotypes(r - 1.0, shape=(3, 3), update=update, loss_rate=1.0 if update == "death_birth" else 0.0)
    replicates = 400_000
    expected = exact_fixation(r, 9, update)
    assert abs(z_of_share(fixed_share(setup, replicates, seed=314_159), replicates, expected)) < BOUND


def test_the_exact_chain_of_birth_death_is_morans_formula_and_that_of_death_birth_is_not():
    for r in (1.1, 1.5, 0.7):
        moran, other = (exact_fixation(r, 9, update) for update in ("birth_death", "death_birth"))
        assert moran == pytest.approx((1 - 1 / r) / (1 - r**-9.0), rel=1e-12)
        assert abs(other - moran) > 10.0 * np.sqrt(moran * (1.0 - moran) / 400_000)


@pytest.mark.parametrize("r", [1.1, 2.0])
@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
def test_every_change_of_the_number_of_mutants_is_a_rise_with_chance_r_over_1_plus_r(r, boundary):
    """On any neighbourhood with symmetric weights, at any state: as many pairs mutant-wild as wild-mutant.

    Finds a chance off by 0.011 of 0.52 to 0.67. Catches what an average over runs may hide: weights that are not
    symmetric at the border, an advantage paid at the target instead of the source.
    """
    setup = two_genotypes(r - 1.0, shape=(16, 16), radius=2, boundary=boundary)
    kernel = build(setup)
    ups, downs = ups_and_downs(kernel.state, kernel.rules, kernel.lattice, 1.0, uint64(161_803), 3_000_000)
    assert ups + downs > 200_000
    assert abs(z_of_share(ups, ups + downs, r / (1.0 + r))) < BOUND


# Growth.


def test_the_log_odds_of_a_large_well_mixed_pool_rise_by_the_fitness_a_day():
    """512 x 512 sites, s = 0.35 a year, from 12 to 90 %. The count rises and falls by ones at rates (1 + s) and 1
    times N f (1 - f), so the variance of the log-odds is the integral of (2 + s) / (N f (1 - f)): here 0.5 % of the
    rise. The 3 % allowed are 5 standard errors. Catches a fitness that is paid twice, not at all or as 1 - exp.
    """
    year, s = 365.25, 0.35
    setup = two_genotypes(
        0.0, shape=(512, 512), recirculation=1.0, division_rate=1.0 / year, dt=30.0,
        fitness=(0.0, 0.0, s / year), shares=(0.0, 0.88, 0.12), clones=60_000,
    )  # fmt: skip
    kernel = build(setup)
    sites, count = kernel.lattice.sites, kernel.state.counters.genotype_cells

    def log_odds():
        return np.log(count[MUTANT] / count[WILD])

    start, step, variance = log_odds(), 0, 0.0
    while count[MUTANT] < 0.9 * sites:
        variance += (2.0 + s) / year * setup.dt * sites / (count[MUTANT] * count[WILD])
        kernel.run(step, 1)
        step += 1
    slope = (log_odds() - start) / (step * setup.dt)
    assert np.sqrt(variance) < 0.006 * (log_odds() - start)
    assert slope == pytest.approx(s / year, rel=0.03)


# Voters.


def apart(shape, times):
    """Probability that the lines of descent of two neighbours have not met after each time (division rate 1).

    The offset of two lines is a walk that jumps at rate 2 to one of the 8 neighbours and stops at 0, followed
    exactly: powers of its chain, weighed by Poisson numbers of jumps.
    """
    offsets = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]
    walk = np.zeros(shape)
    for y, x in offsets:
        walk[y, x] += 1.0 / 8.0
    most = int(2 * max(times) + 12 * np.sqrt(2 * max(times)) + 30)
    left = np.empty(most)
    for jumps in range(most):
        left[jumps] = walk.sum()
        walk = sum(np.roll(walk, offset, (0, 1)) for offset in offsets) / 8.0
        walk[0, 0] = 0.0
    return np.array([stats.poisson.pmf(np.arange(most), 2 * t) @ left for t in times])


def interface_density(mutant):
    """Share of the pairs of neighbours of which just one is a mutant."""
    pairs = [mutant != np.roll(mutant, shift, (0, 1)) for shift in ((0, 1), (1, 0), (1, 1), (1, -1))]
    return np.mean(pairs)


def test_neutral_clones_on_a_torus_coarsen_as_lines_of_descent_coalesce():
    """The voter model: two neighbours differ with probability 1/2 x P(their lines have not met), exactly.

    That falls as 1 / log t, so that 1 / density rises by 1 / (3 pi / 4) per unit of log t in the long run; on
    a line it would fall as 1 / sqrt t, well mixed not at all. The number of mutants on average stays. Both are
    tested with Student's t over 150 replicates at 5 times, 1e-6 in all; the density at the end is known to 1 %.
    Catches a neighbourhood that is too wide, lopsided or not uniform, divisions at a wrong rate in time, and an
    order of events that makes neighbours agree faster (sweeps over the lattice do).
    """
    shape, times, replicates = (64, 64), [1, 3, 9, 27, 81], 150
    setup = two_genotypes(0.0, shape=shape, dt=0.5)
    kernel = build(setup)
    density, mutants = np.empty((2, replicates, len(times)))
    for k in range(replicates):
        key = keys_of(uint64(141_421), k)
        scatter_mutants(kernel.state, *key)
        step = 0
        for i, t in enumerate(times):
            step = run_steps(kernel.state, kernel.rules, kernel.lattice, setup.dt, step, 2 * t - step, *key)
            mutant = (kernel.state.cell & np.uint64(255)).reshape(shape) == MUTANT
            density[k, i], mutants[k, i] = interface_density(mutant), mutant.mean()
    expected = apart(shape, times) / 2.0
    bound = stats.t.isf(1e-6 / 20.0, replicates - 1)

    def t_values(sample, mean):
        return (sample.mean(axis=0) - mean) / (sample.std(axis=0, ddof=1) / np.sqrt(replicates))

    assert (np.abs(t_values(density, expected)) < bound).all()
    assert (np.abs(t_values(mutants, 0.5)) < bound).all()
    error = density.std(axis=0, ddof=1) / np.sqrt(replicates) / expected
    assert error[-1] < 0.01
    rise = np.diff(1.0 / density.mean(axis=0)) / np.diff(np.log(times))
    np.testing.assert_allclose(rise[1:], 4.0 / (3.0 * np.pi), rtol=0.15)


# Loss and mutation.


def test_the_time_to_the_loss_of_a_lone_cell_is_exponential():
    """1 x 1 site, loss 0.1 a step. A loss happens at a known step, at an unknown time within it: the step, spread
    over its share of the distribution, is uniform if and only if the steps are exactly geometric, 1 - exp(-0.1).

    Kolmogorov-Smirnov at 1e-6, 100,000 runs: finds a distribution that is off by 0.02 anywhere. Catches a
    hazard turned into a probability twice or not at all, and draws that repeat from step to step.
    """
    setup = two_genotypes(0.0, shape=(1, 1), division_rate=0.0, loss_rate=0.2, dt=0.5)
    kernel = build(setup)
    survived = np.zeros(100_000, np.int64)
    survival_steps(kernel.state, kernel.rules, kernel.lattice, setup.dt, uint64(577_215), survived)
    per_step = setup.loss_rate * setup.dt
    within = np.random.default_rng(7).random(survived.size) * -np.expm1(-per_step)
    spread = 1.0 - np.exp(-per_step * survived) * (1.0 - within)
    assert stats.kstest(spread, "uniform").pvalue > 1e-6


def test_a_lone_cell_that_divides_but_has_no_neighbour_stays_alone():
    """Catches a daughter that displaces her mother's site: the only neighbour is the mother's own site."""
    kernel = build(two_genotypes(0.5, shape=(1, 1)))
    before = kernel.state.cell.copy()
    kernel.run(0, 200)
    assert (kernel.state.cell == before).all()
    assert not kernel.state.counters.births.any()


@RULES
def test_mutations_come_as_often_as_their_rates_say(update):
    """In a full marrow without selection their number is Poisson with mean rate x sites x days, kind by kind.

    Means of 81,920 and 20,480: finds a rate off by 4 and 7 %. Catches kinds that overlap or swap, and mutation
    at division, which comes 2.5 times a day here, instead of in time.
    """
    rates = (0.008, 0.002)
    setup = two_genotypes(
        0.0, shape=(64, 64), update=update, loss_rate=0.5 if update == "death_birth" else 0.0,
        mutation=((0.0, 0.0), rates, rates), becomes=((0, 0), (WILD, MUTANT), (WILD, MUTANT)),
        shares=(0.0, 0.5, 0.5), division_rate=2.5, clones=120_000,
    )  # fmt: skip
    kernel = build(setup)
    steps = 2500
    kernel.run(0, steps)
    expected = np.array(rates) * kernel.lattice.sites * steps
    found = kernel.state.ledger.mutated_to[[WILD, MUTANT]]
    assert (np.abs((found - expected) / np.sqrt(expected)) < BOUND).all()
    assert kernel.state.tally[NEXT_CLONE] == len(setup.founders()) + found.sum()
