"""How many cells each clone of the file has on day 0."""

import math

from mpn_abm.scenario.schema import Clone, Spec

TAKES_THE_REST = -1


def sizes_of(spec: Spec) -> list[int]:
    """Cells of each clone in the order of the file; TAKES_THE_REST for the one without a size.

    A variant allele fraction counts copies over the copies of all granulocytes, two each. With O_k the granulocytes of
    a cell of clone k and W those of the whole marrow, n_k = (2 vaf_k / copies_k) W / O_k, and W follows from the cells
    of the other clones, the one that takes the rest among them.
    """
    sites = math.prod(spec.marrow.shape)
    clones = spec.clones.values()
    first = [clone for clone in clones if clone.day == 0]
    output = _output_of_marrow(spec, first, sites)
    sizes = []
    for clone in clones:
        size = _plain_size(clone, sites)
        if clone.vaf is not None:
            # a clone that arrives later takes its part of a full marrow of healthy cells
            whole = output if clone.day == 0 else sites
            size = round(_share_of_output(spec, clone) * whole / _output_of_cell(spec, clone))
        sizes.append(TAKES_THE_REST if size is None else size)
    return sizes


def _output_of_marrow(spec: Spec, clones: list[Clone], sites: int) -> float:
    """W, in granulocytes of a wild-type cell."""
    rest = next((_output_of_cell(spec, clone) for clone in clones if _takes_rest(clone)), None)
    by_vaf = {id(clone): _share_of_output(spec, clone) for clone in clones}
    shares = sum(by_vaf.values())
    cells_per_output = sum(share / _output_of_cell(spec, clone) for clone in clones if (share := by_vaf[id(clone)]))
    plain = [(_plain_size(clone, sites) or 0, _output_of_cell(spec, clone)) for clone in clones]
    if rest is not None:
        known = sum(number * (output - rest) for number, output in plain) + sites * rest
        return known / (1.0 - shares + rest * cells_per_output)
    if shares >= 1.0:
        return sites / cells_per_output
    return sum(number * output for number, output in plain) / (1.0 - shares)


def _output_of_cell(spec: Spec, clone: Clone) -> float:
    return 1.0 + (spec.genotypes[clone.genotype].granulocyte_output if spec.blood.enabled else 0.0)


def _takes_rest(clone: Clone) -> bool:
    return clone.fraction is clone.cells is clone.vaf is None and clone.pattern != "single"


def _plain_size(clone: Clone, sites: int) -> int | None:
    if clone.pattern == "single":
        return 1
    if clone.cells is not None:
        return clone.cells
    return round(clone.fraction * sites) if clone.fraction is not None else None


def _share_of_output(spec: Spec, clone: Clone) -> float:
    if clone.vaf is None or clone.vaf == 0.0:
        return 0.0
    return 2.0 * clone.vaf / spec.genotypes[clone.genotype].mutant_copies
