"""What is asked of a claim or of a published figure: whether it counts, and its band in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

SCORED = ("fit", "test")
"""Roles that count; one that is not said is `fit`."""
WITHOUT_BAND = ("order", "exists")
"""Kinds of figures that are held by a value above 0: the least sure step of an order, or a share."""


def counts(role: str | None) -> bool:
    """Whether a figure of a role counts in a score."""
    return (role or "fit") in SCORED


def band_in_words(row: Mapping[str, Any], written: Callable[[float], str]) -> str:
    """What is asked of the value: its limits, of an order its steps, and nothing where nothing is asked.

    Parameters
    ----------
    row : mapping
        `low` and `high`, None where the band is open; of a figure also `kind`, and of an order `order`.
    written : callable
        A number in words.
    """
    low, high, kind = row["low"], row["high"], row.get("kind")
    if kind in WITHOUT_BAND:
        return str(row.get("order") or "") if kind == "order" else "at least one"
    if low is not None and high is not None:
        return f"{written(low)} to {written(high)}"
    if low is not None:
        return f"at least {written(low)}"
    return "" if high is None else f"at most {written(high)}"
