"""The words of the page of a score: each published figure beside the model, what was missed first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mpn_abm.analysis.bands import WITHOUT_BAND, band_in_words
from mpn_abm.pictures.labels import quantity
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.report.facts import Table

TABLE = "score"
QUESTION = "Does the model show what was published?"
GROUPS = ("Missed", "Held", "Not counted")
LINKS = (
    (re.compile(r"\b10\.\d{4,9}/[^\s,;()\"]*[^\s,;().\"]"), "https://doi.org/"),
    (re.compile(r"\bPMC\d{5,9}\b"), "https://pmc.ncbi.nlm.nih.gov/articles/"),
)


@dataclass(frozen=True)
class TargetRow:
    """One published figure in words; `group` is one of GROUPS."""

    name: str
    group: str
    held: bool
    role: str
    quantity: str
    asked: str
    published: str
    band: str
    value: str
    interval: str
    z: str
    constrains: str
    source: str
    link: str
    reason: str
    is_drawn: bool

    @property
    def rank(self) -> int:
        """The place of its group on the page."""
        return GROUPS.index(self.group)

    @property
    def verdict(self) -> str:
        """Whether it was held, in a word."""
        if self.group == GROUPS[-1] and not self.value:
            return "not asked"
        return "✓ held" if self.held else "✗ missed"

    @property
    def colour(self) -> str:
        """The class of the verdict on the page."""
        return "kicker" if self.verdict == "not asked" else "held" if self.held else "failed"


def targets_of(recording: Recording) -> list[TargetRow]:
    """The targets of a score: those that are missed, those that are held, and those that do not count."""
    if not recording.has(TABLE):
        return []
    table = recording.frame(TABLE)
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    found = [_row({str(key): value for key, value in row.items()}) for row in rows]
    # of what was missed, that which the model tells comes before that which nobody asks
    return sorted(found, key=lambda row: (row.rank, not row.is_drawn))


def score_in_words(recording: Recording, rows: list[TargetRow]) -> str:
    """How many figures are held, and of the others why not."""
    facts = recording.facts
    missed = [row for row in rows if row.group == "Missed"]
    silent = sum(row.value == "" for row in missed)
    held = sum(row.group == "Held" for row in rows)
    weight = f", {100 * facts['weighted']:.0f} % by weight" if "weighted" in facts else ""
    told = f"The model shows {held} of {held + len(missed)} published figures{weight}."
    if missed:
        outside = len(missed) - silent
        told += f" Of the {len(missed)} others: {outside} outside their bands, {silent} without a value."
    if facts.get("quick"):
        told += " The experiments were small (--quick), and the intervals are wide."
    return told


def counts_of(recording: Recording) -> list[Table]:
    """How many are held, by role and by file."""
    rows = []
    for what, word in (("by_role", "role"), ("by_file", "file")):
        for name, part in (recording.facts.get(what) or {}).items():
            counts = [str(part["held"]), str(part["targets"]), f"{100 * part['weighted']:.0f} %"]
            rows.append([f"{word} {name}", *counts])
    return [Table("Figures that count", ["", "held", "of", "by weight"], rows)] if rows else []


def command_of(recording: Recording) -> str:
    """What makes the score again."""
    facts = recording.facts
    said = [f"--targets {file}" for file in facts.get("target_files") or ()]
    said += [f"--only {name}" for name in facts.get("only") or ()]
    said += ["--quick"] if facts.get("quick") else []
    return " ".join(["mpn-abm evidence", *said, "--out again"])


def link_of(source: str) -> str:
    """The address of a paper whose DOI or PMC number is told; else nothing."""
    for pattern, home in LINKS:
        if found := pattern.search(source):
            return home + found[0]
    return ""


def _row(said: dict[str, Any]) -> TargetRow:
    value, low, high = said["value"], said["value_low"], said["value_high"]
    ends = ["not known" if limit is None else quantity(limit) for limit in (low, high)]
    unit = "" if said["unit"] in (None, "-", "fraction") else f" {said['unit']}"
    source = said["source"] or ""
    held = bool(said["held"])
    return TargetRow(
        name=said["target"],
        group="Not counted" if not said["scored"] else "Held" if held else "Missed",
        held=held,
        role=said["role"],
        quantity=said["quantity"] or "",
        asked=_asked(said),
        published="" if said["published"] is None else f"{quantity(said['published'])}{unit}",
        band=band_in_words(said, quantity),
        value="" if value is None else f"{quantity(value)}{unit}",
        interval="" if low is None and high is None else f"{ends[0]} to {ends[1]}",
        z="" if said["z"] is None else f"{said['z']:+.1f}",
        constrains=said["constrains"] or "",
        source=source,
        link=link_of(source),
        reason="; ".join(part for part in (_beyond(said), said["reason"]) if part),
        is_drawn=value is not None and bool(band_in_words(said, quantity)),
    )


def _beyond(said: Mapping[str, Any]) -> str:
    """On which side of the band the value lies, and whether its interval reaches the band."""
    value, low, high = said["value"], said["low"], said["high"]
    if said["held"] or value is None or said.get("kind") in WITHOUT_BAND:
        return ""
    is_below = low is not None and value < low
    limit, end = (low, said["value_high"]) if is_below else (high, said["value_low"])
    if limit is None:
        return ""
    reaches = end is not None and (end >= limit if is_below else end <= limit)
    side = "below the band" if is_below else "above the band"
    return side + (", which the interval reaches" if reaches else "")


def _asked(said: Mapping[str, Any]) -> str:
    """What the runs were asked."""
    if said["experiment"] is None:
        return ""
    arm = f", {said['arm']}" if said["arm"] else ""
    versus = f" against {said['versus']}" if said["versus"] else ""
    day = "" if said["day"] is None else f", day {said['day']:g}"
    return f"{str(said['statistic']).replace('_', ' ')} of {said['endpoint']}{arm}{versus}{day} in {said['experiment']}"
