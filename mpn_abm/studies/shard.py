"""Carry out a shard of a study: its runs, and the parts of the tables that they leave."""

from __future__ import annotations

from mpn_abm.studies.outcome import Outcome

__all__ = ["Outcome", "carry_out", "give_up"]


def carry_out(folder: str, shard: int, retry_failed: bool = False) -> Outcome:
    """Run a shard of the study in a folder and write its parts; what is done is not done again."""
    raise NotImplementedError


def give_up(folder: str, shard: int, why: str) -> Outcome:
    """Report all runs of a shard as failed, after what carried it out died twice."""
    raise NotImplementedError
