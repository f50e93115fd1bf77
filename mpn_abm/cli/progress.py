"""How far a command is, on the standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# seconds between two plain lines of progress
PLAIN_EVERY = 5.0


@contextmanager
def progress(name: str, quiet: bool) -> Iterator[Callable[[float], None] | None]:
    """A bar with the time left on a terminal, plain lines elsewhere, nothing if quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            # its clock starts at the first word, too
            task = bar.add_task(name, total=1.0, start=False)

            def show(share: float) -> None:
                if not bar.tasks[0].started:
                    bar.start_task(task)
                bar.update(task, completed=share)

            yield show
    else:
        # the clock starts at the first word, so that compiling does not count as work done
        start = last = 0.0
        first = 0.0

        def tell(share: float) -> None:
            nonlocal start, last, first
            now = time.monotonic()
            if start == 0.0:
                start, last, first = now, now, share
            if now - last >= PLAIN_EVERY and share > first:
                last = now
                left = (now - start) * (1.0 - share) / (share - first)
                print(f"{name}: {100 * share:.0f} %, about {left:.0f} s left", file=sys.stderr)

        yield tell
