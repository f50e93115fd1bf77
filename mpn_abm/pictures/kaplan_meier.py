"""The share of patients without an event over time, with intervals and numbers at risk."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mpn_abm.analysis.survival import log_rank, median_time, survival_curve
from mpn_abm.errors import UsageError
from mpn_abm.pictures.cohort import are_independent, by_arm, events_of, times_of
from mpn_abm.pictures.labels import TimeUnit, quantity, time_unit, words
from mpn_abm.pictures.palette import FAINT, arm_colours
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.runs import chosen_arms, head_of, reference_of
from mpn_abm.pictures.style import Picture, heading, new_figure

PREFERRED = ("overall_survival", "progression_free_survival")


def draw(
    recording: Recording, *, endpoint: str | None = None, arm: str | None = None, title: str | None = None
) -> Picture:
    """Draw Kaplan-Meier curves with their 95 % intervals, and how many are at risk beneath.

    Parameters
    ----------
    recording : Recording
        A study, or a run with replicates.
    endpoint : str, optional
        An endpoint with a time; overall survival unless said.
    arm : str, optional
        One arm; all unless said.
    title : str, optional
        Instead of the question.
    """
    name = endpoint or _usual(recording)
    times = times_of(recording, name)
    if arm is not None:
        chosen_arms(recording, arm)
        times = times[times["arm"] == arm]
    arms = by_arm(times)
    if not len(times):
        raise UsageError(f"{recording.place}: no patient has a time to {name}")
    span = float(times["time_days"].max())
    unit = time_unit(span)
    colours = arm_colours(arms, reference_of(recording))
    figure = new_figure(6.2, 3.7 + 0.3 * len(arms))
    axis, table = figure.subplots(2, 1, sharex=True, height_ratios=[3.0, 0.25 + 0.19 * len(arms)])
    for one, mine in arms.items():
        draw_curve(axis, mine, colours[one], _label(one, mine, unit), unit)
    _finish(axis, name, unit, span, len(arms))
    numbers = draw_numbers_at_risk(table, arms, colours, unit, span)
    table.set_xlabel(unit.label)
    said = differences(recording, arms, name)
    if said:
        figure.supxlabel("\n".join(said), x=0.01, ha="left", fontsize=7.0, color=FAINT)
    weighted = ", curves by the weights of the patients" if "weight" in times else ""
    question, whose = head_of(recording, arm, int(times.groupby("arm", dropna=False).size().max()), len(arms))
    heading(
        figure,
        question if title is None else title,
        f"{name.replace('_', ' ')}; {whose}{weighted}" if title != "" else "",
    )
    shown = "; ".join(f"{_label(one, mine, unit)}, {numbers[one][-1]} at risk at the end" for one, mine in arms.items())
    return Picture(figure, f"Kaplan-Meier curves, {words(name)}, of {recording.name}: {shown}. "
                           f"{'. '.join(said)}")  # fmt: skip


def _usual(recording: Recording) -> str:
    known = events_of(recording)
    return next((name for name in PREFERRED if name in known), known[0] if known else "overall_survival")


def steps(times: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Days, shares free of the event, lower and upper limits, from day 0 to the last day that anybody was watched."""
    found = survival_curve(times)
    x = np.concatenate([[0.0], found.days, [times["time_days"].max()]])

    def course(values: np.ndarray, first: float) -> np.ndarray:
        return np.concatenate([[first], values, values[-1:] if len(values) else [first]])

    return x, course(found.share, 1.0), course(found.low, np.nan), course(found.high, np.nan)


def draw_curve(axis: Any, times: pd.DataFrame, colour: str, label: str, unit: TimeUnit) -> None:
    """A step curve with its band, and a tick where somebody is not watched any longer."""
    day, share, low, high = steps(times)
    axis.step(day / unit.days, share, where="post", color=colour, label=label)
    axis.fill_between(day / unit.days, low, high, step="post", color=colour, alpha=0.14, linewidth=0)
    left = np.sort(times.loc[~times["event"] & (times["time_days"] < times["time_days"].max()), "time_days"])
    at = share[np.searchsorted(day[:-1], left, side="right") - 1]
    axis.plot(left / unit.days, at, "|", color=colour, markersize=5, markeredgewidth=0.8)


