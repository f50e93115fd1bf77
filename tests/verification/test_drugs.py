"""What drugs do together in a step, against their closed forms."""

import numpy as np
import pytest
from scipy.integrate import quad
from verification.courses import followed, medication, still
from verification.runs import scenario

import mpn_abm
from mpn_abm.compile.drugs import ic50_of
from mpn_abm.mechanisms.drugs import DRUGS, JakInhibitor
from mpn_abm.state import (
    ANTI_CALR,
    BLOCKADE,
    DEPOSITION,
    DIVISION,
    ELTROMBOPAG,
    FACTORS,
    HSP90,
    INTERFERON,
    JAK1,
    KILLING,
    LOSS,
    T_CELL_JAK,
    TYPE_1,
    TYPE_2,
)

TISSUE = {"marrow": {"scale": "tissue", "shape": [4, 4]}, "clones": {"a": {"genotype": "wild_type"}}}


def last(treatments, days=3, **changes):
    """`medication` of the last step."""
    return followed(still(days, treatments, **changes), lambda stack: stack.signal.medication[0])[-1]


def odds(share):
    return share / (1 - share)


# JAK inhibitors.

# model.md 5.2: occupancy of JAK2 and JAK1 at the usual dose
USUAL = {
    "ruxolitinib": (0.49, 0.49), "fedratinib": (0.5, 0.2), "momelotinib": (0.4, 0.4), "pacritinib": (0.4, 0.05),
    "itacitinib": (0.05, 0.5), "chz868": (0.5, None),
}  # fmt: skip


@pytest.mark.parametrize("drug", USUAL)
def test_every_jak_inhibitor_holds_what_is_said_of_it_at_its_usual_dose(drug):
    """JAK2 by the type, JAK1, and what T cells bear of it. Catches types mixed up, and an odds ratio upside down."""
    told = last({drug: {"dose_relative": 1}})
    jak2, jak1 = USUAL[drug]
    mine, other = (TYPE_2, TYPE_1) if drug == "chz868" else (TYPE_1, TYPE_2)
    assert told[mine] == pytest.approx(jak2, abs=0.005)
    assert told[other] == 0.0
    if jak1 is not None:
        assert told[JAK1] == pytest.approx(jak1, abs=0.005)
    assert told[T_CELL_JAK] == pytest.approx(0.1 * told[JAK1] if drug == "itacitinib" else told[mine])


@pytest.mark.parametrize("relative", [0.25, 0.5, 2.0])
@pytest.mark.parametrize("logodds", [0.0, 1.0])
def test_the_odds_of_jak1_are_those_of_jak2_times_their_ratio_at_every_dose(relative, logodds):
    told = last({"fedratinib": {"dose_relative": relative}}, patient={"occupancy_logodds": logodds})
    assert odds(told[JAK1]) == pytest.approx(0.25 * odds(told[TYPE_1]), rel=1e-12)


def test_an_occupancy_at_the_usual_dose_stands_for_the_ic50_that_gives_it():
    """Taken back from the mean over a dosing interval, integrated anew. Catches the occupancy of the mean."""
    drug = JakInhibitor(first_dose_peak=5.0, usual_occupancy=0.3, usual_dose=100.0, half_life=5.0)
    ic50 = ic50_of(drug)
    a, k = 4.0, np.log(2) / 5.0
    top = max(np.exp(-k * t) - np.exp(-a * t) for t in np.linspace(0, 5, 100_001))

    def concentration(t):
        return sum(500.0 / top * (np.exp(-k * (t + 12 * n)) - np.exp(-a * (t + 12 * n))) for n in range(30))

    held = quad(lambda t: concentration(t) / (concentration(t) + ic50), 0, 12)[0] / 12
    assert held == pytest.approx(0.3, rel=1e-5)
    assert ic50_of(DRUGS["ruxolitinib"]) == 281.0


def test_inhibitors_together_leave_free_what_each_leaves_free():
    one = last({"ruxolitinib": {"dose_mg": 10}})
    other = last({"fedratinib": {"dose_mg": 300}})
    third = last({"itacitinib": {"dose_relative": 1}})
    both = last({
        "ruxolitinib": {"dose_mg": 10}, "fedratinib": {"dose_mg": 300}, "itacitinib": {"dose_relative": 1},
    })  # fmt: skip
    free = (1 - one) * (1 - other) * (1 - third)
    for entry in (TYPE_1, JAK1, T_CELL_JAK):
        assert both[entry] == pytest.approx(1 - free[entry], rel=1e-12)
    two = last({"chz868": {"dose_relative": 1}, "ruxolitinib": {"dose_mg": 10}})
    assert two[TYPE_1] == one[TYPE_1]
    assert two[TYPE_2] == pytest.approx(0.5, rel=1e-9)


