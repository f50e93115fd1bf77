"""What a run shows of itself on a terminal: how far it is, its clones, its VAF and the phase of the disease."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mpn_abm.columns import PHASES
from mpn_abm.pictures.palette import EMPHASIS, Palette

if TYPE_CHECKING:
    import numpy as np
    from rich.text import Text

    from mpn_abm.batch import Batch

# seconds before the first panel, so that a short run does not wait for one, and between two
FIRST_AFTER, EVERY = 0.5, 0.5
# a panel may take this share of the time: the slower a terminal, the more seldom it is drawn
SHARE = 0.01
BLOCKS = "▁▂▃▄▅▆▇█"
EIGHTHS = " ▏▎▍▌▋▊▉"
BAR, SPARK, LABEL = 30, 40, 12
Shown = Callable[["Batch"], None]


@contextmanager
def panel(name: str) -> Iterator[tuple[Callable[[float], None], Shown]]:
    """What is told the share of the work that is done, and what is shown the batch before that."""
    live = Panel(name)
    try:
        yield live.tell, live.watch
    finally:
        live.close()


class Panel:
    """The panel of one run, on the standard error.

    Parameters
    ----------
    name : str
        What is run.
    """

    def __init__(self, name: str) -> None:
        # before anything is stepped: loading takes longer than all that is drawn
        from rich.console import Console
        from rich.live import Live

        self.name = name
        self.live = Live(console=Console(stderr=True), auto_refresh=False, transient=True, redirect_stdout=False)
        self.batch: Batch | None = None
        self.began = self.last = 0.0
        self.first_share = self.cost = 0.0
        # the newest rows, and the mean VAF at shares of the work
        self.rows: np.ndarray | None = None
        self.vaf: list[tuple[float, float]] = []

    def watch(self, batch: Batch) -> None:
        """Look at a batch."""
        self.batch = batch
        rows = batch.newest_rows()
        # the dead have rows without a number
        rows = rows[(rows == rows).any(axis=1)]
        if len(rows):
            self.rows = rows

    def tell(self, share: float) -> None:
        """Draw, if it is time to; the clock starts at the first word, so that compiling is no work done."""
        now = time.perf_counter()
        if self.began == 0.0:
            self.began, self.first_share = now, share
            return
        vaf = self._mean("vaf_driver")
        if vaf is not None:
            self.vaf.append((share, vaf))
        if now - self.began < FIRST_AFTER or now - self.last < max(EVERY, self.cost / SHARE):
            return
        self.live.start()
        self.live.update(self._text(share, now - self.began), refresh=True)
        self.last = time.perf_counter()
        self.cost = self.last - now

    def close(self) -> None:
        """Wipe it: what came out follows in its place."""
        self.live.stop()

    def _mean(self, column: str) -> float | None:
        """The mean of a column over the marrows, None if there is none."""
        assert self.batch is not None
        names = [one.name for one in self.batch.program.layout.columns]
        if self.rows is None or column not in names:
            return None
        return float(self.rows[:, names.index(column)].mean())

    def _text(self, share: float, seconds: float) -> Text:
        from rich.text import Text

        assert self.batch is not None
        program = self.batch.program
        done = share - self.first_share
        left = seconds * (1.0 - share) / done if done > 0.0 else math.inf
        days = done * program.timetable.steps * program.timetable.step * program.spec.replicates / seconds
        text = Text(no_wrap=True, overflow="crop")
        text.append(f"{self.name}  ", style="bold")
        text.append(bar(share, BAR), style="green")
        text.append(f" {100 * share:3.0f} %  {self._where()}  {days:,.3g} days/s  {clock(left)} left\n")
        palette = Palette((), {name: clone.genotype for name, clone in program.spec.clones.items()})
        for clone in program.founders:
            held = self._mean(f"fraction_{clone}") or 0.0
            text.append(f"{clone[:LABEL]:{LABEL}} ")
            text.append(bar(held, BAR), style=palette.clone_line(clone))
            text.append(f" {100 * held:5.1f} %\n")
        if self.vaf:
            text.append(f"{'VAF':{LABEL}} ")
            text.append(sparkline(self.vaf, SPARK), style=EMPHASIS)
            text.append(f" {self.vaf[-1][1]:.3f}")
        text.append(self._phases())
        return text

    def _where(self) -> str:
        assert self.batch is not None
        day = float(self.batch.reached.mean()) * self.batch.program.timetable.step
        return f"day {day:,.0f}" if self.batch.is_single else f"{len(self.batch)} runs on day {day:,.0f}"

    def _phases(self) -> str:
        assert self.batch is not None
        names = [one.name for one in self.batch.program.layout.columns]
        if self.rows is None or "phase" not in names:
            return ""
        found = Counter(PHASES[int(code)] for code in self.rows[:, names.index("phase")].tolist())
        if len(found) == 1:
            return f"  {next(iter(found))} phase"
        return "  " + ", ".join(f"{found[phase]} {phase}" for phase in PHASES if found[phase])


def bar(share: float, width: int) -> str:
    """A bar of so many letters, in eighths of one."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    return ("█" * (eighths // 8) + EIGHTHS[eighths % 8])[:width].ljust(width)


def sparkline(points: list[tuple[float, float]], width: int) -> str:
    """Values at shares of a line, from 0 to the highest of them; what is to come is left out."""
    top = max(value for _, value in points) or 1.0
    letters: list[str] = []
    for share, value in points:
        letter = BLOCKS[round(max(value, 0.0) / top * 7)]
        # as long as nothing newer is known, it stays as it was
        letters += letter * (min(int(share * width), width - 1) + 1 - len(letters))
    return "".join(letters).ljust(width)


def clock(seconds: float) -> str:
    """A time as 1:05, or 2:03:05."""
    if not math.isfinite(seconds):
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
