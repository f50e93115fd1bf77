"""Charts of the page as SVG: drawn anew many times a second, so without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from mpn_abm.pictures.labels import quantity

WIDTH, HEIGHT = 380, 170
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 26, 24
# points of a line: as many as can be told apart
MOST_POINTS = 240
# units of a time axis, with its length in days from which on it is used
UNITS = (("years", 365.25, 3 * 365.25), ("days", 1.0, 3.0), ("hours", 1 / 24, 0.0))


@dataclass(frozen=True)
class Line:
    """Values over the days of a chart."""

    label: str
    colour: str
    values: Sequence[float]


@dataclass(frozen=True)
class Axis:
    """The days of a chart from 0 to ``end``, and the days on which somebody did something."""

    days: Sequence[float]
    end: float
    marks: Sequence[float] = ()

    @property
    def shown(self) -> range:
        """The places of the values that are drawn, the newest among them."""
        last = len(self.days) - 1
        return range(last, -1, -max(1, math.ceil(len(self.days) / MOST_POINTS)))

    def x(self, day: float) -> float:
        """Where a day lies."""
        return LEFT + (WIDTH - LEFT - RIGHT) * min(day / self.end, 1.0)


def axis_until(days: Sequence[float], duration: float, marks: Sequence[float]) -> Axis:
    """An axis that halves what is left to come, so that it seldom changes and the curve fills it."""
    end = duration
    while end / 2 > days[-1] * 1.02 and end > duration / 16:
        end /= 2
    return Axis(days, end, marks)


def chart(title: str, unit: str, lines: Sequence[Line], axis: Axis, *, floor: float = 0.0, top: float = 0.0) -> str:
    """A chart; its values go from ``floor`` to ``top`` at least."""
    shown = axis.shown
    values = [value for line in lines for k in shown if math.isfinite(value := line.values[k])]
    low, high = min([floor, *values]), max([top, *values])
    step = nice_step((high - low) or 1.0, 3)
    high = math.ceil(high / step - 1e-9) * step if high > low else low + step

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (value - low) / (high - low)

    drawn = [_grid(low, high, step, y), _days(axis)]
    marks = [f"{axis.x(day):.1f}" for day in axis.marks if day <= axis.end]
    drawn += [f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" class="mark"/>' for x in marks]
    drawn += [_line(line, axis, shown, y) for line in lines]
    now = ", ".join(f"{line.label} {short(line.values[-1])}" for line in lines)
    return _framed(title, unit, lines, "".join(drawn), f"{title}, {unit}: {now}")


def courses(title: str, rows: Sequence[tuple[str, Sequence[tuple[float, float]]]], axis: Axis) -> str:
    """Bars of what is given from when to when, a row each; what is given at once has no length."""
    drawn = [_days(axis)]
    pitch = (HEIGHT - BOTTOM - TOP) / max(len(rows), 4)
    for k, (label, bars) in enumerate(rows):
        top = TOP + k * pitch + 2
        for first, last in bars:
            wide = max(axis.x(last) - axis.x(first), 3.0)
            drawn.append(
                f'<rect x="{axis.x(first):.1f}" y="{top:.1f}" width="{wide:.1f}" height="{pitch - 4:.1f}" class="bar"/>'
            )
        drawn.append(f'<text x="{LEFT + 4}" y="{top + pitch / 2 + 2:.1f}" class="row">{escape(label)}</text>')
    told = ", ".join(label for label, _ in rows) or "nothing yet"
    return _framed(title, "", (), "".join(drawn), f"{title}: {told}")


def _framed(title: str, unit: str, lines: Sequence[Line], drawn: str, told: str) -> str:
    heading = f'<text x="4" y="15" class="title">{escape(title)}<tspan class="unit"> {escape(unit)}</tspan></text>'
    keys, x = [], WIDTH - RIGHT
    for line in reversed(lines if len(lines) > 1 else ()):
        x -= 7 * len(line.label) + 18
        keys.append(
            f'<line x1="{x}" x2="{x + 12}" y1="11" y2="11" stroke="{line.colour}" class="curve"/>'
            f'<text x="{x + 15}" y="15" class="key">{escape(line.label)}</text>'
        )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(told, quote=True)}" class="chart">'
        f"{heading}{''.join(keys)}{drawn}</svg>"
    )


def _grid(low: float, high: float, step: float, at: Callable[[float], float]) -> str:
    ticks = [low + k * step for k in range(round((high - low) / step) + 1)]
    return "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at(tick):.1f}" y2="{at(tick):.1f}" class="grid"/>'
        f'<text x="{LEFT - 5}" y="{at(tick) + 3.5:.1f}" class="tick end">{short(tick)}</text>'
        for tick in ticks
    )


def _days(axis: Axis) -> str:
    name, size, _ = next(unit for unit in UNITS if axis.end >= unit[2])
    step = nice_step(axis.end / size, 5)
    ticks = [k * step for k in range(int(axis.end / size / step + 1e-9) + 1)]
    y = HEIGHT - BOTTOM
    drawn = [f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" class="base"/>']
    for tick in ticks:
        label = f"{tick:g} {name}" if tick == ticks[-1] else f"{tick:g}"
        x = axis.x(tick * size)
        place = "middle" if x < WIDTH - 40 else "end"
        drawn.append(f'<text x="{x:.1f}" y="{y + 15}" class="tick {place}">{label}</text>')
    return "".join(drawn)


def _line(line: Line, axis: Axis, shown: range, at: Callable[[float], float]) -> str:
    pieces: list[list[str]] = [[]]
    for k in shown:
        value = line.values[k]
        if math.isfinite(value):
            pieces[-1].append(f"{axis.x(axis.days[k]):.1f},{at(value):.1f}")
        elif pieces[-1]:
            pieces.append([])
    points = [" ".join(piece) for piece in pieces if piece]
    drawn = [f'<polyline points="{run}" stroke="{line.colour}" class="curve"/>' for run in points]
    if pieces[0]:
        # the newest value, which is all that there is on day 0
        x, _, y = pieces[0][0].partition(",")
        drawn.append(f'<circle cx="{x}" cy="{y}" r="2.4" fill="{line.colour}"/>')
    return "".join(drawn)


def nice_step(length: float, parts: int) -> float:
    """1, 2 or 5 times a power of ten that cuts a length into about so many parts."""
    rough = length / parts
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * 0.999)


def short(value: float) -> str:
    """A number in few letters; a large one as in the pictures of a run."""
    if 1e4 <= abs(value) < 1e6:
        return f"{value / 1e3:.3g}k"
    return quantity(value)
