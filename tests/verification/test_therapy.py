"""What a JAK inhibitor must do: concentration, occupancy, signalling and clone against their closed forms."""

from functools import cache

import numpy as np
import pytest
from scipy.integrate import quad
from verification.runs import OFF, YEAR, common_digests, log_odds, of_library, scenario, trajectory

import mpn_abm

# model.md 5.2, re-entered here: 1/h, h, nM per mg of a first dose, nM
ABSORPTION, HALF_LIFE, PEAK, IC50 = 4.0, 3.0, 41.0, 281.0
ELIMINATION = np.log(2.0) / HALF_LIFE
ONSET, DECAY, THETA, RHO = 21.0, 14.0, 0.45, 1.17
STILL = {"hematopoiesis": OFF, "mutation": OFF, "fibrosis": OFF}


def rise_and_fall(hours):
    return np.exp(-ELIMINATION * hours) - np.exp(-ABSORPTION * hours)


HIGHEST = rise_and_fall(np.linspace(0.0, 4.0, 400_001)).max()
AREA = PEAK / HIGHEST * quad(rise_and_fall, 0.0, 200.0, limit=200)[0]


def bateman(hours):
    """Concentration after one dose of 1 mg, nM."""
    return PEAK * rise_and_fall(np.asarray(hours, float)) / HIGHEST


def steady(hours, dose):
    """Concentration at hours after the last of very many doses, two a day."""
    return dose * sum(bateman(hours + 12.0 * k) for k in range(20))


@cache
def occupancy(dose):
    """Mean of C/(C + IC50) over the interval between doses at steady state."""
    return quad(lambda t: steady(t, dose) / (steady(t, dose) + IC50), 0.0, 12.0)[0] / 12.0


# Concentration.


@pytest.fixture(scope="module")
def single_dose():
    return mpn_abm.run(of_library("verification/single_dose_pk")).trajectory


def test_one_dose_rises_and_falls_as_bateman_says(single_dose):
    """Catches a dose given late or twice, absorption mixed up with elimination, hours taken for days."""
    hours = 24.0 * single_dose.day.to_numpy()
    np.testing.assert_allclose(single_dose.concentration_ruxolitinib, 15.0 * bateman(hours), rtol=1e-7, atol=1e-9)


def test_one_dose_peaks_at_41_nanomolar_per_milligram_and_halves_in_three_hours(single_dose):
    """The peak comes after ln(a/k)/(a - k) = 45 minutes; rows every minute miss it by a k (half a minute)^2/2."""
    hours, plasma = 24.0 * single_dose.day.to_numpy(), single_dose.concentration_ruxolitinib.to_numpy()
    assert plasma.max() == pytest.approx(PEAK * 15.0, rel=ABSORPTION * ELIMINATION * (0.5 / 60.0) ** 2 / 2.0)
    expected = np.log(ABSORPTION / ELIMINATION) / (ABSORPTION - ELIMINATION)
    assert hours[plasma.argmax()] == pytest.approx(expected, abs=0.6 / 60.0)
    late = plasma[np.searchsorted(hours, [12.0 - 1e-9, 15.0 - 1e-9])]
    assert late[1] / late[0] == pytest.approx(0.5, rel=1e-6)
    area = np.trapezoid(plasma, hours) + plasma[-1] / ELIMINATION
    assert area == pytest.approx(15.0 * AREA, rel=1e-4)


@pytest.mark.parametrize("times", [1, 2, 5])
def test_every_dose_that_is_due_is_given_once(times):
    """The area under the curve of a two-day course is that of its doses, also where they fall between two steps."""
    rows = trajectory({
        "time": {"duration_days": 4, "step_minutes": 7, "record_every_minutes": 7},
        "marrow": {"scale": "tissue", "shape": [4, 4]}, "clones": {"a": {"genotype": "wild_type"}}, **STILL,
        "treatments": {"ruxolitinib": {"dose_mg": 10, "times_per_day": times, "duration_days": 2}},
    })  # fmt: skip
    area = 24.0 * np.trapezoid(rows.concentration_ruxolitinib, rows.day)
    assert area == pytest.approx(2 * times * 10.0 * AREA, rel=5e-3)


