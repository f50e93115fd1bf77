"""The genotypes that a run can meet, numbered, and what each one means for the mechanisms."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple, TypeVar

import numpy as np

from mpn_abm.errors import Problem, ScenarioError
from mpn_abm.mechanisms.drugs import Modifier
from mpn_abm.scenario.schema import Clone, Spec
from mpn_abm.scenario.treatments import TransplantTreatment

DAYS_PER_YEAR = 365.25
DRIVERS = ("JAK2_V617F", "CALR_TYPE1", "CALR_TYPE2")
HOMOZYGOUS = "JAK2_V617F_HOM"
BACKGROUND = {"DNMT3A": "dnmt3a_share", "TET2": "tet2_share", "ASXL1": "asxl1_share", "TP53": "tp53_share"}
# counts of cytokine sources are whole numbers of this part of a cell's usual output
SOURCE_UNIT = 100
MOST_GENOTYPES = 255
# of the normal distribution, one for each random byte
NORMAL_QUANTILES = np.array([NormalDist().inv_cdf((byte + 0.5) / 256.0) for byte in range(256)])
LOH, ANTIGEN_LOW, TRANSFORMED = "LOH", "antigen_low", "transformed"
# with one of them a cell is transformed more often, with both by the first
TRANSFORMING = {"TP53": "tp53_factor", "ASXL1": "asxl1_factor"}
DONOR = "donor"
T = TypeVar("T")


@dataclass(frozen=True)
class CellType:
    """A genotype of the catalogue with its background drivers; an antigen-low variant is one of its own."""

    base: str
    flags: frozenset[str] = frozenset()
    antigen_low: bool = False
    tet2_first: bool = False  # TET2 came before the driver


class Hit(NamedTuple):
    """A kind of mutation, and what its rate depends on in the cell that it hits."""

    kind: str
    base: str
    driver: str = ""  # what came before and matters, which it does to transformation alone


@dataclass(frozen=True)
class Family:
    """Types and what they mutate to, whatever the rates."""

    types: tuple[CellType, ...]
    kinds: tuple[str, ...]  # of mutations
    hits: tuple[Hit, ...]  # that happen
    hit: np.ndarray  # int64[ways], of each way in which a type mutates
    source: np.ndarray  # int64[ways], number of the type
    kind: np.ndarray  # int64[ways]
    target: np.ndarray  # int64[ways], number of the type that it becomes
    bases: tuple[str, ...]  # signalling bases
    base: np.ndarray  # int64[G], signalling base; the empty niche has that of the wild type
    flag_sets: tuple[frozenset[str], ...]  # all that occur, none for the empty niche
    flag_set: np.ndarray  # int64[G]
    show: tuple[tuple[str, bool, bool], ...]  # base, antigen-low and transformed: what the antigen of a type depends on
    shown: np.ndarray  # int64[types]
    antigen_low: np.ndarray  # bool[G]
    tet2_first: np.ndarray  # bool[G]
    steady: np.ndarray  # bool[G], transformed


@dataclass(frozen=True)
class CellTypes:
    """All types that can occur, the founders' first; number 0 is the empty niche."""

    types: tuple[CellType, ...]  # of numbers 1, 2, ...
    bases: tuple[str, ...]  # signalling bases, numbered from 0; base 0 is the wild type
    founders: dict[str, int]  # clone of the file -> number
    mutation_rate: np.ndarray  # float64[G, K], 1/day
    becomes: np.ndarray  # int64[G, K]

    transformation: int  # the kind of mutation that transforms, -1 if there is none
    family: Family

    def number_of(self, base: str) -> int:
        """Number of the type of a base without background drivers."""
        return self.types.index(CellType(base)) + 1

    def base_of(self) -> np.ndarray:
        """int64[G]: signalling base of each number; the empty niche has that of the wild type."""
        return self.family.base.copy()


def mutants_of(cell_type: CellType) -> list[tuple[Hit, CellType]]:
    """Every way in which a type could mutate, and what it becomes."""
    base, flags, low = cell_type.base, cell_type.flags, cell_type.antigen_low
    found: list[tuple[Hit, CellType]] = []
    # what a transformed cell gains matters no more, and a donor is followed for years only
    if TRANSFORMED in flags or base == DONOR:
        return found
    if base == "wild_type":
        found += [(Hit(to, base), CellType(to, flags, tet2_first="TET2" in flags)) for to in DRIVERS]
    if base == "JAK2_V617F":
        found.append((Hit(LOH, base), replace(cell_type, base=HOMOZYGOUS)))
    found += [(Hit(flag, base), replace(cell_type, flags=flags | {flag})) for flag in BACKGROUND if flag not in flags]
    if not low:
        found.append((Hit(ANTIGEN_LOW, base), replace(cell_type, antigen_low=True)))
    hit = Hit(TRANSFORMED, base, next((flag for flag in TRANSFORMING if flag in flags), ""))
    found.append((hit, CellType(base, frozenset({TRANSFORMED}), low)))
    return found


