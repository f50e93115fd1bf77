"""Sets of views for Mesa, which read whole columns of the kernel's arrays at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from mesa.agent import AgentSet

from mpn_abm.mesa_views import CarTCell, Column, MarrowAgent

if TYPE_CHECKING:
    from mpn_abm.model import MarrowModel

# at home in mesa.agent up to Mesa 3.3, and in mesa.agentset from 3.4 on
GroupBy: Any = import_module(AgentSet.__module__).GroupBy


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
        try:
            keys = self.keys[item].tolist()
        except IndexError:
            other = "stem_cells" if self.kind is CarTCell else "agents"
            here = f"{len(self)} members of the kind {self.kind.__name__} are in the marrow now"
            raise IndexError(f"{item}: {here}; the other kind stands in model.{other}") from None
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
