"""The marrow as a model of Mesa, on the arrays of the compiled kernel.

A step is that of ``mpn_abm.run``, bit for bit. The grid's layers are the kernel's memory, agents are views of its rows,
and the data collector gets the columns of the trajectory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from operator import index
from os import PathLike
from typing import Any

import mesa
import numpy as np

from mpn_abm.batch import Batch
from mpn_abm.compile.program import Program, compile_scenario
from mpn_abm.errors import UsageError
from mpn_abm.estimate import refuse_if_too_large
from mpn_abm.mechanisms.placement import clear_site, put_cell
from mpn_abm.mechanisms.start import UNPLACED
from mpn_abm.mesa_agents import MarrowAgents
from mpn_abm.mesa_grid import MarrowGrid
from mpn_abm.mesa_layers import CELL_WORD, Position, block_fields
from mpn_abm.mesa_views import CarTCell, StemCell
from mpn_abm.recorder import label_of
from mpn_abm.rows import END_REASONS
from mpn_abm.scenario.scenario import Scenario, load
from mpn_abm.scenario.schema import Spec
from mpn_abm.state import BORN_STEP, CLONE_GENOTYPE, LOST_STEP, NEXT_CLONE, T_CELLS
from mpn_abm.tables import no_number

__all__ = ["CarTCell", "MarrowAgents", "MarrowGrid", "MarrowModel", "StemCell"]


def reported(column: str, model: MarrowModel) -> float | int | str:
    """A column of the row that the model collects; a named function, so that a model can be pickled."""
    return model.row[column]


class MarrowModel(mesa.Model):  # type: ignore[misc]
    """A marrow that Mesa can step, look at and collect from.

    Parameters
    ----------
    scenario : Scenario, path, text or mapping
        What ``mpn_abm.load`` returned, or what it takes.
    overrides : mapping, optional
        Values by path over those of the scenario, as in ``mpn_abm.load``.
    seed : int, optional
        Seed of all random numbers, 0 to 2^53 - 1; that of the scenario unless said.
    rng : int, optional
        Mesa's newer word for ``seed``; one of the two.
    collect_every : int
        Steps between two rows of the data collector; day 0 and the last day have one in any case.

    Attributes
    ----------
    grid : MarrowGrid
        The lattice, with property layers that are views of the kernel's arrays.
    datacollector : mesa.DataCollector
        ``day`` and the columns of the trajectory that count or measure, a row every ``collect_every`` steps.
    row : dict
        The newest row, by column.
    running : bool
        False from the end of the run on; a step then changes nothing.
    steps : int
        Steps done.
    genotypes : tuple of str
        Label of each number of the layer ``genotype``; 0 is an empty niche.
    program : Program
        The compiled scenario.
    batch : Batch
        The kernel's arrays, ``batch.stack``.

    Raises
    ------
    ScenarioError, UsageError
        As ``mpn_abm.load``; and if both ``seed`` and ``rng`` are given.
    ResourceError
        If the machine has too little memory.

    Notes
    -----
    ``mesa.batch_run(MarrowModel, {"scenario": "file.yaml", "seed": [1, 2]})`` runs a scenario once a seed, in one or
    more processes; a newer ``batch_run`` sets the seed itself and wants ``rng=[1, 2]`` instead. Without seeds every run
    is the same one. Overrides stand in a list, ``"overrides": [{"marrow.shape": [96, 96]}]``. Mesa 3.3 takes rows for
    steps there, so leave ``collect_every`` at 1.
    """

    def __init__(
        self,
        scenario: Scenario | str | PathLike[str] | Mapping[str, Any],
        *,
        overrides: Mapping[str, Any] | None = None,
        seed: int | None = None,
        rng: int | None = None,
        collect_every: int = 1,
    ) -> None:
        asked = loaded(scenario, overrides, seed, rng)
        super().__init__(rng=asked.spec.seed)
        self.marrow_scenario = asked
        self.collect_every = _at_least_one(collect_every)
        self.program: Program = compile_scenario(recorded(asked.spec, self.collect_every))
        refuse_if_too_large(self.program, 1, 1)
        self.batch = Batch(self.program, [0])
        self.genotypes: tuple[str, ...] = ("empty", *map(label_of, self.program.cell_types.types))
        self.row: dict[str, float | int | str] = {}
        self.grid = MarrowGrid(self)
        columns = ["day", *(column.name for column in self.program.layout.columns)]
        self.datacollector = mesa.DataCollector({name: partial(reported, name) for name in columns})
        self._take_stock()

    # ---- time

    def step(self) -> None:
        """Advance the marrow by one step of the scenario, and collect if a row is due.

        Raises
        ------
        SimulationError
            If a value that is no number appears.
        """
        boundary = self.boundary
        if self.end_reason is None:
            # what is due at a boundary comes after its row, so it waits for the step that starts there
            for name in self.program.timetable.arrivals.get(boundary, ()):
                self.batch.arrive(self.program.founders.index(name), boundary)
            self.batch.advance(boundary + 1, self._take_row, _tell_nobody)
            self._take_stock()
        self.steps = self.boundary

    @property
    def boundary(self) -> int:
        """Step boundary at which the marrow stands; 0 on day 0."""
        return int(self.batch.reached[0])

    @property
    def day(self) -> float:
        """Time since day 0, days."""
        return self.boundary * self.program.timetable.step

    @property
    def end_reason(self) -> str | None:
        """Why the run ended: fixation, extinction, eradication or duration; None while it goes on."""
        ended = int(self.batch.ended[0])
        return END_REASONS[ended] if ended or self.boundary >= self.program.timetable.steps else None

    def _take_stock(self) -> None:
        self._take_row()
        self.running = self.end_reason is None
        if self.boundary % self.collect_every == 0 or not self.running:
            self.datacollector.collect(self)

    def _take_row(self) -> None:
        """Move the newest row from the kernel's block to ``row``."""
        _, boundaries, rows = self.batch.take_rows()
        if len(rows) == 0:
            return
        day = float(boundaries[-1] * self.program.timetable.step)
        self.row = {"day": day}
        dead = all(map(math.isnan, rows[-1].tolist()))
        for column, value in zip(self.program.layout.columns, rows[-1].tolist(), strict=True):
            if not (dead or math.isfinite(value)):
                raise no_number(column.name, value, day)
            if dead:
                self.row[column.name] = math.nan
            elif column.codes:
                self.row[column.name] = column.codes[int(value)]
            else:
                self.row[column.name] = int(value) if column.kind == "int64" else value

    # ---- what is there

    @property
    def shape(self) -> Position:
        """Sites along x, y(, z)."""
        return self.marrow_scenario.spec.marrow.shape

    @property
    def words(self) -> np.ndarray:
        """Cells by site, (z height + y) width + x: genotype, antigen_byte and clone; the kernel's memory, read-only."""
        words: np.ndarray = self.batch.stack.cell[0].view(CELL_WORD)
        words.flags.writeable = False
        return words

    @property
    def blocks(self) -> dict[str, np.ndarray]:
        """The fields fibrosis (0 to 1), myofibroblast, cytokine and drive, float64[x, y(, z)] by blocks of 4 sites a
        side; the kernel's memory, read-only.
        """
        return block_fields(self)

    @property
    def agents(self) -> MarrowAgents:
        """The CAR T agents that are in the marrow now.

        Agents that a subclass registers with Mesa are found in ``agents_by_type``.
        """
        stack = self.batch.stack
        return MarrowAgents(self, CarTCell, stack.agents.uid[0, : stack.tally[0, T_CELLS]])

    @property
    def stem_cells(self) -> MarrowAgents:
        """The stem cells that are in the marrow now; their views are made when they are asked for."""
        return MarrowAgents(self, StemCell, np.flatnonzero(self.words["genotype"]))

    @property
    def agents_by_type(self) -> dict[type, Any]:
        """CAR T agents, stem cells, and the agents that a subclass registered."""
        return {CarTCell: self.agents, StemCell: self.stem_cells, **self._agents_by_type}

    @property
    def agent_types(self) -> list[type]:
        """Kinds of agents."""
        return list(self.agents_by_type)

    @property
    def scenario(self) -> None:
        """None: Mesa 3.5 and SolaraViz expect a scenario of Mesa's own here; see ``marrow_scenario``."""
        return None

    @scenario.setter
    def scenario(self, mesas_own: object) -> None:
        """Mesa 3.5 sets one that holds nothing but the seed."""

    def clone_name(self, clone: int) -> str:
        """Name of a clone in the scenario, or genotype#number of one that arose in the run."""
        founders = self.program.founders
        if 1 <= clone <= len(founders):
            return founders[clone - 1]
        return f"{self.genotypes[self._genotype_of(clone)]}#{clone}"

    def molecules_of(self, words: np.ndarray) -> np.ndarray:
        """Antigen molecules of cells, float64; 0 without the antigen and where no cell is."""
        kind = self.program.antigens.class_of[words["genotype"]]
        density = self.batch.marrow(0).immunity.density[kind]
        molecules: np.ndarray = self.program.rules.census.molecules[kind, words["antigen_byte"]] * density
        return np.where(kind > 0, molecules, 0.0)

    def site(self, position: Sequence[int]) -> int:
        """The number of a site, (z height + y) width + x; KeyError outside the lattice."""
        if len(position) != len(self.shape) or not all(0 <= k < side for k, side in zip(position, self.shape)):
            raise KeyError(f"{tuple(position)}: expected a position in a marrow of shape {self.shape}")
        return int(np.ravel_multi_index(tuple(map(int, position)), self.shape, order="F"))

    def positions(self, sites: np.ndarray) -> list[Position]:
        """x, y(, z) of sites."""
        axes = np.unravel_index(sites, self.shape, order="F")
        return list(zip(*(axis.tolist() for axis in axes), strict=True))

    # ---- interventions

    def place(self, position: Sequence[int], *, clone: str | int) -> None:
        """Put a cell of a clone on a site, in the place of whoever lives there.

        The model's counts, clones, antigen and cytokine sources follow; the newest ``row`` stays that of its day.

        Parameters
        ----------
        position : x, y(, z)
        clone : str or int
            A clone of the scenario by its name, or any clone that was there by its number.

        Raises
        ------
        KeyError
            If the position is outside the marrow.
        UsageError
            If there is no such clone.
        """
        site, number = self.site(position), self._number_of(clone)
        self.clear(position)
        marrow, rules, genotype = self.batch.marrow(0), self.program.rules, self._genotype_of(number)
        put_cell(
            site, number, genotype, marrow.cell, marrow.counters, marrow.ground.source, rules.cells, rules.lattice,
            *self.batch.keys[0],
        )  # fmt: skip
        marrow.ledger.arrived[genotype] += 1
        facts = marrow.clone_table[number]
        if facts[LOST_STEP] == UNPLACED:
            facts[BORN_STEP] = self.boundary
        facts[LOST_STEP] = -1

    def clear(self, position: Sequence[int]) -> None:
        """Take the stem cell of a site away, if there is one; it counts as lost.

        Raises
        ------
        KeyError
            If the position is outside the marrow.
        """
        marrow, rules = self.batch.marrow(0), self.program.rules
        clear_site(
            self.site(position), marrow.cell, marrow.counters, marrow.ground.source, marrow.tally, rules.cells,
            rules.lattice,
        )  # fmt: skip

    def _number_of(self, clone: str | int) -> int:
        founders = self.program.founders
        if isinstance(clone, str):
            if clone not in founders:
                raise UsageError(f"clone {clone}: expected one of {', '.join(founders)}, or the number of a clone")
            return founders.index(clone) + 1
        known = int(self.batch.stack.tally[0, NEXT_CLONE])
        if not 1 <= clone < known:
            raise UsageError(f"clone {clone}: expected a number from 1 to {known - 1}")
        return index(clone)

    def _genotype_of(self, clone: int) -> int:
        return int(self.batch.stack.clone_table[0, clone, CLONE_GENOTYPE])


