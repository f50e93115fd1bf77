"""The layers below a file: the catalogues, and what follows from the scale and the disease."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from mpn_abm.mechanisms.drugs import DRUGS
from mpn_abm.mechanisms.genotypes import FLAGS, GENOTYPES
from mpn_abm.scenario.tree import DEFAULT, Entry, Origin, entry_from

_TISSUE: dict[str, Any] = {
    "time": {"step": 10 / 1440, "record_every": 1 / 24},
    "hematopoiesis": {"recirculation": 0.0, "homing_radius": 1, "regeneration": 0.0},
    "fields": {"every": 1.0},
    "blood": {"enabled": False},
    "spleen": {"enabled": False},
}

_DISEASES: dict[str, dict[str, Any]] = {
    "ET": {},
    "PV": {"genotypes": {name: {"inhibition_cost": 5.7} for name, known in GENOTYPES.items() if known.mutant_copies}},
    "PMF": {"fibrosis": {"drive": 0.14}},
}


@cache
def catalogues() -> Entry:
    """The layer that holds every genotype, flag and drug that the program knows."""
    blocks = {"genotypes": GENOTYPES, "flags": FLAGS, "drugs": DRUGS}
    said = {
        name: {item: block.model_dump(exclude_none=True) for item, block in catalogue.items()}
        for name, catalogue in blocks.items()
    }
    return entry_from(said, DEFAULT)


class Signs(NamedTuple):
    """What a file says on which defaults depend."""

    tissue: bool
    disease: str | None  # None if the file says none, "" if there is no such disease
    has_scar: bool


SIGNS_STAND_IN = frozenset({"marrow", "patient", "fibrosis"})


def signs_of(said: Entry) -> Signs:
    """The signs, of which those parts tell."""
    disease = said.scalar("patient", "disease")
    return Signs(
        said.scalar("marrow", "scale") == "tissue",
        disease if disease is None or disease in _DISEASES else "",
        bool(said.scalar("fibrosis", "initial", "mf_grade")),
    )


def presets(signs: Signs) -> list[Entry]:
    """The layers that follow from scale, scar and disease."""
    layers = []
    if signs.tissue:
        layers.append(entry_from(_TISSUE, Origin("default at tissue scale")))
    disease = signs.disease
    if disease is None:
        disease = "PMF" if signs.has_scar else "ET"
        reason = "as scar is placed" if disease == "PMF" else "as no scar is placed"
        layers.append(entry_from({"patient": {"disease": disease}}, Origin(f"default {reason}")))
    if disease:
        layers.append(entry_from(_DISEASES[disease], Origin(f"default in {disease}")))
    return layers
