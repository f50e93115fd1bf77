"""Who arose from whom, and how many cells each had when: the clone table as a tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mpn_abm.errors import UsageError
from mpn_abm.pictures.labels import genotype_words
from mpn_abm.pictures.looks import label_of
from mpn_abm.pictures.palette import Palette, mixed
from mpn_abm.pictures.recording import Recording

# shares of black in the colours of clones that arose, so that neighbours differ
SHADES = (0.0, 0.26, 0.1, 0.4, 0.18, 0.5, 0.05, 0.33)


@dataclass
class Clone:
    """One clone; `cells` are on the days of the tree, `total` with all that arose from it."""

    number: int
    name: str
    genotype: str
    parent: int
    born: float
    cells: np.ndarray
    children: list[Clone] = field(default_factory=list)

    @property
    def total(self) -> np.ndarray:
        """Its own cells and those of all that arose from it."""
        return np.asarray(self.cells + sum(child.total for child in self.children))


@dataclass(frozen=True)
class Tree:
    """The clones of one run that are drawn.

    Attributes
    ----------
    days : float array
    roots : list of Clone
        The clones of the file, in its order, and those whose parent is not known.
    clones : dict
        All that are drawn, by number.
    pooled : int
        Clones that are too small to be drawn; their cells count in the clone from which they arose.
    """

    days: np.ndarray
    roots: list[Clone]
    clones: Mapping[int, Clone]
    pooled: int

    @property
    def cells(self) -> np.ndarray:
        """All cells, by day."""
        return np.asarray(sum(root.total for root in self.roots))


def tree_of(recording: Recording, replicate: int, most: int, least: float = 0.0) -> Tree:
    """The clones of one run: those of the file, the largest of the others, and those from which they arose.

    Parameters
    ----------
    recording : Recording
    replicate : int
    most : int
        How many are drawn besides those of the file.
    least : float
        The share of all cells that a clone must reach to be drawn.
    """
    recording.need("clones", "run without output.clones: false")
    rows = recording.rows("clones", replicate=replicate)
    if rows.empty:
        raise UsageError(f"{recording.place}: no clone of replicate {replicate} in the table")
    days = np.unique(rows["day"].to_numpy(float))
    table = rows.pivot_table(index="day", columns="clone", values="cells", aggfunc="sum").reindex(days).fillna(0.0)
    about = rows.drop_duplicates("clone").sort_values("clone")
    columns = zip(*(about[name] for name in ("clone", "name", "genotype", "parent", "born_day")), strict=True)
    clones = {
        int(number): Clone(
            int(number), str(name), str(genotype), int(parent), float(born), table[number].to_numpy(float)
        )
        for number, name, genotype, parent, born in columns
    }
    kept = _kept(clones, most, least * float(table.sum(axis=1).max()))
    for number, clone in clones.items():
        if number not in kept:
            ancestor = clones[_kept_ancestor(clone, clones, kept)]
            ancestor.cells = ancestor.cells + clone.cells
    roots = []
    for number in sorted(kept, key=lambda one: (clones[one].born, one)):
        clone = clones[number]
        if clone.parent in kept:
            clones[clone.parent].children.append(clone)
        else:
            roots.append(clone)
    return Tree(days, roots, {number: clones[number] for number in sorted(kept)}, len(clones) - len(kept))


def _kept(clones: Mapping[int, Clone], most: int, fewest: float) -> set[int]:
    placed = {number for number, clone in clones.items() if clone.parent not in clones}
    arisen = sorted((n for n in clones if n not in placed), key=lambda n: -float(clones[n].cells.max()))
    kept = set(placed)
    for number in arisen[:most]:
        if clones[number].cells.max() < fewest:
            break
        while number not in kept:
            kept.add(number)
            number = clones[number].parent
    return kept


def _kept_ancestor(clone: Clone, clones: Mapping[int, Clone], kept: set[int]) -> int:
    number = clone.parent
    while number not in kept:
        number = clones[number].parent
    return number


def colours_of(tree: Tree, palette: Palette) -> dict[int, str]:
    """A colour for each clone: a clone of the file has its own; what arose has shades of that of its genotype."""
    colours = {}
    for number, clone in tree.clones.items():
        if clone.name in palette.clones:
            colours[number] = palette.clone_fill(clone.name)
            continue
        colours[number] = mixed(palette.fill(clone.genotype), "#000000", SHADES[number % len(SHADES)])
    return colours


def short_name(clone: Clone) -> str:
    """A clone in few words: the name that the file gave, or its drivers and its number."""
    if "#" not in clone.name:
        return clone.name.replace("_", " ")
    base, *flags = clone.genotype.split("+")
    return f"{' + '.join(flags) if flags and base == 'wild_type' else genotype_words(clone.genotype)} #{clone.number}"


def legend_of(tree: Tree, palette: Palette) -> list[tuple[str, str]]:
    """What the colours are: clones of the file, then what arose, by genotype without its background drivers.

    What arose has the middle one of its shades.
    """
    found: dict[str, str] = {}
    for clone in tree.clones.values():
        if clone.name in palette.clones:
            words = genotype_words(palette.clones[clone.name])
            same = clone.name.replace("_", " ") == words
            found[clone.name.replace("_", " ") if same else f"{clone.name.replace('_', ' ')} ({words})"] = (
                palette.clone_fill(clone.name)
            )
    for clone in tree.clones.values():
        if clone.name not in palette.clones:
            words = label_of(clone.genotype)
            shade = mixed(palette.fill(clone.genotype), "#000000", sorted(SHADES)[len(SHADES) // 2])
            found.setdefault(words if "+" in clone.genotype else f"{words}, arisen", shade)
    return list(found.items())
