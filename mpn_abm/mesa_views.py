"""Agents for Mesa: a T cell or a stem cell, as a view of the kernel's arrays.

A view holds the model and the number of the cell, and looks everything up when it is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from mesa.agent import Agent

from mpn_abm.mechanisms.car_t.population import take_out
from mpn_abm.state import GENOTYPE, T_CELLS

if TYPE_CHECKING:
    from mpn_abm.model import MarrowModel

STATES = np.array(["searching", "engaged", "resting"])


class Column:
    """An attribute of a view that is a column of a set.

    Parameters
    ----------
    read : callable
        ``read(model, rows)`` returns the values of int64[n] rows, as an array or a list.
    meaning : str
        What the attribute says.
    """

    def __init__(self, read: Callable[[MarrowModel, np.ndarray], np.ndarray | list[Any]], meaning: str) -> None:
        self._read = read
        self.__doc__ = meaning

    def of(self, model: MarrowModel, rows: np.ndarray) -> list[Any]:
        """The values of some rows as Python objects."""
        values = self._read(model, rows)
        return values.tolist() if isinstance(values, np.ndarray) else values

    def __get__(self, view: MarrowAgent | None, kind: type | None = None) -> Any:
        return self if view is None else self.of(view.model, view.rows)[0]


class MarrowAgent(Agent):  # type: ignore[misc]
    """A view of one cell of the marrow.

    It has the attributes of its kind and the methods of a ``mesa.Agent``; it is equal to any other view of the same
    cell. Its attributes can be read and not written, and it keeps none of its own.

    Attributes
    ----------
    model : MarrowModel
    key : int
        The number by which the cell is found.
    """

    model: MarrowModel
    key: int
    unique_id: Any
    pos: Any

    def __init__(self, model: MarrowModel, key: int) -> None:
        # not that of mesa.Agent, which would register every view with the model for good
        self.__dict__.update(model=model, key=key)

    @staticmethod
    def find(model: MarrowModel, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which of these keys still exist (bool[n]), and the rows of those (int64[...])."""
        raise NotImplementedError

    @property
    def alive(self) -> bool:
        """Whether the cell is still there."""
        return bool(self.find(self.model, np.array([self.key]))[0][0])

    @property
    def rows(self) -> np.ndarray:
        """int64[1]: row of the cell in the kernel's arrays."""
        rows = self.find(self.model, np.array([self.key]))[1]
        if len(rows) == 0:
            raise AttributeError(f"{type(self).__name__} {self.key} is no longer in the marrow")
        return rows

    @property
    def cell(self) -> Any:
        """The cell of the grid in which it is."""
        return self.model.grid[self.pos]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name}: a {type(self).__name__} is a view of the kernel's arrays and cannot be written")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.key == self.key and other.model is self.model  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self.key))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.key})"


def _array(name: str) -> Callable[[MarrowModel, np.ndarray], np.ndarray]:
    return lambda model, rows: getattr(model.batch.stack.agents, name)[0, rows]


def _exhaustion(model: MarrowModel, rows: np.ndarray) -> np.ndarray:
    rules = model.program.rules.car_t
    power = (model.batch.stack.agents.exhaustion[0, rows] / rules.exhaustion_half) ** rules.exhaustion_exponent
    exhausted: np.ndarray = power / (power + 1.0)
    return exhausted


def _target(model: MarrowModel, rows: np.ndarray) -> list[tuple[int, ...] | None]:
    sites = model.batch.stack.agents.target[0, rows]
    places = model.positions(np.maximum(sites, 0))
    return [place if site >= 0 else None for site, place in zip(sites.tolist(), places, strict=True)]


class CarTCell(MarrowAgent):
    """A CAR T agent: one T cell at tissue scale, many at niche scale. Its key is its number in life."""

    unique_id = Column(_array("uid"), "its number, which it keeps")
    pos = Column(lambda model, rows: model.positions(_array("site")(model, rows)), "its site, (x, y[, z])")
    cells = Column(lambda model, rows: np.full(len(rows), model.program.rules.car_t.cells_per_agent), "T cells it is")
    state = Column(lambda model, rows: STATES[_array("state")(model, rows)], "searching, engaged or resting")
    memory = Column(lambda model, rows: _array("memory")(model, rows) == 1, "whether it is a memory cell")
    exhaustion = Column(_exhaustion, "0 to 1")
    engagements = Column(_array("exhaustion"), "engagement counter, which fades and drives exhaustion")
    divisions = Column(_array("done"), "divisions done in life")
    divisions_left = Column(_array("to_go"), "divisions that its commitment still holds")
    phase = Column(_array("phase"), "of the cell cycle, 0 to 1; a committed cell divides at 1")
    last_contact = Column(_array("contact"), "day of its last engagement, or of its infusion")
    target = Column(_target, "the site that it holds, (x, y[, z]); None at niche scale")

    @staticmethod
    def find(model: MarrowModel, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows by number; agents stand in the order of their birth, so their numbers ascend."""
        stack = model.batch.stack
        uid = stack.agents.uid[0, : stack.tally[0, T_CELLS]]
        wanted = keys.astype(uid.dtype)
        rows = np.searchsorted(uid, wanted)
        there = rows < len(uid)
        there[there] = uid[rows[there]] == wanted[there]
        return there, rows[there]

    def remove(self) -> None:
        """Take the agent out of the marrow."""
        row = self.rows[0]
        marrow = self.model.batch.marrow(0)
        agents = marrow.agents
        if self.model.program.rules.car_t.tissue == 1:
            agents.layer[agents.site[row]] = 0
        take_out(row, agents, marrow.hand, marrow.tally)


class StemCell(MarrowAgent):
    """The stem cell of a site. Its key is the site: the view is of whoever lives there when it is asked."""

    unique_id = Column(lambda model, rows: rows, "its site, (z height + y) width + x")
    pos = Column(lambda model, rows: model.positions(rows), "its site, (x, y[, z])")
    clone = Column(lambda model, rows: model.words["clone"][rows], "number of its clone")
    clone_name = Column(lambda model, rows: [model.clone_name(k) for k in model.words["clone"][rows]], "its clone")
    genotype = Column(lambda model, rows: model.words["genotype"][rows], "number of its genotype")
    genotype_name = Column(
        lambda model, rows: [model.genotypes[g] for g in model.words["genotype"][rows]], "genotype with its flags"
    )
    antigen_molecules = Column(lambda model, rows: model.molecules_of(model.words[rows]), "antigen on its surface")

    @staticmethod
    def find(model: MarrowModel, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sites that have an occupant."""
        there = (model.batch.stack.cell[0, keys] & GENOTYPE) != 0
        return there, keys[there]

    def remove(self) -> None:
        """Take the cell out of the marrow, as ``model.clear`` does."""
        self.model.clear(self.pos)


def car_t_at(model: MarrowModel, position: tuple[int, ...]) -> list[CarTCell]:
    """CAR T agents at a position."""
    agents, number = model.batch.stack.agents, model.batch.stack.tally[0, T_CELLS]
    here = np.flatnonzero(agents.site[0, :number] == model.site(position))
    return [CarTCell(model, uid) for uid in agents.uid[0, here].tolist()]
