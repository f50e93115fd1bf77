"""The genotypes that a run can meet, numbered, and what each one means for the mechanisms."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from mpn_abm.errors import Problem, ScenarioError
from mpn_abm.scenario.schema import Spec

DAYS_PER_YEAR = 365.25
BACKGROUND = {"DNMT3A": "dnmt3a_share", "TET2": "tet2_share", "ASXL1": "asxl1_share", "TP53": "tp53_share"}
# counts of cytokine sources are whole numbers of this part of a cell's usual output
SOURCE_UNIT = 100
MOST_GENOTYPES = 255


@dataclass(frozen=True)
class CellType:
    """A genotype of the catalogue with its background drivers; an antigen-low variant is one of its own."""

    base: str
    flags: frozenset[str] = frozenset()
    antigen_low: bool = False


@dataclass(frozen=True)
class CellTypes:
    """All types that can occur, the founders' first; number 0 is the empty niche."""

    types: tuple[CellType, ...]  # of numbers 1, 2, ...
    bases: tuple[str, ...]  # signalling bases, numbered from 0; base 0 is the wild type
    founders: dict[str, int]  # clone of the file -> number
    mutation_rate: np.ndarray  # float64[G, K], 1/day
    becomes: np.ndarray  # int64[G, K]

    def base_of(self) -> np.ndarray:
        """int64[G]: signalling base of each number; the empty niche has that of the wild type."""
        return np.array([0] + [self.bases.index(cell_type.base) for cell_type in self.types], np.int64)


def mutations_of(cell_type: CellType, spec: Spec) -> list[tuple[str, CellType, float]]:
    """Every way in which a type mutates: kind, what it becomes, rate per year and stem cell."""
    rates = spec.mutation
    base, flags = cell_type.base, cell_type.flags
    found: list[tuple[str, CellType, float]] = []
    if base == "wild_type":
        type1 = rates.calr_type1_share
        found += [
            ("JAK2_V617F", CellType("JAK2_V617F", flags), rates.jak2_rate),
            ("CALR_TYPE1", CellType("CALR_TYPE1", flags), rates.calr_rate * type1),
            ("CALR_TYPE2", CellType("CALR_TYPE2", flags), rates.calr_rate * (1.0 - type1)),
        ]
    if base == "JAK2_V617F":
        found.append(("LOH", CellType("JAK2_V617F_HOM", flags), rates.loss_of_heterozygosity_rate))
    for flag, share in BACKGROUND.items():
        if flag not in flags:
            mutant = CellType(base, flags | {flag}, cell_type.antigen_low)
            found.append((flag, mutant, rates.driver_rate * getattr(rates, share)))
    if antigen_of(base, spec) > 0.0 and not cell_type.antigen_low:
        found.append(("antigen_low", CellType(base, flags, True), rates.antigen_low_rate))
    return [mutation for mutation in found if mutation[2] > 0.0]


def antigen_of(base: str, spec: Spec) -> float:
    """Median antigen of a stem cell of this genotype in this patient, molecules."""
    if not spec.antigen.enabled:
        return 0.0
    genotype = spec.genotypes[base]
    density = genotype.antigen
    if density is None:
        density = spec.antigen.density if genotype.gene == "CALR" else 0.0
    return density * spec.patient.antigen


def cell_types_of(spec: Spec, weight: float) -> CellTypes:
    """Number the founders' types and all that they can mutate to.

    Parameters
    ----------
    weight : float
        Stem cells that a site stands for; multiplies the mutation rates.
    """
    founders = {name: CellType(clone.genotype, frozenset(clone.flags)) for name, clone in spec.clones.items()}
    types = list(dict.fromkeys(founders.values()))
    kinds: list[str] = []
    arrows: list[tuple[int, str, int, float]] = []
    k = 0
    while spec.mutation.enabled and k < len(types):
        for kind, mutant, rate in mutations_of(types[k], spec):
            if mutant not in types:
                types.append(mutant)
            if kind not in kinds:
                kinds.append(kind)
            arrows.append((k + 1, kind, types.index(mutant) + 1, rate))
        k += 1
    if len(types) > MOST_GENOTYPES:
        expectation = f"expected at most {MOST_GENOTYPES} kinds of cells that can arise, not {len(types)}"
        raise ScenarioError([Problem(spec.name, None, None, "clones", "", expectation)])
    mutation_rate = np.zeros((len(types) + 1, len(kinds)))
    becomes = np.zeros((len(types) + 1, len(kinds)), np.int64)
    for source, kind, target, rate in arrows:
        mutation_rate[source, kinds.index(kind)] = rate * weight / DAYS_PER_YEAR
        becomes[source, kinds.index(kind)] = target
    bases = ["wild_type", *dict.fromkeys(cell_type.base for cell_type in types if cell_type.base != "wild_type")]
    numbers = {name: types.index(cell_type) + 1 for name, cell_type in founders.items()}
    return CellTypes(tuple(types), tuple(bases), numbers, mutation_rate, becomes)


@dataclass(frozen=True)
class Antigens:
    """Antigen classes: class 0 carries none; each other is one median density."""

    class_of: np.ndarray  # int64[G]
    median: np.ndarray  # float64[classes], molecules

    def molecules(self, spread: float) -> np.ndarray:
        """float64[classes, 256]: density by antigen byte, the quantiles of a log-normal with median 1."""
        normal = NormalDist()
        quantiles = np.array([normal.inv_cdf((byte + 0.5) / 256.0) for byte in range(256)])
        return self.median[:, None] * np.exp(spread * quantiles)[None, :]


def antigens_of(cell_types: CellTypes, spec: Spec) -> Antigens:
    """The antigen class of every genotype."""
    medians = [0.0]
    classes = [0]
    for cell_type in cell_types.types:
        median = antigen_of(cell_type.base, spec)
        if cell_type.antigen_low:
            median *= spec.antigen.low_variant_factor
        if median not in medians:
            medians.append(median)
        classes.append(medians.index(median))
    return Antigens(np.array(classes, np.int64), np.array(medians))
