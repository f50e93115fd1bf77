"""The script of an array job, where there is no SLURM."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpn_abm.errors import UsageError
from mpn_abm.studies.executors import slurm, slurm_queue
from mpn_abm.studies.executors.options import Options
from mpn_abm.studies.executors.slurm_script import ranges, shards_in, tasks_of

numbers = st.lists(st.integers(0, 300), unique=True).map(sorted)


@given(numbers.filter(bool))
def test_shards_are_read_as_they_were_written(shards):
    assert shards_in(ranges(shards)) == shards
    assert ranges(range(5)) == "0:5"


@given(numbers.filter(bool), st.integers(1, 20), st.integers(1, 40), st.booleans())
def test_every_shard_is_in_one_task_and_the_array_is_no_longer_than_it_may_be(shards, jobs, array_size, whole):
    tasks = tasks_of(shards, Options(jobs), array_size, whole)
    assert [shard for task in tasks for shard in task] == shards
    assert len(tasks) <= array_size
    sizes = {len(task) for task in tasks}
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 1
    if not whole:
        assert len(tasks) == min(len(shards), array_size)


def test_a_short_time_limit_makes_short_tasks():
    shards = range(1000)
    assert len(tasks_of(shards, Options(2), 1001)) == 16
    assert max(map(len, tasks_of(shards, Options(2, slurm={"time_minutes": 10}), 1001))) == 10


def test_the_script_asks_for_what_the_profile_says_and_bash_reads_it(tmp_path):
    folder = tmp_path / "a study's 5% folder"
    asked = {"partition": "long", "account": "lab", "time_minutes": 90.5, "memory_mb": 600, "setup": "module load py"}
    text = slurm.script(str(folder), range(40), Options(2, slurm=asked, retry_failed=True))
    lines = text.splitlines()
    assert lines[0] == "#!/bin/bash"
    for said in ("array=0-15%2", "partition=long", "account=lab", "time=91", "mem=600M", "cpus-per-task=1"):
        assert f"#SBATCH --{said}" in lines
    # what SLURM reads ends with the first command
    last = max(at for at, line in enumerate(lines) if line.startswith("#SBATCH"))
    assert all(line.startswith("#") for line in lines[:last])
    assert "5%% folder" in text
    assert lines.index("module load py") > last
    assert "--retry-failed" in text
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    # with the commands of a node in place of the work
    shown = text.replace("exec ", 'printf "%s\\n" ').replace("module load py", "")
    done = subprocess.run(
        ["bash"],
        input=shown,
        capture_output=True,
        text=True,
        env={"SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_JOB_ID": "7"},
    )
    words = done.stdout.splitlines()
    assert words[1:] == [
        "-m", "mpn_abm.studies.shard", str(folder), "--shards", "2:5", "--retry-failed",
        "--outcomes", f"{folder}/slurm/7_1.jsonl",
    ], done  # fmt: skip


def test_where_there_is_no_slurm_one_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="needs sbatch, squeue, scancel: call it on a machine"):
        slurm.work(str(tmp_path), [0], Options(), print)
    # the script can be shown all the same
    assert "#SBATCH --array=0-0%1" in slurm.script(str(tmp_path), [0], Options())


def fake(tmp_path, monkeypatch, sacct="", squeue="", code=0, said=""):
    """Commands of SLURM that say what they are told; what they do is in the tests with a real one."""
    for name, text in {"squeue": squeue, "sacct": sacct}.items():
        file = tmp_path / name
        file.write_text(
            f"#!/bin/sh\ncat <<'END'\n{text}\nEND\necho '{said}' >&2\nexit {code if name == 'squeue' else 0}\n"
        )
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_a_task_that_the_queue_forgot_is_asked_of_the_accounting(tmp_path, monkeypatch):
    accounted = "7_0|COMPLETED|0:0\n7_1|OUT_OF_MEMORY|0:125\n7_2|CANCELLED by 1000|0:15"
    fake(tmp_path, monkeypatch, accounted, code=1, said="slurm_load_jobs error: Invalid job id specified")
    found = slurm_queue.states("7", 4)
    assert [str(found[task]) for task in range(4)] == [
        "COMPLETED (exit code 0:0)",
        "OUT_OF_MEMORY (exit code 0:125)",
        "CANCELLED (exit code 0:15)",
        "COMPLETED (SLURM does not know it any more)",
    ]
    assert all(state.has_ended for state in found.values())


def test_a_controller_that_does_not_answer_says_nothing_of_tasks(tmp_path, monkeypatch):
    fake(tmp_path, monkeypatch, code=1, said="slurm_load_jobs error: Unable to contact slurm controller")
    assert slurm_queue.states("7", 4) is None


def test_tasks_in_one_line_of_the_queue_are_still_there(tmp_path, monkeypatch):
    fake(tmp_path, monkeypatch, squeue="7_0|TIMEOUT|TimeLimit\n7_[1-3%2]|PENDING|Priority")
    found = slurm_queue.states("7", 4)
    assert [found[task].has_ended for task in range(4)] == [True, False, False, False]
    assert str(found[0]) == "TIMEOUT (TimeLimit)"
