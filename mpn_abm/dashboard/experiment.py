"""A scenario with what was done to it by hand: each deed is a treatment from the day on which it was clicked.

Whatever is done gives a new scenario, which a run repeats with the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mpn_abm.errors import UsageError
from mpn_abm.scenario.resolved import as_file
from mpn_abm.scenario.scenario import Scenario, load
from mpn_abm.scenario.treatments import GivenCourse, NamedCourse, courses_of

# behind the name of a scenario that somebody treated by hand
BY_HAND = "-by-hand"
LONGEST_NAME = 100
Said = dict[str, Any]


@dataclass(frozen=True)
class Deed:
    """What somebody did, and when."""

    day: float
    words: str

    def __str__(self) -> str:
        return f"day {self.day:g}: {self.words}"


@dataclass(frozen=True)
class Experiment:
    """A scenario and what was done to it.

    Attributes
    ----------
    scenario : Scenario
        With everything that was done: a run of it is this experiment.
    deeds : tuple of Deed
        In the order in which they were done.
    before : Experiment or None
        As it was before the last deed.
    """

    scenario: Scenario
    deeds: tuple[Deed, ...] = ()
    before: Experiment | None = None

    # ---- deeds

    def give(self, drug: str, day: float, **dose: float) -> Experiment:
        """Give a drug from a day on, instead of what is given of it until then.

        Parameters
        ----------
        dose : number
            ``dose_mg`` or ``dose_relative``, and ``times_per_day``.

        Raises
        ------
        UsageError, ScenarioError
            If there is no such drug, or it is not dosed so.
        """
        content = self._stopped(drug, day)
        return self._with(content, drug, {"start_day": day, **dose}, day, f"give {drug}, {_dose_in_words(dose)}")

    def infuse(self, day: float, **dose: float) -> Experiment:
        """Infuse CAR T cells: ``dose_cells``, or at tissue scale ``effector_to_target``."""
        content = as_file(self.scenario.spec)
        return self._with(content, "car_t", {"day": day, **dose}, day, f"infuse CAR T cells, {_dose_in_words(dose)}")

    def stop(self, drug: str, day: float) -> Experiment:
        """Give nothing of a drug from a day on."""
        running = self.stoppable(day)
        if drug not in running:
            raise UsageError(f"{drug}: expected one that is or will be given: {', '.join(running) or 'there is none'}")
        return self._after(self._stopped(drug, day), day, f"stop {drug}")

    def stoppable(self, day: float) -> list[str]:
        """Drugs of which something is left to be given at a day or later."""
        drugs = dict.fromkeys(treatment.drug for treatment in self.scenario.spec.treatments.values())
        return [drug for drug in drugs if any(_gives_from(named.course, day) for named in self._courses_of(drug))]

    def tuned(self, values: Mapping[str, Any]) -> Experiment:
        """The same with other values by path; those that are so already change nothing."""
        other = {path: value for path, value in values.items() if self.scenario.get(path) != value}
        if not other:
            return self
        return replace(self, scenario=load(self.scenario.to_yaml(), other))

    # ---- what is left of it

    def to_yaml(self) -> str:
        """The scenario as a file, which says above it what was done by hand."""
        if not self.deeds:
            return self.scenario.to_yaml()
        lines = ["# Treated by hand in the dashboard; every click is a treatment from its day on:"]
        lines += [f"#   {deed}" for deed in self.deeds]
        lines.append("# `mpn-abm run` of this file repeats it with the same bits.")
        return "\n".join([*lines, self.scenario.to_yaml()])

    # ---- how

    def _with(self, content: Said, drug: str, course: Said, day: float, words: str) -> Experiment:
        if drug not in self.scenario.spec.drugs:
            raise UsageError(f"{drug}: expected a drug of the scenario: {', '.join(self.scenario.spec.drugs)}")
        content["treatments"][_free_name(drug, content["treatments"])] = {"drug": drug, **course}
        return self._after(content, day, words)

    def _after(self, content: Said, day: float, words: str) -> Experiment:
        name = content["name"].removesuffix(BY_HAND)[: LONGEST_NAME - len(BY_HAND)] + BY_HAND
        # somebody looked at one marrow, and that is what the file repeats
        scenario = load({**content, "name": name, "replicates": 1})
        return Experiment(scenario, (*self.deeds, Deed(day, words)), self)

    def _stopped(self, drug: str, day: float) -> Said:
        """The content of the file with nothing of a drug from a day on."""
        content = as_file(self.scenario.spec)
        for name, _, _, course, path in self._courses_of(drug):
            place = content
            for key in path:
                place = place[key]
            place.update(_ended(course, day, name))
            for key in [key for key, value in place.items() if value is None]:
                del place[key]
        return content

    def _courses_of(self, drug: str) -> list[NamedCourse]:
        treatments = self.scenario.spec.treatments
        return [named for named in courses_of(treatments) if treatments[named.treatment].drug == drug]


def _first_day(course: Any) -> float:
    """The earliest day on which a course gives anything."""
    if not isinstance(course, GivenCourse):
        return float(course.start or 0.0)
    return min(course.at) if course.at is not None else float(course.day or 0.0)


def _last_day(course: Any) -> float:
    """The latest day on which a course gives anything, as far as its days tell."""
    if course.after is not None or course.when:
        last = math.inf
    elif not isinstance(course, GivenCourse):
        last = math.inf if course.duration is None else _first_day(course) + course.duration
    elif course.at is not None:
        last = max(course.at)
    elif course.every is None or course.doses is not None:
        last = _first_day(course) + (course.every or 0.0) * ((course.doses or 1) - 1)
    else:
        last = math.inf
    return last if course.stop is None else min(last, course.stop)


def _gives_from(course: Any, day: float) -> bool:
    """Whether a course has something to give at a day or later."""
    last = _last_day(course)
    # a dose is given on the last day, a course that lasts is over by then
    later = last >= day and course.stop != last if isinstance(course, GivenCourse) else last > day
    return later and not any(getattr(course, way) == 0 for way in course.ways_to_dose)


def _ended(course: Any, day: float, name: str) -> Said:
    """What a course has to say to give nothing from a day on; a null takes a key away."""
    if not _gives_from(course, day):
        return {}
    if _first_day(course) >= day and course.after is None:
        # it keeps its place, as others may wait for it
        return {**dict.fromkeys(course.ways_to_dose), "dose_relative": 0.0}
    once = isinstance(course, GivenCourse) and course.every is None and course.at is None
    counted = getattr(course, "duration", None) is not None or getattr(course, "doses", None) is not None
    if (course.after is not None or course.when) and (once or counted):
        raise UsageError(f"{name}: its days follow from others, and stopping it now would change what was given before")
    if getattr(course, "at", None) is not None:
        return {"at_days": [moment for moment in course.at if moment < day]}
    if isinstance(course, GivenCourse):
        return {"doses": None, "stop_day": day}
    return {"duration_days": None, "stop_day": day}


def _free_name(drug: str, taken: Said) -> str:
    names = (drug if k == 1 else f"{drug}_{k}" for k in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _dose_in_words(dose: Mapping[str, float]) -> str:
    words = {
        "dose_mg": "{:g} mg",
        "dose_relative": "{:g} times the usual dose",
        "dose_cells": "{:,.0f} cells",
        "effector_to_target": "{:g} per target cell",
        "times_per_day": "{:g} times a day",
    }
    return ", ".join(words[key].format(value) for key, value in dose.items())
