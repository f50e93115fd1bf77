"""The colours of all pictures, fixed by genotype and by state of a cell.

A line has a contrast of 3 or more to white and to the dark paper of a report. The fills of a map are told apart with
every kind of colour vision; a test holds both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

PAPER, DARK_PAPER = "#ffffff", "#15181d"
INK, FAINT, GRID = "#20242c", "#6d7480", "#d9dce1"
# not quite the paper, so that a page in dark colours leaves it as it is
EMPTY, SCAR = "#fffffe", "#26211f"
# how much of its colour a cell in the densest scar loses to that of the scar
SCAR_STRENGTH = 0.55
# letters on a coloured area, which a page in dark colours leaves as they are
ON_LIGHT, ON_DARK = "#1f242c", "#fefefe"
EMPHASIS = "#c8446a"  # limits, thresholds

LINES: dict[str, str] = {
    "wild_type": "#2f84c0",
    "donor": "#12906a",
    "JAK2_V617F": "#c9579b",
    "JAK2_V617F_HOM": "#9f469a",
    "CALR_TYPE1": "#d55e00",
    "CALR_TYPE2": "#b07d05",
}
"""Colours of lines and points, by genotype."""

FILLS: dict[str, str] = {
    "wild_type": "#a6d5f2",
    "donor": "#35a884",
    "JAK2_V617F": "#cc79a7",
    "JAK2_V617F_HOM": "#8f2a78",
    "CALR_TYPE1": "#d55e00",
    "CALR_TYPE2": "#f2b632",
}
"""Colours of areas, by genotype."""

T_CELL = "#3a2790"
T_CELL_LINE = "#7b61d1"
T_CELL_STATES: dict[str, str] = {
    "car_t_total": T_CELL_LINE,
    "car_t_searching": "#3f8fd6",
    "car_t_engaged": "#d9602a",
    "car_t_exhausted": "#80858f",
    "car_t_memory": "#1a9a72",
}

# genotypes that a file defines, in the order of their names
OWN_LINES = ("#8b7f1e", "#1f93a6", "#b0574a", "#5f8f3a", "#8569b8", "#a86f3d")
OWN_FILLS = ("#c9bd5a", "#5fc3d2", "#d98f84", "#9cc57b", "#b9a6dc", "#d3a779")

ARMS = ("#6d7480", "#2f84c0", "#d55e00", "#12906a", "#c9579b", "#b07d05", "#7b61d1", "#1f93a6")
"""Colours of arms; the reference is grey."""

SINGLE = "#2f84c0"
EXPOSURE = "#5b7fa3"
HELD, NOT_HELD = "#12906a", "#c8446a"
SOURCES: dict[str, str] = {
    "assumed": "#d55e00",
    "fitted": "#b07d05",
    "in part": "#8569b8",
    "published": "#2f84c0",
    "setting": "#6d7480",
}
"""Colours of parameters, by how well they are known."""


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mixed(colour: str, other: str, share: float) -> str:
    """A colour with a share of another in it."""
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(rgb(colour), rgb(other), strict=True))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2)."""
    parts = [channel / 255 for channel in rgb(colour)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast of two colours (WCAG 2), 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def base_of(genotype: str) -> str:
    """A genotype without its background drivers."""
    return genotype.partition("+")[0]


class Palette:
    """The colours of one run.

    Parameters
    ----------
    genotypes : iterable of str
        Those that occur, with or without background drivers.
    clones : mapping
        Genotype by the name of a clone, in order; clones of one genotype get shades of its colour.
    """

    def __init__(self, genotypes: Iterable[str] = (), clones: Mapping[str, str] | None = None) -> None:
        self.clones = dict(clones or {})
        bases = {base_of(name) for name in (*genotypes, *self.clones.values())}
        own = sorted(bases - set(LINES) - {"car_t"})
        self._own = {name: k % len(OWN_LINES) for k, name in enumerate(own)}

    def line(self, genotype: str) -> str:
        """The colour of a line."""
        return self._of(genotype, LINES, OWN_LINES)

    def fill(self, genotype: str) -> str:
        """The colour of an area; drivers darken it, low antigen pales it, a transformed cell is nearly black."""
        colour = self._of(genotype, FILLS, OWN_FILLS)
        flags = genotype.split("+")[1:]
        if "transformed" in flags:
            return mixed(colour, "#000000", 0.72)
        if "antigen_low" in flags:
            return mixed(colour, "#ffffff", 0.4)
        return mixed(colour, "#000000", 0.14) if flags else colour

    def clone_line(self, name: str) -> str:
        """The colour of the line of a clone of the file."""
        return self._shaded(name, self.line)

    def clone_fill(self, name: str) -> str:
        """The colour of the area of a clone of the file."""
        return self._shaded(name, self.fill)

    def _of(self, genotype: str, known: Mapping[str, str], own: tuple[str, ...]) -> str:
        base = base_of(genotype)
        return known.get(base) or own[self._own.get(base, 0)]

    def _shaded(self, name: str, colour_of: object) -> str:
        genotype = self.clones.get(name) or guessed(name)
        colour = self.line(genotype) if colour_of == self.line else self.fill(genotype)
        alike = [clone for clone, other in self.clones.items() if other == genotype]
        place = alike.index(name) if name in alike else 0
        if place == 0:
            return colour
        return mixed(colour, "#000000" if place % 2 else "#ffffff", min(0.22 * ((place + 1) // 2), 0.6))


def guessed(clone: str) -> str:
    """The genotype that the name of a clone hints at, for tables that do not tell it."""
    words = clone.lower()
    if "jak2" in words:
        return "JAK2_V617F"
    if "calr" in words:
        return "CALR_TYPE1"
    return "donor" if "donor" in words else "wild_type" if words in ("healthy", "wild_type", "normal") else clone


def arm_colours(arms: Iterable[str | None], reference: str | None = None) -> dict[str | None, str]:
    """A colour for each arm; the reference, or else the first, is grey."""
    names = list(arms)
    first = reference if reference in names else (names[0] if names else None)
    others = [name for name in names if name != first]
    colours: dict[str | None, str] = {first: ARMS[0]} if len(names) > 1 else dict.fromkeys(names, SINGLE)
    return colours | {name: ARMS[1 + k % (len(ARMS) - 1)] for k, name in enumerate(others)}
