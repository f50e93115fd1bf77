"""The parameters of mutation."""

from __future__ import annotations

from mpn_abm.mechanisms.declaration import Mechanism, parameter


class MutationParameters(Mechanism):
    """How often a stem cell gains a driver, loses its healthy allele or lowers its antigen."""

    jak2_rate: float = parameter(
        2.7e-8,
        unit="1/year",
        low=0.0,
        high=1.0,
        doc="JAK2 V617F in a healthy stem cell",
        source="fitted: prevalence 3.1 % (Cordua 2019 Blood 134:469)",
    )
    calr_rate: float = parameter(
        1e-9,
        unit="1/year",
        low=0.0,
        high=1.0,
        doc="a CALR mutation in a healthy stem cell",
        source="fitted: prevalence 0.16 % (Cordua 2019 Blood 134:469)",
    )
    calr_type1_share: float = parameter(
        0.6, low=0.0, high=1.0, doc="share of type 1 among new CALR mutations", source="assumed"
    )
    loss_of_heterozygosity_rate: float = parameter(
        1e-5,
        unit="1/year",
        low=0.0,
        high=1.0,
        doc="a heterozygous JAK2 V617F stem cell becomes homozygous",
        source="assumed: JAK2 burden in PV",
    )
    driver_rate: float = parameter(
        6e-5,
        unit="1/year",
        low=0.0,
        high=1.0,
        sweep=(2e-5, 2e-4),
        doc="background drivers of a stem cell, all together",
        source="2-20 arrivals a year in a marrow (Mon Pere 2024), 6 in the geometric mean",
    )
    dnmt3a_share: float = parameter(
        0.5, low=0.0, high=1.0, doc="share of DNMT3A among background drivers", source="assumed"
    )
    tet2_share: float = parameter(
        0.25, low=0.0, high=1.0, doc="share of TET2 among background drivers", source="assumed"
    )
    asxl1_share: float = parameter(
        0.15, low=0.0, high=1.0, doc="share of ASXL1 among background drivers", source="assumed"
    )
    tp53_share: float = parameter(
        0.1, low=0.0, high=1.0, doc="share of TP53 among background drivers", source="assumed"
    )
    antigen_low_rate: float = parameter(
        1e-7,
        unit="1/year",
        low=0.0,
        high=1.0,
        doc="a CALR-mutant stem cell becomes an antigen-low variant",
        source="assumed",
    )