def test_two_doses_a_day_settle_to_the_superposition_of_all_before():
    """Peak, trough and every point between, after five days. Catches doses that replace what is still there."""
    rows = trajectory({
        "time": {"duration_days": 5.5, "record_every_minutes": 10},
        "marrow": {"scale": "tissue", "shape": [4, 4]}, "clones": {"a": {"genotype": "wild_type"}}, **STILL,
        "treatments": {"ruxolitinib": {"dose_mg": 20, "times_per_day": 2}},
    })  # fmt: skip
    last = rows[rows.day > 5.0 + 1e-9]
    hours = 24.0 * (last.day.to_numpy() - 5.0)
    np.testing.assert_allclose(last.concentration_ruxolitinib, steady(hours, 20.0), rtol=1e-6)
    assert last.concentration_ruxolitinib.iloc[-1] == pytest.approx(20.0 * sum(bateman(12.0 * k) for k in range(1, 20)))


# Occupancy.


def niche(duration, treatments, **changes):
    """Three clones without events, so that only signalling moves."""
    clones = {"healthy": "wild_type", "jak2": "JAK2_V617F", "calr": "CALR_TYPE1"}
    return trajectory({
        "time": {"duration_days": duration, "record_every_days": 1}, "marrow": {"shape": [8, 8]},
        "clones": {name: {"genotype": genotype, "cells": 20} for name, genotype in clones.items()},
        "treatments": treatments, **STILL, **changes,
    })  # fmt: skip


@pytest.mark.parametrize(("dose", "told"), [(5, 0.22), (10, 0.34), (15, 0.43), (20, 0.49), (25, 0.54)])
def test_a_daily_step_sees_the_mean_occupancy_of_two_doses_a_day(dose, told):
    """The figures of the model, and the integral behind them. Catches the occupancy of the mean concentration."""
    row = niche(1, {"ruxolitinib": {"dose_mg": dose, "times_per_day": 2}}).iloc[-1]
    held = 1.0 - row.activity_wild_type
    assert round(held, 2) == told
    assert held == pytest.approx(occupancy(dose), rel=1e-5)
    mean = quad(lambda t: steady(t, dose), 0.0, 12.0)[0] / 12.0
    assert row.concentration_ruxolitinib == pytest.approx(mean, rel=1e-5)


def test_the_tissue_scale_holds_as_much_on_average_as_the_daily_step():
    """The mean of the followed occupancy over a day at steady state, in steps of which absorption takes a third."""
    content = {
        "time": {"duration_days": 6, "step_minutes": 5, "record_every_minutes": 5}, **STILL,
        "marrow": {"scale": "tissue", "shape": [4, 4]}, "clones": {"a": {"genotype": "wild_type"}},
        "treatments": {"ruxolitinib": {"dose_mg": 15, "times_per_day": 2}},
    }  # fmt: skip
    rows = trajectory(content)
    assert 1.0 - rows[rows.day > 5.0 + 1e-9].activity_wild_type.mean() == pytest.approx(occupancy(15), rel=1e-4)


def test_a_patients_log_odds_shift_the_odds_of_occupancy_at_every_concentration():
    """Odds C/IC50 times e, averaged over every minute. Catches a shift of the mean, which passes at one dose only."""
    rows = mpn_abm.run(of_library("verification/single_dose_pk", {"patient.occupancy_logodds": 1.0})).trajectory
    within = np.linspace(0.0, 1.0, 201) / 60.0
    odds = 15.0 * bateman(24.0 * rows.day.to_numpy()[:-1, None] + within) / IC50 * np.e
    expected = np.trapezoid(odds / (1.0 + odds), within, axis=1) * 60.0
    np.testing.assert_allclose(1.0 - rows.activity_wild_type[1:], expected, atol=2e-3)
    np.testing.assert_allclose(1.0 - rows.activity_wild_type[11:], expected[10:], rtol=1e-5)


