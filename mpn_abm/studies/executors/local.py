"""Shards on the processes of this machine."""

from __future__ import annotations

from collections.abc import Sequence

from mpn_abm.studies.executors.options import Options, Told
from mpn_abm.studies.outcome import Outcome


def work(folder: str, shards: Sequence[int], options: Options, told: Told) -> list[Outcome]:
    """Carry out shards on so many processes."""
    raise NotImplementedError
