"""Where layers come from: files with what they extend, overrides of a caller, `--set` of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mpn_abm.errors import MissingFileError, Problem, ScenarioError, UsageError
from mpn_abm.scenario.documents import read_file, read_text, read_value
from mpn_abm.scenario.schema import DIRECTIVES, SCHEMA, STUDIES
from mpn_abm.scenario.tree import DEFAULT, Entry, Origin, entry_from, problem, problem_of_key

MOST_EXTENDED = 32


def layers_of_file(path: Path, problems: list[Problem]) -> list[Entry]:
    """The layers of a file: what it extends, what it goes without, its name unless it says one, itself."""
    name = entry_from({"name": path.stem}, replace(DEFAULT, file="default, the name of the file"))
    *extended, own = _layers(read_file(path), path, _Reading(), problems)
    return [*extended, name, own]


def layers_of_text(text: str, problems: list[Problem]) -> list[Entry]:
    """The layers of a text; what it extends is looked for from the working directory."""
    return _layers(read_text(text, "text"), Path("text"), _Reading(), problems)


def layers_of_mapping(said: Mapping[str, Any], problems: list[Problem]) -> list[Entry]:
    """The layers of Python objects that say what a file would say; `schema` may be left out."""
    root = entry_from({"schema": SCHEMA, **said}, Origin("mapping"))
    return _layers(root, Path("mapping"), _Reading(), problems)


def layers_of_entry(said: Entry, path: Path, problems: list[Problem]) -> list[Entry]:
    """The layers of a scenario that stands in another file."""
    schema = {"schema": entry_from(SCHEMA, said.origin)}
    return _layers(said.with_value({**schema, **said.value}), path, _Reading(), problems)


def layer_of_overrides(overrides: Mapping[str, Any]) -> Entry:
    """The layer of a caller's paths or nested mappings."""
    if not isinstance(overrides, Mapping):
        raise UsageError(f"overrides: {overrides!r}: expected a mapping of paths to values, such as {{'seed': 3}}")
    return entry_from(overrides, Origin("overrides"))


def layer_of_set(assignment: str) -> Entry:
    """The layer of one `PATH=VALUE`, the value in YAML."""
    path, equals, text = assignment.partition("=")
    path = path.strip()
    if not equals or not path:
        raise UsageError(f"--set {assignment}: expected PATH=VALUE, such as --set seed=3")
    origin = Origin(f"--set {assignment}")
    try:
        value = read_value(text, origin)
    except ScenarioError as error:
        told = (Problem(origin.file, None, None, path, text, found.expectation) for found in error.problems)
        raise ScenarioError(told) from error
    return entry_from({path: value}, origin)


def layer_of_option(name: str, value: Any) -> Entry:
    """The layer of an option of the command line that has a name of its own."""
    return entry_from({name: value}, Origin(f"--{name}"))


@dataclass
class _Reading:
    """What is being read: the files that wait for what they extend, and how many were extended in all.

    Files that extend many which extend many are few to write and thousands to read.
    """

    waiting: tuple[Path, ...] = ()
    extended: list[Path] = field(default_factory=list)

    def below(self, path: Path) -> _Reading:
        """The same while a file waits."""
        return _Reading((*self.waiting, _resolved(path)), self.extended)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        # a circle of links, a zero byte: what cannot be followed cannot be read
        raise MissingFileError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _layers(root: Entry, path: Path, reading: _Reading, problems: list[Problem]) -> list[Entry]:
    """What the file extends, then what it goes without, then what it says itself; later wins."""
    check_schema(root, problems)
    _refuse_a_study(root)
    said: dict[str, Entry] = root.value
    layers = [
        layer
        for entry in _texts(said.get("extends"), "extends", problems)
        for layer in _extended(entry, path, reading.below(path), problems)
    ]
    without = _texts(said.get("without"), "without", problems)
    if without and said.get("extends") is None:
        problems.append(problem(said["without"], ("without",), "expected `extends` beside it, of which it drops parts"))
    for entry in without:
        layers.append(Entry({entry.value: Entry(None, entry.origin, entry.value, entry.value)}, entry.origin))
    layers.append(root.with_value({key: child for key, child in said.items() if key not in DIRECTIVES}))
    return layers


def _extended(entry: Entry, path: Path, reading: _Reading, problems: list[Problem]) -> list[Entry]:
    target = path.parent / entry.value
    reading.extended.append(target)
    if len(reading.extended) > MOST_EXTENDED:
        told = f"expected at most {MOST_EXTENDED} files in all, each as often as it is named"
        problems.append(problem(entry, ("extends",), told))
        return []
    try:
        if _resolved(target) in reading.waiting:
            problems.append(problem(entry, ("extends",), "expected no circle, this file extends the one that names it"))
            return []
        return _layers(read_file(target), target, reading, problems)
    except MissingFileError as error:
        problems.append(problem(entry, ("extends",), f"expected a file relative to this one ({error})"))
    except ScenarioError as error:
        problems.extend(error.problems)
    return []


def check_schema(root: Entry, problems: list[Problem]) -> None:
    """See that a file begins with the version of the format."""
    first = next(iter(root.value), None)
    schema = root.at(("schema",))
    if schema is None:
        problems.append(problem(root, ("schema",), f"missing, expected {SCHEMA} as the first key"))
    elif schema.value != SCHEMA:
        problems.append(problem(schema, ("schema",), f"expected {SCHEMA}"))
    elif first != "schema":
        problems.append(problem(schema, ("schema",), "expected as the first key"))


def _refuse_a_study(root: Entry) -> None:
    kinds = [kind for kind in STUDIES if kind in root.value]
    if kinds or "scenario" in root.value:
        verb = f"`mpn-abm {kinds[0] if kinds else STUDIES[0]}`"
        raise ScenarioError([problem_of_key(root, (), f"expected a scenario, this is a study, for {verb}")])


def _texts(entry: Entry | None, key: str, problems: list[Problem]) -> list[Entry]:
    """The texts of a key that takes one or a list of them."""
    if entry is None or entry.value is None:
        return []
    items = entry.value if isinstance(entry.value, list) else [entry]
    if not all(isinstance(item.value, str) and item.value.strip() for item in items):
        problems.append(problem(entry, (key,), "expected a text or a list of texts"))
        return []
    return list(items)
