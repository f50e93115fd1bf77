"""What follows from what: scale, disease, `like`, and the drug of a treatment."""

import pytest

from mpn_abm.scenario.scenario import load

VALID = {"time.duration_days": 10, "marrow.shape": [10, 10], "clones": {"healthy": {"genotype": "wild_type"}}}


def scenario(**changes):
    return load(VALID, overrides={path.replace("__", "."): value for path, value in changes.items()})


def test_tissue_scale_brings_its_own_defaults():
    spec = scenario(marrow__scale="tissue").spec
    niche = scenario().spec
    assert (spec.time.step, niche.time.step) == (10 / 1440, 1.0)
    assert (spec.fields.every, niche.fields.every) == (1.0, 7.0)
    assert (spec.hematopoiesis.recirculation, niche.hematopoiesis.recirculation) == (0.0, 0.3)
    assert (spec.hematopoiesis.homing_radius, spec.hematopoiesis.regeneration) == (1, 0.0)


def test_what_the_file_says_wins_over_the_scale():
    changed = scenario(marrow__scale="tissue", hematopoiesis__recirculation=0.1)
    assert changed.spec.hematopoiesis.recirculation == 0.1
    assert str(changed.origin("hematopoiesis.regeneration")) == "default at tissue scale"


@pytest.mark.parametrize(("grade", "disease", "drive"), [(0, "ET", 0.07), (1, "PMF", 0.14)])
def test_a_marrow_with_scar_is_myelofibrosis_unless_said(grade, disease, drive):
    spec = scenario(fibrosis__initial={"mf_grade": grade}).spec
    assert (spec.patient.disease, spec.fibrosis.drive) == (disease, drive)
    said = scenario(fibrosis__initial={"mf_grade": grade}, patient__disease="PV").spec
    assert (said.patient.disease, said.fibrosis.drive) == ("PV", 0.07)


def test_inhibition_costs_mutants_more_in_pv():
    costs = {
        disease: {
            name: known.inhibition_cost for name, known in scenario(patient__disease=disease).spec.genotypes.items()
        }
        for disease in ("ET", "PV")
    }
    assert costs["ET"] == {**dict.fromkeys(costs["ET"], 1.4), "wild_type": 0.0, "donor": 0.0}
    assert costs["PV"] == {**dict.fromkeys(costs["PV"], 5.7), "wild_type": 0.0, "donor": 0.0}


def test_a_genotype_takes_what_it_does_not_say_from_the_one_it_is_like():
    spec = scenario(
        genotypes={
            "strong": {"like": "CALR_TYPE1", "fitness_per_year": 1.0},
            "stronger": {"like": "strong", "antigen_molecules": 0},
        }
    ).spec
    stronger = spec.genotypes["stronger"]
    assert (stronger.gene, stronger.mutant_copies, stronger.fitness, stronger.antigen) == ("CALR", 1, 1.0, 0.0)
    assert spec.genotypes["CALR_TYPE1"].fitness == 0.55


def test_like_follows_what_the_file_changed_and_what_the_disease_brings():
    spec = scenario(patient__disease="PV", genotypes={"m": {"like": "JAK2_V617F"}, "JAK2_V617F": {"cytokine": 7}}).spec
    assert (spec.genotypes["m"].inhibition_cost, spec.genotypes["m"].cytokine) == (5.7, 7.0)


def test_a_catalogued_genotype_can_be_made_like_another():
    changed = scenario(
        genotypes={"CALR_TYPE2": {"like": "CALR_TYPE1", "cytokine": 0.5}, "CALR_TYPE1": {"fitness_per_year": 2}}
    )
    assert changed.spec.genotypes["CALR_TYPE2"].fitness == 2.0
    assert changed.spec.genotypes["CALR_TYPE2"].cytokine == 0.5


def test_pure_competition_needs_no_more_than_a_fitness():
    mutant = scenario(genotypes={"mutant": {"fitness_per_year": 0.5, "antigen_molecules": 0, "like": "wild_type"}}).spec
    assert mutant.genotypes["mutant"].model_dump(exclude={"like", "antigen", "fitness"}) == mutant.genotypes[
        "wild_type"
    ].model_dump(exclude={"like", "antigen", "fitness"})


def test_a_treatment_is_of_the_kind_of_its_drug_and_on_its_schedule():
    changed = scenario(
        drugs={"mine": {"like": "ruxolitinib", "usual_times_per_day": 1, "half_life_days": 0.5}},
        treatments={"first": {"drug": "mine", "dose_ug": 5000}, "car_t": {"dose_cells": 1e8, "week": 2}},
    )
    first, car_t = changed.spec.treatments["first"], changed.spec.treatments["car_t"]
    assert (first.kind, first.drug, first.times_per_day, first.dose_mg) == ("jak_inhibitor", "mine", 1, 5.0)
    assert (car_t.kind, car_t.drug, car_t.day) == ("car_t", "car_t", 14.0)
    assert changed.spec.drugs["mine"].half_life == 12.0
    assert changed.spec.drugs["mine"].ic50 == changed.spec.drugs["ruxolitinib"].ic50
