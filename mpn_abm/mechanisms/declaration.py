"""How a parameter is declared: once, with its unit, bounds, meaning and source.

Validation, `explain`, the JSON Schema, the reference pages and the paths of sweeps are made from these declarations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

from mpn_abm.units import UNITS, Unit, key_of, keys_of


@dataclass(frozen=True)
class Declaration:
    """What a field says about itself. `source` is None for a setting, which needs none."""

    name: str
    unit: Unit
    low: float | None
    above: float | None
    high: float | None
    sweep: tuple[float, float] | None
    doc: str
    source: str | None
    expects: str | None

    @cached_property
    def key(self) -> str:
        """The key of the field in a file, in the unit of the declaration."""
        return key_of(self._word, self.unit)

    @property
    def keys(self) -> Mapping[str, Unit]:
        """Every key that a file may write for the field, with the unit that it says."""
        return keys_of(self._word, self.unit)

    @property
    def _word(self) -> str:
        # a word that Python keeps for itself, such as `with`, names a field with a _ behind it
        return self.name.removesuffix("_")


def parameter(
    default: Any,
    *,
    unit: str = "",
    low: float | None = None,
    above: float | None = None,
    high: float | None = None,
    sweep: tuple[float, float] | None = None,
    doc: str,
    source: str,
) -> Any:
    """Declare a number of the model.

    Parameters
    ----------
    default : number
        In `unit`.
    unit : str
        A name of `mpn_abm.units.UNITS`; "" is dimensionless.
    low, above, high : number, optional
        Bounds; `low` and `high` are allowed themselves, `above` is not.
    sweep : (number, number), optional
        The range that a sensitivity study covers.
    doc : str
        What the number means.
    source : str
        The paper, "assumed", or "fitted: to what".
    """
    extra: JsonDict = {"unit": unit, "source": source, "sweep": None if sweep is None else list(sweep)}
    return Field(default, ge=low, gt=above, le=high, description=doc, json_schema_extra=extra)


def setting(
    default: Any = ...,
    *,
    unit: str = "",
    low: float | None = None,
    above: float | None = None,
    high: float | None = None,
    doc: str,
    expects: str | None = None,
) -> Any:
    """Declare what a scenario chooses: no source is asked of it, and without a default it has to be said.

    `expects` replaces the sentence that is otherwise made from type and bounds.
    """
    extra: JsonDict = {"unit": unit, "expects": expects}
    return Field(default, ge=low, gt=above, le=high, description=doc, json_schema_extra=extra)


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number, which may be written `1.0e5`."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
_PATH = "a path of a scenario"
PathName = Annotated[str, _PATH]
"""A path such as `treatments.car_t.dose_cells` as the name of a thing."""


def is_path(annotation: Any) -> bool:
    """Whether names of this type are paths."""
    return bool(annotation == PathName)


GenotypeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]


class Block(BaseModel):
    """A frozen group of declared fields, the same thing as a mapping in a file.

    `exclusive` lists groups of fields that say one thing: a file gives at most one of each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())

    exclusive: ClassVar[tuple[frozenset[str], ...]] = ()


class Mechanism(Block):
    """A block that a file can switch off."""

    enabled: bool = setting(True, doc="whether the mechanism acts at all")


@cache
def declarations(block: type[Block]) -> Mapping[str, Declaration]:
    """The declaration of every field of a block, by the name of the field."""
    return {name: _declaration(name, field) for name, field in block.model_fields.items()}


@cache
def accepted_keys(block: type[Block]) -> Mapping[str, tuple[Declaration, Unit]]:
    """Every key that a file may write in a block: the field that it means and the unit that it says."""
    return {
        key: (declaration, unit)
        for declaration in declarations(block).values()
        for key, unit in declaration.keys.items()
    }


def _declaration(name: str, field: FieldInfo) -> Declaration:
    extra = field.json_schema_extra
    said: dict[str, Any] = dict(extra) if isinstance(extra, dict) else {}
    bounds = {type(bound): bound for bound in field.metadata}
    sweep = said.get("sweep")
    return Declaration(
        name=name,
        unit=UNITS[said.get("unit", "")],
        low=_bound(bounds.get(Ge), "ge"),
        above=_bound(bounds.get(Gt), "gt"),
        high=_bound(bounds.get(Le), "le"),
        sweep=None if sweep is None else (sweep[0], sweep[1]),
        doc=field.description or "",
        source=said.get("source"),
        expects=said.get("expects"),
    )


def _bound(bound: object, side: str) -> float | None:
    value = getattr(bound, side, None)
    return None if value is None or math.isinf(value) else value
