"""PD-L1, suppression, endogenous T cells, and what drugs do to T cells, against the equations of the model."""

import numpy as np
import pytest
from verification.courses import CLONES, STILL, followed, still
from verification.runs import OFF, YEAR, scenario, trajectory
from verification.test_field import directly_solved

import mpn_abm
from mpn_abm.batch import Batch
from mpn_abm.compile.program import compile_scenario
from mpn_abm.mechanisms.car_t.life import vigour
from mpn_abm.state import (
    BLOCKADE,
    CHECKPOINT,
    FORGETTING,
    HELD_JAK1,
    JAK1,
    STRAINS,
    SUPPRESSION,
    T_CELL_JAK,
    T_DIVISION,
    T_KILLING,
    TYPE_1,
)

GAIN = {"JAK2_V617F": 1.5, "CALR_TYPE1": 1.0}
DRUGS = {
    "none": {},
    "ruxolitinib": {"ruxolitinib": {"dose_mg": 20, "start_day": 3}},
    "pembrolizumab": {"pembrolizumab": {"dose_mg": 200, "start_day": 3}},
    "both": {
        "ruxolitinib": {"dose_mg": 20, "start_day": 3, "stop_day": 40},
        "pembrolizumab": {"dose_mg": 200, "start_day": 3},
    },
    "itacitinib and hsp90": {"itacitinib": {"dose_mg": 200}, "pu_h71": {"dose_relative": 1}},
}
EVERY = pytest.mark.parametrize("drugs", DRUGS)


def seen(content):
    """The trajectory, and of every step medication, response, strain and checkpoint."""

    def look(stack):
        return np.concatenate([
            stack.signal.medication[0], stack.signal.response[0], stack.immunity.strain[0], stack.immunity.checkpoint[0]
        ])  # fmt: skip

    steps = np.array(followed(content, look))
    parts = np.split(steps, np.cumsum([9, 2, STRAINS]), axis=1)
    return trajectory(content).iloc[1:], *parts


def pd_l1(activity, gain):
    return 1.0 + gain * activity / (activity + 1.0)


def quality(level, blockade, burden, suppression):
    """Q of endogenous T cells."""
    checkpoint = 0.9 * level / (1.0 + level) * (1.0 - blockade)
    return (1.0 - checkpoint) * (1.0 - 0.2 * burden) / (1.0 + (suppression / 0.2) ** 2)


