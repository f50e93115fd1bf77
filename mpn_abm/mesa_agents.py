"""Agents for Mesa: views that are made when they are asked for, and sets of them that read whole columns.

A T cell or a stem cell is a row of the kernel's arrays. A view holds the model and the number of the cell, and looks
everything up when it is asked; nothing is kept between two questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from mesa.agent import Agent, AgentSet

from mpn_abm.mechanisms.car_t.life import DIES, LIVES, remove_dead
from mpn_abm.state import GENOTYPE, T_CELLS

if TYPE_CHECKING:
    from mpn_abm.model import MarrowModel

STATES = np.array(["searching", "engaged", "resting"])
# at home in mesa.agent up to 3.3 and in mesa.agentset from 3.4 on
GroupBy: Any = import_module(AgentSet.__module__).GroupBy


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


def _agents(name: str) -> Callable[[MarrowModel, np.ndarray], np.ndarray]:
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

    unique_id = Column(_agents("uid"), "its number, which it keeps")
    pos = Column(lambda model, rows: model.positions(_agents("site")(model, rows)), "its site, (x, y[, z])")
    cells = Column(lambda model, rows: np.full(len(rows), model.program.rules.car_t.cells_per_agent), "T cells it is")
    state = Column(lambda model, rows: STATES[_agents("state")(model, rows)], "searching, engaged or resting")
    memory = Column(lambda model, rows: _agents("memory")(model, rows) == 1, "whether it is a memory cell")
    exhaustion = Column(_exhaustion, "0 to 1")
    engagements = Column(_agents("exhaustion"), "engagement counter, which fades and drives exhaustion")
    divisions = Column(_agents("done"), "divisions done in life")
    divisions_left = Column(_agents("to_go"), "divisions that its commitment still holds")
    phase = Column(_agents("phase"), "of the cell cycle, 0 to 1; a committed cell divides at 1")
    last_contact = Column(_agents("contact"), "day of its last engagement, or of its infusion")
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
        agents.fate[: marrow.tally[T_CELLS]] = LIVES
        agents.fate[row] = DIES
        remove_dead(agents, marrow.tally)


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


class MarrowAgents(AgentSet):  # type: ignore[misc]
    """An ``AgentSet`` of views.

    It holds numbers; views are made by iterating. ``get`` and ``agg`` read columns at once. Cells that are no longer
    in the marrow have left the set, as in Mesa.

    Parameters
    ----------
    model : MarrowModel
    kind : type
        ``CarTCell`` or ``StemCell``.
    keys : int64[n]
        Numbers of the members, in their order.
    """

    def __init__(self, model: MarrowModel, kind: type[MarrowAgent], keys: np.ndarray | list[int]) -> None:
        self.model = model
        self.kind = kind
        self.random = model.random
        self._members = np.asarray(keys, np.int64)

    @property
    def keys(self) -> np.ndarray:
        """int64[n]: numbers of the members that are still in the marrow."""
        members: np.ndarray = self._members[self.kind.find(self.model, self._members)[0]]
        return members

    def _with(self, keys: np.ndarray | list[int], inplace: bool = False) -> MarrowAgents:
        if not inplace:
            return MarrowAgents(self.model, self.kind, keys)
        self._members = np.asarray(keys, np.int64)
        return self

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[MarrowAgent]:
        return (self.kind(self.model, key) for key in self.keys.tolist())

    def __contains__(self, agent: object) -> bool:
        return type(agent) is self.kind and agent.model is self.model and bool((self.keys == agent.key).any())

    def __getitem__(self, item: Any) -> Any:
        keys = self.keys[item].tolist()
        return [self.kind(self.model, key) for key in keys] if isinstance(item, slice) else self.kind(self.model, keys)

    def to_list(self) -> list[MarrowAgent]:
        """The members."""
        return list(self)

    def select(
        self,
        filter_func: Callable[[Any], bool] | None = None,
        at_most: float = float("inf"),
        inplace: bool = False,
        agent_type: type | None = None,
    ) -> MarrowAgents:
        """The members for which ``filter_func`` holds, as in Mesa: at most a number, or a share if ``at_most`` is
        a float up to 1.
        """
        keys = self.keys
        if agent_type is not None and not issubclass(self.kind, agent_type):
            keys = keys[:0]
        most = int(len(keys) * at_most) if isinstance(at_most, float) and at_most <= 1.0 else at_most
        found = (key for key in keys.tolist() if filter_func is None or filter_func(self.kind(self.model, key)))
        return self._with(list(islice(found, int(min(most, len(keys))))), inplace)

    def shuffle(self, inplace: bool = False) -> MarrowAgents:
        """The members in an order drawn from ``model.random``."""
        keys = self.keys.tolist()
        self.random.shuffle(keys)
        return self._with(keys, inplace)

    def sort(self, key: Callable[[Any], Any] | str, ascending: bool = False, inplace: bool = False) -> MarrowAgents:
        """The members by an attribute or a function, highest first unless ``ascending``."""
        keys = self.keys
        values = self.get(key) if isinstance(key, str) else [key(view) for view in self]
        order = sorted(range(len(keys)), key=values.__getitem__, reverse=not ascending)
        return self._with(keys[order], inplace)

    def map(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
        """What a method, or a function of the agent, returns for every member that is there when its turn comes."""
        living = (view for view in self if view.alive)
        if isinstance(method, str):
            return [getattr(view, method)(*args, **kwargs) for view in living]
        return [method(view, *args, **kwargs) for view in living]

    def do(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> MarrowAgents:
        """Call a method, or a function of the agent, for every member."""
        self.map(method, *args, **kwargs)
        return self

    def shuffle_do(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> MarrowAgents:
        """As ``do``, in an order drawn from ``model.random``."""
        self.shuffle().do(method, *args, **kwargs)
        return self

    def get(self, attr_names: Any, handle_missing: str = "error", default_value: Any = None) -> list[Any]:
        """The values of an attribute, or of several for each member."""
        if handle_missing not in ("error", "default"):
            raise ValueError(f"{handle_missing}: expected error or default")
        if not isinstance(attr_names, str):
            columns = [self.get(name, handle_missing, default_value) for name in attr_names]
            return [[column[k] for column in columns] for k in range(len(self))]
        column = getattr(self.kind, attr_names, None)
        if isinstance(column, Column):
            return column.of(self.model, self.kind.find(self.model, self._members)[1])
        if handle_missing == "default":
            return [getattr(view, attr_names, default_value) for view in self]
        return [getattr(view, attr_names) for view in self]

    def groupby(self, by: Callable[[Any], Any] | str, result_type: str = "agentset") -> Any:
        """The members by an attribute or a function, as a ``mesa`` ``GroupBy`` of sets or of lists."""
        keys = self.keys.tolist()
        values = self.get(by) if isinstance(by, str) else [by(view) for view in self]
        groups: dict[Any, list[int]] = {}
        for key, value in zip(keys, values, strict=True):
            groups.setdefault(value, []).append(key)
        sets = {value: self._with(members) for value, members in groups.items()}
        return GroupBy(sets if result_type == "agentset" else {value: list(group) for value, group in sets.items()})

    def add(self, agent: MarrowAgent) -> None:
        """Put a view of the same kind into this set; the marrow stays as it is."""
        if type(agent) is not self.kind:
            raise TypeError(f"{agent!r}: expected a {self.kind.__name__}")
        if agent not in self:
            self._with(np.append(self.keys, agent.key), inplace=True)

    def discard(self, agent: MarrowAgent) -> None:
        """Take a view out of this set, if it is in it; the marrow stays as it is."""
        if agent in self:
            self._with(self.keys[self.keys != agent.key], inplace=True)

    def remove(self, agent: MarrowAgent) -> None:
        """Take a view out of this set; KeyError if it is not in it."""
        if agent not in self:
            raise KeyError(agent)
        self.discard(agent)

    @classmethod
    def _from_iterable(cls, agents: Iterable[MarrowAgent]) -> Any:
        return set(agents)

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
