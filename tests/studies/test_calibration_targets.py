"""How far a value is from a target, and what a file of observations may say."""

import numpy as np
import pytest

from mpn_abm.errors import MissingFileError, ScenarioError
from mpn_abm.scenario.claims import Claim
from mpn_abm.studies.calibrating.targets import BAND, Target, distance, fitted, observations, of_claims


@pytest.mark.parametrize(
    ("target", "simulated", "residual"),
    [
        (Target("x", 4.0, 2.0, 8.0), 8.0, 1.0),
        (Target("x", 4.0, 2.0, 8.0), 2.0, -1.0),
        (Target("x", 4.0, 2.0, 8.0), 6.0, 0.5),
        (Target("x", None, 2.0, 8.0), 5.0, 0.0),
        (Target("x", 2.0, 2.0, 8.0), 1.0, -1.0 / 3.0),  # the value is the edge: half the band counts
        (Target("x", 4.0), 6.0, 0.5),  # no band: relative
        (Target("x", 0.0), 6.0, 6.0),
        (Target("x", low=3.0), 9.0, 0.0),
        (Target("x", low=3.0), 1.5, -0.5),
        (Target("x", 5.0, low=3.0), 4.0, 0.0),
        (Target("x", 5.0, low=3.0), 1.0, -2.0),
        (Target("x", high=-2.0), -1.0, 0.5),
    ],
)
def test_residuals_are_in_half_bands(target, simulated, residual):
    assert target.residual(simulated) == pytest.approx(residual)


def test_a_distance_is_the_root_mean_square_by_weight():
    aims = [Target("a", 0.0, -1.0, 1.0, weight=3.0), Target("b", 0.0, -2.0, 2.0)]
    assert distance(aims, {"a": 1.0, "b": -4.0}) == pytest.approx(np.sqrt((3.0 * 1.0 + 4.0) / 4.0))
    assert distance(aims, {"a": 1.0}) == np.inf
    assert distance(aims, {"a": 1.0, "b": np.nan}) == np.inf


def test_a_value_as_seen_has_the_error_of_its_band():
    """4,000 seeds: means within 4 standard errors of 5 and of 4 / 1.96 above, 2 / 1.96 below."""
    target = Target("x", 5.0, 3.0, 9.0)
    off = np.array([target.seen(5.0, seed) for seed in range(4000)]) - 5.0
    assert (off > 0).mean() == pytest.approx(0.5, abs=0.032)
    assert np.sqrt((off[off > 0] ** 2).mean()) == pytest.approx(4.0 / BAND, rel=0.07)
    assert np.sqrt((off[off < 0] ** 2).mean()) == pytest.approx(2.0 / BAND, rel=0.07)
    assert target.seen(5.0, 1) == target.seen(5.0, 1)
    assert Target("x", 5.0, low=3.0).seen(5.0, 1) == 5.0


def test_a_claim_is_a_target_and_is_fitted_unless_it_has_another_role():
    claims = {
        "svr": Claim(endpoint="svr35", at_day=168, value=0.4, low=0.3, high=0.5, weight=2.0),
        "other": Claim(endpoint="svr35", value=0.4, role="rival"),
    }
    found = of_claims(claims)
    assert found[0] == Target("svr", 0.4, 0.3, 0.5, 2.0, "fit", "svr35", 168.0)
    assert [target.name for target in fitted(found)] == ["svr"]


def test_observations_are_targets_with_bands_of_their_errors(tmp_path):
    file = tmp_path / "seen.csv"
    file.write_text("day,column,value,sd,role\n0,vaf_jak2,0.3,0.05,\n84,vaf_jak2,0.2,0.05,test\n")
    first, second = observations(file)
    assert first == Target("vaf_jak2@0", 0.3, 0.3 - BAND * 0.05, 0.3 + BAND * 0.05, 1.0, "fit", "vaf_jak2", 0.0)
    assert (second.name, second.day, second.role) == ("vaf_jak2@84", 84.0, "test")
    assert first.residual(0.3 + BAND * 0.05) == pytest.approx(1.0)


def test_all_that_is_wrong_with_observations_is_said_at_once(tmp_path):
    file = tmp_path / "seen.csv"
    file.write_text("day,column,value,sd,role\n-1,vaf,0.3,0.05,fit\n5,,high,0,fit\n7,vaf,1,1,hope\n7,vaf,1,1,fit\n")
    with pytest.raises(ScenarioError) as error:
        observations(file)
    assert str(error.value).splitlines() == [
        f"{file}:2:1: day: -1: expected a day from 0 on",
        f"{file}:3:1: value: high: expected a number",
        f"{file}:3:1: sd: 0: expected a number above 0",
        f"{file}:3:1: column: expected a column of the trajectory",
        f"{file}:4:1: role: hope: expected fit, test, rival, order or unverified",
        f"{file}:5:1: vaf@7: the column was observed on this day already",
    ]
    file.write_text("day,value\n1,2\n")
    with pytest.raises(ScenarioError, match="missing: column, sd"):
        observations(file)
    with pytest.raises(MissingFileError, match="No such file"):
        observations(tmp_path / "none.csv")
