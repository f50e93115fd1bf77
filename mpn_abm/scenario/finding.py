"""What a check between values finds."""

from __future__ import annotations

from typing import NamedTuple

from mpn_abm.scenario.tree import Path


class Finding(NamedTuple):
    """A path and what is expected there."""

    path: Path
    expectation: str
