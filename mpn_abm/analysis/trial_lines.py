"""What a trial found, as lines of text: arms as columns, a block of lines for each endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from mpn_abm.analysis.claims import rows_of
from mpn_abm.analysis.pairing import PAIRED

GAP = "  "
YEAR = 365.25
LABELS = {
    "mean": "mean", "survival": "free of event (Kaplan-Meier)", "incidence": "had it by then (death competing)",
    "median_days": "median, days", "restricted_mean": "restricted mean, days",
}  # fmt: skip
Row = Mapping[str, Any]


class Cells(NamedTuple):
    """What a trial found: arms as columns, the first cell of a row its name."""

    people: str
    head: list[str]
    flow: list[list[str]]
    endpoints: dict[str, list[list[str]]]


def trial_cells(tables: Mapping[str, pd.DataFrame], reference: str) -> Cells:
    """Who was there, and what each endpoint says of each arm.

    Parameters
    ----------
    tables : mapping
        As ``trial_tables`` makes them; comparison, flow, km and survival.
    reference : str
        The arm that others are compared with.
    """
    flow = tables["flow"]
    arms = [reference, *(arm for arm in dict.fromkeys(flow["arm"]) if arm != reference)]
    head = ["", *(f"{arm} (reference)" if arm == reference else arm for arm in arms)]
    names = dict.fromkeys(tables["comparison"]["endpoint"])
    return Cells(_people(flow), head, _flow(flow, arms), {name: _endpoint(name, tables, arms) for name in names})


def trial_lines(tables: Mapping[str, pd.DataFrame], reference: str) -> list[str]:
    """The lines that answer a trial: those of ``trial_cells``, and of power if it is among the tables."""
    found = trial_cells(tables, reference)
    cells = [found.head, *found.flow]
    for name, rows in found.endpoints.items():
        cells += [[name], *rows]
    return [found.people, *_aligned(cells), *(power_lines(tables["power"]) if "power" in tables else ())]


def _people(flow: pd.DataFrame) -> str:
    first = flow.iloc[0]
    if first["design"] == PAIRED:
        return f"{first['enrolled']} patients, each in every arm: differences are of the same patients (paired)"
    return f"{first['enrolled']} patients, each in one arm: differences are of independent groups"


def _flow(flow: pd.DataFrame, arms: Sequence[str]) -> list[list[str]]:
    found = {(row["arm"], row["day"]): row for row in rows_of(flow)}
    days = list(dict.fromkeys(flow["day"]))
    cells = [["allocated", *(str(found[arm, days[0]]["allocated"]) for arm in arms)]]
    if flow["failed"].any():
        cells.append(["failed", *(str(found[arm, days[0]]["failed"]) for arm in arms)])
    for day in days[1:]:
        counts = [
            ", ".join(str(found[arm, day][name]) for name in ("evaluable", "died", "dropped_out", "ended"))
            for arm in arms
        ]
        cells.append([f"{when(day)}: watched, died, left, ended", *counts])
    return cells


def _endpoint(name: str, tables: Mapping[str, pd.DataFrame], arms: Sequence[str]) -> list[list[str]]:
    comparison = tables["comparison"]
    rows = rows_of(comparison[comparison["endpoint"] == name])
    is_event = bool((tables["survival"]["endpoint"] == name).any())
    cells, counted = [], _at_risk(name, tables["km"], arms)
    for statistic, day in dict.fromkeys(
        (row["statistic"], row["day"]) for row in rows if row["contrast"] != "hazard_ratio"
    ):
        those = [row for row in rows if (row["statistic"], row["day"]) == (statistic, day)]
        alone = {row["arm"]: row for row in those if row["contrast"] is None}
        label = "share" if is_event and statistic == "mean" else LABELS.get(statistic, statistic.replace("_", " "))
        at = "" if statistic == "median_days" else "at the end: " if day is None else f"{when(day)}: "
        cells.append([f"  {at}{label}", *(_value(alone.get(arm), statistic) for arm in arms)])
        cells += _contrasts([row for row in those if row["contrast"] not in (None, "hazard_ratio")], arms)
        if statistic == "survival" and day in counted:
            cells.append(["    at risk, events so far", *counted[day]])
    return cells + _contrasts([row for row in rows if row["contrast"] == "hazard_ratio"], arms, "  ")


def _contrasts(rows: Sequence[Row], arms: Sequence[str], indent: str = "    ") -> list[list[str]]:
    cells = []
    for contrast in dict.fromkeys(row["contrast"] for row in rows):
        there = {row["arm"]: row for row in rows if row["contrast"] == contrast}
        cells.append([f"{indent}{contrast.replace('_', ' ')}", *(_contrast(there.get(arm)) for arm in arms)])
    return cells


def _at_risk(name: str, km: pd.DataFrame, arms: Sequence[str]) -> dict[float, list[str]]:
    """For each day the numbers at risk and of events, arm by arm."""
    rows = {(row["arm"], row["day"]): row for row in rows_of(km[km["endpoint"] == name])}
    days = dict.fromkeys(day for _, day in rows)
    return {day: [f"{rows[arm, day]['at_risk']}, {rows[arm, day]['events']}" for arm in arms] for day in days}


def _value(row: Row | None, statistic: str) -> str:
    if row is None:
        return ""
    if row["estimate"] is None:
        return "not reached" if statistic == "median_days" and row["n"] else "not known"
    low, high = row["low"], row["high"]
    if low is None and high is None:
        return short(row["estimate"])
    # a limit that is not reached
    return f"{short(row['estimate'])} ({short(low)} to {short(high)})"


def _contrast(row: Row | None) -> str:
    if row is None:
        return ""
    if row["estimate"] is None:
        # where nobody in the reference had the event, the log-rank test says something all the same
        return f"not known{_p_value(row['p_value'])}"
    sign = "+" if row["contrast"] == "difference" and row["estimate"] > 0 else ""
    interval = "" if row["low"] is None else f" ({short(row['low'])} to {short(row['high'])})"
    return f"{sign}{short(row['estimate'])}{interval}{_p_value(row['p_value'])}"


def _p_value(value: float | None) -> str:
    if value is None:
        return ""
    return ", p < 0.001" if value < 0.001 else f", p {value:.2g}"


def power_question(first: Row) -> str:
    """What a row of the table of power asks, and of how large a trial."""
    is_paired = first["design"] == PAIRED
    what = "time to event" if first["day"] is None else when(first["day"])
    large = (
        f"{first['patients']} pairs" if is_paired else f"{first['patients']} and {first['patients_versus']} patients"
    )
    return (
        f"power: {first['endpoint']}, {what}, {first['arm']} versus {first['versus']}, {first['design']}, "
        f"{first['test']} at {first['alpha']:g}, of {first['repeats']} trials drawn from this one of {large}"
    )


def unit_of_size(first: Row) -> str:
    """What the sizes of a table of power count."""
    return "pairs" if first["design"] == PAIRED else "patients an arm"


def power_lines(table: pd.DataFrame) -> list[str]:
    """What the sizes that are planned would find, and how sure that is."""
    rows = rows_of(table)
    first = rows[0]
    header = power_question(first)
    if first["patients_needed"] is None:
        alike = "no pair differs" if first["design"] == PAIRED else "all patients are alike"
        return [
            header,
            f"  not known for any size, as {alike} in {first['endpoint']}: no drawn trial can find a difference",
        ]
    lines = [header, *(_of_size(row, unit_of_size(first)) for row in rows)]
    if not all(row["answered"] for row in rows):
        lines.append(
            "  to be surer, say more trial.patients, or let trial.power.most_patients ask for more; none is run again"
        )
    return lines


def _of_size(row: Row, unit: str) -> str:
    told = f"  with {row['size']} {unit}: {row['power']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
    if row["answered"]:
        return told
    return (
        f"{told}; this trial is too small to be sure ({row['trial_low']:.2f} to {row['trial_high']:.2f}): "
        f"if {row['power']:.3f} is right, {row['patients_needed']:,} {unit} would do"
    )


def _aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    widths: list[int] = []
    for row in cells:
        for k, cell in enumerate(row):
            widths[k:] = [max(len(cell), *widths[k : k + 1], 0), *widths[k + 1 :]]
    return [GAP.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells]


def when(day: float) -> str:
    """A day in the words of a table."""
    if day >= YEAR and (day / YEAR).is_integer():
        return f"year {day / YEAR:g}"
    return f"week {day / 7:g}" if day >= 7 and day % 7 == 0 else f"day {day:g}"


def short(value: float | None) -> str:
    """A number with the digits that matter; what is not known is a dash."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"
