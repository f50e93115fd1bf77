"""The log of a marrow: what happened in a step, apart from what the clone table tells."""

from mpn_abm.kernels.compiler import jit
from mpn_abm.state import LOG_KIND, LOG_STEP, LOG_VALUE, LOG_WHO, LOGGED

# kinds of events
TREATMENT_START, TREATMENT_STOP, DOSE, PHASE_CHANGE, RESPONSE_LOSS, DIED, DOSE_CHANGE = range(1, 8)


@jit
def note(log, tally, step, kind, who, value):
    """Append an event to the log, which the schedule keeps long enough."""
    entry = log[tally[LOGGED]]
    entry[LOG_STEP] = step
    entry[LOG_KIND] = kind
    entry[LOG_WHO] = who
    entry[LOG_VALUE] = value
    tally[LOGGED] += 1
