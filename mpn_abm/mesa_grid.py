"""A Mesa grid over a marrow, whose cells are made when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain, product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from mesa.discrete_space import Cell, CellCollection, OrthogonalMooreGrid
from mesa.discrete_space.property_layer import PropertyLayer

from mpn_abm.errors import UsageError
from mpn_abm.mesa_agents import MarrowAgents
from mpn_abm.mesa_layers import KernelLayer, Position, kernel_layers
from mpn_abm.mesa_views import StemCell, car_t_at

if TYPE_CHECKING:
    from mpn_abm.model import MarrowModel


class MarrowCells(CellCollection):  # type: ignore[misc]
    """Cells whose agents are looked up when they are asked for."""

    def __init__(self, cells: Iterable[MarrowCell], random: Any) -> None:
        super().__init__(dict.fromkeys(cells), random=random)

    def __getitem__(self, cell: MarrowCell) -> Any:
        return cell.agents

    @property
    def agents(self) -> Any:
        """The agents in these cells."""
        return chain.from_iterable(cell.agents for cell in self._cells)


class MarrowCell(Cell):  # type: ignore[misc]
    """One site of the grid; the layers are attributes.

    Attributes
    ----------
    coordinate : tuple of int
        x, y(, z).
    agents : list
        CAR T agents that are here, and a user's own ``CellAgent`` that was put here.
    stem_cell : StemCell or None
    """

    coordinate: Position
    grid: MarrowGrid

    def __init__(self, coordinate: Position, grid: MarrowGrid) -> None:
        self.__dict__.update(grid=grid, _guests=[])
        super().__init__(coordinate, random=grid.random)

    @property
    def stem_cell(self) -> StemCell | None:
        """The stem cell that lives here."""
        return None if self.empty else StemCell(self.grid.model, self.grid.model.site(self.coordinate))

    @property
    def _agents(self) -> list[Any]:
        return [*car_t_at(self.grid.model, self.coordinate), *self._guests]

    @_agents.setter
    def _agents(self, nobody: list[Any]) -> None:
        """Mesa starts a cell with an empty list."""

    def add_agent(self, agent: Any) -> None:
        """Put an agent of the user's own here."""
        self._guests.append(agent)

    def remove_agent(self, agent: Any) -> None:
        """Take an agent of the user's own away."""
        self._guests.remove(agent)

    @property
    def empty(self) -> bool:
        """Whether no stem cell lives here."""
        return bool(self.grid.layers["empty"].at(self.coordinate))

    is_empty = empty

    @property
    def connections(self) -> MappingProxyType[Position, MarrowCell]:
        """The cells beside this one, by their offset."""
        return MappingProxyType(self._around(1))

    @connections.setter
    def connections(self, nobody: object) -> None:
        """Mesa starts a cell without any."""

    def _around(self, radius: int) -> dict[Position, MarrowCell]:
        reach = range(-radius, radius + 1)
        found = {}
        for offset in product(reach, repeat=len(self.coordinate)):
            there = self.grid.fold(tuple(k + d for k, d in zip(self.coordinate, offset, strict=True)))
            if there is not None and any(offset):
                found[offset] = self.grid[there]
        return found

    def get_neighborhood(self, radius: int = 1, include_center: bool = False) -> MarrowCells:
        """The cells within a number of steps in any direction."""
        if radius < 1:
            raise ValueError("radius must be larger than one")
        around = dict.fromkeys(self._around(radius).values())
        around.pop(self, None)
        return MarrowCells([*around, *([self] if include_center else [])], self.random)

    @property
    def neighborhood(self) -> MarrowCells:
        """The cells beside this one."""
        return self.get_neighborhood()

    def connect(self, other: Any, key: Any = None) -> NoReturn:
        """Refused: the lattice is that of the kernel."""
        raise UsageError("the lattice of a marrow is that of its scenario and cannot be rewired")

    disconnect = connect

    def __getattr__(self, name: str) -> Any:
        layers = {} if name.startswith("_") else self.grid.layers
        if name not in layers:
            raise AttributeError(f"a cell of the marrow has no attribute and no property layer {name!r}")
        layer = layers[name]
        return layer.at(self.coordinate) if isinstance(layer, KernelLayer) else layer.data[self.coordinate]

    def __setattr__(self, name: str, value: Any) -> None:
        layer = None if name in Cell.__slots__ else self.grid.layers.get(name)
        if layer is None:
            super().__setattr__(name, value)
        elif isinstance(layer, KernelLayer):
            layer.refuse()
        else:
            layer.data[self.coordinate] = value

    def __getstate__(self) -> tuple[Any, ...]:
        return self.coordinate, self.random, self.grid, self._guests

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        coordinate, random, grid, guests = state
        self.__dict__.update(grid=grid, _guests=guests)
        super().__init__(coordinate, random=random)


