"""The kinds of pictures, and what each can be told."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mpn_abm.errors import UsageError

if TYPE_CHECKING:
    from mpn_abm.pictures.style import Picture


@dataclass(frozen=True)
class Kind:
    """One kind of picture: the module that draws it, and what it shows."""

    home: str
    shows: str


KINDS: dict[str, Kind] = {
    "timeseries": Kind("timeseries", "courses of clones, VAF, T cells, scar, blood and spleen, and what was given"),
    "muller": Kind("muller", "clones over time, each within the one from which it arose"),
    "map": Kind("maps", "the marrow on a day: cells, scar, T cells; with depth three slices and a projection"),
    "maps": Kind("several_maps", "small maps over time"),
    "lineage": Kind("lineage", "the tree of clones: who arose from whom, and how large it became"),
    "kaplan_meier": Kind("kaplan_meier", "share without an event, with intervals and numbers at risk"),
    "waterfall": Kind("waterfall", "the change of every patient, from the worst to the best"),
    "swimmer": Kind("swimmer", "the course of every patient, with what happened on it"),
    "flow": Kind("flow", "where the patients of a trial went, by arm and day (CONSORT)"),
    "power": Kind("power", "the share of smaller and larger trials that would find the difference"),
    "heatmap": Kind("heatmap", "a value of a sweep over two of its parameters"),
    "pairs": Kind("pairs", "a value of a sweep against each parameter, and over each pair"),
    "tornado": Kind("tornado", "how much each parameter matters, and how well it is known"),
    "evidence": Kind("evidence", "published bands and the model's intervals, one row each"),
}


def draw(kind: str, source: Any, **options: Any) -> Picture:
    """Draw a picture of a run or a study.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    source : path, Result, Study or Recording
        What is drawn.
    **options
        What the kind can be told; the function ``draw`` of its module says it.

    Raises
    ------
    UsageError
        If there is no such kind, it does not take an option, or the tables do not have what it needs; if matplotlib
        is not installed.
    """
    from mpn_abm.scenario.suggestions import unknown

    if kind not in KINDS:
        raise UsageError(unknown("kind of picture", kind, KINDS))
    from mpn_abm.pictures.recording import Recording
    from mpn_abm.pictures.style import drawing

    with drawing():
        function = import_module(f"mpn_abm.pictures.{KINDS[kind].home}").draw
        _refuse_what_it_does_not_take(kind, function, options)
        picture: Picture = function(source if isinstance(source, Recording) else Recording(source), **options)
    return picture


def options_of(function: Any) -> list[str]:
    """What a kind can be told."""
    parameters = inspect.signature(function).parameters.values()
    return [parameter.name for parameter in parameters if parameter.kind is inspect.Parameter.KEYWORD_ONLY]


def _refuse_what_it_does_not_take(kind: str, function: Any, options: Mapping[str, Any]) -> None:
    takes = options_of(function)
    for name in options:
        if name not in takes:
            told = ", ".join(f"--{one}" for one in takes)
            raise UsageError(f"plot {kind} takes no --{name}; it takes {told}")
