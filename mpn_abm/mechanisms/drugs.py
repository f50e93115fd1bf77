"""The catalogue of drugs. A drug is data: the parameters of its kind; a new kind is a block of its own here."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from mpn_abm.mechanisms.declaration import Block, Name, Whole, parameter, setting

_PHARMACOKINETICS = "assumed: one compartment"


class _CatalogueDrug(Block):
    like: Name | None = setting(None, doc="the drug from which it takes what it does not say")


class JakInhibitor(_CatalogueDrug):
    """A type I JAK inhibitor: oral, one compartment, blocks JAK2 as its concentration says."""

    kind: Literal["jak_inhibitor"] = setting("jak_inhibitor", doc="what the drug does")
    usual_dose: float = parameter(
        20.0,
        unit="mg",
        above=0.0,
        high=100_000.0,
        doc="dose of usual full exposure",
        source="ruxolitinib: starting dose in MF (US label)",
    )
    usual_times_per_day: Whole = parameter(
        2, low=1, high=24, doc="usual number of doses a day", source="ruxolitinib: US label"
    )
    absorption_rate: float = parameter(
        4.0, unit="1/hour", above=0.0, high=1000.0, doc="absorption from the gut", source=_PHARMACOKINETICS
    )
    half_life: float = parameter(
        3.0,
        unit="hour",
        above=0.0,
        high=10_000.0,
        doc="half-life of the drug in blood",
        source="ruxolitinib: US label, section 12.3",
    )
    first_dose_peak: float = parameter(
        41.0,
        unit="nM/mg",
        above=0.0,
        high=1e6,
        doc="peak concentration after a first dose",
        source="ruxolitinib: 205 nM after 5 mg (US label, section 12.3)",
    )
    ic50: float = parameter(
        281.0,
        unit="nM",
        above=0.0,
        doc="half-maximal concentration",
        source="whole blood: 281 nM with thrombopoietin, 282 +/- 54 with IL-6 (Quintas-Cardama 2010 Blood)",
    )


class CarTProduct(_CatalogueDrug):
    """Engineered T cells against an antigen."""

    kind: Literal["car_t"] = setting("car_t", doc="what the drug does")
    usual_dose: float = parameter(
        1.0e8, unit="cells", above=0.0, high=1e13, doc="infusion of usual full exposure", source="assumed"
    )


Drug = Annotated[JakInhibitor | CarTProduct, Field(discriminator="kind")]

DRUGS: MappingProxyType[str, JakInhibitor | CarTProduct] = MappingProxyType(
    {
        "ruxolitinib": JakInhibitor(kind="jak_inhibitor"),
        "car_t": CarTProduct(kind="car_t"),
    }
)
