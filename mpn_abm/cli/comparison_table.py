"""The table that `compare` prints: the arms on the days that every comparison tells of."""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from mpn_abm.analysis.claims import rows_of
from mpn_abm.analysis.headlines import HEADLINES
from mpn_abm.analysis.trial_lines import when
from mpn_abm.scenario.claim_checks import HEADLINE_DAYS

WIDTH = 110


def print_table(comparison: pd.DataFrame, reference: str, arms: list[str]) -> None:
    """Print a block of lines per arm: each value, and below it how it differs from the reference."""
    Console(file=sys.stdout, width=WIDTH, highlight=False).print(_table(comparison, reference, arms))


def _table(comparison: pd.DataFrame, reference: str, arms: list[str]) -> Table:
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
