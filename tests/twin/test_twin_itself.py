"""The twin's cell events on their own: what can be known without the compiled kernels."""

from collections import Counter
from math import exp, prod, sqrt

import pytest

from .draws import LARGEST64, happens, ladder, words
from .marks import Hazards, capped_thresholds, scar_part
from .marrow import Marrow
from .records import Log

WILD, MUTANT, DOUBLE = range(3)


# Marks.


def test_equal_birth_and_loss_on_a_rung_do_not_wrap():
    rho = ladder(0.25 + 0.25)
    assert rho == 0.5
    marks = capped_thresholds(Hazards(0.25, 0.25, ()), rho, 0.0)
    assert marks.division == 2**63
    assert marks.loss == 2**63 - 1


def test_marks_of_all_events_fit_into_64_bits_together():
    for b, d, m in [(0.25, 0.25, (0.0,)), (0.1, 0.2, (0.2,)), (0.0, 0.0, (0.5, 0.5)), (1.0, 1e-12, (1e-18, 1e-9))]:
        hazards = Hazards(b, d, m)
        marks = capped_thresholds(hazards, ladder(b + d + hazards.mutations), 1.0)
        assert marks.division + marks.loss + sum(marks.mutation) < 2**64
        assert min(marks.division, marks.loss, *marks.mutation) >= 0


def test_full_scar_at_full_cost_stops_division_and_goes_no_further():
    for mark in (LARGEST64, 2**63, 123456789012345, 65536, 7):
        assert 0 <= mark - 255 * scar_part(mark, 1.0) <= 2**16 + 255
        assert scar_part(mark, 0.0) == 0


# One step.


def marrow(shape=(6, 7), empty=0.0, **changes):
    """A marrow of wild-type and mutant cells in two clones, every fifth or so a mutant."""
    cells = []
    for s in range(prod(shape)):
        w0, w1, w2, _ = words(1, 6, s, 0)
        genotype = MUTANT if happens(w0, 0.3) else WILD
        cells.append(None if happens(w1, empty) else (genotype, genotype, w2 >> 24 if genotype else 0))
    arguments = {
        "seed": 20_240_229,
        "shape": shape,
        "cells": cells,
        "clones": [(-1, -1, -1, WILD, 0), (-1, -1, -1, MUTANT, 1)],
        "division_rate": 0.3,
        "loss_rate": 0.05,
        "gain": [0.0, 0.1, 0.2],
        "shrink": [0.02, 0.0, 0.0],
        "mutation": [[0.01, 0.002], [0.005, 0.0], [0.0, 0.0]],
        "becomes": [[MUTANT, DOUBLE], [DOUBLE, WILD], [WILD, WILD]],
        "carries_antigen": [False, True, True],
    }
    return Marrow(**(arguments | changes))


SCAR = {"scar": [0, 128, 255, 40], "scar_cost": [0.3, 0.2, 1.0], "capacity_cost": 0.5}
SETUPS = {
    "torus": {},
    "recirculation": {"recirculation": 0.3, "radius": 3, "regeneration": 5.0, "empty": 0.4},
    "well mixed": {"recirculation": 1.0},
    "reflecting": {"boundary": "reflecting", "radius": 6},
    "displacement": {"displacement": 0.4, "empty": 0.2},
    "no displacement": {"displacement": 0.0, "empty": 0.5},
    "scar": SCAR,
    "3-D": {"shape": (3, 5, 4), "boundary": "reflecting", "recirculation": 0.2},
    "3-D scar": SCAR | {"shape": (3, 6, 7), "radius": 2},
    "death_birth": {"update": "death_birth", "recirculation": 0.3},
    "death_birth scar": SCAR | {"update": "death_birth", "empty": 0.3, "regeneration": 5.0, "boundary": "reflecting"},
    "death_birth 3-D": {"update": "death_birth", "shape": (4, 4, 5), "empty": 0.7},
    "three days": {"dt": 3.0},
}


@pytest.mark.parametrize("name", SETUPS)
def test_every_cell_of_every_clone_is_accounted_for(name):
    twin = marrow(**SETUPS[name])
    arrived = 0
    for t in range(25):
        clones, genotypes = twin.per_clone(), twin.per_genotype()
        log = twin.step(t)
        gained = {by: log.count("birth", "arrival", by=by) for by in ("clone", "genotype")}
        taken = {by: log.count("loss", "displacement", "departure", by=by) for by in ("clone", "genotype")}
        clones += [0] * (len(twin.clones) - len(clones))
        assert twin.per_clone() == [n + gained["clone"][c] - taken["clone"][c] for c, n in enumerate(clones)]
        expected = [n + gained["genotype"][g] - taken["genotype"][g] for g, n in enumerate(genotypes)]
        assert twin.per_genotype() == expected
        assert sum(twin.per_block({WILD, MUTANT, DOUBLE})) == sum(expected)
        arrived += sum(log.count("arrival").values())
    assert arrived > 0
    assert len(twin.clones) == 2 + arrived
    assert all(cell is None or cell.genotype == twin.clones[cell.clone].genotype for cell in twin.cells)


