"""Where a study comes from: its own layers, and those of the scenario below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

from mpn_abm.errors import MissingFileError, Problem, ScenarioError, UsageError
from mpn_abm.scenario.documents import read_file, read_text
from mpn_abm.scenario.layers import canonical
from mpn_abm.scenario.schema import SCHEMA, STUDIES, ScenarioFile
from mpn_abm.scenario.shape import Blocks
from mpn_abm.scenario.sources import (
    check_schema,
    layer_of_overrides,
    layer_of_set,
    layers_of_entry,
    layers_of_file,
)
from mpn_abm.scenario.studies.blocks import StudyDocument
from mpn_abm.scenario.suggestions import closest, one_of
from mpn_abm.scenario.tree import DEFAULT, Entry, Origin, entry_from, problem, problem_of_key

Source = str | PathLike[str] | Mapping[str, Any]

STUDY, SCENARIO = Blocks((StudyDocument,)), Blocks((ScenarioFile,))
_A_SCENARIO = "expected a file relative to this one, or a mapping"
_OWN_KEYS = set(StudyDocument.model_fields) - {"scenario"}


@dataclass
class Said:
    """What a study file, `--set` and a caller say: canonical layers of the study and of its scenario, later last.

    `problems` have paths of the study, `of_scenario` those of its scenario.
    """

    folder: Path
    study: list[Entry] = field(default_factory=list)
    scenario: list[Entry] = field(default_factory=list)
    later: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    of_scenario: list[Problem] = field(default_factory=list)
    in_place: str | None = None  # the file in which the scenario stands itself

    def scenario_of(self, study: str) -> list[Entry]:
        """The layers of the scenario; one that stands in the file is called as its study, unless it says a name."""
        if self.in_place is None:
            return self.scenario
        *extended, own = self.scenario
        name = entry_from({"name": study}, replace(DEFAULT, file="default, the name of the study"))
        return [*extended, name, own]


def root_of(source: Source) -> tuple[Entry, Path]:
    """The tree of a study file, and the path from which its own paths are looked for."""
    if isinstance(source, Mapping):
        return entry_from({"schema": SCHEMA, **source}, Origin("mapping")), Path("mapping")
    if isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{")):
        return read_text(source, "text"), Path("text")
    if not isinstance(source, str | PathLike):
        raise UsageError(f"expected a path, a text or a mapping, not a {type(source).__name__}")
    return read_file(Path(source)), Path(source)


def tells_of_a_study(root: Entry) -> bool:
    """Whether a file is a study, right or wrong: it names its scenario or has the block of a study."""
    return not root.value.keys().isdisjoint({"scenario", *STUDIES})


def read(source: Source, sets: Iterable[str], overrides: Mapping[str, Any] | None) -> Said:
    """Everything that is said, sorted into what is about the study and what is about its scenario."""
    root, path = root_of(source)
    said = Said(folder=path.parent)
    check_schema(root, said.problems)
    children = {key: child for key, child in root.value.items() if key != "schema"}
    if not tells_of_a_study(root):
        expectation = f"expected a study, with `scenario:` and {one_of(STUDIES)}"
        raise ScenarioError([*said.problems, problem_of_key(root, (), expectation)])
    for key in children.keys() & {"extends", "without"}:
        said.problems.append(problem(children.pop(key), (key,), "expected within `scenario:`"))
    scenario = children.pop("scenario", None) or _meant(children)
    name = entry_from({"name": path.stem}, DEFAULT)
    said.study = [canonical(one, STUDY, said.problems) for one in (name, root.with_value(children))]
    _read_scenario(scenario, root, path, said)
    later = [layer_of_set(assignment) for assignment in ((sets,) if isinstance(sets, str) else sets)]
    later += [layer_of_overrides(overrides)] if overrides else []
    for layer in later:
        of_study = {key: child for key, child in layer.value.items() if key.partition(".")[0] in _OWN_KEYS}
        others = {key: child for key, child in layer.value.items() if key not in of_study}
        said.study.append(canonical(layer.with_value(of_study), STUDY, said.problems))
        said.later.append(canonical(layer.with_value(others), SCENARIO, said.of_scenario))
    return said


def _meant(children: dict[str, Entry]) -> Entry | None:
    """The scenario under a key that is spelled almost right, which is told as an unknown key."""
    fields = StudyDocument.model_fields
    return next((child for key, child in children.items() if closest(key, fields) == "scenario"), None)


def _read_scenario(entry: Entry | None, root: Entry, path: Path, said: Said) -> None:
    """The layers of the scenario, in another file or in place."""
    place = ("scenario",)
    found: list[Problem] = []
    if entry is None or entry.value is None:
        said.problems.append(
            problem_of_key(entry or root, place, "missing, expected a file relative to this one, or a mapping")
        )
        return
    if entry.is_mapping:
        said.in_place = entry.origin.file
        layers = layers_of_entry(entry, path, found)
    elif not isinstance(entry.value, str) or not entry.value.strip():
        said.problems.append(problem(entry, place, _A_SCENARIO))
        return
    else:
        try:
            layers = layers_of_file(path.parent / entry.value, found)
        except MissingFileError as error:
            said.problems.append(problem(entry, place, f"expected a file relative to this one ({error})"))
            return
        except ScenarioError as error:
            said.of_scenario.extend(error.problems)
            return
    said.of_scenario.extend(found)
    said.scenario = [canonical(layer, SCENARIO, said.of_scenario) for layer in layers]
