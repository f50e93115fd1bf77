"""The quasi-steady field against closed forms, a sparse direct solution and its own conservation law."""

from itertools import permutations

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from mpn_abm.kernels.field import _prolong, plan_levels, solve, work_length

RAGGED = {
    "layer": ([1], [4] * 12 + [3], [4] * 17 + [1]),
    "volume": ([4] * 4 + [2], [4] * 6 + [1], [4] * 7 + [3]),
}
BORDERS = pytest.mark.parametrize("periodic", [True, False], ids=["periodic", "reflecting"])
LATTICES = pytest.mark.parametrize("widths", RAGGED.values(), ids=RAGGED.keys())


def volumes(widths):
    z, y, x = (np.asarray(w, dtype=float) for w in widths)
    return z[:, None, None] * y[:, None] * x


def plane(widths):
    """z - 2 y + 3 x at the centres of the blocks."""
    z, y, x = (np.cumsum(w) - np.divide(w, 2) for w in widths)
    return z[:, None, None] - 2 * y[:, None] + 3 * x


def sparse_source(widths, seed):
    random = np.random.default_rng(seed)
    shape = volumes(widths).shape
    return random.random(shape) * (random.random(shape) < 0.1)


def balanced(widths, periodic, source, decay_length, start=0.0, **options):
    """Field and cycles used; the scratch starts as NaN, for its content must not matter."""
    plan = plan_levels(*widths, periodic)
    field = np.zeros(source.size) + np.ravel(start)
    work = np.full(work_length(plan), np.nan)
    cycles = solve(plan, np.ravel(source).astype(float), decay_length, field, work, **options)
    return field.reshape(source.shape), cycles


def directly_solved(widths, periodic, source, decay_length):
    """V_i C_i - sum over faces L^2 area / distance (C_j - C_i) = V_i s_i, face by face."""
    volume = volumes(widths)
    number = np.arange(volume.size).reshape(volume.shape)
    rows, columns, entries = [number.ravel()], [number.ravel()], [volume.ravel()]
    for axis, w in enumerate(widths):
        for left in range(len(w) if periodic and len(w) > 1 else len(w) - 1):
            right = (left + 1) % len(w)
            i, j = number.take(left, axis).ravel(), number.take(right, axis).ravel()
            area = volume.take(left, axis).ravel() / w[left]
            flow = decay_length**2 * area / ((w[left] + w[right]) / 2)
            rows += [i, j, i, j]
            columns += [i, j, j, i]
            entries += [flow, flow, -flow, -flow]
    places = np.concatenate(rows), np.concatenate(columns)
    matrix = coo_array((np.concatenate(entries), places)).tocsc()
    return spsolve(matrix, (volume * source).ravel()).reshape(volume.shape)


@BORDERS
@LATTICES
@pytest.mark.parametrize("decay_length", [1.5, 10.0, 60.0])
def test_agrees_with_a_direct_solution(widths, periodic, decay_length):
    source = sparse_source(widths, seed=1)
    field, _ = balanced(widths, periodic, source, decay_length, tolerance=1e-11)
    expected = directly_solved(widths, periodic, source, decay_length)
    np.testing.assert_allclose(field, expected, rtol=1e-8, atol=1e-8 * expected.max())


@BORDERS
def test_agrees_with_a_direct_solution_on_lattices_of_any_shape(periodic):
    random = np.random.default_rng(2)
    for _ in range(60):
        widths = [[4] * n + [random.integers(1, 5)] for n in random.choice([0, 0, 1, 2, 3, 4, 6, 8], 3)]
        source = random.random(volumes(widths).shape)
        field, _ = balanced(widths, periodic, source, 7.0, tolerance=1e-11)
        np.testing.assert_allclose(field, directly_solved(widths, periodic, source, 7.0), rtol=1e-8)


