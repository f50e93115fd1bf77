"""Give the drugs that are due, and say how much of JAK2 they hold in this step."""

from mpn_abm.kernels.compiler import jit
from mpn_abm.mechanisms.jak_inhibitor.pharmacokinetics import advance
from mpn_abm.state import (
    ACTIVE,
    GIVEN,
    GUT,
    LOG_KIND,
    LOG_STEP,
    LOG_VALUE,
    LOG_WHO,
    LOGGED,
    OCCUPANCY,
    PLASMA,
    TYPE_1,
)

# kinds of events in the log
TREATMENT_START, TREATMENT_STOP, DOSE = 1, 2, 3


@jit
def note(log, tally, step, kind, who, value):
    """Append an event to the log, which the schedule keeps long enough."""
    entry = log[tally[LOGGED]]
    entry[LOG_STEP] = step
    entry[LOG_KIND] = kind
    entry[LOG_WHO] = who
    entry[LOG_VALUE] = value
    tally[LOGGED] += 1


@jit
def follow_concentration(k, drug, rules, step, dt, active):
    """Advance one drug over a step in which C(t) is followed; a due dose is given at its start."""
    state = drug[k]
    start = rules.start_step[k] * dt
    due = active and state[GIVEN] < rules.doses[k]
    if due and start + state[GIVEN] * rules.interval[k] <= step * dt + 1e-9:
        state[GUT] += rules.amount[k]
        state[GIVEN] += 1.0
    occupancy = 0.0
    gut, plasma = state[GUT], state[PLASMA]
    for point in range(3):
        if point > 0:
            gut, plasma = advance(gut, plasma, rules.absorption[k], rules.elimination[k], 0.5 * dt)
        weight = 4.0 if point == 1 else 1.0
        occupancy += weight / 6.0 * plasma / (plasma + rules.ic50[k])
    state[GUT], state[PLASMA], state[OCCUPANCY] = gut, plasma, occupancy


@jit
def give_drugs(signal, record, tally, rules, step, dt):
    """Start and stop treatments; what all drugs together do in this step.

    The share I of JAK2 that all inhibitors hold is 1 - product of (1 - I) over them.

    Parameters
    ----------
    signal : Signal, ``drug`` and ``medication`` written
    rules : DrugRules
    step : int64
        The step that begins.
    """
    free = 1.0
    for k in range(rules.interval.shape[0]):
        if rules.interval[k] <= 0.0:
            continue
        state = signal.drug[k]
        active = rules.start_step[k] <= step and step < rules.stop_step[k]
        if active != (state[ACTIVE] > 0.0):
            state[ACTIVE] = 1.0 if active else 0.0
            note(record.log, tally, step, TREATMENT_START if active else TREATMENT_STOP, k, rules.mean_concentration[k])
        if rules.follows == 1:
            follow_concentration(k, signal.drug, rules, step, dt, active)
        else:
            state[OCCUPANCY] = rules.mean_occupancy[k] if active else 0.0
            state[PLASMA] = rules.mean_concentration[k] if active else 0.0
        free *= 1.0 - state[OCCUPANCY]
    signal.medication[TYPE_1] = 1.0 - free
