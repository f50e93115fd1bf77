"""What stands where: a row for every occupied site of a marrow, and one for every T cell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mpn_abm.columns import columns_of
from mpn_abm.compile.program import Program
from mpn_abm.state import ANTIGEN, ANTIGEN_SHIFT, CLONE_SHIFT, GENOTYPE, T_CELLS, MarrowState
from mpn_abm.tables import category, schema_of, table_of

CELL, CAR_T = 0, 1
LAYERS = ("cell", "car_t")
# sites that are looked at together, so that a large marrow needs no second one for scratch
SITES_TOGETHER = 2**20


@dataclass(frozen=True)
class Photographer:
    """Makes the snapshots of one run.

    Attributes
    ----------
    program : Program
    run_id : str
    labels : sequence of str
        Genotypes by their numbers; T cells come after them.
    groups : set of str
        The groups of columns that the run has.
    """

    program: Program
    run_id: str
    labels: Sequence[str]
    groups: set[str]

    def nothing(self) -> pa.Table:
        """The snapshot of an empty marrow."""
        return schema_of(columns_of("snapshots", self.groups)).empty_table()

    def pieces(self, marrow: MarrowState, replicate: int, day: float) -> Iterator[pa.Table]:
        """The snapshot of a marrow, piece by piece: cells in the order of their sites, then T cells."""
        antigens = self.program.antigens
        molecules = antigens.molecules(self.program.spec.antigen.spread)
        for first in range(0, len(marrow.cell), SITES_TOGETHER):
            words = marrow.cell[first : first + SITES_TOGETHER]
            occupied = np.flatnonzero(words)
            words = words[occupied]
            genotype = (words & GENOTYPE).astype(np.int64)
            byte = ((words & ANTIGEN) >> ANTIGEN_SHIFT).astype(np.int64)
            columns = {
                "genotype": genotype,
                "clone": (words >> CLONE_SHIFT).astype(np.int64),
                "antigen": (molecules * marrow.immunity.density[:, None])[antigens.class_of[genotype], byte],
            }
            yield self._piece(marrow, replicate, day, CELL, first + occupied, columns)
        agents = marrow.agents.site[: marrow.tally[T_CELLS]].astype(np.int64)
        if len(agents):
            nothing = np.zeros(len(agents), np.int64)
            columns = {"genotype": nothing + len(self.labels), "clone": nothing, "antigen": nothing}
            yield self._piece(marrow, replicate, day, CAR_T, agents, columns)

    def _piece(
        self, marrow: MarrowState, replicate: int, day: float, layer: int, sites: np.ndarray,
        columns: dict[str, np.ndarray],
    ) -> pa.Table:  # fmt: skip
        lattice = self.program.rules.lattice
        z, y, x = np.unravel_index(sites, (lattice.depth, lattice.height, lattice.width))
        block = ((z >> 2) * lattice.block_height + (y >> 2)) * lattice.block_width + (x >> 2)
        rows = len(sites)
        arrays = {
            "run_id": category(np.zeros(rows, np.int16), [self.run_id]),
            "replicate": np.full(rows, replicate, np.int64),
            "day": np.full(rows, day),
            "x": x.astype(np.int32),
            "y": y.astype(np.int32),
            "z": z.astype(np.int32),
            "genotype": category(columns["genotype"].astype(np.int16), [*self.labels, "car_t"]),
            "clone": columns["clone"],
            "antigen": columns["antigen"].astype(np.float32),
            "fibrosis": marrow.ground.ecm[block].astype(np.float32),
            "layer": category(np.full(rows, layer, np.int16), LAYERS),
        }
        return table_of(columns_of("snapshots", self.groups), arrays)
