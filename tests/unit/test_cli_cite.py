"""`cite`: whose work a scenario rests on."""

import json

import pytest

import mpn_abm
from mpn_abm.cli.main import main
from mpn_abm.scenario.citing import genotypes_of, kind_of, program_itself, sources

BARE = {
    "schema": "mpn-abm/1",
    "time": {"duration_days": 1},
    "clones": {"healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "JAK2_V617F", "fraction": 0.2}},
}


def cited(**changes):
    """Path -> source of a scenario."""
    found = sources(mpn_abm.load({**BARE, **changes}))
    return {path: source.text for source in found for path in source.paths}


def test_every_value_of_the_program_that_has_a_source_is_there_once():
    paths = [path for source in sources() for path in source.paths]
    assert len(paths) == len(set(paths)) > 200
    assert {"spleen.volume_time_days", "transplant.graft_rate_per_year", "drugs.chz868.type"} - set(paths) == {
        "drugs.chz868.type"
    }, "a setting has no source"


@pytest.mark.parametrize(
    ("changes", "there", "missing"),
    [
        ({}, ["spleen.volume_time_days", "immune.pd_l1_jak2"], ["car_t.homing", "jak_stat.trans_activation"]),
        ({"spleen": {"enabled": False}}, [], ["spleen.volume_time_days"]),
        ({"treatments": {"car_t": {"dose_cells": 1e8}}}, ["car_t.homing"], ["interferon.tet2_first_factor"]),
        (
            {"treatments": {"a": {"drug": "interferon", "dose_relative": 1}}},
            ["interferon.tet2_first_factor", "genotypes.JAK2_V617F.interferon_loss_per_year"],
            ["genotypes.JAK2_V617F.hsp90_sensitivity", "drugs.pembrolizumab.half_life_hours"],
        ),
        (
            {"treatments": {"pu_h71": {"dose_relative": 1}}},
            ["jak_stat.protein_turnover_per_day", "genotypes.wild_type.hsp90_sensitivity"],
            ["genotypes.CALR_TYPE1.antigen_molecules", "genotypes.wild_type.fitness_per_year"],
        ),
        (
            {"arms": {"a": {}, "b": {"treatments.eltrombopag": {"dose_mg": 50}}}},
            ["eltrombopag.antigen_maximum"],
            ["car_t.homing"],
        ),
        ({"mutation": {"enabled": False}}, [], ["genotypes.CALR_TYPE1.fitness_per_year", "mutation.tet2_share"]),
    ],
)
def test_a_scenario_rests_on_what_acts_in_it(changes, there, missing):
    found = cited(**changes)
    assert [path for path in there if path not in found] == []
    assert [path for path in missing if path in found] == []


def test_a_value_that_a_file_changes_has_no_source_and_one_that_it_repeats_keeps_it():
    path = "hematopoiesis.division_rate_per_year"
    assert path not in cited(hematopoiesis={"division_rate_per_year": 1.5})
    assert cited(hematopoiesis={"division_rate_per_year": 1.3})[path].startswith("Catlin 2011")


def test_figures_of_a_drug_rest_on_what_the_drug_says():
    found = cited(
        treatments={"mine": {"dose_mg": 10}},
        drugs={"mine": {"like": "fedratinib", "half_life_hours": 9, "source": "a talk in 2020"}},
    )
    assert found["drugs.mine.first_dose_peak_nM_per_mg"] == "a talk in 2020"
    assert "drugs.mine.half_life_hours" not in found


def test_a_claim_brings_its_publication():
    claim = {"falls": {"endpoint": "vaf_jak2", "high": 1, "source": "COMFORT-I"}}
    assert cited(expect=claim)["expect.falls"] == "COMFORT-I"


def test_genotypes_are_those_that_can_arise():
    spec = mpn_abm.load({**BARE, "treatments": {"transplant": {"dose_relative": 1}}}).spec
    assert {"donor", "JAK2_V617F_HOM", "CALR_TYPE2"} < genotypes_of(spec)
    still = mpn_abm.load({**BARE, "mutation": {"enabled": False}}).spec
    assert genotypes_of(still) == {"wild_type", "JAK2_V617F"}


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("Cazaux 2019 J Exp Med", "published"),
        ("fitted: COMFORT-I", "fitted"),
        ("assumed; direction known", "assumed"),
        ("assumed: resolution, no biology", "resolution"),
        ("Kuwaki 1998 FEBS Lett over 500, assumed", "in part"),
    ],
)
def test_a_source_says_how_well_a_number_is_known(source, kind):
    assert kind_of(source) == kind


def test_the_program_is_cited_as_its_file_says():
    said = program_itself()
    assert said["version"] == mpn_abm.__version__
    assert said["text"].endswith(f"{said['title']}. Version {said['version']}.")


def test_the_verb_counts_what_is_assumed_and_lists_it_on_demand(tmp_path, capsys):
    file = tmp_path / "a.yaml"
    file.write_text(json.dumps(BARE))
    assert main(["cite", str(file)]) == 0
    short = capsys.readouterr().out
    assert main(["cite", str(file), "--assumed"]) == 0
    long = capsys.readouterr().out
    assert "--assumed lists them" in short
    assert "niche.capacity_cost" in long
    assert "niche.capacity_cost" not in short
    assert main(["cite", str(file), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert f"{len(said['assumed'])} values" in short
    assert "niche.capacity_cost" in said["assumed"]
    assert said["program"]["text"] in short
    # one that is assumed but for its direction is named with the paper that gives it
    assert "antigen.late_phase_factor" in next(s["paths"] for s in said["sources"] if "Rampotas 2026" in s["text"])


def test_without_a_file_the_whole_program_is_cited(capsys):
    assert main(["cite", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["scenario"] is None
    assert any("Bewersdorf 2021" in source["text"] for source in said["sources"])
    assert main(["cite", "--set", "seed=3"]) == 2
