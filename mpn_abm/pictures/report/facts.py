"""The words and numbers of a report: the answer, the figures behind it, the claims."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mpn_abm.analysis.bands import band_in_words
from mpn_abm.analysis.claims import asked_in_words, on_day, rows_of
from mpn_abm.analysis.endpoints import Own
from mpn_abm.analysis.headlines import HEADLINES
from mpn_abm.analysis.trial_lines import power_question, trial_cells, unit_of_size
from mpn_abm.errors import UsageError
from mpn_abm.pictures.courses import course
from mpn_abm.pictures.labels import moment, quantity, time_unit, unit_words, words
from mpn_abm.pictures.pairs import rank_correlation
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.runs import arms_of, reference_of, trajectory_of
from mpn_abm.pictures.sweep_tables import points_of
from mpn_abm.pictures.tornado import chosen_rows

FIGURES = (
    "vaf_jak2", "vaf_calr", "fibrosis_mean", "car_t_total", "kills", "platelets_per_nl", "hemoglobin_g_per_l",
    "wbc_per_nl", "spleen_ml", "symptom_score", "blast_percent",
)  # fmt: skip
NAMED = {"vaf_jak2": "JAK2 VAF", "vaf_calr": "CALR VAF", "kills": "cells killed by CAR T cells"}


@dataclass(frozen=True)
class Table:
    """A table of a page; the first cell of a row is its heading."""

    caption: str
    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class ClaimRow:
    """One claim in words."""

    name: str
    asked: str
    value: str
    band: str
    held: bool
    source: str
    role: str


def answer_of(recording: Recording) -> str:
    """The answer in words: what the study says, or else what the figures of a run do."""
    told = str(recording.facts.get("answer") or "")
    if told:
        return told.removeprefix(recording.question).strip()
    if recording.has("indices"):
        return _of_sensitivity(recording)
    if recording.is_study or not recording.has("trajectory"):
        return " ".join(part for part in (_of_sweep(recording), _of_claims(claims_of(recording))) if part)
    rows = trajectory_of(recording, None, None)
    parts = [_course_in_words(rows, name) for name in FIGURES[:4] if _matters(rows, name)]
    runs = rows["patient"].nunique()
    over = f"Medians over {runs} runs: " if runs > 1 else ""
    sentences = [over + "; ".join(parts) + "."] if parts else []
    ends = recording.facts.get("end_reasons") or {}
    sentences += [f"Ended by {', '.join(f'{reason} ({n})' for reason, n in sorted(ends.items()))}."] if runs > 1 else []
    sentences += [_of_claims(claims_of(recording))]
    if runs == 1:
        sentences.append("One run says nothing about chance.")
    return " ".join(sentence for sentence in sentences if sentence)


def _of_sweep(recording: Recording) -> str:
    """How far the value goes over the points, and what goes with it."""
    if not recording.has("summary") or recording.has("comparison"):
        return ""
    try:
        points = points_of(recording, None, None, None)
    except UsageError:
        # nothing varies, or there are arms
        return ""
    values = points.table[points.value]
    ranks = {name: rank_correlation(points, name) for name in points.parameters}
    known = sorted((name for name in ranks if np.isfinite(ranks[name])), key=lambda name: -abs(ranks[name]))
    first = ", ".join(f"{name} ({ranks[name]:+.2f})" for name in known[:3])
    reach = f"{quantity(float(values.min()))} to {quantity(float(values.max()))}"
    told = f"Over {len(points.table)} points the {words(points.value)} goes from {reach}."
    return f"{told} It goes most with {first}, by rank correlation." if first else told


def _of_sensitivity(recording: Recording) -> str:
    """The parameters that matter most."""
    rows = chosen_rows(recording, None, None)
    order = rows["index"].abs().argsort(kind="stable")[::-1]
    first = rows.iloc[order].head(3)
    said = ", ".join(f"{name} ({index:.2g})" for name, index in zip(first["parameter"], first["index"], strict=True))
    return f"Of {len(rows)} parameters these matter most: {said}."


def _matters(rows: pd.DataFrame, name: str) -> bool:
    return name in rows and bool((rows[name].fillna(0) != 0).any())


def _course_in_words(rows: pd.DataFrame, name: str) -> str:
    found = course(rows, name)
    what = NAMED.get(name, words(name))
    unit = time_unit(float(rows["day"].max()))
    if name == "car_t_total":
        peak = int(found.middle.argmax())
        return f"{what} peak at {quantity(found.middle[peak])} ({moment(found.day[peak], unit)})"
    lowest = int(found.middle.argmin())
    between = ""
    if 0 < lowest < len(found.day) - 1 and found.middle[lowest] < 0.9 * min(found.middle[0], found.middle[-1]):
        between = f", lowest {quantity(found.middle[lowest])} ({moment(found.day[lowest], unit)})"
    return f"{what} {quantity(found.middle[0])} to {quantity(found.middle[-1])}{between}"


def _of_claims(claims: list[ClaimRow]) -> str:
    if not claims:
        return ""
    held = sum(claim.held for claim in claims)
    if held == len(claims):
        return "The claim held." if held == 1 else f"All {held} claims held."
    failed = ", ".join(claim.name for claim in claims if not claim.held)
    return f"{held} of {len(claims)} claims held, not {failed}."


def claims_of(recording: Recording) -> list[ClaimRow]:
    """The claims on a run or a study."""
    said = recording.facts.get("claims")
    table = pd.DataFrame(said or [])
    if recording.has("claims"):
        table = recording.frame("claims")
    elif table.empty and hasattr(recording.source, "claims"):
        # a result that is not written has judged nothing yet
        table = recording.source.claims
    if table.empty:
        return []
    own = {} if recording.scenario is None else recording.scenario.comparison.endpoints
    return [_claim(row, own) for row in rows_of(table)]


def _claim(row: dict[str, Any], own: Own) -> ClaimRow:
    value = "not known" if row["value"] is None else quantity(row["value"])
    if row["value_low"] is not None and row["value_high"] is not None:
        value += f" ({quantity(row['value_low'])} to {quantity(row['value_high'])})"
    band = band_in_words(row, quantity)
    return ClaimRow(
        row["claim"], asked_in_words(row, own), value, band, bool(row["held"]), row["source"] or "", row["role"] or ""
    )


def figures_of(recording: Recording) -> list[Table]:
    """The tables of figures behind the answer."""
    if recording.has("flow"):
        return _of_trial(recording)
    if recording.has("comparison"):
        return [_compared(recording)]
    if recording.is_study or not recording.has("trajectory"):
        return []
    rows = trajectory_of(recording, None, None)
    runs = rows["patient"].nunique()
    head = ["", "unit", "first day", "last day", "lowest", "highest"]
    lines = []
    for name in FIGURES:
        if _matters(rows, name):
            found = course(rows, name)
            numbers = (found.middle[0], found.middle[-1], found.middle.min(), found.middle.max())
            unit = unit_words(recording.unit(name))
            lines.append([NAMED.get(name, words(name)), unit, *map(quantity, map(float, numbers))])
    return [Table("Figures" if runs == 1 else f"Medians of {runs} runs", head, lines)] if lines else []


def _of_trial(recording: Recording) -> list[Table]:
    """Who was there, what each endpoint says of each arm, and what sizes of trials would do."""
    names = ("flow", "comparison", "km", "survival")
    found = trial_cells({name: recording.frame(name) for name in names}, str(reference_of(recording)))
    tables = [Table(found.people, found.head, found.flow)]
    for name, rows in found.endpoints.items():
        tables.append(Table(name, found.head, [[_indented(row[0]), *row[1:]] for row in rows]))
    return [*tables, _of_power(recording)] if recording.has("power") else tables


def _indented(name: str) -> str:
    """The name of a row whose blanks a page would leave out."""
    bare = name.lstrip()
    return "\u2003" * ((len(name) - len(bare)) // 4) + bare


def _of_power(recording: Recording) -> Table:
    rows = rows_of(recording.frame("power"))
    head = [
        f"size, {unit_of_size(rows[0])}",
        "power (95 % of the draws)",
        "this trial leaves possible",
        f"{unit_of_size(rows[0])} that would tell",
    ]
    lines = []
    for row in rows:
        needed = row["patients_needed"]
        told = "this trial has enough" if row["answered"] else "not known" if needed is None else f"{needed:,}"
        power = "not known" if row["power"] is None else f"{row['power']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
        lines.append([f"{row['size']:,}", power, f"{row['trial_low']:.2f} to {row['trial_high']:.2f}", told])
    return Table(power_question(rows[0]), head, lines)


def _compared(recording: Recording) -> Table:
    """Each headline in each arm, and its difference to the reference."""
    table = recording.frame("comparison")
    means = table[(table["statistic"] == "mean") & table["endpoint"].isin(list(HEADLINES))]
    arms, reference = [str(arm) for arm in arms_of(recording)], reference_of(recording)
    arms = [str(reference), *(arm for arm in arms if arm != reference)]
    found = {(row["endpoint"], row["day"] if pd.notna(row["day"]) else None, row["arm"], row["contrast"]): row
             for row in means.astype(object).where(means.notna(), None).to_dict("records")}  # fmt: skip
    days = sorted({day for _, day, _, _ in found}, key=lambda day: np.inf if day is None else day)
    lines = []
    for name, label in HEADLINES.items():
        for day in days:
            if (name, day, arms[0], None) not in found:
                continue
            cells = [_cell(found, name, day, arm) for arm in arms]
            lines.append([f"{label}{on_day(day)}", *cells])
    head = ["", f"{arms[0]} (reference)", *arms[1:]]
    return Table("Means, and differences to the reference with 95 % intervals", head, lines)


def _cell(found: dict[Any, Any], name: str, day: float | None, arm: str) -> str:
    row, change = found.get((name, day, arm, None)), found.get((name, day, arm, "difference"))
    if row is None or row["estimate"] is None:
        return "-"
    text = quantity(row["estimate"])
    if change is not None and change["estimate"] is not None:
        sign = "+" if change["estimate"] > 0 else ""
        interval = "" if change["low"] is None else f", {quantity(change['low'])} to {quantity(change['high'])}"
        text += f" ({sign}{quantity(change['estimate'])}{interval})"
    return text
