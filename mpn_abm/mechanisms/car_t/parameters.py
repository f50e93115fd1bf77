"""The parameters of CAR T cells at both scales."""

from __future__ import annotations

from mpn_abm.mechanisms.declaration import Mechanism, Whole, parameter

_STEIN = "Stein 2019 CPT PSP 10.1002/psp4.12388"


class CarTParameters(Mechanism):
    """How CAR T cells walk, engage, kill, expand, tire and remember."""

    speed: float = parameter(
        5.0,
        unit="um/min",
        above=0.0,
        high=60.0,
        sweep=(2.0, 10.0),
        doc="speed of a searching T cell at tissue scale",
        source="assumed",
    )
    persistence: float = parameter(
        10.0,
        unit="minute",
        above=0.0,
        high=1440.0,
        doc="time for which a searching T cell keeps its direction",
        source="assumed",
    )
    scar_slowing: float = parameter(
        0.0,
        low=0.0,
        high=1.0,
        sweep=(0.0, 0.98),
        doc="part of its hops that a T cell loses in dense scar",
        source="assumed: published organoids show no loss of killing in scar",
    )
    attach_time_2d: float = parameter(
        340.0,
        unit="minute",
        above=0.0,
        high=100_000.0,
        sweep=(300.0, 400.0),
        doc="mean time to attach to saturating targets in two dimensions",
        source="fitted: CD20 series at 4 h, E:T 10: 22.8 +/- 2 % and 40-60 % killed, the model 24 and 47 %",
    )
    attach_time_3d: float = parameter(
        450.0,
        unit="minute",
        above=0.0,
        high=100_000.0,
        sweep=(450.0, 700.0),
        doc="mean time to attach to saturating targets in three dimensions",
        source="fitted: CD20 series at 4 h, E:T 5: 0.24 and 0.48 killed; E:T 10 wants 700",
    )
    engagement_time: float = parameter(
        25.0,
        unit="minute",
        above=0.0,
        high=10_000.0,
        doc="mean time for which a T cell holds its target",
        source="Cazaux 2019 J Exp Med: killed and let go within 25 minutes",
    )
    rest_time: float = parameter(
        5.0, unit="minute", low=0.0, high=10_000.0, doc="mean rest after an engagement", source="assumed"
    )
    lysis_probability: float = parameter(
        0.3,
        low=0.0,
        high=1.0,
        sweep=(0.1, 0.6),
        doc="probability that an engagement ends in lysis",
        source="assumed",
    )
    background_kill: float = parameter(
        0.0,
        low=0.0,
        high=1.0,
        doc="attachment to antigen-negative cells over that to saturated ones",
        source="assumed",
    )
    receptor_share: float = parameter(
        0.05,
        above=0.0,
        high=1.0,
        sweep=(0.01, 0.1),
        doc="share of marrow cells that carry the thrombopoietin receptor",
        source="assumed",
    )
    homing: float = parameter(
        0.1, low=0.0, high=1.0, sweep=(0.03, 0.3), doc="share of infused cells that reach the marrow", source="assumed"
    )
    cells_per_agent: float = parameter(
        3.5e5,
        above=0.0,
        high=1e12,
        doc="T cells for which an agent stands at niche scale",
        source="assumed: resolution, no biology",
    )
    minimum_agents: Whole = parameter(
        25,
        low=1,
        high=1_000_000,
        doc="agents that an infusion has at least; each then stands for fewer cells",
        source="assumed: resolution, no biology",
    )
    relocation_rate: float = parameter(
        1.0,
        unit="1/day",
        low=0.0,
        high=1000.0,
        sweep=(0.1, 10.0),
        doc="moves of an agent by blood to a random site at niche scale",
        source="assumed: without them each founder kills one spot only",
    )
    programme_divisions: Whole = parameter(
        7,
        low=0,
        high=60,
        doc="divisions to which an engagement can commit a T cell",
        source="Kaech 2001 Nat Immunol 2:415: at least seven",
    )
    max_divisions: Whole = parameter(12, low=0, high=60, doc="divisions of a T cell in its life", source="assumed")
    division_rate: float = parameter(
        1.25,
        unit="1/day",
        low=0.0,
        high=100.0,
        sweep=(0.889, 2.0),
        doc="exponential growth of committed T cells; doubling in 13 hours",
        source="fitted: T cells of day 14 over day 7 (Kimmel 2021), alike from 1.25 on; net 0.889 in Stein 2019",
    )
    death_rate: float = parameter(
        0.16, unit="1/day", low=0.0, high=100.0, doc="death of T cells whose programme has ended", source=_STEIN
    )
    grace: float = parameter(
        0.17,
        unit="day",
        low=0.0,
        high=365.0,
        sweep=(0.0, 1.0),
        doc="time after an engagement without death",
        source="fitted: first decline of Stein 2019; contraction hardly waits for antigen to go (Badovinac 2002)",
    )
    memory_share: float = parameter(
        0.0079, low=0.0, high=1.0, doc="share of dying T cells that become memory instead", source=_STEIN
    )
    memory_death_rate: float = parameter(
        0.0032, unit="1/day", low=0.0, high=100.0, doc="death of memory T cells", source=_STEIN
    )
    capacity: float = parameter(
        0.05, above=0.0, high=10.0, doc="T cells per marrow cell at which no daughter lives", source="assumed"
    )
    exhaustion_half: float = parameter(
        40.0,
        above=0.0,
        high=100_000.0,
        sweep=(10.0, 100.0),
        doc="recent engagements at which a T cell is half exhausted",
        source="assumed",
    )
    exhaustion_decay: float = parameter(
        14.0,
        unit="day",
        above=0.0,
        high=3650.0,
        sweep=(5.0, 28.0),
        doc="time constant with which engagements are forgotten",
        source="assumed",
    )
    exhaustion_exponent: float = parameter(
        4.0, above=0.0, high=20.0, doc="steepness of exhaustion in the engagements", source="assumed"
    )
    sub_step: float = parameter(
        4.0,
        unit="hour",
        above=0.0,
        high=24.0,
        doc="longest sub-step of T cells at niche scale",
        source="assumed: resolution, no biology",
    )
    marrow_cells_per_kg: float = parameter(
        1.0e10,
        unit="cells/kg",
        above=0.0,
        high=1e12,
        doc="marrow cells per body weight, 7e11 at 70 kg",
        source="Harrison 1962 (10.4e9 per kg)",
    )
    crs_smoothing: float = parameter(
        2.0, unit="day", above=0.0, high=365.0, doc="time over which crs_index is smoothed", source="assumed"
    )
