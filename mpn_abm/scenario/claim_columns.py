"""The columns that claims ask about, and what to say of those that tables have not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mpn_abm.errors import UsageError
from mpn_abm.scenario.claims import Claim
from mpn_abm.scenario.endpoints import Endpoint, columns_of
from mpn_abm.scenario.suggestions import did_you_mean


def missing_column(name: str, known: Iterable[str]) -> str:
    """What to say of a column that a table has not."""
    hint = did_you_mean(name, known)
    why = ": it belongs to a mechanism that is off, or to a clone of another file"
    return f"there is no column {name}{hint or why}"


def refuse_missing_columns(
    claims: Mapping[str, Claim], own: Mapping[str, Endpoint], known: set[str], where: str
) -> None:
    """See that tables have the columns that claims ask about, before the tables are made.

    Raises
    ------
    UsageError
        With all that are missing.
    """
    told = []
    for name, claim in claims.items():
        asked = columns_of(claim.endpoint, dict(own)) | ({claim.with_} if claim.with_ else set())
        for column in sorted(asked - known):
            told.append(f"expect.{name}: {missing_column(column, known)} in {where}")
    if told:
        raise UsageError("\n".join(told))
