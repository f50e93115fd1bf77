"""When which drug was given, from the events of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mpn_abm.pictures.labels import treatment_words
from mpn_abm.pictures.palette import EXPOSURE, T_CELL, T_CELL_LINE


@dataclass(frozen=True)
class Exposure:
    """One treatment: stretches of time with their height, and doses at once."""

    name: str
    stretches: tuple[tuple[float, float, float], ...]  # from, to, value
    doses: tuple[tuple[float, float], ...]  # day, value

    @property
    def highest(self) -> float:
        """The largest value of its stretches."""
        return max((value for _, _, value in self.stretches), default=0.0)


def exposures_of(events: pd.DataFrame, end_day: float) -> list[Exposure]:
    """The treatments of one run, in the order in which they begin."""
    found: dict[str, tuple[list[tuple[float, float, float]], list[tuple[float, float]]]] = {}
    running: dict[str, tuple[float, float]] = {}
    kinds = ("treatment_start", "treatment_stop", "dose")
    rows = events[events["kind"].isin(kinds)].sort_values("day", kind="stable")
    for day, kind, name, value in rows[["day", "kind", "name", "value"]].itertuples(index=False):
        drug = str(name).partition(".")[0]
        stretches, doses = found.setdefault(drug, ([], []))
        size = float(value) if pd.notna(value) else 0.0
        if kind == "dose":
            doses.append((float(day), size))
        elif kind == "treatment_start":
            _end(running, str(name), float(day), stretches)
            running[str(name)] = (float(day), size)
        else:
            _end(running, str(name), float(day), stretches)
    for name in list(running):
        _end(running, name, end_day, found[name.partition(".")[0]][0])
    return [Exposure(name, tuple(stretches), tuple(doses)) for name, (stretches, doses) in found.items()]


def _end(
    running: dict[str, tuple[float, float]], name: str, day: float, stretches: list[tuple[float, float, float]]
) -> None:
    if name in running:
        start, value = running.pop(name)
        stretches.append((start, day, value))


def draw_exposures(axis: Any, exposures: list[Exposure], per_unit: float) -> None:
    """A row for each treatment: a bar while it is given, a mark where it is given at once."""
    # doses of the course that began with them need no bar
    for row, exposure in enumerate(exposures):
        top = exposure.highest
        for start, stop, value in exposure.stretches:
            if exposure.doses and all(stop - start < 1e-9 or value == dose for _, dose in exposure.doses):
                continue
            strength = 0.35 + 0.6 * (value / top if top > 0 else 1.0)
            axis.barh(row, (stop - start) / per_unit, left=start / per_unit, height=0.6, color=EXPOSURE, alpha=strength,
                      linewidth=0)  # fmt: skip
        days = np.array([day for day, _ in exposure.doses])
        if len(days):
            axis.plot(days / per_unit, np.full(len(days), row), "v", color=T_CELL_LINE, markersize=5.5,
                      markeredgecolor=T_CELL, markeredgewidth=0.5, clip_on=False)  # fmt: skip
    axis.set_yticks(range(len(exposures)), [treatment_words(exposure.name) for exposure in exposures])
    axis.set_ylim(len(exposures) - 0.4, -0.6)
    axis.grid(False)
    # a mark on day 0 does not lie on the name
    axis.tick_params(axis="y", length=0, pad=7)
    axis.spines["left"].set_visible(False)
