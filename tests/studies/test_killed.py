"""Killed at any instant, a study goes on where it was: no half part, no row twice, the same bits.

In one process the instants are those between any two changes of the folder. With workers they are instants of time.
"""

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from studies.study_folders import a_sweep, a_trial, command, dies_in_a_copy, digests, digests_of, written

import mpn_abm
from mpn_abm.scenario.studies.study_file import load_study
from mpn_abm.studies.folder import Folder, runs_of
from mpn_abm.studies.opening import opened

INSTANTS = 8
# what changes a folder
CHANGES = ((Path, "replace"), (Path, "unlink"), (Path, "mkdir"), (os, "fsync"))


def counting(monkeypatch, at=None):
    """Count the changes of folders, and die just before one of them."""
    seen = [0]

    def watched(change):
        def changed(*words, **options):
            if seen[0] == at:
                os.kill(os.getpid(), signal.SIGKILL)
            seen[0] += 1
            return change(*words, **options)

        return changed

    for owner, name in CHANGES:
        monkeypatch.setattr(owner, name, watched(getattr(owner, name)))
    return seen


def changes_of(monkeypatch, work):
    with monkeypatch.context() as patched:
        seen = counting(patched)
        work()
        return seen[0]


def killed(monkeypatch, work, at):
    with monkeypatch.context() as patched:
        counting(patched, at)
        return dies_in_a_copy(work)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (None, a_sweep(6)),
        # the earlier runs get other names, and their parts are written anew
        (a_sweep(5), a_sweep(5, replicates=2)),
    ],
    ids=["begun", "grown"],
)
def test_killed_between_any_two_changes_of_the_folder(tmp_path, monkeypatch, tmp_path_factory, earlier, later):
    def begun(name):
        if earlier is not None:
            mpn_abm.sweep(earlier, out=tmp_path / name)
        return tmp_path / name

    whole = digests_of(tmp_path_factory, later)
    place = begun("count")
    total = changes_of(monkeypatch, lambda: mpn_abm.sweep(later, out=place))
    assert total > 20
    for at in sorted(random.Random(1).sample(range(total), INSTANTS)):
        place = begun(f"at{at}")
        assert killed(monkeypatch, lambda place=place: mpn_abm.sweep(later, out=place), at), at
        study = mpn_abm.sweep(later, out=place)
        assert study.summary["run_id"].tolist() == study.plan["run_id"].tolist(), at
        assert study.failures.empty, at
        assert digests(place) == whole, at
        assert {len(list((place / table).glob("*"))) for table in ("summary", "trajectory")} == {
            study.plan["shard"].nunique()
        }, at
        assert not list(place.rglob(".*")), at


HALF = {"half": {"column": "vaf_driver", "above": 0.5}}


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (None, a_trial(3)),
        (a_trial(3), a_trial(4)),
        (a_sweep(4), a_sweep(4, replicates=2)),
        (a_sweep(4), a_sweep(4, endpoints=HALF)),
    ],
    ids=["begun", "patients", "renamed", "endpoints"],
)
def test_killed_at_any_instant_of_the_opening_the_old_runs_or_the_new_ones_are_there(
    tmp_path, monkeypatch, earlier, later
):
    """Catches a plan that is gone before the new one comes, and a beginning that a second call refuses."""
    source, before = tmp_path / "before", 0
    source.mkdir()
    if earlier is not None:
        done = getattr(mpn_abm, "trial" if "trial" in earlier else "sweep")(earlier, out=source)
        before = len(done.plan)
    study = load_study(later)

    def opening(place):
        with Folder(place).held():
            return opened(Folder(place), study)

    def copied(name):
        return Path(shutil.copytree(source, tmp_path / name))

    place = copied("count")
    total = changes_of(monkeypatch, lambda: opening(place))
    new = len(mpn_abm.read(place).plan)
    for at in range(total):
        place = copied(f"at{at}")
        assert killed(monkeypatch, lambda place=place: opening(place), at), at
        if earlier is not None:
            found = mpn_abm.read(place)
            assert len(found.plan) in (before, new), at
            assert found.summary["run_id"].isin(found.plan["run_id"]).sum() == before, at
        plan = opening(place)
        assert len(plan) == new, at
        runs = runs_of(plan)
        assert sum(runs[shard] for shard in Folder(place).done(runs)) == before, at
        assert (place / "study.yaml").read_text() == study.to_yaml(), at


