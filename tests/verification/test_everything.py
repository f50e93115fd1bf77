"""With all mechanisms acting at once, and death in the middle: nothing is lost, and the bits are the same."""

import numpy as np
import pytest
from verification.everything import EVERYTHING, IN_TISSUE, MARROWS
from verification.runs import OFF, digest, scenario
from verification.test_conservation import Books
from verification.test_same_bits import the_same

import mpn_abm
from mpn_abm.batch import Batch
from mpn_abm.compile.program import compile_scenario
from mpn_abm.state import DEAD_STEP

REPLICATES = 5


class Accounts(Books):
    """Books that begin with what day 0 has booked already: its past is a mutation of cells that were placed."""

    def __call__(self, state, day):
        if self.start is None:
            ledger = state.ledger
            self.start = state.counters.genotype_cells + ledger.mutated_from - ledger.mutated_to
        return super().__call__(state, day)


@pytest.fixture(scope="module", params=MARROWS)
def busy(request):
    """A run alone, whose patient lives long enough, with its accounts."""
    accounts = Accounts()
    return mpn_abm.run(scenario(MARROWS[request.param]), observers=[accounts]), accounts


def test_every_cell_has_come_and_gone_in_one_way(busy):
    """now = before + births - losses - killed + arrived (donors too) + mutated to - mutated from, at every row.

    Per genotype, and by a recount of the sites. Catches conditioning that books no loss, donors that nobody counts, and
    transformed clones of the past that are new cells.
    """
    result, accounts = busy
    assert accounts.days == result.trajectory.alive.sum()
    wanted = ("births", "losses", "killed", "arrived", "mutated_to")
    assert all(accounts.seen[name] > 0 for name in wanted)


def test_everything_does_happen(busy):
    """What this scenario is for: drugs of all kinds, loss of response, phases, donors, and death on the way."""
    result, _ = busy
    events, rows = result.events, result.trajectory
    kinds = set(events.kind)
    assert {"death", "dose", "clone_born", "clone_lost", "treatment_start"} <= kinds
    assert not rows.alive.iloc[-1]
    assert rows.alive.sum() > 0.5 * len(rows)
    living = rows[rows.alive]
    assert living.kills.iloc[-1] > 0
    assert living.t_cell_pressure_per_year.max() > 0.0
    if result.scenario.spec.marrow.scale == "niche":
        assert (living.genotype_cells_donor > 0).any()
        assert {"platelets_per_nl", "spleen_ml"} <= set(rows)


def test_no_number_leaves_its_bounds(busy):
    living = busy[0].trajectory.dropna()
    shares = living.filter(regex="^(fraction|vaf|persistence|fibrosis|hematocrit|suppression)")
    assert ((shares >= 0.0) & (shares <= 1.0)).all(axis=None)
    assert (living.filter(regex="^(activity|pd_l1|platelets|spleen|wbc)") > 0.0).all(axis=None)
    assert (living.filter(regex="^pd_l1") <= 2.5).all(axis=None)
    if "blast_percent" in living:
        assert living.blast_percent.between(0.0, 100.0).all()


def without_arrivals(content):
    """Changes that leave out what a batch places only when it is told to."""
    return {f"clones.{name}": None for name, clone in content["clones"].items() if "day" in clone}


EVERY = pytest.mark.parametrize("content", [EVERYTHING, IN_TISSUE], ids=["niche", "tissue"])


@pytest.fixture(scope="module")
def together():
    """Several patients of each marrow, on one thread."""
    return {id(content): mpn_abm.run(scenario(content), replicates=REPLICATES) for content in (EVERYTHING, IN_TISSUE)}


@EVERY
def test_some_die_early_and_some_late(content, together):
    """Catches comparisons of bits in which nobody dies."""
    died = together[id(content)].summary.death_day.astype(float)
    assert died.notna().sum() >= 3
    assert died.nunique() >= (3 if content is EVERYTHING else 1)


@EVERY
def test_two_threads_leave_what_one_does(content, together):
    assert the_same(mpn_abm.run(scenario(content), replicates=REPLICATES, threads=2), together[id(content)])


@EVERY
def test_a_patient_alone_is_the_one_among_others(content, together):
    """By the seed of the row, all tables. Catches death, losses or donors that another patient's draw decides."""
    result = together[id(content)]
    seeds = result.summary.seed.to_list()
    for number in (0, REPLICATES - 1):
        alone = mpn_abm.run(scenario(content, {"seed": seeds[number]}))
        for name in ("trajectory", "clones", "events", "snapshots", "summary"):
            whole = getattr(result, name)
            own = whole[whole.replicate == number].reset_index(drop=True).drop(columns=["run_id", "replicate"])
            single = getattr(alone, name).drop(columns=["run_id", "replicate"])
            assert own.astype(object).equals(single.astype(object)), name


