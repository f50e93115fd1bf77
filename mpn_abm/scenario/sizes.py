"""How many cells each clone of the file has on day 0."""

from __future__ import annotations

import math

from mpn_abm.scenario.schema import Clone, Spec

TAKES_THE_REST = -1


def sizes_of(spec: Spec) -> list[int]:
    """Cells of each clone in the order of the file; TAKES_THE_REST for the one without a size.

    A variant allele fraction counts copies over the copies of all granulocytes, two each. With O_k the granulocytes of
    a cell of clone k and W those of the whole marrow, n_k = (2 vaf_k / copies_k) W / O_k, and W follows from the cells
    of the other clones, the one that takes the rest among them.
    """
    return [TAKES_THE_REST if size is None else round(size) for size in cells_of(spec)]


def cells_of(spec: Spec) -> list[float | None]:
    """``sizes_of`` before rounding; None for the clone that takes the rest."""
    sites = math.prod(spec.marrow.shape)
    clones = spec.clones.values()
    output = _output_of_marrow(spec, [clone for clone in clones if clone.day == 0], sites)
    sizes = []
    for clone in clones:
        size = plain_size(clone, sites)
        if clone.vaf is not None:
            # a clone that arrives later takes its part of a full marrow of healthy cells
            whole = output if clone.day == 0 else sites
            size = share_of_output(spec, clone) * whole / _output_of_cell(spec, clone)
        sizes.append(size)
    return sizes


def _output_of_marrow(spec: Spec, clones: list[Clone], sites: int) -> float:
    """W, in granulocytes of a wild-type cell."""
    rest = next((_output_of_cell(spec, clone) for clone in clones if takes_the_rest(clone)), None)
    by_vaf = {id(clone): share_of_output(spec, clone) for clone in clones}
    shares = sum(by_vaf.values())
    cells_per_output = sum(share / _output_of_cell(spec, clone) for clone in clones if (share := by_vaf[id(clone)]))
    plain = [(plain_size(clone, sites) or 0, _output_of_cell(spec, clone)) for clone in clones]
    if rest is not None:
        known = sum(number * (output - rest) for number, output in plain) + sites * rest
        return known / (1.0 - shares + rest * cells_per_output)
    if shares >= 1.0:
        return sites / cells_per_output
    return sum(number * output for number, output in plain) / (1.0 - shares)


def _output_of_cell(spec: Spec, clone: Clone) -> float:
    genotype = spec.genotypes.get(clone.genotype)
    return 1.0 if genotype is None or not spec.blood.enabled else 1.0 + genotype.granulocyte_output


def takes_the_rest(clone: Clone) -> bool:
    """Whether a clone has no size of its own."""
    return clone.fraction is clone.cells is clone.vaf is None and clone.pattern != "single"


def plain_size(clone: Clone, sites: int) -> float | None:
    """The sites of a clone as far as it says them itself."""
    if clone.pattern == "single":
        return 1
    if clone.cells is not None:
        return clone.cells
    return clone.fraction * sites if clone.fraction is not None else None


def share_of_output(spec: Spec, clone: Clone) -> float:
    """What a vaf says: the clone's part of all granulocytes, of which each has two copies."""
    genotype = spec.genotypes.get(clone.genotype)
    if not clone.vaf or genotype is None or not genotype.mutant_copies:
        return 0.0
    return 2.0 * clone.vaf / genotype.mutant_copies
