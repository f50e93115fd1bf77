"""A drug of kind `modifier` multiplies every named factor: division, loss, antigen, killing, homing, deposition."""

import numpy as np
import pytest
from verification.courses import followed, still
from verification.runs import OFF, YEAR, scenario, trajectory

import mpn_abm
from mpn_abm.errors import ScenarioError
from mpn_abm.state import HOMING

CLONES = {
    "healthy": {"genotype": "wild_type", "cells": 2000}, "one": {"genotype": "CALR_TYPE1", "cells": 4000},
    "two": {"genotype": "CALR_TYPE2", "cells": 4000},
}  # fmt: skip
HALF = 100.0


def modified(effects, dose=1.0, **course):
    """Treatment and drug with these effects at a concentration of 100 nM, the half-maximal one, per dose."""
    drug = {"kind": "modifier", "usual_concentration_nM": HALF, "effects": effects}
    return {"drugs": {"probe": drug}, "treatments": {"probe": {"dose_relative": dose, **course}}}


def effect(factor, direction="increases", saturation=1.0, **said):
    return {"it": {"factor": factor, "direction": direction, "saturation": saturation, "half_max_nM": HALF} | said}


def size(dose, direction, saturation):
    """1 +- saturation c/(c + half)."""
    return 1.0 + (1.0 if direction == "increases" else -1.0) * saturation * dose / (dose + 1.0)


CASES = pytest.mark.parametrize(
    ("direction", "saturation", "dose"), [("increases", 2.0, 1.0), ("decreases", 1.0, 1.0), ("decreases", 0.5, 3.0)]
)


@CASES
@pytest.mark.parametrize("genotype", [None, "CALR_TYPE2"])
def test_the_antigen_of_the_genotype_that_is_named_is_multiplied(genotype, direction, saturation, dose):
    """Of both CALR types unless one is named. Catches types that share a density and the factor of the first."""
    said = {"genotype": genotype} if genotype else {}
    content = still(
        4, {}, marrow={"shape": [100, 100]}, clones=CLONES, antigen={"enabled": True, "spread": 0}
    )  # fmt: skip
    content |= modified(effect("antigen", direction, saturation, **said), dose)
    factor = size(dose, direction, saturation)
    expected = 500.0 * (0.5 * (1.0 + factor) if genotype else factor)
    assert trajectory(content).antigen_mean_molecules.iloc[-1] == pytest.approx(expected, rel=1e-12)


@CASES
def test_division_is_multiplied(direction, saturation, dose):
    """Births of neutral cells in half a year, of 20,000 within 4.9 standard errors."""
    births = {}
    content = {
        "time": {"duration_days": 180, "step_days": 2, "record_every_days": 180}, "marrow": {"shape": [100, 100]},
        "clones": {"healthy": {"genotype": "wild_type"}}, "mutation": OFF, "fibrosis": OFF, "seed": 2,
        "hematopoiesis": {"division_rate_per_year": 4}, **modified(effect("division", direction, saturation), dose),
    }  # fmt: skip
    mpn_abm.run(
        scenario(content), observers=[lambda state, day: {"births": births.setdefault(day, state.counters.births[1])}]
    )
    expected = 10_000 * 4.0 * 180 / YEAR * size(dose, direction, saturation)
    assert abs(births[180.0] - expected) < 4.9 * np.sqrt(expected)


@pytest.mark.parametrize(("direction", "saturation", "rate"), [("decreases", 1.0, 0.3), ("increases", 2.0, 0.6 + 1.0)])
def test_loss_is_multiplied_downwards_and_added_to_in_divisions_upwards(direction, saturation, rate):
    """0.6 a year halved; doubled it is 0.6 and one lambda more, as the loss of a full marrow is 0. Of 10,000 cells."""
    content = {
        "time": {"duration_days": 365, "step_days": 5, "record_every_days": 365}, "marrow": {"shape": [100, 100]},
        "clones": {"healthy": {"genotype": "wild_type"}}, "mutation": OFF, "fibrosis": OFF, "seed": 2,
        # daughters that displace nobody and find no place leave no trace
        "hematopoiesis": {"division_rate_per_year": 1, "loss_rate_per_year": 0.6, "regeneration": 0},
        "niche": {"capacity_cost": 1}, **modified(effect("loss", direction, saturation)),
    }  # fmt: skip
    losses = {}

    def look(state, day):
        losses.setdefault(day, state.counters.losses[1] - state.counters.births[1])
        return {"day_seen": day}

    rows = mpn_abm.run(scenario(content), observers=[look]).trajectory
    # a division needs an empty site to count: net loss = rate - (empty share) in a mixed marrow, from its equation
    alive = rows.cells_total.iloc[-1] / 10_000
    e, step = 0.0, 1.0 / YEAR
    for _ in range(365):
        e += step * (rate * (1.0 - e) - (1.0 - e) * e)
    assert alive == pytest.approx(1.0 - e, abs=0.03)
    assert losses[365.0] == 10_000 - rows.cells_total.iloc[-1]


