"""What the command line says of claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from mpn_abm.analysis.claims import sentences
from mpn_abm.errors import ClaimError
from mpn_abm.scenario.endpoints import Endpoint


def lines(claims: pd.DataFrame, own: Mapping[str, Endpoint], left_out: Sequence[str], why: str) -> list[str]:
    """A line for each claim, and one for those that were not asked."""
    told = sentences(claims, own)
    if left_out:
        told.append(f"not asked: {', '.join(left_out)}: {why}")
    return told


def fail_if_any(claims: pd.DataFrame) -> None:
    """Raise ClaimError if a claim did not hold."""
    failed = claims.loc[~claims["held"], "claim"].tolist()
    if failed:
        raise ClaimError(f"not held: {', '.join(failed)}")
