"""What is expected of a value, in a sentence made from its declaration."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from mpn_abm.mechanisms.declaration import Declaration
from mpn_abm.scenario.shape import Blocks, Named, shape_of
from mpn_abm.scenario.suggestions import did_you_mean, one_of
from mpn_abm.units import Unit, convert, is_number, phrase


def expectation(declaration: Declaration, annotation: Any, unit: Unit, value: Any) -> str:
    """The sentence that says what a field expects, with bounds in the unit in which the author wrote."""
    if declaration.expects:
        return f"expected {declaration.expects}"
    words = f"{_values(declaration, annotation, unit, value)} ({declaration.doc})"
    return f"expected {words}{_hint(annotation, value)}"


def bounds(declaration: Declaration, unit: Unit) -> str:
    """The range of a declaration in words; empty if it has none."""

    def in_unit(bound: float) -> str:
        return _number(convert(bound, declaration.unit, unit))

    low, above, high = declaration.low, declaration.above, declaration.high
    if low is not None:
        words = f"{in_unit(low)} or more" if high is None else f"{in_unit(low)} to {in_unit(high)}"
    elif above is not None:
        words = f"more than {in_unit(above)}" + ("" if high is None else f" and at most {in_unit(high)}")
    else:
        words = "" if high is None else f"at most {in_unit(high)}"
    return f"{words} {phrase(unit)}".strip() if words else phrase(unit)


def choices(annotation: Any) -> list[str]:
    """The words among which a field chooses; none if it does not."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return [str(argument) for argument in arguments]
    inner = arguments[:1] if origin is Annotated else arguments if origin in (Union, UnionType, tuple) else ()
    return [word for argument in inner for word in choices(argument)]


def item_of(annotation: Any) -> Any:
    """The type of the items of a list."""
    if get_origin(annotation) is Annotated:
        return item_of(get_args(annotation)[0])
    return get_args(annotation)[0] if get_origin(annotation) is tuple else annotation


def keys_in_words(blocks: Blocks) -> str:
    """The keys of a block, in the units of their declarations."""
    return ", ".join(declaration.key for declaration in blocks.declarations().values())


def _values(declaration: Declaration, annotation: Any, unit: Unit, value: Any) -> str:
    kind = _type_words(annotation)
    limits = bounds(declaration, unit)
    if limits and kind == "a number" and is_number(value):
        return limits
    return f"{kind} {'from ' if ' to ' in limits else ''}{limits}".strip()


def _type_words(annotation: Any) -> str:
    """What kind of value a field takes."""
    words = choices(annotation)
    match shape_of(annotation):
        case Blocks() as blocks:
            return f"a mapping with {keys_in_words(blocks)}"
        case Named():
            return "a mapping of names"
    types = types_of(annotation)
    if tuple in types:
        return f"a list of {', '.join(words)}" if words else "a list of whole numbers"
    if words:
        return one_of(words)
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    return next((name for kind, name in names.items() if kind in types), "a value")


def _number(value: float) -> str:
    """A number as an author would write it."""
    short = f"{value:.6g}"
    exact = float(short) == value or value != int(value)
    return short.replace("e+0", "e").replace("e+", "e") if exact else str(int(value))


def _hint(annotation: Any, value: Any) -> str:
    words = choices(annotation)
    if value in words:
        return f", write [{value}]"
    return did_you_mean(value, words) if words and isinstance(value, str) else ""


def types_of(annotation: Any) -> set[Any]:
    """The plain types among which a field's values are."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return types_of(arguments[0])
    if origin in (Union, UnionType):
        return {kind for argument in arguments if argument is not NoneType for kind in types_of(argument)}
    return {origin or annotation}
