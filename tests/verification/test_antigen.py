"""Antigen under eltrombopag, in late phases and of its variants, and what T cells make of it."""

import numpy as np
import pytest
from verification.courses import followed, still
from verification.runs import OFF, YEAR, scenario, trajectory

import mpn_abm
from mpn_abm.compile.program import compile_scenario
from mpn_abm.rows import label_of

# docs/background/antigen.md, re-entered here: molecules per cell, and halves of lysis and activation
MEDIAN, LATE, LYSIS, ACTIVATION, PROGENITORS = 500.0, 0.5, 310.0, 2500.0, 4.0
CALR = {"healthy": {"genotype": "wild_type"}, "calr": {"genotype": "CALR_TYPE1", "cells": 40}}
SHOWN = {"antigen": {"enabled": True}, "clones": CALR}


def factor_at(exposure):
    """1 + (3 - 1) X/(X + 1)."""
    return 1.0 + 2.0 * exposure / (exposure + 1.0)


@pytest.mark.parametrize(("dose", "factor"), [(0, 1.0), (50, 2.0), (100, 1.0 + 4.0 / 3.0), (5000, 1.0 + 200.0 / 101.0)])
def test_eltrombopag_raises_the_mean_antigen_to_three_times_at_most(dose, factor):
    """From the day on which it starts to the day on which it stops."""
    rows = trajectory(still(20, {"eltrombopag": {"dose_mg": dose, "start_day": 5, "stop_day": 15}}, **SHOWN))
    mean = rows.antigen_mean_molecules.to_numpy()
    taken = (rows.day > 5) & (rows.day <= 15)
    np.testing.assert_allclose(mean, np.where(taken, factor, 1.0) * mean[0], rtol=1e-12)
    assert factor_at(dose / 50.0) == pytest.approx(factor)


def test_twice_a_day_is_twice_the_exposure():
    one, two = (
        trajectory(still(3, {"eltrombopag": {"dose_mg": 25, "times_per_day": n}}, **SHOWN)).antigen_mean_molecules
        for n in (1, 2)
    )
    assert two.iloc[-1] / one.iloc[-1] == pytest.approx(2.0 / factor_at(0.5))


@pytest.mark.parametrize("exposure", [0.0, 1.0])
@pytest.mark.parametrize("late", [False, True])
def test_lysis_and_activation_saturate_in_what_is_shown_now(exposure, late):
    """h = a^2/(a^2 + 310^2), g = a^2/(a^2 + 2,500^2) for each of the 256 quantiles, and for progenitors with 4 a.

    Late: a tenth of the cells or more are transformed, so every CALR cell shows half, the transformed ones once.
    """
    clones = CALR | {"blasts": {"genotype": "CALR_TYPE1", "flags": ["transformed"], "cells": 9 if late else 1}}
    treatments = {"eltrombopag": {"dose_relative": exposure}}
    content = still(2, treatments, antigen={"enabled": True}, clones=clones, progression={"mortality": False})
    program = compile_scenario(scenario(content).spec)
    last = followed(content, lambda stack: np.stack([stack.immunity.lysis[0], stack.immunity.activation[0]]))[-1]
    progenitors = followed(
        content, lambda stack: np.stack([stack.immunity.lysis_progenitor[0], stack.immunity.activation_progenitor[0]])
    )[-1]
    quantiles = program.antigens.molecules(0.6)[1] / MEDIAN
    assert np.median(quantiles) == pytest.approx(1.0, rel=0.01)
    assert np.log(quantiles).std() == pytest.approx(0.6, rel=0.01)
    for g, cell_type in enumerate(program.cell_types.types, 1):
        transformed = "transformed" in cell_type.flags
        median = MEDIAN * factor_at(exposure) * (LATE if late or transformed else 1.0)
        if cell_type.antigen_low:
            median *= 0.1
        c = program.antigens.class_of[g]
        if cell_type.base == "wild_type":
            assert c == 0
            continue
        for k, half in enumerate((LYSIS, ACTIVATION)):
            np.testing.assert_allclose(last[k, c], 1.0 / (1.0 + (half / (median * quantiles)) ** 2), rtol=1e-9)
            of_progenitors = 1.0 / (1.0 + (half / (PROGENITORS * median)) ** 2)
            assert progenitors[k, c] == pytest.approx(of_progenitors, rel=1e-9)
    assert not last[:, 0].any()


