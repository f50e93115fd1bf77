"""Property layers for Mesa on the kernel's arrays: views without a copy, and what is worked out when it is read.

The first axis is x, then y, then z, as in a scenario's ``marrow.shape``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from mesa.discrete_space.property_layer import PropertyLayer

from mpn_abm.errors import UsageError
from mpn_abm.mesa_views import car_t_at
from mpn_abm.state import ANTIGEN_SHIFT, CLONE_SHIFT, T_CELLS

if TYPE_CHECKING:
    from mpn_abm.model import MarrowModel

Position = tuple[int, ...]
# the parts of a cell word, where they lie in memory on a little-endian machine
CELL_WORD = np.dtype(
    {
        "names": ["genotype", "antigen_byte", "clone"],
        "formats": ["<u1", "<u1", "<u4"],
        "offsets": [0, int(ANTIGEN_SHIFT) // 8, int(CLONE_SHIFT) // 8],
        "itemsize": 8,
    }
)
BLOCK = 4


def by_position(flat: np.ndarray, sides: Position) -> np.ndarray:
    """An array of the kernel, which runs fastest along x, as [x, y(, z)]; the same memory."""
    return flat.reshape(sides[::-1]).T


def block_fields(model: MarrowModel) -> dict[str, np.ndarray]:
    """The fields as the kernel holds them, float64[x, y(, z)] by blocks of 4 sites a side; read-only, no copy."""
    ground = model.batch.stack.ground
    sides = tuple(-(-side // BLOCK) for side in model.shape)
    names = {"fibrosis": "ecm", "myofibroblast": "myofibroblast", "cytokine": "cytokine", "drive": "drive"}
    return {name: _read_only(by_position(getattr(ground, array)[0], sides)) for name, array in names.items()}


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


class KernelLayer(PropertyLayer):  # type: ignore[misc]
    """A property layer whose data are the kernel's own memory.

    It can be read and not written: the kernel counts what it changes, and would not see what somebody else does.

    Parameters
    ----------
    name : str
    data : array[x, y(, z)]
        A view of the kernel's memory.
    """

    def __init__(self, name: str, data: np.ndarray) -> None:
        # not that of PropertyLayer, which would make an array of its own; the two names are those of Mesa 3.3 and 3.5
        self.name = name
        self.dimensions = data.shape
        self._mesa_data = self._data = _read_only(data)

    @property
    def data(self) -> np.ndarray:
        """The values, read-only."""
        return self._data

    @data.setter
    def data(self, value: object) -> NoReturn:
        self.refuse()

    def at(self, position: Position) -> Any:
        """The value of one site."""
        return self.data[position]

    def refuse(self) -> NoReturn:
        """Raise the error that says how to change the marrow instead."""
        raise UsageError(
            f"{self.name}: the layers of a marrow cannot be written, because the model keeps counts of what lives in "
            "it: use model.place(position, clone=...) or model.clear(position)"
        )

    def set_cells(self, value: object, condition: object = None) -> NoReturn:
        """Refused."""
        self.refuse()

    def modify_cells(self, operation: object, value: object = None, condition: object = None) -> NoReturn:
        """Refused."""
        self.refuse()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.data, dtype=dtype) if copy else np.asarray(self.data, dtype=dtype)


class DerivedLayer(KernelLayer):
    """A layer that is worked out when it is read.

    Parameters
    ----------
    name : str
    dimensions : tuple of int
    whole : callable
        Works out the values, array[x, y(, z)].
    at : callable
        Works out the value of one position.
    """

    def __init__(
        self, name: str, dimensions: Position, whole: Callable[[], np.ndarray], at: Callable[[Position], Any]
    ) -> None:
        self.name = name
        self.dimensions = dimensions
        self._whole = whole
        self._at = at

    @property
    def _data(self) -> np.ndarray:  # type: ignore[override]
        return _read_only(self._whole())

    _mesa_data = _data  # type: ignore[assignment]

    def at(self, position: Position) -> Any:
        """The value of one site."""
        return self._at(position)


def kernel_layers(model: MarrowModel) -> dict[str, KernelLayer]:
    """The layers of a marrow.

    ``genotype`` (uint8, 0 = empty), ``clone`` (uint32) and ``antigen_byte`` (uint8) are parts of the cell words, in
    the kernel's memory. ``empty`` (bool), ``antigen_molecules`` (float64), ``fibrosis`` (float64, 0 to 1; the kernel
    has it by block, see ``MarrowModel.blocks``) and ``car_t`` (int64, agents at the site) are worked out when read.
    """
    shape, words = model.shape, by_position(model.words, model.shape)
    genotype = words["genotype"]
    blocks = model.blocks["fibrosis"]

    def fibrosis() -> np.ndarray:
        return blocks[np.ix_(*(np.arange(side) // BLOCK for side in shape))]

    def car_t() -> np.ndarray:
        stack = model.batch.stack
        sites = stack.agents.site[0, : stack.tally[0, T_CELLS]]
        return by_position(np.bincount(sites, minlength=len(model.words)), shape)

    layers = [
        KernelLayer("genotype", genotype),
        KernelLayer("clone", words["clone"]),
        KernelLayer("antigen_byte", words["antigen_byte"]),
        DerivedLayer("empty", shape, lambda: genotype == 0, lambda position: genotype[position] == 0),
        DerivedLayer(
            "antigen_molecules", shape, lambda: model.molecules_of(words), lambda at: model.molecules_of(words[at])
        ),
        DerivedLayer("fibrosis", shape, fibrosis, lambda at: blocks[tuple(k // BLOCK for k in at)]),
        DerivedLayer("car_t", shape, car_t, lambda at: len(car_t_at(model, at))),
    ]
    return {layer.name: layer for layer in layers}
