"""What a marrow is made of and what a step leaves behind: cells, rows of the clone table, events."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple


class Cell(NamedTuple):
    genotype: int
    clone: int
    antigen: int = 0


class Clone(NamedTuple):
    parent: int
    step: int
    site: int
    genotype: int
    founder: int


class Event(NamedTuple):
    """What happened to one cell: birth, loss, displacement, lost_daughter, departure or arrival."""

    kind: str
    candidate: int
    site: int
    genotype: int
    clone: int


@dataclass
class Log:
    """What one step did, in the order in which it was done."""

    rho: float = 0.0
    candidates: int = 0
    events: list = field(default_factory=list)
    extinct: list = field(default_factory=list)

    def note(self, kind, candidate, site, cell):
        self.events.append(Event(kind, candidate, site, cell.genotype, cell.clone))

    def count(self, *kinds, by="clone"):
        """Events of these kinds per clone or per genotype."""
        return Counter(getattr(event, by) for event in self.events if event.kind in kinds)
