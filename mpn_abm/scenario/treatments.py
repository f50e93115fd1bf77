"""What a file says about a treatment: a block for each kind, and one for the courses within it.

A course inherits what its treatment says; a treatment without courses is a single course itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, Field, Strict

from mpn_abm.mechanisms.declaration import Block, GenotypeName, Name, Whole, setting

LONGEST = 200 * 365.25
"""Days that a run may last and on which anything may happen."""

Groups = tuple[frozenset[str], ...]

_OF_MASS = frozenset({"dose_mg", "dose_relative"})
_RELATIVE = frozenset({"dose_relative"})
_OF_CELLS = frozenset({"dose_cells", "dose_cells_per_kg", "effector_to_target", "dose_relative"})


def _are_moments(days: tuple[float, ...]) -> tuple[float, ...]:
    if not days or not all(0 <= day <= LONGEST for day in days):
        raise ValueError
    return days


Moments = Annotated[tuple[float, ...], Strict(False), AfterValidator(_are_moments)]


class Condition(Block):
    """What a column of the trajectory must be."""

    above: float | None = setting(None, low=-1e300, high=1e300, doc="the column is more than this")
    below: float | None = setting(None, low=-1e300, high=1e300, doc="the column is less than this")
    for_days: float | None = setting(
        None, unit="day", low=0.0, high=LONGEST, doc="how long it has to have been so at every look"
    )


class After(Block):
    """The start or the stop of another treatment, from which a start is counted."""

    exclusive: ClassVar[Groups] = (frozenset({"start", "stop"}),)

    start: str | None = setting(None, doc="a treatment, or one of its courses as in ruxolitinib.low, that starts")
    stop: str | None = setting(None, doc="a treatment, or one of its courses, that stops")
    days: float = setting(0.0, unit="day", low=0.0, high=LONGEST, doc="time from then on")


class _Rule(Block):
    when: dict[str, Condition] = setting(doc="conditions by column; all must hold")
    max_dose_relative: float | None = setting(
        None, low=0.0, high=1000.0, doc="largest dose then, over that of usual full exposure; 0 holds the drug"
    )


LIMITS = ("max_dose_mg", "max_dose_cells", "max_dose_relative")


class RelativeRule(_Rule):
    """What limits a dose."""


class MassRule(_Rule):
    """What limits a dose."""

    exclusive: ClassVar[Groups] = (frozenset({"max_dose_mg", "max_dose_relative"}),)

    max_dose_mg: float | None = setting(
        None, unit="mg", low=0.0, high=100_000.0, doc="largest single dose then; 0 holds the drug"
    )


class CellRule(_Rule):
    """What limits a dose."""

    exclusive: ClassVar[Groups] = (frozenset({"max_dose_cells", "max_dose_relative"}),)

    max_dose_cells: float | None = setting(
        None, unit="cells", low=0.0, high=1e13, doc="most T cells of one infusion then; 0 holds it"
    )


class Course(Block):
    """What all courses have: when they start and stop, apart from days."""

    ways_to_dose: ClassVar[frozenset[str]] = _RELATIVE

    dose_relative: float | None = setting(None, low=0.0, high=1000.0, doc="dose over that of usual full exposure")
    after: After | None = setting(None, doc="start some time after another treatment starts or stops")
    when: dict[str, Condition] = setting({}, doc="start when all of these hold, by column")
    stop_when: dict[str, Condition] = setting({}, doc="stop when all of these hold, by column")
    check_every: float | None = setting(
        None, unit="day", above=0.0, high=LONGEST, doc="time between two looks at the columns; every step without it"
    )
    repeat: bool = setting(False, doc="whether it starts again when `when` or `after` says so once more")


class LastingCourse(Course):
    """What lasts from a start to a stop."""

    exclusive: ClassVar[Groups] = (frozenset({"start", "after"}), frozenset({"stop", "duration"}))

    start: float | None = setting(
        None, unit="at day", low=0.0, high=LONGEST, doc="the first day, beside `when` the earliest; 0 unless said"
    )
    stop: float | None = setting(None, unit="at day", low=0.0, high=LONGEST, doc="the first day without")
    duration: float | None = setting(None, unit="day", above=0.0, high=LONGEST, doc="time from start to stop")
    stop_per_year: float | None = setting(
        None, unit="1/year", low=0.0, high=10_000.0, doc="rate at which it stops for a reason that is not modelled"
    )


class GivenCourse(Course):
    """What is given at once, perhaps several times."""

    exclusive: ClassVar[Groups] = (
        frozenset({"day", "at", "after"}),
        frozenset({"every", "at"}),
        frozenset({"doses", "stop", "at"}),
    )

    day: float | None = setting(
        None, unit="at day", low=0.0, high=LONGEST, doc="day of the first, beside `when` the earliest; 0 unless said"
    )
    at: Moments | None = setting(
        None, unit="day", doc="days of all", expects=f"a list of days from 0 to {LONGEST:g}, in the unit of the key"
    )
    every: float | None = setting(None, unit="day", above=0.0, high=LONGEST, doc="time between two")
    doses: Whole | None = setting(None, low=1, high=10_000, doc="number in all")
    stop: float | None = setting(None, unit="at day", low=0.0, high=LONGEST, doc="none from this day on")


class MassCourse(LastingCourse):
    """A course of a drug that is weighed."""

    ways_to_dose: ClassVar = _OF_MASS
    exclusive: ClassVar[Groups] = (_OF_MASS, *LastingCourse.exclusive)

    dose_mg: float | None = setting(None, unit="mg", low=0.0, high=100_000.0, doc="a single dose")
    adjust: dict[Name, MassRule] = setting({}, doc="rules that limit the dose; the first that holds now counts")


class TabletCourse(MassCourse):
    """A course of tablets."""

    times_per_day: Whole = setting(
        2, low=1, high=24, doc="doses a day; as usual for the drug unless said, and of no weight for dose_relative"
    )


class RelativeCourse(LastingCourse):
    """A course of a drug whose dose is said relative to the usual one."""

    adjust: dict[Name, RelativeRule] = setting({}, doc="rules that limit the dose; the first that holds now counts")


class CarTCourse(GivenCourse):
    """Infusions of CAR T cells."""

    ways_to_dose: ClassVar = _OF_CELLS
    exclusive: ClassVar[Groups] = (_OF_CELLS, *GivenCourse.exclusive)

    dose_cells: float | None = setting(None, unit="cells", low=0.0, high=1e13, doc="T cells of one infusion")
    dose_cells_per_kg: float | None = setting(
        None, unit="cells/kg", low=0.0, high=1e11, doc="T cells of one infusion per body weight"
    )
    effector_to_target: float | None = setting(
        None, low=0.0, high=1e4, doc="T cells per antigen-positive cell that is there at the infusion, at tissue scale"
    )
    entry: Literal["everywhere", "faces"] = setting("everywhere", doc="where infused cells appear at tissue scale")
    adjust: dict[Name, CellRule] = setting({}, doc="rules that limit the dose; the first that holds now counts")


class TransplantCourse(GivenCourse):
    """A transplantation of stem cells."""

    donor: GenotypeName = setting("donor", doc="genotype of the donor's stem cells")
    conditioning: Literal["myeloablative", "reduced"] = setting("reduced", doc="intensity of the conditioning")
    mismatched: bool = setting(False, doc="whether donor and patient are mismatched")
    mortality_year_1: float | None = setting(
        None, low=0.0, high=0.99, doc="share of patients who die of it in the first year; as usual unless said"
    )
    adjust: dict[Name, RelativeRule] = setting({}, doc="rules that limit the dose; the first that holds now counts")


class _Drug(Block):
    kind: str = setting("", doc="what the drug does")
    drug: Name = setting(doc="the drug; the name of the treatment unless said")


class JakInhibitorTreatment(TabletCourse, _Drug):
    """A JAK inhibitor."""

    kind: Literal["jak_inhibitor"] = setting("jak_inhibitor", doc="what the drug does")
    courses: dict[Name, TabletCourse] = setting({}, doc="courses by name; they inherit the keys of the treatment")


class ModifierTreatment(TabletCourse, _Drug):
    """A drug that multiplies named factors."""

    kind: Literal["modifier"] = setting("modifier", doc="what the drug does")
    courses: dict[Name, TabletCourse] = setting({}, doc="courses by name; they inherit the keys of the treatment")


class EltrombopagTreatment(TabletCourse, _Drug):
    """Eltrombopag."""

    kind: Literal["eltrombopag"] = setting("eltrombopag", doc="what the drug does")
    courses: dict[Name, TabletCourse] = setting({}, doc="courses by name; they inherit the keys of the treatment")


class InterferonTreatment(MassCourse, _Drug):
    """Interferon."""

    kind: Literal["interferon"] = setting("interferon", doc="what the drug does")
    courses: dict[Name, MassCourse] = setting({}, doc="courses by name; they inherit the keys of the treatment")


class CheckpointTreatment(MassCourse, _Drug):
    """An antibody against PD-1, at its usual intervals."""

    kind: Literal["checkpoint_blockade"] = setting("checkpoint_blockade", doc="what the drug does")
    courses: dict[Name, MassCourse] = setting({}, doc="courses by name; they inherit the keys of the treatment")


class Hsp90Treatment(RelativeCourse, _Drug):
    """An HSP90 inhibitor."""

    kind: Literal["hsp90_inhibitor"] = setting("hsp90_inhibitor", doc="what the drug does")
    courses: dict[Name, RelativeCourse] = setting({}, doc="courses by name; they inherit the keys of the treatment")


class AntibodyTreatment(RelativeCourse, _Drug):
    """An antibody against mutant CALR."""

    kind: Literal["antibody"] = setting("antibody", doc="what the drug does")
    courses: dict[Name, RelativeCourse] = setting({}, doc="courses by name; they inherit the keys of the treatment")


class CarTTreatment(CarTCourse, _Drug):
    """CAR T cells."""

    kind: Literal["car_t"] = setting("car_t", doc="what the drug does")
    target: Literal["CALR"] = setting("CALR", doc="the gene whose mutant product the T cells see")
    courses: dict[Name, CarTCourse] = setting({}, doc="courses by name; they inherit the keys of the treatment")


class TransplantTreatment(TransplantCourse, _Drug):
    """A transplantation."""

    kind: Literal["transplant"] = setting("transplant", doc="what the drug does")
    courses: dict[Name, TransplantCourse] = setting({}, doc="courses by name; they inherit the keys of the treatment")


AnyTreatment = (
    JakInhibitorTreatment
    | Hsp90Treatment
    | InterferonTreatment
    | EltrombopagTreatment
    | CheckpointTreatment
    | AntibodyTreatment
    | CarTTreatment
    | TransplantTreatment
    | ModifierTreatment
)
Treatment = Annotated[AnyTreatment, Field(discriminator="kind")]

FOR_THE_WHOLE = ("kind", "drug", "target", "courses")
"""What is said of a treatment and never of a course."""


class NamedCourse(NamedTuple):
    """A course with its place."""

    name: str  # ruxolitinib.low, or the treatment's name if it is the only course
    treatment: str
    number: int  # of the treatment
    course: Any  # a block of the kind
    path: tuple[str, ...]


def courses_of(treatments: Mapping[str, AnyTreatment]) -> list[NamedCourse]:
    """Every course of a scenario, in the order of the file."""
    found = []
    for number, (name, treatment) in enumerate(treatments.items()):
        here = ("treatments", name)
        if not treatment.courses:
            found.append(NamedCourse(name, name, number, treatment, here))
        for own, course in treatment.courses.items():
            found.append(NamedCourse(f"{name}.{own}", name, number, course, (*here, "courses", own)))
    return found
