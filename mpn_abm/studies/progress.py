"""How far a study is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from mpn_abm.studies.outcome import Outcome
from mpn_abm.words import counted


@dataclass(frozen=True)
class Standing:
    """Runs of a study, and how long the others will take at the pace so far."""

    total: int
    done: int  # failed ones included
    failed: int
    seconds_left: float | None = None

    @property
    def share(self) -> float:
        """The share that is done."""
        return self.done / self.total if self.total else 1.0

    def __str__(self) -> str:
        failed = f", {self.failed:,} failed" if self.failed else ""
        left = "" if self.seconds_left is None else f", about {duration(self.seconds_left)} left"
        return f"{self.done:,} of {counted(self.total, 'run')}{failed}{left}"


Watcher = Callable[[Standing], None]


class Tally:
    """Counts what executors tell, beginning with what was done before."""

    def __init__(self, total: int, done: int, failed: int, watcher: Watcher | None) -> None:
        self.total, self.done, self.failed = total, done, failed
        self.peak_memory_mb = 0.0
        self._watcher = watcher
        # the pace counts from the first answer, as the processes have to start
        self._first: tuple[float, int] | None = None
        self._tell()

    def take(self, outcome: Outcome) -> None:
        """A shard is done; runs of it that were tried again are counted once."""
        self.done += outcome.runs + outcome.failed
        self.failed += outcome.failed
        self.peak_memory_mb = max(self.peak_memory_mb, outcome.peak_memory_mb)
        if self._first is None:
            self._first = time.monotonic(), self.done
        self._tell()

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        left = None
        if self._first is not None and self._first[1] < self.done < self.total:
            pace = (self.done - self._first[1]) / (time.monotonic() - self._first[0])
            left = (self.total - self.done) / pace
        return Standing(self.total, self.done, self.failed, left)

    def _tell(self) -> None:
        if self._watcher is not None:
            self._watcher(self.standing)


def duration(seconds: float) -> str:
    """A length of time as one says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