# T cells.

TARGETS = {
    "time": {"duration_days": 12, "record_every_days": 1}, "marrow": {"shape": [40, 40]}, "seed": 3, "mutation": OFF,
    "fibrosis": OFF, "hematopoiesis": OFF, "antigen": {"spread": 0}, "car_t": {"max_divisions": 0},
    "clones": {
        "healthy": {"genotype": "wild_type"}, "one": {"genotype": "CALR_TYPE1", "fraction": 0.4},
        "two": {"genotype": "CALR_TYPE2", "fraction": 0.4},
    },
}  # fmt: skip


def treated(effects=None, dose=1.0, infusion=None, **course):
    said = modified(effects, dose, **course) if effects else {"treatments": {}}
    said["treatments"]["car_t"] = {"dose_cells": 2e10, "day": 2} | (infusion or {})
    return mpn_abm.run(scenario(TARGETS | said))


def test_killing_of_a_genotype_is_multiplied():
    """No CALR type 2 cell dies at factor 0, and those of type 1 as before; the hazard doubles at factor 2.

    Of 640 cells each: the logarithm of what is left doubles within a quarter.
    """
    plain = treated().trajectory
    spared = treated(effect("killing", "decreases", 1.0, genotype="CALR_TYPE2", half_max_nM=1e-9)).trajectory
    assert (spared.cells_two == 640).all()
    assert spared.cells_one.iloc[-1] < 540
    doubled = treated(effect("killing", "increases", 2.0)).trajectory
    left, squared = (np.log((rows.cells_one + rows.cells_two).iloc[-1] / 1280) for rows in (plain, doubled))
    assert squared / left == pytest.approx(2.0, rel=0.25)


@pytest.mark.parametrize(("genotype", "direction", "factor"), [
    (None, "increases", 2.0), (None, "decreases", 0.0), ("CALR_TYPE2", "increases", 1.5),
])  # fmt: skip
def test_the_crs_index_counts_kills_with_their_factor(genotype, direction, factor):
    """T cells that engage and hardly ever lyse, so that targets stay; half of the targets are of each type."""
    idle = {"car_t": {"max_divisions": 0, "lysis_probability": 1e-6, "receptor_share": 0.001}}
    said = {"genotype": genotype} if genotype else {}
    saturation = 1.0 if direction == "decreases" else 2.0
    low = {"half_max_nM": 1e-9} if direction == "decreases" else {}
    treatments = {"treatments": {"car_t": {"dose_cells": 2e10, "day": 2}}}
    acts = modified({"it": effect("killing", direction, saturation, **said)["it"] | low})
    acts["treatments"] |= treatments["treatments"]
    plain, changed = (trajectory(TARGETS | idle | content).crs_index for content in (treatments, acts))
    assert plain[3] > 0.0
    assert changed[3] / plain[3] == pytest.approx(factor, rel=0.02, abs=1e-9)


@CASES
def test_homing_multiplies_the_t_cells_that_reach_the_marrow(direction, saturation, dose):
    """Whole agents on the day of the infusion, also where the drug starts on that day."""
    usual = treated().trajectory.set_index("day").car_t_total[3]
    for start in (0, 2):
        result = treated(effect("homing", direction, saturation), dose, start_day=start)
        (given,) = result.events[result.events.kind == "dose"].value
        assert given == pytest.approx(2e9 * size(dose, direction, saturation), rel=1e-3)
        ratio = result.trajectory.set_index("day").car_t_total[3] / usual
        assert ratio == pytest.approx(size(dose, direction, saturation), rel=0.02)
    after = treated(effect("homing", direction, saturation), dose, start_day=3)
    assert after.events[after.events.kind == "dose"].value.iloc[0] == pytest.approx(2e9, rel=1e-3)


