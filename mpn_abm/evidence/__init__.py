"""Published figures as targets, the virtual experiments that should show them, and the score."""

from __future__ import annotations

from mpn_abm.evidence.score import Score, score

__all__ = ["Score", "score"]
