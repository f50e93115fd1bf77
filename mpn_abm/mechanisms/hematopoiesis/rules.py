"""What division, loss, placement and mutation need to know, as arrays and numbers."""

from typing import NamedTuple

import numpy as np

BIRTH_DEATH, DEATH_BIRTH = 0, 1


class CellRules(NamedTuple):
    """Constants of the stem-cell events. G genotypes (index 0 = empty), K kinds of mutation."""

    update: int
    division_rate: float  # 1/day
    loss_rate: float  # 1/day
    regeneration: float
    recirculation: np.uint64  # threshold of a 32-bit word
    displacement: np.uint64  # threshold of a 32-bit word
    lodge: np.ndarray  # uint64[256]  threshold of a lodger at scar byte e
    scar_cost: np.ndarray  # float64[G]  share of division lost at E = 1
    fitness: np.ndarray  # float64[G]    s at A = 1, 1/day
    inhibition_cost: np.ndarray  # float64[G]  c_J, 1/day
    antigen_fitness: np.ndarray  # float64[G]  what an antigen-low variant loses of s at full coupling, 1/day
    coupling: np.ndarray  # float64[2]  that coupling in the chronic phase, and later
    steady: np.ndarray  # uint8[G]  1 where s is the same at any A: transformed cells
    interferon: np.ndarray  # float64[G]  loss added at full dose, 1/day
    receptor_gain: float  # part by which eltrombopag raises division at usual exposure
    base: np.ndarray  # int64[G]  signalling base of the genotype
    antigen_class: np.ndarray  # int64[G]  row of `antigen_cells`; 0 = carries none
    is_mutant: np.ndarray  # uint8[G]  JAK2 or CALR
    source_weight: np.ndarray  # int32[G]  0 for no cytokine, 2 with ASXL1, else 1
    mutation_rate: np.ndarray  # float64[G, K], 1/day
    becomes: np.ndarray  # int64[G, K]
    transformation: int  # the kind of mutation that transforms, -1 if there is none
    transformed_growth: float  # of transformed clones before day 0, per day
    scar_factor: float  # on transformation at MF grade 2 or more
