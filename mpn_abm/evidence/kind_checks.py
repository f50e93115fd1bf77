"""What must hold within and around a target whose kind needs no band."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from mpn_abm.analysis.bands import WITHOUT_BAND
from mpn_abm.evidence.blocks import Target
from mpn_abm.scenario.claims import CORRELATIONS, OF_TIMES
from mpn_abm.scenario.endpoints import Endpoint, endpoint_of
from mpn_abm.scenario.finding import Finding
from mpn_abm.scenario.suggestions import unknown
from mpn_abm.scenario.tree import Path


def kind_findings(here: Path, target: Target) -> Iterator[Finding]:
    """What is wrong in what a target says of itself."""
    if target.kind in WITHOUT_BAND:
        for name in ("low", "high"):
            if getattr(target, name) is not None:
                yield Finding((*here, name), f"expected none, kind `{target.kind}` has no band")
    if target.kind == "order":
        yield from _of_an_order(here, target)
        return
    for name in ("order_arms", "order"):
        if getattr(target, name):
            yield Finding((*here, name), "expected `kind: order` beside it")
    if target.kind == "exists":
        if target.statistic not in ("mean", "incidence"):
            yield Finding((*here, "statistic"), "expected mean (the share) or incidence, as kind `exists` asks for one")
        if target.contrast_or_none is not None:
            yield Finding(here, "expected no `versus` and no `contrast`, kind `exists` asks of one arm")


def _of_an_order(here: Path, target: Target) -> Iterator[Finding]:
    if target.experiment is None:
        return
    if bool(target.order_arms) == bool(target.order):
        yield Finding(here, "expected `order_arms` or `order_days`, one of the two")
        return
    name, listed = ("order_arms", target.order_arms) if target.order_arms else ("order", target.order)
    if len(set(listed)) < max(len(listed), 2):
        yield Finding((*here, name), "expected two or more, each once")
    if target.contrast_or_none is not None:
        yield Finding(here, "expected no `versus` and no `contrast`, an order has its own steps")
    if target.order_arms and target.arm is not None:
        yield Finding((*here, "arm"), "expected none beside `order_arms`")
    if target.order and target.at_day is not None:
        yield Finding((*here, "at_day"), "expected none beside `order_days`")
    unfit = (*CORRELATIONS, *(OF_TIMES if target.order else ()))
    if target.statistic in unfit:
        yield Finding((*here, "statistic"), f"expected none of {', '.join(unfit)}, whose steps have no error")


def findings_between(
    here: Path, target: Target, arms: Collection[str], own: Mapping[str, Endpoint], duration: float
) -> Iterator[Finding]:
    """What is wrong between such a target and its experiment."""
    for arm in target.order_arms:
        if arm not in arms:
            told = unknown("arm", arm, arms) if arms else "expected `arms:` in the experiment"
            yield Finding((*here, "order_arms"), told)
    if max(target.order, default=0.0) > duration:
        yield Finding((*here, "order"), f"expected days of the run, which lasts {duration:g} days")
    if target.kind == "exists" and target.endpoint and not endpoint_of(target.endpoint, dict(own)).is_event:
        yield Finding((*here, "endpoint"), "expected an endpoint with a yes or no, kind `exists` asks who has it")
