"""What can go wrong, as types: each is an MpnAbmError, most also the built-in kind that Python programs expect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_SHOWN = 200
"""Problems that the text of a ScenarioError names; `problems` has all."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a scenario: where it stands, what was given, what is expected."""

    file: str
    line: int | None
    column: int | None
    path: str
    value: str
    expectation: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"
        told = ": ".join(part for part in (place, self.path, self.value, self.expectation) if part)
        # one line, and nothing in it that steers a terminal
        return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in told)


class UnknownKey(Problem):
    """A key that nobody declares; what stands beside it may well be right."""


class MpnAbmError(Exception):
    """Anything that this package raises on purpose; `exit_code` is what the command line returns for it."""

    exit_code = 1


class UsageError(MpnAbmError, ValueError):
    """The program or a function was asked for something that it does not offer."""

    exit_code = 2


class MissingFileError(UsageError, FileNotFoundError):
    """A file that was named does not exist or cannot be read."""


class ScenarioError(MpnAbmError, ValueError):
    """A scenario or study is invalid; carries all of its problems at once."""

    exit_code = 3

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [str(told) for told in self.problems[:MOST_SHOWN]]
        if (more := len(self.problems) - MOST_SHOWN) > 0:
            lines.append(f"and {more:,} more")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class SimulationError(MpnAbmError, RuntimeError):
    """A run broke off."""

    exit_code = 4


class ResourceError(MpnAbmError, MemoryError):
    """The machine has too little memory or disk for what was asked."""

    exit_code = 4


class OutputExistsError(MpnAbmError, FileExistsError):
    """The output is there already and nothing is overwritten unasked."""

    exit_code = 6


class ClaimError(MpnAbmError):
    """A claim did not hold, and failed claims were not allowed."""

    exit_code = 7


class Stopped(MpnAbmError):
    """Somebody asked the program to stop; what is done is kept, and a second call goes on."""

    exit_code = 75


class RunsFailed(MpnAbmError):
    """Some runs of a study failed; the others are in its tables."""

    exit_code = 5
