"""Random words, thresholds and places of the compiled kernels against the twin's plain integers."""

import math
from random import Random

import numpy as np
import pytest
from numba import uint32, uint64
from twin import draws as twin

from mpn_abm.kernels import candidates, draws
from mpn_abm.state import lattice_of

SEED = (1_234_567 << 32) + 20_240_229  # more than 32 bits: the high word of the key matters
KEY = uint32(SEED & 0xFFFFFFFF), uint32(SEED >> 32)
MEANS = [1e-9, 0.03, 0.9999, 1.0, 5.0, 46.4, 464.0, 3000.25, 250_000.5]


def test_philox_gives_the_published_words():
    """Catches a wrong constant, a missing round or swapped words."""
    zero = uint32(0)
    assert draws.philox(zero, zero, zero, zero, zero) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)


def test_words_are_those_of_the_twin_for_any_counter_and_key():
    """Catches item and step or the halves of the key swapped, and a draw that runs into the stream."""
    random = Random(1)
    for _ in range(2000):
        seed = random.getrandbits(53)
        item, step, draw, stream = (random.getrandbits(bits) for bits in (32, 32, 24, 8))
        found = draws.words(item, step, stream, draw, uint32(seed & 0xFFFFFFFF), uint32(seed >> 32))
        assert found == twin.words(seed, stream, item, step, draw)


def test_replicates_have_the_seeds_of_the_twin():
    """Catches a replicate 0 that is not the file's seed, and seeds of more than 53 bits."""
    for seed in (0, 1, 42, 2**32 - 1, 2**32, 2**53 - 1):
        for replicate in (0, 1, 2, 1000, 2**31):
            assert draws.replicate_seed(uint64(seed), replicate) == twin.replicate_seed(seed, replicate)


@pytest.mark.parametrize("mean", MEANS)
def test_the_table_of_counts_is_that_of_the_twin_to_the_last_bit(mean):
    """Catches a sum in another order, a narrower window and a table that is too short for its window."""
    table = np.zeros(draws.poisson_table_length(mean), np.uint64)
    lowest, entries = draws.fill_poisson_table(mean, table)
    low, thresholds = twin.poisson_table(mean)
    assert lowest == low
    assert table[:entries].tolist() == thresholds


@pytest.mark.parametrize("mean", MEANS)
def test_a_count_is_that_of_the_twin_beside_every_threshold(mean):
    """Catches <= for <, and a search that leaves the table at either end."""
    table = np.zeros(draws.poisson_table_length(mean), np.uint64)
    lowest, entries = draws.fill_poisson_table(mean, table)
    random = Random(2)
    edges = random.sample(table[:entries].tolist(), min(entries, 200))
    beside = [min(max(edge + shift, 0), 2**64 - 1) for edge in edges for shift in (-1, 0, 1)]
    for word in [0, 2**64 - 1, *beside, *(random.getrandbits(64) for _ in range(200))]:
        assert draws.poisson_number(table, lowest, entries, uint64(word)) == twin.poisson(mean, word)


def test_the_ladder_is_that_of_the_twin_on_and_beside_its_rungs():
    """Catches a rung below the rate, which lets a hazard exceed the rate of the list."""
    random = Random(3)
    rungs = [math.ldexp(rung, k) for k in range(-60, 12) for rung in twin.QUARTER_STEPS]
    beside = [math.nextafter(rung, to) for rung in rungs for to in (0.0, math.inf)]
    for rate in [*rungs, *beside, *(math.exp(random.uniform(-60.0, 5.0)) for _ in range(2000))]:
        assert draws.ladder(rate) == twin.ladder(rate) >= rate


def test_a_threshold_is_the_floor_of_the_share_of_two_to_the_64():
    """Catches a share of 1 that wraps to 0, and rounding through a signed or a 53-bit number."""
    random = Random(4)
    shares = [0.0, 0.5, 1.0 - 2.0**-53, 1.0, 1.5, 1e9, 2.0**-64, 2.0**-65, 2e-8 / 365.25 / 144 / 0.01]
    for share in [*shares, *(random.random() ** 3 for _ in range(2000))]:
        assert draws.threshold(share) == twin.threshold64(share)


