"""What CAR T cells need to know, as arrays and numbers."""

from typing import NamedTuple

import numpy as np


class CarTRules(NamedTuple):
    """Constants of CAR T cells. G genotypes; class 0 of the antigen carries none."""

    enabled: int
    tissue: int  # 1: micro rule, 0: macro rule
    sub_steps: int  # in one step
    sub_step: float  # days
    cells_per_agent: float
    most_homing: float  # largest factor on homing
    marrow_cells: float  # of the whole lattice
    antigen_class: np.ndarray  # int64[G]
    output: np.ndarray  # float64[G]  extra megakaryocyte output b at full activity
    base: np.ndarray  # int64[G]
    is_mutant: np.ndarray  # uint8[G]  JAK2 or CALR
    unit: np.ndarray  # int64[W, G]  what a cell adds to the packed counts of its kind
    example: np.ndarray  # int64[kinds]  a genotype of each kind: the same base, output and antigen class
    receptor_share: float
    attach_time: float  # days
    engagement_time: float  # days
    rest_time: float  # days
    lysis_probability: float
    hop_probability: float  # of a searching cell in a sub-step, without scar
    turn: np.uint64  # threshold of a 32-bit word, per sub-step
    scar_slowing: float
    relocation: np.uint64  # threshold, per sub-step
    programme_divisions: int
    max_divisions: int
    phase_growth: float  # per sub-step, without exhaustion
    death: np.uint64  # threshold, per sub-step
    grace: float  # days
    memory_share: np.uint64  # threshold
    memory_death: np.uint64  # threshold, per sub-step
    capacity: float  # T cells per marrow cell
    exhaustion_half: float
    exhaustion_exponent: float
    readout_weight: float  # of the newest sub-step in the smoothed crs_index
