"""The compiled events of the stem cells: against the twin, draw for draw, and on stripes, bit for bit."""

from dataclasses import replace

import numba
import numpy as np
import pytest
from verification.kernel_comparison import ALL, EVERYTHING, RUNG, SCAR, STEPS, compare_with_twin, differing
from verification.kernel_marrow import Setup, build, recounted, two_genotypes

from mpn_abm.mechanisms.hematopoiesis import hazards, stripes
from mpn_abm.state import CLONE_GENOTYPE, LOST_STEP, NEXT_CLONE, PARENT, lattice_of

EVERY = pytest.mark.parametrize("setup", [s for group in ALL.values() for s in group.values()], ids=[
    f"{update}: {name}" for update, group in ALL.items() for name in group
])  # fmt: skip


# Against the twin.


@EVERY
def test_every_event_is_that_of_the_twin(setup):
    """Draw for draw, so it catches any other reading of the definition that these set-ups reach."""
    _, account = compare_with_twin(setup)
    assert account.events > 50


def test_the_set_ups_reach_every_kind_of_mutation_and_both_antigen_classes():
    """Catches set-ups gone stale: a comparison says nothing about what never happened."""
    for group in ALL.values():
        mutated, changed_classes = set(), set()
        for setup in group.values():
            kernel = build(setup)
            before = kernel.state.counters.antigen_cells.copy()
            kernel.run(0, STEPS)
            known = kernel.state.tally[NEXT_CLONE]
            table = kernel.state.clone_table[:known]
            mutated |= set(zip(table[table[:, PARENT], CLONE_GENOTYPE], table[:, CLONE_GENOTYPE], strict=True))
            changed_classes |= set(np.flatnonzero((kernel.state.counters.antigen_cells != before).any(axis=1)))
        assert {(1, 2), (1, 4), (2, 3), (2, 4), (3, 2), (4, 5), (5, 2)} <= mutated
        assert changed_classes == {1, 2}


def test_equal_birth_and_loss_on_a_rung_do_not_wrap():
    """b + d = rho fills all 64 bits. Catches B + D = 2^64, which stands still, and a loss that takes its place."""
    kernel, account = compare_with_twin(RUNG, 20)
    marks, counters = kernel.state.marks, kernel.state.counters
    assert kernel.state.marks.rate[hazards.RHO] == 0.5
    assert int(marks.division[1]) + int(marks.loss[1]) == 2**64 - 1
    assert account.births.sum() > 100
    assert (account.losses - account.births).sum() > 100
    assert 20 < counters.genotype_cells[1:].sum() < 190


@pytest.mark.parametrize("rates", [(0.1, 0.15, (0.25, 0.0)), (0.0, 0.25, (0.125, 0.125)), (0.0, 0.0, (0.3, 0.2))])
def test_hazards_that_fill_the_rate_of_the_list_leave_room_for_each_other(rates):
    """b + d + m = rho exactly. Catches thresholds that overlap or wrap once mutation takes part."""
    division, loss, mutation = rates
    setup = two_genotypes(
        0.0, shape=(19, 20), division_rate=division, loss_rate=loss, shares=(0.0, 0.5, 0.5),
        mutation=((0.0, 0.0), mutation, mutation), becomes=((0, 0), (2, 1), (1, 2)),
    )  # fmt: skip
    kernel, _ = compare_with_twin(setup, 5)
    assert kernel.state.marks.rate[hazards.RHO] == 0.5
    assert kernel.state.ledger.mutated_to.sum() > 50


@pytest.mark.parametrize("rate", [1e-9 / 365.25, 2e-8 / 365.25, 1e-6 / 365.25])
def test_a_rare_mutation_keeps_its_rate_beside_a_fast_division(rate):
    """Ten-minute steps, division once a day. Catches 32-bit thresholds, which round this to never."""
    setup = two_genotypes(0.0, shape=(8, 8), dt=1.0 / 144.0, mutation=((0.0,), (rate,), (0.0,)))
    kernel = build(setup)
    kernel.run(0, 1)
    marks = kernel.state.marks
    assert int(marks.mutation[1, 0]) / 2**64 * marks.rate[hazards.RHO] == pytest.approx(rate * setup.dt, rel=3e-8)
    assert marks.mutation[1, 0] > 10_000_000


