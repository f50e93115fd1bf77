"""Which courses run in a step, and at which dose: starts, stops, conditions on the trajectory, rules."""

import math

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import PATIENT, words
from mpn_abm.mechanisms.log import DOSE_CHANGE, TREATMENT_START, TREATMENT_STOP, note
from mpn_abm.mechanisms.treatment.rules import (
    ABOVE,
    AFTER_STOP,
    ANCHOR,
    ANCHOR_END,
    AT_ONCE,
    BELOW,
    COLUMN,
    CONCENTRATION,
    DOSES,
    FIRST_DAY,
    FIRST_STEP,
    HAZARD,
    HELD_STEPS,
    INTERVAL,
    IS_FIXED,
    LAG,
    LASTS,
    LEVELS,
    LEVELS_END,
    LISTED,
    LISTED_END,
    LOOK_EVERY,
    OF_COURSE,
    RELATIVE,
    REPEATS,
    RULE,
    RULE_END,
    STOP_CHANCE,
    STOP_STEP,
    STOP_WHEN,
    STOP_WHEN_END,
    TOLERANCE,
    TREATMENT,
    UNTIL_DAY,
    WHEN,
    WHEN_END,
)
from mpn_abm.state import DUE, GIVEN, LEVEL, ON, PENDING, SHOWN, STARTED, STARTS, STOPPED, WAS_ON


@jit
def is_look(k, rules, step, dt):
    """Whether the columns are looked at for course k at this boundary."""
    every = rules.timing[k, LOOK_EVERY]
    if every <= dt or step == 0:
        return True
    return math.floor(step * dt / every + TOLERANCE) > math.floor((step - 1) * dt / every + TOLERANCE)


@jit
def note_what_holds(held_since, seen, rules, step, dt):
    """Since which boundary every condition has held; a boundary b is kept as b + 1, and 0 if it does not hold."""
    for c in range(rules.condition.shape[0]):
        condition = rules.condition[c]
        if is_look(int(condition[OF_COURSE]), rules, step, dt):
            value = seen[int(condition[COLUMN])]
            if not condition[ABOVE] < value < condition[BELOW]:
                held_since[c] = 0
            elif held_since[c] == 0:
                held_since[c] = step + 1


@jit
def all_hold(first, end, held_since, rules, step):
    """Whether conditions first to end - 1 have held for as long as they have to."""
    for c in range(first, end):
        if held_since[c] == 0 or step + 1 - held_since[c] < rules.condition[c, HELD_STEPS]:
            return False
    return True


@jit
def note_anchor(k, course, rules, step):
    """Start course k some steps after the start or stop of another, if that comes now."""
    rule, state = rules.course[k], course[k]
    done = state[STARTS] > 0 and rule[REPEATS] == 0
    if rule[ANCHOR] < 0 or state[DUE] > 0 or state[ON] == 1 or done:
        return
    moment = STOPPED if rule[AFTER_STOP] == 1 else STARTED
    comes_now, was_on, is_on = False, False, False
    for other in range(rule[ANCHOR], rule[ANCHOR_END]):
        comes_now |= course[other, moment] == step + 1
        was_on |= course[other, WAS_ON] == 1
        is_on |= course[other, ON] == 1
    if rule[ANCHOR_END] - rule[ANCHOR] > 1:
        # from one course of a treatment to the next it neither stops nor starts
        comes_now &= not (is_on if rule[AFTER_STOP] == 1 else was_on)
    if comes_now:
        state[DUE] = step + 1 + rule[LAG]


@jit
def ends(k, state, held_since, rules, step, dt, key_low, key_high):
    """Whether a course that runs stops at this boundary; one that has just started does not."""
    rule = rules.course[k]
    if state[STARTED] == step + 1:
        return False
    if rule[STOP_WHEN_END] > rule[STOP_WHEN] and is_look(k, rules, step, dt):
        if all_hold(rule[STOP_WHEN], rule[STOP_WHEN_END], held_since, rules, step):
            return True
    if rule[AT_ONCE] == 1:
        return False
    if step >= rule[STOP_STEP] or step + 1 - state[STARTED] >= rule[LASTS]:
        return True
    if rule[STOP_CHANCE] > 0:
        word, _, _, _ = words(rule[HAZARD], step, PATIENT, 0, key_low, key_high)
        return word < rule[STOP_CHANCE]
    return False


@jit
def first_day_left(k, rules, step, dt):
    """Number of the first listed day that is not past: one that would not have been given at a boundary before."""
    rule, number = rules.course[k], 0
    while number < rule[LISTED_END] - rule[LISTED] and rules.day[rule[LISTED] + number] / dt - TOLERANCE <= step - 1:
        number += 1
    return number


@jit
def begins(k, course, held_since, rules, step, dt):
    """Whether a course starts at this boundary."""
    rule, state = rules.course[k], course[k]
    if state[ON] == 1 or state[STARTED] == step + 1 or step >= rule[STOP_STEP]:
        return False
    if state[STARTS] > 0:
        if rule[REPEATS] == 0:
            return False
        t = rule[TREATMENT]
        for other in range(rules.first_course[t], rules.first_course[t + 1]):
            if course[other, ON] == 1:
                return False
    if rule[ANCHOR] >= 0:
        if state[DUE] == 0 or step + 1 < state[DUE]:
            return False
    elif step < rule[FIRST_STEP]:
        return False
    days = rule[LISTED_END] - rule[LISTED]
    if days > 0 and first_day_left(k, rules, step, dt) == days:
        return False
    if rule[WHEN_END] > rule[WHEN]:
        if not is_look(k, rules, step, dt) or not all_hold(rule[WHEN], rule[WHEN_END], held_since, rules, step):
            return False
    # what would stop it does not let it start, as the last look at it saw it
    has_stop = rule[STOP_WHEN_END] > rule[STOP_WHEN]
    return not (has_stop and all_hold(rule[STOP_WHEN], rule[STOP_WHEN_END], held_since, rules, step))


