"""What a run has taken so far, over all the processes that worked on it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Effort(NamedTuple):
    """Seconds, and candidates of the batches that are done."""

    compile_seconds: float = 0.0
    stepping_seconds: float = 0.0
    wall_seconds: float = 0.0
    candidates: int = 0
    events: int = 0
    resumed: int = 0  # how often a process went on from a checkpoint


class Meter:
    """Adds up the effort of this process on top of ``before``, that of the processes before it."""

    def __init__(self) -> None:
        self.before, self._start = Effort(), time.perf_counter()
        self._compiling = self._stepping = 0.0
        self._since: float | None = None
        self._candidates = self._events = 0

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Count what is done inside as compiling."""
        start = time.perf_counter()
        yield
        self._compiling += time.perf_counter() - start

    @contextmanager
    def stepping(self) -> Iterator[None]:
        """Count what is done inside as stepping, placing the first day included."""
        self._since = time.perf_counter()
        yield
        self._stepping += time.perf_counter() - self._since
        self._since = None

    def count(self, candidates: int, events: int) -> None:
        """Count what a batch has drawn, and what of it changed a site."""
        self._candidates += candidates
        self._events += events

    def so_far(self) -> Effort:
        """The effort until now; in the midst of stepping, too."""
        now, before = time.perf_counter(), self.before
        stepping = self._stepping + (0.0 if self._since is None else now - self._since)
        return Effort(
            compile_seconds=before.compile_seconds + self._compiling,
            stepping_seconds=before.stepping_seconds + stepping,
            wall_seconds=before.wall_seconds + now - self._start,
            candidates=before.candidates + self._candidates,
            events=before.events + self._events,
            resumed=before.resumed,
        )
