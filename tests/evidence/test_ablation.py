"""Targets fail where the mechanism that they rest on is taken away: the score tells models apart."""

import pytest
from ruamel.yaml import YAML

from mpn_abm.evidence import score
from mpn_abm.evidence.targets import read_targets
from mpn_abm.scenario.examples import target_files
from mpn_abm.scenario.resolved import yaml_of

TINY = {"marrow.shape": [48, 48], "trial.patients": 2}


def held(tmp_path, experiment, target, change):
    """Whether a shipped target holds in its experiment with something changed."""
    file = next(file for file in target_files() if target in read_targets(file).targets)
    content = YAML(typ="safe", pure=True).load(file)
    said = content["experiments"][experiment]
    said["change"] = said.get("change", {}) | change
    if "file" in said:
        said["file"] = str((file.parent / said["file"]).resolve())
    else:
        said["scenario"]["extends"] = str((file.parent / said["scenario"]["extends"]).resolve())
    said.pop("quick", None)
    kept = {"schema": content["schema"], "experiments": {experiment: said}}
    path = tmp_path / "one.yaml"
    path.write_text(yaml_of(kept | {"targets": {target: content["targets"][target]}}))
    return bool(score([path], out=tmp_path / "out").table["held"].item())


@pytest.mark.parametrize(
    ("experiment", "target", "without"),
    [
        ("withdrawal", "pers_reversible", {"jak_stat.trans_activation": 0}),
        ("jaki_pd1", "mdsc_up_pmf", {"immune.enabled": False}),
        ("hsp90", "pers_hsp90", {"treatments.pu_h71.dose_relative": 0}),
        ("diagnosis", "calr_vaf_above_jak2_et", {"genotypes.CALR_TYPE1.platelet_gain": 5}),
        ("culture", "rux_cart_in_vitro", {"immune.t_cell_killing_cost": 0, "immune.t_cell_division_cost": 0}),
        ("culture", "rux_cart_expansion", {"immune.t_cell_division_cost": 0}),
        ("expansion", "zuma_d14_ratio", {"car_t.division_rate_per_day": 0.889}),
        ("expansion", "stein_alpha_hl", {"car_t.grace_days": 1}),
        ("scar_drugs", "alk5_direction", {"treatments.galunisertib.dose_mg": 0}),
        ("scar_drugs", "gli1_ablation", {"patient.scar_turnover": 0.1}),
    ],
)
def test_a_target_fails_without_what_it_rests_on(tmp_path, experiment, target, without):
    assert held(tmp_path, experiment, target, TINY)
    assert not held(tmp_path, experiment, target, TINY | without)
