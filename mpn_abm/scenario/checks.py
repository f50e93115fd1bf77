"""What must hold between the values of a scenario.

A check reads some parts of a scenario and is left out while one of them is wrong in itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from math import prod

from mpn_abm.errors import Problem
from mpn_abm.mechanisms.genotypes import GENOTYPES
from mpn_abm.scenario.course_checks import (
    conditions_are_known,
    courses_are_whole,
    courses_suit_the_scale,
    doses_suit_the_drug,
    drugs_are_whole,
    starts_are_in_order,
)
from mpn_abm.scenario.finding import Finding
from mpn_abm.scenario.idle import stays_idle
from mpn_abm.scenario.schema import Clone, Spec
from mpn_abm.scenario.sizes import cells_of, plain_size, share_of_output, takes_the_rest
from mpn_abm.scenario.suggestions import unknown
from mpn_abm.scenario.treatments import LastingCourse, courses_of
from mpn_abm.scenario.tree import Entry, Path, problem_at

_TOLERANCE = 1e-9
_MOST_LOOKS = 1_000_000


def checked(spec: Spec, tree: Entry, wrong_parts: Collection[str] = ()) -> list[Problem]:
    """What is wrong between the values of a scenario, as far as the parts that are right in themselves tell."""
    findings = [finding for check, parts in _CHECKS.items() if parts.isdisjoint(wrong_parts) for finding in check(spec)]
    return [problem_at(tree, path, expectation) for path, expectation in findings]


def never_happens(spec: Spec) -> Iterator[str]:
    """What a scenario plans and does not get; right in itself, but hardly meant."""
    end = spec.time.duration
    for name, clone in spec.clones.items():
        if clone.day >= end:
            yield f"clones.{name}: day {clone.day:g} is not before the end, day {end:g}: it never arrives"
    for named in courses_of(spec.treatments):
        course = named.course
        day = course.start or 0.0 if isinstance(course, LastingCourse) else min(course.at or (course.day or 0.0,))
        if day >= end:
            yield f"treatments.{named.name}: day {day:g} is not before the end, day {end:g}: it is never given"
    yield from stays_idle(spec)


def _step_suits_the_scale(spec: Spec) -> Iterator[Finding]:
    low, high, words = {"niche": (1 / 24, 30.0, "1 hour to 30 days"), "tissue": (1 / 1440, 1 / 24, "1 to 60 minutes")}[
        spec.marrow.scale
    ]
    if not low * (1 - _TOLERANCE) <= spec.time.step <= high * (1 + _TOLERANCE):
        yield Finding(("time", "step"), f"expected {words} at {spec.marrow.scale} scale")


def _looks_are_few(spec: Spec) -> Iterator[Finding]:
    shortest = spec.time.duration / _MOST_LOOKS
    for name in ("record_every", "snapshot_every"):
        interval = getattr(spec.time, name)
        if interval is not None and interval < shortest:
            words = f"expected {shortest:.3g} days or more: a run has at most {_MOST_LOOKS:,} of them"
            yield Finding(("time", name), words)


def _rows_lie_within_the_run(spec: Spec) -> Iterator[Finding]:
    if max(spec.time.record_at or (), default=0.0) > spec.time.duration:
        yield Finding(("time", "record_at"), f"expected days of the run, which lasts {spec.time.duration:g} days")


def _homing_fits_the_lattice(spec: Spec) -> Iterator[Finding]:
    shortest = min(spec.marrow.shape)
    if spec.hematopoiesis.homing_radius > shortest:
        yield Finding(
            ("hematopoiesis", "homing_radius"), f"expected at most the shortest side of the lattice, {shortest}"
        )


def _catalogue_is_whole(spec: Spec) -> Iterator[Finding]:
    for name in GENOTYPES:
        if name not in spec.genotypes:
            yield Finding(("genotypes",), f"expected {name} to stay: mutation leads to it or from it")


def _copies_suit_the_gene(spec: Spec) -> Iterator[Finding]:
    for name, genotype in spec.genotypes.items():
        if (genotype.gene == "none") != (genotype.mutant_copies == 0):
            expectation = "0 copies" if genotype.gene == "none" else f"1 or 2 copies of {genotype.gene}"
            yield Finding(("genotypes", name, "mutant_copies"), f"expected {expectation}")


def _shares_are_parts(spec: Spec) -> Iterator[Finding]:
    mutation = spec.mutation
    total = mutation.dnmt3a_share + mutation.tet2_share + mutation.asxl1_share + mutation.tp53_share
    if total > 1 + _TOLERANCE:
        yield Finding(("mutation",), f"expected shares of the background drivers of at most 1 together, not {total:g}")


def _scar_has_its_mechanism(spec: Spec) -> Iterator[Finding]:
    if spec.fibrosis.initial.mf_grade > 0 and not spec.fibrosis.enabled:
        yield Finding(("fibrosis", "initial", "mf_grade"), "expected 0: no scar is placed where fibrosis is off")


def _scar_patches_have_a_size(spec: Spec) -> Iterator[Finding]:
    scar = spec.fibrosis.initial
    sizes = {"cover_fraction": scar.cover_fraction, "radius": scar.radius}
    if scar.patches is not None and all(size is None for size in sizes.values()):
        yield Finding(("fibrosis", "initial", "patches"), "expected `cover_fraction` or `radius_sites` beside it")
    for name, size in sizes.items():
        if scar.patches is None and size is not None:
            yield Finding(("fibrosis", "initial", name), "expected `patches` beside it")


def _clones_are_known(spec: Spec) -> Iterator[Finding]:
    for name, clone in spec.clones.items():
        # one of the catalogue that a file has deleted is told there
        if clone.genotype not in spec.genotypes and clone.genotype not in GENOTYPES:
            yield Finding(("clones", name, "genotype"), unknown("genotype", clone.genotype, spec.genotypes))
        if len(set(clone.flags)) < len(clone.flags):
            yield Finding(("clones", name, "flags"), "expected each flag once")
    if "total" in spec.clones:
        yield Finding(("clones", "total"), "expected another name: the column cells_total counts all clones")


def _patterns_are_whole(spec: Spec) -> Iterator[Finding]:
    for name, clone in spec.clones.items():
        here: Path = ("clones", name)
        if clone.pattern == "patches" and clone.patches is None:
            yield Finding((*here, "pattern"), "expected `patches`, their number, beside it")
        if clone.pattern != "patches" and clone.patches is not None:
            yield Finding((*here, "patches"), "expected `pattern: patches` beside it")
        if clone.pattern == "single" and (clone.fraction, clone.vaf, clone.cells or 1) != (None, None, 1):
            yield Finding((*here, "pattern"), "expected no size beside it: a single clone is one cell")
        if takes_the_rest(clone) and clone.pattern != "scattered":
            yield Finding((*here, "pattern"), "expected a size beside it: `fraction`, `cells` or `vaf`")
        if clone.day > 0 and takes_the_rest(clone):
            yield Finding((*here, "day"), "expected a size beside it: a clone that arrives takes no rest")


def _sizes_fit_the_lattice(spec: Spec) -> Iterator[Finding]:
    if next(_vafs_suit_the_genotype(spec), None) is not None:
        return
    sites = prod(spec.marrow.shape)
    first = {name: clone for name, clone in spec.clones.items() if clone.day == 0}
    rest = [name for name, clone in first.items() if takes_the_rest(clone)]
    for name in rest[1:]:
        yield Finding(("clones", name), f"expected a size: only one clone can take the rest, and {rest[0]} does")
    for name, clone in spec.clones.items():
        if (plain_size(clone, sites) or 0) > sites:
            yield Finding(("clones", name), f"expected at most the {sites} sites of the lattice")
    plain = sum(plain_size(clone, sites) or 0 for clone in first.values())
    of_output = sum(share_of_output(spec, clone) for clone in first.values())
    if of_output and not rest and not plain and abs(of_output - 1) > _TOLERANCE:
        yield Finding(("clones",), "expected a clone without a size: a vaf says nothing without the other cells")
        return
    total = plain / sites + of_output
    if of_output <= 1 + _TOLERANCE:
        sizes = dict(zip(spec.clones, cells_of(spec), strict=True))
        total = sum(sizes[name] or 0.0 for name in first) / sites
    if total > 1 + _TOLERANCE:
        yield Finding(("clones",), f"expected sizes of at most all sites together, not {total:.6g} of them")


def _vafs_suit_the_genotype(spec: Spec) -> Iterator[Finding]:
    for name, clone in spec.clones.items():
        copies = _copies(spec, clone)
        if clone.vaf is None or clone.vaf <= copies / 2 or clone.genotype not in spec.genotypes:
            continue
        limit = "at most 0.5, as it is heterozygous" if copies else f"none, as {clone.genotype} has no mutant copy"
        yield Finding(("clones", name, "vaf"), f"expected {limit}")


def _there_is_a_clone(spec: Spec) -> Iterator[Finding]:
    if not spec.clones:
        yield Finding(("clones",), "expected at least one clone")


def _copies(spec: Spec, clone: Clone) -> int:
    genotype = spec.genotypes.get(clone.genotype)
    return 0 if genotype is None else genotype.mutant_copies


_CHECKS: dict[Callable[[Spec], Iterator[Finding]], frozenset[str]] = {
    _step_suits_the_scale: frozenset({"time", "marrow"}),
    _looks_are_few: frozenset({"time"}),
    _rows_lie_within_the_run: frozenset({"time"}),
    _homing_fits_the_lattice: frozenset({"hematopoiesis", "marrow"}),
    _catalogue_is_whole: frozenset({"genotypes"}),
    # what is wrong with one thing that a file names says nothing about the next
    _copies_suit_the_gene: frozenset(),
    _shares_are_parts: frozenset({"mutation"}),
    _scar_has_its_mechanism: frozenset({"fibrosis"}),
    _scar_patches_have_a_size: frozenset({"fibrosis"}),
    _there_is_a_clone: frozenset({"clones"}),
    # the genotypes of clones are seen also where something else about them is wrong
    _clones_are_known: frozenset({"genotypes"}),
    _patterns_are_whole: frozenset(),
    _vafs_suit_the_genotype: frozenset({"genotypes"}),
    _sizes_fit_the_lattice: frozenset({"clones", "genotypes", "marrow"}),
    drugs_are_whole: frozenset({"drugs", "genotypes"}),
    courses_are_whole: frozenset({"treatments", "genotypes"}),
    courses_suit_the_scale: frozenset({"treatments", "marrow"}),
    doses_suit_the_drug: frozenset({"treatments"}),
    conditions_are_known: frozenset({"treatments", "clones", "genotypes"}),
    starts_are_in_order: frozenset({"treatments"}),
}
