"""What `compare` shows while it works and when it is done."""

from __future__ import annotations

import json
from pathlib import Path

from mpn_abm.analysis.claims import rows_of
from mpn_abm.cli import claiming
from mpn_abm.cli.comparison_table import print_table
from mpn_abm.cli.progress import progress
from mpn_abm.cli.running import refuse_too_many_threads, say_if_compiling, what_it_takes, write_report_into
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.studies.comparison import compare, refuse_without_arms
from mpn_abm.studies.study import Study
from mpn_abm.words import counted

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
    scenario: Scenario, folder: Path, *, threads: int, jobs: int, overwrite: bool, as_json: bool, quiet: bool,
    strict: bool, report_of: Path | None = None,
) -> None:  # fmt: skip
    """Run all arms, compare, write, and tell; with the file of the scenario, write a report on it, too."""
    refuse_too_many_threads(threads)
    say_if_compiling(next(iter(scenario.arms.values()), scenario), threads, quiet)
    with progress(scenario.spec.name, quiet) as tell:
        study = compare(scenario, out=folder, threads=threads, jobs=jobs, overwrite=overwrite, progress=tell)
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
    print_table(study.comparison, facts["reference"], arms)
    for line in claiming.lines(study.claims, scenario.comparison.endpoints, facts["claims_left_out"], LEFT_OUT):
        print(line)
    print(study.answer)
    print(f"{facts['stepping_seconds']:.2f} s of stepping, {facts['candidates']:,} candidates, in {facts['out']}")
