"""Transformation, clones that are under way on day 0, blasts and phases, against closed forms."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest, poisson
from verification.courses import still
from verification.runs import OFF, YEAR, scenario, trajectory

import mpn_abm
from mpn_abm.batch import Batch
from mpn_abm.compile.program import compile_scenario
from mpn_abm.rows import label_of
from mpn_abm.state import BORN_STEP, CLONE_GENOTYPE, LOST_STEP, NEXT_CLONE, PARENT

# docs/background/progression.md, re-entered here: per year; a hit survives with 1 - 1/(1 + 4)
FITNESS, GROWTH, DIVISION, SCAR, ASXL1, TP53, CALR = 4.0, 2.0, 1.0, 5.5, 5.0, 12.0, 0.4
SURVIVES = FITNESS / (FITNESS + DIVISION)
IMMORTAL = {"mortality": False}

# Arrivals.

ONLY = dict.fromkeys(
    (
        "jak2_rate_per_year",
        "calr_rate_per_year",
        "loss_of_heterozygosity_rate_per_year",
        "driver_rate_per_year",
        "antigen_low_rate_per_year",
    ),
    0,
)
ARRIVALS = {
    "JAK2": ({"genotype": "JAK2_V617F"}, 0, 1.0),
    "homozygous": ({"genotype": "JAK2_V617F_HOM"}, 0, 1.0),
    "CALR": ({"genotype": "CALR_TYPE2"}, 0, CALR),
    "TP53": ({"genotype": "JAK2_V617F", "flags": ["TP53"]}, 0, TP53),
    "ASXL1": ({"genotype": "JAK2_V617F", "flags": ["ASXL1"]}, 0, ASXL1),
    "ASXL1 and TP53": ({"genotype": "JAK2_V617F", "flags": ["ASXL1", "TP53"]}, 0, TP53),
    "TET2": ({"genotype": "JAK2_V617F", "flags": ["TET2"]}, 0, 1.0),
    "scar of grade 1": ({"genotype": "JAK2_V617F"}, 1, 1.0),
    "scar of grade 2": ({"genotype": "JAK2_V617F"}, 2, SCAR),
    "all": ({"genotype": "CALR_TYPE1", "flags": ["ASXL1"]}, 2, SCAR * ASXL1 * CALR),
    "healthy": ({"genotype": "wild_type", "flags": ["TP53"]}, 2, 0.0),
}


@pytest.mark.parametrize("name", ARRIVALS)
def test_cells_transform_at_a_poisson_rate_with_its_factors(name):
    """u/(1 - 1/5) a cell and year, x 6 in scar, x 5 with a driver, x 0.4 in CALR; a site stands for 25 stem cells.

    400 sites that nothing else changes: of 400 (1 - exp(-rate T)) within 4.9 standard errors, 1e-6 for each case.
    Catches a factor that is applied twice or to the wrong gene, hits that all survive, and a weight left out.
    """
    clone, grade, factor = ARRIVALS[name]
    years, u = 10.0, 8e-4 / max(factor, 1.0) / 25.0
    content = still(
        years * YEAR, {}, marrow={"shape": [20, 20], "hsc_pool_cells": 10_000}, clones={"mutant": clone}, mutation=ONLY,
        progression={"transformation_rate_per_year": u, **IMMORTAL},
        fibrosis={"enabled": True, "initial": {"mf_grade": grade}, "deposition_rate_per_day": 0,
                  "resolution_rate_per_day": 0},
    )  # fmt: skip
    content["time"] = {"duration_years": years, "step_days": 20, "record_every_years": years}
    rows = mpn_abm.run(scenario(content), replicates=12).clones
    born = rows[(rows.day == rows.day.max()) & rows.genotype.str.contains("transformed")]
    assert (born.cells == 1).all()
    chance = -np.expm1(-u * 25.0 / SURVIVES * factor * rows.day.max() / YEAR)
    expected = 12 * 400 * chance
    assert abs(len(born) - expected) <= 4.9 * np.sqrt(expected * (1.0 - chance))
    assert (expected > 10) == (factor > 0)


@pytest.mark.parametrize("clone", [{"genotype": "JAK2_V617F"}, {"genotype": "CALR_TYPE1", "flags": ["ASXL1"]}])
def test_four_fifths_of_the_hits_survive_among_healthy_cells(clone):
    """A transformed cell has s_net = 4 whatever it was before: 1/(1 + 1/4), of 600 within 4.9 standard errors (1e-6).

    Well mixed, where a cell is displaced once a year. Catches s of the genotype on top, and growth that a drug slows.
    """
    content = {
        "time": {"duration_years": 4, "step_days": 5, "record_every_years": 4}, "marrow": {"shape": [24, 24]},
        "clones": {
            "healthy": {"genotype": "wild_type"},
            "hit": {"genotype": clone["genotype"], "flags": [*clone.get("flags", []), "transformed"], "cells": 1},
        },
        "hematopoiesis": {"recirculation": 1}, "mutation": OFF, "fibrosis": OFF, "seed": 3,
        "treatments": {"ruxolitinib": {"dose_mg": 25}, "anti_calr": {"dose_relative": 1}},
    }  # fmt: skip
    ends = mpn_abm.run(scenario(content), replicates=600).trajectory.groupby("replicate").cells_hit.last()
    alive = (ends > 0).sum()
    assert abs(alive - 600 * SURVIVES) < 4.9 * np.sqrt(600 * SURVIVES * (1.0 - SURVIVES))
    # N/2 is reached after ln(N s/(s + b))/s years or so
    assert np.median(ends[ends > 0]) > 100


# The past.

SITES = 2500


def past(n, fitness=1.0, pool=SITES, hits=1.0, cells=SITES // 2, replicates=1500, **changes):
    """Batch of day 0 and the transformed clones of each marrow: replicate, size, age in years."""
    s = 0.35 * fitness
    horizon = np.log(0.1 * cells * pool / SITES) / GROWTH
    mean = cells * pool / SITES * -np.expm1(-s * horizon) / s
    content = {
        "time": {"duration_days": 10, "step_days": 0.1}, "marrow": {"shape": [50, 50], "hsc_pool_cells": pool},
        "clones": {"healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "JAK2_V617F", "cells": cells}},
        "mutation": ONLY, "patient": {"fitness": fitness}, "seed": n,
        "progression": {"transformation_rate_per_year": hits / mean},
    } | changes  # fmt: skip
    program = compile_scenario(scenario(content).spec)
    batch = Batch(program, range(replicates))
    number = batch.stack.tally[:, NEXT_CLONE] - 3
    owner = np.repeat(np.arange(replicates), number)
    clone = np.concatenate([np.arange(3, 3 + k) for k in number])
    facts = batch.stack.clone_table[owner, clone]
    return batch, number, batch.stack.counters.clone_cells[owner, clone], facts, s, horizon


def moment(power, s, horizon):
    """Mean of exp(power t) over ages of density exp(-s t) up to the horizon."""
    whole = quad(lambda t: np.exp(-s * t), 0.0, horizon)[0]
    return quad(lambda t: np.exp((power - s) * t), 0.0, horizon)[0] / whole


@pytest.mark.parametrize("fitness", [1.0, 4.0])
def test_clones_of_the_past_have_the_number_age_and_size_of_the_model(fitness):
    """Poisson(u n (1 - exp(-s T))/s) clones, T = ln(0.1 n)/2, of ages with density exp(-s t), of exp(2t) cells.

    1,500 marrows with one clone each on average: number and size within 4.9 standard errors, the law of the number and
    of the ages by the distance that one run in a million passes. A site stands for one stem cell, so sizes are whole.
    """
    _, number, size, facts, s, horizon = past(1, fitness)
    assert abs(number.mean() - 1.0) < 4.9 / np.sqrt(1500)
    law = poisson.cdf(np.arange(6), 1.0)
    met = (number[:, None] <= np.arange(6)).mean(axis=0)
    assert np.abs(met - law).max() < np.sqrt(np.log(2e6) / (2 * 1500))
    age = -(facts[:, BORN_STEP] - 0.5) * 0.1 / YEAR
    truncated = kstest(age, lambda t: -np.expm1(-s * t) / -np.expm1(-s * horizon))
    assert truncated.pvalue > 1e-6
    assert age.max() <= horizon + 0.001
    spread = np.sqrt(moment(2 * GROWTH, s, horizon) - moment(GROWTH, s, horizon) ** 2 + 0.25)
    assert abs(size.mean() - moment(GROWTH, s, horizon)) < 4.9 * spread / np.sqrt(len(size))
    assert np.abs(size - np.exp(GROWTH * age)).max() < 1.0 + 0.01 * size.max()


def test_clones_of_the_past_descend_from_the_mutant_and_take_its_cells():
    """Every transformed cell was one of the mutant's; the healthy ones are untouched."""
    batch, number, _, facts, *_ = past(2, replicates=200)
    assert (facts[:, PARENT] == 2).all()
    types = batch.program.cell_types.types
    assert {label_of(types[g - 1]) for g in facts[:, CLONE_GENOTYPE]} == {"JAK2_V617F+transformed"}
    cells = batch.stack.counters.clone_cells
    assert (cells[:, 1] == SITES - SITES // 2).all()
    assert (cells[:, 2:].sum(axis=1) == SITES // 2).all()
    assert number.max() > 2


def test_on_a_small_lattice_a_site_stands_for_many_cells_of_the_past():
    """40 stem cells a site: clones of fewer cells have a site with the chance of their part of it."""
    _, number, size, _, s, horizon = past(3, pool=40 * SITES)
    # clones without a site are none; 1.0 hits a marrow in all
    assert abs(size.sum() / 1500 - moment(GROWTH, s, horizon) / 40.0) < 0.1 * moment(GROWTH, s, horizon) / 40.0
    assert number.mean() < 0.9
    assert size.min() == 1


@pytest.mark.parametrize(("changes", "factor"), [
    ({"fibrosis": {"initial": {"mf_grade": 2}}}, SCAR), ({"progression": OFF}, 0.0), ({"mutation": OFF}, 0.0),
    ({"clones": {"healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "JAK2_V617F", "cells": 10}}}, 0.0),
])  # fmt: skip
def test_the_past_is_boosted_by_scar_and_needs_a_mutant_that_can_have_one(changes, factor):
    """A clone of ten cells is too young for any, ln(0.1 n) = 0."""
    _, number, *_ = past(4, hits=0.3, replicates=800, **changes)
    assert abs(number.mean() - 0.3 * factor) <= 4.9 * np.sqrt(0.3 * factor / 800)


def test_a_clone_that_its_past_has_used_up_is_lost():
    """400 clones of one cell: those whose cell is transformed on day 0 are told as lost in the first step.

    Without division nothing grows, so nobody has a past.
    """
    content = {
        "time": {"duration_days": 2, "step_days": 0.1}, "marrow": {"shape": [20, 20], "hsc_pool_cells": 400},
        "clones": {f"m{k}": {"genotype": "JAK2_V617F", "cells": 1} for k in range(400)}, "mutation": ONLY,
        "progression": {"transformation_rate_per_year": 0.02, **IMMORTAL},
    }  # fmt: skip
    for still_standing in (OFF, {"division_rate_per_year": 1e-9}):
        batch = Batch(compile_scenario(scenario(content | {"hematopoiesis": still_standing}).spec), [0])
        gone = np.flatnonzero(batch.stack.counters.clone_cells[0, 1:401] == 0) + 1
        batch.advance(1, batch.take_rows, lambda _: None)
        lost = np.flatnonzero(batch.stack.clone_table[0, 1:401, LOST_STEP] >= 0) + 1
        assert gone.tolist() == lost.tolist()
        assert (len(gone) > 0) == (still_standing is not OFF)


# Blasts and phases.


def blasts(cells, **changes):
    clones = {
        "healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "JAK2_V617F", "cells": 100},
        "blasts": {"genotype": "JAK2_V617F", "flags": ["transformed"], "cells": cells},
    }  # fmt: skip
    content = {"blood": {}, "progression": IMMORTAL, "marrow": {"shape": [20, 20]}, "clones": clones} | changes
    return trajectory(still(5, changes.pop("treatments", {}), **content))


@pytest.mark.parametrize(
    ("cells", "phase"),
    [(26, "chronic"), (27, "accelerated"), (55, "accelerated"), (56, "blast"), (200, "blast")],
)
def test_blasts_are_the_transformed_part_of_the_output_and_set_the_phase(cells, phase):
    """JAK2 cells put out twice as much as healthy ones: 2 n/(500 + n). Chronic below 10 %, blast from 20 % on.

    27 of 400 cells are 10.2 % of the output. Catches a share of the cells, which is 7 % there and 14 % at 56.
    """
    rows = blasts(cells)
    np.testing.assert_allclose(rows.blast_percent, 200.0 * cells / (500.0 + cells), rtol=1e-12)
    assert (rows.phase == phase).all()


def test_the_blast_phase_is_reached_through_the_accelerated_one_alone():
    """A clone of 40 % that arrives: a day of the accelerated phase. Leukaemia that goes is gone at once."""
    changes = {"clones": {
        "healthy": {"genotype": "wild_type"},
        "blasts": {"genotype": "CALR_TYPE1", "flags": ["transformed"], "cells": 25, "day": 3},
        "donor": {"genotype": "wild_type", "cells": 64, "day": 8},
    }}  # fmt: skip
    result = mpn_abm.run(scenario(still(12, {}, progression=IMMORTAL, **changes)))
    rows = result.trajectory.set_index("day")
    assert rows.phase.to_list() == ["chronic"] * 4 + ["accelerated"] + ["blast"] * 4 + ["chronic"] * 4
    events = result.events[result.events.kind == "phase"]
    assert list(zip(events.day, events.name, strict=True)) == [(4.0, "accelerated"), (5.0, "blast"), (9.0, "chronic")]


def test_a_patient_who_starts_with_blasts_starts_in_their_phase():
    assert blasts(200).phase.iloc[0] == "blast"


def test_switched_off_there_is_no_phase_and_no_transformed_clone():
    """And without hits the marrow has the bits of one without the mechanism, in which nobody can die."""
    content = {
        "time": {"duration_days": 400}, "marrow": {"shape": [30, 30]}, "seed": 5,
        "clones": {"healthy": {"genotype": "wild_type"}, "calr": {"genotype": "CALR_TYPE1", "fraction": 0.5}},
        "mutation": {"driver_rate_per_year": 1e-3},
    }  # fmt: skip
    off = mpn_abm.run(scenario(content))
    on = mpn_abm.run(scenario(content | {"progression": {"transformation_rate_per_year": 0, **IMMORTAL}}))
    shared = [name for name in off.trajectory if name != "run_id"]
    assert on.trajectory[shared].equals(off.trajectory[shared])
    assert "phase" not in off.trajectory
    often = content | {"progression": {"transformation_rate_per_year": 1e-3, **IMMORTAL}}
    assert mpn_abm.run(scenario(often)).clones.genotype.str.contains("transformed").any()
    assert not off.clones.genotype.str.contains("transformed").any()
