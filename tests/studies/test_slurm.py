"""Studies on a real SLURM of one node, which the tests start and stop."""

import json
import signal
import subprocess

import pytest
from studies.slurm_node import missing, slurm_node
from studies.study_folders import a_sweep, command, digests, digests_of, written
from studies.test_killed import wait_for
from studies.traps import set_trap, sprung

import mpn_abm
from mpn_abm.errors import UsageError
from mpn_abm.studies.executors import slurm

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(bool(missing()), reason=f"no SLURM: {', '.join(missing())} missing (slurm-wlm, munge)"),
]

SOURCE = a_sweep(24, replicates=2)
TASK = "mpn_abm.studies.shard"


@pytest.fixture(scope="session")
def node():
    """The environment in which the commands of a running SLURM find it; an array may have four tasks."""
    with slurm_node(array_size=4) as environment:
        yield environment


@pytest.fixture(autouse=True)
def inside(monkeypatch, node):
    monkeypatch.setenv("SLURM_CONF", node["SLURM_CONF"])
    monkeypatch.setattr(slurm, "LONGEST_PAUSE", 0.5)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The digests of the study from this process alone."""
    return digests_of(tmp_path_factory, SOURCE)


def on_slurm(folder, **options):
    return mpn_abm.sweep(SOURCE, out=folder, jobs=2, executor="slurm", **options)


def job_of(folder):
    return json.loads((folder / "slurm" / "job.json").read_text())


def queue():
    """Tasks that wait or run."""
    done = subprocess.run(["squeue", "--noheader"], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_an_array_job_leaves_the_same_bits_and_a_second_call_does_nothing(tmp_path, monkeypatch, whole):
    study = on_slurm(tmp_path / "s", slurm={"partition": "short", "time_minutes": 5, "setup": "export GREETING=hello"})
    assert digests(tmp_path / "s") == whole
    assert study.failures.empty
    # as many shards in a task as the limit of the array asks for
    tasks = job_of(tmp_path / "s")["tasks"]
    assert len(tasks) == 4
    assert [shard for task in tasks for shard in task] == sorted(set(study.plan["shard"]))
    # tasks leave nothing but the script
    assert sorted(file.name for file in (tmp_path / "s" / "slurm").iterdir()) == ["array.sh", "job.json"]
    monkeypatch.setattr(slurm, "work", None)
    on_slurm(tmp_path / "s")


def test_a_task_that_is_killed_is_submitted_again_and_given_up_the_second_time(tmp_path, monkeypatch, whole):
    """Shard 2 kills one task, shard 9 every one."""
    with monkeypatch.context() as patched:
        set_trap(patched, tmp_path / "trap", TASK, once=(2,), always=(9,))
        study = on_slurm(tmp_path / "s")
    assert sprung(tmp_path / "trap") == {2, 9}
    lost = study.plan["run_id"][study.plan["shard"] == 9].tolist()
    assert lost
    assert study.failures["run_id"].tolist() == lost
    assert study.failures["message"].str.contains(r"SLURM task \d+_\d: FAILED \(").all(), study.failures["message"][0]
    assert len(study.summary) == len(study.plan) - len(lost)
    assert mpn_abm.sweep(SOURCE, out=tmp_path / "s", retry_failed=True).failures.empty
    assert digests(tmp_path / "s") == whole


def test_a_task_with_too_little_memory_is_told_of_in_the_words_of_slurm(tmp_path):
    study = mpn_abm.sweep(a_sweep(2), out=tmp_path / "s", jobs=2, executor="slurm", slurm={"memory_mb": 30})
    assert study.failures["run_id"].tolist() == study.plan["run_id"].tolist()
    told = study.failures["message"]
    # OUT_OF_MEMORY where control groups watch it
    assert told.str.contains(r"SLURM task \d+_\d: (?:OUT_OF_MEMORY|FAILED .*memory limit)").all(), told[0]
    assert study.facts["failed"] == 2


def test_a_job_whose_parent_was_killed_is_found_by_the_next_call(tmp_path, whole):
    file = written(tmp_path / "study.json", SOURCE)
    words = ("sweep", "run", file, "--out", tmp_path / "s", "--executor", "slurm", "--jobs", 2)
    parent = command(*words)
    wait_for(lambda: (tmp_path / "s" / "slurm" / "job.json").exists(), parent)
    parent.kill()
    parent.communicate()
    job = job_of(tmp_path / "s")["number"]
    assert queue()
    on_slurm(tmp_path / "s")
    assert job_of(tmp_path / "s")["number"] == job
    assert digests(tmp_path / "s") == whole


def test_ctrl_c_cancels_the_job_and_the_study_goes_on_elsewhere(tmp_path, whole):
    file = written(tmp_path / "study.json", SOURCE)
    words = ("sweep", "run", file, "--out", tmp_path / "s", "--executor", "slurm", "--jobs", 1)
    parent = command(*words)
    wait_for(lambda: (tmp_path / "s" / "slurm" / "job.json").exists(), parent)
    parent.send_signal(signal.SIGINT)
    _, told = parent.communicate()
    assert parent.returncode == 130, told
    assert "is cancelled; what is done stays, and the same command goes on" in told
    wait_for(lambda: not queue())
    mpn_abm.sweep(SOURCE, out=tmp_path / "s")
    assert digests(tmp_path / "s") == whole


def test_what_slurm_refuses_is_told_in_its_words(tmp_path):
    with pytest.raises(UsageError, match=r"SLURM does not take .*array\.sh: .*invalid partition specified: nosuch"):
        on_slurm(tmp_path / "s", slurm={"partition": "nosuch"})
