"""What a step has come to: the phase, death, and whether the run ends."""

from mpn_abm.kernels.compiler import jit
from mpn_abm.mechanisms.log import DIED, PHASE_CHANGE, note
from mpn_abm.mechanisms.progression.kernel import CHRONIC, count_blasts, is_dying, phase_of
from mpn_abm.state import BLASTS, DEAD_STEP, ENDED, ENDED_STEP, LATE, MUTANTS_SEEN, PHASE

# why a run ended
GOES_ON, FIXATION, EXTINCTION, ERADICATION, DEATH = range(5)
# events of a step at most: a response lost, a new phase, death
OUTCOMES_LOGGED = 3


@jit
def advance_disease(
    count, activity, body, grade, filled, log, tally, base, granulocytes, rules, step, dt, key_low, key_high
):  # fmt: skip
    """Blasts, the phase by them, and whether the patient dies in this step."""
    body.reading[BLASTS] = count_blasts(count, base, activity, granulocytes, rules.is_transformed)
    phase = phase_of(body.reading[BLASTS], tally[PHASE], rules)
    if phase != tally[PHASE]:
        tally[PHASE] = phase
        note(log, tally, step + 1, PHASE_CHANGE, phase, phase)
    # cells of a late patient keep their looks for as long as the transformed clone is there, whatever its share
    if phase > CHRONIC:
        tally[LATE] = 1
    elif body.reading[BLASTS] == 0.0:
        tally[LATE] = 0
    if is_dying(body, filled, grade, tally, rules, step, dt, key_low, key_high):
        tally[DEAD_STEP] = step + 1
        note(log, tally, step + 1, DIED, 0, 0.0)


@jit
def end_run(count, tally, clock, is_mutant, boundary, alive):
    """Whether the run ends here, and why.

    alive : int
        Clones left if one was lost in this step, else -1: only a loss can fix another.
    """
    in_time = boundary >= clock.not_before
    if clock.on_eradication == 1:
        mutants = 0
        for g in range(1, count.shape[0]):
            mutants += count[g] * is_mutant[g]
        if mutants > 0:
            tally[MUTANTS_SEEN] = 1
        elif tally[MUTANTS_SEEN] == 1 and in_time:
            tally[ENDED] = ERADICATION
    if clock.on_fixation == 1 and alive == 1 and in_time:
        tally[ENDED] = FIXATION
    if clock.on_extinction == 1 and count[0] == clock.sites and in_time:
        tally[ENDED] = EXTINCTION
    if clock.on_death == 1 and tally[DEAD_STEP] > 0:
        tally[ENDED] = DEATH
    if tally[ENDED] != GOES_ON:
        tally[ENDED_STEP] = boundary
