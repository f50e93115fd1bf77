"""The treatments of a scenario as tables: one row for each treatment, course, dose level, condition and effect.

A treatment without courses is a single course. The levels of a course are its own dose and, for every rule of
`adjust`, that dose within the limit of the rule.
"""

from typing import NamedTuple

import numpy as np

NEVER = 2**62
# a moment that misses a boundary by less than this part of a step is on it
TOLERANCE = 1e-9

# kinds of drugs
(
    JAK_TYPE_1,
    JAK_TYPE_2,
    HSP90_INHIBITOR,
    INTERFERON_ALPHA,
    RECEPTOR_AGONIST,
    PD1_ANTIBODY,
    CALR_ANTIBODY,
    CAR_T_CELLS,
    STEM_CELLS,
    MODIFIER,
) = range(10)

# columns of `treatment`; times in days
(
    KIND,
    FOLLOWED,  # 1 if C(t) is followed, else a step sees the mean of its level
    ABSORPTION,
    ELIMINATION,  # rate at which concentration or exposure falls
    IC50,  # nM, of this patient
    JAK1_ODDS,  # odds of the occupancy of JAK1 over those of JAK2
    T_CELLS_SPARED,  # 1 if T cells bear a tenth of the occupancy of JAK1 instead of that of JAK2
    HALF_EXPOSURE,
    FIRST_OF_DRUG,  # the first treatment that gives the same drug
    TREATMENT_FACTS,
) = range(10)

# columns of `course`; times in steps
(
    TREATMENT,
    AT_ONCE,  # 1 if it is given at once, 0 if it lasts
    IS_FIXED,  # 1 if the day of its start stands in the file
    FIRST_STEP,  # the earliest start
    STOP_STEP,  # first step without, of what is given at once the first at which no series starts
    LASTS,  # from a start that is not fixed to the stop
    ANCHOR,  # the courses after whose start or stop it starts: first, -1 if none,
    ANCHOR_END,  # and the one after the last
    AFTER_STOP,  # 1 if after a stop
    LAG,  # from then to the start
    REPEATS,
    STOP_CHANCE,  # threshold of a word for a stop at random
    HAZARD,  # number of that hazard
    DOSES,  # number of doses
    BY_FACES,
    WHEN,  # first condition of the start,
    WHEN_END,  # and the one after the last
    STOP_WHEN,
    STOP_WHEN_END,
    LEVELS,  # first level
    LEVELS_END,
    LISTED,  # first of its days in `day`,
    LISTED_END,  # and the one after the last; the same if its doses come at intervals
    COURSE_RULES,
) = range(24)

# columns of `timing`, days
FIRST_DAY, INTERVAL, UNTIL_DAY, LOOK_EVERY, TIMINGS = range(5)

# columns of `level`
(
    RELATIVE,  # dose of a day over the usual one, or any number above 0; 0 is no treatment
    MEAN_OCCUPANCY,  # of JAK2, over a dosing interval at steady state
    CONCENTRATION,  # nM, mean at steady state
    AMOUNT,  # nM that one dose would make
    AGENTS,  # CAR T agents of one infusion; -1 if by the ratio
    RATIO,  # agents per antigen-positive cell
    RULE,  # first condition of the rule of `adjust`,
    RULE_END,  # and the one after the last
    LEVEL_FACTS,
) = range(9)

# columns of `condition`
COLUMN, ABOVE, BELOW, HELD_STEPS, OF_COURSE, CONDITION_FACTS = range(6)

# columns of `effect`
(
    OF_TREATMENT,
    OF_FACTOR,
    OF_BASE,  # -1 for all
    SATURATION,  # signed
    HALF_TO_THE_HILL,
    HILL,
    EFFECT_FACTS,
) = range(7)


class TreatmentRules(NamedTuple):
    """T treatments with K courses in all."""

    most_logged: int  # events of one step
    treatment: np.ndarray  # float64[T, TREATMENT_FACTS]
    first_course: np.ndarray  # int64[T + 1]
    order: np.ndarray  # int64[K]  courses, those before that others start after
    course: np.ndarray  # int64[K, COURSE_RULES]
    timing: np.ndarray  # float64[K, TIMINGS]
    day: np.ndarray  # float64[...]  listed days of doses
    level: np.ndarray  # float64[L, LEVEL_FACTS]
    condition: np.ndarray  # float64[C, CONDITION_FACTS]
    effect: np.ndarray  # float64[E, EFFECT_FACTS]
