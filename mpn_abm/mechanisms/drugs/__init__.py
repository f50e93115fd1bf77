"""Drugs as data: the kinds there are, and the catalogue. A new drug is a `like` and some parameters."""

from mpn_abm.mechanisms.drugs.catalogue import DRUGS
from mpn_abm.mechanisms.drugs.kinds import (
    FACTORS,
    Antibody,
    CarTProduct,
    CheckpointBlockade,
    Drug,
    Effect,
    Eltrombopag,
    Hsp90Inhibitor,
    Interferon,
    JakInhibitor,
    Modifier,
    OralDrug,
    Transplant,
)

__all__ = [
    "DRUGS",
    "FACTORS",
    "Antibody",
    "CarTProduct",
    "CheckpointBlockade",
    "Drug",
    "Effect",
    "Eltrombopag",
    "Hsp90Inhibitor",
    "Interferon",
    "JakInhibitor",
    "Modifier",
    "OralDrug",
    "Transplant",
]
