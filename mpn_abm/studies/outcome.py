"""What became of a shard, as an executor hears it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """What became of a shard: how many of its runs are in the tables, how many failed, what it took."""

    shard: int
    runs: int
    failed: int
    seconds: float
    peak_memory_mb: float
    stepping_seconds: float = 0.0
    candidates: int = 0
    events: int = 0
