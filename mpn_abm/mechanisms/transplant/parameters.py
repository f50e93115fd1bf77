"""The parameters of stem-cell transplantation."""

from __future__ import annotations

from mpn_abm.mechanisms.declaration import Mechanism, parameter

_KROGER = "fitted: JAK2 negative in 78 %, median day 89 (Kroger 2007 Blood 109:1316)"
_BEWERSDORF = "fitted: 25.9 % at 1 year, 30.5 % at 5 years (8,739 patients, Bewersdorf 2021)"


class TransplantParameters(Mechanism):
    """What conditioning leaves, what the donor brings, and what it costs."""

    conditioning_kill: float = parameter(
        0.99, low=0.0, high=1.0, doc="share of stem cells that reduced conditioning kills", source="assumed"
    )
    myeloablative_kill: float = parameter(
        0.999, low=0.0, high=1.0, doc="share of stem cells that myeloablative conditioning kills", source="assumed"
    )
    residual_spread: float = parameter(
        1.0, low=0.0, high=5.0, doc="log-sd between patients of what conditioning leaves", source="assumed"
    )
    donor_share: float = parameter(
        0.10, above=0.0, high=1.0, doc="donor stem cells over the sites of the marrow", source="assumed"
    )
    engraftment: float = parameter(
        18.0, unit="day", low=0.0, high=365.0, doc="from the infusion to donor cells in their niches", source="assumed"
    )
    graft_rate: float = parameter(
        10.0, unit="1/year", low=0.0, high=1000.0, doc="graft against mutant cells, median patient", source=_KROGER
    )
    graft_spread: float = parameter(2.5, low=0.0, high=5.0, doc="log-sd of that between patients", source=_KROGER)
    mortality_year_1: float = parameter(
        0.315, unit="1/year", low=0.0, high=10.0, doc="death by the procedure in its first year", source=_BEWERSDORF
    )
    mortality_later: float = parameter(
        0.032, unit="1/year", low=0.0, high=10.0, doc="death by the procedure later", source=_BEWERSDORF
    )
    mismatched_factor: float = parameter(
        1.1,
        low=0.0,
        high=100.0,
        doc="factor on that with a mismatched donor",
        source="fitted: up to 40 % die of it",
    )
