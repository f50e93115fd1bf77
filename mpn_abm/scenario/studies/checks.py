"""What must hold within the block of a study, and between it and its scenario."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import pi, prod, sin, sqrt
from os.path import isfile  # false, too, where there cannot be such a path
from pathlib import Path as FilePath

from mpn_abm.columns import IDENTITY, TABLES, Column
from mpn_abm.errors import Problem
from mpn_abm.scenario.claim_checks import WORDS, is_known, known_columns, unknown_endpoint
from mpn_abm.scenario.finding import Finding
from mpn_abm.scenario.schema import Comparison
from mpn_abm.scenario.studies.axis_checks import checked_axis
from mpn_abm.scenario.studies.base import Base
from mpn_abm.scenario.studies.blocks import (
    MOST_RUNS,
    CalibrateSpec,
    SensitivitySpec,
    SweepSpec,
    TrialSpec,
)
from mpn_abm.scenario.studies.document import Document, told_at
from mpn_abm.scenario.suggestions import unknown
from mpn_abm.scenario.tree import Path
from mpn_abm.units import is_number

_TABLES = (".csv", ".parquet")


def checked_study(
    document: Document, base: Base, comparison: Comparison, wrong: Iterable[str], folder: FilePath
) -> list[Problem]:
    """What is wrong; `wrong` are endpoints of which something else is known to be."""
    spec = document.spec
    if spec is None:
        return []
    found = [*_of_axes(document), *_of_files(document, folder), *_of_output(document)]
    if isinstance(spec, SweepSpec) and document.method is not None:
        found += _of_sweep(spec, len(base.runs))
    if isinstance(spec, SensitivitySpec) and document.method is not None:
        found += _of_sensitivity(spec)
    if isinstance(spec, TrialSpec):
        found += _of_trial(spec, base)
    if isinstance(spec, TrialSpec | SensitivitySpec):
        found += _of_questions(document, spec, base, comparison, set(wrong))
    return [told_at(document, finding) for finding in found]


def _of_axes(document: Document) -> Iterator[Finding]:
    for path, axis in document.axes.items():
        yield from checked_axis((*document.place, path), axis, document.kind, document.method)
    said = document.tree.at(document.place)
    needs_some = document.kind != "trial" and document.method != "table"
    if needs_some and (said is None or (said.is_mapping and not said.value)):
        yield Finding(document.place, "missing, expected at least one path with its values")


def _of_files(document: Document, folder: FilePath) -> Iterator[Finding]:
    spec = document.spec
    match spec:
        case SweepSpec():
            name, kinds = "file", _TABLES
        case TrialSpec():
            name, kinds = "patients_file", _TABLES
        case CalibrateSpec():
            name, kinds = "targets", (".yaml", ".csv")
        case _:
            return
    said = getattr(spec, name)
    if said is None:
        return
    if FilePath(said).suffix not in kinds:
        yield Finding((document.kind, name), f"expected a file that ends in {' or '.join(kinds)}")
    elif not isfile(folder / said):
        yield Finding((document.kind, name), f"expected a file relative to this one ({folder / said} is none)")


def _of_output(document: Document) -> Iterator[Finding]:
    output = None if document.block is None else document.block.output
    if output is None:
        return
    if output.every is not None and output.trajectory != "all":
        yield Finding(("output", "every"), "expected beside `trajectory: all`")
    spec = document.spec
    if output.trajectory == "none" and isinstance(spec, TrialSpec) and (spec.endpoints or spec.power):
        asked = "endpoints" if spec.endpoints else "power"
        told = f"expected `days` or `all`: `trial.{asked}` is worked out from the trajectories"
        yield Finding(("output", "trajectory"), told)


def _of_sweep(spec: SweepSpec, arms: int) -> Iterator[Finding]:
    has_samples = spec.method not in ("grid", "table")
    if has_samples and spec.samples is None:
        yield Finding(("sweep", "samples"), f"missing, expected the number of points of {spec.method}")
    elif not has_samples and spec.samples is not None:
        yield Finding(("sweep", "samples"), f"not for the method {spec.method}, whose points are listed")
    if spec.method == "table" and spec.file is None:
        yield Finding(("sweep", "file"), "missing, expected a CSV or Parquet file with a column for each path")
    elif spec.method != "table" and spec.file is not None:
        yield Finding(("sweep", "file"), "expected for `method: table` only")
    if spec.method == "table" and spec.parameters:
        yield Finding(("sweep", "parameters"), "expected none beside a table, whose columns are the paths")
    points = spec.samples or 1
    if spec.method == "grid":
        points = prod(len(axis.levels or ()) or axis.steps or 1 for axis in spec.parameters.values())
    if points * arms * spec.replicates > MOST_RUNS:
        runs = f"{points * arms * spec.replicates:,}"
        yield Finding(("sweep",), f"expected at most {MOST_RUNS:,} runs, these are {runs}")


def _of_sensitivity(spec: SensitivitySpec) -> Iterator[Finding]:
    """Whether the points suffice for the method: two of its blocks, or what a partial rank correlation takes."""
    if spec.method == "prcc":
        numbers = [axis for axis in spec.parameters.values() if all(map(is_number, axis.listed or ()))]
        least, why = len(numbers) + 3, f"points, 3 more than parameters ({len(numbers)})"
    else:
        least, why = 2, "paths" if spec.method == "morris" else "base points"
    if spec.samples < least:
        yield Finding(("sensitivity", "samples"), f"expected at least {least} {why}")


def _of_trial(spec: TrialSpec, base: Base) -> Iterator[Finding]:
    if spec.patients is None and spec.patients_file is None:
        yield Finding(("trial", "patients"), "missing, expected the number of patients, or a `patients_file`")
    yield from _of_correlations(spec)
    if spec.allocation is not None:
        for name in spec.allocation:
            if name not in base.arms:
                yield Finding(("trial", "allocation", name), _unknown_arm(name, base))
        left_out = [name for name in base.arms if name not in spec.allocation]
        if left_out:
            yield Finding(("trial", "allocation"), f"expected a part for every arm, {left_out[0]} has none")
        for name, part in spec.allocation.items():
            if part < 1:
                yield Finding(("trial", "allocation", name), "expected a whole number of 1 or more")
    power = spec.power
    if power is None:
        return
    for k, name in enumerate(power.arms):
        if name not in base.arms:
            yield Finding(("trial", "power", "arms", k), _unknown_arm(name, base))
    if power.arms and (len(power.arms) != 2 or power.arms[0] == power.arms[1]):
        yield Finding(("trial", "power", "arms"), "expected two arms")
    if any(size < 2 for size in power.sizes):
        yield Finding(("trial", "power", "sizes"), "expected numbers of 2 or more")
    if power.most_patients is not None:
        here = ("trial", "power", "most_patients")
        if spec.patients_file is not None:
            yield Finding(here, "expected `cohort:`, as there are no more patients than those of the file")
        elif power.most_patients < (spec.patients or 0):
            yield Finding(here, f"expected {spec.patients} or more, which the trial has in any case")


def _unknown_arm(name: str, base: Base) -> str:
    return unknown("arm", name, base.arms) if base.arms else "expected `arms:` beside it"


def _of_correlations(spec: TrialSpec) -> Iterator[Finding]:
    here = ("trial", "correlations")
    seen: set[frozenset[str]] = set()
    is_whole = True
    for k, (one, other, value) in enumerate(spec.correlations):
        unknown_paths = [path for path in (one, other) if path not in spec.cohort]
        if unknown_paths:
            yield Finding((*here, k), unknown("path of the cohort", unknown_paths[0], spec.cohort))
        elif one == other or frozenset((one, other)) in seen:
            yield Finding((*here, k), "expected two paths, and each pair once")
        elif not -1.0 <= value <= 1.0:
            yield Finding((*here, k), "expected a correlation from -1 to 1")
        else:
            seen.add(frozenset((one, other)))
            continue
        is_whole = False
    if is_whole and not _can_hold(spec):
        yield Finding(here, "expected correlations that can hold together (a positive definite matrix)")


def _can_hold(spec: TrialSpec) -> bool:
    """Whether the correlations of the copula have a Cholesky factor."""
    paths = list(spec.cohort)
    matrix = [[float(i == j) for j in range(len(paths))] for i in range(len(paths))]
    for one, other, rank in spec.correlations:
        i, j = paths.index(one), paths.index(other)
        matrix[i][j] = matrix[j][i] = 2.0 * sin(pi * rank / 6.0)
    factor: list[list[float]] = []
    for i, row in enumerate(matrix):
        factor.append([])
        for j in range(i + 1):
            rest = row[j] - sum(a * b for a, b in zip(factor[i][:j], factor[j][:j], strict=True))
            if i == j and rest < 1e-12:
                return False
            factor[i].append(sqrt(rest) if i == j else rest / factor[j][j])
    return True


def _of_questions(
    document: Document, spec: TrialSpec | SensitivitySpec, base: Base, comparison: Comparison, wrong: set[str]
) -> Iterator[Finding]:
    """What is wrong with the endpoints that are asked for, and the days."""
    kind = document.kind
    known: dict[str, Column] = {}
    for one in base.specs:
        known |= known_columns(one)
    if kind == "sensitivity":
        # a run is a row of the summary, too
        known = {column.name: column for column in TABLES["summary"] if column not in IDENTITY} | known
    asked: list[tuple[Path, str]] = [((kind, "endpoints", k), name) for k, name in enumerate(spec.endpoints)]
    power = spec.power if isinstance(spec, TrialSpec) else None
    if power is not None:
        asked.append(((kind, "power", "endpoint"), power.endpoint))
    for place, name in asked:
        if name not in wrong and not is_known(name, comparison, known):
            yield Finding(place, unknown_endpoint(name, comparison, known))
        elif kind == "sensitivity" and name in known and known[name].kind in WORDS:
            yield Finding(place, "expected numbers: name it in an own endpoint with `one_of`")
    if not base.specs:
        return
    longest = max(one.time.duration for one in base.specs)
    places: list[tuple[Path, float]] = [((kind, "at"), max(spec.at, default=0.0))]
    if power is not None and power.at is not None:
        places.append(((kind, "power", "at"), power.at))
    for place, day in places:
        if day > longest:
            yield Finding(place, f"expected days of the run, which lasts {longest:g} days")