def test_no_more_than_all_infused_cells_reach_the_marrow():
    """Twentyfold homing of a tenth is all, not twice as many cells as there are."""
    result = treated(effect("homing", "increases", 40.0))
    assert result.events[result.events.kind == "dose"].value.iloc[0] == pytest.approx(2e10, rel=1e-3)


def test_homing_changes_a_ratio_to_targets_too():
    content = {
        "time": {"duration_hours": 4}, "marrow": {"scale": "tissue", "shape": [40, 40]}, "hematopoiesis": OFF,
        "mutation": OFF, "clones": {"target": {"genotype": "CALR_TYPE1", "cells": 400}}, "fibrosis": OFF,
    }  # fmt: skip
    said = modified(effect("homing", "decreases", 1.0))
    said["treatments"]["car_t"] = {"effector_to_target": 1}
    rows = trajectory(content | said)
    assert rows.car_t_total.iloc[1:].max() <= 200
    assert rows.car_t_total.iloc[1] > 190


# Scar.


@pytest.mark.parametrize(("direction", "saturation"), [("increases", 2.0), ("decreases", 1.0), ("decreases", 2e-9)])
def test_deposition_of_scar_is_multiplied(direction, saturation):
    """Where E stands still, k q m (1 - E) = r E: after two half-lives at the balance of the factor, by its law."""
    content = {
        "time": {"duration_days": 700}, "marrow": {"shape": [8, 8]}, "hematopoiesis": OFF, "mutation": OFF,
        "clones": {"jak2": {"genotype": "JAK2_V617F"}}, "fibrosis": {"initial": {"mf_grade": 2}},
        **modified(effect("scar_deposition", direction, saturation)),
    }  # fmt: skip
    rows = trajectory(content)
    start, resolution = 2.0 / 3.5, 0.0085
    laid = resolution * start / (1.0 - start) * size(1.0, direction, saturation)
    balance = laid / (laid + resolution)
    expected = balance + (start - balance) * np.exp(-(laid + resolution) * 7.0 * np.floor(rows.day / 7.0))
    np.testing.assert_allclose(rows.fibrosis_mean, expected, rtol=1e-6)


@pytest.mark.parametrize("factor", ["homing", "scar_deposition"])
def test_what_has_no_genotype_is_refused_with_one(factor):
    """Catches a modifier that is read and then does nothing."""
    with pytest.raises(ScenarioError, match="genotype"):
        scenario(TARGETS | modified(effect(factor, genotype="CALR_TYPE1")))


# All.

EVERY = ("division", "loss", "antigen", "killing", "homing", "scar_deposition")


@pytest.mark.parametrize("how", ["dose 0", "not yet", "a genotype that is not there"])
def test_a_modifier_that_does_not_act_changes_no_bit(how):
    effects = {f"on_{factor}": effect(factor)["it"] for factor in EVERY}
    if how.startswith("a genotype"):
        effects = {f"on_{factor}": effect(factor, genotype="late")["it"] for factor in EVERY[:4]}
    course = {"start_day": 11.5} if how == "not yet" else {}
    said = modified(effects, 0.0 if how == "dose 0" else 1.0, **course)
    said["treatments"]["car_t"] = {"dose_cells": 2e10, "day": 2}
    content = TARGETS | {"hematopoiesis": {"division_rate_per_year": 20, "loss_rate_per_year": 5}, "fibrosis": {}}
    content |= {"genotypes": {"late": {"like": "CALR_TYPE1"}}}
    without = trajectory(content | {"treatments": {"car_t": said["treatments"]["car_t"]}})
    shared = [name for name in without if name != "run_id"]
    assert trajectory(content | said)[shared].equals(without[shared])


def test_effects_on_one_factor_multiply():
    """Two drugs of 1.5 and 0.5 on the same factor make 0.75, in any order."""
    drugs = modified(effect("homing"))["drugs"] | {
        "other": {"kind": "modifier", "usual_concentration_nM": HALF, "effects": effect("homing", "decreases")}
    }
    content = still(2, {"probe": {"dose_relative": 1}, "other": {"dose_relative": 1}}, drugs=drugs)
    factor = followed(content, lambda stack: stack.signal.factor)[-1][0]
    assert factor[HOMING].tolist() == [0.75] * factor.shape[1]
    assert (np.delete(factor, HOMING, axis=0) == 1.0).all()
