"""What the pages of this server look at: the scenario that was named, and the marrow of every browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from mpn_abm.dashboard.experiment import Experiment
from mpn_abm.dashboard.live import LiveMarrow

# marrows that are kept for browsers which come back
MOST_KEPT = 8


@dataclass
class Opened:
    """The experiment with which a page begins, and the marrows by browser, so that reloading a page loses nothing."""

    first: Experiment | None = None
    _marrows: dict[str, LiveMarrow] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def marrow_of(self, browser: str) -> LiveMarrow:
        """The marrow of a browser, a new one on its first visit."""
        with self._lock:
            if browser not in self._marrows:
                assert self.first is not None, "a server says first what it shows"
                self._marrows[browser] = LiveMarrow(self.first)
            return self._marrows[browser]

    def keep(self, browser: str, marrow: LiveMarrow) -> None:
        """Remember the marrow of a browser."""
        with self._lock:
            self._marrows.pop(browser, None)
            self._marrows[browser] = marrow
            for oldest in list(self._marrows)[:-MOST_KEPT]:
                del self._marrows[oldest]


OPENED = Opened()
