"""How many cells each clone of the file has on day 0."""

import math

from mpn_abm.scenario.schema import Clone, Spec

TAKES_THE_REST = -1


def sizes_of(spec: Spec) -> list[int]:
    """Cells of each clone in the order of the file; TAKES_THE_REST for the one without a size.

    A variant allele fraction counts copies over the copies of all cells, two each: n = 2 vaf / copies x cells.
    Where the rest of the lattice stays empty, the number of cells itself depends on the sizes, and is solved.
    """
    sites = math.prod(spec.marrow.shape)
    first = [clone for clone in spec.clones.values() if clone.day == 0]
    plain = sum(_plain_size(clone, sites) or 0 for clone in first)
    shares = sum(_share_of_cells(spec, clone) for clone in first)
    full = shares >= 1.0 or any(_takes_rest(clone) for clone in first)
    cells = sites if full else plain / (1.0 - shares)
    sizes = []
    for clone in spec.clones.values():
        size = _plain_size(clone, sites)
        if clone.vaf is not None:
            # a clone that arrives later takes its part of a full marrow
            size = round(_share_of_cells(spec, clone) * (cells if clone.day == 0 else sites))
        sizes.append(TAKES_THE_REST if size is None else size)
    return sizes


def _takes_rest(clone: Clone) -> bool:
    return clone.fraction is clone.cells is clone.vaf is None and clone.pattern != "single"


def _plain_size(clone: Clone, sites: int) -> int | None:
    if clone.pattern == "single":
        return 1
    if clone.cells is not None:
        return clone.cells
    return round(clone.fraction * sites) if clone.fraction is not None else None


def _share_of_cells(spec: Spec, clone: Clone) -> float:
    if clone.vaf is None or clone.vaf == 0.0:
        return 0.0
    return 2.0 * clone.vaf / spec.genotypes[clone.genotype].mutant_copies
