"""The tree of a layer: what was said, and where."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

from mpn_abm.errors import Problem

Path = tuple[str | int, ...]
# what YAML reads as something else than text: a null, a truth value, a number, or the beginning of anything with marks
_NEEDS_QUOTES = re.compile(
    r"(~|null|true|false|[-+]?(\.\d+|\d+(\.\d*)?)(e[-+]?\d+)?|0o[0-7]+|0x[0-9a-f]+|[-+]?\.inf|\.nan)$|[\s\[\]{}\"'#&*!|>%@`,]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Origin:
    """Where a value comes from: a place of a file, the command line, a caller, or the defaults."""

    file: str
    line: int | None = None
    column: int | None = None

    @property
    def is_default(self) -> bool:
        return self.file.startswith("default")

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"


DEFAULT = Origin("default")


@dataclass(frozen=True)
class Entry:
    """A value with its origin. `key` and `said` are what the author wrote, before any conversion."""

    value: Any
    origin: Origin
    key: str = ""
    said: Any = field(default=None, compare=False)

    @property
    def is_mapping(self) -> bool:
        """Whether it has parts of its own."""
        return isinstance(self.value, dict)

    def with_value(self, value: Any) -> Entry:
        """The same entry, of the same origin, with another value."""
        return Entry(value, self.origin, self.key, self.said)

    def only(self, keys: Collection[str]) -> Entry:
        """The same mapping with these keys alone."""
        return self.with_value({key: child for key, child in self.value.items() if key in keys})

    def plain(self) -> Any:
        """The value alone, as plain Python objects."""
        match self.value:
            case dict():
                return {key: child.plain() for key, child in self.value.items()}
            case list():
                return [child.plain() for child in self.value]
            case _:
                return self.value

    def at(self, path: Iterable[str | int]) -> Entry | None:
        """The entry at a path, None if nothing was said there."""
        entry = self
        for step in path:
            try:
                entry = entry.value[step]
            except (KeyError, IndexError, TypeError):
                return None
            if not isinstance(entry, Entry):
                return None
        return entry

    def scalar(self, *path: str) -> Any:
        """The scalar at a path; None if there is none."""
        entry = self.at(path)
        return None if entry is None or isinstance(entry.value, dict | list) else entry.value


def entry_from(value: Any, origin: Origin, key: str = "") -> Entry:
    """A tree out of Python objects, all of one origin."""
    match value:
        case Mapping():
            children: Any = {str(name): entry_from(child, origin, str(name)) for name, child in value.items()}
        case list() | tuple():
            children = [entry_from(child, origin) for child in value]
        case bool() | None | str():
            children = value
        case Integral():
            children = int(value)
        case Real():
            children = float(value)
        case _:
            children = value
    return Entry(children, origin, key, children)


def problem(entry: Entry, path: Path, expectation: str) -> Problem:
    """What is wrong with an entry, in the words in which it was written."""
    return _problem(entry.origin, (*path[:-1], entry.key or path[-1]) if path else (), shown(entry), expectation)


def problem_of_key(entry: Entry, path: Path, expectation: str) -> Problem:
    """What is wrong with a key, whatever its value."""
    return _problem(entry.origin, path, "", expectation)


def problem_at(tree: Entry, path: Path, expectation: str) -> Problem:
    """What is wrong at a path, said or not; the place is the closest one that an author wrote."""
    entries = [found for end in range(len(path) + 1) if (found := tree.at(path[:end])) is not None]
    written = [found for found in entries if not found.origin.is_default] or [tree]
    if len(entries) <= len(path):
        return _problem(written[-1].origin, path, "", expectation)
    steps = (*path[:-1], entries[-1].key or path[-1]) if path else ()
    return _problem(written[-1].origin, steps, shown(entries[-1]), expectation)


def in_reading_order(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once, file by file and down each file."""
    found = list(dict.fromkeys(problems))
    files = list(dict.fromkeys(problem.file for problem in found))
    return sorted(found, key=lambda problem: (files.index(problem.file), problem.line or 0, problem.column or 0))


def _problem(place: Origin, path: Path, value: str, expectation: str) -> Problem:
    return Problem(place.file, place.line, place.column, ".".join(map(str, path)), value, expectation)


def shown(entry: Entry, width: int = 60) -> str:
    """The value in one short line as an author would write it; a mapping is left out, its place says enough."""
    if entry.is_mapping:
        return ""
    text = written(_as_said(entry))
    return text if len(text) <= width else text[: width - 3] + "..."


def _as_said(entry: Entry) -> Any:
    """The value before any conversion."""
    if isinstance(entry.value, list):
        return [_as_said(item) for item in entry.value]
    return entry.plain() if entry.is_mapping else entry.said


def written(value: Any) -> str:
    """The value in one line of YAML."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case dict():
            return "{" + ", ".join(f"{key}: {written(child)}" for key, child in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
        case str():
            if not value.isprintable() or not value:
                return repr(value)
            return json.dumps(value, ensure_ascii=False) if _NEEDS_QUOTES.match(value) else value
        case _:
            return str(value)
