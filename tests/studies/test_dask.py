"""Studies on Dask: processes that it starts here, and a scheduler with workers started by its own commands."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
from studies.study_folders import ROOT, a_sweep, digests, digests_of
from studies.traps import set_trap, sprung

import mpn_abm
from mpn_abm.errors import UsageError
from mpn_abm.studies.executors import dask
from mpn_abm.studies.executors.options import Options

distributed = pytest.importorskip("distributed", reason="no Dask: pip install 'mpn-abm[cluster]'")
pytestmark = pytest.mark.cluster

SOURCE = a_sweep(24, replicates=2)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The digests of the study from this process alone."""
    return digests_of(tmp_path_factory, SOURCE)


def must_not_work(*_words):
    raise AssertionError("there was nothing to do")


def test_processes_of_dask_leave_the_same_bits_and_what_kills_them_is_given_up(tmp_path, monkeypatch, whole, capfd):
    """Shard 2 kills one worker, shard 5 every one; nothing is said of it but in the tables."""
    with monkeypatch.context() as patched:
        set_trap(patched, tmp_path / "trap", "spawn_main", once=(2,), always=(5,))
        study = mpn_abm.sweep(SOURCE, out=tmp_path / "s", jobs=2, executor="dask")
    assert sprung(tmp_path / "trap") == {2, 5}
    assert capfd.readouterr().err == ""
    lost = study.plan["run_id"][study.plan["shard"] == 5].tolist()
    assert lost
    assert study.failures["run_id"].tolist() == lost
    assert set(study.failures["kind"]) == {"WorkerDied"}
    assert study.failures["message"].str.contains("Dask worker at .* died, as did one before it").all()
    assert len(study.summary) == len(study.plan) - len(lost)
    assert mpn_abm.sweep(SOURCE, out=tmp_path / "s", retry_failed=True).failures.empty
    assert digests(tmp_path / "s") == whole
    monkeypatch.setattr(dask, "work", must_not_work)
    mpn_abm.sweep(SOURCE, out=tmp_path / "s", jobs=2, executor="dask")


@contextmanager
def started(*words, folder):
    """A process of a command of Dask."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "DASK_TEMPORARY_DIRECTORY": str(folder)}
    with (folder / f"{words[0]}.log").open("ab") as log:
        command = [sys.executable, "-m", "dask", *words, "--host", "127.0.0.1", "--no-dashboard"]
        # a group of its own, which ends as a whole
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    try:
        yield server
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@contextmanager
def workers(address, folder, *options, number=1, others=0):
    """A command that starts workers, which have come."""
    words = ("worker", address, "--nworkers", str(number), *options)
    with started(*words, folder=folder) as server, distributed.Client(address, set_as_default=False) as client:
        client.wait_for_workers(number + others, timeout=60)
        yield server


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The address of a scheduler with two workers."""
    folder = tmp_path_factory.mktemp("dask")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    with (
        started("scheduler", "--port", str(port), folder=folder),
        workers(address, folder, "--nthreads", "1"),
        workers(address, folder, "--nthreads", "1", others=1),
    ):
        yield address


def test_a_scheduler_and_workers_that_are_there_leave_the_same_bits(tmp_path, whole, cluster):
    killed = []

    def kill_one(standing):
        if standing.done and not killed:
            with distributed.Client(cluster, set_as_default=False) as client:
                killed.extend(list(client.run(os.getpid).values())[:1])
            os.kill(killed[0], signal.SIGKILL)

    study = mpn_abm.sweep(SOURCE, out=tmp_path / "s", executor="dask", scheduler=cluster, progress=kill_one)
    assert killed
    assert study.failures.empty
    assert digests(tmp_path / "s") == whole


def test_another_version_is_told(tmp_path, monkeypatch, cluster):
    mine = mpn_abm.__version__
    monkeypatch.setattr(mpn_abm, "__version__", "99.0")
    with distributed.Client(cluster, set_as_default=False) as client:
        # one that was killed has another in its place
        client.wait_for_workers(2, timeout=60)
    with pytest.raises(UsageError) as caught:
        dask.work(str(tmp_path), [0], Options(scheduler=cluster), must_not_work)
    told = str(caught.value).splitlines()
    assert len(told) == 2
    assert all(f": has mpn_abm {mine}, this program is 99.0; install the same version" in line for line in told)


def test_a_worker_that_cannot_take_shards_is_told(tmp_path, cluster):
    with (
        workers(cluster, tmp_path, "--nthreads", "2", others=2),
        pytest.raises(UsageError, match="has 2 threads, and a shard takes a process; start it with --nthreads 1"),
    ):
        dask.work(str(tmp_path), [0], Options(scheduler=cluster), must_not_work)
    with pytest.raises(UsageError, match=r"does not see /nowhere; the folder has to be shared"):
        dask.work("/nowhere", [0], Options(scheduler=cluster), must_not_work)


def test_a_scheduler_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(dask, "PATIENCE", 0.5)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"{address}: no Dask scheduler answers there"):
            dask.work(str(tmp_path), [0], Options(scheduler=address), must_not_work)
    with pytest.raises(UsageError, match="head: no Dask scheduler answers there; expected an address such as tcp://"):
        dask.work(str(tmp_path), [0], Options(scheduler="head"), must_not_work)