# Signalling.

ON, OFF_DAY = 10, 100


def persistence_at(day, held):
    """P, from the first to the last day on the drug and after."""
    built = held * -np.expm1(-(np.minimum(day, OFF_DAY) - ON) / ONSET)
    return np.where(day <= ON, 0.0, built * np.exp(-np.maximum(0.0, day - OFF_DAY) / DECAY))


def mean_persistence(day, held):
    """P averaged over the day that ends at a day."""
    return np.array([quad(persistence_at, d - 1.0, d, args=(held,))[0] for d in day])


@pytest.fixture(scope="module")
def course():
    return niche(200, {"ruxolitinib": {"dose_mg": 20, "start_day": ON, "stop_day": OFF_DAY}})


def test_persistence_builds_up_in_three_weeks_on_the_drug_and_is_lost_in_two_without_it(course):
    """Catches onset and decay exchanged, a drug that starts or stops a day off, and the row after the treatment."""
    expected = persistence_at(course.day.to_numpy(), occupancy(20))
    np.testing.assert_allclose(course.persistence_JAK2_V617F, expected, rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(course.persistence_CALR_TYPE1, expected, rtol=1e-4, atol=1e-12)
    assert "persistence_wild_type" not in course


def test_activity_is_restored_in_trans_on_the_drug_and_rebounds_for_jak2_alone_after_it(course):
    """(1 - I) + 0.45 P, then 1 + 1.17 P for JAK2 and 1 for CALR. Catches the rebound of one gene given to the other."""
    day, held = course.day.to_numpy()[1:], occupancy(20)
    on = (day > ON) & (day <= OFF_DAY)
    mean = mean_persistence(day, held)
    rows = course.iloc[1:]
    np.testing.assert_allclose(rows.activity_wild_type, np.where(on, 1.0 - held, 1.0), rtol=1e-5)
    kept = 1.0 - held + THETA * mean
    np.testing.assert_allclose(rows.activity_CALR_TYPE1, np.where(on, kept, 1.0), rtol=1e-5)
    np.testing.assert_allclose(rows.activity_JAK2_V617F, np.where(on, kept, 1.0 + RHO * mean), rtol=1e-5)
    assert course.activity_JAK2_V617F.max() == pytest.approx(1.0 + RHO * held, rel=0.06)


def test_persistence_needs_more_than_one_percent_of_occupancy():
    """A trace of drug is off the drug. Catches >= 0, with which dose 0 would differ from no treatment."""
    rows = niche(50, {"ruxolitinib": {"dose_mg": 0.1}})
    assert 0.0 < 1.0 - rows.activity_wild_type.iloc[-1] < 0.01
    assert (rows.persistence_JAK2_V617F == 0.0).all()


@pytest.mark.parametrize("step", [7, 14])
def test_step_length_does_not_change_signalling(step):
    """P at the ends of long steps and A averaged over them are those of daily steps, to rounding."""
    treatments = {"ruxolitinib": {"dose_mg": 20, "start_day": 14, "stop_day": 98}}
    daily = niche(196, treatments)
    times = {"duration_days": 196, "step_days": step, "record_every_days": step}
    long = niche(196, treatments, time=times)
    np.testing.assert_allclose(long.persistence_JAK2_V617F, daily.persistence_JAK2_V617F[::step], rtol=1e-9, atol=1e-15)
    weekly = daily.activity_JAK2_V617F.to_numpy()[1:].reshape(-1, step).mean(axis=1)
    np.testing.assert_allclose(long.activity_JAK2_V617F[1:], weekly, rtol=1e-9)


# The clone.


@pytest.mark.parametrize("step", [1, 7, 28])
def test_under_the_drug_the_log_odds_of_a_clone_fall_by_the_integral_of_its_net_fitness(step):
    """s A - c (1 - A) with A as above, well mixed, at any step length; empty niches speed up both types alike.

    A tenth of the niches is empty, so a cell divides 3.5 times a year and is displaced or lost at most 4.5 times:
    8 T / (0.9 N f (1 - f)) bounds the variance. Within 4.9 standard errors, 1e-6 for each step length; finds a net
    fitness off by 9 %. Catches a cost paid on A instead of 1 - A, or not at all, and one type that fills the niches.
    """
    days, sites = 336, 1024**2
    rows = trajectory({
        "time": {"duration_days": days, "step_days": step, "record_every_days": days},
        "marrow": {"shape": [1024, 1024]}, "seed": 5,
        "clones": {"healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "JAK2_V617F", "fraction": 0.5}},
        "patient": {"disease": "PV"}, "hematopoiesis": {"recirculation": 1}, "mutation": OFF, "fibrosis": OFF,
        "treatments": {"ruxolitinib": {"dose_mg": 25}},
    })  # fmt: skip
    held = occupancy(25)
    active = quad(lambda t: 1.0 - held + THETA * held * -np.expm1(-t / ONSET), 0.0, days)[0] / days
    expected = (0.35 * active - 5.7 * (1.0 - active)) * days / YEAR
    change = np.diff(log_odds(rows, "cells_jak2", "cells_healthy"))[0]
    error = np.sqrt(8.0 * days / YEAR / (0.9 * sites * 0.5 * 0.5))
    assert rows.cells_total.min() > 0.88 * sites
    assert abs(change - expected) < 4.9 * error
    assert 2 * 4.9 * error < 0.09 * abs(expected)


# Nothing.


@pytest.mark.parametrize("treatments", [
    {"ruxolitinib": {"dose_mg": 0}},
    {"car_t": {"dose_cells": 0, "day": 20}},
    {"car_t": {"dose_relative": 0}, "ruxolitinib": {"dose_relative": 0, "start_day": 30}},
], ids=["inhibitor", "t cells", "both"])  # fmt: skip
def test_a_dose_of_0_has_the_bits_of_no_treatment(treatments):
    """All columns but the drug's own, which are there and 0. Catches draws and hazards that a mere mention costs."""
    content = {
        "time": {"duration_days": 200}, "marrow": {"shape": [32, 32]}, "seed": 3,
        "clones": {"healthy": {"genotype": "wild_type"}, "calr": {"genotype": "CALR_TYPE1", "fraction": 0.5}},
        "fibrosis": {"initial": {"mf_grade": 2}},
    }  # fmt: skip
    without = mpn_abm.run(scenario(content))
    with_0 = mpn_abm.run(scenario({**content, "treatments": treatments}))
    one, other, own = common_digests(without, with_0)
    assert one == other
    assert own
    assert not with_0.trajectory[own].to_numpy().any()
    assert with_0.snapshots.drop(columns="run_id").equals(without.snapshots.drop(columns="run_id"))


def test_a_dose_of_0_has_the_bits_of_no_treatment_at_tissue_scale():
    content = {
        "time": {"duration_hours": 12}, "marrow": {"scale": "tissue", "shape": [24, 24]}, "seed": 3,
        "clones": {"a": {"genotype": "CALR_TYPE1", "fraction": 0.5}},
        "hematopoiesis": {"division_rate_per_year": 365, "loss_rate_per_year": 100},
    }  # fmt: skip
    without = mpn_abm.run(scenario(content))
    treatments = {"car_t": {"effector_to_target": 0}, "ruxolitinib": {"dose_mg": 0}}
    one, other, own = common_digests(without, mpn_abm.run(scenario({**content, "treatments": treatments})))
    assert one == other
    assert {"car_t_total", "concentration_ruxolitinib"} <= set(own)
