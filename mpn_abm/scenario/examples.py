"""The scenarios and studies that come with the program: two templates to begin with, and the library."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mpn_abm.errors import UsageError
from mpn_abm.scenario.documents import read_text
from mpn_abm.scenario.suggestions import unknown

_HERE = Path(__file__).parent
# a wheel carries the library inside the package, a checkout beside it
_ROOTS = (_HERE / "templates", _HERE / "scenarios", _HERE.parents[1] / "scenarios")

# published figures and what is asked of the model: no scenario and no study
TARGETS = Path("studies", "evidence")


@cache
def example_files() -> dict[str, Path]:
    """The files by name: a template's own, folder and name for the others."""
    found: dict[str, Path] = {}
    for root in _ROOTS:
        for file in sorted(root.rglob("*.yaml")):
            if TARGETS in file.relative_to(root).parents:
                continue
            found.setdefault(file.relative_to(root).with_suffix("").as_posix(), file)
    return found


def scenario_files() -> dict[str, Path]:
    """The files of scenarios, without those of studies."""
    return {name: file for name, file in example_files().items() if not name.startswith(f"{TARGETS.parent}/")}


def target_files() -> list[Path]:
    """The files of targets that come with the program."""
    roots = (root / TARGETS for root in _ROOTS)
    return next((found for root in roots if (found := sorted(root.glob("*.yaml")))), [])


def file_of(name: str) -> Path:
    """The file of a name, of which the folder may be left out; UsageError if there is none."""
    files = example_files()
    matches = [name] if name in files else [known for known in files if known.rpartition("/")[2] == name]
    if len(matches) != 1:
        # a single word is compared with single words
        known = files if "/" in name else [word.rpartition("/")[2] for word in files]
        raise UsageError(f"--template {name}: {unknown('template', name, known)}")
    return files[matches[0]]


def with_what_it_extends(file: Path) -> list[Path]:
    """A file of the library and, after it, those that it extends; of a study its scenario as well."""
    root = read_text(file.read_text(encoding="utf-8"), str(file))
    scenario = root.at(("scenario",))
    named = [scenario] if scenario is not None and not scenario.is_mapping else []
    for said in (root.at(("extends",)), root.at(("scenario", "extends"))):
        if said is not None:
            named += said.value if isinstance(said.value, list) else [said]
    extended = ((file.parent / entry.value).resolve() for entry in named)
    return [file, *(deeper for one in extended for deeper in with_what_it_extends(one))]
