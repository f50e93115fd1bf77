"""The parameters of what scar costs stem cells."""

from __future__ import annotations

from mpn_abm.mechanisms.declaration import Mechanism, parameter


class NicheParameters(Mechanism):
    """How scar lowers the capacity of a site and the support that it gives."""

    capacity_cost: float = parameter(
        0.5,
        low=0.0,
        high=1.0,
        sweep=(0.0, 0.9),
        doc="part of lodging daughters that dense scar turns away",
        source="assumed",
    )
    wild_type_scar_cost: float = parameter(
        0.3,
        low=0.0,
        high=1.0,
        sweep=(0.0, 0.5),
        doc="part of healthy division that dense scar stops (loss of CXCL12 support)",
        source="assumed; direction known",
    )
    mutant_scar_cost: float = parameter(
        0.2,
        low=0.0,
        high=1.0,
        sweep=(0.0, 0.5),
        doc="part of mutant division that dense scar stops",
        source="assumed; direction known",
    )
