"""The parameters of JAK/STAT signalling under a type I inhibitor."""

from __future__ import annotations

from mpn_abm.mechanisms.declaration import Mechanism, parameter


class JakStatParameters(Mechanism):
    """How signalling persists under a type I inhibitor and rebounds without it."""

    trans_activation: float = parameter(
        0.45,
        low=0.0,
        high=1.0,
        sweep=(0.2, 0.8),
        doc="activity that other JAK kinases restore in fully persistent cells",
        source="assumed",
    )
    persistence_onset: float = parameter(
        21.0,
        unit="day",
        above=0.0,
        high=3650.0,
        sweep=(7.0, 60.0),
        doc="time constant with which persistence builds up on the drug",
        source="assumed",
    )
    persistence_decay: float = parameter(
        14.0,
        unit="day",
        above=0.0,
        high=3650.0,
        sweep=(7.0, 28.0),
        doc="time constant with which persistence is lost off the drug",
        source="assumed",
    )
    on_drug_occupancy: float = parameter(
        0.01, low=0.0, high=1.0, doc="occupancy above which a cell counts as on the drug", source="assumed"
    )
    rebound_jak2: float = parameter(
        1.17,
        low=0.0,
        high=10.0,
        sweep=(0.0, 1.5),
        doc="extra activity of JAK2-mutant cells per persistence after withdrawal",
        source="fitted: 13.5 % of 251 had a discontinuation syndrome within 21 days",
    )
    protein_turnover: float = parameter(
        0.33, unit="1/day", above=0.0, high=100.0, doc="turnover of JAK2 protein", source="assumed"
    )
    antibody_block: float = parameter(
        0.8,
        low=0.0,
        high=1.0,
        doc="part of the activity of CALR-mutant cells that an antibody takes at full exposure",
        source="assumed",
    )
    response_loss_rate: float = parameter(
        0.18,
        unit="1/year",
        low=0.0,
        high=100.0,
        doc="loss of the response to a type I inhibitor while it is taken",
        source="fitted: 24 % stopped in one and 46 % in three years (Verstovsek 2012 Blood 120:1202)",
    )
    response_left: float = parameter(
        0.3, low=0.0, high=1.0, doc="factor on the occupancy that counts once the response is lost", source="assumed"
    )
    rebound_calr: float = parameter(
        0.0,
        low=0.0,
        high=10.0,
        doc="extra activity of CALR-mutant cells per persistence after withdrawal",
        source="assumed",
    )
