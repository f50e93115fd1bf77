"""How searching T cells walk at tissue scale, against the closed form of a persistent random walk on the lattice.

In a sub-step a walker tries one of the K Moore directions; it keeps the last one with chance c = exp(-h/persistence),
else it takes any of the K, the last one included, and it hops with chance q. So the tries d_i have mean 0 and
E[d_i d_j] = a2 c^|i - j| with a2 the mean squared length of a direction, and hops are independent of them:

    MSD(n) = a2 (q n + 2 q^2 sum_{k=1}^{n-1} (n - k) c^k).

Another walker in the way, met at a try with chance rho, the share of places taken, is a hop not made and a heading
lost: to first order in rho, q and c each fall by the factor 1 - rho.

The squared displacement has a standard deviation of about its mean (2-D) or 0.8 of it (3-D), so n walkers know the
mean to 1/sqrt(n). Tests allow 4.9 standard errors: one in a million a right program; seeds are fixed.
"""

import numpy as np
import pytest
from scipy import stats
from verification.runs import OFF, of_library, scenario

import mpn_abm
from mpn_abm.state import NEXT_UID, T_CELLS

BOUND = 4.9
SITE, SPEED, PERSISTENCE = 10.0, 5.0, 10.0  # um, um/min, min
MEAN_SQUARE = {2: (4 * 1 + 4 * 2) / 8, 3: (6 * 1 + 12 * 2 + 8 * 3) / 26}


def walked(shape, walkers, minutes, *, step=2, every=None, seed=1, car_t=None, **changes):
    """Positions of all walkers at every row after entry, int[rows, walkers, axes], in the order of their numbers."""
    content = {
        "time": {"duration_minutes": minutes, "step_minutes": step, "record_every_minutes": every or step},
        "marrow": {"scale": "tissue", "shape": list(shape)}, "seed": seed, "car_t": car_t or {},
        "clones": {"healthy": {"genotype": "wild_type", "cells": 1}}, "treatments": {"car_t": {"dose_cells": walkers}},
        "hematopoiesis": OFF, "mutation": OFF, "fibrosis": OFF, "output": {"snapshots": False}, **changes,
    }  # fmt: skip
    places = []

    def look(state, day):
        alive = int(state.tally[T_CELLS])
        if alive > 0:
            order = np.argsort(state.agents.uid[:alive])
            places.append(np.stack(np.unravel_index(state.agents.site[:alive][order], shape[::-1]), axis=1))
        assert state.tally[NEXT_UID] in (1, walkers + 1)
        return {}

    mpn_abm.run(scenario(content), observers=[look])
    return np.array(places)


