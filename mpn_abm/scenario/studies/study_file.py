"""A checked study: what is varied, over which scenario, and what is asked of the runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mpn_abm.errors import MpnAbmError, Problem, ScenarioError
from mpn_abm.scenario.arms import Overlays, overlays_of, part_of, refuse_what_arms_set
from mpn_abm.scenario.assembly import assembled
from mpn_abm.scenario.claim_checks import checked_between, days_named
from mpn_abm.scenario.claims import Claim
from mpn_abm.scenario.endpoints import Endpoint
from mpn_abm.scenario.layers import canonical, merged
from mpn_abm.scenario.resolved import yaml_of
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.scenario.schema import Comparison, Spec
from mpn_abm.scenario.shape import Blocks
from mpn_abm.scenario.solving import checked_comparison, news
from mpn_abm.scenario.studies.assumed import assumed_axes
from mpn_abm.scenario.studies.base import Base
from mpn_abm.scenario.studies.blocks import AnySpec, StudyOutput
from mpn_abm.scenario.studies.checks import checked_study
from mpn_abm.scenario.studies.document import Document, document_of
from mpn_abm.scenario.studies.reading import SCENARIO, Said, Source, read, root_of, tells_of_a_study
from mpn_abm.scenario.studies.targets import Targets, checked_targets, targets_of
from mpn_abm.scenario.studies.trying import refuse_what_axes_set, tried
from mpn_abm.scenario.studies.writing import as_study_file
from mpn_abm.scenario.tree import DEFAULT, Entry, Origin, entry_from, in_reading_order, problem_of_key


@dataclass(frozen=True)
class StudyFile:
    """A checked study.

    Attributes
    ----------
    name, question : str
        Of the study.
    kind : str
        "sweep", "trial", "sensitivity" or "calibrate".
    scenario : Scenario
        What is varied, with `--set` in it; its arms are those of the trial, else those of the file. Endpoints,
        claims and reference are those of the study.
    spec : SweepSpec, TrialSpec, SensitivitySpec or CalibrateSpec
        What the block of the kind says.
    endpoints : dict of Endpoint
        Those of the study and of its scenario, by name.
    expect : dict of Claim
        Claims of the study, by name.
    output : StudyOutput
        What of the trajectories is kept.
    targets : dict of Claim
        What a calibration aims at, by name.
    folder : Path
        Where relative paths of the file start.
    """

    name: str
    question: str
    kind: str
    scenario: Scenario
    spec: AnySpec
    endpoints: Mapping[str, Endpoint]
    expect: Mapping[str, Claim]
    output: StudyOutput
    targets: Mapping[str, Claim]
    folder: Path
    base: Base = field(repr=False)
    document: Document = field(repr=False)

    def member(self, parameters: Mapping[str, Any], arm: str | None = None) -> Scenario:
        """The scenario of one run: values by path over the file and `--set`, the arm over those.

        Raises
        ------
        ScenarioError
            If the values do not make a scenario.
        """
        problems: list[Problem] = []
        layer = canonical(entry_from(parameters, Origin("parameters")), SCENARIO, problems)
        tree, spec, found = self.base.solved(layer, arm, problems)
        if found or problems or spec is None:
            raise ScenarioError(in_reading_order([*problems, *found]))
        one = spec.model_copy(update={"replicates": 1})
        return Scenario(one, tree, self.scenario.comparison, self.scenario.comparison_tree, arm=arm)

    def to_yaml(self) -> str:
        """The study as one file that stands alone: all layers in one, every path absolute.

        `load_study` makes the same study of it, on another machine as well.
        """
        return yaml_of(as_study_file(self.document, self.base, self.scenario.comparison_tree, self.folder))


def is_study(source: Source) -> bool:
    """Whether a file is a study, right or wrong."""
    try:
        root, _ = root_of(source)
    except MpnAbmError:
        return False
    return tells_of_a_study(root)


def load_study(
    source: Source, sets: Iterable[str] = (), overrides: Mapping[str, Any] | None = None, *, trusted: bool = False
) -> StudyFile:
    """Read and check a study file with its scenario, its arms and the values of its axes.

    Parameters
    ----------
    source : path, text or mapping
        A file; the text of one; or its content as Python objects.
    sets : texts
        `PATH=VALUE` as `--set` takes them: `trial.patients=20` reaches the study, another path its scenario.
    overrides : mapping, optional
        Values by path, over those of the file and of `sets`.
    trusted : bool
        Whether the study was checked before: the values of its axes are then not tried again.

    Returns
    -------
    StudyFile

    Raises
    ------
    ScenarioError
        With everything that is wrong.
    UsageError
        If the file cannot be read, or a text of `sets` is no assignment.
    """
    said = read(source, sets, overrides)
    problems = said.problems
    document = document_of(said.study, problems)
    of_scenario = said.scenario if document.block is None else said.scenario_of(document.block.name)
    layers = [*of_scenario, *said.later]
    where, overlays = _overlays(layers, document, said)
    compared, comparison, wrong = _comparison(layers, document, problems)
    if not said.scenario:
        raise ScenarioError(in_reading_order([*problems, *said.of_scenario]))
    targets = targets_of(document, said.folder, problems)
    days = days_named(comparison) | document.days | targets.days(comparison)
    base, is_right = _base(said, layers, where, overlays, days)
    if document.asks_for_assumed:
        document = document.with_axes(assumed_axes(document, base), problems)
    later = [part_of(layer, Spec) for layer in said.later]
    problems += refuse_what_arms_set(later, overlays, where)
    problems += refuse_what_axes_set(later, document)
    problems += news(checked_study(document, base, comparison, wrong, said.folder), problems)
    specs = {name: arm.spec for name, arm in base.arms.items()}
    between = checked_between(comparison, compared, base.file.spec, specs, wrong, document.axes)
    problems += news(between, problems)
    problems += checked_targets(targets, base, comparison, list(document.axes))
    if is_right and not trusted:
        problems += news(tried(document, base), problems)
    if problems:
        raise ScenarioError(in_reading_order(problems))
    return _study(said.folder, document, base, comparison, compared, targets)


def _base(said: Said, layers: list[Entry], where: str, overlays: Overlays, days: set[float]) -> tuple[Base, bool]:
    """The scenario with its arms, and whether it is right; what is not is told with the paths of the study."""
    marrow = [part_of(layer, Spec) for layer in layers]
    known = [*said.of_scenario, *(told for told in said.problems if told.path.startswith(f"{where}."))]
    file, arms = assembled(marrow, overlays, days, known, where)
    said.problems += [_in_place(told, said) for told in known]
    return Base(marrow, overlays, days, file, arms), not known


def _in_place(told: Problem, said: Said) -> Problem:
    """A problem of a scenario that stands in the study file, with the path that it has there."""
    if told.file != said.in_place or told.path.startswith("trial.arms."):
        return told
    return replace(told, path=f"scenario.{told.path}".rstrip("."))


def _overlays(layers: list[Entry], document: Document, said: Said) -> tuple[str, Overlays]:
    """The arms, and where the file says them: those of the trial, else those of the scenario."""
    if not document.arms:
        return "arms", overlays_of(layers, said.of_scenario)
    found: list[Problem] = []
    overlays = overlays_of(document.arms, found)
    said.problems += [replace(told, path=f"trial.{told.path}") for told in found]
    if not overlays and not any(told.path.startswith("trial.arms") for told in said.problems):
        expectation = "expected at least one arm; without this key those of the scenario are taken"
        said.problems.append(problem_of_key(document.arms[-1].value["arms"], ("trial", "arms"), expectation))
    return "trial.arms", overlays


def _comparison(layers: list[Entry], document: Document, problems: list[Problem]) -> tuple[Entry, Comparison, set[str]]:
    """Endpoints of scenario and study; claims are those of the study, as they are about its arms and patients."""
    taken = {"endpoints"} if document.arms else {"endpoints", "reference"}
    parts = [layer.with_value({name: said for name, said in layer.value.items() if name in taken}) for layer in layers]
    tree = merged(Entry({}, DEFAULT), [*parts, *document.compared], Blocks((Comparison,)), problems)
    return tree, *checked_comparison(tree, problems)


def _study(
    folder: Path, document: Document, base: Base, comparison: Comparison, compared: Entry, targets: Targets
) -> StudyFile:
    assert document.block is not None
    assert document.spec is not None
    assert base.file.spec is not None
    arms = {
        name: Scenario(arm.spec, arm.tree, comparison, compared, arm=name)
        for name, arm in base.arms.items()
        if arm.spec is not None
    }
    return StudyFile(
        name=document.block.name,
        question=document.block.question,
        kind=document.kind,
        scenario=Scenario(base.file.spec, base.file.tree, comparison, compared, arms=arms, overlays=base.overlays),
        spec=document.spec,
        endpoints=comparison.endpoints,
        expect=comparison.expect,
        output=document.block.output,
        targets=targets.claims,
        folder=folder,
        base=base,
        document=document,
    )
