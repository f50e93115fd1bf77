"""The score of a model with known answers: nothing moves in it, so that every value is what was placed."""

import json
import math

import pytest
from unit.small import bare

from mpn_abm.cli.main import main
from mpn_abm.errors import UsageError
from mpn_abm.evidence import experiments, score
from mpn_abm.evidence.table import interval_of
from mpn_abm.scenario.resolved import yaml_of

PLACED = "clones.mutant.fraction"
STILL = {key: value for key, value in bare(hematopoiesis={"enabled": False}).items() if key != "schema"}
SWEEP = {"scenario": STILL, "sweep": {"replicates": 2, "parameters": {PLACED: [0.25, 0.5]}}}
# 16 and 32 of 64 sites
ALIVE = {"experiment": "still", "endpoint": "fraction_mutant", "at_day": 28}
TARGETS = {
    "quarter": {**ALIVE, "where": {PLACED: 0.25}, "value": 0.2, "low": 0.1, "high": 0.3},
    "half": {**ALIVE, "where": {PLACED: 0.5}, "value": 0.4, "low": 0.3, "high": 0.45, "weight": 3},
    "both": {**ALIVE, "low": 0.37, "high": 0.38, "role": "test"},
    "last_day": {"experiment": "still", "endpoint": "end_day", "at_day": 0, "low": 28, "high": 28},
    "shown_only": {**ALIVE, "high": 0, "role": "rival"},
    "unknown": {"experiment": None, "reason": "nobody asks", "low": 0},
}


def file_of(folder, targets=TARGETS, **blocks):
    file = folder / "figures.yaml"
    content = {"schema": "mpn-abm/1", "experiments": {"still": SWEEP} | blocks, "targets": targets}
    file.write_text(yaml_of(content))
    return file


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("score")
    return score([file_of(folder)], out=folder / "out")


def test_values_are_those_that_were_placed(found):
    value = found.table.set_index("target")["value"]
    assert value["quarter"] == 0.25
    assert value["half"] == 0.5
    assert value["both"] == 0.375
    assert value["last_day"] == 28.0
    assert math.isnan(value["unknown"])


def test_a_target_outside_its_band_is_missed_and_one_without_experiment_too(found):
    held = found.table.set_index("target")["held"]
    assert held.to_dict() == {
        "quarter": True, "half": False, "both": True, "last_day": True, "shown_only": False, "unknown": False,
    }  # fmt: skip


def test_the_score_counts_by_weight_and_leaves_rivals_out(found):
    """Held are quarter, both and last_day of five; their weights are 3 of 7."""
    assert (found.facts["held"], found.facts["targets"]) == (3, 5)
    assert found.facts["weighted"] == pytest.approx(3 / 7)
    assert found.facts["by_role"]["test"] == {"held": 1, "targets": 1, "weighted": 1.0}
    assert found.facts["without_experiment"] == 1


def test_z_is_the_distance_in_standard_errors(found):
    """The model has no error here; half a band is 1.96 of them."""
    z = found.table.set_index("target")["z"]
    assert z["quarter"] == pytest.approx(0.05 / (0.1 / 1.959964))
    assert z["half"] == pytest.approx(0.1 / (0.05 / 1.959964))
    assert math.isnan(z["both"])


def test_an_experiment_is_run_once_for_all_of_its_targets_and_not_again(tmp_path, monkeypatch):
    runs = []
    run_study = experiments.run_study
    monkeypatch.setattr(
        experiments, "run_study", lambda study, out, **k: runs.append(out) or run_study(study, out, **k)
    )
    file = file_of(tmp_path)
    first = score([file], out=tmp_path / "out")
    assert len(runs) == 1
    parts = {part: part.stat().st_mtime_ns for part in runs[0].glob("*/part-*.parquet")}
    assert parts
    # another band is no other run
    file_of(tmp_path, {**TARGETS, "quarter": {**TARGETS["quarter"], "high": 0.24}})
    second = score([file], out=tmp_path / "out")
    assert (runs[0], parts) == (runs[1], {part: part.stat().st_mtime_ns for part in parts})
    assert (first.facts["held"], second.facts["held"]) == (3, 2)


def test_only_what_is_named_is_run(tmp_path, monkeypatch):
    file = file_of(tmp_path, other=SWEEP)
    found = score([file], out=tmp_path / "out", only=["half", "unknown"])
    assert found.table["target"].tolist() == ["half", "unknown"]
    with pytest.raises(UsageError, match="did you mean 'half'"):
        score([file], out=tmp_path / "out", only=["halff"])


def test_the_verb_writes_prints_and_fails_if_asked_to(tmp_path, capsys):
    file, out = file_of(tmp_path), tmp_path / "out"
    words = ["evidence", "--targets", str(file), "--out", str(out), "--quiet"]
    assert main([*words, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["held"], len(said["targets_scored"])) == (3, 6)
    assert sorted(path.name for path in out.iterdir()) == [
        "evidence.html", "experiments", "score.json", "score.parquet", "score.txt",
    ]  # fmt: skip
    assert main([*words, "--strict"]) == 7
    assert "missed half (fit): 0.5" in capsys.readouterr().out


def test_an_interval_may_be_open_at_one_end():
    """Of a median that more than half of the patients may never reach."""
    assert interval_of({"value_low": 21.0, "value_high": None}) == " (21 to not known)"
    assert interval_of({"value_low": 0.25, "value_high": 0.5}) == " (0.25 to 0.5)"
    assert interval_of({"value_low": None, "value_high": None}) == ""
