"""The change of every patient as a bar, from the worst to the best."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mpn_abm.errors import UsageError
from mpn_abm.pictures.cohort import by_arm, changes_of
from mpn_abm.pictures.labels import words
from mpn_abm.pictures.palette import EMPHASIS, FAINT, INK, arm_colours
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.runs import chosen_arms, head_of, reference_of
from mpn_abm.pictures.style import Picture, heading, new_figure

# what counts as a response, as a relative change
RESPONSE = {"spleen_ml": (-0.35, "SVR35"), "symptom_score": (-0.5, "TSS50"), "vaf_driver": (-0.5, "molecular response")}
HIGHEST = 1.0
PREFERRED = ("spleen_ml", "vaf_driver")


def draw(
    recording: Recording, *, endpoint: str | None = None, day: float | None = None, arm: str | None = None,
    title: str | None = None,
) -> Picture:  # fmt: skip
    """Draw the relative change of every patient since day 0.

    Parameters
    ----------
    recording : Recording
        A study, or a run with replicates.
    endpoint : str, optional
        A column of the trajectory; the spleen unless said.
    day : float, optional
        The nearest day of the table of endpoints; week 24 if it has it.
    arm : str, optional
        One arm; all unless said.
    title : str, optional
        Instead of the question.
    """
    name = endpoint or _usual(recording)
    table, when = changes_of(recording, name, day)
    if arm is not None:
        chosen_arms(recording, arm)
        table = table[table["arm"] == arm]
    if table["relative_change"].isna().all():
        raise UsageError(f"{recording.place}: nobody has a relative change of {name}: it needs a base that is not 0")
    arms = by_arm(table)
    colours = arm_colours(arms, reference_of(recording))
    across = min(len(arms), 4)
    down = -(-len(arms) // across)
    figure = new_figure(max(4.6, 1.85 * across), 1.1 + 2.5 * down)
    axes = figure.subplots(down, across, sharey=True, squeeze=False)
    for axis in axes.flat[len(arms) :]:
        axis.set_axis_off()
    for axis, (one, mine) in zip(axes.flat, arms.items(), strict=False):
        _draw_arm(axis, mine, name, colours[one])
        axis.set_title("all" if one is None else one.replace("_", " "))
    shown = np.minimum(table["relative_change"].dropna().to_numpy(float), HIGHEST)
    limit = RESPONSE[name][0] if name in RESPONSE else 0.0
    axes[0, 0].set_ylim(105 * min(shown.min(), limit, -0.25), 107 * max(shown.max(), 0.25))
    for axis in axes[:, 0]:
        axis.set_ylabel(f"change of {words(name)} (%)")
    moment = "at the last day" if when is None else f"week {when / 7:g}" if when % 7 == 0 else f"day {when:g}"
    question, whose = head_of(recording, arm, int(table.groupby("arm", dropna=False).size().max()), len(arms))
    below = f"{words(name)}, {moment}, relative to day 0; {whose}"
    heading(figure, question if title is None else title, below if title != "" else "")
    said = "; ".join(f"{'all' if one is None else one} median {100 * mine['relative_change'].median():.3g} %"
                     for one, mine in arms.items())  # fmt: skip
    return Picture(figure, f"Waterfall of {words(name)}, {moment}, of {recording.name}: {said}.")


def _usual(recording: Recording) -> str:
    there = recording.columns("trajectory") if recording.has("trajectory") else []
    if recording.has("endpoints"):
        there = list(recording.frame("endpoints")["endpoint"].unique())
    return next((name for name in PREFERRED if name in there), "vaf_driver")


def _draw_arm(axis: Any, table: pd.DataFrame, name: str, colour: str) -> None:
    change = np.sort(table["relative_change"].dropna().to_numpy(float))[::-1]
    shown = np.minimum(change, HIGHEST)
    axis.bar(np.arange(len(shown)) + 0.5, 100 * shown, width=0.8 if len(shown) < 80 else 1.0, color=colour, linewidth=0)
    over = np.flatnonzero(change > HIGHEST)
    if len(over):
        axis.plot(over + 0.5, np.full(len(over), 104 * HIGHEST), "^", color=INK, markersize=3, clip_on=False)
    axis.axhline(0, color=INK, linewidth=0.6)
    axis.set_xlim(0, max(len(shown), 1))
    axis.set_xticks([])
    axis.spines["bottom"].set_visible(False)
    missing = len(table) - len(change)
    lines = [f"{len(change)} patients", *([f"{missing} without a value"] if missing else [])]
    if len(over):
        lines.append(f"▲ above {100 * HIGHEST:.0f} %")
    if name in RESPONSE:
        limit, word = RESPONSE[name]
        axis.axhline(100 * limit, color=EMPHASIS, linewidth=0.8, linestyle=(0, (4, 2)))
        # whoever has no value did not respond
        share = np.average(table["relative_change"] <= limit, weights=table.get("weight"))
        lines.append(f"{word}: {100 * share:.0f} %" + (" by weight" if "weight" in table else ""))
    axis.set_xlabel("\n".join(lines), fontsize=7, color=FAINT)
