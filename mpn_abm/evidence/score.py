"""The score: of each published figure whether the model shows it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

import mpn_abm
from mpn_abm.analysis.bands import WITHOUT_BAND
from mpn_abm.errors import UsageError
from mpn_abm.evidence.answers import Answer, answers
from mpn_abm.evidence.blocks import Target
from mpn_abm.evidence.experiments import Loaded, loaded
from mpn_abm.evidence.table import COLUMNS, lines_of
from mpn_abm.evidence.targets import TargetFile, read_targets
from mpn_abm.files import parquet, published_together, text
from mpn_abm.scenario.examples import target_files
from mpn_abm.scenario.suggestions import unknown
from mpn_abm.studies.progress import Watcher
from mpn_abm.tables import table_from_frame

BAND = 1.959964
PAGE = "evidence.html"
FILES = ("score.parquet", "score.txt", PAGE, "score.json")
Watching = Callable[[str], Watcher | None]


@dataclass(frozen=True)
class Score:
    """The score table, one row per target, and what it comes to."""

    table: pd.DataFrame
    facts: dict[str, Any]

    @property
    def lines(self) -> list[str]:
        """The table in words."""
        return lines_of(self.table, self.facts)

    def write(self, folder: str | PathLike[str]) -> None:
        """Write score.parquet, score.txt and score.json; those of an earlier score make way, as does its page."""
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        provenance: dict[str, object] = {"program": "mpn_abm", "version": mpn_abm.__version__, **self.facts}
        with published_together(path, replaced=FILES) as write:
            write("score.parquet", parquet(table_from_frame(COLUMNS, self.table), provenance, 1))
            write("score.txt", text("\n".join(self.lines) + "\n"))
            write("score.json", text(json.dumps(self.facts, indent=2) + "\n"))


def score(
    targets: Iterable[str | PathLike[str]] | None = None,
    *,
    out: str | PathLike[str],
    quick: bool = False,
    jobs: int = 1,
    executor: str = "local",
    scheduler: str | None = None,
    slurm: Mapping[str, Any] | None = None,
    only: Sequence[str] = (),
    progress: Watching | None = None,
) -> Score:
    """Run the experiments of files of targets, and score the targets.

    Parameters
    ----------
    targets : iterable of paths, optional
        Files of targets; those that come with the program unless said.
    out : path
        The folder of the score; experiments are kept in it, and a second call does what is missing.
    quick : bool
        Whether each experiment is as small as its `quick:` says.
    jobs, executor, scheduler, slurm
        Who works on the experiments, as in ``sweep``.
    only : sequence of str
        Names of targets or of experiments; all unless said.
    progress : callable, optional
        Given the name of an experiment, what is told a ``Standing`` after each part.

    Returns
    -------
    Score

    Raises
    ------
    ScenarioError
        With everything that is wrong in a file.
    UsageError
        If a name of `only` is not there.
    """
    paths = target_files() if targets is None else [Path(path) for path in targets]
    files = [read_targets(path) for path in paths]
    wanted = _wanted(files, only)
    experiments = {file.name: loaded(file, quick, _needed(file, wanted)) for file in files}
    machine = {"jobs": jobs, "executor": executor, "scheduler": scheduler, "slurm": slurm}
    rows: list[dict[str, Any]] = []
    for file in files:
        found: dict[str, Answer] = {}
        for name, experiment in experiments[file.name].items():
            asked = {one: target for one, target in file.targets_of(name).items() if one in wanted}
            found |= _answers(experiment, asked, Path(out) / "experiments", machine, progress)
        rows += [_row(file, name, one, found.get(name)) for name, one in file.targets.items() if name in wanted]
    table = pd.DataFrame(rows, columns=[column.name for column in COLUMNS])
    said = {"name": "evidence", "kind": "evidence", "out": str(out), "quick": quick, "only": list(only)}
    said["target_files"] = [] if targets is None else [str(path) for path in paths]
    return Score(table, said | totals(table))


def totals(table: pd.DataFrame) -> dict[str, Any]:
    """How many targets are held of those that count, in all, by file and by role; by weight as well."""
    counted = table[table["scored"]]
    return {
        **_total(counted),
        "by_file": {str(name): _total(part) for name, part in counted.groupby("file", sort=False)},
        "by_role": {str(name): _total(part) for name, part in counted.groupby("role")},
        "without_experiment": int(counted["experiment"].isna().sum()),
    }


def z_score(target: Target, answer: Answer) -> float | None:
    """How far the model is from the published value, in standard errors of both; None where a direction was published.

    The band is taken for a 95 % interval.
    """
    if target.value is None or answer.value is None or target.kind in WITHOUT_BAND:
        return None
    edge = target.low if answer.value < target.value else target.high
    reach = 0.0 if edge is None else abs(edge - target.value)
    own = 0.0 if answer.low is None or answer.high is None else (answer.high - answer.low) / 2.0
    error = hypot(reach, own) / BAND
    return (answer.value - target.value) / error if error > 0.0 else None


def _total(table: pd.DataFrame) -> dict[str, Any]:
    held = table[table["held"]]
    weight = float(table["weight"].sum())
    share = float(held["weight"].sum()) / weight if weight else 0.0
    return {"held": len(held), "targets": len(table), "weighted": share}


def _wanted(files: Sequence[TargetFile], only: Sequence[str]) -> set[str]:
    targets = {name for file in files for name in file.targets}
    if not only:
        return targets
    experiments = {name for file in files for name in file.experiments}
    for name in only:
        if name not in targets | experiments:
            raise UsageError(f"--only {name}: {unknown('target or experiment', name, sorted(targets | experiments))}")
    return {name for file in files for name, one in file.targets.items() if name in only or one.experiment in set(only)}


def _needed(file: TargetFile, wanted: set[str]) -> list[str]:
    """The experiments that are run; the order of the file."""
    asked = {target.experiment for name, target in file.targets.items() if name in wanted}
    return [name for name in file.experiments if name in asked]


def _answers(
    experiment: Loaded,
    asked: dict[str, Target],
    cache: Path,
    machine: Mapping[str, Any],
    progress: Watching | None,
) -> dict[str, Answer]:
    done = experiment.run(cache, machine, None if progress is None else progress(experiment.name))
    return answers(asked, experiment.study, done)


def _row(file: TargetFile, name: str, target: Target, answer: Answer | None) -> dict[str, Any]:
    found = answer or Answer(why=target.reason)
    low = 0.0 if target.kind in WITHOUT_BAND else target.low
    return {
        "file": file.name, "target": name, "quantity": target.quantity or None, "experiment": target.experiment,
        "arm": target.arm, "versus": target.versus, "contrast": target.contrast_or_none,
        "endpoint": target.endpoint or None, "statistic": target.statistic, "day": target.at_day,
        "where": json.dumps(target.where, sort_keys=True) if target.where else None,
        "published": target.value, "low": low, "high": target.high, "unit": target.unit or None,
        "value": found.value, "value_low": found.low, "value_high": found.high, "n": found.n,
        "z": z_score(target, found), "held": found.held, "scored": target.is_scored, "role": target.role or "fit",
        "kind": target.kind, "order": " < ".join(target.steps) or None, "weight": target.weight,
        "constrains": "; ".join(target.constrains) or None,
        "figure": target.figure or None, "source": target.source or None, "reason": found.why or target.reason or None,
    }  # fmt: skip
