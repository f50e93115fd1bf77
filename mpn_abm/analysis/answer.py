"""The sentence that answers the question of a file, from its claims and figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mpn_abm.analysis.headlines import HEADLINES


def answer(question: str, claims: pd.DataFrame, comparison: pd.DataFrame, reference: str, replicates: int) -> str:
    """What the claims and the first figure say, and how sure that is; nothing if there is neither."""
    parts = [_of_claims(claims), _of_the_first_figure(comparison, reference, replicates)]
    said = "; ".join(part for part in parts if part)
    return f"{question} {said[:1].upper()}{said[1:]}.".strip() if said else ""


def _of_claims(claims: pd.DataFrame) -> str:
    if claims.empty:
        return ""
    failed = claims.loc[~claims["held"], "claim"].tolist()
    number = len(claims)
    if not failed:
        return "the claim held" if number == 1 else f"all {number} claims held"
    if len(failed) == number:
        return "the claim did not hold" if number == 1 else f"none of the {number} claims held"
    return f"{number - len(failed)} of {number} claims held, not {_listed(failed)}"


def _of_the_first_figure(comparison: pd.DataFrame, reference: str, replicates: int) -> str:
    """The driver's VAF at the end, or what else stands first in a comparison."""
    at_end = comparison[comparison["day"].isna() & (comparison["statistic"] == "mean")]
    for name, words in HEADLINES.items():
        rows = at_end[at_end["endpoint"] == name]
        alone = rows[rows["contrast"].isna()].set_index("arm")["estimate"]
        # a claim may ask for one arm, or for a contrast without its arms
        changes = rows[
            (rows["contrast"] == "difference") & (rows["versus"] == reference) & rows["arm"].isin(alone.index)
        ]
        if reference in alone.index and len(changes):
            told = [_of_one(reference, alone), *(_of_arm(row, alone) for row in changes.to_dict("records"))]
            return f"{words} at the end: {', '.join(told)}; {_of_chance(replicates)}"
    return ""


def _of_chance(replicates: int) -> str:
    if replicates == 1:
        return "one run of each arm, which says nothing about chance"
    return f"{replicates} runs of each arm"


def _of_arm(row: Mapping[Any, Any], alone: pd.Series) -> str:
    arm, low, high = row["arm"], row["low"], row["high"]
    value = _of_one(arm, alone)
    if pd.isna(low) or pd.isna(high):
        return value
    if low <= 0.0 <= high:
        return f"{value} (no clear difference: {low:+.2g} to {high:+.2g})"
    return f"{value} (difference {low:+.2g} to {high:+.2g})"


def _of_one(arm: str, alone: pd.Series) -> str:
    """The figure of one arm; nobody has one where all have died."""
    return f"{arm} not known, as nobody is alive" if pd.isna(alone[arm]) else f"{arm} {alone[arm]:.3g}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
