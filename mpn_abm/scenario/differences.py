"""Where two scenarios say different things."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Difference(NamedTuple):
    """A path at which two contents of files differ; None stands for what is not said."""

    path: str
    first: Any
    second: Any

    def __str__(self) -> str:
        return f"{self.path}: {_shown(self.first)} and {_shown(self.second)}"


def differences(first: Mapping[str, Any], second: Mapping[str, Any], within: str = "") -> Iterator[Difference]:
    """The paths at which they differ, in the order of the first; names in another order are a difference, too."""
    for key in (*first, *(key for key in second if key not in first)):
        path, one, other = f"{within}{key}", first.get(key), second.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from differences(one, other, f"{path}.")
        elif one != other or type(one) is not type(other):
            yield Difference(path, one, other)
    if list(first) != list(second) and set(first) == set(second):
        yield Difference(within.rstrip("."), list(first), list(second))


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "said"
    return "not said" if value is None else str(value)
