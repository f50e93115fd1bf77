"""Give at a boundary what is given at once: CAR T cells enter the marrow, a transplant leaves its mark."""

import numpy as np

from mpn_abm.kernels.compiler import jit
from mpn_abm.mechanisms.car_t.infusion import infuse
from mpn_abm.mechanisms.log import DOSE, note
from mpn_abm.mechanisms.treatment.rules import AGENTS, BY_FACES, KIND, LEVELS, RATIO, RELATIVE, STEM_CELLS, TREATMENT
from mpn_abm.state import LEVEL, NEXT_INFUSION, PENDING, T_CELLS, TRANSPLANT_STEP, TRANSPLANT_TREATMENT


@jit
def agents_of_infusion(level, drugs, antigen_cells, homing):
    """Agents of an infusion: a number, or a ratio to the antigen-positive cells that are there; times homing."""
    if drugs.level[level, AGENTS] >= 0.0:
        return np.int64(drugs.level[level, AGENTS] * homing + 0.5)
    targets = 0
    for cells_by_byte in antigen_cells[1:]:
        for cells in cells_by_byte:
            targets += cells
    return np.int64(drugs.level[level, RATIO] * targets * homing + 0.5)


@jit
def give_what_is_due(
    course, antigen_cells, agents, log, tally, drugs, car_t, lattice, modified, today, step, key_low, key_high
):  # fmt: skip
    """CAR T cells and transplants whose day has come are given; False if there is no room for the cells.

    modified : float
        What modifiers multiply homing by; no more than all of an infusion reaches the marrow.
    """
    homing = min(modified, car_t.most_homing)
    for k in range(course.shape[0]):
        t = drugs.course[k, TREATMENT]
        level = drugs.course[k, LEVELS] + course[k, LEVEL]
        while course[k, PENDING] > 0:
            if drugs.level[level, RELATIVE] > 0.0:
                value = drugs.level[level, RELATIVE]
                if drugs.treatment[t, KIND] == STEM_CELLS:
                    tally[TRANSPLANT_STEP] = step + 1
                    tally[TRANSPLANT_TREATMENT] = t
                else:
                    number = agents_of_infusion(level, drugs, antigen_cells, homing)
                    if tally[T_CELLS] + number > agents.site.shape[0]:
                        return False
                    entered = infuse(
                        number, tally[NEXT_INFUSION], drugs.course[k, BY_FACES], car_t.tissue, today, agents, tally,
                        lattice, step, key_low, key_high,
                    )  # fmt: skip
                    tally[NEXT_INFUSION] += 1
                    value = entered * car_t.cells_per_agent
                note(log, tally, step, DOSE, k, value)
            course[k, PENDING] -= 1
    return True