def rates_of_hits(bases: Iterable[str], spec: Spec) -> dict[Hit, float]:
    """Rate per year and stem cell of every hit that happens at all, in cells of these bases and what they become."""
    rates = spec.mutation
    if not rates.enabled:
        return {}
    type1 = rates.calr_type1_share
    found = {
        Hit("JAK2_V617F", "wild_type"): rates.jak2_rate,
        Hit("CALR_TYPE1", "wild_type"): rates.calr_rate * type1,
        Hit("CALR_TYPE2", "wild_type"): rates.calr_rate * (1.0 - type1),
        Hit(LOH, "JAK2_V617F"): rates.loss_of_heterozygosity_rate,
    }
    for base in {*bases, *DRIVERS, HOMOZYGOUS}:
        found |= {Hit(flag, base): rates.driver_rate * getattr(rates, share) for flag, share in BACKGROUND.items()}
        found[Hit(ANTIGEN_LOW, base)] = rates.antigen_low_rate if antigen_of(base, spec) > 0.0 else 0.0
        found |= {Hit(TRANSFORMED, base, one): transformation_rate(base, one, spec) for one in ("", *TRANSFORMING)}
    return {hit: rate for hit, rate in found.items() if rate > 0.0}


def transformation_rate(base: str, driver: str, spec: Spec) -> float:
    """Hits a year that transform a cell, those that are lost at once included; 0 for healthy cells."""
    p, gene = spec.progression, spec.genotypes[base].gene
    if gene == "none" or not p.enabled or spec.marrow.scale == "tissue":
        return 0.0
    division = spec.hematopoiesis.division_rate
    survival = p.transformed_fitness / (p.transformed_fitness + division) if p.transformed_fitness else 1.0
    rate: float = p.transformation_rate / survival
    if driver:
        rate *= getattr(p, TRANSFORMING[driver])
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
    first = tuple(dict.fromkeys([*founders.values(), *donor]))
    rates = rates_of_hits({cell_type.base for cell_type in first}, spec)
    family = family_of(first, frozenset(rates))
    types, kinds = family.types, family.kinds
    if len(types) > MOST_GENOTYPES:
        expectation = f"expected at most {MOST_GENOTYPES} kinds of cells that can arise, not {len(types)}"
        raise ScenarioError([Problem(spec.name, None, None, "clones", "", expectation)])
    mutation_rate = np.zeros((len(types) + 1, len(kinds)))
    becomes = np.zeros((len(types) + 1, len(kinds)), np.int64)
    rate = np.array([rates[hit] for hit in family.hits]) * weight / DAYS_PER_YEAR
    mutation_rate[family.source, family.kind] = rate[family.hit]
    becomes[family.source, family.kind] = family.target
    numbers = {name: first.index(cell_type) + 1 for name, cell_type in founders.items()}
    transformation = kinds.index(TRANSFORMED) if TRANSFORMED in kinds else -1
    return CellTypes(types, family.bases, numbers, mutation_rate, becomes, transformation, family)


@lru_cache(maxsize=64)
def family_of(first: tuple[CellType, ...], possible: frozenset[Hit]) -> Family:
    """Number the first types and all that they can mutate to by the hits that are possible."""
    numbers = {cell_type: number for number, cell_type in enumerate(first, 1)}
    kinds: dict[str, int] = {}
    hits: dict[Hit, int] = {}
    ways: list[tuple[int, int, int, int]] = []
    waiting = list(first)
    for source, cell_type in enumerate(waiting, 1):
        for hit, mutant in mutants_of(cell_type):
            if hit not in possible:
                continue
            if mutant not in numbers:
                numbers[mutant] = len(numbers) + 1
                waiting.append(mutant)
            kind = kinds.setdefault(hit.kind, len(kinds))
            ways.append((hits.setdefault(hit, len(hits)), source, kind, numbers[mutant]))
    facts = np.array(ways, np.int64).reshape(-1, 4)
    bases = _numbered(["wild_type", *(cell_type.base for cell_type in numbers)])
    flag_sets = _numbered([frozenset(), *(cell_type.flags for cell_type in numbers)])
    shown = _numbered(map(_shown_by, numbers))
    return Family(
        types=tuple(numbers),
        kinds=tuple(kinds),
        hits=tuple(hits),
        hit=facts[:, 0],
        source=facts[:, 1],
        kind=facts[:, 2],
        target=facts[:, 3],
        bases=tuple(bases),
        base=np.array([0, *(bases[cell_type.base] for cell_type in numbers)], np.int64),
        flag_sets=tuple(flag_sets),
        flag_set=np.array([0, *(flag_sets[cell_type.flags] for cell_type in numbers)], np.int64),
        show=tuple(shown),
        shown=np.array([shown[_shown_by(cell_type)] for cell_type in numbers], np.int64),
        antigen_low=np.array([False, *(cell_type.antigen_low for cell_type in numbers)]),
        tet2_first=np.array([False, *(cell_type.tet2_first for cell_type in numbers)]),
        steady=np.array([False, *(TRANSFORMED in cell_type.flags for cell_type in numbers)]),
    )


def _shown_by(cell_type: CellType) -> tuple[str, bool, bool]:
    return cell_type.base, cell_type.antigen_low, TRANSFORMED in cell_type.flags


def _numbered(things: Iterable[T]) -> dict[T, int]:
    """Each thing once, numbered from 0."""
    return {thing: number for number, thing in enumerate(dict.fromkeys(things))}


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
    numbers = {none: 0}
    classes = []
    for base, low, late in cell_types.family.show:
        median = antigen_of(base, spec)
        if low:
            median *= spec.antigen.low_variant_factor
        if late:
            median *= spec.antigen.late_phase_factor
        kind = (median, late, base if base in named else "") if median > 0.0 else none
        classes.append(numbers.setdefault(kind, len(numbers)))
    class_of = np.append(0, np.array(classes, np.int64)[cell_types.family.shown])
    medians, always_late, _ = zip(*numbers, strict=True)
    return Antigens(class_of, np.array(medians), np.array(always_late, np.uint8))
