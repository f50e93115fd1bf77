"""What must hold between values."""

import pytest

from mpn_abm.compile.clock import timetable_of
from mpn_abm.compile.genotypes import cell_types_of
from mpn_abm.errors import ScenarioError
from mpn_abm.scenario.checks import never_happens
from mpn_abm.scenario.idle import genotypes_that_arise
from mpn_abm.scenario.scenario import load

VALID = {
    "time.duration_days": 10,
    "marrow.shape": [10, 10],
    "clones": {"healthy": {"genotype": "wild_type"}},
}
JAK2 = "JAK2_V617F"


def clones(**said):
    return {f"clones.{name}": clone for name, clone in said.items()}


def problems_of(changes) -> str:
    with pytest.raises(ScenarioError) as caught:
        load(VALID, overrides=changes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time.step_days": 1 / 25}, "expected 1 hour to 30 days at niche scale"),
        ({"marrow.scale": "tissue", "time.step_hours": 2}, "expected 1 to 60 minutes at tissue scale"),
        ({"marrow.shape": [10, 2]}, "expected at most the shortest side of the lattice, 2"),
        ({"time.record_every_days": 1e-6}, "time.record_every_days: 1e-06: expected 1e-05 days or more"),
        ({"time.snapshot_every_minutes": 0.001}, "snapshot_every_minutes: 0.001: expected 1e-05 days or more"),
        (
            {"fibrosis": {"enabled": False, "initial": {"mf_grade": 2}}},
            "fibrosis.initial.mf_grade: 2: expected 0: no scar is placed where fibrosis is off",
        ),
        (clones(a={"genotype": "JAK2"}), "clones.a.genotype: JAK2: unknown genotype, did you mean 'JAK2_V617F'?"),
        (clones(a={"genotype": "wild_type"}), "only one clone can take the rest, and healthy does"),
        (clones(a={"genotype": JAK2, "fraction": 0.6}, b={"genotype": JAK2, "cells": 41}), "not 1.01 of them"),
        (clones(a={"genotype": JAK2, "vaf": 0.3}, b={"genotype": JAK2, "vaf": 0.3}), "not 1.2 of them"),
        (clones(a={"genotype": JAK2, "vaf": 0.6}), "expected at most 0.5, as it is heterozygous"),
        (clones(a={"genotype": "wild_type", "vaf": 0.1}), "expected none, as wild_type has no mutant copy"),
        (clones(a={"genotype": JAK2, "day": 3}), "a clone that arrives takes no rest"),
        (clones(a={"genotype": JAK2, "day": 3, "cells": 101}), "expected at most the 100 sites"),
        (clones(a={"genotype": JAK2, "fraction": 0.1, "pattern": "patches"}), "expected `patches`, their number"),
        (clones(a={"genotype": JAK2, "fraction": 0.1, "patches": 2}), "expected `pattern: patches`"),
        (clones(a={"genotype": JAK2, "fraction": 0.1, "pattern": "single"}), "a single clone is one cell"),
        (clones(a={"genotype": JAK2, "pattern": "disc", "day": 1}), "expected a size beside it"),
        (clones(a={"genotype": JAK2, "fraction": 0.1, "flags": ["TET2", "TET2"]}), "expected each flag once"),
        (clones(total={"genotype": JAK2, "fraction": 0.1}), "cells_total counts all clones"),
        (clones(healthy=None), "expected at least one clone"),
        ({**clones(healthy=None), **clones(a={"genotype": JAK2, "vaf": 0.1})}, "a vaf says nothing without"),
        ({"fibrosis.initial": {"cover_fraction": 0.5}}, "expected `patches` beside it"),
        ({"genotypes.CALR_TYPE2": None}, "expected CALR_TYPE2 to stay"),
        ({"genotypes.mine": {"gene": "JAK2"}}, "expected 1 or 2 copies of JAK2"),
        ({"mutation.tp53_share": 0.2}, "of at most 1 together, not 1.1"),
        ({"treatments.ruxolitinib": {"start_day": 1}}, "expected one of dose_mg, dose_relative"),
        ({"treatments.ruxolitinib": {"dose_mg": 1, "start_week": 2, "stop_day": 14}}, "later than its start on day 14"),
        ({"treatments.car_t": {"dose_cells": 1, "doses": 2}}, "expected `every_days` beside it"),
        ({"treatments.car_t": {"dose_cells": 1, "day": 1, "stop_day": 5}}, "expected `every_days` beside it"),
        ({"treatments.car_t": {"effector_to_target": 1}}, "expected at tissue scale only"),
        ({"treatments.car_t": {"dose_cells": 1, "entry": "faces"}}, "faces are for the tissue scale"),
    ],
)
def test_values_that_cannot_stand_together_are_refused(changes, message):
    assert message in problems_of(changes)


