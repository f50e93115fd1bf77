"""How often the slow fields are brought up to date."""

from __future__ import annotations

from mpn_abm.mechanisms.declaration import Block, parameter


class FieldsParameters(Block):
    """The pace of the fields."""

    every: float = parameter(
        7.0,
        unit="day",
        above=0.0,
        high=365.0,
        doc="time between two updates of the fields; 1 day at tissue scale",
        source="assumed: scar changes over months",
    )
