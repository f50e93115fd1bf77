"""Marrows on their way through a run: all that the next step depends on, besides the program and the seeds."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from mpn_abm.arrays import Sizes, marrows, shapes, stack
from mpn_abm.compile.program import Program
from mpn_abm.state import MarrowState


class Underway(NamedTuple):
    """Marrows of the same program side by side, and how far they are."""

    sizes: Sizes
    stack: MarrowState
    reached: np.ndarray  # int64[n]  boundary at which each marrow stands
    departed: np.ndarray  # int64[n]  the same when they set out for `towards`
    towards: int  # boundary that they are on their way to, -1 before the first


def empty(program: Program, number: int) -> Underway:
    """Marrows in which nobody has been placed yet."""
    nowhere = np.zeros(number, np.int64)
    lattice, sizes = program.rules.lattice, program.sizes
    return Underway(sizes, stack(number, lattice, sizes), nowhere, nowhere.copy(), -1)


def arrays_of(program: Program, underway: Underway) -> dict[str, np.ndarray]:
    """Everything as arrays by name; scratch is among them, because some of it is read again in a later step."""
    arrays = {
        "sizes": np.array(underway.sizes, np.int64),
        "reached": underway.reached,
        "departed": underway.departed,
        "towards": np.array(underway.towards, np.int64),
    }
    for group, names in shapes(program.rules.lattice, underway.sizes).items():
        owner = getattr(underway.stack, group) if group else underway.stack
        arrays |= {f"{group}.{name}": getattr(owner, name) for name in names}
    return arrays


def underway_of(program: Program, arrays: Mapping[str, np.ndarray]) -> Underway:
    """The marrows that ``arrays_of`` took apart.

    Raises
    ------
    KeyError, ValueError
        If an array is missing or has another type or shape than the program says.
    """
    reached, sizes = arrays["reached"], Sizes(*arrays["sizes"].tolist())

    def there(group: str, name: str, kind: type, shape: tuple[int, ...]) -> np.ndarray:
        array = arrays[f"{group}.{name}"]
        if (array.dtype, array.shape) != (np.dtype(kind), (len(reached), *shape)):
            raise ValueError(f"{group}.{name}: another type or shape")
        return array

    whole = marrows(program.rules.lattice, sizes, there)
    return Underway(sizes, whole, reached, arrays["departed"], int(arrays["towards"]))
