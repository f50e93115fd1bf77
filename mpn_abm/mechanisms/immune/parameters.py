"""The parameters of the immune system around the clone."""

from __future__ import annotations

from mpn_abm.mechanisms.declaration import Mechanism, parameter


class ImmuneParameters(Mechanism):
    """PD-L1, suppressive myeloid cells, and T cells that see the tumour."""

    pd_l1_jak2: float = parameter(
        1.5,
        low=0.0,
        high=100.0,
        doc="highest gain of PD-L1 of JAK2-mutant cells, reached as activity grows without limit",
        source="fitted: 1.75 times the control in the chronic phase (Tulane megakaryocyte scores)",
    )
    pd_l1_calr: float = parameter(
        1.0,
        low=0.0,
        high=100.0,
        doc="the same of CALR-mutant cells",
        source="fitted: 1.5 times the control in the chronic phase (Tulane megakaryocyte scores)",
    )
    checkpoint_weight: float = parameter(
        0.5,
        low=0.0,
        high=1.0,
        doc="part of an exhausted CAR T cell's work that PD-L1 stops",
        source="assumed",
    )
    suppression_length: float = parameter(
        100.0,
        unit="um",
        above=0.0,
        high=10_000.0,
        doc="how far suppressive myeloid cells reach at tissue scale",
        source="assumed",
    )
    t_cell_division_cost: float = parameter(
        0.5,
        low=0.0,
        high=1.0,
        doc="part of T cell division that full JAK inhibition stops",
        source="assumed",
    )
    t_cell_killing_cost: float = parameter(
        0.2,
        low=0.0,
        high=1.0,
        doc="part of T cell killing that full JAK inhibition stops",
        source="assumed",
    )
    surveillance_rate: float = parameter(
        1.0,
        unit="1/year",
        low=0.0,
        high=1000.0,
        sweep=(0.3, 3.0),
        doc="hazard k_e on a mutant cell per quality Q gained by endogenous T cells",
        source="assumed",
    )
    surveillance_checkpoint: float = parameter(
        0.9, low=0.0, high=1.0, doc="part of endogenous T cells that PD-L1 can stop", source="assumed"
    )
    surveillance_half: float = parameter(
        0.2,
        above=0.0,
        high=10.0,
        doc="suppressive field at which endogenous T cells do half of their work",
        source="assumed",
    )
