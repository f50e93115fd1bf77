"""How many patients a trial needs: the share of smaller and larger trials that would find the difference."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mpn_abm.analysis.claims import rows_of
from mpn_abm.analysis.trial_lines import power_question, unit_of_size
from mpn_abm.errors import UsageError
from mpn_abm.pictures.labels import quantity
from mpn_abm.pictures.palette import EMPHASIS, SINGLE
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.style import Picture, heading, legend_below, log_scale, new_figure

USUAL = 0.8


def draw(recording: Recording, *, title: str | None = None) -> Picture:
    """Draw the power of trials of each size, with the interval of the draws and that of the large trial.

    Parameters
    ----------
    recording : Recording
        A trial that plans others, `trial.power`.
    title : str, optional
        Instead of the question.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    recording.need("power", "this is for a trial with trial.power")
    table = recording.frame("power").sort_values("size")
    if table["power"].isna().any():
        raise UsageError(f"{recording.place}: no power is known, as all patients are alike in what is asked")
    first = rows_of(table)[0]
    figure = new_figure(5.6, 3.8)
    axis = figure.subplots()
    size, share = table["size"].to_numpy(float), table["power"].to_numpy(float)
    axis.fill_between(size, table["trial_low"], table["trial_high"], color=SINGLE, alpha=0.16, linewidth=0)
    errors = np.abs(table[["low", "high"]].to_numpy(float).T - share)
    axis.errorbar(size, share, yerr=errors, color=SINGLE, marker="o", markersize=4.5, capsize=2.0, elinewidth=0.9)
    axis.axhline(USUAL, color=EMPHASIS, linewidth=0.8, linestyle=(0, (4, 2)))
    axis.set_ylim(0, 1.02)
    if size[-1] > 5 * size[0]:
        log_scale(axis, "x")
    axis.set_xticks(size, [quantity(one) for one in size])
    axis.set_xlabel(f"size of a trial ({unit_of_size(first)})")
    axis.set_ylabel("power (share of trials)")
    legend_below(figure, [
        Line2D([], [], color=SINGLE, marker="o", markersize=4.5, label="drawn from this trial (95 %)"),
        Patch(facecolor=SINGLE, alpha=0.16, label="what this trial leaves possible"),
        Line2D([], [], color=EMPHASIS, linewidth=0.8, linestyle=(0, (4, 2)), label="80 %"),
    ])  # fmt: skip
    heading(
        figure,
        recording.question if title is None else title,
        f"{recording.name}; {power_question(first)}" if title != "" else "",
    )
    return Picture(figure, f"Power of trials like {recording.name}, {unit_of_size(first)}: {_told(table)}.")


def _told(table: pd.DataFrame) -> str:
    return "; ".join(f"{row['size']:,}: {row['power']:.2f}, this trial leaves {row['trial_low']:.2f} to "
                     f"{row['trial_high']:.2f}" for row in rows_of(table))  # fmt: skip