def test_a_rate_whose_table_of_counts_does_not_fit_is_refused():
    """Catches a table that is written past its end: the caller must be told to make it longer."""
    kernel = build(two_genotypes(0.0, shape=(8, 8)))
    kernel.run(0, 1)
    short = kernel.state.marks._replace(poisson=kernel.state.marks.poisson[:100].copy())
    assert hazards.has_table(short, kernel.state.tally, kernel.lattice)
    short.rate[hazards.RHO] *= 2.0
    before = short.poisson.copy()
    assert not hazards.has_table(short, kernel.state.tally, kernel.lattice)
    assert (short.poisson == before).all()


# Counters against recounts, and conservation.


@EVERY
def test_running_counts_equal_recounts_and_every_genotype_keeps_its_books(setup):
    """Catches a count that an event forgets: count = before + births - losses + mutated to - mutated from."""
    kernel = build(replace(setup, clones=60_000))
    state = kernel.state
    counters, ledger = state.counters, state.ledger
    for step in range(60):
        before = [array.copy() for array in (counters.genotype_cells, counters.births, counters.losses, *ledger)]
        kernel.run(step, 1)
        after = [counters.genotype_cells, counters.births, counters.losses, *ledger]
        count, births, losses, killed, arrived, mutated_to, mutated_from = (
            b - a for a, b in zip(before, after, strict=True)
        )
        np.testing.assert_array_equal(count[1:], (births - losses + mutated_to - mutated_from)[1:])
        assert counters.genotype_cells.sum() == kernel.lattice.sites
        assert not np.any([killed, arrived])
        for name, array in recounted(kernel).items():
            np.testing.assert_array_equal(kernel.arrays()[name], array, f"{name} after step {step}")
    known = state.tally[NEXT_CLONE]
    lost = state.clone_table[1:known, LOST_STEP] >= 0
    np.testing.assert_array_equal(lost, counters.clone_cells[1:known] == 0)


# Stripes.

STRIPED = {
    "torus": Setup(shape=(37, 30)),
    "recirculation": Setup(shape=(32, 33), radius=3, recirculation=0.3),
    "well mixed": Setup(shape=(28, 40), recirculation=1.0),
    "no mutation": Setup(shape=(40, 40), mutation=((0.0,) * 3,) * 6, recirculation=0.1, radius=4),
    "everything": Setup(**(EVERYTHING | {"shape": (41, 29), "boundary": "reflecting"})),
    "emptying": Setup(shape=(30, 30), recirculation=0.3, division_rate=0.1, loss_rate=0.4, dt=2.0),
    "volume": Setup(shape=(17, 9, 10), radius=2),
    "everything in a volume": Setup(**(EVERYTHING | {"shape": (18, 9, 8), "boundary": "reflecting"})),
    "thin": Setup(shape=(3, 300), boundary="reflecting"),
    "scar": Setup(shape=(24, 24), **SCAR, recirculation=0.3),
}
THREADS = sorted({1, min(2, numba.config.NUMBA_NUM_THREADS)})


@pytest.fixture
def restore_threads():
    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name", STRIPED)
@pytest.mark.usefixtures("restore_threads")
def test_stripes_give_the_bits_of_one_thread(name, threads):
    """All arrays, clone table included. Catches every order that depends on who ran what when."""
    numba.set_num_threads(threads)
    setup = replace(STRIPED[name], clones=20_000)
    serial = build(setup)
    serial.run(0, 25)
    for count in (1, 2, 3, 5, 8):
        striped = build(setup)
        put_off = striped.run_striped(0, 25, count)
        assert differing(serial, striped) == [], count
        if count > 1 and setup.shape[0] > 4:
            assert sum(put_off) > 0, "nothing crosses a border: the set-up tries nothing"


@pytest.mark.parametrize("shape", [(37, 30), (3, 300), (64, 5), (17, 9, 10), (8, 64, 64)])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_stripes_cover_the_lattice_and_never_share_a_block(shape, count):
    """Catches a border inside a block, whose counts two threads would then change at once."""
    lattice = lattice_of(shape, 2, False)
    borders = stripes.stripe_borders(lattice, count).tolist()
    assert len(borders) == count + 1
    assert (borders[0], borders[-1]) == (0, lattice.sites)
    assert borders == sorted(borders)
    assert all(border % (4 * lattice.sites // shape[0]) == 0 for border in borders[:-1])
