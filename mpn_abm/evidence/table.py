"""The table of the score: its columns, and its rows in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mpn_abm.analysis.bands import WITHOUT_BAND, band_in_words
from mpn_abm.analysis.claims import rows_of
from mpn_abm.columns import Column

COLUMNS = (
    Column("file", "string", "-", "the file of targets"),
    Column("target", "string", "-", "name of the target"),
    Column("quantity", "string", "-", "what was measured, in whom"),
    Column("experiment", "string", "-", "the experiment; null if there is none"),
    Column("arm", "string", "-", "the arm"),
    Column("versus", "string", "-", "the arm that it is compared with"),
    Column("contrast", "string", "-", "how the two are compared"),
    Column("endpoint", "string", "-", "what the runs are asked"),
    Column("statistic", "string", "-", "what is made of the patients' values"),
    Column("day", "float64", "day", "when; null for the end"),
    Column("where", "string", "-", "the points that count, as JSON"),
    Column("published", "float64", "as the endpoint", "the published value"),
    Column("low", "float64", "as the endpoint", "lower limit of the band"),
    Column("high", "float64", "as the endpoint", "upper limit of the band"),
    Column("unit", "string", "-", "the unit of these"),
    Column("value", "float64", "as the endpoint", "the value of the model"),
    Column("value_low", "float64", "as the endpoint", "lower limit of its 95 % interval"),
    Column("value_high", "float64", "as the endpoint", "upper limit"),
    Column("n", "int64", "patients", "patients behind the value"),
    Column("z", "float64", "standard errors", "model minus published over the errors of both"),
    Column("held", "bool", "-", "whether the value lies in the band"),
    Column("scored", "bool", "-", "whether the target counts"),
    Column("role", "string", "-", "fit, test, rival, order, unverified or rule"),
    Column("kind", "string", "-", "value, direction, bound, order or exists; the low of the last two is not held"),
    Column("order", "string", "-", "the arms or days of an order, from the lowest value to the highest"),
    Column("weight", "float64", "-", "its weight"),
    Column("constrains", "string", "-", "parameters that it holds down"),
    Column("figure", "string", "-", "the published figure"),
    Column("source", "string", "-", "the paper"),
    Column("reason", "string", "-", "why there is no value, or a remark"),
)


def lines_of(table: pd.DataFrame, facts: dict[str, Any]) -> list[str]:
    """A line for each target, and the score."""
    lines = [_line(row) for row in rows_of(table)]
    for name, part in facts["by_file"].items():
        lines.append(f"{name}: {_counted(part)}")
    for role, part in facts["by_role"].items():
        lines.append(f"role {role}: {_counted(part)}")
    return [*lines, f"score: {_counted(facts)}; {facts['without_experiment']} have no experiment"]


def _line(row: dict[str, Any]) -> str:
    verdict = "held  " if row["held"] else "missed"
    role = row["role"] if row["scored"] else f"{row['role']}, not counted"
    if row["value"] is None:
        return f"{verdict} {row['target']} ({role}): {row['reason'] or 'no value'} [{row['source'] or '-'}]"
    published = "" if row["published"] is None else f"{row['published']:.3g}, "
    z = "" if row["z"] is None else f", z {row['z']:+.1f}"
    model = f"{row['value']:.3g}{interval_of(row)}"
    told = f"{row['target']} ({role}): {model}; published {published}{band_in_words(row, _short)}{z}"
    wrong = f"; {row['reason']}" if row["kind"] in WITHOUT_BAND and not row["held"] else ""
    return f"{verdict} {told}{wrong} [{row['source'] or '-'}]"


def interval_of(row: Mapping[str, Any]) -> str:
    """The interval of the model's value in brackets; that of a median may be open, where half may never come to it."""
    limits = row["value_low"], row["value_high"]
    if limits == (None, None):
        return ""
    low, high = ("not known" if limit is None else _short(limit) for limit in limits)
    return f" ({low} to {high})"


def _short(number: float) -> str:
    return f"{number:.3g}"


def _counted(part: dict[str, Any]) -> str:
    return f"{part['held']} of {part['targets']} held, {100 * part['weighted']:.0f} % by weight"