def squared_displacements(places, shape):
    """Of every later row from the first, across the border where that is shorter."""
    sides = np.array(shape[::-1])
    away = places[1:] - places[0]
    away = (away + sides // 2) % sides - sides // 2
    return (away**2).sum(axis=2)


def mean_square_displacement(n, dimensions, crowd, hop=1.0, step=2.0):
    """After n sub-steps, sites squared."""
    kept, hopped = np.exp(-step / PERSISTENCE) * (1.0 - crowd), hop * (1.0 - crowd)
    k = np.arange(1, n)
    return MEAN_SQUARE[dimensions] * (hopped * n + 2.0 * hopped**2 * ((n - k) * kept**k).sum())


def assert_walk(squares, expected):
    """Every row against its closed form."""
    error = squares.std(axis=1, ddof=1) / np.sqrt(squares.shape[1])
    assert (np.abs(squares.mean(axis=1) - expected) < BOUND * error).all()


@pytest.mark.parametrize(("shape", "minutes"), [((1000, 1000), 240), ((128, 128, 128), 60)], ids=["2-D", "3-D"])
def test_the_mean_squared_displacement_is_that_of_a_persistent_random_walk(shape, minutes):
    """10,000 walkers: finds 10 % (8 % in 3-D) at every row. Rows are two minutes, one hop, apart.

    Catches hops to 4 or 6 neighbours, lopsided directions, a turn that comes with the chance of keeping on, walkers
    that forget their heading at every hop (off by a factor of 10 in the end) or never turn.
    """
    places = walked(shape, 10_000, minutes)
    squares = squared_displacements(places, shape)
    crowd = 10_000 / np.prod(shape)
    expected = [mean_square_displacement(n, len(shape), crowd) for n in range(1, len(places))]
    assert_walk(squares, expected)


def test_every_direction_is_taken_as_often_and_kept_as_long():
    """First hops are uniform over 26 neighbours, chi-squared at 1e-6; the second is the same in c + (1 - c)/26."""
    places = walked((100, 100, 100), 20_000, 6, seed=4)
    hops = (np.diff(places, axis=0) + 50) % 100 - 50
    assert np.abs(hops).max() == 1
    free = (hops != 0).any(axis=2).all(axis=0)
    code = (hops[:, free] + 1) @ np.array([9, 3, 1])
    counted = np.bincount(code[0], minlength=27)[np.arange(27) != 13]
    assert stats.chisquare(counted).pvalue > 1e-6
    kept = np.exp(-2.0 / PERSISTENCE)
    same = kept + (1.0 - kept) / 26.0
    tries = free.sum()
    assert abs((code[0] == code[1]).sum() - tries * same) < BOUND * np.sqrt(tries * same * (1.0 - same))


@pytest.mark.parametrize("step", [1, 2, 10, 15])
def test_step_length_does_not_change_the_walk(step):
    """Over an hour, in sub-steps of 1, 2, 2 and 1.875 minutes, with a hop in half, all, all and 15/16 of them.

    Finds 10 %. Catches persistence counted in sub-steps: walkers that turn twice as often in steps of one minute.
    """
    shape, walkers = (1000, 1000), 10_000
    sub_step = step / np.ceil(step / 2.0)
    squares = squared_displacements(walked(shape, walkers, 120, step=step, every=60, seed=2), shape)
    crowd, sub_steps = walkers / np.prod(shape), round(60 / sub_step)
    assert_walk(squares, [mean_square_displacement(sub_steps, 2, crowd, hop=sub_step / 2.0, step=sub_step)])


@pytest.mark.parametrize("grade", [1, 3])
@pytest.mark.parametrize("slowing", [0.3, 0.9])
def test_scar_slows_hops_by_one_minus_phi_times_e(grade, slowing):
    """E = grade/3.5 everywhere. Of first tries 1 - phi E are hops, and the walk is the closed form with q = 1 - phi E.

    10,000 walkers: finds 1 - phi E off by 0.05. Catches phi on E squared, on E in place of 1 - phi E, on turns, and
    the mean of both sites halved twice.
    """
    shape, walkers, hop = (1000, 1000), 10_000, 1.0 - slowing * grade / 3.5
    scar = {"initial": {"mf_grade": grade}, "resolution_rate_per_day": 0}
    places = walked(shape, walkers, 120, seed=3, car_t={"scar_slowing": slowing}, fibrosis=scar)
    squares = squared_displacements(places, shape)
    crowd = walkers / np.prod(shape)
    moved, chance = (squares[0] > 0).sum(), hop * (1.0 - crowd)
    assert abs(moved - walkers * chance) < BOUND * np.sqrt(walkers * chance * (1.0 - chance))
    rows = [0, 4, 19, len(squares) - 1]
    assert_walk(squares[rows], [mean_square_displacement(n + 1, 2, crowd, hop=hop) for n in rows])


def shares_in_scar(persistence, boundary="periodic"):
    """Share of scarred sites, and of 1,638 walkers on them at 8 looks from 20 hours on; hops in scar are a sixth."""
    scar = {"initial": {"mf_grade": 3, "patches": 6, "cover_fraction": 0.5}, "resolution_rate_per_day": 0}
    content = {
        "time": {"duration_hours": 24, "record_every_hours": 24, "snapshot_every_hours": 0.5},
        "marrow": {"scale": "tissue", "shape": [128, 128], "boundary": boundary}, "seed": 6,
        "clones": {"healthy": {"genotype": "wild_type"}}, "treatments": {"car_t": {"dose_cells": 1638}},
        "car_t": {"scar_slowing": 0.98, "persistence_minutes": persistence}, "fibrosis": scar,
        "hematopoiesis": OFF, "mutation": OFF,
    }  # fmt: skip
    snapshots = mpn_abm.run(scenario(content)).snapshots
    late = snapshots[(snapshots.day > 20 / 24 + 1e-6) & (snapshots.layer == "car_t")]
    shares = (late.fibrosis > 0.5).groupby(late.day).mean()
    assert len(shares) == 8
    return (snapshots[snapshots.day == 0].fibrosis > 0.5).mean(), shares.to_numpy()


@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
def test_walkers_that_forget_their_direction_are_nowhere_more_often_than_elsewhere(boundary):
    """Hop rates of both ways between two sites are equal, so a memoryless walk is as long on every site.

    Finds 25 % more in scar; E of the own site alone would gather six times as many there.
    """
    scarred, shares = shares_in_scar(0.1, boundary)
    assert scarred == pytest.approx(0.5, abs=0.01)
    assert (np.abs(shares - scarred) < BOUND * np.sqrt(scarred * (1.0 - scarred) / 1638)).all()


def test_walkers_that_keep_their_direction_gather_in_scar_by_less_than_they_are_slowed():
    """A persistent walker is found more often where it is slow, whatever its turns (Schnitzer 1993,
    doi:10.1103/PhysRevE.48.2553): up to 1/(1 - phi E) = 6.2 times as often if scar is wide, less in patches.
    """
    _, shares = shares_in_scar(10.0)
    gathered = shares / (1.0 - shares)
    assert (gathered > 1.5).all()
    assert (gathered < 1.0 / (1.0 - 0.98 * 3 / 3.5)).all()


def test_the_scenario_of_the_library_shows_it_in_its_snapshots():
    """Rows of a snapshot stand in the order of the agents' birth, as nobody dies here: 400 walkers, 6 h."""
    snapshots = mpn_abm.run(of_library("verification/walker_msd")).snapshots
    walkers = snapshots[snapshots.layer == "car_t"]
    days = np.unique(walkers.day)
    places = np.array([walkers[walkers.day == day][["y", "x"]].to_numpy() for day in days])
    squares = squared_displacements(places, (400, 400))
    expected = [mean_square_displacement(15 * n, 2, 400 / 400**2) for n in range(1, len(days))]
    assert len(days) == 12
    assert_walk(squares, expected)
