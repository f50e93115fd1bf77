"""Interferon adds symmetric differentiation to every genotype by its own rate."""

import numpy as np
import pytest
from verification.courses import still
from verification.runs import OFF, YEAR, scenario, trajectory

from mpn_abm.compile.program import compile_scenario
from mpn_abm.rows import label_of

# model.md 5.2, re-entered here: per year at full dose
RATES = {"wild_type": 0.05, "JAK2_V617F": 1.6, "JAK2_V617F_HOM": 2.3, "CALR_TYPE1": 0.6, "CALR_TYPE2": 0.6}
DAYS, EACH = 365, 6000


def left(dose, **changes):
    """Part of 6,000 cells of each genotype, and of a TET2-first JAK2 clone, that a year of interferon leaves."""
    clones = {name.lower(): {"genotype": name, "cells": EACH} for name in RATES}
    clones["tet2_first"] = {"genotype": "JAK2_V617F", "flags": ["TET2"], "cells": EACH}
    clones["tet2"] = {"genotype": "wild_type", "flags": ["TET2"], "cells": EACH}
    content = still(
        DAYS, {"interferon": {"dose_relative": dose}}, marrow={"shape": [220, 200]}, clones=clones, seed=9, **changes
    )  # fmt: skip
    content["time"] = {"duration_days": DAYS, "step_days": 5, "record_every_days": DAYS}
    last = trajectory(content).iloc[-1]
    return {name: last[f"cells_{name}"] / EACH for name in clones}


@pytest.mark.parametrize(("dose", "factor"), [(0.0, 1.0), (0.5, 1.0), (1.0, 1.0), (1.0, 2.5)])
def test_each_genotype_declines_at_its_rate(dose, factor):
    """exp(-rate dose) of 6,000 cells within 4.9 standard errors, 7e-6 in all for each case; at dose 0 every cell.

    Half the dose is the low dose of JAK2, 0.8 a year. TET2 before the driver halves the rate; in the wild type it does
    not. Catches a rate of another genotype, a dose that does not count, and the order of the drivers ignored.
    """
    said = left(dose, patient={"interferon": factor})
    rates = {name.lower(): rate for name, rate in RATES.items()} | {"tet2_first": 0.8, "tet2": 0.05}
    for name, rate in rates.items():
        expected = np.exp(-rate * factor * dose * DAYS / YEAR)
        assert abs(said[name] - expected) <= 4.9 * np.sqrt(expected * (1.0 - expected) / EACH), name


def test_switched_off_it_takes_no_cell():
    assert set(left(1.0, interferon=OFF).values()) == {1.0}


def test_tet2_that_comes_after_the_driver_halves_nothing():
    """The order is that of the clone table: a type of its own for either order, also after later mutations."""
    clones = {
        "first": {"genotype": "JAK2_V617F", "flags": ["TET2"]}, "driver": {"genotype": "JAK2_V617F", "cells": 10},
        "healthy": {"genotype": "wild_type", "cells": 10},
    }  # fmt: skip
    program = compile_scenario(scenario(still(1, {}, mutation={}, clones=clones)).spec)
    rates = program.rules.cells.interferon * YEAR
    labels = {label_of(cell_type): g for g, cell_type in enumerate(program.cell_types.types, 1)}
    assert rates[labels["JAK2_V617F+TET2"]] == pytest.approx(1.6)
    assert rates[labels["JAK2_V617F+TET2_first"]] == pytest.approx(0.8)
    assert rates[labels["JAK2_V617F_HOM+TET2"]] == pytest.approx(2.3)
    assert rates[labels["JAK2_V617F_HOM+TET2_first"]] == pytest.approx(1.15)
    assert rates[labels["CALR_TYPE1+ASXL1+TET2_first"]] == pytest.approx(0.3)
    # a driver in a cell that has TET2 already, and TET2 in one that has the driver
    cells, mutation = program.cell_types, program.rules.cells.becomes
    arrows = [(g - 1, n - 1) for g, row in enumerate(mutation) for n in row if g and n]
    reached = {(label_of(cells.types[g]), label_of(cells.types[n])) for g, n in arrows}
    assert ("wild_type+TET2", "JAK2_V617F+TET2_first") in reached
    assert ("JAK2_V617F", "JAK2_V617F+TET2") in reached
    assert ("wild_type+TET2", "JAK2_V617F+TET2") not in reached


def test_more_interferon_never_leaves_more_of_a_clone_that_grows():
    """Two years of a growing marrow at rising doses: each leaves at most nine tenths of the one before."""
    content = {
        "time": {"duration_years": 2, "record_every_years": 2}, "marrow": {"shape": [60, 60]}, "mutation": OFF,
        "clones": {"healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "JAK2_V617F", "fraction": 0.4}},
        "fibrosis": OFF, "seed": 1,
    }  # fmt: skip
    cells = [
        trajectory(content | {"treatments": {"interferon": {"dose_relative": dose}}}).cells_jak2.iloc[-1]
        for dose in (0.0, 0.25, 0.5, 1.0)
    ]
    assert (np.diff(cells) < -0.1 * np.array(cells[:-1])).all()
