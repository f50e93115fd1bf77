"""The course of every patient as a bar: how long, with what happened on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mpn_abm.errors import UsageError
from mpn_abm.pictures.cohort import by_arm, events_of, times_of
from mpn_abm.pictures.labels import TimeUnit, time_unit, words
from mpn_abm.pictures.palette import FAINT, ON_DARK, ON_LIGHT, PAPER, arm_colours, mixed
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.runs import chosen_arms, head_of, reference_of
from mpn_abm.pictures.style import Picture, heading, legend_below, new_figure

MOST = 40
# endpoint: sign and colour
MARKS = {
    "svr35": ("^", "#12906a"),
    "molecular_response": ("o", "#2f84c0"),
    "cleared": ("*", "#5b3fc4"),
    "response_loss": ("v", "#b07d05"),
    "progression": ("s", "#c8446a"),
}
SPREAD = 0.78


def draw(
    recording: Recording, *, arm: str | None = None, columns: list[str] | None = None, title: str | None = None
) -> Picture:
    """Draw a bar for each patient, as long as the patient lived or was watched, with responses and losses on it.

    Parameters
    ----------
    recording : Recording
        A study, or a run with replicates.
    arm : str, optional
        One arm; all unless said.
    columns : list of str, optional
        The endpoints that are marked; responses, their loss, progression and clearance unless said.
    title : str, optional
        Instead of the question.
    """
    known = events_of(recording)
    marked = [name for name in (columns or MARKS) if name in known]
    if columns and len(marked) < len(columns):
        raise UsageError(f"--columns: expected endpoints with a time: {', '.join(known)}")
    lives = times_of(recording, "overall_survival")
    happened = {name: times_of(recording, name) for name in marked}
    if arm is not None:
        chosen_arms(recording, arm)
        lives = lives[lives["arm"] == arm]
    arms = by_arm(lives)
    span = float(lives["time_days"].max())
    unit = time_unit(span)
    rows = min(int(lives.groupby("arm", dropna=False).size().max()), MOST)
    across = 2 if len(arms) == 4 else min(len(arms), 3)
    down = -(-len(arms) // across)
    figure = new_figure({1: 5.0, 2: 6.6}.get(across, 7.6), 1.2 + down * (0.6 + 0.105 * max(rows, 12)))
    axes = figure.subplots(down, across, squeeze=False, sharex=True)
    colours = arm_colours(arms, reference_of(recording))
    for axis in axes.flat[len(arms) :]:
        axis.set_axis_off()
    seen: set[str] = set()
    for axis, (one, mine) in zip(axes.flat, arms.items(), strict=False):
        theirs = {name: table if one is None else table[table["arm"] == one] for name, table in happened.items()}
        seen |= _draw_arm(axis, mine, theirs, mixed(colours[one], PAPER, 0.45), unit)
        axis.set_title("all" if one is None else one.replace("_", " "))
        axis.set_xlabel(unit.label)
    _finish(axes, unit, span)
    legend_below(figure, _legend(marked, seen))
    patients = int(lives.groupby("arm", dropna=False).size().max())
    shown = f"; {rows} of {patients} patients" if rows < patients else ""
    question, whose = head_of(recording, arm, patients, len(arms))
    heading(figure, question if title is None else title, f"{whose}{shown}" if title != "" else "")
    said = "; ".join(f"{'all' if one is None else one}: {int(mine['event'].sum())} of {len(mine)} died"
                     for one, mine in arms.items())  # fmt: skip
    return Picture(figure, f"Course of every patient of {recording.name}: {said}.")


def shown_patients(lives: pd.DataFrame) -> pd.DataFrame:
    """The patients that are drawn, the longest on top; of many an even choice by length."""
    ordered = lives.sort_values(["time_days", "patient"], ascending=[False, True], kind="stable")
    if len(ordered) <= MOST:
        return ordered
    return ordered.iloc[np.round(np.linspace(0, len(ordered) - 1, MOST)).astype(int)]


def _draw_arm(
    axis: Any, lives: pd.DataFrame, happened: dict[str, pd.DataFrame], colour: str, unit: TimeUnit
) -> set[str]:
    shown = shown_patients(lives)
    row_of = {patient: row for row, patient in enumerate(shown["patient"])}
    length = shown["time_days"].to_numpy(float) / unit.days
    axis.barh(range(len(shown)), length, height=0.7, color=colour, linewidth=0)
    seen = set()
    dead = shown["event"].to_numpy(bool)
    if dead.any():
        axis.plot(length[dead], np.flatnonzero(dead), "X", color=ON_LIGHT, markersize=4.6, markeredgewidth=0.4,
                  markeredgecolor=ON_DARK, zorder=4)  # fmt: skip
        seen.add("died")
    if (~dead).any():
        axis.plot(length[~dead], np.flatnonzero(~dead), ">", color=colour, markersize=4, clip_on=False, zorder=3)
        seen.add("alive")
    names = list(happened)
    for place, (name, table) in enumerate(happened.items()):
        mine = table[table["event"] & table["patient"].isin(list(row_of))]
        if mine.empty:
            continue
        mark, ink = MARKS.get(name, ("D", FAINT))
        # what falls on one day stays apart
        aside = SPREAD * ((place + 0.5) / len(names) - 0.5)
        size = 5.6 if mark == "*" else 4.0
        axis.plot(mine["time_days"] / unit.days, [row_of[one] + aside for one in mine["patient"]], mark, color=ink,
                  markersize=size, markeredgecolor=PAPER, markeredgewidth=0.3, zorder=5)  # fmt: skip
        seen.add(name)
    axis.set_ylim(len(shown) - 0.2, -0.8)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    axis.grid(False)
    return seen


def _finish(axes: Any, unit: TimeUnit, span: float) -> None:
    from matplotlib.ticker import MultipleLocator

    for axis in axes.flat:
        axis.set_xlim(0, 1.02 * span / unit.days)
        axis.xaxis.set_major_locator(MultipleLocator(unit.step(span, most=5)))
        axis.tick_params(labelbottom=True)
    for axis in axes[:, 0]:
        axis.set_ylabel("patients")


def _legend(marked: list[str], seen: set[str]) -> list[Any]:
    from matplotlib.lines import Line2D

    def sign(mark: str, colour: str, label: str) -> Any:
        return Line2D([], [], marker=mark, color=colour, linewidth=0, markersize=4.5, label=label)

    handles = [sign(*MARKS.get(name, ("D", FAINT)), words(name)) for name in marked if name in seen]
    if "died" in seen:
        handles.append(sign("X", ON_LIGHT, "died"))
    if "alive" in seen:
        handles.append(sign(">", FAINT, "alive when last seen"))
    return handles
