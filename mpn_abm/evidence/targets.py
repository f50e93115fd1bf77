"""Read files of targets, and tell everything that is wrong with them at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from mpn_abm.errors import Problem, ScenarioError
from mpn_abm.evidence.blocks import Experiment, Target, TargetsDocument
from mpn_abm.evidence.kind_checks import kind_findings
from mpn_abm.mechanisms.declaration import Block
from mpn_abm.scenario.documents import read_file
from mpn_abm.scenario.finding import Finding
from mpn_abm.scenario.layers import canonical
from mpn_abm.scenario.shape import Blocks
from mpn_abm.scenario.sources import check_schema
from mpn_abm.scenario.suggestions import unknown
from mpn_abm.scenario.tree import Entry, in_reading_order, problem_at
from mpn_abm.scenario.validation import validated


class _File(Block):
    file: TargetsDocument


@dataclass(frozen=True)
class TargetFile:
    """A checked file of targets.

    Attributes
    ----------
    path : Path
    experiments, targets : dict
        By name.
    tree : Entry
        What was said, and where.
    """

    path: Path
    experiments: dict[str, Experiment]
    targets: dict[str, Target]
    tree: Entry

    @property
    def name(self) -> str:
        """The name of the file, without its suffix."""
        return self.path.stem

    def targets_of(self, experiment: str) -> dict[str, Target]:
        """The targets of an experiment, by name."""
        return {name: target for name, target in self.targets.items() if target.experiment == experiment}


def read_targets(path: str | PathLike[str]) -> TargetFile:
    """Read and check a file of targets.

    Parameters
    ----------
    path : path
        A YAML file with `schema`, `experiments` and `targets`.

    Raises
    ------
    ScenarioError
        With everything that is wrong in the file; what is wrong between targets and experiments is told by
        ``loaded``.
    MissingFileError
        If it cannot be read.
    """
    root = read_file(Path(path))
    problems: list[Problem] = []
    check_schema(root, problems)
    said = root.with_value({key: _spelled_out(key, child) for key, child in root.value.items() if key != "schema"})
    # one level down, as the keys of a scenario that stand at the top of a file mean nothing here
    tree = canonical(Entry({"file": said}, root.origin), Blocks((_File,)), problems)
    document, found = validated(tree, _File)
    problems += found
    if document is not None:
        problems += [problem_at(tree, *finding) for finding in _findings(document.file)]
    if problems or document is None:
        own = (replace(one, path=one.path.removeprefix("file").removeprefix(".")) for one in problems)
        raise ScenarioError(in_reading_order(own))
    below = tree.at(("file",))
    assert below is not None
    return TargetFile(Path(path), document.file.experiments, document.file.targets, below)


def _spelled_out(key: str, child: Entry) -> Entry:
    """`comfort: comfort.yaml` is `comfort: {file: comfort.yaml}`."""
    if key != "experiments" or not child.is_mapping:
        return child
    named = {
        name: said.with_value({"file": replace(said, key="file")}) if isinstance(said.value, str) else said
        for name, said in child.value.items()
    }
    return child.with_value(named)


def _findings(document: TargetsDocument) -> Iterator[Finding]:
    for name, experiment in document.experiments.items():
        here: tuple[str | int, ...] = ("file", "experiments", name)
        if experiment.file is None and experiment.scenario is None:
            yield Finding(here, "expected a `file`, or a `scenario` in place")
        if experiment.file is not None and (experiment.sweep is not None or experiment.trial is not None):
            yield Finding(here, "expected `sweep` and `trial` beside a `scenario` only; what a file says is changed "
                          "by `change`")  # fmt: skip
    for name, target in document.targets.items():
        here = ("file", "targets", name)
        yield from kind_findings(here, target)
        if target.experiment is not None and not target.can_fail:
            yield Finding(here, "expected `low`, `high` or both: a target without a band cannot be missed")
        elif target.low is not None and target.high is not None and target.low > target.high:
            yield Finding((*here, "low"), f"expected at most high, {target.high:g}")
        if target.experiment is None:
            if not target.reason:
                yield Finding((*here, "reason"), "missing, expected why there is no experiment")
        elif target.experiment not in document.experiments:
            yield Finding((*here, "experiment"), unknown("experiment", target.experiment, document.experiments))
        elif not target.endpoint:
            yield Finding((*here, "endpoint"), "missing, expected what the experiment is asked")
