"""The verb `run`: what it prints, where, what it leaves, and with which exit code it ends."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from rich.progress import Progress
from unit.small import bare, niche

from mpn_abm.batch import Batch
from mpn_abm.cli import progress, running
from mpn_abm.cli.main import main
from mpn_abm.files import CHECKPOINT, claimed
from mpn_abm.kernels import compiler
from mpn_abm.mechanisms import schedule

FACTS = {
    "out": str,
    "status": str,
    "end_reason": str,
    "replicates": int,
    "seed": int,
    "scenario_sha256": str,
    "trajectory_sha256": str,
    "compile_seconds": float,
    "stepping_seconds": float,
    "writing_seconds": float,
    "wall_seconds": float,
    "peak_memory_mb": float,
    "site_steps": int,
    "candidates": int,
    "events": int,
}


@pytest.fixture
def file(tmp_path):
    return written(tmp_path, bare())


def written(folder, content, name="scenario.yaml"):
    file = folder / name
    file.write_text(json.dumps(content))
    return file


def command(file, *options):
    return main(["run", str(file), *map(str, options)])


def table(folder, name="trajectory"):
    return pd.read_parquet(folder / f"{name}.parquet")


# What it prints and leaves.


def test_a_run_leaves_its_files_and_says_in_a_few_lines_what_came_out(file, tmp_path, capsys):
    assert command(file, "--out", tmp_path / "out") == 0
    out, _ = capsys.readouterr()
    assert out.splitlines()[0] == "bare: 1 run of up to 28 days, ended by duration"
    assert re.search(r"^  fraction_mutant +0\.25 -> 0\.\d+$", out, re.M)
    assert re.search(rf"^  5 rows, .* candidates, in {tmp_path / 'out'}$", out, re.M)
    assert table(tmp_path / "out").day.tolist() == [0.0, 7.0, 14.0, 21.0, 28.0]
    assert len(out.splitlines()) < 12


@pytest.mark.parametrize("replicates", [1, 20])
def test_of_those_who_died_it_says_the_last_values_alive(tmp_path, capsys, replicates):
    deadly = {"background_death_rate_per_year": 30.0}
    file = written(tmp_path, bare(progression=deadly, replicates=replicates))
    assert command(file, "--out", tmp_path / "out") == 0
    assert not table(tmp_path / "out")["alive"].all()
    out, _ = capsys.readouterr()
    assert re.search(r"^  fraction_mutant +0\.25 -> 0\.\d+", out, re.M)
    assert "nan" not in out


def test_json_is_one_object_with_the_promised_facts_and_nothing_else(file, tmp_path, capsys):
    assert command(file, "--out", tmp_path / "out", "--json") == 0
    out, _ = capsys.readouterr()
    said = json.loads(out)
    assert out.count("\n") == 1
    assert {name: type(said[name]) for name in FACTS} == FACTS
    assert (said["out"], said["status"], said["seed"]) == (str(tmp_path / "out"), "done", 3)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert {name: manifest[name] for name in said} == said
    assert set(manifest) - set(said) == {"provenance"}


def test_a_run_goes_to_a_folder_of_the_name_of_its_scenario(file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command(file, "--quiet") == 0
    assert table(tmp_path / "runs" / "bare").shape[0] == 5
    assert capsys.readouterr().err == ""


def test_what_a_run_leaves_repeats_it(file, tmp_path, capsys):
    """The resolved scenario, and the seed of a replicate."""
    assert command(file, "--out", tmp_path / "a", "--replicates", 3, "--json") == 0
    first = json.loads(capsys.readouterr().out)
    again = tmp_path / "a" / "scenario.resolved.yaml"
    assert command(again, "--out", tmp_path / "b", "--json") == 0
    second = json.loads(capsys.readouterr().out)
    assert first["replicates"] == second["replicates"] == 3
    for digest in ("scenario_sha256", "trajectory_sha256"):
        assert first[digest] == second[digest]
    rows = table(tmp_path / "a")
    third = rows[rows.replicate == 2]
    assert command(file, "--out", tmp_path / "c", "--seed", third.seed.iloc[0]) == 0
    names = ["run_id", "replicate"]
    assert table(tmp_path / "c").drop(columns=names).equals(third.drop(columns=names).reset_index(drop=True))


def test_options_reach_the_scenario_and_the_later_layer_wins(file, tmp_path, capsys):
    options = ["--set", "time.duration_days=14", "--set", "marrow.shape=[6, 6]", "--seed", 11, "--replicates", 2]
    assert command(file, "--out", tmp_path / "out", *options) == 0
    rows = table(tmp_path / "out")
    assert rows.cells_total.unique().tolist() == [36]
    assert rows.day.max() == 14.0
    assert rows.seed[0] == 11
    assert rows.replicate.unique().tolist() == [0, 1]


def test_threads_change_no_bit(file, tmp_path, capsys):
    digests = []
    for threads in (1, 2):
        assert command(file, "--out", tmp_path / f"t{threads}", "--threads", threads, "--replicates", 4, "--json") == 0
        digests.append(json.loads(capsys.readouterr().out)["trajectory_sha256"])
    assert digests[0] == digests[1]


def test_a_run_that_ends_early_says_why_in_the_manifest_and_in_the_text(tmp_path, capsys):
    content = bare(
        marrow={"shape": [4, 4]},
        clones={"one": {"genotype": "wild_type", "cells": 8}, "other": {"genotype": "wild_type"}},
        time={"duration_years": 100, "step_days": 30},
        stop={"when": ["fixation"]},
    )
    file = written(tmp_path, content)
    assert command(file, "--out", tmp_path / "a") == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("ended by fixation")
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert (manifest["end_reason"], manifest["end_reasons"]) == ("fixation", {"fixation": 1})
    assert manifest["end_day"] == table(tmp_path / "a").day.max() < 36500
    options = ["--replicates", 20, "--set", "time.duration_days=900", "--out", tmp_path / "b"]
    assert command(file, *options) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert re.fullmatch(r"bare: 20 runs of up to 900 days, ended by duration \(\d+\), fixation \(\d+\)", first)


def test_replicates_are_told_by_median_and_range_and_by_the_share_of_their_ends(tmp_path, capsys):
    content = bare(
        marrow={"shape": [4, 4]},
        clones={"one": {"genotype": "wild_type", "cells": 8}, "other": {"genotype": "wild_type"}},
        time={"duration_days": 900, "step_days": 30},
        stop={"when": ["fixation"]},
    )
    assert command(written(tmp_path, content), "--out", tmp_path / "out", "--replicates", 21) == 0
    out = capsys.readouterr().out
    rows = table(tmp_path / "out").groupby("replicate").fraction_one
    first, ends = rows.first(), rows.last()
    assert ends.nunique() > 2
    told = f"{first.median():.4g} -> {ends.median():.4g} [{ends.min():.4g}, {ends.max():.4g}]"
    assert re.search(rf"^  fraction_one +{re.escape(told)}$", out, re.M)
    shares = table(tmp_path / "out", "summary").end_reason.value_counts(normalize=True).sort_index()
    told = ", ".join(f"{reason} {100 * share:.3g} %" for reason, share in shares.items())
    assert re.search(rf"^  end_reason +{re.escape(told)}$", out, re.M)
    assert len(shares) == 2


def test_what_never_happens_is_a_line_on_stderr(tmp_path, capsys):
    """In run and validate, which end well all the same."""
    file = written(tmp_path, niche(treatments={"car_t": {"dose_cells": 5.0e8, "day": 4000}}))
    line = "treatments.car_t: day 4000 is not before the end, day 42: it is never given\n"
    assert command(file, "--dry-run") == 0
    assert capsys.readouterr().err == line
    assert command(file, "--dry-run", "--quiet") == 0
    assert capsys.readouterr().err == ""
    assert main(["validate", str(file)]) == 0
    assert capsys.readouterr() == (f"{file}: valid\n", f"{file}: {line}")


# Progress.


def test_off_a_terminal_progress_is_plain_lines_on_stderr(file, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(progress, "PLAIN_EVERY", 0.0)
    assert command(file, "--out", tmp_path / "out", "--set", "time.duration_years=60", "--json") == 0
    out, err = capsys.readouterr()
    json.loads(out)
    lines = [line for line in err.splitlines() if line.startswith("bare: ")]
    assert lines
    assert all(re.fullmatch(r"bare: \d+ %, about \d+ s left", line) for line in lines)
    shares = [int(re.findall(r"(\d+) %", line)[0]) for line in lines]
    assert shares == sorted(shares)
    assert shares[-1] == 100


def test_plain_lines_come_at_most_every_few_seconds(file, tmp_path, capsys):
    assert command(file, "--out", tmp_path / "out", "--set", "time.duration_years=60") == 0
    assert capsys.readouterr().err.count("%") <= 1


def test_on_a_terminal_the_bar_takes_its_time_from_the_first_step_on(file, tmp_path, capsys, monkeypatch):
    """Catches time left that counts the compiling."""
    started = []
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(Progress, "start_task", lambda bar, task: started.append(bar.tasks[task].completed))
    with progress.progress("bare", quiet=False) as tell:
        assert started == []
        tell(0.5)
    assert started == [0.0]


def test_quiet_is_silent_about_progress(file, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(progress, "PLAIN_EVERY", 0.0)
    monkeypatch.setattr(running, "is_compiled", lambda kernels: False)
    options = ["--out", tmp_path / "out", "--set", "time.duration_years=60", "--overwrite"]
    assert command(file, *options, "--quiet") == 0
    assert capsys.readouterr().err == ""
    assert command(file, *options) == 0
    assert capsys.readouterr().err.startswith("compiling the kernels: once for this version")


@pytest.mark.parametrize(
    ("options", "kernel"),
    [
        ([], "run_days"),
        (["--replicates", 5], "run_replicates"),
        (["--threads", 2, "--set", "marrow.shape=[600, 600]", "--set", "time.step_days=30"], "run_days_striped"),
    ],
    ids=["one", "replicates", "threads"],
)
def test_compiling_is_announced_for_the_mode_that_is_asked_for(file, tmp_path, capsys, monkeypatch, options, kernel):
    """With the code of the other modes in the cache. Catches half a minute of silence."""
    all_kernels = {"begin", "begin_replicates", "run_days", "run_replicates", "run_days_striped"}
    monkeypatch.setattr(running, "run_scenario", None)
    monkeypatch.setattr(running, "threads_available", lambda: 2)
    for missing, announced in ((kernel, True), (None, False)):
        monkeypatch.setattr(compiler.settings, "CACHE_DIR", str(tmp_path / f"cache without {missing}"))
        cache = tmp_path / f"cache without {missing}" / Path(schedule.run_days._cache.cache_path).name
        cache.mkdir(parents=True)
        for name in all_kernels - {missing}:
            (cache / f"schedule.{name}-250.py311.nbi").touch()
        assert command(file, "--out", tmp_path / "out", *options) == 1
        assert capsys.readouterr().err.startswith("compiling the kernels: once for this version") == announced


# What a user did wrong, and what the machine refuses.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--speed", "11"], "--speed"),
        (["--replicates", "0"], "--replicates"),
        (["--replicates", "many"], "--replicates"),
        (["--threads", "0"], "--threads"),
        (["--threads", "4096"], "--threads 4096: expected at most"),
        (["--set", "seed"], "expected PATH=VALUE"),
        (["--out"], "--out"),
    ],
)
def test_a_bad_option_is_2_and_leaves_nothing(file, tmp_path, capsys, options, message):
    assert command(file, "--out", tmp_path / "out", *options) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert (out, (tmp_path / "out").exists()) == ("", False)


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_a_file_that_cannot_be_read_is_2(tmp_path, capsys, name):
    assert command(tmp_path / name, "--out", tmp_path / "out") == 2
    assert str(tmp_path) in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_invalid_scenario_is_3_with_all_of_its_problems(tmp_path, capsys):
    file = tmp_path / "wrong.yaml"
    file.write_text("schema: mpn-abm/1\nseed: -1\ntime: {duration_days: 1}\nclones: {a: {genotype: wildtype}}\n")
    assert command(file, "--out", tmp_path / "out", "--set", "marrow.shape=[0, 1]", "--json") == 3
    out, err = capsys.readouterr()
    assert [line.split(": ")[0] for line in err.splitlines()] == [
        f"{file}:2:1",
        f"{file}:4:14",
        "--set marrow.shape=[0, 1]",
    ]
    assert (out, (tmp_path / "out").exists()) == ("", False)


def test_results_that_are_there_are_6_and_stay(file, tmp_path, capsys, monkeypatch):
    """Refused before the work. Catches a run that finds out when it wants to write."""
    assert command(file, "--out", tmp_path / "out") == 0
    before = {f.name: f.read_bytes() for f in (tmp_path / "out").iterdir()}
    capsys.readouterr()
    monkeypatch.setattr(running, "run_scenario", None)
    assert command(file, "--out", tmp_path / "out", "--seed", 99) == 6
    assert capsys.readouterr().err == f"{tmp_path / 'out'}: exists; choose another --out or say --overwrite\n"
    assert command(file, "--out", file) == 6
    assert capsys.readouterr().err == f"{file}: exists and is no folder\n"
    assert {f.name: f.read_bytes() for f in (tmp_path / "out").iterdir()} == before


def test_a_folder_that_another_run_holds_is_6(file, tmp_path, capsys):
    """With --overwrite, too. Catches two runs of which one result is gone."""
    with claimed(tmp_path / "out", overwrite=False):
        for options in ([], ["--overwrite"]):
            assert command(file, "--out", tmp_path / "out", *options) == 6
            said = f"{tmp_path / 'out'}: another run is writing to it; choose another --out\n"
            assert capsys.readouterr().err == said
    assert command(file, "--out", tmp_path / "out") == 0


def test_a_folder_that_cannot_be_made_is_2(file, tmp_path, capsys):
    assert command(file, "--out", file / "below") == 2
    assert capsys.readouterr().err == f"{file / 'below'}: cannot be written to: Not a directory\n"


def test_overwrite_replaces_the_tables_of_a_larger_run(file, tmp_path, capsys):
    assert command(file, "--out", tmp_path / "out") == 0
    fewer = ["--set", "output={clones: false, events: false, snapshots: false, summary: false}"]
    assert command(file, "--out", tmp_path / "out", "--overwrite", "--seed", 99, *fewer) == 0
    left = {f.name for f in (tmp_path / "out").iterdir()}
    assert left == {"trajectory.parquet", "scenario.resolved.yaml", "manifest.json"}
    assert table(tmp_path / "out").seed.tolist() == [99] * 5


def test_a_disk_that_refuses_is_4_and_one_line(file, tmp_path, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert command(file, "--out", tmp_path / "out", "--quiet") == 4
    out, err = capsys.readouterr()
    assert err == f"{tmp_path / 'out' / 'trajectory.parquet'}: cannot be written: No space left on device\n"
    assert (out, (tmp_path / "out").exists()) == ("", False)


def test_a_value_that_is_no_number_is_4_with_its_column_and_day(file, tmp_path, capsys, monkeypatch):
    take_rows = Batch.take_rows

    def spoiled(self):
        replicate, boundary, values = take_rows(self)
        values[boundary == 21, self.program.rules.places.fraction] = float("nan")
        return replicate, boundary, values

    monkeypatch.setattr(Batch, "take_rows", spoiled)
    assert command(file, "--out", tmp_path / "out", "--quiet") == 4
    assert capsys.readouterr().err.startswith("fraction_healthy is nan on day 21: ")
    assert not (tmp_path / "out").exists()


def test_a_marrow_too_large_for_the_machine_is_4_with_both_figures(file, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("mpn_abm.estimate.memory_available", lambda: 3 * 2**30)
    monkeypatch.setattr("mpn_abm.batch.stack", None)
    assert command(file, "--out", tmp_path / "out", "--set", "marrow.shape=[8192, 8192]") == 4
    out, err = capsys.readouterr()
    last = err.splitlines()[-1]
    expected = r"marrow\.shape: 8192 x 8192: needs about [67]\.\d GiB of memory, this machine has 3\.0 GiB free"
    assert re.fullmatch(expected, last), last
    assert (out, (tmp_path / "out").exists()) == ("", False)


# Only saying what it would take.


def test_a_dry_run_tells_memory_disk_and_time_and_makes_no_marrow(file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mpn_abm.batch.stack", None)
    options = ["--dry-run", "--set", "marrow.shape=[4096, 4096]", "--replicates", 3]
    assert command(file, *options) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "bare: 4096 x 4096 sites, 28 steps, 3 replicates"
    assert [line.split()[0] for line in lines[1:]] == ["memory", "disk", "stepping"]
    assert err == ""
    assert command(file, *options, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert {"name", "scenario_sha256", "memory_bytes", "disk_bytes", "seconds", "site_steps", "candidates"} <= set(said)
    assert said["site_steps"] == 4096 * 4096 * 28 * 3
    assert float(lines[1].split()[1]) == pytest.approx(said["memory_bytes"] / 2**20, abs=0.5)
    assert float(lines[2].split()[1]) == pytest.approx(said["disk_bytes"] / 2**20, abs=0.05)
    assert [f.name for f in tmp_path.iterdir()] == ["scenario.yaml"]


def test_a_dry_run_says_that_a_run_would_be_refused(file, tmp_path, capsys, monkeypatch):
    options = ["--dry-run", "--replicates", 1_000_000, "--set", "time.duration_years=150"]
    monkeypatch.setattr(running, "memory_available", lambda: 2**45)
    assert command(file, *options) == 0
    assert "refused" not in capsys.readouterr().out
    monkeypatch.setattr(running, "memory_available", lambda: 2**30)
    assert command(file, *options) == 0
    out = capsys.readouterr().out
    assert re.search(r"^  memory +\d+ GiB of 1024 MiB free$", out, re.M)
    assert re.search(r"^  disk +[\d.]+ [MG]iB of \d+ [MG]iB free$", out, re.M)
    assert re.search(r"^  stepping +\d+\.\d hours on one thread, ", out, re.M)
    assert out.splitlines()[-1] == "too much memory: a run would be refused"


def test_a_dry_run_says_at_most_where_the_run_may_end_early(tmp_path, capsys):
    for stop, word in (([], "about"), (["fixation"], "at most")):
        assert command(written(tmp_path, bare(stop={"when": stop})), "--dry-run") == 0
        assert f"on one thread, {word} " in capsys.readouterr().out


# Ctrl-C.

INTERRUPTIBLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from mpn_abm.cli import progress, running
from mpn_abm.cli.main import main
progress.PLAIN_EVERY = 0.0
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("there", [False, True], ids=["new", "overwrite"])
def test_ctrl_c_is_130_and_leaves_no_half_output(tmp_path, there):
    """In the middle of stepping. Catches a loop that cannot be interrupted, and a table beside the checkpoint."""
    time_block = {"duration_years": 200, "record_every_years": 200}
    long = written(tmp_path, bare(time=time_block, replicates=100_000, output={"snapshots": False}))
    out = tmp_path / "deep" / "out"
    if there:
        assert command(written(tmp_path, bare(), "short.yaml"), "--out", out, "--quiet") == 0
    before = {f.name: f.read_bytes() for f in out.iterdir()} if there else {}
    words = ["run", str(long), "--out", str(out), "--overwrite"]
    with subprocess.Popen([sys.executable, "-c", INTERRUPTIBLE, *words], stderr=subprocess.PIPE, text=True) as child:
        try:
            assert any(line.startswith("bare: 0 %") for line in child.stderr)
            child.send_signal(signal.SIGINT)
            _, err = child.communicate(timeout=30)
        finally:
            child.kill()
    assert (child.returncode, err.splitlines()[-1], "Traceback" in err) == (130, "interrupted", False)
    left = {f.name: f.read_bytes() for f in out.iterdir()}
    assert left.pop(CHECKPOINT)
    assert left == before


# Ten thousand replicates.


def test_tables_of_many_replicates_are_one_file_with_their_seeds(tmp_path, capsys):
    assert command(written(tmp_path, bare()), "--out", tmp_path / "out", "--replicates", 3000, "--quiet") == 0
    summary = pq.read_table(tmp_path / "out" / "summary.parquet")
    seeds = summary.column("seed").to_pylist()
    assert summary.column("replicate").to_pylist() == list(range(3000))
    assert (seeds[0], len(set(seeds))) == (3, 3000)
    assert max(seeds) < 2**53


def test_the_machine_has_the_threads_that_it_says(file, tmp_path, capsys):
    most = compiler.threads_available()
    assert command(file, "--out", tmp_path / "out", "--threads", most, "--quiet") == 0
    assert command(file, "--out", tmp_path / "more", "--threads", most + 1) == 2
    assert f"expected at most {most}, the threads of this machine" in capsys.readouterr().err


def test_headlines_tell_the_peak_of_the_t_cells(tmp_path, capsys):
    assert command(written(tmp_path, niche()), "--out", tmp_path / "out", "--quiet") == 0
    out = capsys.readouterr().out
    peak = table(tmp_path / "out").car_t_total.max()
    assert re.search(rf"^  car_t_total +0 -> .* cells, at most {re.escape(f'{peak:.4g}')}$", out, re.M)
