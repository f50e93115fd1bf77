"""Targets fail where the mechanism that they rest on is taken away: the score tells models apart."""

import pytest
from ruamel.yaml import YAML

from mpn_abm.evidence import score
from mpn_abm.evidence.targets import read_targets
from mpn_abm.scenario.examples import target_files
from mpn_abm.scenario.resolved import yaml_of

TINY = {"marrow.shape": [48, 48], "trial.patients": 2}


def answer(tmp_path, experiment, target, change):
    """The row of a shipped target whose experiment is changed."""
    file = next(file for file in target_files() if target in read_targets(file).targets)
    content = YAML(typ="safe", pure=True).load(file)
    said = content["experiments"][experiment]
    said["change"] = said.get("change", {}) | change
    if "file" in said:
        said["file"] = str((file.parent / said["file"]).resolve())
    elif "extends" in said["scenario"]:
        said["scenario"]["extends"] = str((file.parent / said["scenario"]["extends"]).resolve())
    said.pop("quick", None)
    kept = {"schema": content["schema"], "experiments": {experiment: said}}
    path = tmp_path / "one.yaml"
    path.write_text(yaml_of(kept | {"targets": {target: content["targets"][target]}}))
    return score([path], out=tmp_path / "out").table.iloc[0]


@pytest.mark.parametrize(
    ("experiment", "target", "small", "without"),
    [
        ("withdrawal", "pers_reversible", TINY, {"jak_stat.trans_activation": 0}),
        ("jaki_pd1", "mdsc_up_pmf", TINY, {"immune.enabled": False}),
        ("hsp90", "pers_hsp90", TINY, {"treatments.pu_h71.dose_relative": 0}),
        ("diagnosis", "calr_vaf_above_jak2_et", TINY, {"genotypes.CALR_TYPE1.platelet_gain": 5}),
        ("culture", "rux_cart_in_vitro", TINY, {"immune.t_cell_killing_cost": 0, "immune.t_cell_division_cost": 0}),
        ("culture", "rux_cart_expansion", TINY, {"immune.t_cell_division_cost": 0}),
        ("expansion", "zuma_d14_ratio", TINY, {"car_t.division_rate_per_day": 0.889}),
        ("expansion", "stein_alpha_hl", TINY, {"car_t.grace_days": 1}),
        ("scar_drugs", "alk5_direction", TINY, {"treatments.galunisertib.dose_mg": 0}),
        ("scar_drugs", "gli1_ablation", TINY, {"patient.scar_turnover": 0.1}),
        ("neutral", "hsc_n_leesix", {"trial.patients": 12}, {"marrow.shape": [100, 100]}),
        ("healthy", "ch_arrival_monpere", {"trial.patients": 3}, {"mutation.driver_rate_per_year": 0}),
        ("doses", "rux_ic50_wb", {}, {"drugs.ruxolitinib.ic50_nM": 600}),
        ("last_phase", "ap_needed", {"trial.patients": 60}, {"progression.transformed_fitness_per_year": 40}),
        ("reach", "cytokine_reach", {}, {"fibrosis.decay_length_um": 10}),
        ("biopsy", "pdl1_mk_jak2", {"trial.patients": 5}, {"immune.pd_l1_jak2": 6}),
    ],
)
def test_a_target_fails_without_what_it_rests_on(tmp_path, experiment, target, small, without):
    assert answer(tmp_path, experiment, target, small)["held"]
    assert not answer(tmp_path, experiment, target, small | without)["held"]


def test_clones_of_a_small_pool_drift_and_do_not_grow_at_a_steady_rate(tmp_path):
    """Of 40 clones in 2,304 stem cells the upper limit lies below the band, whose edge is at 90 %."""
    found = answer(tmp_path, "readings", "ch_exponential_fabre", {"marrow.shape": [48, 48], "trial.patients": 40})
    assert found["value_high"] < found["low"]
