"""`run` and `inspect` on the command line: exit codes, one JSON object, nothing overwritten, nothing half written."""

import json
import signal
import subprocess
import sys

import pandas as pd
import pytest

from mpn_abm.cli.main import main

SMALL = """
schema: mpn-abm/1
name: small
question: Does the clone grow?
seed: 5
time: {duration_days: 60, snapshot_every_days: 30}
marrow: {shape: [24, 20]}
clones:
  healthy: {genotype: wild_type}
  jak2: {genotype: JAK2_V617F, fraction: 0.25}
"""
MANIFEST_KEYS = {
    "out", "status", "end_reason", "replicates", "seed", "scenario_sha256", "trajectory_sha256", "compile_seconds",
    "stepping_seconds", "writing_seconds", "wall_seconds", "peak_memory_mb", "site_steps", "candidates", "events",
}  # fmt: skip


@pytest.fixture
def scenario(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


def test_run_writes_every_table_and_says_what_came_out(scenario, tmp_path, capsys):
    assert main(["run", str(scenario), "--out", str(tmp_path / "out")]) == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    tables = {f"{name}.parquet" for name in ("trajectory", "clones", "events", "snapshots", "summary")}
    assert names == tables | {"manifest.json", "scenario.resolved.yaml"}
    said = capsys.readouterr().out
    assert "Does the clone grow?" in said
    assert "fraction_jak2" in said


def test_json_is_one_object_on_stdout_with_the_promised_keys(scenario, tmp_path, capsys):
    assert main(["run", str(scenario), "--out", str(tmp_path / "out"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts.keys() >= MANIFEST_KEYS
    written = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert written["trajectory_sha256"] == facts["trajectory_sha256"]
    assert facts["site_steps"] == 24 * 20 * 60
    assert facts["end_reason"] == "duration"


def test_nothing_is_overwritten_unasked(scenario, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["run", str(scenario), "--out", str(out)]) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert main(["run", str(scenario), "--out", str(out), "--seed", "6"]) == 6
    assert "--overwrite" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert main(["run", str(scenario), "--out", str(out), "--seed", "6", "--overwrite"]) == 0
    assert pd.read_parquet(out / "trajectory.parquet").seed.unique().tolist() == [6]


def test_a_bad_scenario_shows_every_mistake_and_writes_nothing(scenario, tmp_path, capsys):
    scenario.write_text(SMALL.replace("0.25", "1.25").replace("JAK2_V617F", "JAK2_V617G"))
    assert main(["run", str(scenario), "--out", str(tmp_path / "out")]) == 3
    said = capsys.readouterr().err
    assert "clones.jak2.fraction: 1.25" in said
    assert "did you mean 'JAK2_V617F'?" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run", "nowhere.yaml"], 2),
        (["run"], 2),
        (["run", "{scenario}", "--no-such-option"], 2),
        (["run", "{scenario}", "--replicates", "0"], 2),
        (["run", "{scenario}", "--threads", "4096"], 2),
        (["run", "{scenario}", "--set", "marrow.shape=[0, 3]"], 3),
        (["run", "{scenario}", "--set", "marrow.shape=[16384, 16384]", "--replicates", "100"], 4),
        (["inspect", "nowhere"], 2),
    ],
)
def test_every_way_to_be_wrong_has_its_exit_code_and_no_traceback(arguments, code, scenario, capsys):
    assert main([argument.format(scenario=scenario) for argument in arguments]) == code
    assert "Traceback" not in capsys.readouterr().err


def test_replicates_have_seeds_of_their_own_and_each_is_the_run_with_that_seed(scenario, tmp_path, capsys):
    assert main(["run", str(scenario), "--out", str(tmp_path / "all"), "--replicates", "3"]) == 0
    together = pd.read_parquet(tmp_path / "all" / "trajectory.parquet")
    assert together.groupby("replicate").seed.nunique().tolist() == [1, 1, 1]
    seed = int(together.seed[together.replicate == 2].iloc[0])
    assert main(["run", str(scenario), "--out", str(tmp_path / "one"), "--seed", str(seed), "--quiet"]) == 0
    alone = pd.read_parquet(tmp_path / "one" / "trajectory.parquet")
    own = together[together.replicate == 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        own.drop(columns=["run_id", "replicate"]), alone.drop(columns=["run_id", "replicate"])
    )


def test_a_dry_run_writes_nothing_and_tells_memory_disk_and_time(scenario, tmp_path, capsys):
    assert main(["run", str(scenario), "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("memory", "disk", "stepping"))
    assert not (tmp_path / "out").exists()


def test_inspect_tells_rows_columns_and_units(scenario, tmp_path, capsys):
    assert main(["run", str(scenario), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    capsys.readouterr()
    assert main(["inspect", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["tables"]["trajectory"]["rows"] == 10
    assert told["tables"]["trajectory"]["provenance"]["program"] == "mpn_abm"
    units = {column["name"]: column.get("unit") for column in told["tables"]["trajectory"]["columns"]}
    assert units["day"] == "day"
    assert main(["inspect", str(tmp_path / "out" / "summary.parquet")]) == 0
    assert "vaf_driver_end" in capsys.readouterr().out


def test_a_run_that_ends_early_says_why(scenario, tmp_path, capsys):
    arguments = ["run", str(scenario), "--out", str(tmp_path / "out"), "--json"]
    loss = ["--set", "hematopoiesis.division_rate_per_year=0", "--set", "hematopoiesis.loss_rate_per_year=300"]
    assert main([*arguments, *loss, "--set", "stop.when=[extinction]"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["end_reason"] == "extinction"
    assert facts["end_day"] < 60


def test_an_interrupted_run_leaves_no_half_table(scenario, tmp_path):
    """Catches tables written under their names as they grow, and a traceback on Ctrl-C."""
    out = tmp_path / "out"
    long = ["marrow.shape=[2048, 2048]", "time.duration_days=70000", "output.snapshots=false", "output.clones=false"]
    sets = [part for assignment in long for part in ("--set", assignment)]
    with subprocess.Popen(
        [sys.executable, "-m", "mpn_abm.cli.main", "run", str(scenario), "--out", str(out), *sets],
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        while "% " not in started.stderr.readline():  # until it tells of progress, after some seconds of stepping
            assert started.poll() is None
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "Traceback" not in said
    assert not out.exists() or [path.name for path in out.iterdir()] == []
