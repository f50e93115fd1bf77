"""The parameters of interferon alpha; the loss that it adds stands with each genotype."""

from __future__ import annotations

from mpn_abm.mechanisms.declaration import Mechanism, parameter


class InterferonParameters(Mechanism):
    """How interferon alpha acts on clones."""

    tet2_first_factor: float = parameter(
        0.5,
        low=0.0,
        high=1.0,
        doc="factor on the added loss of mutants whose TET2 came before the driver",
        source="assumed; direction from Mosca 2021 Blood 138:2231",
    )
