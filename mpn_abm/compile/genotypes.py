"""The genotypes that a run can meet, numbered, and what each one means for the mechanisms."""

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from mpn_abm.errors import Problem, ScenarioError
from mpn_abm.mechanisms.drugs import Modifier
from mpn_abm.scenario.schema import Clone, Spec
from mpn_abm.scenario.treatments import TransplantTreatment

DAYS_PER_YEAR = 365.25
BACKGROUND = {"DNMT3A": "dnmt3a_share", "TET2": "tet2_share", "ASXL1": "asxl1_share", "TP53": "tp53_share"}
# counts of cytokine sources are whole numbers of this part of a cell's usual output
SOURCE_UNIT = 100
MOST_GENOTYPES = 255
# of the normal distribution, one for each random byte
NORMAL_QUANTILES = np.array([NormalDist().inv_cdf((byte + 0.5) / 256.0) for byte in range(256)])
TRANSFORMED, DONOR = "transformed", "donor"


@dataclass(frozen=True)
class CellType:
    """A genotype of the catalogue with its background drivers; an antigen-low variant is one of its own."""

    base: str
    flags: frozenset[str] = frozenset()
    antigen_low: bool = False
    tet2_first: bool = False  # TET2 came before the driver


@dataclass(frozen=True)
class CellTypes:
    """All types that can occur, the founders' first; number 0 is the empty niche."""

    types: tuple[CellType, ...]  # of numbers 1, 2, ...
    bases: tuple[str, ...]  # signalling bases, numbered from 0; base 0 is the wild type
    founders: dict[str, int]  # clone of the file -> number
    mutation_rate: np.ndarray  # float64[G, K], 1/day
    becomes: np.ndarray  # int64[G, K]

    transformation: int  # the kind of mutation that transforms, -1 if there is none

    def number_of(self, base: str) -> int:
        """Number of the type of a base without background drivers."""
        return self.types.index(CellType(base)) + 1

    def base_of(self) -> np.ndarray:
        """int64[G]: signalling base of each number; the empty niche has that of the wild type."""
        return np.array([0] + [self.bases.index(cell_type.base) for cell_type in self.types], np.int64)


def mutations_of(cell_type: CellType, spec: Spec) -> list[tuple[str, CellType, float]]:
    """Every way in which a type mutates: kind, what it becomes, rate per year and stem cell."""
    rates = spec.mutation
    base, flags, low = cell_type.base, cell_type.flags, cell_type.antigen_low
    found: list[tuple[str, CellType, float]] = []
    # what a transformed cell gains matters no more, and a donor is followed for years only
    if TRANSFORMED in flags or base == DONOR:
        return found
    first = "TET2" in flags
    if base == "wild_type":
        type1 = rates.calr_type1_share
        found += [
            ("JAK2_V617F", CellType("JAK2_V617F", flags, tet2_first=first), rates.jak2_rate),
            ("CALR_TYPE1", CellType("CALR_TYPE1", flags, tet2_first=first), rates.calr_rate * type1),
            ("CALR_TYPE2", CellType("CALR_TYPE2", flags, tet2_first=first), rates.calr_rate * (1.0 - type1)),
        ]
    if base == "JAK2_V617F":
        found.append(("LOH", replace(cell_type, base="JAK2_V617F_HOM"), rates.loss_of_heterozygosity_rate))
    for flag, share in BACKGROUND.items():
        if flag not in flags:
            found.append((flag, replace(cell_type, flags=flags | {flag}), rates.driver_rate * getattr(rates, share)))
    if antigen_of(base, spec) > 0.0 and not low:
        found.append(("antigen_low", replace(cell_type, antigen_low=True), rates.antigen_low_rate))
    rate = transformation_rate(cell_type, spec)
    found.append((TRANSFORMED, CellType(base, frozenset({TRANSFORMED}), low), rate))
    return [mutation for mutation in found if mutation[2] > 0.0]