@pytest.mark.parametrize("times", [(2, 2), (1, 1), (1, 3), (2, 3)])
def test_concentrations_of_one_drug_in_two_treatments_add_before_its_occupancy(times):
    """Twice 20 mg as often is once 40 mg; else the integral over a day in which all start with a dose."""
    treatments = {
        "ruxolitinib": {"dose_mg": 20, "times_per_day": times[0]},
        "again": {"drug": "ruxolitinib", "dose_mg": 20, "times_per_day": times[1]},
    }
    both = last(treatments)
    a, k = 4.0, np.log(2) / 3.0
    top = max(np.exp(-k * t) - np.exp(-a * t) for t in np.linspace(0, 5, 100_001))

    def concentration(hour):
        said = 0.0
        for n in times:
            since = hour % (24 / n) + 24 / n * np.arange(60)
            said += 20 * 41 / top * (np.exp(-k * since) - np.exp(-a * since)).sum()
        return said

    # every dose falls on a multiple of four hours
    pieces = [(hour, hour + 4) for hour in range(0, 24, 4)]
    held = sum(quad(lambda t: concentration(t) / (concentration(t) + 281), *piece)[0] for piece in pieces) / 24
    assert both[TYPE_1] == pytest.approx(held, rel=1e-5)
    if times[0] == times[1]:
        once = last({"ruxolitinib": {"dose_mg": 40, "times_per_day": times[0]}})
        np.testing.assert_allclose(both, once, rtol=1e-6)


def test_concentrations_that_are_followed_add_too():
    time = {"duration_days": 2, "step_minutes": 20, "record_every_hours": 12}
    two = {"ruxolitinib": {"dose_mg": 20}, "again": {"drug": "ruxolitinib", "dose_mg": 20}}
    both, once = (
        np.array(followed(still(2, said, **TISSUE, time=time), lambda stack: stack.signal.medication[0]))
        for said in (two, {"ruxolitinib": {"dose_mg": 40}})
    )
    np.testing.assert_allclose(both, once, rtol=1e-12)
    assert once[:, TYPE_1].max() > 0.5


def test_a_second_treatment_with_a_drug_counts_from_its_start_to_its_stop_alone():
    """The bits of one treatment while one of the two runs, in either place."""
    one = still(9, {"ruxolitinib": {"dose_mg": 20}})
    held = medication(one, TYPE_1)
    late = {"ruxolitinib": {"dose_mg": 20, "stop_day": 6}, "b": {"drug": "ruxolitinib", "dose_mg": 20, "start_day": 3}}
    found = medication(still(9, late), TYPE_1)
    assert found[:3] == held[:3]
    assert found[6:] == held[6:]
    assert all(both > alone for both, alone in zip(found[3:6], held[3:6], strict=True))


@pytest.mark.parametrize("times", [1, 2, 4])
def test_the_usual_exposure_is_the_same_however_often_it_is_taken(times):
    """Mean concentration as usual; how often only shapes the day. Catches a usual dose at every intake."""
    told = mpn_abm.run(scenario(still(3, {"ruxolitinib": {"dose_relative": 1, "times_per_day": times}}))).trajectory
    usual = mpn_abm.run(scenario(still(3, {"ruxolitinib": {"dose_mg": 20}}))).trajectory
    name = "concentration_ruxolitinib"
    assert told[name].iloc[-1] == pytest.approx(usual[name].iloc[-1], rel=1e-6)
    assert last({"eltrombopag": {"dose_relative": 1, "times_per_day": times}})[ELTROMBOPAG] == 1.0


def test_the_limit_of_a_rule_is_a_single_dose_in_mg_and_an_exposure_if_relative():
    """Twice 50 mg of eltrombopag is twice the usual exposure."""
    for limit, exposure in (({"max_dose_mg": 25}, 1.0), ({"max_dose_relative": 0.5}, 0.5)):
        rule = {"when": {"cells_total": {"above": 0}}, **limit}
        said = {"dose_mg": 50, "times_per_day": 2, "adjust": {"a": rule}}
        assert last({"eltrombopag": said})[ELTROMBOPAG] == exposure


def test_a_patients_odds_of_occupancy_shift_told_and_solved_half_maximal_concentrations_alike():
    """The solved one is that of the usual patient. Catches a shift that the solution takes away again."""
    usual, high = (last({"fedratinib": {"dose_mg": 400}}, patient={"occupancy_logodds": shift}) for shift in (0, 2))
    assert usual[TYPE_1] == pytest.approx(0.5, rel=1e-9)
    assert odds(high[TYPE_1]) == pytest.approx(np.e**2, rel=0.1)


