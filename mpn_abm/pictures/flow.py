"""Where the patients of a trial went, as the flow chart of a report shows it (CONSORT)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpn_abm.analysis.claims import rows_of
from mpn_abm.analysis.pairing import PAIRED
from mpn_abm.analysis.trial_lines import when
from mpn_abm.pictures.palette import FAINT, INK, arm_colours
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.runs import head_of, reference_of
from mpn_abm.pictures.style import Picture, heading, new_figure

# of a box, in inches; a column is as wide as its box and a gap
WIDTH, GAP, LINE, PADDING, STEM = 1.75, 0.25, 0.155, 0.14, 0.26


def draw(recording: Recording, *, title: str | None = None) -> Picture:
    """Draw how many patients were enrolled and allocated, and on each day that is asked what became of them.

    Parameters
    ----------
    recording : Recording
        A trial.
    title : str, optional
        Instead of the question.
    """
    recording.need("flow", "this is for a trial")
    by_arm: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows_of(recording.frame("flow")):
        by_arm.setdefault(row["arm"], []).append(row)
    boxes = {arm: [_allocated(arm, rows[0]), *(_on(row) for row in rows if row["day"] > 0)]
             for arm, rows in by_arm.items()}  # fmt: skip
    first = next(iter(by_arm.values()))[0]
    top = _enrolled(first)
    heights = [max(len(column[k]) for column in boxes.values()) * LINE + PADDING
               for k in range(len(next(iter(boxes.values()))))]  # fmt: skip
    across = max(len(boxes) * (WIDTH + GAP), 2.2 * WIDTH)
    down = len(top) * LINE + PADDING + sum(heights) + STEM * (len(heights) + 0.5)
    figure = new_figure(across + 0.3, down + 0.75)
    axis = figure.subplots()
    axis.set_axis_off()
    axis.set_xlim(0, across)
    # the edge of a box is half outside of it
    axis.set_ylim(down + 0.02, -0.02)
    colours = arm_colours(boxes, reference_of(recording))
    middle = {arm: across / 2 + (k - (len(boxes) - 1) / 2) * (WIDTH + GAP) for k, arm in enumerate(boxes)}
    fork = _box(axis, across / 2, 0.0, top, len(top) * LINE + PADDING, INK) + STEM / 2
    axis.plot([across / 2] * 2, [fork - STEM / 2, fork], color=FAINT, linewidth=0.9)
    axis.plot([min(middle.values()), max(middle.values())], [fork] * 2, color=FAINT, linewidth=0.9)
    for arm, column in boxes.items():
        upper = fork
        for lines, height in zip(column, heights, strict=True):
            _arrow(axis, middle[arm], upper)
            upper = _box(axis, middle[arm], upper + STEM, lines, height, colours[arm])
    question, whose = head_of(recording, None, first["allocated"], len(boxes))
    heading(figure, question if title is None else title, whose if title != "" else "")
    told = ". ".join(f"{arm}: {'; '.join(_told(lines) for lines in column)}" for arm, column in boxes.items())
    return Picture(figure, f"Flow of the patients of {recording.name}: {', '.join(top)}. {told}.")


def _enrolled(row: Mapping[str, Any]) -> list[str]:
    kind = "each in every arm" if row["design"] == PAIRED else "each in one arm, at random"
    return [f"{row['enrolled']:,} patients", kind]


def _allocated(arm: str, row: Mapping[str, Any]) -> list[str]:
    failed = [f"{row['failed']:,} runs failed"] if row["failed"] else []
    return [arm.replace("_", " "), f"{row['allocated']:,} allocated", *failed]


def _on(row: Mapping[str, Any]) -> list[str]:
    """The counts of one day; what happened to nobody is not worth a line, but for deaths."""
    gone = [("died", "died so far"), ("dropped_out", "lost from view"), ("ended", "runs ended before")]
    told = [f"{row[name]:,} {words}" for name, words in gone if row[name] or name == "died"]
    progressed = [f"{row['progressed']:,} progressed so far"] if row["progressed"] else []
    return [when(row["day"]), f"{row['evaluable']:,} watched", *told, *progressed, f"{row['analysed']:,} analysed"]


def _told(lines: list[str]) -> str:
    """A box in words: its first line is a day, or the arm that stands before it."""
    counts = ", ".join(lines[1:])
    return counts if lines[1].endswith("allocated") else f"{lines[0]}: {counts}"


def _box(axis: Any, x: float, upper: float, lines: list[str], height: float, colour: str) -> float:
    """A box with its first line in bold letters; returns where it ends."""
    from matplotlib.patches import FancyBboxPatch

    axis.add_patch(
        FancyBboxPatch((x - WIDTH / 2, upper), WIDTH, height, boxstyle="round,pad=0,rounding_size=0.04",
                       facecolor="none", edgecolor=colour, linewidth=1.2)
    )  # fmt: skip
    start = upper + PADDING / 2 + LINE / 2
    for k, line in enumerate(lines):
        axis.text(x, start + k * LINE, line, ha="center", va="center", fontsize=7.5,
                  fontweight="bold" if k == 0 else "normal")  # fmt: skip
    return upper + height


def _arrow(axis: Any, x: float, upper: float) -> None:
    axis.annotate("", (x, upper + STEM), (x, upper), arrowprops={"arrowstyle": "-|>", "color": FAINT, "linewidth": 0.9,
                                                                 "shrinkA": 0, "shrinkB": 0})  # fmt: skip