@pytest.mark.parametrize("name", SETUPS)
def test_every_set_up_does_what_it_is_meant_to_try(name):
    twin = marrow(**SETUPS[name])
    kinds = Counter()
    for t in range(25):
        kinds.update(event.kind for event in twin.step(t).events)
    assert kinds["birth"] > 0
    assert kinds["loss"] > 0
    assert kinds["departure"] == kinds["arrival"] > 0
    assert (kinds["displacement"] > 0) == (twin.update == "birth_death" and twin.displacement > 0)
    assert (kinds["lost_daughter"] > 0) == (twin.displacement < 1 or twin.capacity_cost > 0)


def test_clone_ids_follow_the_candidates_and_rows_name_parent_and_founder():
    twin = marrow((12, 12))
    for t in range(40):
        known = len(twin.clones)
        log = twin.step(t)
        left = [event for event in log.events if event.kind == "departure"]
        came = [event for event in log.events if event.kind == "arrival"]
        assert [event.clone for event in came] == list(range(known, len(twin.clones)))
        assert [event.candidate for event in came] == sorted(event.candidate for event in came)
        for old, new in zip(left, came, strict=True):
            row = twin.clones[new.clone]
            assert (row.parent, row.step, row.site, row.genotype) == (old.clone, t, new.site, new.genotype)
            assert row.founder == twin.clones[old.clone].founder
    assert {row.founder for row in twin.clones} == {0, 1}
    assert any(row.parent > 1 for row in twin.clones)


def test_without_loss_a_full_marrow_stays_full():
    twin = marrow(loss_rate=0.0, shrink=[0.0] * 3)
    for t in range(20):
        twin.step(t)
        assert sum(twin.per_genotype()) == 42


def test_a_genotype_that_arises_within_a_step_waits_for_the_next():
    busy = {"mutation": [[0.5], [0.5], [0.0]], "becomes": [[MUTANT], [DOUBLE], [WILD]]}
    twin = marrow(cells=[(WILD, 0, 0)] * 42, dt=4.0, **busy)
    log = twin.step(0)
    assert twin.per_genotype()[MUTANT] > 5
    assert twin.per_genotype()[DOUBLE] == 0
    assert log.count("birth", by="genotype")[MUTANT] == 0
    twin.step(1)
    assert twin.per_genotype()[DOUBLE] > 0


def test_a_daughter_sent_to_her_mothers_site_changes_nothing():
    alone = marrow((1, 1), cells=[(MUTANT, 1, 7)], loss_rate=0.0, mutation=[[]] * 3, becomes=[[]] * 3)
    for t in range(50):
        assert alone.step(t).events == []
    assert alone.cells == [(MUTANT, 1, 7)]


def test_no_cell_and_no_hazard_mean_no_candidates():
    assert marrow(cells=[None] * 42).step(0).candidates == 0
    still = marrow(division_rate=0.0, loss_rate=0.0, gain=[0.0] * 3, shrink=[0.0] * 3, mutation=[[0.0]] * 3)
    assert still.step(0).candidates == 0
    assert marrow(cells=[None] * 42, update="death_birth").step(0).candidates == 0


def test_loss_alone_decays_at_its_rate():
    """Binomial band of 4 standard errors: error rate 6e-5."""
    twin = marrow((20, 20), division_rate=0.0, gain=[0.0] * 3, shrink=[0.0] * 3, mutation=[[]] * 3, becomes=[[]] * 3)
    for t in range(20):
        twin.step(t)
    share = exp(-1.0)
    assert abs(sum(twin.per_genotype()) - 400 * share) < 4 * sqrt(400 * share * (1 - share))


def test_equal_birth_and_loss_happen_equally_often():
    """Sources at b = d = 0.25 on a rung: band of 4 standard errors, error rate 6e-5."""
    rates = {"division_rate": 0.25, "loss_rate": 0.25, "gain": [0.0] * 3, "shrink": [0.0] * 3}
    twin = marrow((12, 12), mutation=[[]] * 3, becomes=[[]] * 3, **rates)
    log = twin.step(0)
    assert log.rho == 0.5
    births = losses = 0
    for t in range(1, 16):
        log = twin.step(t)
        births += sum(log.count("birth").values())
        losses += sum(log.count("loss").values())
    assert births + losses > 400
    assert abs(births - losses) < 4 * sqrt(births + losses)


