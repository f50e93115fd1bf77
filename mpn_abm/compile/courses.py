"""When treatments are given: courses as steps, conditions on columns, and the order in which they are decided."""

import math
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from mpn_abm.columns import Layout
from mpn_abm.compile.clock import boundary_at
from mpn_abm.compile.drugs import cells_per_agent, effects_of, levels_of, treatment_facts
from mpn_abm.errors import Problem, ScenarioError
from mpn_abm.kernels.draws import chance
from mpn_abm.mechanisms.treatment.rules import (
    ABOVE,
    AFTER_STOP,
    ANCHOR,
    ANCHOR_END,
    AT_ONCE,
    BELOW,
    BY_FACES,
    COLUMN,
    CONDITION_FACTS,
    COURSE_RULES,
    DOSES,
    FIRST_DAY,
    FIRST_STEP,
    HAZARD,
    HELD_STEPS,
    INTERVAL,
    IS_FIXED,
    LAG,
    LASTS,
    LEVEL_FACTS,
    LEVELS,
    LEVELS_END,
    LISTED,
    LISTED_END,
    LOOK_EVERY,
    NEVER,
    OF_COURSE,
    REPEATS,
    RULE,
    RULE_END,
    STOP_CHANCE,
    STOP_STEP,
    STOP_WHEN,
    STOP_WHEN_END,
    TIMINGS,
    TREATMENT,
    UNTIL_DAY,
    WHEN,
    WHEN_END,
    TreatmentRules,
)
from mpn_abm.scenario.schema import Spec
from mpn_abm.scenario.treatments import Condition, GivenCourse, NamedCourse, courses_of

DAYS_PER_YEAR = 365.25
# hazards of single courses have numbers from here on, by the name of the course: arms share them
FIRST_COURSE_HAZARD = 2**31


class _Tables:
    """The tables while they grow."""

    def __init__(self, spec: Spec, layout: Layout) -> None:
        self.columns = {column.name: k for k, column in enumerate(layout.columns)}
        self.spec = spec
        self.days: list[float] = []
        self.levels: list[np.ndarray] = []
        self.conditions: list[np.ndarray] = []
        self.problems: list[Problem] = []

    def add(self, conditions: Mapping[str, Condition], course: int, path: tuple[str, ...]) -> tuple[int, int]:
        """Append conditions; returns the first and the one after the last."""
        first = len(self.conditions)
        for name, condition in conditions.items():
            if name not in self.columns:
                where = ".".join((*path, name))
                expectation = "expected a column that this run has: its mechanism is off or its genotype cannot arise"
                self.problems.append(Problem(self.spec.name, None, None, where, "", expectation))
                continue
            row = np.zeros(CONDITION_FACTS)
            row[COLUMN], row[OF_COURSE] = self.columns[name], course
            row[ABOVE] = -math.inf if condition.above is None else condition.above
            row[BELOW] = math.inf if condition.below is None else condition.below
            row[HELD_STEPS] = boundary_at(condition.for_days or 0.0, self.spec.time.step)
            self.conditions.append(row)
        return first, len(self.conditions)


def treatment_rules(spec: Spec, layout: Layout, bases: tuple[str, ...]) -> TreatmentRules:
    """The treatments of a scenario for the kernels; ScenarioError if a condition names no column of the run."""
    named = courses_of(spec.treatments)
    facts = treatment_facts(spec)
    tables = _Tables(spec, layout)
    course = np.zeros((len(named), COURSE_RULES), np.int64)
    timing = np.zeros((len(named), TIMINGS))
    per_agent = cells_per_agent(spec)
    for k, one in enumerate(named):
        rule = course[k]
        rule[TREATMENT] = one.number
        _fill_times(rule, timing[k], one, spec.time.step, tables)
        rule[WHEN], rule[WHEN_END] = tables.add(one.course.when, k, (*one.path, "when"))
        rule[STOP_WHEN], rule[STOP_WHEN_END] = tables.add(one.course.stop_when, k, (*one.path, "stop_when"))
        drug = spec.drugs[spec.treatments[one.treatment].drug]
        rule[LEVELS] = len(tables.levels)
        levels = levels_of(one.course, facts[one.number], spec, drug, per_agent)
        for level, (name, adjust) in zip(levels[1:], one.course.adjust.items(), strict=True):
            level[RULE], level[RULE_END] = tables.add(adjust.when, k, (*one.path, "adjust", name, "when"))
        tables.levels.extend(levels)
        rule[LEVELS_END] = len(tables.levels)
    if tables.problems:
        raise ScenarioError(tables.problems)
    _fill_anchors(course, named, spec.time.step)
    numbers = [one.number for one in named]
    return TreatmentRules(
        most_logged=sum(
            2 if rule[AT_ONCE] == 0 else doses_in_a_step(k, course, timing, spec) for k, rule in enumerate(course)
        ),
        treatment=facts,
        first_course=np.searchsorted(numbers, np.arange(len(spec.treatments) + 1)).astype(np.int64),
        order=order_of(course),
        course=course,
        timing=timing,
        day=np.array(tables.days),
        level=np.array(tables.levels).reshape(-1, LEVEL_FACTS),
        condition=np.array(tables.conditions).reshape(-1, CONDITION_FACTS),
        effect=effects_of(spec, bases),
    )


