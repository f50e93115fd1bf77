"""Hazards of death against survival curves, and what is left of a run once the patient is dead."""

from math import prod

import numpy as np
import pytest
from verification.courses import still
from verification.runs import YEAR, scenario, trajectory

import mpn_abm

# model.md 7, re-entered here: per year
AGED, AGEING, BURDEN = 0.012, 0.1, 0.05
DISEASE = {"ET": 0.008, "PV": 0.024, "PMF": 0.03}
SCARRED, SPLEEN, CALR, ACCELERATED, BLAST = 0.10, 2600.0, 0.2, 0.2, 4.8
# the largest distance of the survival curve of n patients from its law that one run in a million passes (Massart)
MILLION = 1e-6


def widest(n):
    return np.sqrt(np.log(2.0 / MILLION) / (2.0 * n))


def patients(years, clones, n, step=30, shape=(4, 4), **changes):
    """Day of death of n patients in whose marrow nothing moves; inf of those who live."""
    content = still(years * YEAR, changes.pop("treatments", {}), marrow={"shape": list(shape)}, clones=clones)
    content |= {"time": {"duration_years": years, "step_days": step, "record_every_years": years}}
    content |= {"stop": {"when": ["death"]}, "progression": {}} | changes
    summary = mpn_abm.run(scenario(content), replicates=n).summary
    return summary.death_day.astype(float).fillna(np.inf).to_numpy(), content


def distance(days, hazard, step):
    """Largest distance of a survival curve from exp(-sum of the hazards, each frozen for a step).

    hazard : callable
        Per year, of the day on which a step begins.
    """
    finite = np.unique(days[np.isfinite(days)])
    steps = np.arange(0.0, max(finite.max(initial=0.0), 1.0) + step, step)
    law = np.r_[1.0, np.exp(-np.cumsum([hazard(day) for day in steps[:-1]]) * step / YEAR)]
    alive = np.array([(days > day).mean() for day in steps])
    return np.abs(alive - law).max()


NO_AGE = {"background_death_rate_per_year": 0}
HEALTHY = {"healthy": {"genotype": "wild_type"}}


@pytest.mark.parametrize("age", [45, 65, 80])
def test_people_die_of_age_at_a_hazard_that_grows_by_a_tenth_a_year(age):
    """0.012 a year at 65. Of 1,500 over 25 years; rates 10 % off at 65 pass the bound about half of the time.

    Catches growth by the year of the run alone, and a hazard of the day taken for one of the step.
    """
    days, _ = patients(25, HEALTHY, 1500, patient={"age_years": age})
    gap = distance(days, lambda day: AGED * (1.0 + AGEING) ** (age + day / YEAR - 65.0), 30.0)
    assert gap < widest(1500)
    assert np.isfinite(days).mean() > 0.05


def case(genotype, cells, rate, disease="ET", grade=0, flags=(), calr=0, n=1200):
    clones = {"mutant": {"genotype": genotype, "cells": cells, "flags": list(flags)}}
    if calr:
        clones["calr"] = {"genotype": "CALR_TYPE1", "cells": calr}
    if cells + calr < 16:
        clones["healthy"] = {"genotype": "wild_type"}
    return clones, rate, disease, grade, n


