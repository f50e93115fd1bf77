"""The figures of the model's page on drugs, immunity, blood and death, entered once more and not copied from the code.

Each is the default of its parameter, in the unit of its declaration; a change of one has to be made twice.
"""

import pytest
from parameters.test_declarations import BLOCKS, PARAMETERS

from mpn_abm.mechanisms.declaration import Mechanism, declarations
from mpn_abm.mechanisms.drugs import DRUGS
from mpn_abm.mechanisms.genotypes import FLAGS, GENOTYPES
from mpn_abm.scenario.schema import Spec

FIGURES = {
    "jak_stat": {
        "protein_turnover": 0.33, "trans_activation": 0.45, "persistence_onset": 21, "persistence_decay": 14,
        "rebound_jak2": 1.17, "rebound_calr": 0, "antibody_block": 0.8, "response_loss_rate": 0.18,
        "response_left": 0.3, "on_drug_occupancy": 0.01,
    },
    "interferon": {"tet2_first_factor": 0.5},
    "eltrombopag": {"antigen_maximum": 3, "division_gain": 0.05},
    "antigen": {
        "density": 500, "spread": 0.6, "late_phase_factor": 0.5, "low_variant_factor": 0.1, "coupling": 1,
        "late_coupling": 0.3, "progenitor_factor": 4, "lysis_half": 310, "activation_half": 2500,
        "response_steepness": 2,
    },
    "immune": {
        "pd_l1_jak2": 1.5, "pd_l1_calr": 1.0, "checkpoint_weight": 0.5, "suppression_length": 100,
        "t_cell_division_cost": 0.5, "t_cell_killing_cost": 0.2, "surveillance_rate": 1, "surveillance_checkpoint": 0.9,
        "surveillance_half": 0.2,
    },
    "blood": {
        "normal_platelets": 250, "normal_hematocrit": 0.43, "normal_white_cells": 7, "hemoglobin_per_hematocrit": 333,
        "platelet_lag": 5, "red_cell_lag": 40, "white_cell_lag": 2, "platelet_scar_cost": 0.95,
        "red_cell_scar_cost": 0.5, "white_cell_scar_cost": 0.3, "platelet_drug_cost": 0.4, "red_cell_drug_cost": 0.2,
        "white_cell_drug_cost": 0.2, "reserve_half": 0.05,
    },
    "spleen": {
        "normal_volume": 200, "volume_gain": 4500, "volume_time": 28, "mass_weight": 0.1, "activity_weight": 0.4,
        "cytokine_weight": 0.5, "symptom_gain": 100, "symptom_time": 4, "symptom_activity_weight": 0.1,
        "symptom_cytokine_weight": 0.9,
    },
    "progression": {
        "transformed_growth": 2, "calr_factor": 0.4,
        "accelerated_blasts": 0.10, "blast_blasts": 0.20, "background_death_rate": 0.012,
        "background_death_growth": 0.1,
        "et_death_rate": 0.008, "pv_death_rate": 0.024, "pmf_death_rate": 0.03, "mf_death_rate": 0.10,
        "mf_spleen_volume": 2600, "calr_death_factor": 0.2, "accelerated_death_rate": 0.2, "blast_death_rate": 4.8,
        "burden_half": 0.05,
    },
    "transplant": {
        "conditioning_kill": 0.99, "residual_spread": 1, "donor_share": 0.10, "engraftment": 18, "graft_rate": 10,
        "graft_spread": 2.5, "mortality_year_1": 0.315, "mortality_later": 0.032, "mismatched_factor": 1.1,
    },
}  # fmt: skip


@pytest.mark.parametrize(("block", "name"), [(block, name) for block, said in FIGURES.items() for name in said])
def test_a_default_is_the_figure_of_the_model(block: str, name: str):
    assert getattr(Spec.model_fields[block].default, name) == FIGURES[block][name]


@pytest.mark.parametrize("block", FIGURES)
def test_no_figure_of_these_mechanisms_is_left_out(block: str):
    """Parameters that the page of the model does not name, or that were fitted since, are listed here."""
    fitted = {"transformation_rate", "transformed_fitness", "asxl1_factor", "tp53_factor", "scar_factor"}
    silent = {"transplant": {"myeloablative_kill"}, "progression": fitted}
    kind = type(Spec.model_fields[block].default)
    declared = {name for name, one in declarations(kind).items() if one.source is not None}
    assert declared - silent.get(block, set()) == set(FIGURES[block])


def test_genotypes_have_the_figures_of_the_model():
    """Interferon, counts, output and sensitivity to HSP90 inhibition."""
    said = {
        name: (g.interferon_loss, g.platelet_gain, g.red_cell_gain, g.white_cell_gain, g.granulocyte_output,
               g.megakaryocyte_output, g.cytokine, g.hsp90_sensitivity)
        for name, g in GENOTYPES.items()
    }  # fmt: skip
    assert said["wild_type"] == said["donor"] == (0.05, 0, 0, 0, 0, 0, 0, 0.2)
    assert said["JAK2_V617F"] == (1.6, 6.5, 0.1, 0.3, 1, 1, 1, 1.5)
    assert said["JAK2_V617F_HOM"] == (2.3, 1.5, 0.7, 0.8, 2, 2, 1.5, 1.5)
    assert said["CALR_TYPE1"] == said["CALR_TYPE2"] == (0.6, 1.7, 0, 0.3, 0, 2, 2, 1.5)
    assert [FLAGS[name].fitness for name in ("TET2", "DNMT3A", "ASXL1", "TP53")] == [0.08, 0.08, 0.15, 0.05]


def test_drugs_have_the_figures_of_the_model():
    occupancies = {
        "fedratinib": (0.5, 0.2), "momelotinib": (0.4, 0.4), "pacritinib": (0.4, 0.05), "itacitinib": (0.05, 0.5),
    }  # fmt: skip
    for name, (jak2, jak1) in occupancies.items():
        drug = DRUGS[name]
        odds = drug.jak1_odds_ratio * jak2 / (1.0 - jak2)
        assert drug.usual_occupancy == jak2
        assert odds / (1.0 + odds) == pytest.approx(jak1)
    assert (DRUGS["chz868"].type, DRUGS["chz868"].usual_occupancy) == (2, 0.5)
    assert DRUGS["anti_calr"].half_life == 14 * 24


TIMES = {"hour", "day", "minute", "year"}


@pytest.mark.parametrize(("block", "declared"), PARAMETERS)
def test_a_rate_is_per_time_and_a_time_is_one(block: type, declared):
    """By the name of the parameter: a rate without a unit is one that nobody can check."""
    unit = declared.unit.name
    if declared.name.endswith(("_rate", "_per_year")):
        assert unit.startswith("1/")
    if declared.name.endswith(("_lag", "_time", "_life", "half_life")):
        assert unit in TIMES
    if declared.name.endswith(("_share", "_factor", "_weight", "_kill", "_probability", "_spread")):
        assert unit in ("", "-")


@pytest.mark.parametrize(("block", "declared"), [c for c in PARAMETERS if issubclass(c.values[0], Mechanism)])
def test_a_parameter_of_a_mechanism_has_a_range_on_both_sides(block: type, declared):
    assert declared.low is not None or declared.above is not None
    assert declared.high is not None
    assert len(BLOCKS) > 20
