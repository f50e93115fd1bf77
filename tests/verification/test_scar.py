"""Scar against its equations: dm/dt = a C/(C+1) (1 - m) - b m, dE/dt = k q m (1 - E) - r E."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from verification.runs import OFF, YEAR, scenario, trajectory

import mpn_abm

# model.md 7, re-entered here: 1/day; q of PMF
ACTIVATION, DEACTIVATION, DEPOSITION, RESOLUTION, DRIVE = 0.15, 0.21, 0.05, 0.0085, 0.14
STILL = {"hematopoiesis": OFF, "mutation": OFF}


def change(_, state, cytokine, drive):
    m, e = state
    gain = ACTIVATION * cytokine / (cytokine + 1.0)
    return gain * (1.0 - m) - DEACTIVATION * m, DEPOSITION * drive * m * (1.0 - e) - RESOLUTION * e


@pytest.mark.parametrize("every", [1, 7, 28])
@pytest.mark.parametrize(("genotype", "flags", "cytokine"), [
    ("JAK2_V617F", [], 1.0), ("JAK2_V617F_HOM", [], 1.5), ("CALR_TYPE1", [], 2.0), ("JAK2_V617F", ["ASXL1"], 2.0),
])  # fmt: skip
def test_scar_of_an_unchanging_clone_settles_as_its_equations_say(genotype, flags, cytokine, every):
    """Three years from nothing, at three paces of the fields. Myofibroblasts settle within days, at once on this scale.

    Catches steps that lag by one, rates per year, and an update whose length enters the balance.
    """
    rows = trajectory({
        "time": {"duration_days": 1092, "record_every_days": 84}, "marrow": {"shape": [9, 10]}, **STILL,
        "clones": {"mutant": {"genotype": genotype, "flags": flags}}, "patient": {"disease": "PMF"},
        "fields": {"every_days": every},
    })  # fmt: skip
    settled = ACTIVATION * cytokine / (cytokine + 1.0)
    start = settled / (settled + DEACTIVATION), 0.0
    truth = solve_ivp(change, (0.0, 1092.0), start, args=(cytokine, DRIVE), t_eval=rows.day, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(rows.fibrosis_mean, truth.y[1], rtol=1e-5, atol=1e-12)
    laid = DEPOSITION * DRIVE * start[0]
    assert rows.fibrosis_mean.iloc[-1] == pytest.approx(laid / (laid + RESOLUTION), rel=1e-3)


def test_a_placed_scar_stands_still_under_the_clone_that_was_there():
    """In its patches; around them it grows by the drive of the patient. Catches a drive solved for another clone."""
    result = mpn_abm.run(scenario({
        "time": {"duration_years": 2}, "marrow": {"shape": [64, 64]}, **STILL,
        "clones": {"healthy": {"genotype": "wild_type"}, "calr": {"genotype": "CALR_TYPE1", "fraction": 0.4}},
        "fibrosis": {"initial": {"mf_grade": 2, "patches": 5, "cover_fraction": 0.4}},
    }))  # fmt: skip
    first, last = (result.snapshots[result.snapshots.day == day].fibrosis.to_numpy() for day in (0, 731))
    scarred = first > 0
    assert scarred.mean() == pytest.approx(0.4, abs=0.01)
    np.testing.assert_allclose(last[scarred], 2.0 / 3.5, rtol=1e-6)
    assert (last[~scarred] > 0.1).all()
    assert (last[~scarred] < 0.3).all()


@pytest.mark.parametrize("turnover", [1.0, 3.0])
def test_scar_without_a_clone_fades_with_a_half_life_of_82_days(turnover):
    """A donor takes all niches; what the last myofibroblasts lay down in their few days is in the equations too."""
    rows = trajectory({
        "time": {"duration_days": 392, "record_every_days": 7}, "marrow": {"shape": [16, 16]}, **STILL,
        "clones": {"jak2": {"genotype": "JAK2_V617F"}, "donor": {"genotype": "wild_type", "fraction": 1, "day": 1}},
        "fibrosis": {"initial": {"mf_grade": 3}}, "patient": {"scar_turnover": turnover},
    }).set_index("day")  # fmt: skip
    halved = np.log(2.0) * 56 / np.log(rows.fibrosis_mean[112] / rows.fibrosis_mean[168])
    assert halved == pytest.approx(np.log(2.0) / RESOLUTION / turnover, rel=0.01)
    assert 0.0 < rows.fibrosis_mean[392] < 0.3
    assert rows.mf_grade.is_monotonic_decreasing
    assert rows.mf_grade.iloc[-1] <= 1


def test_a_marrow_that_never_had_a_mutant_keeps_no_scar_and_loses_a_placed_one():
    rows = trajectory({
        "time": {"duration_days": 240}, "marrow": {"shape": [8, 8]}, **STILL,
        "clones": {"healthy": {"genotype": "wild_type"}}, "fibrosis": {"initial": {"mf_grade": 2}},
    })  # fmt: skip
    expected = 2.0 / 3.5 * np.exp(-RESOLUTION * 7.0 * np.floor(rows.day / 7.0))
    np.testing.assert_allclose(rows.fibrosis_mean, expected, rtol=1e-9)
    never = trajectory({
        "time": {"duration_years": 2}, "marrow": {"shape": [8, 8]}, "clones": {"healthy": {"genotype": "wild_type"}},
        "mutation": OFF,
    })  # fmt: skip
    assert not never.fibrosis_mean.any()
    assert never.day.iloc[-1] == np.ceil(2 * YEAR)
