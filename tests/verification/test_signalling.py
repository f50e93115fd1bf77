"""JAK2 protein, type II inhibition, an antibody against CALR, and the loss of a response, against closed forms."""

import numpy as np
import pytest
from scipy.integrate import quad
from verification.courses import followed, still
from verification.runs import scenario, trajectory

import mpn_abm
from mpn_abm.state import RESPONSE_LOST_STEP, TYPE_1

# model.md 5.2, re-entered here
TURNOVER, THETA, RHO, ONSET, DECAY = 0.33, 0.45, 1.17, 21.0, 14.0
SENSITIVITY = {"JAK2_V617F": 1.5, "CALR_TYPE1": 1.5, "wild_type": 0.2}
ANTIBODY_HALF_LIFE, LEFT = 14.0, 0.3
BY_AGES = {"progression": {"background_death_rate_per_year": 0, "et_death_rate_per_year": 0}}


def mean_of_days(curve, first, last):
    """A curve averaged over each day."""
    return np.array([quad(curve, day, day + 1.0)[0] for day in range(first, last)])


@pytest.mark.parametrize("dose", [0.5, 1.0])
@pytest.mark.parametrize("genotype", SENSITIVITY)
def test_jak2_protein_falls_to_its_balance_and_comes_back(genotype, dose):
    """J to 1/(1 + h H) at 0.33 a day, back to 1 after it. Catches h of the wild type for all and a jump to the end."""
    rows = trajectory(still(60, {"pu_h71": {"dose_relative": dose, "stop_day": 30}}))
    balance = 1.0 / (1.0 + SENSITIVITY[genotype] * dose)

    def protein(day):
        low = balance + (1.0 - balance) * np.exp(-TURNOVER * min(day, 30.0))
        return 1.0 + (low - 1.0) * np.exp(-TURNOVER * max(0.0, day - 30.0))

    expected = np.r_[mean_of_days(protein, 0, 30), mean_of_days(protein, 30, 60)]
    np.testing.assert_allclose(rows[f"activity_{genotype}"][1:], expected, rtol=1e-7)


def test_a_type_2_inhibitor_holds_half_of_the_activity_and_leaves_no_trace():
    """A = 1 - 0.5 while it is taken and 1 on the day after: no persistence, no rebound."""
    rows = trajectory(still(60, {"chz868": {"dose_relative": 1, "stop_day": 30}}))
    for genotype in SENSITIVITY:
        np.testing.assert_allclose(rows[f"activity_{genotype}"], [1.0] + [0.5] * 30 + [1.0] * 30, rtol=1e-6)
    assert not rows.filter(regex="^persistence").to_numpy().any()


def test_a_type_2_inhibitor_works_in_persistent_cells_that_have_lost_the_other():
    """A = (1 + rho P)(1 - I2) after a switch. Catches I2 that enters P or counts as being on the type I drug."""
    courses = {"ruxolitinib": {"dose_mg": 20, "stop_day": 60}, "chz868": {"dose_relative": 1, "start_day": 60}}
    rows = trajectory(still(90, courses)).set_index("day")
    before = rows.persistence_JAK2_V617F[60]
    assert before > 0.4
    kept = mean_of_days(lambda day: before * np.exp(-day / DECAY), 0, 30)
    np.testing.assert_allclose(rows.activity_JAK2_V617F[61:], 0.5 * (1.0 + RHO * kept), rtol=1e-6)
    np.testing.assert_allclose(rows.activity_CALR_TYPE1[61:], 0.5, rtol=1e-6)


def test_an_antibody_takes_four_fifths_of_the_activity_of_calr_cells_alone():
    """1 - 0.8 x, the exposure x with a half-life of 14 days up and down."""
    rows = trajectory(still(120, {"anti_calr": {"dose_relative": 1, "stop_day": 60}}))
    rate = np.log(2.0) / ANTIBODY_HALF_LIFE

    def exposure(day):
        return -np.expm1(-rate * min(day, 60.0)) * np.exp(-rate * max(0.0, day - 60.0))

    expected = 1.0 - 0.8 * np.r_[mean_of_days(exposure, 0, 60), mean_of_days(exposure, 60, 120)]
    np.testing.assert_allclose(rows.activity_CALR_TYPE1[1:], expected, rtol=1e-7)
    for other in ("JAK2_V617F", "wild_type"):
        assert (rows[f"activity_{other}"] == 1.0).all()


PARTS = {
    "ruxolitinib": {"dose_mg": 20},
    "pu_h71": {"dose_relative": 0.7},
    "chz868": {"dose_relative": 1},
    "anti_calr": {"dose_relative": 1},
}


@pytest.mark.parametrize("genotype", SENSITIVITY)
def test_drugs_on_different_targets_multiply(genotype):
    """Without interaction the activity under all is the product of that under each, but for daily means of products.

    J and the antibody's x are averaged over a day before they are multiplied: 0.2 % in the days in which both move.
    """
    name = f"activity_{genotype}"
    alone = [trajectory(still(60, {drug: course}))[name] for drug, course in PARTS.items()]
    np.testing.assert_allclose(trajectory(still(60, PARTS))[name], np.prod(alone, axis=0), rtol=2e-3)