@pytest.mark.parametrize("update", ["birth_death", "death_birth"])
def test_four_sites_are_won_by_the_fitter_cell_with_the_chance_of_moran(update):
    """Four well-mixed sites, r = 1.5; z within 4, error rate 6e-5 each.

    death_birth: the parent is another cell than the lost one, so from i mutants of four the
    odds of a step up are those of the lost being wild type and the parent a mutant.
    """
    r, n = 1.5, 4
    rates = {"division_rate": 1.0, "loss_rate": 0.0, "gain": [0.0, r - 1.0], "shrink": [0.0, 0.0]}
    if update == "death_birth":
        rates["loss_rate"] = 1.0
    down_over_up = []
    for i in range(1, n):
        if update == "birth_death":
            down_over_up.append(1 / r)
        else:
            up = (n - i) / n * r * i / (r * i + n - i - 1)
            down = i / n * (n - i) / (r * (i - 1) + n - i)
            down_over_up.append(down / up)
    products = [1.0]
    for ratio in down_over_up:
        products.append(products[-1] * ratio)
    expected = 1.0 / sum(products)
    runs = 1500
    won = sum(fixed(seed, rates, update) for seed in range(runs))
    assert abs(won - runs * expected) < 4 * sqrt(runs * expected * (1 - expected))


def fixed(seed, rates, update):
    """Whether one mutant among four takes over; 64 draws fill an offered place all but surely."""
    twin = Marrow(
        seed=seed,
        shape=(2, 2),
        cells=[(MUTANT, 1, 0)] + [(WILD, 0, 0)] * 3,
        clones=[(-1, -1, -1, WILD, 0), (-1, -1, -1, MUTANT, 1)],
        mutation=[[], []],
        becomes=[[], []],
        carries_antigen=[False, False],
        recirculation=1.0,
        update=update,
        dt=4.0,
        **rates,
    )
    t = 0
    while 0 < twin.per_genotype()[MUTANT] < 4:
        twin.step(t)
        t += 1
    return twin.per_genotype()[MUTANT] == 4


@pytest.mark.parametrize("update", ["birth_death", "death_birth"])
def test_scar_holds_back_division_where_it_lies(update):
    """At cost 1 and byte 255 nobody divides there, next door they do."""
    rates = {"scar_cost": [1.0] * 3, "recirculation": 1.0, "mutation": [[]] * 3, "becomes": [[]] * 3}
    everywhere = marrow((8, 8), scar=[255] * 4, update=update, **rates)
    half = marrow((8, 8), scar=[255, 0, 255, 0], update=update, **rates)
    for t in range(5):
        assert sum(everywhere.step(t).count("birth").values()) == 0
        assert sum(half.step(t).count("birth").values()) > 0


def test_kinds_of_mutation_are_counted_from_the_top():
    marks = capped_thresholds(Hazards(0.1, 0.1, (0.25, 0.125)), 1.0, 0.0)
    assert marks.mutation == (2**62, 2**61)
    for u, genotype in [
        (2**64 - 1, MUTANT),
        (2**64 - 2**62, MUTANT),
        (2**64 - 2**62 - 1, DOUBLE),
        (2**64 - 2**62 - 2**61, DOUBLE),
        (2**64 - 2**62 - 2**61 - 1, WILD),
    ]:
        twin = marrow(cells=[(WILD, 0, 0)] * 42)
        twin.perhaps_mutate(5, u, marks, 0, 0, (0, 0, 0, 0), Log())
        assert twin.cells[5].genotype == genotype


def test_a_lodger_stays_with_the_capacity_of_the_niche():
    """Full scar, w = 0.5: half of the daughters are lost; 4 standard errors, error rate 6e-5."""
    twin = marrow((8, 8), scar=[255] * 4, capacity_cost=0.5)
    kept = lost = 0
    for t in range(30):
        log = twin.step(t)
        kept += sum(log.count("birth").values())
        lost += sum(log.count("lost_daughter").values())
    assert kept + lost > 200
    assert abs(kept - lost) < 4 * sqrt(kept + lost)


def test_only_daughters_and_first_mutants_of_antigen_carrying_genotypes_draw_an_antigen():
    """A byte changes by a draw, a wild-type daughter copies, a second mutation keeps what was there."""
    twin = marrow(carries_antigen=[False, True, True], becomes=[[MUTANT, DOUBLE], [DOUBLE, DOUBLE], [MUTANT, MUTANT]])
    kept = drawn = 0
    for t in range(25):
        before = list(twin.cells)
        log = twin.step(t)
        touched = Counter(event.site for event in log.events)
        for event in log.events:
            now = twin.cells[event.site]
            if event.kind == "arrival" and touched[event.site] == 2 and before[event.site].genotype != WILD:
                assert now.antigen == before[event.site].antigen
                kept += 1
            if event.kind == "arrival" and touched[event.site] == 2 and before[event.site].genotype == WILD:
                assert now.antigen == words(twin.seed, 3, event.candidate, t)[2] >> 24
                drawn += 1
        assert all(cell is None or cell.genotype != WILD or cell.antigen == 0 for cell in twin.cells)
    assert kept > 1
    assert drawn > 1


def test_a_daughter_draws_her_own_antigen():
    twin = marrow(cells=[(MUTANT, 1, 7)] + [None] * 41, mutation=[[]] * 3, becomes=[[]] * 3, loss_rate=0.0)
    for t in range(20):
        twin.step(t)
    bytes_seen = Counter(cell.antigen for cell in twin.cells if cell)
    assert bytes_seen[7] <= 2
    assert len(bytes_seen) > 10
