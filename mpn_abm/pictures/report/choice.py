"""Which pictures a report has, by what its source is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mpn_abm.errors import UsageError
from mpn_abm.pictures.catalogue import draw
from mpn_abm.pictures.courses import share_alive
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.report import scored
from mpn_abm.pictures.runs import trajectory_of
from mpn_abm.pictures.style import Picture

LARGEST_SVG = 330_000
FEWEST_BARS = 4
MOST_FIGURES = 40


@dataclass(frozen=True)
class Wanted:
    """A picture, what it is called on the page, and what its kind is told."""

    kind: str
    title: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """A picture on a page: SVG text or the bytes of a PNG, or why there is none."""

    title: str
    alt: str
    svg: str = ""
    png: bytes = b""
    missing: str = ""


def wanted(recording: Recording) -> list[Wanted]:
    """The pictures in the order in which a reader wants them."""
    if recording.has("indices"):
        names = recording.frame("indices")
        endpoints = list(names["endpoint"].unique()) if "endpoint" in names else [None]
        return [Wanted("tornado", f"What matters to {name or 'it'}", {"endpoint": name} if name else {})
                for name in endpoints[:6]]  # fmt: skip
    if recording.has(scored.TABLE):
        return _of_score(recording)
    if recording.is_study:
        return [*_of_claims(recording), *(_of_arms(recording) if recording.has("survival") else _of_sweep(recording))]
    return _of_run(recording)


def _of_score(recording: Recording) -> list[Wanted]:
    """Pictures of what was missed, of what was held and of the rest, none longer than a page can be read."""
    rows = scored.targets_of(recording)
    found = []
    for group in scored.GROUPS:
        names = [row.name for row in rows if row.group == group and row.is_drawn]
        parts = [names[start : start + MOST_FIGURES] for start in range(0, len(names), MOST_FIGURES)]
        for number, part in enumerate(parts, 1):
            title = f"{group}: published bands and the model"
            title += f" ({number} of {len(parts)})" if len(parts) > 1 else ""
            found.append(Wanted("evidence", title, {"columns": part}))
    return found


def _of_claims(recording: Recording) -> list[Wanted]:
    if recording.has("claims") and len(recording.frame("claims")):
        return [Wanted("evidence", "Claims and what came out", {})]
    return []


def _of_arms(recording: Recording) -> list[Wanted]:
    found = [Wanted("flow", "Where the patients went", {})] if recording.has("flow") else []
    if recording.has("trajectory"):
        found.append(Wanted("timeseries", "Courses of the arms", {}))
    times = recording.frame("survival")
    died = times.loc[times["endpoint"] == "overall_survival", "event"].any()
    if died:
        found.append(Wanted("kaplan_meier", "Survival", {"endpoint": "overall_survival"}))
    patients = recording.frame("summary")["patient"].nunique() if recording.has("summary") else 0
    if patients >= FEWEST_BARS:
        found.append(Wanted("waterfall", "Change of each patient", {}))
        if times.loc[times["endpoint"] != "overall_survival", "event"].any() or died:
            found.append(Wanted("swimmer", "Course of each patient", {}))
    if recording.has("power"):
        found.append(Wanted("power", "How many patients a trial needs", {}))
    return found


def _of_sweep(recording: Recording) -> list[Wanted]:
    return [Wanted("pairs", "What goes with what", {}), Wanted("heatmap", "Over two parameters", {})]


def _of_run(recording: Recording) -> list[Wanted]:
    if not recording.has("trajectory"):
        return [Wanted("evidence", "Published figures and the model", {})]
    rows = trajectory_of(recording, None, None)
    runs = rows["patient"].nunique()
    found = [Wanted("timeseries", "Courses", {})]
    if recording.has("snapshots"):
        found.append(Wanted("maps", "The marrow over time", {}))
    if recording.has("clones") and runs == 1:
        found.append(Wanted("muller", "Clones, nested by descent", {}))
    if runs >= FEWEST_BARS and share_alive(rows) is not None:
        found.append(Wanted("kaplan_meier", "Survival", {"endpoint": "overall_survival"}))
    if runs >= FEWEST_BARS and "spleen_ml" in rows:
        found.append(Wanted("waterfall", "Change of each patient", {}))
    return found


def drawn(recording: Recording, one: Wanted, prefix: str) -> Shown:
    """A picture as SVG, or as an image where that would be large."""
    try:
        picture: Picture = draw(one.kind, recording, title="", **one.options)
    except UsageError as error:
        return Shown(one.title, "", missing=str(error))
    svg = picture.svg(prefix)
    if len(svg) <= LARGEST_SVG:
        return Shown(one.title, picture.alt, svg=svg)
    return Shown(one.title, picture.alt, png=picture.data("png", dpi=130))
