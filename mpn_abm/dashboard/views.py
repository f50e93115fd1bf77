"""What the page shows of a marrow: pictures and sentences, without a word on how a page is put together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

import numpy as np

from mpn_abm.dashboard.charts import Line, axis_until, chart, courses
from mpn_abm.dashboard.experiment import Deed
from mpn_abm.dashboard.live import LiveMarrow
from mpn_abm.dashboard.painting import kinds_of, palette_of
from mpn_abm.mechanisms.log import DOSE, TREATMENT_START, TREATMENT_STOP
from mpn_abm.pictures.palette import EMPTY, LINES, PAPER, SCAR, SCAR_STRENGTH, T_CELL, T_CELL_STATES, mixed
from mpn_abm.scenario.schema import Spec
from mpn_abm.state import LOG_KIND, LOG_STEP, LOG_VALUE, LOG_WHO, LOGGED

# kinds of drugs that do not last from a day to a day
AT_ONCE = ("car_t", "transplant")
DRUG_NAMES = {"car_t": "CAR T cells"}
INK = "currentColor"
_GENES = (("vaf_jak2", "JAK2", LINES["JAK2_V617F"]), ("vaf_calr", "CALR", LINES["CALR_TYPE1"]))
_T_CELLS = (
    ("car_t_total", "in all", T_CELL_STATES["car_t_total"]),
    ("car_t_exhausted", "exhausted", T_CELL_STATES["car_t_exhausted"]),
)
# title, unit, columns with their labels and colours, and the least top of the axis
_CHARTS = (
    ("VAF", "fraction", _GENES, 0.1),
    ("CAR T cells", "cells", _T_CELLS, 0.0),
    ("Platelets", "per nl", (("platelets_per_nl", "platelets", INK),), 0.0),
    ("Haemoglobin", "g/l", (("hemoglobin_g_per_l", "haemoglobin", INK),), 0.0),
    ("White cells", "per nl", (("wbc_per_nl", "white cells", INK),), 0.0),
    ("Spleen", "ml", (("spleen_ml", "spleen", INK),), 0.0),
    ("Scar", "mean density", (("fibrosis_mean", "scar", INK),), 0.2),
)


def charts_of(model: LiveMarrow) -> dict[str, str]:
    """The charts by title, as SVG, as far as the run has their columns."""
    said = model.datacollector.model_vars
    days = said["day"]
    axis = axis_until(days, model.program.timetable.steps * model.program.timetable.step, _marks(model))
    drawn = {"Cells": chart("Cells", "share of sites", _shares(model), axis, top=1.0)}
    for title, unit, columns, top in _CHARTS:
        lines = [Line(label, colour, said[name]) for name, label, colour in columns if name in said]
        # a gene that nobody has a mutation of is not worth a line
        there = [line for line in lines if title != "VAF" or any(line.values[k] > 0 for k in axis.shown)]
        if there or lines:
            drawn[title] = chart(title, unit, there or lines[:1], axis, top=top)
    drawn["Treatment"] = courses("Treatment", _courses(model), axis)
    return drawn


def _shares(model: LiveMarrow) -> list[Line]:
    """A line for each clone of the file."""
    said, palette = model.datacollector.model_vars, palette_of(model)
    return [Line(name, palette.clone_line(name), said[f"fraction_{name}"]) for name in palette.clones]


def _marks(model: LiveMarrow) -> list[float]:
    return [deed.day for deed in model.experiment.deeds]


def _courses(model: LiveMarrow) -> list[tuple[str, list[tuple[float, float]]]]:
    """The drugs that were given so far, each with the days from when to when."""
    stack, step = model.batch.stack, model.program.timetable.step
    treatments = model.experiment.scenario.spec.treatments
    rows: dict[str, list[tuple[float, float]]] = {}
    open_since: dict[int, float] = {}
    for entry in stack.record.log[0, : stack.tally[0, LOGGED]].tolist():
        kind, who, day = entry[LOG_KIND], int(entry[LOG_WHO]), entry[LOG_STEP] * step
        if kind not in (TREATMENT_START, TREATMENT_STOP, DOSE):
            continue
        drug = treatments[model.program.courses[who].partition(".")[0]].drug
        if kind == DOSE and entry[LOG_VALUE] > 0.0:
            rows.setdefault(drug, []).append((day, day))
        elif kind == TREATMENT_START and entry[LOG_VALUE] > 0.0:
            rows.setdefault(drug, [])
            open_since[who] = day
        elif kind == TREATMENT_STOP and who in open_since:
            rows[drug].append((open_since.pop(who), day))
    for who, since in open_since.items():
        rows[treatments[model.program.courses[who].partition(".")[0]].drug].append((since, model.day))
    return [(DRUG_NAMES.get(drug, drug), bars) for drug, bars in rows.items()]


def legend_of(model: LiveMarrow) -> str:
    """The colours of the picture, as HTML."""
    kinds, looks = kinds_of(model)
    there = np.bincount(kinds, minlength=len(looks) + 1)[1:]
    colours = {label: colour for (label, colour), cells in zip(looks, there, strict=True) if cells}
    if model.row.get("car_t_total"):
        colours["CAR T cell"] = T_CELL
    colours |= {"empty niche": EMPTY, "scar is darker": f"linear-gradient(90deg, {PAPER}, {_IN_SCAR})"}
    return "".join(
        f'<span class="key"><span class="swatch" style="background:{colour}"></span>{escape(label)}</span>'
        for label, colour in colours.items()
    )


_IN_SCAR = mixed(PAPER, SCAR, SCAR_STRENGTH)


def headline_of(model: LiveMarrow) -> str:
    """The day and how the patient is, in a line."""
    row, duration = model.row, model.program.timetable.steps * model.program.timetable.step
    in_hours = duration <= 3.0
    now = f"Hour {24 * model.day:.4g} of {24 * duration:.4g}" if in_hours else f"Day {model.day:.6g} of {duration:.6g}"
    parts = [now]
    if "phase" in row:
        gone = isinstance(row["phase"], float)
        parts.append("the patient has died" if gone else f"{row['phase']} phase")
    for column, words in (("vaf_driver", "VAF {:.3f}"), ("mf_grade", "MF-{:.0f}")):
        value = row.get(column)
        if isinstance(value, int | float) and math.isfinite(value):
            parts.append(words.format(value))
    if not model.running:
        parts.append(f"the run is over: {model.end_reason}")
    return " · ".join(parts)


def alt_text_of(model: LiveMarrow) -> str:
    """What the picture shows, for those who do not see it."""
    spec = model.experiment.scenario.spec
    shares = [f"{name} {100 * float(model.row[f'fraction_{name}']):.1f} %" for name in spec.clones]
    return f"the marrow on day {model.day:.6g}: {', '.join(shares)} of the sites"


@dataclass(frozen=True)
class WayToDose:
    """How the page asks for a dose: the key of a file, what it says, and what is usual."""

    key: str
    label: str
    usual: float
    times_per_day: int | None


def ways_to_dose(spec: Spec) -> dict[str, WayToDose]:
    """The drugs that last, and how each is dosed."""
    ways = {}
    for name, drug in spec.drugs.items():
        usual, times = getattr(drug, "usual_dose", None), getattr(drug, "usual_times_per_day", None)
        often = "" if times is None else " once a day" if times == 1 else f" {times} times a day"
        if drug.kind in AT_ONCE:
            continue
        if usual is None:
            ways[name] = WayToDose("dose_relative", "dose, 1 is usual", 1.0, None)
        else:
            ways[name] = WayToDose("dose_mg", f"mg{often}", usual, times)
    return ways


def words(deed: Deed) -> str:
    """A deed as HTML."""
    return escape(str(deed))