CASES = {
    "ET": case("JAK2_V617F", 16, DISEASE["ET"]),
    "PV": case("JAK2_V617F", 16, DISEASE["PV"], "PV"),
    "PMF without scar": case("CALR_TYPE1", 16, DISEASE["PMF"], "PMF"),
    "a small clone": case("JAK2_V617F", 1, 0.5, "ET"),
    "scar": case("JAK2_V617F", 16, SCARRED, "PMF", 2),
    "scar of CALR": case("CALR_TYPE1", 16, SCARRED * CALR, "PMF", 2),
    "scar of both": case("JAK2_V617F", 8, SCARRED * (0.5 + 0.5 * CALR), "PMF", 2, calr=8),
    "accelerated": case("JAK2_V617F", 14, ACCELERATED, "PMF", 2),
    "blast": case("JAK2_V617F", 8, BLAST, "ET"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_disease_kills_at_the_hazard_of_its_phase_and_burden(name):
    """1,200 marrows in which nothing moves, against exp(-h t), h x x_m/(x_m + 0.05), one false alarm in a million each.

    Catches a phase or disease exchanged, scar that the spleen does not weigh, CALR counted whole, and a burden in VAF.
    """
    clones, rate, disease, grade, n = CASES[name]
    if name in ("accelerated", "blast"):
        clones["blasts"] = {"genotype": "JAK2_V617F", "flags": ["transformed"], "cells": 2 if name[0] == "a" else 8}
        clones.pop("healthy", None)
    progression = dict(NO_AGE)
    if name == "a small clone":
        progression["et_death_rate_per_year"] = 0.5
    changes = {"patient": {"disease": disease}, "progression": progression, "spleen": {"enabled": grade > 0}}
    if grade:
        changes["fibrosis"] = {"enabled": True, "initial": {"mf_grade": grade}, "resolution_rate_per_day": 0}
        changes["fibrosis"]["deposition_rate_per_day"] = 0
    years, step = (3, 10) if name == "blast" else (30, 30)
    days, content = patients(years, clones, n, step=step, **changes)
    burden = sum(clone.get("cells", 0) for key, clone in clones.items() if key != "healthy") / 16
    rate *= burden / (burden + BURDEN)
    if grade and name != "accelerated":
        volume = trajectory(content).spleen_ml.iloc[0]
        rate *= 0.5 * (1.0 + volume / SPLEEN)
        assert volume > 2000
    assert distance(days, lambda _: rate, step) < widest(n)
    assert np.isfinite(days).mean() > 0.1


def test_only_the_mortal_die():
    """Of 200 in the blast phase none without mortality, none with progression off, and none of a healthy marrow."""
    blasts = {"blasts": {"genotype": "JAK2_V617F", "flags": ["transformed"]}}
    assert np.isinf(patients(5, blasts, 200, progression={"mortality": False})[0]).all()
    assert np.isinf(patients(5, HEALTHY, 200, progression=NO_AGE)[0]).all()
    assert np.isfinite(patients(5, blasts, 200, progression=NO_AGE)[0]).mean() > 0.9
    off = mpn_abm.run(scenario(still(200, {}, clones=blasts)), replicates=50)
    assert "death_day" not in off.summary
    assert off.trajectory.alive.all()


def test_hazards_of_different_causes_add_up():
    """Age at a constant 0.3 a year and disease at 0.4: the curve of 0.7. Catches draws that the causes share."""
    progression = {"background_death_rate_per_year": 0.3, "background_death_growth": 0, "et_death_rate_per_year": 0.42}
    days, _ = patients(6, {"jak2": {"genotype": "JAK2_V617F"}}, 1500, progression=progression)
    assert distance(days, lambda _: 0.3 + 0.42 / 1.05, 30.0) < widest(1500)


# After death.

DYING = {
    "time": {"duration_days": 200, "record_every_days": 7, "snapshot_every_days": 40}, "marrow": {"shape": [12, 12]},
    "clones": {
        "healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "JAK2_V617F", "fraction": 0.5},
        "late": {"genotype": "CALR_TYPE1", "cells": 20, "day": 190},
    },
    "progression": {"background_death_rate_per_year": 6}, "mutation": {"driver_rate_per_year": 0.1}, "seed": 2,
    "treatments": {"ruxolitinib": {"dose_mg": 20, "start_day": 195}, "car_t": {"dose_cells": 1e8, "day": 194}},
}  # fmt: skip


@pytest.fixture(scope="module")
def dying():
    result = mpn_abm.run(scenario(DYING), replicates=40)
    deaths = result.events[result.events.kind == "death"].set_index("replicate").day
    assert 30 < len(deaths) < 40
    return result, deaths


def test_rows_after_death_hold_no_number(dying):
    """All columns of the marrow are null from the day of death on, and every planned day has its row."""
    result, deaths = dying
    rows = result.trajectory
    dead = rows.day >= rows.replicate.map(deaths).fillna(np.inf)
    assert (rows.alive == ~dead).all()
    numbers = rows.drop(columns=["run_id", "replicate", "seed", "day", "alive"])
    assert numbers[dead].isna().all(axis=None)
    assert numbers[~dead].notna().all(axis=None)
    assert (rows.groupby("replicate").day.max() == 200).all()


def test_the_summary_tells_the_day_of_death_and_not_of_the_next_row(dying):
    result, deaths = dying
    told = result.summary.set_index("replicate").death_day.astype(float).dropna()
    assert told.to_dict() == deaths.to_dict()
    assert (told % 7 != 0).any()


def test_nothing_happens_to_the_dead(dying):
    """No event, no clone, no snapshot and no arrival after the day of death. Catches a marrow that goes on."""
    result, deaths = dying
    for table in (result.events, result.clones, result.snapshots):
        last = table[table.replicate.isin(deaths.index)].groupby("replicate").day.max()
        assert (last <= deaths[last.index]).all()
    living = set(range(40)) - set(deaths.index)
    late = result.events[result.events.name == "late"]
    assert set(late.replicate) == living
    assert set(result.events[result.events.kind == "dose"].replicate) == living


def test_what_observers_say_of_the_dead_is_not_recorded():
    """Null beside the other columns. Catches a column of the frozen marrow that goes on."""
    rows = mpn_abm.run(
        scenario(DYING), replicates=6, observers=[lambda state, day: {"seen": state.counters.genotype_cells[0]}]
    ).trajectory
    assert (~rows.alive).any()
    assert (rows.seen.isna() == ~rows.alive).all()


def test_a_run_can_end_with_the_patient(dying):
    """Its last row is that of the death, and the days before are those of the run that goes on."""
    result, deaths = dying
    ended = mpn_abm.run(scenario(DYING, {"stop.when": ["death"]}), replicates=40)
    summary = ended.summary.set_index("replicate")
    assert summary.end_day[deaths.index].to_dict() == deaths.to_dict()
    assert (summary.end_reason[deaths.index] == "death").all()
    assert (summary.end_reason.drop(deaths.index) == "duration").all()
    rows, whole = ended.trajectory, result.trajectory
    assert rows.groupby("replicate").day.max()[deaths.index].to_dict() == deaths.to_dict()
    assert not rows[rows.day == rows.replicate.map(deaths)].alive.any()
    before = rows[rows.alive].drop(columns="run_id").reset_index(drop=True)
    assert before.equals(whole[whole.alive].drop(columns="run_id").reset_index(drop=True))


# A humane endpoint.


@pytest.mark.parametrize("scale", ["tissue", "niche"])
def test_an_animal_is_put_down_when_mutants_hold_half_of_the_sites(scale):
    """On the step in which the clone reaches it, for sure; of the sites, not of the cells, and of mutants alone."""
    shape = [10, 10]
    marrow = {"scale": scale, "shape": shape}
    clones = {
        "healthy": {"genotype": "wild_type", "cells": 10}, "calr": {"genotype": "CALR_TYPE1", "cells": 30},
        "more": {"genotype": "CALR_TYPE2", "cells": 19, "day": 0.5}, "last": {"genotype": "CALR_TYPE1", "cells": 1},
        "late": {"genotype": "CALR_TYPE1", "cells": 25, "day": 1.5},
    }  # fmt: skip
    step = 1 / 24 if scale == "niche" else 1 / 144
    content = still(3, {}, marrow=marrow, clones=clones, seed=7)
    content |= {"time": {"duration_days": 3, "step_days": step, "record_every_hours": 1}}
    content |= {"progression": {"humane_endpoint": 0.5, **NO_AGE}, "stop": {"when": ["death"]}}
    content["progression"] |= {"et_death_rate_per_year": 0}
    result = mpn_abm.run(scenario(content))
    cells = result.trajectory.dropna().filter(regex="^genotype_cells_CALR").sum(axis=1)
    assert cells.max() < 0.5 * prod(shape)
    (death,) = result.events[result.events.kind == "death"].day
    assert death == pytest.approx(1.5 + step, abs=1e-9)