@jit
def day_of_dose(k, number, state, rules, dt):
    """Day of a dose of a course that has started."""
    rule = rules.course[k]
    if rule[LISTED_END] > rule[LISTED]:
        return rules.day[rule[LISTED] + number]
    first = rules.timing[k, FIRST_DAY] if rule[IS_FIXED] == 1 else (state[STARTED] - 1) * dt
    return first + number * rules.timing[k, INTERVAL]


@jit
def plan_doses(k, state, rules, step, dt):
    """Note how many doses of what is given at once are due; the course ends with the last."""
    while state[ON] == 1 and day_of_dose(k, state[GIVEN], state, rules, dt) / dt - TOLERANCE <= step:
        state[PENDING] += 1
        state[GIVEN] += 1
        is_last = state[GIVEN] >= rules.course[k, DOSES]
        if is_last or day_of_dose(k, state[GIVEN], state, rules, dt) >= rules.timing[k, UNTIL_DAY]:
            state[ON] = 0
            state[STOPPED] = step + 1


@jit
def level_of(k, held_since, rules, step):
    """The level of the first rule that holds, else that of the dose itself."""
    rule = rules.course[k]
    for level in range(rule[LEVELS] + 1, rule[LEVELS_END]):
        if all_hold(int(rules.level[level, RULE]), int(rules.level[level, RULE_END]), held_since, rules, step):
            return level - rule[LEVELS]
    return 0


@jit
def strength(level, rules):
    """Mean concentration of a level; the relative dose of a drug that has none."""
    concentration = rules.level[level, CONCENTRATION]
    return concentration if concentration > 0.0 else rules.level[level, RELATIVE]


@jit
def change_of(before, now):
    """What it is called when one level, plus 1 and 0 for none, follows another."""
    if now == 0:
        return TREATMENT_STOP
    return TREATMENT_START if before == 0 else DOSE_CHANGE


@jit
def log_changes(course, log, tally, rules, step):
    """Note what lasts and now starts, stops or changes its dose; a dose of 0 is no treatment."""
    for kind in (TREATMENT_STOP, DOSE_CHANGE, TREATMENT_START):
        for k in range(course.shape[0]):
            rule, state = rules.course[k], course[k]
            if rule[AT_ONCE] == 1:
                continue
            level, before = rule[LEVELS] + state[LEVEL], state[SHOWN]
            now = level + 1 if state[ON] == 1 and rules.level[level, RELATIVE] > 0.0 else 0
            if now == before or kind != change_of(before, now):
                continue
            state[SHOWN] = now
            said = strength((before if now == 0 else now) - 1, rules)
            # a rule that leaves the dose as it is changes nothing
            if kind != DOSE_CHANGE or said != strength(before - 1, rules):
                note(log, tally, step, kind, k, said)


@jit
def start(k, course, rules, step, dt):
    """Course k starts; a course of the same treatment that runs ends with that."""
    t = rules.course[k, TREATMENT]
    for other in range(rules.first_course[t], rules.first_course[t + 1]):
        if course[other, ON] == 1:
            course[other, ON] = 0
            course[other, STOPPED] = step + 1
    state = course[k]
    state[ON] = 1
    state[STARTS] += 1
    state[STARTED] = step + 1
    state[GIVEN] = first_day_left(k, rules, step, dt)
    state[DUE] = 0


@jit
def decide_courses(course, held_since, seen, log, tally, rules, step, dt, key_low, key_high):
    """Stop and start the courses of the step, and choose their doses.

    At most one course of a treatment runs. What starts or stops may set off others, also in the same step: so all
    are asked again until nothing changes; each starts at most once in a step.

    Parameters
    ----------
    course : int64[K, COURSE_FACTS], written
        State of every course; boundaries are kept plus 1, so that 0 is none.
    held_since : int64[C], written
        Since which boundary, plus 1, every condition has held.
    seen : float64[columns]
        The row of the trajectory of this boundary, if there are conditions.
    rules : TreatmentRules
    step : int64
        The step that begins.
    """
    note_what_holds(held_since, seen, rules, step, dt)
    for k in range(course.shape[0]):
        course[k, WAS_ON] = course[k, ON]
        if is_look(k, rules, step, dt):
            course[k, LEVEL] = level_of(k, held_since, rules, step)
    changes = True
    while changes:
        changes = False
        for k in rules.order:
            state = course[k]
            if state[ON] == 1 and ends(k, state, held_since, rules, step, dt, key_low, key_high):
                state[ON] = 0
                state[STOPPED] = step + 1
                changes = True
            note_anchor(k, course, rules, step)
            if begins(k, course, held_since, rules, step, dt):
                start(k, course, rules, step, dt)
                changes = True
            if rules.course[k, AT_ONCE] == 1:
                plan_doses(k, state, rules, step, dt)
    log_changes(course, log, tally, rules, step)
