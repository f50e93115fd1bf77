"""The parameters of birth, loss and placement of the stem cells."""

from __future__ import annotations

from typing import Literal

from mpn_abm.mechanisms.declaration import Mechanism, Whole, parameter, setting


class HematopoiesisParameters(Mechanism):
    """How often stem cells divide and where their daughters go."""

    division_rate: float = parameter(
        1.3,
        unit="1/year",
        low=0.0,
        high=1000.0,
        sweep=(0.8, 1.9),
        doc="symmetric divisions of a stem cell in a full marrow",
        source="Catlin 2011 Blood 117:4460: every 40 weeks (25-50)",
    )
    loss_rate: float = parameter(
        0.0,
        unit="1/year",
        low=0.0,
        high=1000.0,
        sweep=(0.0, 0.2),
        doc="loss of a stem cell by differentiation or death, beside displacement",
        source="assumed: displacement is the loss of a full marrow",
    )
    recirculation: float = parameter(
        0.3,
        low=0.0,
        high=1.0,
        sweep=(0.0, 1.0),
        doc="probability that a daughter goes by blood to a random site of the whole marrow",
        source="fitted: 92.4 % of 697 clones grow at a stable exponential rate "
        "(Fabre 2022 Nature 10.1038/s41586-022-04785-z)",
    )
    homing_radius: Whole = parameter(
        3,
        unit="sites",
        low=1,
        high=15,
        sweep=(1, 10),
        doc="how far from her mother a daughter lodges that does not recirculate",
        source="assumed",
    )
    displacement: float = parameter(
        1.0,
        low=0.0,
        high=1.0,
        sweep=(0.0, 1.0),
        doc="probability that a daughter takes an occupied site, whose stem cell differentiates and leaves",
        source="assumed: the Moran limit",
    )
    regeneration: float = parameter(
        5.0,
        low=0.0,
        high=100.0,
        sweep=(2.0, 15.0),
        doc="how much faster stem cells divide in an empty marrow",
        source="assumed; 15.7 % of CD34+CD90+ cells cycle 2-6 months after transplant, 4.3 % in the donor "
        "(Blood 2002 99:2387)",
    )
    update: Literal["birth_death", "death_birth"] = setting(
        "birth_death",
        doc="whether births displace cells or losses are filled by births",
    )