def test_stripes_leave_what_one_thread_does():
    """A marrow large enough to be cut, in long steps, through conditioning and engraftment to the end."""
    content = EVERYTHING | {
        "marrow": {"shape": [120, 96], "hsc_pool_cells": 20_000},
        "time": {"duration_days": 360, "step_days": 10, "record_every_days": 30},
        "hematopoiesis": {"loss_rate_per_year": 1, "division_rate_per_year": 7, "displacement": 0.8},
    }
    one, two = (mpn_abm.run(scenario(content), threads=threads) for threads in (1, 2))
    assert the_same(one, two)
    assert one.facts["candidates"] > 5000 * 20


@EVERY
def test_a_run_in_pieces_is_the_run_in_one(content):
    """Every array of the state, at each of several days, death among them."""
    program = compile_scenario(scenario(content, without_arrivals(content)).spec)
    last = min(program.timetable.steps, 420)
    whole, cut = Batch(program, [0]), Batch(program, [0])

    def advance(batch, until):
        batch.advance(until, lambda: (batch.take_rows(), batch.take_clone_rows(), batch.take_log()), lambda _: None)

    advance(whole, last)
    for until in (1, 2, 3, 7, 66, 67, 130, 201, 218, 219, last):
        advance(cut, min(until, last))
    one, other = whole.marrow(0), cut.marrow(0)
    for group in ("counters", "ledger", "ground", "signal", "immunity", "body"):
        for name, array in getattr(one, group)._asdict().items():
            if name != "work":
                assert np.array_equal(array, getattr(getattr(other, group), name)), (group, name)
    assert np.array_equal(one.cell, other.cell)
    assert np.array_equal(one.tally, other.tally)


@EVERY
def test_stepping_as_a_model_leaves_the_rows_of_a_run(content):
    """The model for Mesa, step by step, up to the death of its patient and beyond."""
    said = scenario(content, without_arrivals(content) | {"time.record_every_days": 1})
    model = mpn_abm.MarrowModel(said)
    program = compile_scenario(said.spec)
    batch = Batch(program, [0])
    last = min(program.timetable.steps, 420)
    while model.running and model.boundary < last:
        model.step()
    assert model.boundary == last
    batch.advance(last, lambda: (batch.take_rows(), batch.take_clone_rows(), batch.take_log()), lambda _: None)
    assert np.array_equal(model.batch.marrow(0).cell, batch.marrow(0).cell)
    # the model takes a row more often, and counts nothing else differently
    assert model.batch.marrow(0).tally[DEAD_STEP] == batch.marrow(0).tally[DEAD_STEP]
    for one, other in zip(model.batch.marrow(0).counters, batch.marrow(0).counters, strict=True):
        assert np.array_equal(one, other)


def test_all_treatments_at_dose_0_have_the_bits_of_none():
    """Every kind of drug at once; columns of drugs and T cells aside."""
    treatments = {
        name: {key: value for key, value in said.items() if key not in ("dose_mg", "dose_cells")}
        | {"dose_relative": 0.0}
        for name, said in EVERYTHING["treatments"].items()
    }
    content = EVERYTHING | {"time": {"duration_days": 150}}
    without = mpn_abm.run(scenario(content | {"treatments": {}})).trajectory
    shared = [name for name in without if name != "run_id" and name != "genotype_cells_donor"]
    with_it = mpn_abm.run(scenario(content | {"treatments": treatments})).trajectory
    other = [name for name in shared if name in with_it and not name.startswith("activity_donor")]
    assert with_it[other].equals(without[other])


@pytest.mark.parametrize("mechanism", ["interferon", "eltrombopag", "transplant", "car_t", "jak_stat", "immune"])
def test_each_mechanism_makes_a_difference_and_off_is_another_run(mechanism):
    """Catches a switch that nobody reads."""
    content = EVERYTHING | {"time": {"duration_days": 240}}
    on, off = (mpn_abm.run(scenario(content | {mechanism: said} if said else content)) for said in (None, OFF))
    assert digest(on) != digest(off)
    assert on.trajectory.cells_total.to_list() != off.trajectory.cells_total.to_list()