@pytest.mark.parametrize(
    "changes",
    [
        clones(a={"genotype": JAK2, "fraction": 1.0}),
        clones(a={"genotype": JAK2, "vaf": 0.5}),
        clones(a={"genotype": "JAK2_V617F_HOM", "vaf": 0.9}),
        clones(a={"genotype": JAK2, "pattern": "single"}),
        clones(a={"genotype": JAK2, "pattern": "single", "cells": 1, "day": 4}),
        {**clones(healthy=None), **clones(a={"genotype": JAK2, "vaf": 0.1}, b={"genotype": "wild_type", "cells": 80})},
        {"marrow.shape": [10, 3]},
        {"marrow.scale": "tissue", "treatments.car_t": {"effector_to_target": 5, "entry": "faces"}},
        {"treatments.car_t": {"dose_cells": 1, "every_days": 7}},
        {"treatments.car_t": {"dose_relative": 0, "day": 5000}},
        {"mutation.tp53_share": 0.05},
    ],
)
def test_values_at_the_edge_are_allowed(changes):
    load(VALID, overrides=changes)


def test_sites_left_by_clones_with_sizes_may_stay_empty():
    changes = {**clones(healthy=None), **clones(a={"genotype": JAK2, "fraction": 0.3})}
    assert load(VALID, overrides=changes).spec.clones["a"].fraction == 0.3


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        (clones(a={"genotype": JAK2, "vaf": 0.6}), "clones.a.vaf"),
        ({"genotypes.JAK2_V617F": None, **clones(a={"genotype": JAK2, "fraction": 0.1})}, "genotypes"),
    ],
)
def test_one_mistake_is_told_once(changes, path):
    (problem,) = problems_of(changes).splitlines()
    assert f" {path}: " in problem


def test_a_million_rows_are_allowed_and_rows_may_be_closer_than_steps():
    spec = load(VALID, overrides={"time.record_every_days": 1e-5, "time.snapshot_every_days": 0.1}).spec
    assert timetable_of(spec).rows.tolist() == list(range(11))


def test_what_is_planned_for_a_day_after_the_end_is_told():
    late = {
        "clones.late": {"genotype": JAK2, "cells": 1, "day": 10},
        "clones.in_time": {"genotype": JAK2, "cells": 1, "day": 9},
        "treatments.car_t": {"dose_cells": 1e8, "day": 4000},
        "treatments.ruxolitinib": {"dose_mg": 15, "start_day": 20},
    }
    assert list(never_happens(load(VALID, overrides=late).spec)) == [
        "clones.late: day 10 is not before the end, day 10: it never arrives",
        "treatments.car_t: day 4000 is not before the end, day 10: it is never given",
        "treatments.ruxolitinib: day 20 is not before the end, day 10: it is never given",
    ]


@pytest.mark.parametrize(
    ("drug", "mechanism", "left"),
    [
        ("ruxolitinib", "jak_stat", "it acts on T cells and platelets alone"),
        ("pu_h71", "jak_stat", "it does nothing"),
        ("anti_calr", "jak_stat", "it does nothing"),
        ("interferon", "interferon", "it does nothing"),
        ("eltrombopag", "eltrombopag", "it does nothing"),
        ("pembrolizumab", "immune", "it does nothing"),
        ("car_t", "car_t", "none are given"),
        ("transplant", "transplant", "none is done"),
    ],
)
def test_a_drug_whose_mechanism_is_off_is_told(drug, mechanism, left):
    """An arm may take a mechanism away, so it is no mistake; without a dose there is nothing to tell."""

    def said(dose, enabled):
        asked = {f"treatments.{drug}": {"dose_relative": dose}, f"{mechanism}.enabled": enabled}
        return list(never_happens(load(VALID, overrides=asked).spec))

    assert said(1, False) == [f"treatments.{drug}: {mechanism} is off: {left}"]
    assert said(1, True) == said(0, False) == []


def test_an_effect_on_a_genotype_that_cannot_arise_is_told():
    effect = {"factor": "division", "genotype": "CALR_TYPE2", "direction": "decreases"}
    drug = {"kind": "modifier", "usual_concentration_nM": 10, "effects": {"slow": effect}}
    asked = {"drugs.mine": drug, "treatments.mine": {"dose_relative": 1}}
    off = asked | {"mutation.enabled": False}
    assert list(never_happens(load(VALID, overrides=asked).spec)) == []
    told = "drugs.mine.effects.slow: CALR_TYPE2 cannot arise in this run: it does nothing"
    assert list(never_happens(load(VALID, overrides=off).spec)) == [told]
    assert list(never_happens(load(VALID, overrides=off | {"treatments.mine": {"dose_relative": 0}}).spec)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mutation.enabled": False},
        {"mutation.jak2_rate_per_year": 0},
        {"mutation.calr_type1_share": 1},
        {"clones.healthy.genotype": JAK2},
        {"clones.healthy.genotype": "CALR_TYPE2"},
        {"clones.healthy.genotype": JAK2, "treatments.transplant": {"dose_relative": 1}},
        {"clones.healthy.genotype": JAK2, "treatments.transplant": {"dose_relative": 1, "donor": "wild_type"}},
        {"mutation.loss_of_heterozygosity_rate_per_year": 0},
    ],
)
def test_the_genotypes_that_arise_are_the_bases_of_the_compiled_run(changes):
    """Told without the compiler, which numbers every type that a run can meet."""
    spec = load(VALID, overrides=changes).spec
    assert set(genotypes_that_arise(spec)) == set(cell_types_of(spec, 1.0).bases)
