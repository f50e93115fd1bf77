"""The parameters of scarring and the scar that is there on day 0."""

from __future__ import annotations

from mpn_abm.mechanisms.declaration import Block, Mechanism, Whole, parameter, setting


class InitialScar(Block):
    """The scar of day 0: everywhere, or in patches with a scar-free marrow around them."""

    exclusive = (frozenset({"cover_fraction", "radius"}),)

    mf_grade: Whole = setting(0, low=0, high=3, doc="grade of the scar")
    patches: Whole | None = setting(None, low=1, high=100_000, doc="number of patches; without it scar is everywhere")
    cover_fraction: float | None = setting(
        None, above=0.0, high=1.0, doc="share of the marrow that the patches cover together"
    )
    radius: float | None = setting(None, unit="sites", above=0.0, high=16384.0, doc="radius of each patch")


class FibrosisParameters(Mechanism):
    """Cytokine activates myofibroblasts, which lay down scar."""

    activation_rate: float = parameter(
        0.15,
        unit="1/day",
        low=0.0,
        high=100.0,
        doc="activation of myofibroblasts at saturating cytokine",
        source="assumed",
    )
    deactivation_rate: float = parameter(
        0.21, unit="1/day", low=0.0, high=100.0, doc="loss of activated myofibroblasts", source="assumed"
    )
    deposition_rate: float = parameter(
        0.05,
        unit="1/day",
        low=0.0,
        high=100.0,
        doc="scar laid down by a full set of myofibroblasts at drive 1",
        source="assumed",
    )
    resolution_rate: float = parameter(
        0.0085,
        unit="1/day",
        low=0.0,
        high=100.0,
        sweep=(0.002, 0.02),
        doc="resolution of scar; half-life 82 days",
        source="fitted: biopsies after transplant: MF-0/1 in 21 % at day 30, 54.5 % at day 100",
    )
    drive: float = parameter(
        0.07,
        low=0.0,
        high=1000.0,
        sweep=(0.01, 1.0),
        doc="the patient's drive of scarring; 0.14 in PMF",
        source="fitted: myelofibrosis in 6 % of PV in 15 and 7 % of ET in 20 years; in PMF assumed higher",
    )
    decay_length: float = parameter(
        100.0,
        unit="um",
        above=0.0,
        high=10_000.0,
        sweep=(30.0, 300.0),
        doc="how far cytokine reaches at tissue scale",
        source="assumed",
    )
    site_length: float = parameter(
        10.0,
        unit="um",
        above=0.0,
        high=100.0,
        doc="side of a marrow place, the site of the tissue scale",
        source="assumed: the diameter of a marrow cell",
    )
    initial: InitialScar = setting(InitialScar(), doc="the scar of day 0")
