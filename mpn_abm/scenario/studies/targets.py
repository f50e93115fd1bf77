"""What a calibration aims at: claims in a file of their own, or observations in a CSV file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from os.path import isfile
from pathlib import Path

from mpn_abm.errors import MissingFileError, Problem, ScenarioError
from mpn_abm.scenario.claim_checks import WORDS, checked_between, days_named, is_known, known_columns, unknown_endpoint
from mpn_abm.scenario.claims import Claim
from mpn_abm.scenario.documents import read_file
from mpn_abm.scenario.layers import canonical
from mpn_abm.scenario.schema import Comparison
from mpn_abm.scenario.shape import Blocks
from mpn_abm.scenario.solving import checked_comparison
from mpn_abm.scenario.sources import check_schema
from mpn_abm.scenario.studies.base import Base
from mpn_abm.scenario.studies.blocks import CalibrateSpec
from mpn_abm.scenario.studies.document import Document
from mpn_abm.scenario.studies.observations import observations
from mpn_abm.scenario.tree import DEFAULT, Entry, problem_of_key

_COMPARISON = Blocks((Comparison,))


@dataclass(frozen=True)
class Targets:
    """Targets by name; of those in YAML also the tree that says them, of those in CSV the file."""

    claims: dict[str, Claim] = field(default_factory=dict)
    tree: Entry | None = None
    file: Path | None = None

    def days(self, comparison: Comparison) -> set[float]:
        """The days that they ask about."""
        return days_named(comparison.model_copy(update={"expect": self.claims}))


def targets_of(document: Document, folder: Path, problems: list[Problem]) -> Targets:
    """The targets of a calibration, in themselves; what is wrong is added to the problems."""
    spec = document.spec
    if not isinstance(spec, CalibrateSpec) or not isinstance(spec.targets, str):
        return Targets()
    file = folder / spec.targets
    # that the file is there, and of which kind it is, is checked with the block
    if file.suffix not in (".yaml", ".csv") or not isfile(file):
        return Targets()
    try:
        return Targets(observations(file), file=file) if file.suffix == ".csv" else _claims_in(file, problems)
    except MissingFileError as error:
        problems.append(Problem(str(file), None, None, "", "", str(error).removeprefix(f"{file}: ")))
    except ScenarioError as error:
        problems += error.problems
    return Targets()


def _claims_in(file: Path, problems: list[Problem]) -> Targets:
    root, found = read_file(file), list[Problem]()
    check_schema(root, found)
    for key in root.value.keys() - {"schema", "targets"}:
        told = "expected targets of the scenario of the study alone" if key == "experiments" else "unknown key"
        found.append(problem_of_key(root.value[key], (key,), f"{told}; the file has `schema:` and `targets:`"))
    said = root.at(("targets",))
    if said is None or not said.is_mapping or not said.value:
        found.append(problem_of_key(said or root, ("targets",), "expected targets, by name, each as a claim"))
        said = Entry({}, root.origin)
    tree = canonical(Entry({"expect": said}, root.origin), _COMPARISON, found)
    comparison, _ = checked_comparison(tree, found)
    problems += map(_of_targets, found)
    return Targets(dict(comparison.expect), tree)


def _of_targets(told: Problem) -> Problem:
    """A problem of claims, with the path that they have as targets."""
    head, dot, rest = told.path.partition(".")
    return replace(told, path=f"targets{dot}{rest}") if head == "expect" else told


def checked_targets(targets: Targets, base: Base, comparison: Comparison, varied: list[str]) -> list[Problem]:
    """What is wrong between targets, endpoints and arms."""
    if targets.file is not None:
        return _of_observations(targets, base, comparison)
    # a value without a band is a target, and no claim
    claims = {name: _with_a_band(claim) for name, claim in targets.claims.items()}
    specs = {name: arm.spec for name, arm in base.arms.items()}
    said = comparison.model_copy(update={"expect": claims, "endpoints": comparison.endpoints})
    tree = targets.tree or Entry({}, DEFAULT)
    found = checked_between(said, tree, base.file.spec, specs, (), varied)
    return [_of_targets(told) for told in found if told.path.startswith("expect")]


def _with_a_band(claim: Claim) -> Claim:
    if claim.value is None or claim.low is not None or claim.high is not None:
        return claim
    return claim.model_copy(update={"low": claim.value, "high": claim.value})


def _of_observations(targets: Targets, base: Base, comparison: Comparison) -> list[Problem]:
    known = {name: column for spec in base.specs for name, column in known_columns(spec).items()}
    longest = max((spec.time.duration for spec in base.specs), default=0.0)
    found = []
    for line, claim in enumerate(targets.claims.values(), start=2):
        at = (str(targets.file), line, 1)
        if not is_known(claim.endpoint, comparison, known):
            found.append(Problem(*at, "column", claim.endpoint, unknown_endpoint(claim.endpoint, comparison, known)))
        elif claim.endpoint in known and known[claim.endpoint].kind in WORDS:
            found.append(Problem(*at, "column", claim.endpoint, "expected a column of numbers"))
        if base.specs and claim.at_day is not None and claim.at_day > longest:
            told = f"expected a day of the run, which lasts {longest:g} days"
            found.append(Problem(*at, "day", f"{claim.at_day:g}", told))
    return found