def test_what_is_followed_within_the_day_is_followed_for_every_drug_with_tablets():
    """Momelotinib once a day at tissue scale: the mean over the last day is that of the daily step."""
    content = still(
        4, {"momelotinib": {"dose_relative": 1}}, **TISSUE,
        time={"duration_days": 4, "step_minutes": 20, "record_every_hours": 12},
    )  # fmt: skip
    told = np.array(followed(content, lambda stack: stack.signal.medication[0]))[-72:]
    assert told[:, TYPE_1].mean() == pytest.approx(0.4, rel=2e-2)
    np.testing.assert_allclose(told[:, JAK1], told[:, TYPE_1], rtol=1e-12)
    assert told[:, TYPE_1].std() > 0.05


# Drugs that follow the schedule.


@pytest.mark.parametrize(
    ("treatment", "entry", "expected"),
    [
        ({"pu_h71": {"dose_relative": 0.7}}, HSP90, 0.7),
        ({"pu_h71": {"dose_relative": 0.7}, "b": {"drug": "pu_h71", "dose_relative": 0.7}}, HSP90, 1.0),
        ({"interferon": {"dose_relative": 0.5}}, INTERFERON, 0.5),
        ({"interferon": {"dose_ug": 45}}, INTERFERON, 0.5),
        ({"interferon": {"dose_ug": 90}, "b": {"drug": "interferon", "dose_relative": 0.5}}, INTERFERON, 1.5),
        ({"eltrombopag": {"dose_mg": 50}}, ELTROMBOPAG, 1.0),
        ({"eltrombopag": {"dose_mg": 75, "times_per_day": 2}}, ELTROMBOPAG, 3.0),
        ({"eltrombopag": {"dose_relative": 2}}, ELTROMBOPAG, 2.0),
    ],
)
def test_exposures_are_in_units_of_the_usual_one_and_add(treatment, entry, expected):
    """H stops at 1. Nothing else is touched."""
    told = last(treatment)
    assert told[entry] == pytest.approx(expected, rel=1e-12)
    assert np.flatnonzero(told).tolist() == [entry]


# Half-lives.


def exposure(day, half_life, dose, start, stop):
    """Relaxes to the dose from start to stop, and falls after."""
    k = np.log(2) / half_life
    risen = dose * -np.expm1(-k * (min(day, stop) - start))
    return 0.0 if day <= start else risen * np.exp(-k * max(0.0, day - stop))


def means(function, step, days):
    return [quad(function, t, t + step, epsabs=1e-13)[0] / step for t in np.arange(0, days, step)]


