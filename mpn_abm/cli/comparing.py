"""What `compare` shows while it works and when it is done."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from mpn_abm.analysis.claims import rows_of
from mpn_abm.analysis.headlines import HEADLINES
from mpn_abm.analysis.trial_lines import when
from mpn_abm.cli import claiming
from mpn_abm.cli.progress import progress
from mpn_abm.cli.running import refuse_too_many_threads, say_if_compiling, what_it_takes, write_report_into
from mpn_abm.scenario.claim_checks import HEADLINE_DAYS
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.studies.comparison import compare, refuse_without_arms
from mpn_abm.studies.study import Study
from mpn_abm.words import counted

WIDTH = 110
LEFT_OUT = "no arm is the file without changes, and these name no arm"


def dry_run(scenario: Scenario, as_json: bool) -> None:
    """Say what all arms would take, without allocating it."""
    refuse_without_arms(scenario)
    told = {name: what_it_takes(arm) for name, arm in scenario.arms.items()}
    if as_json:
        print(json.dumps({"name": scenario.spec.name, "arms": {name: facts for name, (facts, _) in told.items()}}))
        return
    for name, (_, lines) in told.items():
        print(f"{name}: {lines[0]}", *lines[1:], sep="\n")


def compare_and_write(
    scenario: Scenario, folder: Path, *, threads: int, overwrite: bool, as_json: bool, quiet: bool, strict: bool,
    report_of: Path | None = None,
) -> None:  # fmt: skip
    """Run all arms, compare, write, and tell; with the file of the scenario, write a report on it, too."""
    refuse_too_many_threads(threads)
    say_if_compiling(next(iter(scenario.arms.values()), scenario), threads, quiet)
    with progress(scenario.spec.name, quiet) as tell:
        study = compare(scenario, out=folder, threads=threads, overwrite=overwrite, progress=tell)
    if report_of is not None:
        write_report_into(folder, report_of)
    if as_json:
        print(json.dumps(study.facts | {"comparison": rows_of(study.comparison)}))
    else:
        _report(scenario, study)
    if strict:
        claiming.fail_if_any(study.claims)


def _report(scenario: Scenario, study: Study) -> None:
    facts = study.facts
    arms = list(facts["arms"])
    runs = counted(facts["replicates"], "run")
    print(f"{facts['name']}: {counted(len(arms), 'arm')}, {runs} of each with the same seeds")
    table = _table(study.comparison, facts["reference"], arms)
    Console(file=sys.stdout, width=WIDTH, highlight=False).print(table)
    for line in claiming.lines(study.claims, scenario.comparison.endpoints, facts["claims_left_out"], LEFT_OUT):
        print(line)
    print(study.answer)
    print(f"{facts['stepping_seconds']:.2f} s of stepping, {facts['candidates']:,} candidates, in {facts['out']}")


def _table(comparison: pd.DataFrame, reference: str, arms: list[str]) -> Table:
    """A block of lines per arm: each value, and below it how it differs from the reference."""
    means = comparison[(comparison["statistic"] == "mean") & comparison["endpoint"].isin(list(HEADLINES))]
    found = {(row["arm"], row["endpoint"], row["day"], row["contrast"]): row for row in rows_of(means)}
    told = {day for arm, _, day, _ in found if arm == reference}
    days = [day for day in (*HEADLINE_DAYS, None) if day in told]
    table = Table(show_edge=False, pad_edge=False, box=SIMPLE)
    table.add_column("", no_wrap=True)
    for day in days:
        table.add_column("end" if day is None else when(day), no_wrap=True)
    for arm in [reference, *(arm for arm in arms if arm != reference)]:
        table.add_row(f"{arm} (reference)" if arm == reference else arm, style="bold")
        for name, label in HEADLINES.items():
            values = [found.get((arm, name, day, None)) for day in days]
            if any(value is not None and value["n"] for value in values):
                table.add_row(f"  {label}", *map(_value, values))
            differences = [found.get((arm, name, day, "difference")) for day in days]
            if any(row is not None and row["estimate"] for row in differences):
                table.add_row("    difference", *map(_difference, differences))
    return table


def _value(row: dict[str, Any] | None) -> str:
    return "-" if row is None or row["estimate"] is None else _short(row["estimate"])


def _difference(row: dict[str, Any] | None) -> str:
    if row is None or row["estimate"] is None:
        return "-"
    change, low, high = row["estimate"], row["low"], row["high"]
    interval = "" if low is None or high is None else f" ({_short(low)} to {_short(high)})"
    return f"{'+' if change > 0 else ''}{_short(change)}{interval}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"
