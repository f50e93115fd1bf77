"""Shards as tasks of a Dask cluster: of one that is there, or of worker processes of this machine."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import mpn_abm
from mpn_abm.errors import SimulationError, UsageError
from mpn_abm.studies.executors.options import Options, Told
from mpn_abm.studies.outcome import Outcome

if TYPE_CHECKING:
    from distributed import Client

# seconds that a scheduler may take to answer
PATIENCE = 10
# and a worker to start on a machine that is busy
PATIENCE_WITH_A_WORKER = 60
SETTINGS = {
    # numba reads its number of threads when it is imported, so that a worker has it from its first moment
    "distributed.nanny.pre-spawn-environ.NUMBA_NUM_THREADS": 1,
    "distributed.worker.multiprocessing-method": "spawn",
    # a shard waits until a worker is free, and is not blamed for the death of one on which it was not yet
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.allowed-failures": 0,
}
log = logging.getLogger(__name__)
_ADDRESS = re.compile(r"(\w+://)?(\[[0-9a-fA-F:]+\]|[^\s/:]+):\d+/?")


def work(folder: str, shards: Sequence[int], options: Options, told: Told) -> list[Outcome]:
    """Carry out shards on the workers of a scheduler, or on so many of this machine's own."""
    if not shards:
        return []
    _refuse_without_dask()
    # a worker imports this module before it has one thread
    from mpn_abm.studies.shard import give_up
    from mpn_abm.studies.warming import warm

    folder = str(Path(folder).resolve())
    if not options.scheduler:
        warm(folder)
    with _same_environment(), _client(options, len(shards)) as client:
        if options.scheduler:
            _refuse_unfit_workers(client, folder)
            warm(folder)
        tasks = _Tasks(client, folder, options.retry_failed, told)
        # alone: what dies now dies of its own shard
        for suspect in tasks.carried_out(shards):
            for shard, why in tasks.carried_out([suspect]).items():
                tasks.done(give_up(folder, shard, why))
    return tasks.outcomes


@dataclass
class _Tasks:
    """The shards that are given to a scheduler, and what came of them."""

    client: Client
    folder: str
    retry_failed: bool
    told: Told
    outcomes: list[Outcome] = field(default_factory=list)

    def carried_out(self, shards: Sequence[int]) -> dict[int, str]:
        """Carry shards out, once; the reasons of those whose worker died."""
        from distributed import KilledWorker, as_completed

        # the scheduler may still know the tasks of an earlier call
        topic = f"mpn_abm-{uuid4().hex[:8]}"
        # workers tell outcomes in time: their results go with them when they die
        heard: dict[int, Outcome] = {}
        self.client.subscribe_topic(topic, lambda event: _hear(heard, event))
        asked = {"retry_failed": self.retry_failed, "version": mpn_abm.__version__, "topic": topic}
        names = [f"{topic}-{shard:05d}" for shard in shards]
        folders = [self.folder] * len(shards)
        futures = self.client.map(_carried_out, folders, shards, **asked, key=names, pure=False)
        shard_of = dict(zip(futures, shards, strict=True))
        died = {}
        try:
            for future in as_completed(futures, loop=self.client.loop):
                shard = shard_of.pop(future)
                try:
                    self.done(heard[shard] if shard in heard else future.result())
                except KilledWorker as error:
                    died[shard] = f"the Dask worker at {error.last_worker.address} died, as did one before it"
                # the scheduler forgets it
                future.release()
        except CancelledError as error:
            told = "the Dask scheduler is gone; what is done stays, and the same command goes on from there"
            raise SimulationError(told) from error
        finally:
            with suppress(Exception):
                self.client.cancel(list(shard_of), force=True)
                self.client.unsubscribe_topic(topic)
        return died

    def done(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.told(outcome)


def _hear(heard: dict[int, Outcome], event: tuple[float, dict[str, Any]]) -> None:
    outcome = Outcome(**event[1]["outcome"])
    heard[outcome.shard] = outcome


def _carried_out(folder: str, shard: int, retry_failed: bool, version: str, topic: str) -> Outcome:
    """What a worker does; those that came after the others were asked are asked here."""
    from distributed import get_worker

    worker = get_worker()
    wrong = _unfit(mpn_abm.__version__, worker.state.nthreads, Path(folder).is_dir(), folder, version)
    if wrong:
        raise UsageError(f"Dask worker {worker.address}: {wrong}")
    if "numba" not in sys.modules:
        # read when it is imported, which is next
        os.environ["NUMBA_NUM_THREADS"] = "1"
    import pyarrow as pa

    from mpn_abm.studies.shard import carry_out

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    outcome = carry_out(folder, shard, retry_failed)
    worker.log_event(topic, {"outcome": asdict(outcome)})
    return outcome


def _unfit(version: str | None, threads: int, sees_folder: bool, folder: str, wanted: str) -> str:
    """Why a worker cannot take shards; empty if it can."""
    if version != wanted:
        has = f"has mpn_abm {version}" if version else "has no mpn_abm"
        return f"{has}, this program is {wanted}; install the same version for all of them"
    if threads != 1:
        return f"has {threads} threads, and a shard takes a process; start it with --nthreads 1 (--nworkers for more)"
    if not sees_folder:
        return f"does not see {folder}; the folder has to be shared, under the same path"
    return ""


def _refuse_unfit_workers(client: Client, folder: str) -> None:
    """See that the workers that are there now can take shards; what is wrong is told of all of them."""
    versions = client.get_versions(packages=["mpn_abm"])["workers"]
    seen = client.run(os.path.isdir, folder, on_error="ignore")
    workers = client.scheduler_info(n_workers=-1)["workers"]
    if not workers:
        log.warning("the Dask scheduler has no workers yet; the shards wait for them")
    told = []
    # a worker may go or come between these questions
    for address in sorted(versions.keys() & seen.keys() & workers.keys()):
        has, threads = versions[address]["packages"].get("mpn_abm"), workers[address]["nthreads"]
        if wrong := _unfit(has, threads, seen[address], folder, mpn_abm.__version__):
            told.append(f"Dask worker {address}: {wrong}")
    if told:
        raise UsageError("\n".join(told))


def _refuse_without_dask() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        told = f"the executor dask needs one package more: pip install 'mpn-abm[cluster]' ({error})"
        raise UsageError(told) from error


@contextmanager
def _same_environment() -> Iterator[None]:
    """Give the environment back as it was: what starts workers puts their settings into that of this process."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _client(options: Options, shards: int) -> Iterator[Client]:
    import dask
    from distributed import Client, LocalCluster

    if options.scheduler:
        told = f"{options.scheduler}: no Dask scheduler answers there"
        if not _ADDRESS.fullmatch(options.scheduler):
            raise UsageError(f"{told}; expected an address such as tcp://HOST:8786")
        try:
            client = Client(options.scheduler, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UsageError(f"{told} ({error})") from error
        with client:
            yield client
        return
    workers = max(1, min(options.jobs, shards))
    with (
        dask.config.set(SETTINGS),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
            # the death of a worker is told by what becomes of its shard
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client
        # a cluster that closes while it replaces a worker may wait for minutes
        with suppress(TimeoutError):
            client.wait_for_workers(workers, timeout=PATIENCE_WITH_A_WORKER)