def test_in_the_late_phases_every_cell_shows_half_once():
    """The day on which the phase changes by a clone that arrives, and the row after. Catches 0.09 in blasts."""
    blasts = {"genotype": "CALR_TYPE1", "flags": ["transformed"], "cells": 20, "day": 5}
    shown = {"antigen": {"enabled": True, "spread": 0}, "progression": {"mortality": False}}
    content = still(10, {}, clones=CALR | {"blasts": blasts}, **shown)
    rows = trajectory(content).set_index("day")
    assert rows.phase[5] == "chronic"
    assert rows.phase[6] == "accelerated"
    np.testing.assert_allclose(rows.antigen_mean_molecules[:5], MEDIAN, rtol=1e-12)
    np.testing.assert_allclose(rows.antigen_mean_molecules[7:], LATE * MEDIAN, rtol=1e-12)


def test_an_antigen_low_variant_shows_a_tenth_and_loses_its_driver_in_proportion():
    """0.9 of s at coupling 1, and 0.3 x 0.9 of it from the accelerated phase on."""
    program = compile_scenario(scenario(still(1, {}, **SHOWN, mutation={})).spec)
    cells = program.rules.cells
    labels = ["empty", *map(label_of, program.cell_types.types)]
    low, full = labels.index("CALR_TYPE1+antigen_low"), labels.index("CALR_TYPE1")
    medians = program.antigens.median[program.antigens.class_of]
    assert medians[low] == pytest.approx(0.1 * medians[full])
    assert medians[full] == MEDIAN
    assert cells.coupling.tolist() == [1.0, 0.3]
    grown = scenario(still(1, {}, **SHOWN, mutation={}, hematopoiesis={"enabled": True}))
    cells = compile_scenario(grown.spec).rules.cells
    assert cells.antigen_fitness[low] * YEAR == pytest.approx(0.9 * 0.55)
    assert cells.antigen_fitness[full] == 0.0


# Division.


def births(treatments, **changes):
    """Daughters in a year of 10,000 wild-type cells that divide four times a year."""
    seen = {}
    content = {
        "time": {"duration_days": 365, "step_days": 5, "record_every_days": 365}, "marrow": {"shape": [100, 100]},
        "clones": {"healthy": {"genotype": "wild_type"}}, "mutation": OFF, "fibrosis": OFF, "seed": 2,
        "hematopoiesis": {"division_rate_per_year": 4}, "treatments": treatments, **changes,
    }  # fmt: skip
    mpn_abm.run(
        scenario(content), observers=[lambda state, day: {"births": seen.setdefault(day, state.counters.births.sum())}]
    )
    return seen[365.0]


@pytest.mark.parametrize(("dose", "gain"), [(0.0, 0.0), (1.0, 0.05), (1e3, 0.1)])
def test_eltrombopag_makes_every_stem_cell_divide_more_often(dose, gain):
    """x 1.05 at the usual exposure: of 40,000 births within 4.9 standard errors, 2.5 %, 1e-6 for each dose."""
    expected = 10_000 * 4.0 * 365 / YEAR * (1.0 + gain * (1.0 if dose < 1e3 else dose / (1.0 + dose)))
    assert abs(births({"eltrombopag": {"dose_relative": dose}}) - expected) < 4.9 * np.sqrt(expected)


def test_switched_off_eltrombopag_does_nothing():
    treatments = {"eltrombopag": {"dose_relative": 1}}
    assert births(treatments, eltrombopag=OFF) == births({})


# T cells.

TARGETS = {
    "time": {"duration_days": 30}, "marrow": {"shape": [30, 30]}, "seed": 3, "mutation": OFF, "fibrosis": OFF,
    "clones": {"healthy": {"genotype": "wild_type"}, "mutant": {"genotype": "CALR_TYPE1", "fraction": 0.5}},
    "car_t": {"max_divisions": 6}, "treatments": {"car_t": {"dose_cells": 5e8, "day": 1}},
}  # fmt: skip


def test_without_the_antigen_nobody_is_killed_and_no_bit_differs():
    """A JAK2 clone, and a CALR clone with the antigen off: but for the T cells' own columns as without them."""
    for changes in ({"clones.mutant.genotype": "JAK2_V617F"}, {"antigen.enabled": False}):
        treated = trajectory(TARGETS, changes)
        untreated = trajectory(TARGETS, changes | {"treatments": None})
        shared = [name for name in untreated if name != "run_id"]
        assert treated[shared].equals(untreated[shared])
        assert treated.car_t_total.max() > 0.0
        assert not treated.kills.any()
    assert trajectory(TARGETS).kills.iloc[-1] > 50


def test_more_antigen_never_leaves_more_targets():
    """Kills of a month at rising densities; three times the antigen kills at least a tenth more."""
    densities = [60, 180, 540, 1620]
    kills = [trajectory(TARGETS, {"antigen.density_molecules": a}).kills.iloc[-1] for a in densities]
    assert (np.diff(kills) > 0.1 * np.array(kills[:-1])).all()