def _fill_times(rule: np.ndarray, timing: np.ndarray, one: NamedCourse, step: float, tables: _Tables) -> None:
    course = one.course
    rule[IS_FIXED] = course.after is None and not course.when and not course.stop_when
    rule[REPEATS] = course.repeat
    rule[ANCHOR] = -1
    rule[LASTS] = rule[STOP_STEP] = rule[DOSES] = NEVER
    rule[HAZARD] = FIRST_COURSE_HAZARD | zlib.crc32(one.name.encode())
    timing[LOOK_EVERY] = course.check_every or 0.0
    timing[UNTIL_DAY] = math.inf
    if isinstance(course, GivenCourse):
        _fill_doses(rule, timing, course, tables)
        if course.stop is not None and not rule[IS_FIXED]:
            rule[STOP_STEP] = boundary_at(course.stop, step)
    else:
        timing[FIRST_DAY] = course.start or 0.0
        timing[INTERVAL] = 1.0 / getattr(course, "times_per_day", 1)
        stop = course.stop
        if course.duration is not None:
            rule[LASTS] = max(1, boundary_at(course.duration, step))
            if rule[IS_FIXED]:
                rule[LASTS], stop = NEVER, timing[FIRST_DAY] + course.duration
        if stop is not None:
            rule[STOP_STEP] = boundary_at(stop, step)
        if course.stop_per_year:
            rule[STOP_CHANCE] = int(chance.py_func(-math.expm1(-course.stop_per_year / DAYS_PER_YEAR * step)))
    rule[FIRST_STEP] = boundary_at(float(timing[FIRST_DAY]), step)


def _fill_doses(rule: np.ndarray, timing: np.ndarray, course: Any, tables: _Tables) -> None:
    rule[AT_ONCE] = 1
    rule[BY_FACES] = getattr(course, "entry", "") == "faces"
    timing[FIRST_DAY] = course.day or 0.0
    if course.at is not None:
        timing[FIRST_DAY], rule[DOSES] = min(course.at), len(course.at)
        rule[LISTED] = len(tables.days)
        tables.days.extend(sorted(course.at))
        rule[LISTED_END] = len(tables.days)
    elif course.every is None:
        rule[DOSES] = 1
    else:
        timing[INTERVAL] = course.every
        rule[DOSES] = course.doses or NEVER
    if course.stop is not None:
        timing[UNTIL_DAY] = course.stop


def _fill_anchors(rules: np.ndarray, named: list[NamedCourse], step: float) -> None:
    for rule, one in zip(rules, named, strict=True):
        after = one.course.after
        if after is None:
            continue
        target = after.start if after.stop is None else after.stop
        anchors = [k for k, other in enumerate(named) if target in (other.name, other.treatment)]
        rule[ANCHOR], rule[ANCHOR_END] = anchors[0], anchors[-1] + 1
        rule[AFTER_STOP] = after.stop is not None
        rule[LAG] = boundary_at(after.days, step)


def order_of(rules: np.ndarray) -> np.ndarray:
    """int64[K]: courses in the order of the file, but those that others start after come before them."""
    order: list[int] = []
    left = list(range(len(rules)))
    while left:
        ready = next(k for k in left if not set(range(rules[k, ANCHOR], rules[k, ANCHOR_END])) & set(left))
        order.append(ready)
        left.remove(ready)
    return np.array(order, np.int64)


def doses_in_a_step(k: int, course: np.ndarray, timing: np.ndarray, spec: Spec) -> int:
    """A bound on the doses of a course that are due at one boundary."""
    listed = int(course[k, LISTED_END] - course[k, LISTED])
    interval = float(timing[k, INTERVAL])
    at_intervals = math.ceil(spec.time.step / interval) + 1 if interval > 0.0 else 1
    return min(max(listed, at_intervals), int(course[k, DOSES]))


def days_of_doses(course: GivenCourse, duration: float) -> list[float]:
    """Days on which what is given at once falls within a run, if it starts as early as it can."""
    if course.at is not None:
        return sorted(course.at)
    first, until = course.day or 0.0, min(duration, course.stop or math.inf)
    if course.every is None:
        return [first]
    number = max(1, math.ceil((until - first) / course.every))
    return [first + k * course.every for k in range(min(number, course.doses or number))]