@pytest.mark.parametrize("step", [1, 5, 30])
def test_an_antibody_comes_and_goes_with_its_half_life_whatever_the_step(step):
    """The exact mean of every step. Catches the value at an end of the step, and a half-life in hours or of 1/e."""
    time = {"duration_days": 120, "step_days": step, "record_every_days": 30}
    treatments = {"anti_calr": {"dose_relative": 1.5, "start_day": 30, "stop_day": 90}}
    expected = means(lambda t: exposure(t, 14.0, 1.5, 30, 90), step, 120)
    np.testing.assert_allclose(
        medication(still(120, treatments, time=time), ANTI_CALR), expected, rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("step", [1, 30])
@pytest.mark.parametrize(("drug", "half_life"), [("pembrolizumab", 22.0), ("nivolumab", 25.0)])
def test_pd_1_is_blocked_as_the_exposure_says_on_average_over_the_step(step, drug, half_life):
    """Mean of x/(x + 0.1). Catches the saturation of the mean exposure: off by 0.1 in the first month."""
    time = {"duration_days": 180, "step_days": step, "record_every_days": 30}

    def blocked(t):
        x = exposure(t, half_life, 1.0, 30, 120)
        return x / (x + 0.1)

    found = medication(still(180, {drug: {"dose_relative": 1, "start_day": 30, "stop_day": 120}}, time=time), BLOCKADE)
    np.testing.assert_allclose(found, means(blocked, step, 180), rtol=1e-8, atol=1e-10)


def test_two_antibodies_block_what_each_leaves_and_exposures_to_one_add():
    one = last({"pembrolizumab": {"dose_mg": 200}})[BLOCKADE]
    other = last({"nivolumab": {"dose_mg": 240}})[BLOCKADE]
    both = last({"pembrolizumab": {"dose_mg": 200}, "nivolumab": {"dose_mg": 240}})[BLOCKADE]
    assert both == pytest.approx(1 - (1 - one) * (1 - other), rel=1e-12)
    twice = {"anti_calr": {"dose_relative": 1}, "b": {"drug": "anti_calr", "dose_relative": 1}}
    assert last(twice)[ANTI_CALR] == pytest.approx(last({"anti_calr": {"dose_relative": 2}})[ANTI_CALR], rel=1e-12)


# Modifiers.

EFFECTS = {
    "slow": {"factor": "division", "genotype": "JAK2_V617F", "direction": "decreases", "saturation": 0.8,
             "half_max_nM": 50, "hill": 2},
    "lose": {"factor": "loss", "direction": "increases", "saturation": 3, "half_max_nM": 200},
    "soft": {"factor": "scar_deposition", "direction": "decreases", "half_max_nM": 100},
    "never": {"factor": "killing", "genotype": "CALR_TYPE2", "direction": "increases"},
}  # fmt: skip


def hill(c, half, n=1.0):
    return c**n / (c**n + half**n)


def factors(treatments, effects=EFFECTS, days=3, **drug):
    content = still(days, treatments, drugs={"mine": {"kind": "modifier", "effects": effects, **drug}})
    return followed(content, lambda stack: stack.signal.factor[0])[-1]


@pytest.mark.parametrize("relative", [0.5, 1.0, 4.0])
def test_a_modifier_multiplies_its_factors_by_the_curve_at_its_concentration(relative):
    """Bases: wild type, JAK2, CALR type 1. What cannot arise is left out. Catches a curve of the wrong base or sign."""
    found = factors({"mine": {"dose_relative": relative}}, usual_concentration_nM=100)
    c = 100 * relative
    expected = np.ones((FACTORS, 3))
    expected[DIVISION, 1] = 1 - 0.8 * hill(c, 50, 2)
    expected[LOSS] = 1 + 3 * hill(c, 200)
    expected[DEPOSITION] = 1 - hill(c, 100)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_modifier_in_two_treatments_acts_by_the_sum_of_its_concentrations_and_leaves_when_it_stops():
    two = {"mine": {"dose_relative": 1}, "again": {"drug": "mine", "dose_relative": 2}}
    both, once = (factors(said, usual_concentration_nM=100) for said in (two, {"mine": {"dose_relative": 3}}))
    np.testing.assert_allclose(both, once, rtol=1e-12)
    stopped = factors({"mine": {"dose_relative": 1, "stop_day": 2}}, usual_concentration_nM=100)
    assert (stopped == 1.0).all()


@pytest.mark.parametrize(("said", "level"), [
    ({"dose_mg": 20}, 1.0), ({"dose_mg": 20, "times_per_day": 3}, 1.5), ({"dose_mg": 10, "times_per_day": 1}, 0.25),
    ({"dose_relative": 1, "times_per_day": 5}, 1.0),
])  # fmt: skip
def test_a_told_concentration_is_that_of_the_usual_dose_of_a_day_and_scales_with_it(said, level):
    """20 mg twice a day make 100 nM, and the column says so."""
    drug = {"kind": "modifier", "effects": EFFECTS, "usual_concentration_nM": 100, "usual_dose_mg": 20}
    content = still(3, {"mine": said}, drugs={"mine": drug | {"usual_times_per_day": 2}})
    rows = mpn_abm.run(scenario(content)).trajectory
    np.testing.assert_allclose(rows.concentration_mine[1:], 100 * level, rtol=1e-12)
    found = followed(content, lambda stack: stack.signal.factor[0])[-1]
    np.testing.assert_allclose(found[LOSS], 1 + 3 * hill(100 * level, 200), rtol=1e-12)


def test_a_modifier_with_tablets_acts_by_its_mean_concentration():
    """That of the column, which is the area of a dose over the interval. Catches the mean of the curve."""
    drug = {"kind": "modifier", "effects": EFFECTS, "first_dose_peak_nM_per_mg": 10, "half_life_hours": 8}
    content = still(3, {"mine": {"dose_mg": 12, "times_per_day": 3}}, drugs={"mine": drug})
    c = mpn_abm.run(scenario(content)).trajectory.concentration_mine.iloc[-1]
    k = np.log(2) / 8.0
    peak = (4.0 / k) ** (-k / (4.0 - k))
    assert c == pytest.approx(12 * 10 / peak / k / 8.0, rel=1e-4)
    found = followed(content, lambda stack: stack.signal.factor[0])[-1]
    np.testing.assert_allclose(found[LOSS], 1 + 3 * hill(c, 200), rtol=1e-12)
    assert (found[KILLING] == 1.0).all()
