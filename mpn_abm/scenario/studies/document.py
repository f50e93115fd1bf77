"""The study file without its scenario: merged, taken apart and checked in itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mpn_abm.errors import Problem
from mpn_abm.scenario.finding import Finding
from mpn_abm.scenario.layers import merged
from mpn_abm.scenario.schema import STUDIES, Comparison
from mpn_abm.scenario.solving import news
from mpn_abm.scenario.studies.axes import Axis
from mpn_abm.scenario.studies.blocks import AnySpec, StudyDocument, TrialSpec
from mpn_abm.scenario.studies.reading import STUDY
from mpn_abm.scenario.suggestions import one_of
from mpn_abm.scenario.tree import DEFAULT, Entry, problem_at
from mpn_abm.scenario.validation import validated

_COMPARED = [name for name in Comparison.model_fields if name != "arms"]
ASSUMED = "assumed"


@dataclass(frozen=True)
class Document:
    """A study without its scenario.

    Attributes
    ----------
    tree : Entry
        What was said, after all layers were merged; without arms, endpoints and claims.
    block : StudyDocument or None
        Its values; of what is wrong the defaults. None if the study cannot be told at all.
    kind : str
        Its kind; empty if there is none or more than one.
    arms : list of Entry
        Layers with the arms of a trial.
    compared : list of Entry
        Layers with its endpoints, claims and reference.
    """

    tree: Entry
    block: StudyDocument | None
    kind: str
    arms: list[Entry]
    compared: list[Entry]

    @property
    def spec(self) -> AnySpec | None:
        """The values of the block of its kind."""
        return getattr(self.block, self.kind) if self.block is not None and self.kind else None

    @property
    def place(self) -> tuple[str, str]:
        """Where its axes stand."""
        return self.kind, _axes_of(self.kind)

    @property
    def method(self) -> str | None:
        """Its method; empty if its kind has none, None if what was said is none."""
        method = getattr(self.spec, "method", "")
        return method if self.tree.scalar(self.kind, "method") in (None, method) else None

    @property
    def axes(self) -> Mapping[str, Axis]:
        """What is varied, by path."""
        spec = self.spec
        if spec is None:
            return {}
        return spec.cohort if isinstance(spec, TrialSpec) else spec.parameters

    @property
    def asks_for_assumed(self) -> bool:
        """Whether everything that nobody has measured is varied."""
        return bool(self.tree.scalar(*self.place) == ASSUMED)

    @property
    def days(self) -> set[float]:
        """The days for which it asks."""
        return {day for day in getattr(self.spec, "at", ()) if day > 0.0}

    def with_axes(self, axes: Entry, problems: list[Problem]) -> Document:
        """The document with other axes."""
        kind, name = self.place
        block = self.tree.value[kind]
        tree = self.tree.with_value({**self.tree.value, kind: block.with_value({**block.value, name: axes})})
        return replace(self, tree=tree, block=_checked(tree, kind, problems))


def document_of(layers: list[Entry], problems: list[Problem]) -> Document:
    """The document of canonical layers."""
    own, arms, compared = [], [], []
    for layer in layers:
        children = dict(layer.value)
        compared.append(layer.with_value({name: children.pop(name) for name in _COMPARED if name in children}))
        trial = children.get("trial")
        if trial is not None and "arms" in (trial.value if trial.is_mapping else {}):
            said = dict(trial.value)
            arms.append(trial.with_value({"arms": said.pop("arms")}))
            children["trial"] = trial.with_value(said)
        own.append(layer.with_value(children))
    tree = merged(Entry({}, DEFAULT), own, STUDY, problems)
    kinds = [kind for kind in STUDIES if kind in tree.value]
    if len(kinds) != 1:
        told = f"expected {one_of(STUDIES)}"
        where = () if not kinds else (kinds[1],)
        problems.append(problem_at(tree, where, told if not kinds else f"{told}, and {kinds[0]} is said already"))
    kind = kinds[0] if len(kinds) == 1 else ""
    tree = _with_levels(tree)
    return Document(tree, _checked(tree, kind, problems), kind, arms, compared)


def _with_levels(tree: Entry) -> Entry:
    """The tree in which a list of levels is the axis that it is short for."""
    blocks = dict(tree.value)
    for kind in STUDIES:
        name = _axes_of(kind)
        axes = tree.at((kind, name))
        if axes is not None and axes.is_mapping:
            spelled = {
                path: axis.with_value({"levels": replace(axis, key="")}) if isinstance(axis.value, list) else axis
                for path, axis in axes.value.items()
            }
            blocks[kind] = blocks[kind].with_value({**blocks[kind].value, name: axes.with_value(spelled)})
    return tree.with_value(blocks)


def _axes_of(kind: str) -> str:
    return "cohort" if kind == "trial" else "parameters"


def _checked(tree: Entry, kind: str, problems: list[Problem]) -> StudyDocument | None:
    """The values of a tree; of what is wrong, which is added to the problems, the defaults."""
    place = (kind, _axes_of(kind))
    if tree.scalar(*place) == ASSUMED and kind == "sensitivity":
        block = tree.value[kind]
        tree = tree.with_value({**tree.value, kind: block.with_value({**block.value, place[1]: Entry({}, DEFAULT)})})
    found = validated(tree, StudyDocument)[1]
    problems += news([_short(told, tree, place) for told in found], problems)
    wrong = [told.path for told in (*found, *problems)]
    return validated(_without(tree, wrong, place), StudyDocument)[0]


def _short(told: Problem, tree: Entry, place: tuple[str, str]) -> Problem:
    """A problem of a list of levels, at the place of the list."""
    axes = tree.at(place)
    start = ".".join(place)
    for path in axes.value if axes is not None and axes.is_mapping else ():
        levels = tree.at((*place, path, "levels"))
        if told.path.startswith(f"{start}.{path}.levels") and levels is not None and not levels.key:
            return replace(told, path=f"{start}.{path}")
    return told


def _without(tree: Entry, wrong: list[str], place: tuple[str, str]) -> Entry:
    """The tree without what is wrong: whole axes, or else fields."""
    kind, name = place
    heads = {path.partition(".")[0] for path in wrong} - {kind}
    parts = {key: child for key, child in tree.value.items() if key not in heads}
    block = parts.get(kind)
    if block is None or not block.is_mapping:
        return tree.with_value(parts)
    fields = {key: child for key, child in block.value.items() if not _is_within(wrong, f"{kind}.{child.key or key}")}
    axes = block.value.get(name)
    if axes is not None and axes.is_mapping:
        right = {path: axis for path, axis in axes.value.items() if not _is_within(wrong, f"{kind}.{name}.{path}")}
        fields[name] = axes.with_value(right)
    return tree.with_value({**parts, kind: block.with_value(fields)})


def _is_within(wrong: list[str], place: str) -> bool:
    return any(f"{path}.".startswith(f"{place}.") for path in wrong)


def told_at(document: Document, finding: Finding) -> Problem:
    """What is wrong at a place of the document, in the words of the author."""
    return _short(problem_at(document.tree, *finding), document.tree, document.place)
