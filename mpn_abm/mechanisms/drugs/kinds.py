"""What a drug can do: a block for each kind. A drug is data, the parameters of its kind."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mpn_abm.mechanisms.declaration import Block, GenotypeName, Name, Whole, parameter, setting

_PHARMACOKINETICS = "assumed: one compartment"
_OF_THE_DRUG = "of the drug, see its `source`"

Factor = Literal["division", "loss", "antigen", "killing", "homing", "scar_deposition"]
FACTORS: tuple[str, ...] = ("division", "loss", "antigen", "killing", "homing", "scar_deposition")
"""What a modifier can multiply, in the order of the rows of `factor` in the state."""


class CatalogueDrug(Block):
    """What every drug has."""

    kind: str = setting("", doc="what the drug does")
    like: Name | None = setting(None, doc="the drug from which it takes what it does not say")
    source: str = setting("", doc="where the figures of the drug come from")


class OralDrug(CatalogueDrug):
    """Tablets: one compartment, with absorption from the gut and elimination from the blood."""

    usual_dose: float = parameter(
        20.0, unit="mg", above=0.0, high=100_000.0, doc="dose of usual full exposure", source=_OF_THE_DRUG
    )
    usual_times_per_day: Whole = parameter(2, low=1, high=24, doc="usual number of doses a day", source=_OF_THE_DRUG)
    absorption_rate: float = parameter(
        4.0, unit="1/hour", above=0.0, high=1000.0, doc="absorption from the gut", source=_PHARMACOKINETICS
    )
    half_life: float = parameter(
        3.0, unit="hour", above=0.0, high=10_000.0, doc="half-life of the drug in blood", source=_OF_THE_DRUG
    )
    first_dose_peak: float | None = parameter(
        None, unit="nM/mg", above=0.0, high=1e6, doc="peak concentration after a first dose", source=_OF_THE_DRUG
    )


class JakInhibitor(OralDrug):
    """An inhibitor of JAK2 and JAK1: oral, one compartment, blocks JAK2 as its concentration says."""

    exclusive: ClassVar = (frozenset({"ic50", "usual_occupancy"}),)

    kind: Literal["jak_inhibitor"] = setting("jak_inhibitor", doc="what the drug does")
    type: Literal[1, 2] = setting(1, doc="1 binds active JAK2 and builds up persistence, 2 holds it inactive")
    ic50: float | None = parameter(None, unit="nM", above=0.0, doc="half-maximal concentration", source=_OF_THE_DRUG)
    usual_occupancy: float | None = parameter(
        None,
        above=0.0,
        high=0.999,
        doc="mean occupancy of JAK2 at the usual dose, from which the half-maximal concentration follows",
        source="assumed",
    )
    jak1_odds_ratio: float = parameter(
        1.0, low=0.0, high=1e6, doc="odds of the occupancy of JAK1 over those of JAK2", source=_OF_THE_DRUG
    )
    jak1_selective: bool = setting(
        False, doc="whether T cells bear a tenth of its occupancy of JAK1 instead of that of JAK2"
    )


class Hsp90Inhibitor(CatalogueDrug):
    """An HSP90 inhibitor: what it does follows the schedule, as the relative dose says."""

    kind: Literal["hsp90_inhibitor"] = setting("hsp90_inhibitor", doc="what the drug does")


class Interferon(CatalogueDrug):
    """Interferon alpha: its effect is linear in the dose and follows the schedule."""

    kind: Literal["interferon"] = setting("interferon", doc="what the drug does")
    usual_dose: float = parameter(
        0.09,
        unit="mg",
        above=0.0,
        high=100.0,
        doc="weekly dose of usual full exposure",
        source="peginterferon alfa-2a 90 ug a week: Kiladjian 2008 Blood 112:3065",
    )


class Eltrombopag(CatalogueDrug):
    """An agonist of the thrombopoietin receptor, in units of the usual exposure."""

    kind: Literal["eltrombopag"] = setting("eltrombopag", doc="what the drug does")
    usual_dose: float = parameter(
        50.0, unit="mg", above=0.0, high=10_000.0, doc="dose of usual exposure", source="US label"
    )
    usual_times_per_day: Whole = parameter(1, low=1, high=24, doc="usual number of doses a day", source="US label")


class CheckpointBlockade(CatalogueDrug):
    """An antibody against PD-1: its exposure x relaxes to the dose, and x/(x + x50) of PD-1 is blocked."""

    kind: Literal["checkpoint_blockade"] = setting("checkpoint_blockade", doc="what the drug does")
    usual_dose: float = parameter(
        200.0, unit="mg", above=0.0, high=10_000.0, doc="dose of usual full exposure", source=_OF_THE_DRUG
    )
    half_life: float = parameter(
        22.0 * 24.0, unit="hour", above=0.0, high=100_000.0, doc="half-life of the exposure", source=_OF_THE_DRUG
    )
    half_exposure: float = parameter(
        0.1,
        above=0.0,
        high=1000.0,
        sweep=(0.01, 0.3),
        doc="exposure at which half of PD-1 is blocked, over the usual one",
        source="assumed",
    )


class Antibody(CatalogueDrug):
    """An antibody against mutant CALR that blocks its signal and does not kill."""

    kind: Literal["antibody"] = setting("antibody", doc="what the drug does")
    half_life: float = parameter(
        14.0 * 24.0,
        unit="hour",
        above=0.0,
        high=100_000.0,
        doc="half-life of the exposure",
        source="assumed: 14 days, as of an IgG",
    )


class CarTProduct(CatalogueDrug):
    """Engineered T cells against an antigen."""

    kind: Literal["car_t"] = setting("car_t", doc="what the drug does")
    usual_dose: float = parameter(
        1.0e8, unit="cells", above=0.0, high=1e13, doc="infusion of usual full exposure", source="assumed"
    )


class Transplant(CatalogueDrug):
    """Stem cells of a donor after conditioning."""

    kind: Literal["transplant"] = setting("transplant", doc="what the drug does")


class Effect(Block):
    """What a modifier does to one factor: 1 +- saturation c^n/(c^n + half^n) at a concentration c."""

    factor: Factor = setting(doc="what is multiplied")
    genotype: GenotypeName | None = setting(None, doc="the genotype that is changed; all without it")
    direction: Literal["increases", "decreases"] = setting(doc="whether the factor grows or falls with the drug")
    saturation: float = parameter(
        1.0, above=0.0, high=1000.0, doc="largest change of the factor, at most 1 if it falls", source=_OF_THE_DRUG
    )
    half_max: float = parameter(
        100.0, unit="nM", above=0.0, high=1e9, doc="concentration of half the change", source=_OF_THE_DRUG
    )
    hill: float = parameter(1.0, above=0.0, high=20.0, doc="steepness n of the curve", source=_OF_THE_DRUG)


class Modifier(OralDrug):
    """A drug that multiplies named factors as its concentration says."""

    exclusive: ClassVar = (frozenset({"first_dose_peak", "usual_concentration"}),)

    kind: Literal["modifier"] = setting("modifier", doc="what the drug does")
    usual_concentration: float | None = parameter(
        None,
        unit="nM",
        above=0.0,
        high=1e9,
        doc="steady concentration at the usual dose, instead of absorption and elimination",
        source=_OF_THE_DRUG,
    )
    effects: dict[Name, Effect] = setting({}, doc="what it changes, by a name of its own")


AnyDrug = (
    JakInhibitor
    | Hsp90Inhibitor
    | Interferon
    | Eltrombopag
    | CheckpointBlockade
    | Antibody
    | CarTProduct
    | Transplant
    | Modifier
)
Drug = Annotated[AnyDrug, Field(discriminator="kind")]
