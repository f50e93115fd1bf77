"""The parameters of transformation, phases and death."""

from __future__ import annotations

from mpn_abm.mechanisms.declaration import Mechanism, parameter, setting

_DEATH = "fitted: median survival 19.8, 13.5, 5.9 years in ET, PV, MF; 10 and 2 months in accelerated and blast phase"


class ProgressionParameters(Mechanism):
    """Second hits, phases by blasts, and hazards of death."""

    transformation_rate: float = parameter(
        1.2e-7,
        unit="1/year",
        low=0.0,
        high=1.0,
        sweep=(1e-8, 2e-7),
        doc="hits that transform a mutant stem cell and survive; of those drawn a fifth is lost at once",
        source="fitted: one in five of MF is accelerated in life, leukaemia in 6 % by 5, of PV in 5.5 % by 15 years",
    )
    transformed_fitness: float = parameter(
        3.5,
        unit="1/year",
        low=0.0,
        high=1000.0,
        doc="s_net of transformed cells, whatever the drug",
        source="fitted: a clone in a full marrow, of whose daughters 0.3 recirculate, then grows at 1.8 a year",
    )
    transformed_growth: float = parameter(
        2.0,
        unit="1/year",
        above=0.0,
        high=1000.0,
        doc="growth of a transformed clone in the marrow, with which those of day 0 have come to their size",
        source="assumed",
    )
    scar_factor: float = parameter(
        5.5,
        low=0.0,
        high=1000.0,
        doc="factor on transformation at MF grade 2 or more",
        source="fitted: leukaemia in 5.5 % of PV by 15 years and in 6 % of MF by 5",
    )
    asxl1_factor: float = parameter(
        5.0,
        low=0.0,
        high=1000.0,
        doc="factor on transformation with ASXL1",
        source="fitted: leukaemia in 21 % of high-risk myelofibrosis by 5 years",
    )
    tp53_factor: float = parameter(
        16.0,
        low=0.0,
        high=1000.0,
        doc="factor on transformation with TP53",
        source="fitted: TP53 in 17 % of accelerated and blast phase, Blood Adv 2018 2:2658",
    )
    calr_factor: float = parameter(
        0.4, low=0.0, high=1000.0, doc="factor on transformation of CALR-mutant cells", source="assumed"
    )
    accelerated_blasts: float = parameter(
        0.10, above=0.0, high=1.0, doc="share of blasts from which the phase is accelerated", source="WHO"
    )
    blast_blasts: float = parameter(
        0.20, above=0.0, high=1.0, doc="share of blasts from which the phase is blast", source="WHO"
    )
    mortality: bool = setting(True, doc="whether the patient can die")
    background_death_rate: float = parameter(
        0.012, unit="1/year", low=0.0, high=100.0, doc="death of others at 65 years", source="assumed"
    )
    background_death_growth: float = parameter(
        0.1, low=0.0, high=1.0, doc="part by which that rises a year of age", source="assumed"
    )
    et_death_rate: float = parameter(
        0.008, unit="1/year", low=0.0, high=100.0, doc="death by ET in the chronic phase", source=_DEATH
    )
    pv_death_rate: float = parameter(
        0.024, unit="1/year", low=0.0, high=100.0, doc="death by PV in the chronic phase", source=_DEATH
    )
    pmf_death_rate: float = parameter(
        0.03, unit="1/year", low=0.0, high=100.0, doc="death by PMF below grade 2", source=_DEATH
    )
    mf_death_rate: float = parameter(
        0.10,
        unit="1/year",
        low=0.0,
        high=100.0,
        doc="death at MF grade 2 or more with a spleen of 2,600 ml; half of it without one",
        source=_DEATH,
    )
    mf_spleen_volume: float = parameter(
        2600.0, unit="ml", above=0.0, high=100_000.0, doc="spleen volume of that death rate", source=_DEATH
    )
    calr_death_factor: float = parameter(
        0.2, low=0.0, high=100.0, doc="factor on death at MF grade 2 or more where CALR drives", source="assumed"
    )
    accelerated_death_rate: float = parameter(
        0.2, unit="1/year", low=0.0, high=100.0, doc="death in the accelerated phase", source=_DEATH
    )
    blast_death_rate: float = parameter(
        4.8, unit="1/year", low=0.0, high=1000.0, doc="death in the blast phase", source=_DEATH
    )
    burden_half: float = parameter(
        0.05, above=0.0, high=1.0, doc="mutant share at which death by the disease is halved", source="assumed"
    )
    humane_endpoint: float | None = setting(
        None, above=0.0, high=1.0, doc="share of the sites that mutants hold when a laboratory animal is put down"
    )
