"""Blood counts, allele fractions, spleen and symptoms against the equations of the model."""

import numpy as np
import pytest
from scipy.stats import gamma
from verification.courses import followed, still
from verification.runs import OFF, scenario, trajectory

import mpn_abm
from mpn_abm.state import HELD_JAK1, TYPE_1

# model.md 7, re-entered here: platelets, red, white
NORMAL = np.array([250.0, 0.43, 7.0])
GAIN = {"JAK2_V617F": (6.5, 0.1, 0.3), "JAK2_V617F_HOM": (1.5, 0.7, 0.8), "CALR_TYPE1": (1.7, 0.0, 0.3)}
SCAR, DRUG, LAG = np.array([0.95, 0.5, 0.3]), np.array([0.4, 0.2, 0.2]), np.array([5.0, 40.0, 2.0])
OUTPUT = {"wild_type": 0.0, "JAK2_V617F": 1.0, "JAK2_V617F_HOM": 2.0, "CALR_TYPE1": 0.0}
COLUMNS = ["platelets_per_nl", "hematocrit", "wbc_per_nl"]
MIXED = {
    "healthy": {"genotype": "wild_type", "cells": 14}, "het": {"genotype": "JAK2_V617F", "cells": 10},
    "hom": {"genotype": "JAK2_V617F_HOM", "cells": 12}, "calr": {"genotype": "CALR_TYPE1", "cells": 8},
}  # fmt: skip
CELLS = {clone["genotype"]: clone["cells"] for clone in MIXED.values()}
BODY = {"blood": {"enabled": True}, "spleen": {"enabled": True}, "clones": MIXED}


def counts(activity, scar, held, filled, cells=CELLS):
    """Normal x [1 + sum G x A](1 - r E)(1 - d I) 1.05 F/(F + 0.05)."""
    total = sum(cells.values())
    drive = 1.0 + sum(np.multiply(GAIN[g], cells[g] / total * activity.get(g, 1.0)) for g in GAIN if g in cells)
    return NORMAL * drive * (1.0 - SCAR * scar) * (1.0 - DRUG * held) * 1.05 * filled / (filled + 0.05)


@pytest.mark.parametrize("grade", [0, 1, 3])
def test_on_day_0_counts_stand_at_their_balance(grade):
    """44 of 64 niches hold cells. Catches a share of the niches for one of the cells, and scar of the wrong sign."""
    initial = {"fibrosis": {"enabled": True, "initial": {"mf_grade": grade}}}
    row = trajectory(still(1, {}, **BODY | initial)).iloc[0]
    expected = counts({}, grade / 3.5, 0.0, 44 / 64)
    np.testing.assert_allclose(row[COLUMNS].to_numpy(float), expected, rtol=1e-12)
    assert row.hemoglobin_g_per_l == pytest.approx(333.0 * expected[1], rel=1e-12)


@pytest.mark.parametrize(("filled", "share"), [(1.0, 1.0), (0.1, 0.7), (0.05, 0.525)])
def test_a_tenth_of_the_niches_makes_seven_tenths_of_the_blood(filled, share):
    clones = {"healthy": {"genotype": "wild_type", "fraction": filled}}
    row = trajectory(still(1, {}, **BODY | {"clones": clones}, marrow={"shape": [20, 20]})).iloc[0]
    np.testing.assert_allclose(row[COLUMNS].to_numpy(float), NORMAL * share, rtol=1e-12)


def test_counts_settle_under_a_drug_where_its_equations_say():
    """After a year all lines stand at the balance of persistent cells."""
    content = still(365, {"ruxolitinib": {"dose_mg": 20}}, **BODY)
    last = trajectory(content).iloc[-1]
    held = followed(content, lambda stack: stack.signal.medication)[-1][0, TYPE_1]
    activity = {g: last[f"activity_{g}"] for g in GAIN}
    assert activity["JAK2_V617F"] == pytest.approx(1.0 - held + 0.45 * held, rel=1e-6)
    np.testing.assert_allclose(last[COLUMNS].to_numpy(float), counts(activity, 0.0, held, 44 / 64), rtol=1e-6)


