"""Read YAML 1.2 into a tree in which every value knows its line and column.

Only plain data is let in: no tags, no duplicate keys, no keys but text, no NaN or infinity, and nothing so large or
so deep that reading it is the problem.
"""

from __future__ import annotations

import math
import os
import stat
import unicodedata
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mpn_abm.errors import MissingFileError, Problem, ScenarioError
from mpn_abm.scenario.tree import Entry, Origin

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
# three times what the largest file of the library has; the reader takes most of a second for these
MAX_ENTRIES = 10_000
_MAY_STAND_IN_TEXT = "\t\n"
# control characters, halves of characters, and those that turn the direction of writing
_HIDDEN = ("Cc", "Cs")
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CORE = "tag:yaml.org,2002:"


def read_file(path: Path) -> Entry:
    """The tree of a file."""
    return read_text(text_of_file(path), str(path))


def text_of_file(path: Path) -> str:
    """The text of a file that is no device or pipe, which could go on for ever, and not too large.

    Raises
    ------
    ScenarioError
        If it is no such file, or no UTF-8.
    MissingFileError
        If it cannot be read.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
            raise _refusal(str(path), f"expected a file, this is {what}")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
            size = os.fstat(file.fileno()).st_size
    except (OSError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise MissingFileError(f"{path}: {reason}") from error
    if len(data) > MAX_BYTES:
        raise _refusal(str(path), f"expected a file of at most {MAX_BYTES:,} bytes, this one has {size:,}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(str(path), f"expected UTF-8 text, byte {error.start} is not") from error


def read_text(text: str, name: str) -> Entry:
    """The tree of a text, which problems call `name`; the root is a mapping."""
    root = _read(text, name)
    if not root.is_mapping:
        raise _refusal(name, "expected a mapping that begins with `schema: mpn-abm/1`")
    return root


def read_value(text: str, origin: Origin) -> Any:
    """The plain value of a YAML text, of any type."""
    return _read(text, str(origin)).plain()


def _read(text: str, name: str) -> Entry:
    if len(text) > MAX_BYTES:
        raise _refusal(name, f"expected at most {MAX_BYTES:,} characters")
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _PlainComposer
    try:
        node = yaml.compose(text)
    except _RefusedError as refused:
        raise _refusal(name, str(refused), refused.node) from refused
    except (YAMLError, ValueError) as error:
        raise _syntax_error(name, error) from error
    if node is None:
        return Entry(None, Origin(name))
    return _Reader(yaml, name).read(node)


class _RefusedError(Exception):
    """Valid YAML that a scenario may not use."""

    def __init__(self, expectation: str, node: Any) -> None:
        super().__init__(expectation)
        self.node = node


class _PlainComposer(Composer):
    """Refuses tags, deep nesting and too much while the text is read: later it is too late to tell."""

    nesting = 0
    # keys are nodes, too
    nodes_left = 2 * MAX_ENTRIES

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        if getattr(event, "tag", None) not in (None, "!"):
            raise _RefusedError(f"expected plain data, no tag such as {event.tag}", event)
        if self.nesting >= MAX_DEPTH:
            raise _RefusedError(f"expected at most {MAX_DEPTH} levels", event)
        self.nodes_left -= 1
        if self.nodes_left < 0:
            raise _RefusedError(f"expected at most {MAX_ENTRIES:,} values", event)
        self.nesting += 1
        node = super().compose_node(parent, index)
        self.nesting -= 1
        return node


class _Reader:
    """Turns the nodes of one document into entries and collects what is wrong with them."""

    def __init__(self, yaml: YAML, name: str) -> None:
        self.yaml = yaml
        self.name = name
        self.entries = 0
        self.problems: list[Problem] = []

    def read(self, root: Node) -> Entry:
        try:
            entry = self._entry(root, root, "", 0)
        except _RefusedError as refused:
            raise _refusal(self.name, str(refused), refused.node) from refused
        if self.problems:
            raise ScenarioError(self.problems)
        return entry

    def _entry(self, node: Node, place: Node, key: str, depth: int) -> Entry:
        self.entries += 1
        if self.entries > MAX_ENTRIES:
            raise _RefusedError(f"expected at most {MAX_ENTRIES:,} values, aliases counted in full", node)
        if depth > MAX_DEPTH:
            raise _RefusedError(f"expected at most {MAX_DEPTH} levels, aliases counted in full", node)
        match node:
            case MappingNode():
                value: Any = self._mapping(node, depth)
            case SequenceNode():
                value = [self._entry(child, child, "", depth + 1) for child in node.value]
            case _:
                value = self._scalar(node)
        return Entry(value, _origin(self.name, place), key, value)

    def _mapping(self, node: MappingNode, depth: int) -> dict[str, Entry]:
        children: dict[str, Entry] = {}
        for key_node, child in node.value:
            key = key_node.value
            if not isinstance(key_node, ScalarNode) or not isinstance(self._scalar(key_node), str):
                self._add(key_node, "expected a name as the key")
            elif (hidden := _hidden_in(key)) is not None:
                self._add(key_node, f"expected a name without the character {hidden}")
            elif key in children:
                self._add(key_node, f"{key}: expected once, it stands in line {children[key].origin.line} already")
            else:
                children[key] = self._entry(child, key_node, key, depth + 1)
        return children

    def _scalar(self, node: Node) -> Any:
        kind = str(node.tag).removeprefix(_CORE)
        if kind not in ("null", "bool", "int", "float"):
            if (hidden := _hidden_in(str(node.value))) is not None:
                self._add(node, f"expected a text without the character {hidden}")
            return node.value
        try:
            value = self.yaml.constructor.construct_object(node)
        except (ValueError, OverflowError):
            value = math.nan
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
            value = float(value) if abs(value) < 10**300 else math.inf
        if isinstance(value, float) and not math.isfinite(value):
            self._add(node, "expected a finite number", node.value[:40])
        return value

    def _add(self, node: Node, expectation: str, value: str = "") -> None:
        place = _origin(self.name, node)
        self.problems.append(Problem(place.file, place.line, place.column, "", value, expectation))


def _hidden_in(text: str) -> str | None:
    """The first character of a text that steers a terminal or is none, by its number."""
    if text.isprintable():
        return None
    wrong = (
        letter
        for letter in text
        if letter in _TURNING or (unicodedata.category(letter) in _HIDDEN and letter not in _MAY_STAND_IN_TEXT)
    )
    found = next(wrong, None)
    return None if found is None else f"U+{ord(found):04X}"


def _origin(name: str, node: Any) -> Origin:
    return Origin(name, node.start_mark.line + 1, node.start_mark.column + 1)


def _refusal(name: str, expectation: str, node: Any = None) -> ScenarioError:
    place = Origin(name) if node is None else _origin(name, node)
    return ScenarioError([Problem(place.file, place.line, place.column, "", "", expectation)])


def _syntax_error(name: str, error: Exception) -> ScenarioError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).partition("\n")[0]
    place = Origin(name) if mark is None else Origin(name, mark.line + 1, mark.column + 1)
    return ScenarioError([Problem(place.file, place.line, place.column, "", "", f"expected valid YAML 1.2 ({reason})")])