def loaded(
    scenario: Scenario | str | PathLike[str] | Mapping[str, Any],
    overrides: Mapping[str, Any] | None,
    seed: int | None,
    rng: int | None,
) -> Scenario:
    """The scenario that a model was asked for; overrides of a loaded one are laid over all of its values."""
    if seed is not None and rng is not None:
        raise UsageError("seed and rng say the same thing: expected one of them")
    asked = seed if seed is not None else rng
    changes = dict(overrides or {})
    if asked is not None:
        try:
            changes["seed"] = index(asked)
        except TypeError as error:
            raise UsageError(f"seed: {asked!r}: expected a whole number") from error
    if not isinstance(scenario, Scenario):
        return load(scenario, changes)
    return load(scenario.to_yaml(), changes) if changes else scenario


def recorded(spec: Spec, collect_every: int) -> Spec:
    """The scenario with a row every so many steps; what is recorded changes nothing of what happens."""
    time = spec.time.model_copy(update={"record_every": collect_every * spec.time.step})
    return spec.model_copy(update={"time": time, "output": spec.output.model_copy(update={"clones": False})})


def _at_least_one(steps: int) -> int:
    if steps < 1:
        raise UsageError(f"collect_every: {steps}: expected at least 1 step")
    return index(steps)


def _tell_nobody(boundary: float) -> None:
    """Mesa has a progress bar of its own."""
