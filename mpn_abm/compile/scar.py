"""Rules of scar from a scenario."""

from functools import lru_cache

import numpy as np

from mpn_abm.compile.genotypes import SOURCE_UNIT, CellTypes
from mpn_abm.kernels.field import Levels, plan_levels, work_length
from mpn_abm.mechanisms.fibrosis.kernel import ScarRules, overlap_weights, sum_around
from mpn_abm.scenario.schema import Spec
from mpn_abm.state import Lattice


def block_widths(length: int) -> np.ndarray:
    """Sites of each block along one axis; the last may be narrower."""
    widths = np.full((length + 3) // 4, 4.0)
    widths[-1] = length - 4 * (len(widths) - 1)
    return widths


@lru_cache(maxsize=4)
def field_levels(lattice: Lattice, tissue: bool) -> Levels:
    """Multigrid levels of cytokine and suppression; of a single block where no field is solved."""
    if not tissue:
        return plan_levels([1.0], [1.0], [1.0], True)
    axes = [block_widths(length) for length in (lattice.depth, lattice.height, lattice.width)]
    return plan_levels(axes[0], axes[1], axes[2], not lattice.reflecting)


def field_work(lattice: Lattice, levels: Levels) -> int:
    """Length of the scratch of a field: what cells secrete, then that of the solver or of the means."""
    return lattice.blocks + max(lattice.blocks, work_length(levels))


def scar_rules(spec: Spec, lattice: Lattice, types: CellTypes) -> ScarRules:
    """Cytokine, myofibroblasts and ECM; rates per day, lengths in sites."""
    f = spec.fibrosis
    tissue = spec.marrow.scale == "tissue"
    depth, height, width = (block_widths(n) for n in (lattice.depth, lattice.height, lattice.width))
    sites = (depth[:, None, None] * height[None, :, None] * width[None, None, :]).ravel()
    every = max(1, round(spec.fields.every / spec.time.step))
    turnover = spec.patient.scar_turnover
    rules = ScarRules(
        enabled=int(f.enabled),
        tissue=int(tissue),
        every=every,
        interval=every * spec.time.step,
        cytokine=np.array([spec.genotypes[base].cytokine / SOURCE_UNIT for base in types.bases]),
        activation=f.activation_rate,
        deactivation=f.deactivation_rate,
        deposition=f.deposition_rate * turnover,
        resolution=f.resolution_rate * turnover,
        patient_drive=f.drive * spec.patient.scar_drive,
        decay_length=f.decay_length / f.site_length,
        block_sites=sites,
        axis_weights=overlap_weights(lattice.radius),
        mean_weight=np.ones(lattice.blocks),
    )
    weighted = sites.copy()
    sum_around(weighted, np.empty(lattice.blocks), rules, lattice)
    return rules._replace(mean_weight=1.0 / weighted)