@pytest.mark.parametrize(("line", "tolerance"), [(0, 0.01), (1, 1e-3), (2, 0.065)])
def test_a_step_in_production_passes_three_compartments(line, tolerance):
    """The response of a healthy marrow to a drug is that of three stages whose lags sum up to 5, 40 and 2 days.

    Stages follow the mean of the one before, so a day of 1.5 stage times costs 6 % in between and of the lag.
    Catches one stage, or the lag taken for each of three.
    """
    content = still(400, {"ruxolitinib": {"dose_mg": 20}}, **BODY | {"clones": {"healthy": {"genotype": "wild_type"}}})
    rows = trajectory(content)
    held = 1.0 - rows.activity_wild_type.iloc[-1]
    gone = (1.0 - rows[COLUMNS[line]].to_numpy() / NORMAL[line]) / (DRUG[line] * held)
    np.testing.assert_allclose(gone, gamma.cdf(rows.day, 3, scale=LAG[line] / 3.0), atol=tolerance)
    assert gone[-1] == pytest.approx(1.0, abs=1e-6)
    # the area above the response is the mean lag; a sum of daily values takes half a day from it
    assert (1.0 - gone).sum() - 0.5 == pytest.approx(LAG[line], rel=tolerance)


def test_allele_fractions_weigh_cells_by_their_output_and_copies():
    """JAK2: (10 x 2 + 2 x 12 x 3)/2 over the output of all; CALR cells put out no more than healthy ones."""
    row = trajectory(still(1, {}, **BODY)).iloc[0]
    output = {g: n * (1.0 + OUTPUT[g]) for g, n in CELLS.items()}
    whole = sum(output.values())
    assert row.vaf_jak2 == pytest.approx((0.5 * output["JAK2_V617F"] + output["JAK2_V617F_HOM"]) / whole, rel=1e-12)
    assert row.vaf_calr == pytest.approx(0.5 * output["CALR_TYPE1"] / whole, rel=1e-12)


def test_a_drug_that_lowers_activity_lowers_the_allele_fraction_of_the_same_cells():
    """O = n (1 + b A), and with the blood off the cells' own share, whatever the drug."""
    drug = {"chz868": {"dose_relative": 1}}
    for blood in (True, False):
        rows = trajectory(still(3, drug, **BODY | {"blood": {"enabled": blood}}))
        a = 0.5 * blood
        het, hom = 10 * (1.0 + a), 12 * (1.0 + 2.0 * a)
        assert rows.vaf_jak2.iloc[-1] == pytest.approx((0.5 * het + hom) / (het + hom + 22), rel=1e-6)
    assert "platelets_per_nl" not in rows


def test_row_0_shows_the_allele_fraction_that_a_file_asks_for():
    """Within a cell of 10,000, with and without blood."""
    clones = {"healthy": {"genotype": "wild_type"}, "hom": {"genotype": "JAK2_V617F_HOM", "vaf": 0.3},
              "calr": {"genotype": "CALR_TYPE1", "vaf": 0.1}}  # fmt: skip
    for blood in ({}, OFF):
        content = still(1, {}, blood=blood, clones=clones, marrow={"shape": [100, 100]})
        row = trajectory(content).iloc[0]
        assert row.vaf_jak2 == pytest.approx(0.3, abs=3e-4)
        assert row.vaf_calr == pytest.approx(0.1, abs=3e-4)


# Spleen and symptoms.


def organs(activity, scar, held_jak1, rebound, cells=CELLS):
    """Standing volume and score; rebound: rho P of each genotype, 0 on the drug."""
    total, volume, score = sum(cells.values()), 0.0, 0.0
    for g, n in cells.items():
        if g == "wild_type":
            continue
        cytokine = (1.0 - held_jak1) * (1.0 + rebound.get(g, 0.0))
        volume += n / total * (0.1 + 0.4 * activity.get(g, 1.0) + 0.5 * cytokine)
        score += n / total * (0.1 * activity.get(g, 1.0) + 0.9 * cytokine)
    return 200.0 + 4500.0 * (0.1 + scar) * volume, 100.0 * (0.1 + scar) * score


