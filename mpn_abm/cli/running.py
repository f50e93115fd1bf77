"""What `run` shows while it works and when it is done."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mpn_abm.compile.program import compile_scenario
from mpn_abm.errors import UsageError
from mpn_abm.estimate import estimate, memory_available
from mpn_abm.files import claimed
from mpn_abm.kernels.compiler import is_compiled, threads_available
from mpn_abm.result import Result
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.simulate import kernels_of, prepared, replicates_together
from mpn_abm.simulate import run as run_scenario

# seconds between two plain lines of progress
PLAIN_EVERY = 5.0
_UNITS = {"vaf_driver": "", "mf_grade": "", "fibrosis_mean": "", "car_t_total": " cells", "kills": " cells"}


def dry_run(scenario: Scenario, as_json: bool) -> None:
    """Say what a run would take, without allocating it."""
    program = compile_scenario(scenario.spec)
    replicates = scenario.spec.replicates
    expected = estimate(program, replicates_together(program, replicates), replicates)
    if as_json:
        print(json.dumps({"name": scenario.spec.name, "scenario_sha256": scenario.sha256, **asdict(expected)}))
        return
    shape = " x ".join(map(str, scenario.spec.marrow.shape))
    print(f"{scenario.spec.name}: {shape} sites, {program.timetable.steps} steps, {replicates} replicate(s)")
    available = memory_available()
    print(f"  memory   {_amount(expected.memory_bytes, 0)}{_of_free(available)}")
    print(f"  disk     {_amount(expected.disk_bytes, 1)}{_of_free(shutil.disk_usage(Path.cwd()).free)}")
    limit = "at most" if scenario.spec.stop.when else "about"
    hours = expected.seconds / 3600
    duration = f"{expected.seconds:10.1f} s" if hours < 2 else f"{hours:10.1f} hours"
    print(f"  stepping {duration} on one thread, {limit} {expected.candidates:.3g} candidates")
    if available is not None and expected.memory_bytes > available:
        print("too much memory: a run would be refused")


def _amount(size: float, digits: int) -> str:
    return f"{size / 2**20:10.{digits}f} MiB" if size < 100 * 2**30 else f"{size / 2**30:10.0f} GiB"


def _of_free(available: int | None) -> str:
    return "" if available is None else f" of {_amount(available, 0).strip()} free"


def run_and_write(
    scenario: Scenario, folder: Path, *, threads: int, overwrite: bool, as_json: bool, quiet: bool
) -> None:
    """Run, write, and tell."""
    if threads > threads_available():
        raise UsageError(f"--threads {threads}: expected at most {threads_available()}, the threads of this machine")
    # refused before the work, not after it
    with claimed(folder, overwrite):
        if not quiet:
            _announce_compiling(scenario, threads)
        with _progress(scenario.spec.name, quiet) as tell:
            result = run_scenario(scenario, threads=threads, progress=tell)
        manifest = result.write_into(folder)
    if as_json:
        print(json.dumps(manifest))
    else:
        _report(result, manifest)


def _announce_compiling(scenario: Scenario, threads: int) -> None:
    replicates = scenario.spec.replicates
    if not is_compiled(kernels_of(prepared(scenario, replicates), replicates, threads)):
        print("compiling the kernels: once for this version and mode, up to a minute", file=sys.stderr, flush=True)


@contextmanager
def _progress(name: str, quiet: bool) -> Iterator[Callable[[float], None] | None]:
    """A bar with the time left on a terminal, plain lines elsewhere, nothing if quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            # its clock starts at the first word, too
            task = bar.add_task(name, total=1.0, start=False)

            def show(share: float) -> None:
                if not bar.tasks[0].started:
                    bar.start_task(task)
                bar.update(task, completed=share)

            yield show
    else:
        # the clock starts at the first word, so that compiling does not count as work done
        start = last = 0.0
        first = 0.0

        def tell(share: float) -> None:
            nonlocal start, last, first
            now = time.monotonic()
            if start == 0.0:
                start, last, first = now, now, share
            if now - last >= PLAIN_EVERY and share > first:
                last = now
                left = (now - start) * (1.0 - share) / (share - first)
                print(f"{name}: {100 * share:.0f} %, about {left:.0f} s left", file=sys.stderr)

        yield tell


def _report(result: Result, manifest: dict[str, Any]) -> None:
    """What came out, in a few lines."""
    spec, rows = result.scenario.spec, result.tables["trajectory"].num_rows
    days = f"{manifest['end_day']:g} days"
    print(f"{spec.name}: {manifest['replicates']} run(s) of up to {days}, ended by {_reasons(manifest['end_reasons'])}")
    if spec.question:
        print(f"  {spec.question}")
    lines = _headlines(result) if manifest["replicates"] == 1 else _medians(result, manifest["end_reasons"])
    for line in lines:
        print(f"  {line}")
    print(
        f"  {rows} rows, {manifest['stepping_seconds']:.2f} s of stepping, "
        f"{manifest['candidates']:,} candidates, in {manifest['out']}"
    )


def _reasons(reasons: dict[str, int]) -> str:
    if len(reasons) == 1:
        return next(iter(reasons))
    return ", ".join(f"{reason} ({number})" for reason, number in sorted(reasons.items()))


def _wanted(result: Result) -> list[str]:
    """The columns that a reader asks for first, as far as the run has them."""
    names = [f"fraction_{clone}" for clone in result.scenario.spec.clones] + list(_UNITS)
    return [name for name in names if name in result.tables["trajectory"].column_names]


def _headlines(result: Result) -> Iterator[str]:
    """First and last value of what a reader asks for first."""
    for name in _wanted(result):
        values = result.tables["trajectory"].column(name).to_pylist()
        tail = f", at most {max(values):.4g}" if name == "car_t_total" else ""
        yield f"{name:24} {values[0]:.4g} -> {values[-1]:.4g}{_UNITS.get(name, '')}{tail}"


def _medians(result: Result, reasons: dict[str, int]) -> Iterator[str]:
    """The same over replicates: median of the first and of the last values, with the range of the last."""
    table = result.tables["trajectory"]
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
