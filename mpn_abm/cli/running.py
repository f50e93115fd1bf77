"""What `run` shows while it works and when it is done."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mpn_abm.cli.progress import progress
from mpn_abm.compile.program import compile_scenario
from mpn_abm.errors import UsageError
from mpn_abm.estimate import estimate, memory_available
from mpn_abm.files import claimed
from mpn_abm.kernels.compiler import is_compiled, threads_available
from mpn_abm.result import Result
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.simulate import replicates_together
from mpn_abm.simulate import run as run_scenario


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
    limit = "at most" if scenario.spec.stop.when else "about"
    lines = [
        f"{shape} sites, {program.timetable.steps} steps, {replicates} replicate(s)",
        f"  memory   {expected.memory_bytes / 2**20:10.0f} MiB{_of_memory()}",
        f"  disk     {expected.disk_bytes / 2**20:10.1f} MiB",
        f"  stepping {expected.seconds:10.1f} s on one thread, {limit} {expected.candidates:.3g} candidates",
    ]
    return {"scenario_sha256": scenario.sha256, **asdict(expected)}, lines


def _of_memory() -> str:
    available = memory_available()
    return "" if available is None else f" of {available / 2**20:.0f} MiB free"


def run_and_write(
    scenario: Scenario, folder: Path, *, threads: int, overwrite: bool, as_json: bool, quiet: bool, strict: bool
) -> None:
    """Run, write, and tell."""
    refuse_too_many_threads(threads)
    # refused before the work, not after it
    with claimed(folder, overwrite):
        say_if_compiling(quiet)
        with progress(scenario.spec.name, quiet) as tell:
            result = run_scenario(scenario, threads=threads, progress=tell)
        manifest = result.write(folder, overwrite=True)
    if as_json:
        print(json.dumps(manifest))
    else:
        _report(result, manifest)
    if strict and scenario.comparison.expect:
        from mpn_abm.cli import claiming

        claiming.fail_if_any(result.claims)


def refuse_too_many_threads(threads: int) -> None:
    """See that the machine has so many threads."""
    if threads > threads_available():
        raise UsageError(f"--threads {threads}: expected at most {threads_available()}, the threads of this machine")


def say_if_compiling(quiet: bool) -> None:
    """Say why the first run takes so long."""
    if not is_compiled() and not quiet:
        print("compiling the kernels: once for this version, up to a minute", file=sys.stderr)


def _report(result: Result, manifest: dict[str, Any]) -> None:
    """What came out, in a few lines."""
    spec, rows = result.scenario.spec, result.tables["trajectory"].num_rows
    days = f"{manifest['end_day']:g} days"
    arm = "" if result.scenario.arm is None else f", arm {result.scenario.arm}"
    reasons = _reasons(manifest["end_reasons"])
    print(f"{spec.name}{arm}: {manifest['replicates']} run(s) of up to {days}, ended by {reasons}")
    if spec.question:
        print(f"  {spec.question}")
    if manifest["replicates"] == 1:
        for line in _headlines(result):
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


def _headlines(result: Result) -> Iterator[str]:
    """First and last value of what a reader asks for first."""
    table = result.tables["trajectory"]
    units = {"vaf_driver": "", "mf_grade": "", "fibrosis_mean": "", "car_t_total": " cells", "kills": " cells"}
    wanted = [f"fraction_{clone}" for clone in result.scenario.spec.clones] + list(units)
    for name in wanted:
        if name in table.column_names:
            values = table.column(name)
            first, last = values[0].as_py(), values[-1].as_py()
            peak = max(values.to_pylist()) if name == "car_t_total" else None
            tail = "" if peak is None else f", at most {peak:.4g}"
            yield f"{name:24} {first:.4g} -> {last:.4g}{units.get(name, '')}{tail}"
