"""How far a study is, on the standard error; and what stops it in good order."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mpn_abm.cli.progress import PLAIN_EVERY
from mpn_abm.errors import Stopped

if TYPE_CHECKING:
    from mpn_abm.studies.progress import Standing


@contextmanager
def watching(name: str, quiet: bool) -> Iterator[Callable[[Standing], None] | None]:
    """A bar with runs, failures and the time left on a terminal, plain lines elsewhere, nothing if quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(name, total=1.0, said="")
            yield lambda standing: bar.update(task, completed=standing.share, said=str(standing))
    else:
        yield _Lines(name).tell


class _Lines:
    """A line now and then, and when a run has failed."""

    def __init__(self, name: str) -> None:
        self._name, self._last, self._failed = name, time.monotonic(), 0

    def tell(self, standing: Standing) -> None:
        now = time.monotonic()
        if now - self._last >= PLAIN_EVERY or standing.failed > self._failed:
            self._last, self._failed = now, standing.failed
            print(f"{self._name}: {standing}", file=sys.stderr, flush=True)


@contextmanager
def stoppable(told: str) -> Iterator[None]:
    """Within, a SIGTERM raises ``Stopped``, so that what was begun is put in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise Stopped(told)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
