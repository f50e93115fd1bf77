"""The parameters of eltrombopag."""

from __future__ import annotations

from mpn_abm.mechanisms.declaration import Mechanism, parameter


class EltrombopagParameters(Mechanism):
    """What stimulation of the thrombopoietin receptor does."""

    antigen_maximum: float = parameter(
        3.0,
        low=1.0,
        high=100.0,
        sweep=(1.5, 6.0),
        doc="factor on the antigen at saturating exposure; half of the gain at the usual one",
        source="assumed; direction from Rampotas 2026",
    )
    division_gain: float = parameter(
        0.05,
        low=0.0,
        high=10.0,
        doc="part by which division of every stem cell rises at usual exposure, twice that at saturation",
        source="assumed",
    )