@EVERY
def test_pd_l1_suppression_and_endogenous_pressure_are_those_of_the_equations(drugs):
    """20 cells each of 60: L of either mutant, M = sum of x A (1 - I_JAK1), and k_e (Q - Q0) averaged over mutants.

    Catches Q0 with the drugs, M without one clone, JAK1 taken for JAK2, and a checkpoint that blockade adds to.
    """
    rows, medication, response, *_ = seen(still(80, DRUGS[drugs], immune={"surveillance_rate_per_year": 0.7}))
    # still clones: only T cells take cells, and the hazard of a step is that of the shares at its start
    total = rows[[f"genotype_cells_{name}" for name in GAIN] + ["genotype_cells_wild_type"]].sum(axis=1)
    held_jak1 = response[:, HELD_JAK1]
    np.testing.assert_allclose(held_jak1, medication[:, JAK1], rtol=1e-12)
    suppression, share = 0.0, 0.0
    previous = {}
    for name in GAIN:
        cells = np.r_[20, rows[f"genotype_cells_{name}"][:-1]]
        previous[name] = cells / np.r_[60, total[:-1]]
        np.testing.assert_allclose(rows[f"pd_l1_{name}"], pd_l1(rows[f"activity_{name}"], GAIN[name]), rtol=1e-12)
        suppression = suppression + previous[name] * rows[f"activity_{name}"].to_numpy() * (1.0 - held_jak1)
        share = share + previous[name]
    np.testing.assert_allclose(rows.suppression_mean, suppression, rtol=1e-12)
    now_share = {name: (rows[f"genotype_cells_{name}"] / total).to_numpy() for name in GAIN}
    pressure = 0.0
    wild = np.r_[20, rows.genotype_cells_wild_type[:-1]] / np.r_[60, total[:-1]]
    met = wild * quality(1.0, medication[:, BLOCKADE], medication[:, T_CELL_JAK], suppression)
    for name, gain in GAIN.items():
        level = rows[f"pd_l1_{name}"].to_numpy()
        now = quality(level, medication[:, BLOCKADE], medication[:, T_CELL_JAK], suppression)
        untreated = quality(1.0 + gain / 2.0, 0.0, 0.0, share)
        pressure = pressure + 0.7 * np.maximum(0.0, now - untreated) * now_share[name]
        met = met + previous[name] * now
    np.testing.assert_allclose(rows.t_cell_pressure_per_year, pressure / sum(now_share.values()), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(rows.t_cell_quality, met, rtol=1e-9)
    if drugs == "none":
        assert not rows.t_cell_pressure_per_year.any()
    if drugs == "both":
        assert rows.t_cell_pressure_per_year.max() > 0.05


def test_mean_pd_l1_is_that_of_the_cells_that_genotypes_make():
    """Granulocytes 1 + b A a stem cell with b 1 in JAK2 and 0 in CALR, megakaryocytes with 1 and 2; never the shares.

    Catches a mean over stem cells, one output taken for the other, and an output without the drug.
    """
    cells = {"healthy": 20, "jak2": 10, "calr": 30}
    clones = {name: {"genotype": CLONES[name], "cells": number} for name, number in cells.items()}
    content = still(80, DRUGS["both"], immune={}, blood={"enabled": True}, clones=clones)
    rows = trajectory(content).iloc[1:]
    means = {}
    for kind, output in {
        "granulocyte": {"wild_type": 0.0, "JAK2_V617F": 1.0, "CALR_TYPE1": 0.0},
        "megakaryocyte": {"wild_type": 0.0, "JAK2_V617F": 1.0, "CALR_TYPE1": 2.0},
    }.items():
        made = {
            name: rows[f"genotype_cells_{name}"] * (1.0 + b * rows[f"activity_{name}"]) for name, b in output.items()
        }
        level = {name: pd_l1(rows[f"activity_{name}"], GAIN.get(name, 0.0)) for name in output}
        means[kind] = sum(made[name] * level[name] for name in output) / sum(made.values())
        np.testing.assert_allclose(rows[f"{kind}_pd_l1"], means[kind], rtol=1e-12)
    assert np.abs(means["granulocyte"] - means["megakaryocyte"]).max() > 0.03


def test_both_drugs_together_set_more_t_cells_free_than_the_sum_of_either():
    """In a marrow of two thirds mutants L' and M must both fall. Catches a quality that adds what is multiplied."""
    most = {
        drugs: seen(still(80, DRUGS[drugs], immune={}))[0].t_cell_pressure_per_year.max()
        for drugs in ("ruxolitinib", "pembrolizumab", "both")
    }
    assert most["both"] > 1.3 * (most["ruxolitinib"] + most["pembrolizumab"])
    assert 0.0 < most["pembrolizumab"] < 0.05


def test_cells_that_meet_the_hazard_decline_by_it():
    """Of 3,000 mutants among 20,000 the part exp(-sum of the hazards) is left, within 4.9 standard errors (1e-6).

    Nothing else moves; wild-type cells stay. Catches a hazard per year taken as per day, and one on healthy cells.
    """
    content = still(
        300, {"ruxolitinib": {"dose_mg": 25}, "pembrolizumab": {"dose_mg": 200}},
        immune={"surveillance_rate_per_year": 4}, marrow={"shape": [200, 100]}, seed=3,
        clones={"healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "JAK2_V617F", "cells": 3000}},
    )  # fmt: skip
    rows = trajectory(content)
    survival = np.exp(-rows.t_cell_pressure_per_year[1:].sum() / YEAR)
    assert survival < 0.6
    assert abs(rows.cells_jak2.iloc[-1] - 3000 * survival) < 4.9 * np.sqrt(3000 * survival * (1.0 - survival))
    assert (rows.cells_healthy == 17_000).all()


@EVERY
def test_car_t_cells_meet_the_checkpoint_of_the_cells_that_they_see(drugs):
    """0.5 L'(1 - B) of each genotype; at niche scale the mean of the antigen-positive ones; M of the marrow.

    J_T = I of a JAK1/2 inhibitor and 0.1 I_JAK1 of a selective one: division x (1 - 0.5 J_T), killing x (1 - 0.2 J_T);
    forgetting faster by 1 + I.
    """
    content = still(60, DRUGS[drugs], immune={"surveillance_rate_per_year": 0}, antigen={"enabled": True})
    rows, medication, _, strain, checkpoint = seen(content)
    for name in GAIN:
        b = ["wild_type", "JAK2_V617F", "CALR_TYPE1"].index(name)
        level = rows[f"pd_l1_{name}"].to_numpy()
        np.testing.assert_allclose(
            checkpoint[:, b], 0.5 * level / (1.0 + level) * (1.0 - medication[:, BLOCKADE]), rtol=1e-12
        )
    np.testing.assert_allclose(strain[:, CHECKPOINT], checkpoint[:, 2], rtol=1e-12)
    np.testing.assert_allclose(strain[:, SUPPRESSION], rows.suppression_mean, rtol=1e-12)
    held = medication[:, TYPE_1]
    burden = 0.1 * medication[:, JAK1] if drugs.startswith("itacitinib") else held
    np.testing.assert_allclose(medication[:, T_CELL_JAK], burden, rtol=1e-12)
    np.testing.assert_allclose(strain[:, T_DIVISION], 1.0 - 0.5 * burden, rtol=1e-12)
    np.testing.assert_allclose(strain[:, T_KILLING], 1.0 - 0.2 * burden, rtol=1e-12)
    np.testing.assert_allclose(strain[:, FORGETTING], np.exp(-(1.0 + held) * (4.0 / 24.0) / 14.0), rtol=1e-9)
    if drugs.startswith("itacitinib"):
        assert medication[0, JAK1] == pytest.approx(0.5, rel=1e-6)


@pytest.mark.parametrize("exhausted", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("suppression", [0.0, 0.7])
def test_what_is_left_of_a_t_cells_work_is_the_product_of_the_model(exhausted, suppression):
    """(1 - S)(1 - e) with S = 1 - (1 - 0.5 e L'(1 - B))/(1 + M)."""
    level, blockade = 1.75 / 2.75, 0.6
    stopped = 1.0 - (1.0 - 0.5 * exhausted * level * (1.0 - blockade)) / (1.0 + suppression)
    done = vigour(exhausted, 0.5 * level * (1.0 - blockade), suppression)
    assert done == pytest.approx((1.0 - stopped) * (1.0 - exhausted), rel=1e-12)


# Tissue.

TISSUE = {
    "time": {"duration_days": 1, "step_minutes": 30}, "seed": 6,
    "clones": {
        "jak2": {"genotype": "JAK2_V617F", "fraction": 0.2, "pattern": "disc"},
        "calr": {"genotype": "CALR_TYPE1", "fraction": 0.1, "pattern": "patches", "patches": 2},
        "healthy": {"genotype": "wild_type", "fraction": 0.5},
    },
    "hematopoiesis": OFF, "mutation": OFF, "immune": {"suppression_length_um": 60},
    "treatments": {"ruxolitinib": {"dose_mg": 20}},
}  # fmt: skip


@pytest.mark.parametrize("fibrosis", [{}, OFF], ids=["with scar", "without scar"])
@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
@pytest.mark.parametrize("shape", [[50, 37], [18, 13, 22]], ids=["layer", "volume"])
def test_the_suppressive_field_of_a_tissue_is_the_direct_solution(shape, boundary, fibrosis):
    """M - L^2 Laplacian M = A (1 - I_JAK1) of the mutants of a block over its sites, to the tolerance of the solver.

    Catches a field of the wrong length or without one clone, and one that only a marrow with scar has.
    """
    content = TISSUE | {"marrow": {"scale": "tissue", "shape": shape, "boundary": boundary}, "fibrosis": fibrosis}
    batch = Batch(compile_scenario(scenario(content).spec), [0])
    batch.advance(1, batch.take_rows, lambda _: None)
    marrow = batch.marrow(0)
    sides = (1, *shape[::-1]) if len(shape) == 2 else shape[::-1]
    genotype = (marrow.cell & np.uint64(255)).astype(int).reshape(sides)
    labels = [t.base for t in batch.program.cell_types.types]
    widths = [[4] * (n // 4) + ([n % 4] if n % 4 else []) for n in sides]
    source = np.zeros(tuple(map(len, widths)))
    for place in np.ndindex(*sides):
        if genotype[place] and labels[genotype[place] - 1] != "wild_type":
            b = batch.program.cell_types.bases.index(labels[genotype[place] - 1])
            z, y, x = (k // 4 for k in place)
            here = widths[0][z] * widths[1][y] * widths[2][x]
            source[z, y, x] += marrow.signal.activity[b] * (1.0 - marrow.signal.response[HELD_JAK1]) / here
    expected = directly_solved(widths, boundary == "periodic", source, 6.0)
    field = marrow.immunity.suppression.reshape(source.shape)
    np.testing.assert_allclose(field, expected, rtol=1e-4, atol=1e-4 * expected.max())
    assert expected.max() > 2.0 * expected.min()


def test_without_mutants_there_is_no_suppression():
    content = {**TISSUE, "marrow": {"scale": "tissue", "shape": [20, 20]}, "clones": {"a": {"genotype": "wild_type"}}}
    batch = Batch(compile_scenario(scenario(content).spec), [0])
    batch.advance(10, batch.take_rows, lambda _: None)
    assert not batch.marrow(0).immunity.suppression.any()


# Off.


def test_switched_off_it_leaves_t_cells_alone_and_kills_nobody():
    """Every factor is that of a healthy marrow, also under drugs, and the columns are left out."""
    rows, _, _, strain, checkpoint = seen(still(20, DRUGS["both"]))
    assert not strain[:, [CHECKPOINT, SUPPRESSION]].any()
    assert not checkpoint.any()
    assert (strain[:, [T_DIVISION, T_KILLING]] == 1.0).all()
    assert not {"suppression_mean", "t_cell_pressure_per_year", "pd_l1_JAK2_V617F"} & set(rows)
    assert (rows.cells_total == 60).all()


def test_without_drugs_surveillance_matters_to_no_bit():
    """Q = Q0: what the untreated immune system does is part of the fitness."""
    content = {
        "time": {"duration_years": 2}, "marrow": {"shape": [30, 30]}, "seed": 5,
        "clones": {name: {"genotype": genotype, "cells": 200} for name, genotype in CLONES.items()},
    }  # fmt: skip
    runs = [mpn_abm.run(scenario({**content, "immune": immune})).trajectory for immune in (OFF, {})]
    shared = [name for name in runs[0] if name != "run_id"]
    assert runs[1][shared].equals(runs[0][shared])
    assert STILL["mutation"] is OFF
