"""What `run` shows while it works and when it is done."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mpn_abm.checkpoint import Checkpoints
from mpn_abm.cli import resuming
from mpn_abm.cli.panel import Shown, panel
from mpn_abm.cli.progress import progress
from mpn_abm.compile.program import compile_scenario
from mpn_abm.errors import UsageError
from mpn_abm.estimate import estimate, memory_available
from mpn_abm.files import claimed
from mpn_abm.kernels.compiler import is_compiled, threads_available
from mpn_abm.result import Result
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.simulate import kernels_of, prepared, replicates_together
from mpn_abm.simulate import run as run_scenario
from mpn_abm.words import counted

_UNITS = {"vaf_driver": "", "mf_grade": "", "fibrosis_mean": "", "car_t_total": " cells", "kills": " cells"}


def dry_run(scenario: Scenario, as_json: bool) -> None:
    """Say what a run would take, without allocating it."""
    facts, lines = what_it_takes(scenario)
    if as_json:
        print(json.dumps({"name": scenario.spec.name, **facts}))
    else:
        print(f"{scenario.spec.name}: {lines[0]}", *lines[1:], sep="\n")


def what_it_takes(scenario: Scenario) -> tuple[dict[str, Any], list[str]]:
    """What a run would take, as facts and in lines."""
    program = compile_scenario(scenario.spec)
    replicates = scenario.spec.replicates
    expected = estimate(program, replicates_together(program, replicates), replicates)
    shape = " x ".join(map(str, scenario.spec.marrow.shape))
    available = memory_available()
    limit = "at most" if scenario.spec.stop.when else "about"
    hours = expected.seconds / 3600
    duration = f"{expected.seconds:10.1f} s" if hours < 2 else f"{hours:10.1f} hours"
    lines = [
        f"{shape} sites, {program.timetable.steps} steps, {counted(replicates, 'replicate')}",
        f"  memory   {_amount(expected.memory_bytes, 0)}{_of_free(available)}",
        f"  disk     {_amount(expected.disk_bytes, 1)}{_of_free(shutil.disk_usage(Path.cwd()).free)}",
        f"  stepping {duration} on one thread, {limit} {expected.candidates:.3g} candidates",
    ]
    if available is not None and expected.memory_bytes > available:
        lines.append("too much memory: a run would be refused")
    return {"scenario_sha256": scenario.sha256, **asdict(expected)}, lines


def _amount(size: float, digits: int) -> str:
    return f"{size / 2**20:10.{digits}f} MiB" if size < 100 * 2**30 else f"{size / 2**30:10.0f} GiB"


def _of_free(available: int | None) -> str:
    return "" if available is None else f" of {_amount(available, 0).strip()} free"


def run_and_write(
    scenario: Scenario, folder: Path, *, threads: int, overwrite: bool, as_json: bool, quiet: bool, strict: bool,
    report_of: Path | None = None, resume: bool = False, every_minutes: float | None = None,
) -> None:  # fmt: skip
    """Run, or go on with a run, write, and tell; with the file of the scenario, write a report on it, too."""
    refuse_too_many_threads(threads)
    if resume and (done := resuming.result_of(scenario, folder)) is not None:
        if report_of is not None:
            write_report_into(folder, report_of)
        print(json.dumps(done) if as_json else f"{folder}: the run is done, there is nothing to go on with")
        if strict:
            resuming.fail_if_a_claim_did(done)
        return
    if not (resume or overwrite):
        resuming.refuse_a_run_that_was_broken_off(folder)
    checkpoints = Checkpoints(folder, every_minutes, resume, _nobody_hears if quiet else _say)
    # refused before the work, not after it
    with claimed(folder, overwrite or resume), resuming.saved_when_stopped(checkpoints):
        if not resume:
            checkpoints.discard()
        say_if_compiling(scenario, threads, quiet)
        with _shown(scenario.spec.name, quiet) as (tell, watch):
            result = run_scenario(scenario, threads=threads, progress=tell, watch=watch, checkpoints=checkpoints)
        manifest = result.write_into(folder)
        checkpoints.discard()
    if report_of is not None:
        write_report_into(folder, report_of)
    if as_json:
        print(json.dumps(manifest))
    else:
        _report(result, manifest)
    if strict and scenario.comparison.expect:
        from mpn_abm.cli import claiming

        claiming.fail_if_any(result.claims)


def _say(told: str) -> None:
    print(told, file=sys.stderr, flush=True)


def _nobody_hears(_told: str) -> None:
    """Under --quiet."""


def write_report_into(folder: Path, file: Path) -> None:
    """The page on what lies in a folder; an earlier one is out of date."""
    from mpn_abm.pictures.report.report import write_report

    write_report(folder, folder / "report.html", overwrite=True, scenario_file=str(file))


@contextmanager
def _shown(name: str, quiet: bool) -> Iterator[tuple[Callable[[float], None] | None, Shown | None]]:
    """What is told and shown how far a run is: a panel on a terminal."""
    if sys.stderr.isatty() and not quiet:
        with panel(name) as told:
            yield told
    else:
        with progress(name, quiet) as tell:
            yield tell, None


def refuse_too_many_threads(threads: int) -> None:
    """See that the machine has so many threads."""
    if threads > threads_available():
        raise UsageError(f"--threads {threads}: expected at most {threads_available()}, the threads of this machine")


def say_if_compiling(scenario: Scenario, threads: int, quiet: bool) -> None:
    """Say why the first run takes so long."""
    replicates = scenario.spec.replicates
    if not quiet and not is_compiled(kernels_of(prepared(scenario, replicates), replicates, threads)):
        print("compiling the kernels: once for this version and mode, up to a minute", file=sys.stderr, flush=True)


def _report(result: Result, manifest: dict[str, Any]) -> None:
    """What came out, in a few lines."""
    spec, rows = result.scenario.spec, result.tables["trajectory"].num_rows
    days = f"{manifest['end_day']:g} days"
    arm = "" if result.scenario.arm is None else f", arm {result.scenario.arm}"
    reasons = _reasons(manifest["end_reasons"])
    print(f"{spec.name}{arm}: {counted(manifest['replicates'], 'run')} of up to {days}, ended by {reasons}")
    if spec.question:
        print(f"  {spec.question}")
    lines = _headlines(result) if manifest["replicates"] == 1 else _medians(result, manifest["end_reasons"])
    for line in lines:
        print(f"  {line}")
    if result.scenario.comparison.expect:
        for line in _claims(result):
            print(f"  {line}")
    print(
        f"  {rows} rows, {manifest['stepping_seconds']:.2f} s of stepping, "
        f"{manifest['candidates']:,} candidates, in {manifest['out']}"
    )


def _claims(result: Result) -> list[str]:
    from mpn_abm.cli import claiming

    comparison, arm = result.scenario.comparison, result.scenario.arm
    left_out = [name for name in comparison.expect if name not in set(result.claims["claim"])]
    what = "the file itself" if arm is None else f"the arm {arm}"
    why = f"this run is of {what}; `mpn-abm compare` runs all arms"
    return claiming.lines(result.claims, comparison.endpoints, left_out, why)


def _reasons(reasons: dict[str, int]) -> str:
    if len(reasons) == 1:
        return next(iter(reasons))
    return ", ".join(f"{reason} ({number})" for reason, number in sorted(reasons.items()))


def _wanted(result: Result) -> list[str]:
    """The columns that a reader asks for first, as far as the run has them."""
    names = [f"fraction_{clone}" for clone in result.scenario.spec.clones] + list(_UNITS)
    return [name for name in names if name in result.tables["trajectory"].column_names]


def _headlines(result: Result) -> Iterator[str]:
    """First and last value of what a reader asks for first; of the dead the last one alive."""
    for name in _wanted(result):
        values = result.tables["trajectory"].column(name).drop_null().to_pylist()
        tail = f", at most {max(values):.4g}" if name == "car_t_total" else ""
        yield f"{name:24} {values[0]:.4g} -> {values[-1]:.4g}{_UNITS.get(name, '')}{tail}"


def _medians(result: Result, reasons: dict[str, int]) -> Iterator[str]:
    """The same over replicates: median of the first and of the last values, with the range of the last."""
    table = result.tables["trajectory"]
    table = table.filter(table.column("alive"))
    first = np.unique(table.column("replicate").to_numpy(), return_index=True)[1]
    last = np.append(first[1:], table.num_rows) - 1
    yield "medians over the runs, and the range of their ends:"
    for name in _wanted(result):
        values = table.column(name).to_numpy()
        ends = values[last]
        between = f"{np.median(values[first]):.4g} -> {np.median(ends):.4g}"
        yield f"{name:24} {between} [{ends.min():.4g}, {ends.max():.4g}]{_UNITS.get(name, '')}"
    shares = (f"{reason} {100 * number / len(first):.3g} %" for reason, number in sorted(reasons.items()))
    yield f"{'end_reason':24} {', '.join(shares)}"
