"""Units and the suffixes that carry them in the keys of a file.

A parameter has a name and a unit; its key is the name with the suffix of the unit
(`division_rate`, 1/year: `division_rate_per_year`). A name that is or ends in the suffix
already gets none (`cells`, `dose_mg`). Every other suffix of the same family may be written
instead and is converted. A year is 365.25 days, a month a
twelfth of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import copysign, inf, isfinite
from types import MappingProxyType
from typing import TypeGuard


@dataclass(frozen=True)
class Unit:
    """A unit: its name, what it measures, the suffix of its keys and its size in the unit of its family."""

    name: str
    family: str
    suffix: str
    size: Fraction


_DAYS_IN = {
    "minute": Fraction(1, 1440),
    "hour": Fraction(1, 24),
    "day": Fraction(1),
    "week": Fraction(7),
    "month": Fraction(487, 16),
    "year": Fraction(1461, 4),
}

_OTHERS = (
    Unit("", "dimensionless", "", Fraction(1)),
    Unit("um", "length", "_um", Fraction(1)),
    Unit("um/min", "speed", "_um_per_min", Fraction(1)),
    Unit("mg", "mass of drug", "_mg", Fraction(1)),
    Unit("ug", "mass of drug", "_ug", Fraction(1, 1000)),
    Unit("nM", "concentration", "_nM", Fraction(1)),
    Unit("nM/mg", "concentration per dose", "_nM_per_mg", Fraction(1)),
    Unit("kg", "mass of body", "_kg", Fraction(1)),
    Unit("ml", "volume", "_ml", Fraction(1)),
    Unit("cells", "cells", "_cells", Fraction(1)),
    Unit("cells/kg", "cells per kg", "_cells_per_kg", Fraction(1)),
    Unit("molecules", "molecules", "_molecules", Fraction(1)),
    Unit("sites", "sites", "_sites", Fraction(1)),
    Unit("1/nl", "cells per volume", "_per_nl", Fraction(1)),
    Unit("g/l", "mass per volume", "_g_per_l", Fraction(1)),
)


def _units() -> Iterator[Unit]:
    """All units; time comes as lengths of time (`_days`), moments (`_day`) and rates (`_per_day`)."""
    yield from _OTHERS
    for name, days in _DAYS_IN.items():
        yield Unit(name, "time", f"_{name}s", days)
        yield Unit(f"at {name}", "moment", f"_{name}", days)
        yield Unit(f"1/{name}", "rate", f"_per_{name}", 1 / days)


UNITS = MappingProxyType({unit.name: unit for unit in _units()})


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def convert(value: float, unit: Unit, target: Unit) -> float:
    """The value in another unit of the same family, correctly rounded; untouched where the units are one."""
    if unit.size == target.size or not isfinite(value):
        return value
    try:
        return float(Fraction(value) * unit.size / target.size)
    except OverflowError:
        return copysign(inf, value)


def key_of(name: str, unit: Unit) -> str:
    """The key under which a parameter of this name and unit stands in a file."""
    return name if _carries(name, unit) else name + unit.suffix


def keys_of(name: str, unit: Unit) -> dict[str, Unit]:
    """Every key that may be written for a parameter, with the unit that it says; its own comes first."""
    family = [unit, *(other for other in UNITS.values() if other.family == unit.family and other != unit)]
    if not _carries(name, unit):
        return {name + other.suffix: other for other in family}
    stem = f"_{name}".removesuffix(unit.suffix)
    return {(stem + other.suffix).removeprefix("_"): other for other in family}


def phrase(unit: Unit) -> str:
    """The unit as it stands after a number in a sentence."""
    match unit.family:
        case "rate":
            return "per " + unit.name.removeprefix("1/")
        case "time":
            return unit.name + "s"
        case "moment":
            return unit.name.removeprefix("at ") + "s"
        case _:
            return unit.name


def _carries(name: str, unit: Unit) -> bool:
    return f"_{name}".endswith(unit.suffix)