def _finish(axis: Any, name: str, unit: TimeUnit, span: float, arms: int) -> None:
    from matplotlib.ticker import MultipleLocator

    # the legend has a row for each arm above the curves
    axis.set_ylim(0, 1.04 + 0.08 * arms)
    axis.set_yticks(np.linspace(0, 1, 6))
    axis.spines["left"].set_bounds(0, 1)
    axis.legend(loc="upper right", borderaxespad=0.0)
    axis.set_xlim(0, span / unit.days)
    axis.xaxis.set_major_locator(MultipleLocator(unit.step(span)))
    axis.tick_params(labelbottom=False)
    alive = name.endswith("survival")
    axis.set_ylabel(f"share {words(name)}" if alive else f"share without {words(name)}")


def draw_numbers_at_risk(
    axis: Any, arms: dict[str | None, pd.DataFrame], colours: dict[str | None, str], unit: TimeUnit, span: float
) -> dict[str | None, list[int]]:
    """A row for each arm with how many are watched and without the event at each tick; returns the numbers."""
    days = np.arange(0.0, span / unit.days + 1e-9, unit.step(span)) * unit.days
    numbers = {one: at_risk(mine, days) for one, mine in arms.items()}
    for row, (one, counts) in enumerate(numbers.items()):
        for day, number in zip(days, counts, strict=True):
            axis.text(day / unit.days, row, str(number), ha="center", va="center", fontsize=7.5)
        axis.axhspan(row - 0.42, row + 0.42, color=colours[one], alpha=0.14, linewidth=0)
    axis.set_yticks(range(len(arms)), [_name(one) for one in arms])
    axis.set_ylim(len(arms) - 0.5, -0.5)
    axis.set_title("number at risk", fontweight="normal", fontsize=7.5)
    axis.grid(False)
    axis.tick_params(length=0)
    # the first number stands on day 0
    axis.tick_params(axis="y", pad=13)
    for side in axis.spines.values():
        side.set_visible(False)
    return numbers


def at_risk(times: pd.DataFrame, days: np.ndarray) -> list[int]:
    """How many are watched, and had no event, until each of these days."""
    return [int((times["time_days"] >= day - 1e-6).sum()) for day in days]


def differences(recording: Recording, arms: dict[str | None, pd.DataFrame], name: str) -> list[str]:
    """What can be said of the difference to the reference.

    Of independent arms the log-rank test, which is of patients who count alike; of twins, who are not independent,
    what the comparison says.
    """
    reference = reference_of(recording)
    others = [one for one in arms if one != reference]
    if reference not in arms or not others:
        return []
    together = pd.concat(list(arms.values()))
    if are_independent(together) and "weight" in together:
        return ["patients have weights: no log-rank test"]
    if are_independent(together):
        named = {one: times.set_index("patient") for one, times in arms.items()}
        return [_of_log_rank(one, log_rank(named[one], named[reference]), reference) for one in others]
    told = [line for one in others for line in _of_twins(recording, one, name)]
    return told or ["the same patients in all arms: no log-rank test"]


def _of_log_rank(arm: str | None, p_value: float, reference: str | None) -> str:
    told = "not known" if np.isnan(p_value) else "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"
    return f"log-rank, {_name(arm)} and {_name(reference)}: {told}"


def _of_twins(recording: Recording, arm: str | None, name: str) -> list[str]:
    if not recording.has("comparison"):
        return []
    table = recording.frame("comparison")
    rows = table[(table["endpoint"] == name) & (table["arm"] == arm) & (table["contrast"] == "difference")]
    rows = rows[rows["statistic"].isin(["mean", "survival", "restricted_mean", "incidence"])]
    if rows.empty:
        return []
    row = rows.iloc[-1]
    when = "at the end" if pd.isna(row["day"]) else f"on day {row['day']:g}"
    interval = "" if pd.isna(row["low"]) else f" ({row['low']:+.2g} to {row['high']:+.2g})"
    return [f"{arm} minus {row['versus']} {when}: {row['estimate']:+.2g}{interval}, by patient"]


def _name(arm: str | None) -> str:
    return "all" if arm is None else arm.replace("_", " ")


def _label(arm: str | None, times: pd.DataFrame, unit: TimeUnit) -> str:
    median, _ = median_time(times)
    half = "median not reached" if np.isnan(median) else f"median {quantity(median / unit.days)} {unit.name}"
    return f"{_name(arm)}: {int(times['event'].sum())} of {len(times)} with the event, {half}"
