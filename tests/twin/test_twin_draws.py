"""The twin's draws and its lattice: published words, exact tables, symmetric weights."""

from collections import Counter
from math import log2, prod

import pytest
from scipy import stats

from .draws import (
    LARGEST64,
    block,
    blocks,
    happens,
    ladder,
    neighbour,
    philox,
    place,
    poisson,
    poisson_table,
    replicate_seed,
    threshold64,
    touching,
    words,
)


def test_philox_gives_the_published_words():
    assert philox((0, 0, 0, 0), (0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    ones = 2**32 - 1
    assert philox((ones,) * 4, (ones,) * 2) == (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)
    pi = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
    assert philox(pi, (0xA4093822, 0x299F31D0)) == (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)


def test_the_key_is_the_seed_low_word_first_and_the_draw_shares_the_third_word():
    seed = (7 << 32) + 5
    assert words(seed, 4, item=11, step=13, draw=3) == philox((11, 13, 4 + 256 * 3, 0), (5, 7))


def test_replicates_have_seeds_of_53_bits_and_replicate_0_that_of_the_file():
    seeds = [replicate_seed(42, k) for k in range(100)]
    assert seeds[0] == 42
    assert len(set(seeds)) == 100
    assert max(seeds) < 2**53


def test_certain_events_need_no_luck_and_impossible_ones_never_happen():
    assert happens(2**32 - 1, 1.0)
    assert not happens(0, 0.0)
    assert happens(2**31 - 1, 0.5)
    assert not happens(2**31, 0.5)


@pytest.mark.parametrize("rate", [1e-300, 2e-8 / 365.25, 0.0027, 0.3, 0.5, 0.70710678, 1.0, 3.7, 1e9])
def test_the_ladder_rises_by_quarter_powers_of_two_and_never_lies_below(rate):
    rho = ladder(rate)
    assert rate <= rho < rate * 2**0.25 * (1 + 1e-15)
    rung = 4 * log2(rho)
    assert abs(rung - round(rung)) < 1e-11


def test_the_ladder_leaves_its_own_rungs_alone():
    for rate in (0.5, 0.25, 1.0, 2.0, 0.5946035575013605, 2 * 0.8408964152537145):
        assert ladder(rate) == rate


def test_a_threshold_is_exact_and_stays_within_64_bits():
    assert threshold64(0.0) == 0
    assert threshold64(0.5) == 2**63
    assert threshold64(1.0) == LARGEST64
    assert threshold64(2.0**-64) == 1
    assert threshold64(2.0**-65) == 0


@pytest.mark.parametrize("mean", [1e-9, 0.3, 1.0, 7.5, 464.0, 3000.25])
def test_the_table_of_counts_is_the_poisson_distribution(mean):
    low, thresholds = poisson_table(mean)
    exact = stats.poisson.cdf(range(low, low + len(thresholds)), mean)
    assert max(abs(t / 2**64 - c) for t, c in zip(thresholds, exact, strict=True)) < 1e-12
    assert thresholds == sorted(thresholds)


def test_a_count_is_the_first_whose_threshold_exceeds_the_number():
    low, thresholds = poisson_table(5.0)
    assert low == 0
    assert poisson(5.0, 0) == 0
    assert poisson(5.0, thresholds[0] - 1) == 0
    assert poisson(5.0, thresholds[0]) == 1
    assert poisson(5.0, LARGEST64) == len(thresholds) - 1


# The lattice.


@pytest.mark.parametrize("shape", [(3, 5), (8, 8), (2, 3, 5)])
def test_every_place_is_equally_likely(shape):
    sites = prod(shape)
    each = 64
    cells = sites * each
    found = Counter(place((2 * i + 1) * 2**31 // cells, shape) for i in range(cells))
    assert [found[s] for s in range(sites)] == [each] * sites


@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
@pytest.mark.parametrize(("shape", "radius"), [((3, 5), 1), ((4, 5), 3), ((3, 3), 3), ((3, 4, 3), 1), ((2, 3, 4), 2)])
def test_a_daughter_goes_from_s_to_t_as_often_as_from_t_to_s(shape, radius, boundary):
    others = (2 * radius + 1) ** len(shape) - 1
    every = [-(-(k << 32) // others) for k in range(others)]
    sites = prod(shape)
    ways = [Counter(neighbour(word, s, shape, radius, boundary) for word in every) for s in range(sites)]
    for s in range(sites):
        assert sum(ways[s].values()) == others
        assert all(ways[s][t] == ways[t][s] for t in range(sites))
        assert set(ways[s]) <= set(range(sites))


def test_neighbours_inside_the_lattice_are_the_moore_neighbours():
    every = [-(-(k << 32) // 8) for k in range(8)]
    found = [neighbour(word, 12, (5, 5), 1, "reflecting") for word in every]
    assert found == [6, 7, 8, 11, 13, 16, 17, 18]
    assert touching(12, (5, 5), "reflecting") == [6, 7, 8, 11, 12, 13, 16, 17, 18]


def test_blocks_are_four_sites_a_side_and_narrower_at_the_end():
    assert blocks((6, 9)) == 6
    assert [block(s, (6, 9)) for s in (0, 3, 4, 8, 36, 53)] == [0, 0, 1, 2, 3, 5]
    assert blocks((5, 4, 6)) == 4
    assert block(5 * 4 * 6 - 1, (5, 4, 6)) == 3