@BORDERS
@LATTICES
@pytest.mark.parametrize("cycles", [0, 1, 3])
def test_keeps_the_mass_after_any_number_of_cycles(widths, periodic, cycles):
    source, start = sparse_source(widths, seed=3), sparse_source(widths, seed=4)
    field, used = balanced(widths, periodic, source, 10.0, start, tolerance=0.0, most_cycles=cycles)
    assert used == cycles
    assert np.vdot(volumes(widths), field) == pytest.approx(np.vdot(volumes(widths), source), rel=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_falls_off_exponentially_from_a_sheet_of_sources(axis):
    """Block means of exp(-|x| / L); with a = h / 2L the scheme is off by 5/6 a^2 + |x| / L a^2 / 6."""
    blocks, h, decay_length = 160, 4.0, 20.0
    widths = [[h] * 3, [h] * 3, [h] * 3]
    widths[axis] = [h] * blocks
    source = np.zeros(volumes(widths).shape)
    np.moveaxis(source, axis, 0)[0] = 1.0
    field, _ = balanced(widths, True, source, decay_length, tolerance=1e-11)

    ring = np.moveaxis(field, axis, 0)
    steps = np.arange(1, 36)
    a, distance = h / (2 * decay_length), h * steps / decay_length
    exact = np.sinh(a) ** 2 / a * np.exp(-distance)
    for side in (steps, -steps):
        profile = ring[side, 1, 2]
        assert (np.abs(profile / exact - 1) < a**2 * (0.9 + distance / 6)).all()
        # the scheme's own profile is tanh(b) exp(-2 b i) with sinh(b) = a, but for the way round the ring
        b = np.arcsinh(a)
        np.testing.assert_allclose(profile, np.tanh(b) * np.exp(-2 * b * steps), rtol=1e-6)


@BORDERS
@LATTICES
def test_a_uniform_source_stands_as_it_is(widths, periodic):
    source = np.full(volumes(widths).shape, 0.7)
    field, cycles = balanced(widths, periodic, source, 25.0, tolerance=1e-12)
    assert cycles <= 1
    np.testing.assert_allclose(field, 0.7, rtol=1e-14)


@BORDERS
@LATTICES
def test_without_transport_the_field_is_the_source(widths, periodic):
    source = sparse_source(widths, seed=5)
    field, _ = balanced(widths, periodic, source, 0.0, tolerance=1e-12)
    np.testing.assert_allclose(field, source, atol=1e-12)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6, 1e-8])
@BORDERS
@LATTICES
def test_no_block_is_off_by_more_than_the_tolerance(widths, periodic, tolerance):
    for seed in range(6, 16):
        source = sparse_source(widths, seed)
        field, _ = balanced(widths, periodic, source, 12.0, tolerance=tolerance)
        error = np.abs(field - directly_solved(widths, periodic, source, 12.0)).max()
        assert error <= tolerance * source.max()


@BORDERS
@LATTICES
@pytest.mark.parametrize("excess", [2e-3, -2e-3])
def test_a_single_block_that_is_off_is_corrected(widths, periodic, excess):
    source = sparse_source(widths, seed=30)
    source[0, 2, 2] = 1.0
    exact = directly_solved(widths, periodic, source, 1.5)
    start = exact.copy()
    start[0, 3, 4] += excess
    field, cycles = balanced(widths, periodic, source, 1.5, start, tolerance=1e-3)
    assert cycles > 0
    assert np.abs(field - exact).max() <= 1e-3


@BORDERS
@LATTICES
@pytest.mark.parametrize("factor", [-1.0, 2.0**10, 2.0**-20])
def test_the_field_is_proportional_to_the_source(widths, periodic, factor):
    source = sparse_source(widths, seed=31)
    field, cycles = balanced(widths, periodic, source, 10.0)
    scaled, used = balanced(widths, periodic, factor * source, 10.0)
    np.testing.assert_array_equal(scaled, factor * field)
    assert used == cycles


