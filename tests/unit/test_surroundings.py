"""What CAR T cells find around a site: counts, where they are kept, and that nothing stale or strange is read."""

import numpy as np
import pytest
from unit import small

import mpn_abm
from mpn_abm.batch import Batch
from mpn_abm.kernels.candidates import quotient
from mpn_abm.kernels.lattice import sites_around, sum_around
from mpn_abm.kernels.packing import COUNT_BITS, COUNTS_A_WORD, slot_of, units
from mpn_abm.mechanisms.car_t.surroundings import COMMITS, ENGAGES, KILLS_A_DAY, MOST_KNOWN, PER_TARGET, slot_here
from mpn_abm.simulate import prepared
from mpn_abm.state import lattice_of

SHAPES = [(7, 5), (1, 6), (6, 1), (2, 2), (1, 1), (4, 3, 5), (3, 1, 2), (2, 2, 2)]


@pytest.mark.parametrize("reflecting", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_sum_around_is_the_sum_over_the_sites_around(shape, reflecting):
    lattice = lattice_of(shape, 1, reflecting)
    values = np.random.default_rng(1).integers(0, 1000, lattice.sites)
    sums, around = np.zeros_like(values), np.zeros(27, np.int64)
    sum_around(values, lattice, np.zeros(lattice.width + 2, np.int64), sums)
    expected = [values[around[: sites_around(s, lattice, around)]].sum() for s in range(lattice.sites)]
    np.testing.assert_array_equal(sums, expected)


def test_a_quotient_by_a_product_is_that_of_a_division():
    rng = np.random.default_rng(2)
    for divisor in (1, 2, 3, 7, 316, 2048, 65_521, 3_000_017):
        whole = rng.integers(0, 2**22, 300) * divisor
        for number in (*whole, *(whole + divisor - 1), *(whole + divisor // 2)):
            assert quotient(int(number), divisor) == number // divisor


def test_counts_of_many_kinds_do_not_run_into_each_other():
    """27 of each of 30 kinds; a niche without a cell adds nothing."""
    unit = units(np.array([-1, *range(30)]))
    assert (unit[:, 0] == 0).all()
    packed = (27 * unit[:, 1:]).sum(axis=1)
    counts = [packed[k // COUNTS_A_WORD] >> COUNT_BITS * (k % COUNTS_A_WORD) & 31 for k in range(30)]
    assert counts == [27] * 30


@pytest.fixture(scope="module")
def marrow():
    program = prepared(mpn_abm.load(small.niche()), 1)
    batch = Batch(program, [0])
    batch.advance(10, lambda: batch.take_rows(), lambda boundary: None)
    return program.rules.car_t, batch.marrow(0)


def looked_at(marrow, counts, step):
    """What follows from counts of genotypes around: the kept numbers."""
    rules, state = marrow
    state.surroundings.here[:] = sum(number * rules.unit[:, g] for g, number in counts.items())
    slot = slot_here(state.surroundings, state.signal, state.immunity, rules, step)
    rate, word = state.surroundings.rate[slot], state.surroundings.word[slot]
    return rate[KILLS_A_DAY], rate[PER_TARGET], int(word[ENGAGES]), int(word[COMMITS])


def test_a_neighbourhood_is_weighed_anew_in_every_step(marrow):
    """Catches a table that is never cleared: signalling changes from step to step."""
    _, state = marrow
    before = looked_at(marrow, {1: 4, 2: 3}, 100)
    state.signal.activity[:] *= 0.5
    assert looked_at(marrow, {1: 4, 2: 3}, 100) == before
    after = looked_at(marrow, {1: 4, 2: 3}, 101)
    state.signal.activity[:] *= 2.0
    assert after != before
    assert looked_at(marrow, {1: 4, 2: 3}, 102) == before


def test_neighbourhoods_that_share_a_slot_are_told_apart(marrow):
    rules, _ = marrow
    genotypes = rules.unit.shape[1]
    crowd = {}
    for a in range(10):
        for g in range(2, genotypes):
            for b in range(10 - a):
                words = a * rules.unit[:, 1] + b * rules.unit[:, g]
                crowd.setdefault(slot_of(words), {})[tuple(words)] = {1: a, g: b}
    rules_of = [list(there.values()) for there in crowd.values() if len(there) > 1]
    assert rules_of, "no two share a slot"
    for there in rules_of:
        alone = [looked_at(marrow, counts, 200 + k) for k, counts in enumerate(there)]
        assert [looked_at(marrow, counts, 300) for counts in there] == alone


def test_more_neighbourhoods_than_are_kept_are_weighed_all_the_same(marrow):
    """Catches a table that searches for ever, or one that tells of a site what another has written there since."""
    rules, state = marrow
    kinds = [
        (a, b, c, g) for a in range(10) for b in range(10 - a) for c in range(10) for g in range(3, len(rules.base))
    ]
    crowd = [{1: a, 2: b, g: c} for a, b, c, g in kinds]
    told_by = {tuple(sum(n * rules.unit[:, g] for g, n in counts.items())) for counts in crowd}
    assert len(told_by) > 2 * MOST_KNOWN
    state.surroundings.told[0] = 1
    together = [looked_at(marrow, counts, 500) for counts in crowd]
    assert state.surroundings.told[0] == 0, "what was known before the table was full is forgotten"
    for counts, expected in list(zip(crowd, together, strict=True))[:: len(crowd) // 40]:
        state.surroundings.made[:] = 0
        state.surroundings.known[:] = 0
        assert looked_at(marrow, counts, 501) == expected


def test_without_targets_around_nobody_engages_and_one_target_has_all_t_cells_that_touch_it(marrow):
    assert looked_at(marrow, {1: 9}, 400) == (0.0, 26.0, 0, 0)
    assert looked_at(marrow, {}, 400) == (0.0, 26.0, 0, 0)
    rate, per_target, engages, commits = looked_at(marrow, {2: 1}, 400)
    assert rate > 0.0
    assert 1.0 <= per_target < 26.0
    assert 0 < engages < 2**32
    assert 0 < commits <= 2**32
