"""Run the examples of a page and compare what they print with what the page shows.

    python docs/run_examples.py docs/tutorial/first_run.md
    python docs/run_examples.py docs/tutorial/first_run.md --write

The second puts what was printed into the page. Examples run in order, in an empty folder beside the scenarios:

* `sh`: lines that begin with `mpn-abm` go through the command line; other lines are not allowed
* `python`: executed, all of a page in one namespace
* `yaml` or `csv` after `<!-- file: NAME -->`: written to that file
* `text`: what the example above prints; `...` stands for anything, a line of its own for any lines

Before a block, `<!-- not run -->` leaves it out, `<!-- needs MODULE -->` leaves it out where there is no such module,
and `<!-- exit N -->` expects an `sh` block to end with that exit code.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import shlex
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpn_abm.cli.main import main as mpn_abm_cli

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"
_BLOCK = re.compile(
    r"(?:^<!-- (?P<note>file: (?P<file>\S+)|not run|needs (?P<needs>\w+)|exit (?P<exit>\d+)) -->\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
# lines that come on a slow machine only, and what differs from run to run in one that is written into a page
_OF_THE_MACHINE = re.compile(
    r"^compiling the kernels|\d %, about \d+ s left$|^\w+: [\d,]+ of [\d,]+ runs(,.* (failed|left))*$"
)
_SECONDS = re.compile(r"\d+\.\d+ s (?=of stepping)|^[\d.]+ (s|min|h)(?=, in )", re.MULTILINE)


@dataclass
class Example:
    """A block that was run: where it stands, and what is wrong with it, if anything."""

    line: int
    text: str
    printed: str = ""
    shown: tuple[int, int, str] | None = None  # place and text of the output in the page
    wrong: str = ""


def run_page(page: str) -> Iterator[Example]:
    """Run the examples of a page in the current folder, in order."""
    namespace: dict[str, Any] = {"__name__": "__example__"}
    example: Example | None = None
    for block in _BLOCK.finditer(page):
        text, note = block["text"], block["note"] or ""
        line = page.count("\n", 0, block.start("text"))
        if note == "not run" or (block["needs"] and importlib.util.find_spec(block["needs"]) is None):
            continue
        if block["language"] == "text":
            if example is not None:
                example.shown = (block.start("text"), block.end("text"), text)
                if not matches(text, example.printed):
                    example.wrong = example.wrong or f"the page shows\n{text}printed was\n{example.printed}"
            continue
        if example is not None:
            yield example
        example = None
        if block["language"] in ("yaml", "csv") and block["file"]:
            Path(block["file"]).write_text(text)
        elif block["language"] == "sh":
            example = run_shell(text, line, int(block["exit"] or 0))
        elif block["language"] == "python":
            example = run_python(text, line, namespace)
    if example is not None:
        yield example


def run_shell(text: str, line: int, expected: int) -> Example:
    """Run the lines of a shell block through the command line."""
    example = Example(line, text)
    printed = io.StringIO()
    for command in text.replace("\\\n", " ").splitlines():
        words = shlex.split(command, comments=True)
        if not words:
            continue
        if words[0] != "mpn-abm":
            example.wrong = f"cannot run {command!r}"
            break
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            code = mpn_abm_cli(words[1:])
        if code != expected:
            example.wrong = f"{command}: exit code {code}, expected {expected}\n{printed.getvalue()}"
            break
    example.printed = "".join(
        line for line in printed.getvalue().splitlines(keepends=True) if not _OF_THE_MACHINE.search(line)
    )
    return example


def run_python(text: str, line: int, namespace: dict[str, Any]) -> Example:
    """Execute a block of Python."""
    example = Example(line, text)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(text, f"example on line {line}", "exec"), namespace)
    except Exception:
        example.wrong = traceback.format_exc(limit=-1)
    example.printed = printed.getvalue()
    return example


def matches(shown: str, printed: str) -> bool:
    """Whether an output is what a page shows; ends of lines do not count."""
    parts = [re.escape(part) for part in re.split(r"\.\.\.", _trimmed(shown))]
    return re.fullmatch(".*".join(parts), _trimmed(printed), re.DOTALL) is not None


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def renewed(page: str, examples: list[Example]) -> str:
    """The page with the outputs that were printed, where they are not what it shows."""
    for example in reversed(examples):
        if example.shown is not None and not matches(example.shown[2], example.printed):
            start, end, _ = example.shown
            page = page[:start] + _SECONDS.sub(_hidden, _trimmed(example.printed)) + "\n" + page[end:]
    return page


def _hidden(seconds: re.Match[str]) -> str:
    return "... s " if seconds[0].endswith(" ") else "..."


def main() -> int:
    """Run one page."""
    path = Path(sys.argv[1]).resolve()
    page = path.read_text()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("scenarios").symlink_to(SCENARIOS)
        examples = list(run_page(page))
    if "--write" in sys.argv[2:]:
        path.write_text(renewed(page, examples))
    wrong = [example for example in examples if example.wrong]
    for example in wrong:
        print(f"{path.name}:{example.line}: {example.wrong}\n")
    print(f"{len(examples)} examples, {len(wrong)} wrong")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