def test_two_type_1_inhibitors_hold_what_neither_leaves_free():
    """Occupancies combine as 1 - (1 - I)(1 - I'). Catches a sum, which passes 1."""
    one, other = {"ruxolitinib": {"dose_mg": 20}}, {"momelotinib": {"dose_mg": 200}}
    free = [
        1.0 - followed(still(1, courses), lambda stack: stack.signal.medication)[0][0, TYPE_1]
        for courses in (one, other, one | other)
    ]
    assert free[2] == pytest.approx(free[0] * free[1], rel=1e-12)
    assert free[1] == pytest.approx(0.6, rel=1e-6)


# Loss of response.

LOSING = still(
    730,
    {"ruxolitinib": {"dose_mg": 20}},
    time={"duration_days": 730, "record_every_days": 730},
    marrow={"shape": [4, 4]},
    clones={"jak2": {"genotype": "JAK2_V617F"}},
    progression={"mortality": False},
    jak_stat={"response_loss_rate_per_year": 0.6},
)


def test_the_response_is_lost_at_its_hazard():
    """Share without an event by the end of two years: exp(-2 x 0.6), of 2,000 within 4.9 standard errors (1e-6)."""
    result = mpn_abm.run(scenario(LOSING), replicates=2000)
    lost = result.events[result.events.kind == "response_lost"]
    assert lost.replicate.is_unique
    share = np.exp(-0.6 * 730 / 365.25)
    assert abs(2000 - len(lost) - 2000 * share) < 4.9 * np.sqrt(2000 * share * (1.0 - share))
    # days of an exponential, cut at two years: the mean of the events within 4.9 standard errors
    scale = 365.25 / 0.6
    expected = scale - 730 * share / (1.0 - share)
    assert abs(lost.day.mean() + 0.5 - expected) < 4.9 * 210 / np.sqrt(len(lost))


@pytest.mark.parametrize("treatments", [{}, {"chz868": {"dose_relative": 1}}, {"ruxolitinib": {"dose_mg": 0.1}}])
def test_no_response_is_lost_without_a_type_1_inhibitor(treatments):
    """Of 300 with a hazard of 20 a year none. Catches the hazard of a drug that is not taken, or of type II."""
    content = {**LOSING, "treatments": treatments, "jak_stat": {"response_loss_rate_per_year": 20}}
    result = mpn_abm.run(scenario(content, {"time.duration_days": 200}), replicates=300)
    assert not (result.events.kind == "response_lost").any()


def test_once_the_response_is_lost_three_tenths_of_the_occupancy_count():
    """In A, P and cytokines of JAK1; not in the wild type. P moves towards 0.3 I from where it stood."""
    content = still(
        400, {"ruxolitinib": {"dose_mg": 20}}, progression={"mortality": False}, seed=4,
        jak_stat={"response_loss_rate_per_year": 2},
    )  # fmt: skip
    rows = trajectory(content)
    batch_rows = followed(content, lambda stack: np.r_[stack.signal.response[0], stack.tally[0, RESPONSE_LOST_STEP]])
    held = 1.0 - rows.activity_wild_type.iloc[-1]
    lost = int(batch_rows[-1][2])
    assert 30 < lost < 370, "choose another seed"
    before, after = batch_rows[lost - 2][:2], batch_rows[lost - 1][:2]
    np.testing.assert_allclose(before, held, rtol=1e-9)
    np.testing.assert_allclose(after, LEFT * held, rtol=1e-9)
    assert rows.activity_wild_type[1:].nunique() == 1
    # the event stands at the boundary at which its step begins: lost counts from 1
    stood = rows.persistence_JAK2_V617F[lost - 1]
    days = np.arange(401.0 - lost)

    def persistence(day):
        return LEFT * held + (stood - LEFT * held) * np.exp(-day / ONSET)

    np.testing.assert_allclose(rows.persistence_JAK2_V617F[lost:], persistence(days + 1.0), rtol=1e-6)
    active = 1.0 - LEFT * held + THETA * mean_of_days(persistence, 0, len(days))
    np.testing.assert_allclose(rows.activity_JAK2_V617F[lost:], active, rtol=1e-6)


@pytest.mark.parametrize("drug", ["ruxolitinib", "pu_h71", "chz868", "anti_calr"])
def test_more_drug_never_leaves_more_activity(drug):
    """At every day and dose, of the steps in which the drug runs. Catches a saturation that turns back."""
    doses = [0.0, 0.25, 0.5, 1.0]
    runs = [trajectory(still(60, {drug: {"dose_relative": dose}})).activity_CALR_TYPE1.to_numpy() for dose in doses]
    # persistence needs occupancy and lags behind it, yet theta I never outweighs I
    assert (np.diff(runs, axis=0) <= 1e-12).all()
    assert (runs[-1][5:] < runs[0][5:]).all()
