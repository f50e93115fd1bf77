"""The parameters of the antigen and of the responses to it."""

from __future__ import annotations

from mpn_abm.mechanisms.declaration import Mechanism, parameter


class AntigenParameters(Mechanism):
    """How much mutant CALR a cell shows and how T cells respond to it."""

    density: float = parameter(
        500.0,
        unit="molecules",
        low=0.0,
        high=1e6,
        sweep=(100.0, 2000.0),
        doc="median mutant CALR on a CALR-mutant stem cell",
        source="assumed",
    )
    spread: float = parameter(
        0.6,
        low=0.0,
        high=3.0,
        sweep=(0.3, 1.0),
        doc="standard deviation of the logarithm of the density between cells",
        source="assumed",
    )
    progenitor_factor: float = parameter(
        4.0,
        low=0.0,
        high=100.0,
        sweep=(1.0, 10.0),
        doc="density of progenitors and megakaryocytes over that of stem cells",
        source="1,933 +/- 772 receptors per megakaryocyte (Kuwaki 1998 FEBS Lett) over 500, assumed",
    )
    low_variant_factor: float = parameter(
        0.1, low=0.0, high=1.0, doc="density of an antigen-low variant over that of its parent", source="assumed"
    )
    coupling: float = parameter(
        1.0,
        low=0.0,
        high=1.0,
        sweep=(0.0, 1.0),
        doc="part of the driver signal that an antigen-low variant loses with its antigen",
        source="assumed",
    )
    late_coupling: float = parameter(
        0.3, low=0.0, high=1.0, doc="the same from the accelerated phase on", source="assumed"
    )
    late_phase_factor: float = parameter(
        0.5,
        low=0.0,
        high=1.0,
        sweep=(0.1, 0.7),
        doc="factor on the antigen from the accelerated phase on, and of transformed cells always",
        source="assumed; direction from Rampotas 2026",
    )
    lysis_half: float = parameter(
        310.0,
        unit="molecules",
        above=0.0,
        high=1e6,
        doc="density at which lysis is half-maximal",
        source="fitted: lysis from about 200 molecules (Watanabe 2015 J Immunol); CD20 series, 22.8 +/- 2 % at 240",
    )
    activation_half: float = parameter(
        2500.0,
        unit="molecules",
        above=0.0,
        high=1e6,
        doc="density at which commitment to proliferation is half-maximal",
        source="fitted: cytokine and proliferation need ten times more than lysis (Watanabe 2015 J Immunol)",
    )
    response_steepness: float = parameter(
        2.0,
        above=0.0,
        high=20.0,
        sweep=(1.0, 3.0),
        doc="steepness n of lysis and of commitment in the density, a Hill coefficient",
        source="fitted: a tenth lysed from 100 to 400 molecules on, and 22.8 % at 240: not both at 1 (Watanabe 2015)",
    )
