"""What must hold within the block of a study, and between it and its scenario."""

from __future__ import annotations

from collections.abc import Iterator

from mpn_abm.errors import Problem
from mpn_abm.scenario.schema import Comparison
from mpn_abm.scenario.studies.base import Base
from mpn_abm.scenario.studies.document import Document


def checked_study(document: Document, base: Base, comparison: Comparison) -> Iterator[Problem]:
    """What is wrong."""
    return iter(())