class CellsOnDemand(dict[Position, MarrowCell]):
    """The cells that somebody asked for."""

    def __init__(self, grid: MarrowGrid) -> None:
        super().__init__()
        self.grid = grid

    def __missing__(self, position: Position) -> MarrowCell:
        self.grid.model.site(position)
        position = tuple(map(int, position))
        cell = self[position] = MarrowCell(position, self.grid)
        return cell


class MarrowGrid(OrthogonalMooreGrid):  # type: ignore[misc]
    """The lattice of a marrow as a Moore grid of 8 neighbours, or 26 in 3-D.

    Attributes
    ----------
    dimensions : tuple of int
        Sites along x, y(, z).
    torus : bool
        Whether the lattice is periodic.
    layers : dict of PropertyLayer
        The marrow's (see ``kernel_layers``), each also an attribute, and those that a user added.
    """

    def __init__(self, model: MarrowModel) -> None:
        # not that of Grid, which would make an object per site, with its eight connections
        self.model = model
        self.dimensions = model.shape
        self.torus = not model.program.rules.lattice.reflecting
        self.random = model.random
        self.capacity = None
        self.cell_klass = MarrowCell
        self._cells = CellsOnDemand(self)
        self._added: dict[str, PropertyLayer] = {}

    @cached_property
    def _mesa_property_layers(self) -> dict[str, PropertyLayer]:
        return {**kernel_layers(self.model), **self._added}

    @property
    def layers(self) -> dict[str, PropertyLayer]:
        """All layers by name."""
        return self._mesa_property_layers

    def add_property_layer(self, layer: PropertyLayer) -> None:
        """Add a layer of the user's own; its cells are written as in any Mesa grid."""
        if tuple(layer.dimensions) != self.dimensions:
            raise ValueError(f"{layer.name}: expected the dimensions {self.dimensions}, not {tuple(layer.dimensions)}")
        if layer.name in self.layers or hasattr(MarrowCell, layer.name) or layer.name in Cell.__slots__:
            raise ValueError(f"{layer.name}: a layer or an attribute of the cells has this name")
        self.layers[layer.name] = layer

    def remove_property_layer(self, property_name: str) -> None:
        """Remove a layer of the user's own."""
        layer = self.layers[property_name]
        if isinstance(layer, KernelLayer):
            layer.refuse()
        del self.layers[property_name]

    def fold(self, position: Position) -> Position | None:
        """A position on the lattice for one that may lie outside; None beyond a reflecting border."""
        if self.torus:
            return tuple(k % side for k, side in zip(position, self.dimensions, strict=True))
        inside = all(0 <= k < side for k, side in zip(position, self.dimensions, strict=True))
        return position if inside else None

    def __getitem__(self, position: Iterable[int]) -> MarrowCell:
        return self._cells[tuple(position)]

    def __iter__(self) -> Iterator[MarrowCell]:
        return (self[position] for position in product(*map(range, self.dimensions)))

    @property
    def all_cells(self) -> MarrowCells:
        """Every cell of the grid, an object a site."""
        return MarrowCells(self, self.random)

    @property
    def agents(self) -> MarrowAgents:
        """The CAR T agents."""
        return self.model.agents

    @property
    def empties(self) -> MarrowCells:
        """Cells without a stem cell."""
        return MarrowCells((self[place] for place in np.argwhere(self.layers["empty"].data)), self.random)

    def select_random_empty_cell(self) -> MarrowCell:
        """A cell without a stem cell, drawn from ``model.random``."""
        places = np.argwhere(self.layers["empty"].data)
        if len(places) == 0:
            raise IndexError("no site of the marrow is empty")
        return self[places[self.random.randrange(len(places))]]

    def __getattr__(self, name: str) -> Any:
        # an attribute is asked for before there are any while a grid is being unpickled
        if "model" not in self.__dict__:
            raise AttributeError(name)
        return super().__getattr__(name)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        layers = state.pop("_mesa_property_layers", {})
        state["_added"] = {name: layer for name, layer in layers.items() if not isinstance(layer, KernelLayer)}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