def transformation_rate(cell_type: CellType, spec: Spec) -> float:
    """Hits a year that transform a cell, those that are lost at once included; 0 for healthy cells."""
    p, gene = spec.progression, spec.genotypes[cell_type.base].gene
    if gene == "none" or not p.enabled or spec.marrow.scale == "tissue":
        return 0.0
    division = spec.hematopoiesis.division_rate
    survival = p.transformed_fitness / (p.transformed_fitness + division) if p.transformed_fitness else 1.0
    rate = p.transformation_rate / survival
    if cell_type.flags & {"TP53", "ASXL1"}:
        rate *= p.driver_factor
    return rate * (p.calr_factor if gene == "CALR" else 1.0)


def antigen_of(base: str, spec: Spec) -> float:
    """Median antigen of a stem cell of this genotype in this patient, molecules."""
    if not spec.antigen.enabled:
        return 0.0
    genotype = spec.genotypes[base]
    density = genotype.antigen
    if density is None:
        density = spec.antigen.density if genotype.gene == "CALR" else 0.0
    return density * spec.patient.antigen


def founder_of(clone: Clone, spec: Spec) -> CellType:
    """The type of a clone of the file; its background drivers came before its driver."""
    flags, mutant = frozenset(clone.flags), spec.genotypes[clone.genotype].gene != "none"
    if TRANSFORMED in flags:
        return CellType(clone.genotype, frozenset({TRANSFORMED}))
    return CellType(clone.genotype, flags, tet2_first=mutant and "TET2" in flags)


def cell_types_of(spec: Spec, weight: float) -> CellTypes:
    """Number the founders' types and all that they can mutate to.

    Parameters
    ----------
    weight : float
        Stem cells that a site stands for; multiplies the mutation rates.
    """
    founders = {name: founder_of(clone, spec) for name, clone in spec.clones.items()}
    donor = [CellType(t.donor) for t in spec.treatments.values() if isinstance(t, TransplantTreatment)]
    types = list(dict.fromkeys([*founders.values(), *donor]))
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
    transformation = kinds.index(TRANSFORMED) if TRANSFORMED in kinds else -1
    return CellTypes(tuple(types), tuple(bases), numbers, mutation_rate, becomes, transformation)


@dataclass(frozen=True)
class Antigens:
    """Antigen classes: class 0 carries none; each other is one median density."""

    class_of: np.ndarray  # int64[G]
    median: np.ndarray  # float64[classes], molecules
    always_late: np.ndarray  # uint8[classes]  1 where the median has the factor of the late phases already

    def molecules(self, spread: float) -> np.ndarray:
        """float64[classes, 256]: density by antigen byte, the quantiles of a log-normal with median 1."""
        return self.median[:, None] * np.exp(spread * NORMAL_QUANTILES)[None, :]


def antigens_of(cell_types: CellTypes, spec: Spec) -> Antigens:
    """The antigen class of every genotype; what a modifier changes for some genotypes alone divides the classes."""
    effects = [e for drug in spec.drugs.values() if isinstance(drug, Modifier) for e in drug.effects.values()]
    named = {effect.genotype for effect in effects if effect.factor == "antigen"}
    none = (0.0, False, "")
    kinds = [none]
    classes = [0]
    for cell_type in cell_types.types:
        median, late = antigen_of(cell_type.base, spec), TRANSFORMED in cell_type.flags
        if cell_type.antigen_low:
            median *= spec.antigen.low_variant_factor
        if late:
            median *= spec.antigen.late_phase_factor
        kind = (median, late, cell_type.base if cell_type.base in named else "") if median > 0.0 else none
        if kind not in kinds:
            kinds.append(kind)
        classes.append(kinds.index(kind))
    medians, always_late, _ = zip(*kinds, strict=True)
    return Antigens(np.array(classes, np.int64), np.array(medians), np.array(always_late, np.uint8))