@BORDERS
@LATTICES
def test_interpolates_a_plane_exactly(widths, periodic):
    """Between the centres of the outer merged cells; beyond, a border or the seam bends it."""
    plan = plan_levels(*widths, periodic)
    blocks, merged = plane(widths), plane([np.add.reduceat(w, np.arange(0, len(w), 2)) for w in widths])
    cells = np.full(plan.first[-1], np.nan)
    cells[plan.first[1] : plan.first[2]] = merged.ravel()
    _prolong(plan, 0, cells)
    interpolated = cells[: blocks.size].reshape(blocks.shape)
    inner = tuple(slice(len(w) > 1, len(w) - (len(w) % 2 == 0)) for w in widths)
    np.testing.assert_allclose(interpolated[inner], blocks[inner], atol=1e-11)


@BORDERS
@pytest.mark.parametrize("decay_length", [2.0, 10.0, 40.0, 1000.0])
@pytest.mark.parametrize("blocks", [(1, 16, 16), (1, 20, 20), (1, 128, 128), (1, 7, 300), (16, 16, 16), (24, 25, 26)])
def test_gains_a_digit_in_two_cycles_whatever_the_size_and_the_decay_length(blocks, decay_length, periodic):
    widths = [[4] * n for n in blocks]
    source = sparse_source(widths, seed=16)
    _, coarse = balanced(widths, periodic, source, decay_length, tolerance=1e-3)
    _, fine = balanced(widths, periodic, source, decay_length, tolerance=1e-9)
    assert coarse <= 6
    assert fine - coarse <= 12


@BORDERS
@LATTICES
def test_a_warm_start_takes_fewer_cycles(widths, periodic):
    source = sparse_source(widths, seed=17)
    last, cold = balanced(widths, periodic, source, 10.0)
    assert balanced(widths, periodic, source, 10.0, last)[1] == 0
    changed = source * np.random.default_rng(18).uniform(0.99, 1.01, source.shape)
    _, warm = balanced(widths, periodic, changed, 10.0, last)
    assert 0 < warm < cold


@BORDERS
def test_turning_the_lattice_turns_the_field(periodic):
    widths = RAGGED["volume"]
    source = sparse_source(widths, seed=19)
    field, _ = balanced(widths, periodic, source, 10.0, tolerance=1e-9)
    for axes in permutations(range(3)):
        turned, _ = balanced([widths[a] for a in axes], periodic, source.transpose(axes), 10.0, tolerance=1e-9)
        np.testing.assert_allclose(turned, field.transpose(axes), atol=2e-9)
    mirrored, _ = balanced([w[::-1] for w in widths], periodic, np.flip(source), 10.0, tolerance=1e-9)
    np.testing.assert_allclose(mirrored, np.flip(field), atol=2e-9)


@BORDERS
def test_a_periodic_lattice_has_no_first_block(periodic):
    widths = [[1], [4] * 13, [4] * 18]
    source = sparse_source(widths, seed=20)
    field, _ = balanced(widths, periodic, source, 10.0, tolerance=1e-9)
    shifted, _ = balanced(widths, periodic, np.roll(source, (5, 7), (1, 2)), 10.0, tolerance=1e-9)
    moves_along = np.allclose(shifted, np.roll(field, (5, 7), (1, 2)), rtol=0, atol=2e-9)
    assert moves_along == periodic


@BORDERS
@LATTICES
def test_the_same_input_gives_the_same_bits(widths, periodic):
    source, start = sparse_source(widths, seed=21), sparse_source(widths, seed=22)
    first, cycles = balanced(widths, periodic, source, 10.0, start)
    for _ in range(3):
        again, used = balanced(widths, periodic, source, 10.0, start)
        assert again.tobytes() == first.tobytes()
        assert used == cycles


def test_without_a_source_nothing_is_left():
    widths = RAGGED["layer"]
    start = sparse_source(widths, seed=23)
    field, cycles = balanced(widths, True, np.zeros(start.shape), 10.0, start)
    assert not field.any()
    assert cycles == 0
