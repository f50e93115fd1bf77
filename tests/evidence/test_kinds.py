"""Orders and existence, in studies whose patients were written down by hand."""

from types import SimpleNamespace

import pandas as pd
import pytest

from mpn_abm.evidence.answers import answers
from mpn_abm.evidence.blocks import Target
from mpn_abm.scenario.endpoints import Endpoint

DAY_0 = {"placebo": [1, 2, 3, 4], "low": [2, 3.1, 4, 4.9], "high": [5, 6, 7, 9], "noisy": [3, 1, 4, 2.4]}


def rows_of(values):
    """Rows of a trajectory from `{arm: {day: value of each patient}}`."""
    rows = [
        {"run_id": f"{arm}-{patient}", "arm": arm, "patient": patient, "replicate": 0, "day": float(day), "vaf": value}
        for arm, days in values.items()
        for day, patients in days.items()
        for patient, value in enumerate(patients)
    ]
    return pd.DataFrame(rows)


def answered(values, endpoints=None, **said):
    """The answer to a target in a study with these values."""
    trajectory = rows_of(values)
    plan = trajectory[["run_id", "arm", "patient", "replicate"]].drop_duplicates().reset_index(drop=True)
    done = SimpleNamespace(plan=plan, trajectory=trajectory.drop(columns="patient"), facts={},
                           summary=plan.drop(columns="patient"))  # fmt: skip
    arms = {arm: SimpleNamespace(sha256=arm) for arm in values}
    scenario = SimpleNamespace(arms=arms, sha256="other", comparison=SimpleNamespace(reference=None))
    target = Target(**{"experiment": "fake", "endpoint": "vaf"} | said)
    return answers({"it": target}, SimpleNamespace(scenario=scenario, endpoints=endpoints or {}), done)["it"]


def by_arms(*arms, values=DAY_0):
    study = {arm: {0: patients} for arm, patients in values.items()}
    return answered(study, kind="order", order_arms=arms, at_day=0.0)


def test_an_order_of_arms_is_held_if_each_step_is_beyond_its_error():
    """The least sure step is 1, of the pairs 1, 1.1, 1, 0.9: Student's interval is 1 -+ 3.1824 * 0.08165 / 2."""
    found = by_arms("placebo", "low", "high")
    assert found.held
    assert (found.value, found.low, found.high) == pytest.approx((1.0, 0.87008, 1.12992), abs=1e-5)
    assert (found.n, found.why) == (4, "")


def test_the_wrong_order_is_missed_and_told():
    found = by_arms("high", "low", "placebo")
    assert not found.held
    assert found.value == pytest.approx(-3.25)
    assert found.why.startswith("high < low: the step is -3.25 (-4.15 to -2.35); low < placebo: the step is -1 (")


def test_one_wrong_step_of_several_is_enough():
    found = by_arms("placebo", "high", "low")
    assert not found.held
    assert "placebo < high" not in found.why
    assert "high < low" in found.why


def test_a_step_within_its_error_is_missed():
    """On average the noisy arm is 0.1 higher, of 2, -1, 1 and -1.6."""
    found = by_arms("placebo", "noisy")
    assert not found.held
    assert found.value == pytest.approx(0.1)
    assert found.low < 0.0 < found.high


def test_a_step_of_one_patient_has_no_error_and_is_missed():
    found = by_arms("placebo", "high", values={"placebo": [1], "high": [9]})
    assert not found.held
    assert "error not known" in found.why


FALLING = {"treated": {0: [0.4, 0.5, 0.6], 28: [0.3, 0.41, 0.5], 84: [0.1, 0.2, 0.33]}}


def test_an_order_of_days_compares_each_patient_with_itself():
    """The days are given from the lowest value to the highest; between patients the spread is larger than a step."""
    found = answered(FALLING, kind="order", arm="treated", order=(84, 28, 0))
    assert found.held
    assert found.value == pytest.approx(0.29 / 3)
    missed = answered(FALLING, kind="order", arm="treated", order=(0, 28, 84))
    assert not missed.held
    assert "day 0 < day 28: the step is -0.0967" in missed.why


def test_an_order_holds_for_shares_and_quantiles():
    high = {"high": Endpoint(column="vaf", above=0.3)}
    found = answered(FALLING, high, kind="order", arm="treated", endpoint="high", order=(84, 0))
    assert found.value == pytest.approx(2 / 3)
    assert answered(FALLING, kind="order", arm="treated", statistic="median", order=(84, 0)).value == pytest.approx(0.3)


def test_it_exists_if_one_patient_has_it():
    own = {"large": Endpoint(column="vaf", above=0.55), "huge": Endpoint(column="vaf", above=0.9)}
    found = answered(FALLING, own, kind="exists", arm="treated", endpoint="large", at_day=0.0)
    assert (found.held, found.why) == (True, "")
    assert found.value == pytest.approx(1 / 3)
    assert 0.0 < found.low < 1 / 3 < found.high
    missed = answered(FALLING, own, kind="exists", arm="treated", endpoint="huge", at_day=0.0)
    assert (missed.held, missed.value, missed.why) == (False, 0.0, "there is none")
    assert missed.high > 0.2, "three patients do not say that there is none"


def test_it_exists_if_it_ever_was():
    own = {"large": Endpoint(column="vaf", above=0.55, ever=True), "now": Endpoint(column="vaf", above=0.55)}
    assert answered(FALLING, own, kind="exists", arm="treated", endpoint="large").held
    assert not answered(FALLING, own, kind="exists", arm="treated", endpoint="now", at_day=84.0).held
