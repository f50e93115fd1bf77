"""What must hold between the parts of an axis."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isclose
from statistics import NormalDist

from mpn_abm.scenario.finding import Finding
from mpn_abm.scenario.studies.axes import NEEDS, SHAPES, Axis
from mpn_abm.scenario.suggestions import one_of
from mpn_abm.scenario.tree import Path, written

_RANGE = "`low` and `high`"


def checked_axis(place: Path, axis: Axis, kind: str, method: str | None) -> Iterator[Finding]:
    """What is wrong with an axis of a study of this kind and method; None if the method is not known."""
    yield from _of_its_form(place, axis, kind, method)
    if axis.distribution is None:
        for name in SHAPES:
            if getattr(axis, name) is not None:
                yield Finding((*place, name), f"expected beside `distribution:`, {one_of(_having(name))}")
    else:
        yield from _of_the_distribution(place, axis)
    yield from _of_the_list(place, axis)
    yield from _of_the_ends(place, axis)


def _having(name: str) -> list[str]:
    return ["choice"] if name == "weights" else [word for word, needed in NEEDS.items() if name in needed]


def _of_its_form(place: Path, axis: Axis, kind: str, method: str | None) -> Iterator[Finding]:
    is_range = axis.levels is None and axis.distribution is None
    if kind == "trial" and axis.distribution is None:
        yield Finding(place, f"expected a `distribution:`, {one_of(NEEDS)}")
        return
    if kind == "calibrate" and axis.levels is not None:
        yield Finding(place, f"expected a range with {_RANGE}, or a `distribution:`")
        return
    if method == "grid" and axis.distribution is not None:
        yield Finding((*place, "distribution"), f"expected a list of levels, or {_RANGE} with `steps`, in a grid")
        return
    missing = [name for name in ("low", "high") if getattr(axis, name) is None]
    if is_range and len(missing) == 2:
        ways = ["a list of levels", _RANGE, "a `distribution:`"]
        offered = {"grid": ways[:2]}.get(method or "", ways[1:] if kind == "calibrate" else ways)
        yield Finding(place, f"expected {', or '.join(offered)}")
        return
    for name in missing if is_range else ():
        yield Finding((*place, name), "missing, expected the other end of the range")
    if is_range and method == "grid" and axis.steps is None:
        yield Finding((*place, "steps"), "missing, expected how many values of the range are in the grid")
    if axis.steps is not None and method not in ("grid", None):
        yield Finding((*place, "steps"), "expected in a grid only")


def _of_the_distribution(place: Path, axis: Axis) -> Iterator[Finding]:
    name = str(axis.distribution)
    for needed in NEEDS[name]:
        if getattr(axis, needed) is None:
            yield Finding((*place, needed), f"missing, expected for the distribution {name}")
    taken = {*NEEDS[name], *(("weights",) if name == "choice" else ("low", "high"))}
    for other in (*SHAPES, "low", "high"):
        if other not in taken and getattr(axis, other) is not None:
            yield Finding((*place, other), f"not for the distribution {name}, which takes {', '.join(sorted(taken))}")
    for other, usual in (("scale", "linear"), ("steps", None)):
        if getattr(axis, other) != usual:
            yield Finding((*place, other), "expected of a range, not of a distribution")


def _of_the_list(place: Path, axis: Axis) -> Iterator[Finding]:
    name = "values" if axis.distribution == "choice" else "levels"
    listed = axis.listed
    if listed is None:
        return
    if not listed:
        yield Finding((*place, name), "expected at least one value")
    seen: list[str] = []
    for k, value in enumerate(listed):
        # 1 and 1.0 are one value
        text = written(float(value) if isinstance(value, int) and not isinstance(value, bool) else value)
        if text in seen:
            yield Finding((*place, name, k), "expected each value once")
        seen.append(text)
    if axis.weights is not None and axis.distribution == "choice":
        if len(axis.weights) != len(listed):
            yield Finding((*place, "weights"), f"expected as many as values, {len(listed)}")
        elif min(axis.weights, default=0.0) < 0.0 or not sum(axis.weights) > 0.0:
            yield Finding((*place, "weights"), "expected numbers of 0 or more, not all 0")


def _of_the_ends(place: Path, axis: Axis) -> Iterator[Finding]:
    low, high = axis.low, axis.high
    if low is not None and high is not None and not low < high:
        yield Finding((*place, "high"), f"expected more than low, {low:g}")
        return
    logarithmic = axis.distribution == "loguniform" or (axis.distribution is None and axis.scale == "log")
    if logarithmic and low is not None and low <= 0.0:
        yield Finding((*place, "low"), "expected more than 0, as the logarithm is uniform")
    within = {"beta": (0.0, 1.0), "lognormal": (0.0, None)}.get(axis.distribution or "")
    if within is not None:
        least, most = within
        if high is not None and high <= (least or 0.0):
            yield Finding((*place, "high"), "expected more than 0, where the distribution begins")
        if low is not None and most is not None and low >= most:
            yield Finding((*place, "low"), f"expected less than {most:g}, where the distribution ends")
    if axis.distribution == "normal" and axis.mean is not None and axis.sd is not None and _leaves_nothing(axis):
        yield Finding((*place, "low" if low is not None else "high"), "expected ends between which something is drawn")


def _leaves_nothing(axis: Axis) -> bool:
    """Whether a normal distribution has no values between its ends that a number of 64 bits can tell apart."""
    assert axis.mean is not None
    assert axis.sd is not None
    known = NormalDist(axis.mean, axis.sd)
    low = -inf if axis.low is None else axis.low
    high = inf if axis.high is None else axis.high
    if low > axis.mean:
        # the upper tail by its mirror image, which keeps its digits
        low, high = 2 * axis.mean - high, 2 * axis.mean - low
    least, most = known.cdf(low), known.cdf(high)
    return isclose(least, most, rel_tol=1e-9, abs_tol=1e-300)
