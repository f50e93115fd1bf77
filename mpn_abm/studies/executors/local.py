"""Shards on the processes of this machine, each with one thread.

A process is a fresh interpreter (``worker.py``), so that nothing of the parent's threads is in it, and a script that
calls a study needs no guard. It ends when its parent does.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import mpn_abm
from mpn_abm.errors import SimulationError
from mpn_abm.studies.executors.options import Options, Told
from mpn_abm.studies.outcome import Outcome
from mpn_abm.studies.shard import carry_out, give_up
from mpn_abm.studies.warming import warm

# workers that end before they began, one after the other, until it is no accident
MOST_FALSE_STARTS = 4
ONE_THREAD = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def work(folder: str, shards: Sequence[int], options: Options, told: Told) -> list[Outcome]:
    """Carry out shards, on so many processes; with one job in this process itself.

    Raises
    ------
    SimulationError
        If parts cannot be written, or no process can be started.
    """
    if options.jobs == 1:
        outcomes = []
        for shard in shards:
            outcomes.append(carry_out(folder, shard, options.retry_failed))
            told(outcomes[-1])
        return outcomes
    warm(folder)
    return _Crew(folder, shards, options, told).work()


class _Worker:
    """A process and the shard that it has."""

    def __init__(self, folder: str, retry_failed: bool) -> None:
        home = str(Path(mpn_abm.__file__).resolve().parents[1])
        path = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mpn_abm.studies.executors.worker", folder, json.dumps(retry_failed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": path},
        )
        self.shard: int | None = None
        self.is_ready = False

    def take(self, shard: int) -> None:
        self.shard = shard
        assert self.process.stdin is not None
        # where it has died, the end of its answers tells
        with suppress(BrokenPipeError):
            self.process.stdin.write(f"{shard}\n".encode())
            self.process.stdin.flush()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()


class _Crew:
    """Workers, and the shards that are left for them."""

    def __init__(self, folder: str, shards: Sequence[int], options: Options, told: Told) -> None:
        self._folder, self._options, self._told = folder, options, told
        self._left = deque(shards)
        self._lost: set[int] = set()
        self._outcomes: list[Outcome] = []
        self._number = len(shards)
        self._false_starts = 0
        self._selector = selectors.DefaultSelector()
        self._workers: list[_Worker] = []

    def work(self) -> list[Outcome]:
        try:
            for _ in range(min(self._options.jobs, self._number)):
                self._hire()
            while len(self._outcomes) < self._number:
                for key, _ in self._selector.select():
                    self._hear(key.data)
        finally:
            for worker in list(self._workers):
                self._dismiss(worker)
            self._selector.close()
        return self._outcomes

    def _hire(self) -> None:
        worker = _Worker(self._folder, self._options.retry_failed)
        self._workers.append(worker)
        assert worker.process.stdout is not None
        self._selector.register(worker.process.stdout, selectors.EVENT_READ, worker)

    def _dismiss(self, worker: _Worker) -> None:
        assert worker.process.stdout is not None
        self._selector.unregister(worker.process.stdout)
        self._workers.remove(worker)
        worker.end()

    def _hear(self, worker: _Worker) -> None:
        """An answer of a worker: that it is ready, or what became of its shard; or its end."""
        assert worker.process.stdout is not None
        line = worker.process.stdout.readline()
        if not line.endswith(b"\n"):
            self._bury(worker)
            return
        said = json.loads(line)
        if "error" in said:
            raise SimulationError(said["error"])
        worker.is_ready, worker.shard, self._false_starts = True, None, 0
        if "shard" in said:
            self._note(Outcome(**said))
        if self._left:
            worker.take(self._left.popleft())

    def _bury(self, worker: _Worker) -> None:
        """A worker has died: another comes, and its shard is carried out once more, or given up."""
        shard = worker.shard
        self._dismiss(worker)
        how = _how(worker.process.returncode)
        if not worker.is_ready:
            self._false_starts += 1
            if self._false_starts >= MOST_FALSE_STARTS:
                raise SimulationError(f"{self._folder}: no worker could be started, the last one {how}")
        if shard is not None and shard in self._lost:
            self._note(give_up(self._folder, shard, f"the process that ran it {how}, and so did a second one"))
        elif shard is not None:
            self._lost.add(shard)
            self._left.appendleft(shard)
        if self._left or not self._workers:
            self._hire()

    def _note(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._told(outcome)


def _how(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