def test_a_chance_is_met_by_the_same_words_as_in_the_twin():
    """Catches a certain event that fails for the largest word, and an impossible one that the word 0 meets."""
    random = Random(5)
    probabilities = [0.0, 2.0**-32, 2.0**-33, 0.3, 0.5, 1.0 - 2.0**-53, 1.0, 2.0, -1.0]
    for probability in [*probabilities, *(random.random() for _ in range(500))]:
        limit = draws.chance(probability)
        for word in {0, 2**32 - 1, min(max(limit - 1, 0), 2**32 - 1), min(limit, 2**32 - 1)}:
            assert (word < limit) == twin.happens(word, probability)


def test_decay_is_the_exponential_within_its_stated_error():
    """Catches a wrong coefficient of the series and a squaring too many or too few."""
    for x, error in [(20.0, 4e-13), (50.0, 2e-10)]:
        for i in range(2001):
            assert draws.decay(x * i / 2000) == pytest.approx(math.exp(-x * i / 2000), rel=error, abs=0.0)
    assert draws.decay(0.0) == 1.0
    assert 0.0 < draws.decay(1e9) == draws.decay(50.0) < 2e-22


# Where a candidate happens.


def shape_for(radius, dimensions):
    """An odd shape whose shortest side is the radius, the tightest that one fold allows."""
    sides = (radius + 4, radius, 2 * radius + 1) if dimensions == 3 else (radius, radius + 6)
    return sides if radius % 2 else tuple(reversed(sides))


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
@pytest.mark.parametrize("recirculation", [0.0, 0.3, 1.0])
def test_a_batch_names_the_sites_and_blocks_of_the_twin_up_to_the_longest_radius(dimensions, boundary, recirculation):
    """Catches a wrong axis order, a division by reciprocal that is off by one, a fold that misses the lattice."""
    batch = candidates.new_batch()
    for radius in range(1, 16):
        shape = shape_for(radius, dimensions)
        lattice = lattice_of(shape, radius, boundary == "reflecting")
        first, number, step = 1000 * radius, 61, 7 + radius
        candidates.draw_candidates(first, number, step, *KEY, lattice, uint64(draws.chance(recirculation)), batch)
        for j in range(number):
            w0, w1, w2, w3 = twin.words(SEED, twin.EVENT, first + j, step)
            s = twin.place(w0, shape)
            far = twin.happens(w2, recirculation)
            t = twin.place(w3, shape) if far else twin.neighbour(w3, s, shape, radius, boundary)
            assert batch[:, j].tolist() == [s, t, w1, twin.block(s, shape), twin.block(t, shape)], (shape, j)


def test_a_candidate_does_not_depend_on_the_batch_that_holds_it():
    """Catches a batch that counts its items from its own start: stripes draw other batches than one thread."""
    lattice = lattice_of((30, 41), 3, False)
    whole, part = candidates.new_batch(), candidates.new_batch()
    recirculation = uint64(draws.chance(0.3))
    candidates.draw_candidates(0, 256, 5, *KEY, lattice, recirculation, whole)
    for first, number in [(0, 1), (1, 17), (100, 156), (255, 1)]:
        candidates.draw_candidates(first, number, 5, *KEY, lattice, recirculation, part)
        assert (part[:, :number] == whole[:, first : first + number]).all()


@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
@pytest.mark.parametrize(("shape", "radius"), [((7, 9), 7), ((16, 16), 3), ((3, 5, 4), 3), ((6, 9, 5), 2)])
def test_single_places_neighbours_and_blocks_are_those_of_the_twin(shape, radius, boundary):
    """The scalar functions serve death_birth; catches a difference from the vector loop above."""
    lattice = lattice_of(shape, radius, boundary == "reflecting")
    random = Random(6)
    others = (2 * radius + 1) ** len(shape) - 1
    edges = [-(-(k << 32) // others) - before for k in range(1, others) for before in (0, 1)]
    assert lattice.sites == math.prod(shape)
    assert lattice.blocks == twin.blocks(shape)
    for s in range(lattice.sites):
        assert candidates.block_of(s, lattice) == twin.block(s, shape)
        for word in [0, 2**32 - 1, *random.sample(edges, 12)]:
            assert candidates.neighbour(uint32(word), s, lattice) == twin.neighbour(word, s, shape, radius, boundary)
    for word in [0, 2**32 - 1, *(random.getrandbits(32) for _ in range(500))]:
        assert candidates.place(uint32(word), lattice) == twin.place(word, shape)
