"""How cells look: the label and the colour of each genotype, and of clones of the file that share one."""

from __future__ import annotations

from collections.abc import Iterable

from mpn_abm.pictures.labels import genotype_words
from mpn_abm.pictures.palette import Palette, base_of

Look = tuple[str, str]
"""Label and colour."""


def looks_of(palette: Palette, genotypes: Iterable[str]) -> dict[str | int, Look]:
    """The look of each of these genotypes; by its number, from 1, that of a clone with a shade of its own."""
    looks: dict[str | int, Look] = {name: (label_of(name), palette.fill(name)) for name in genotypes}
    for number, (name, genotype) in enumerate(palette.clones.items(), 1):
        if palette.clone_fill(name) != palette.fill(genotype):
            looks[number] = (f"{name} ({label_of(genotype)})", palette.clone_fill(name))
    return looks


def label_of(genotype: str) -> str:
    """A genotype in words, of its background drivers only that it has some."""
    words, flags = genotype_words(base_of(genotype)), genotype.split("+")[1:]
    if "transformed" in flags:
        return f"{words}, transformed"
    if "antigen_low" in flags:
        return f"{words}, antigen low"
    return f"{words}, with a background driver" if flags else words
