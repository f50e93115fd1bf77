"""What must hold between the values of treatments, their courses, and the drugs that they give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mpn_abm.columns import GROUPS, is_share
from mpn_abm.mechanisms.drugs import JakInhibitor, Modifier
from mpn_abm.scenario.finding import Finding
from mpn_abm.scenario.schema import Spec
from mpn_abm.scenario.suggestions import did_you_mean, one_of, unknown
from mpn_abm.scenario.treatments import (
    LIMITS,
    CarTCourse,
    Condition,
    GivenCourse,
    LastingCourse,
    NamedCourse,
    TransplantCourse,
    courses_of,
)
from mpn_abm.scenario.tree import Path

_ALL_OR_NONE = "expected 0 or 1: a transplant is done or not, and `conditioning` says how hard it is"


def courses_are_whole(spec: Spec) -> Iterator[Finding]:
    """Every course has a dose, stops after it starts, and says what its keys need beside them."""
    for _, _, _, course, here in courses_of(spec.treatments):
        if all(getattr(course, way) is None for way in course.ways_to_dose):
            yield Finding(here, f"expected {one_of(sorted(course.ways_to_dose))}")
        start = course.start if isinstance(course, LastingCourse) else course.day
        if course.after is None and course.stop is not None and course.stop <= (start or 0.0):
            yield Finding((*here, "stop"), f"expected later than its start on day {start or 0.0:g}")
        if course.repeat and not course.when and course.after is None:
            yield Finding((*here, "repeat"), "expected `when` or `after` beside it")
        if course.repeat and getattr(course, "at", None) is not None:
            words = "expected none beside listed days, which come once: say `every_days` and `doses` for a series"
            yield Finding((*here, "repeat"), words)
        if course.check_every is not None and not (course.when or course.stop_when or course.adjust):
            yield Finding((*here, "check_every"), "expected `when`, `stop_when` or `adjust` beside it")
        if isinstance(course, GivenCourse) and course.every is None:
            if course.doses not in (None, 1):
                yield Finding((*here, "doses"), "expected `every_days` beside it")
            if course.stop is not None:
                yield Finding((*here, "stop"), "expected `every_days` beside it")
        if isinstance(course, TransplantCourse):
            if course.donor not in spec.genotypes:
                yield Finding((*here, "donor"), unknown("genotype", course.donor, spec.genotypes))
            elif spec.genotypes[course.donor].gene != "none":
                healthy = one_of([name for name, genotype in spec.genotypes.items() if genotype.gene == "none"])
                yield Finding((*here, "donor"), f"expected {healthy}: a donor has no JAK2 or CALR mutation")


def courses_suit_the_scale(spec: Spec) -> Iterator[Finding]:
    """What is said at tissue scale alone, and what has no meaning there."""
    tissue = spec.marrow.scale == "tissue"
    for _, _, _, course, here in courses_of(spec.treatments):
        if tissue and isinstance(course, TransplantCourse):
            yield Finding(here, "expected at niche scale only: a piece of tissue receives no transplant")
        if tissue and isinstance(course, CarTCourse) and course.dose_cells_per_kg is not None:
            words = "expected at niche scale only: say `effector_to_target`, or `dose_cells` that enter the lattice"
            yield Finding((*here, "dose_cells_per_kg"), words)
        if not tissue and isinstance(course, CarTCourse):
            if course.effector_to_target is not None:
                yield Finding((*here, "effector_to_target"), "expected at tissue scale only")
            if course.entry == "faces":
                yield Finding((*here, "entry"), "expected everywhere: faces are for the tissue scale")


def doses_suit_the_drug(spec: Spec) -> Iterator[Finding]:
    """Doses that can be read, and rules that limit what they can."""
    for _, _, _, course, here in courses_of(spec.treatments):
        for name, rule in course.adjust.items():
            path = (*here, "adjust", name)
            limits = [limit for key in LIMITS if (limit := getattr(rule, key, None)) is not None]
            if not limits:
                yield Finding(path, "expected a largest dose, such as `max_dose_relative: 0`")
            if not rule.when:
                yield Finding((*path, "when"), "expected at least one condition")
            if isinstance(course, CarTCourse) and course.effector_to_target is not None and any(limits):
                yield Finding(path, "expected a limit of 0: the dose is a ratio to cells")
            if isinstance(course, TransplantCourse) and rule.max_dose_relative not in (None, 0.0, 1.0):
                yield Finding((*path, "max_dose_relative"), _ALL_OR_NONE)
        if isinstance(course, TransplantCourse) and course.dose_relative not in (None, 0.0, 1.0):
            yield Finding((*here, "dose_relative"), _ALL_OR_NONE)


def conditions_are_known(spec: Spec) -> Iterator[Finding]:
    """Conditions name columns of the trajectory and can hold."""
    columns: list[str] = []
    for _, name, _, course, here in courses_of(spec.treatments):
        for words, conditions in _conditions_of(course):
            # what is inherited is told once, where it stands
            inherited = (words, conditions) in _conditions_of(spec.treatments[name])
            if conditions and not columns:
                columns = columns_that_can_be(spec)
            yield from _of_conditions(conditions, columns, (*(here[:2] if inherited else here), *words))


def _conditions_of(course: Any) -> list[tuple[tuple[str, ...], Mapping[str, Condition]]]:
    rules = [(("adjust", name, "when"), rule.when) for name, rule in course.adjust.items()]
    return [(("when",), course.when), (("stop_when",), course.stop_when), *rules]


def _of_conditions(conditions: Mapping[str, Condition], columns: list[str], path: Path) -> Iterator[Finding]:
    for column, condition in conditions.items():
        if column not in columns:
            hint = did_you_mean(column, columns) or ", expected one that `mpn-abm list columns` names"
            yield Finding((*path, column), f"unknown column{hint}")
        elif is_share(column):
            for name in ("above", "below"):
                if not 0.0 <= (getattr(condition, name) or 0.0) <= 1.0:
                    yield Finding((*path, column, name), f"expected 0 to 1: {column} is a share, not a percentage")
        if condition.above is condition.below is None:
            yield Finding((*path, column), "expected `above` or `below`")
        elif None not in (condition.above, condition.below) and condition.above >= condition.below:  # type: ignore[operator]
            yield Finding((*path, column), "expected `above` to be less than `below`")


def columns_that_can_be(spec: Spec) -> list[str]:
    """Every column of the census that a run of these clones, genotypes and drugs could have."""
    names = {
        "clone": list(spec.clones),
        "genotype": list(spec.genotypes),
        "mutant": [name for name, genotype in spec.genotypes.items() if genotype.gene != "none"],
        "drug": list(dict.fromkeys(treatment.drug for treatment in spec.treatments.values())),
    }
    return [
        column.name.format(name)
        for per, declared in GROUPS.values()
        for column in declared
        for name in (names.get(per, []) if per else [""])
    ]


def starts_are_in_order(spec: Spec) -> Iterator[Finding]:
    """`after` names another treatment or course, and no start waits for itself."""
    courses = courses_of(spec.treatments)
    waits_for: dict[str, set[str]] = {}
    for name, treatment, _, course, here in courses:
        if course.after is None:
            continue
        said = [key for key in ("start", "stop") if getattr(course.after, key) is not None]
        if not said:
            yield Finding((*here, "after"), "expected `start` or `stop`, a treatment or one of its courses")
            continue
        path, target = (*here, "after", said[0]), getattr(course.after, said[0])
        known = anchors_of(courses)
        if target not in known:
            yield Finding(path, unknown("treatment or course", target, [word for word in known if word != treatment]))
            continue
        waits_for[name] = set(known[target])
        if name in _all_before(name, waits_for):
            yield Finding(path, f"expected no circle, {target} waits for {name}")


def anchors_of(courses: list[NamedCourse]) -> dict[str, list[str]]:
    """What `after` can name: a course, or a treatment and with it all of its courses."""
    known: dict[str, list[str]] = {}
    for course in courses:
        known.setdefault(course.treatment, []).append(course.name)
    return known | {course.name: [course.name] for course in courses}


def _all_before(name: str, waits_for: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(waits_for.get(name, ()))
    while waiting:
        other = waiting.pop()
        if other not in found:
            found.add(other)
            waiting += waits_for.get(other, ())
    return found


def drugs_are_whole(spec: Spec) -> Iterator[Finding]:
    """What the parameters of a drug need beside them."""
    for name, drug in spec.drugs.items():
        here: Path = ("drugs", name)
        if isinstance(drug, JakInhibitor):
            if drug.first_dose_peak is None:
                yield Finding(here, "expected `first_dose_peak_nM_per_mg`")
            if drug.ic50 is drug.usual_occupancy is None:
                yield Finding(here, "expected one of ic50_nM, usual_occupancy")
        if isinstance(drug, Modifier):
            if drug.first_dose_peak is drug.usual_concentration is None:
                yield Finding(here, "expected one of first_dose_peak_nM_per_mg, usual_concentration_nM")
            if not drug.effects:
                yield Finding((*here, "effects"), "expected at least one")
            for effect_name, effect in drug.effects.items():
                path = (*here, "effects", effect_name)
                if effect.genotype is not None and effect.genotype not in spec.genotypes:
                    yield Finding((*path, "genotype"), unknown("genotype", effect.genotype, spec.genotypes))
                elif effect.genotype is not None and effect.factor == "antigen" and not _carries(spec, effect.genotype):
                    yield Finding((*path, "genotype"), f"expected one with antigen: {effect.genotype} carries none")
                if effect.genotype is not None and effect.factor in ("homing", "scar_deposition"):
                    yield Finding((*path, "genotype"), f"expected none: {effect.factor} is not of a genotype")
                if effect.direction == "decreases" and effect.saturation > 1.0:
                    yield Finding((*path, "saturation"), "expected at most 1: a factor falls to 0 at most")


def _carries(spec: Spec, name: str) -> bool:
    genotype = spec.genotypes[name]
    return genotype.gene == "CALR" if genotype.antigen is None else genotype.antigen > 0.0
