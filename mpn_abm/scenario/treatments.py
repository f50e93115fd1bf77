"""What a file says about a treatment: a block for each kind."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mpn_abm.mechanisms.declaration import Block, Name, Whole, setting

LONGEST = 200 * 365.25
"""Days that a run may last and on which anything may happen."""


class JakInhibitorTreatment(Block):
    """A course of tablets."""

    ways_to_dose: ClassVar = frozenset({"dose_mg", "dose_relative"})
    exclusive = (ways_to_dose, frozenset({"stop", "duration"}))

    kind: Literal["jak_inhibitor"] = setting("jak_inhibitor", doc="what the drug does")
    drug: Name = setting(doc="the drug; the name of the treatment unless said")
    dose_mg: float | None = setting(None, unit="mg", low=0.0, high=100_000.0, doc="a single dose")
    dose_relative: float | None = setting(None, low=0.0, high=1000.0, doc="dose over that of usual full exposure")
    times_per_day: Whole = setting(2, low=1, high=24, doc="doses a day; as usual for the drug unless said")
    start: float = setting(0.0, unit="at day", low=0.0, high=LONGEST, doc="the first day on the drug")
    stop: float | None = setting(None, unit="at day", low=0.0, high=LONGEST, doc="the first day off the drug")
    duration: float | None = setting(None, unit="day", above=0.0, high=LONGEST, doc="time on the drug")


class CarTTreatment(Block):
    """Infusions of CAR T cells."""

    ways_to_dose: ClassVar = frozenset({"dose_cells", "dose_cells_per_kg", "effector_to_target", "dose_relative"})
    exclusive = (ways_to_dose, frozenset({"doses", "stop"}))

    kind: Literal["car_t"] = setting("car_t", doc="what the drug does")
    drug: Name = setting(doc="the drug; the name of the treatment unless said")
    target: Literal["CALR"] = setting("CALR", doc="the gene whose mutant product the T cells see")
    dose_cells: float | None = setting(None, unit="cells", low=0.0, high=1e13, doc="T cells of one infusion")
    dose_cells_per_kg: float | None = setting(
        None, unit="cells/kg", low=0.0, high=1e11, doc="T cells of one infusion per body weight"
    )
    effector_to_target: float | None = setting(
        None, low=0.0, high=1e4, doc="T cells per antigen-positive cell that is there at the infusion, at tissue scale"
    )
    dose_relative: float | None = setting(None, low=0.0, high=1000.0, doc="dose over that of usual full exposure")
    day: float = setting(0.0, unit="at day", low=0.0, high=LONGEST, doc="day of the first infusion")
    every: float | None = setting(None, unit="day", above=0.0, high=LONGEST, doc="time between two infusions")
    doses: Whole | None = setting(None, low=1, high=10_000, doc="infusions in all")
    stop: float | None = setting(None, unit="at day", low=0.0, high=LONGEST, doc="no infusion from this day on")
    entry: Literal["everywhere", "faces"] = setting("everywhere", doc="where infused cells appear at tissue scale")


Treatment = Annotated[JakInhibitorTreatment | CarTTreatment, Field(discriminator="kind")]
