"""Where the values that a scenario says come from."""

from __future__ import annotations

from mpn_abm.scenario.explain import explained
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.scenario.tree import DEFAULT


def origins_of(scenario: Scenario) -> dict[str, str]:
    """File and line, or the command line, of every value that is no default, by path."""
    default = str(DEFAULT)
    return {row.path: row.origin for row in explained(scenario) if row.origin != default}