@pytest.mark.parametrize("grade", [0, 2])
def test_spleen_and_symptoms_stand_at_their_balance_on_day_0(grade):
    initial = {"fibrosis": {"enabled": True, "initial": {"mf_grade": grade}}}
    row = trajectory(still(1, {}, **BODY | initial)).iloc[0]
    assert (row.spleen_ml, row.symptom_score) == pytest.approx(organs({}, grade / 3.5, 0.0, {}), rel=1e-12)


def test_spleen_and_symptoms_follow_a_drug_and_its_withdrawal():
    """dV/dt = (V_inf - V)/28 d, 4 d for the score, day by day; rebound by rho P off the drug, for JAK2 alone.

    Catches time constants exchanged, the rebound on the drug, and JAK2 occupancy in place of JAK1 (fedratinib).
    """
    content = still(260, {"fedratinib": {"dose_mg": 400, "start_day": 10, "stop_day": 150}}, **BODY)
    rows = trajectory(content)
    held = [row[0, HELD_JAK1] for row in followed(content, lambda stack: stack.signal.response)]
    assert max(held) == pytest.approx(0.2, rel=1e-3)
    volume, score = rows.spleen_ml[0], rows.symptom_score[0]
    expected = [(volume, score)]
    for day in range(260):
        row = rows.iloc[day + 1]
        rho = {} if held[day] > 0.0 else {"JAK2_V617F": 1.17, "JAK2_V617F_HOM": 1.17}
        rebound = {g: r * row[f"persistence_{g}"] for g, r in rho.items()}
        to_volume, to_score = organs({g: row[f"activity_{g}"] for g in GAIN}, 0.0, held[day], rebound)
        volume = to_volume + (volume - to_volume) * np.exp(-1.0 / 28.0)
        score = to_score + (score - to_score) * np.exp(-1.0 / 4.0)
        expected.append((volume, score))
    np.testing.assert_allclose(rows[["spleen_ml", "symptom_score"]], expected, rtol=1e-9)
    assert rows.symptom_score.max() > 1.05 * rows.symptom_score[0]


def test_a_healthy_marrow_has_a_normal_spleen_and_no_symptoms():
    clones = {"healthy": {"genotype": "wild_type"}}
    rows = trajectory(still(30, {"ruxolitinib": {"dose_mg": 20}}, **BODY | {"clones": clones}))
    assert (rows.spleen_ml == 200.0).all()
    assert not rows.symptom_score.any()


@pytest.mark.parametrize("drug", ["ruxolitinib", "momelotinib", "pacritinib"])
def test_more_inhibitor_never_leaves_a_larger_spleen(drug):
    ends = [
        trajectory(still(120, {drug: {"dose_relative": dose}}, **BODY)).iloc[-1][["spleen_ml", "symptom_score"]]
        for dose in (0.0, 0.5, 1.0, 1.5)
    ]
    assert (np.diff(np.array(ends, float), axis=0) < 0.0).all()


@pytest.mark.parametrize("mechanism", ["blood", "spleen"])
def test_switched_off_it_matters_to_no_cell(mechanism):
    """Blood and spleen read the marrow and change nothing in it."""
    content = {
        "time": {"duration_days": 200}, "marrow": {"shape": [30, 30]}, "seed": 2,
        "clones": {"healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "JAK2_V617F", "fraction": 0.4}},
        "treatments": {"ruxolitinib": {"dose_mg": 20, "start_day": 50}},
    }  # fmt: skip
    without, with_it = (mpn_abm.run(scenario({**content, mechanism: said})).trajectory for said in (OFF, {}))
    shared = [name for name in without if name != "run_id" and not name.startswith("vaf_")]
    assert with_it[shared].equals(without[shared])
    assert len(with_it.columns) > len(without.columns)
