"""What pyabc keeps of a calibration: a file with the particles of every finished generation."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mpn_abm.analysis.extras import extra
from mpn_abm.analysis.patients import Floats


class History:
    """The finished generations in a file, which is made if it is not there.

    Parameters
    ----------
    file : Path
    paths : sequence of str
        The parameters, in their order.
    """

    def __init__(self, file: Path, paths: Sequence[str]) -> None:
        self.file, self.paths = file, list(paths)
        self.pyabc = extra("pyabc", "calibrate")
        self._read: dict[int, tuple[Floats, Floats, Floats]] = {}
        if file.exists() and self._has_nothing():
            file.unlink()
        self.read_again()

    @property
    def url(self) -> str:
        """The file as pyabc names it."""
        return f"sqlite:///{self.file.absolute()}"

    def read_again(self) -> None:
        """Look which generations there are, after one was added."""
        self._table = pd.DataFrame({"t": [], "samples": [], "epsilon": []})
        if self.file.exists():
            table = self._opened.get_all_populations()
            self._table = table[table["t"] >= 0].sort_values("t")

    @cached_property
    def _opened(self) -> Any:
        with quiet():
            return self.pyabc.History(self.url)

    def _has_nothing(self) -> bool:
        """Whether nothing was finished, as where it was broken off while the file was made."""
        try:
            return len(self._opened.all_runs()) == 0 or self._opened.max_t < 0
        except Exception:  # whatever a file that is not whole makes pyabc and sqlite say
            return True
        finally:
            self.__dict__.pop("_opened", None)

    @property
    def number(self) -> int:
        """Finished generations."""
        return len(self._table)

    @property
    def points(self) -> int:
        """Points that were simulated for all generations."""
        return int(self._table["samples"].sum())

    @property
    def epsilons(self) -> list[float]:
        """The threshold of each generation."""
        return [float(epsilon) for epsilon in self._table["epsilon"]]

    @property
    def generations(self) -> pd.DataFrame:
        """A row per generation: its threshold (null for the prior), and how many points it took and kept."""
        kept = [len(self.particles(t)[1]) for t in range(self.number)]
        first = [np.nan, *self.epsilons[1:]]
        points = self._table["samples"].astype("int64").tolist()
        return pd.DataFrame({"generation": range(len(kept)), "epsilon": first, "points": points, "accepted": kept})

    def particles(self, t: int) -> tuple[Floats, Floats, Floats]:
        """Quantiles float[particles, paths], weights and distances of a generation."""
        if t not in self._read:
            found = self._opened.get_population(t=t).particles
            unit = np.array([[particle.parameter[path] for path in self.paths] for particle in found])
            weights = np.array([particle.weight for particle in found])
            distances = np.array([particle.distance for particle in found])
            self._read[t] = (unit, weights / weights.sum(), distances)
        return self._read[t]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep pyabc's log to itself."""
    logger = logging.getLogger("ABC")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
