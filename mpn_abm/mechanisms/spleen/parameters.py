"""The parameters of the spleen and of symptoms."""

from __future__ import annotations

from mpn_abm.mechanisms.declaration import Mechanism, parameter

_FITTED = "fitted: SVR35 in 42 % of COMFORT-I and 38 % of RESPONSE"


class SpleenParameters(Mechanism):
    """Spleen volume and symptom score follow the clone, the scar and JAK1."""

    normal_volume: float = parameter(
        200.0, unit="ml", above=0.0, high=10_000.0, doc="volume of a healthy spleen", source="textbook"
    )
    volume_gain: float = parameter(
        4500.0,
        unit="ml",
        low=0.0,
        high=100_000.0,
        doc="volume added by a marrow of mutants only, per scar (0.1 + E)",
        source="assumed",
    )
    volume_time: float = parameter(
        28.0, unit="day", above=0.0, high=3650.0, doc="time constant of the volume", source="assumed"
    )
    mass_weight: float = parameter(
        0.1, low=0.0, high=1.0, doc="part of the gain that hangs on the clone alone", source=_FITTED
    )
    activity_weight: float = parameter(
        0.4, low=0.0, high=1.0, doc="part of the gain that hangs on JAK/STAT activity of the clone", source=_FITTED
    )
    cytokine_weight: float = parameter(
        0.5, low=0.0, high=1.0, doc="part of the gain that hangs on JAK1 cytokines", source=_FITTED
    )
    symptom_gain: float = parameter(
        100.0, low=0.0, high=10_000.0, doc="symptom score in place of the volume's gain", source="assumed"
    )
    symptom_time: float = parameter(
        4.0, unit="day", above=0.0, high=365.0, doc="time constant of symptoms", source="assumed"
    )
    symptom_activity_weight: float = parameter(
        0.1, low=0.0, high=1.0, doc="part of symptoms that hangs on JAK/STAT activity", source="assumed"
    )
    symptom_cytokine_weight: float = parameter(
        0.9, low=0.0, high=1.0, doc="part of symptoms that hangs on JAK1 cytokines", source="assumed"
    )