def test_the_parent_is_killed_and_its_workers_end_with_it(tmp_path, tmp_path_factory):
    source = a_sweep(48)
    file = written(tmp_path / "study.json", source)
    words = ("sweep", "run", file, "--out", tmp_path / "s", "--jobs", 2)
    after, whole = random.Random(2), digests_of(tmp_path_factory, source)
    for parts in (1, 9):
        parent = command(*words)
        wait_for(lambda parts=parts: len(list((tmp_path / "s").glob("summary/part-*"))) >= parts, parent)
        workers = children_of(parent.pid)
        time.sleep(after.random() * 0.02)
        parent.kill()
        parent.communicate()
        assert len(workers) == 2
        wait_for(lambda workers=workers: not any(map(is_alive, workers)))
    study = mpn_abm.sweep(source, out=tmp_path / "s")
    assert study.summary["run_id"].tolist() == study.plan["run_id"].tolist()
    assert digests(tmp_path / "s") == whole


def test_a_worker_that_dies_is_replaced(tmp_path, tmp_path_factory):
    source = a_sweep(48)
    file = written(tmp_path / "study.json", source)
    whole = digests_of(tmp_path_factory, source)
    parent = command("sweep", "run", file, "--out", tmp_path / "s", "--jobs", 2)
    for parts in (1, 5):
        wait_for(lambda parts=parts: len(list((tmp_path / "s").glob("summary/part-*"))) >= parts, parent)
        os.kill(children_of(parent.pid)[0], signal.SIGKILL)
    told = parent.communicate()
    assert parent.returncode == 0, told
    assert digests(tmp_path / "s") == whole


def test_what_kills_every_worker_is_given_up_and_the_rest_is_done(tmp_path):
    """Shard 2 kills whoever carries it out."""
    (tmp_path / "trap").mkdir()
    (tmp_path / "trap" / "sitecustomize.py").write_text(TRAP)
    file = written(tmp_path / "study.json", a_sweep(16))
    words = ("sweep", "run", file, "--out", tmp_path / "s", "--jobs", 2)
    parent = command(*words, env={"PYTHONPATH": f"{tmp_path / 'trap'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"})
    out, err = parent.communicate()
    assert parent.returncode == 5, (out, err)
    assert "2 of 16 runs failed" in err
    study = mpn_abm.read(tmp_path / "s")
    assert len(study.summary) == 14
    failures = study.failures
    assert failures["run_id"].tolist() == ["00004", "00005"]
    assert (failures["kind"] == "WorkerDied").all()
    assert failures["message"].str.contains("killed by signal 9, and so did a second one").all()
    # it is not tried again unasked
    assert mpn_abm.sweep(a_sweep(16), out=tmp_path / "s").facts["failed"] == 2
    again = mpn_abm.sweep(a_sweep(16), out=tmp_path / "s", retry_failed=True)
    assert again.facts["failed"] == 0
    assert again.failures.empty
    assert again.summary["run_id"].tolist() == again.plan["run_id"].tolist()


TRAP = """
import os, sys
if "mpn_abm.studies.executors.worker" in sys.orig_argv:
    import mpn_abm.studies.shard as shard
    carry_out = shard.carry_out
    def trap(folder, number, retry_failed=False):
        if number == 2:
            os.kill(os.getpid(), 9)
        return carry_out(folder, number, retry_failed)
    shard.carry_out = trap
"""


def wait_for(holds, process=None, seconds=120):
    """Wait until something holds; a process that ends before has something to say."""
    end = time.monotonic() + seconds
    while not holds():
        if process is not None and process.poll() is not None:
            raise AssertionError(process.communicate())
        assert time.monotonic() < end
        time.sleep(0.005)


def children_of(parent):
    """Processes that a process has started."""
    with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as line:
        return [int(word) for word in line.read().split()]


def is_alive(process):
    """Whether a process runs; one that has ended and that nobody asked for does not."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as line:
            return line.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
