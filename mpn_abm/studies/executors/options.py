"""What every executor is told. Each is a module with one function,

    work(folder: str, shards: Sequence[int], options: Options, told: Told) -> list[Outcome]

which calls ``carry_out(folder, shard)`` somewhere for every shard, and ``told`` in the parent after each. A worker that
dies is replaced and its shard carried out once more; the second time its runs are given up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

from mpn_abm.errors import UsageError
from mpn_abm.studies.outcome import Outcome

Told = Callable[[Outcome], None]


@dataclass(frozen=True)
class Options:
    """How shards are carried out.

    Attributes
    ----------
    jobs : int
        Processes, or tasks at a time.
    scheduler : str or None
        Address of a Dask scheduler that is there already.
    slurm : mapping
        partition, account, time_minutes, memory_mb, setup.
    retry_failed : bool
        Whether runs that failed before are run again.
    """

    jobs: int = 1
    scheduler: str | None = None
    slurm: Mapping[str, Any] = field(default_factory=dict)
    retry_failed: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.jobs, Integral) or isinstance(self.jobs, bool) or self.jobs < 1:
            raise UsageError(f"jobs: {self.jobs!r}: expected a whole number from 1")
