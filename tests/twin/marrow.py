"""One step of the stem cells as a numbered list of candidates, in plain Python integers.

A cell is (genotype, clone, antigen byte), an empty site is None. Nothing is kept that
can be counted afresh, so that the compiled kernel's running counts have something to be
compared with.
"""

from collections import Counter
from dataclasses import dataclass

from .draws import (
    COUNT,
    EVENT,
    FATE,
    PARENT,
    block,
    blocks,
    happens,
    ladder,
    neighbour,
    place,
    poisson,
    threshold64,
    words,
)
from .marks import Hazards, capped_thresholds, scar_part
from .records import Cell, Clone, Log


@dataclass
class Marrow:
    """A lattice of stem cells, its clone table and the rates per day that drive it.

    shape is (rows, columns) or (layers, rows, columns). gain and shrink are max(0, s) and
    max(0, -s) of each genotype, mutation[g][k] the rate of kind k and becomes[g][k] the
    genotype it leads to. scar holds one byte per block of 4 sites a side, scar_cost the
    share of division a genotype loses at byte 255, capacity_cost the share of lodgers lost.
    """

    seed: int
    shape: tuple
    cells: list
    clones: list
    division_rate: float
    gain: list
    shrink: list
    mutation: list
    becomes: list
    carries_antigen: list
    loss_rate: float = 0.0
    dt: float = 1.0
    update: str = "birth_death"
    boundary: str = "periodic"
    radius: int = 1
    recirculation: float = 0.0
    displacement: float = 1.0
    regeneration: float = 0.0
    capacity_cost: float = 0.0
    scar: list = None
    scar_cost: list = None

    def __post_init__(self):
        self.cells = [None if cell is None else Cell(*cell) for cell in self.cells]
        self.clones = [Clone(*row) for row in self.clones]
        if self.scar is None:
            self.scar = [0] * blocks(self.shape)
        if self.scar_cost is None:
            self.scar_cost = [0.0] * len(self.gain)
        self.lodge = [int((1.0 - self.capacity_cost * e / 255.0) * 2**32) for e in range(256)]

    # Counts, always from the cells themselves.

    def per_genotype(self):
        found = Counter(cell.genotype for cell in self.cells if cell)
        return [found[g] for g in range(len(self.gain))]

    def per_clone(self):
        found = Counter(cell.clone for cell in self.cells if cell)
        return [found[c] for c in range(len(self.clones))]

    def per_block(self, genotypes):
        """Cells of these genotypes in every block."""
        found = Counter(
            block(s, self.shape) for s, cell in enumerate(self.cells) if cell and cell.genotype in genotypes
        )
        return [found[b] for b in range(blocks(self.shape))]

    # Hazards and marks of a step.

    def regrowth(self):
        """R, by which empty niches call the others into cycle."""
        e0 = self.cells.count(None) / float(len(self.cells))
        return 1.0 + self.regeneration * e0 / (e0 + 0.1)

    def hazards(self):
        """Hazards per step of the genotypes that have a cell now."""
        regrowth = self.regrowth()
        found = {}
        for g, n in enumerate(self.per_genotype()):
            if n > 0:
                b = (self.division_rate * regrowth + self.gain[g]) * self.dt
                d = (self.loss_rate + self.shrink[g]) * self.dt
                found[g] = Hazards(b, d, tuple(m * self.dt for m in self.mutation[g]))
        return found

    def filling(self):
        """Hazard per step with which an empty site is offered (death_birth)."""
        return self.division_rate * self.regrowth() * self.dt

    def top_hazard(self, hazards):
        if not hazards:
            return 0.0
        if self.update == "birth_death":
            return max(h.division + h.loss + h.mutations for h in hazards.values())
        return max(self.filling(), max(h.loss + h.mutations for h in hazards.values()))

    def thresholds(self, hazards, rho):
        """Marks of the genotypes present; under death_birth a source never divides."""
        if self.update == "death_birth":
            hazards = {g: h._replace(division=0.0) for g, h in hazards.items()}
        return {g: capped_thresholds(h, rho, self.scar_cost[g]) for g, h in hazards.items()}

    def candidates(self, step, rho):
        high, low, _, _ = words(self.seed, COUNT, 0, step)
        return poisson(rho * len(self.cells), high << 32 | low)

    # The step.

    def step(self, t):
        """Run the candidates of step t in the order of their numbers."""
        log = Log()
        at_start = self.per_clone()
        hazards = self.hazards()
        top = self.top_hazard(hazards)
        if top > 0.0:
            log.rho = ladder(top)
            log.candidates = self.candidates(t, log.rho)
            if self.update == "birth_death":
                self.birth_death(t, log, self.thresholds(hazards, log.rho))
            else:
                self.death_birth(t, log, hazards)
        at_end = self.per_clone()
        newcomers = range(len(at_start), len(at_end))
        log.extinct = [c for c, n in enumerate(at_end) if n == 0 and (c in newcomers or at_start[c] > 0)]
        return log

    def birth_death(self, t, log, marks):
        for i in range(log.candidates):
            w0, w1, w2, w3 = words(self.seed, EVENT, i, t)
            fate = words(self.seed, FATE, i, t)
            s = place(w0, self.shape)
            cell = self.cells[s]
            if cell is None or cell.genotype not in marks:
                continue
            u = w1 << 32 | fate[0]
            mark = marks[cell.genotype]
            divides = mark.division - self.scar_byte(s) * mark.scarred
            if u < divides:
                self.divide(s, self.site_drawn(happens(w2, self.recirculation), w3, s), i, fate, log)
            elif u < divides + mark.loss:
                self.lose(s, i, log, "loss")
            else:
                self.perhaps_mutate(s, u, mark, t, i, fate, log)

    def death_birth(self, t, log, hazards):
        marks = self.thresholds(hazards, log.rho)
        filled = threshold64(self.filling() / log.rho)
        chances = self.parent_chances(hazards)
        for i in range(log.candidates):
            w0, w1, _, _ = words(self.seed, EVENT, i, t)
            fate = words(self.seed, FATE, i, t)
            s = place(w0, self.shape)
            cell = self.cells[s]
            u = w1 << 32 | fate[0]
            if cell is None:
                if u < filled:
                    self.offer(s, t, i, chances, fate, log)
            elif cell.genotype in marks:
                if u < marks[cell.genotype].loss:
                    self.lose(s, i, log, "loss")
                    self.offer(s, t, i, chances, fate, log)
                else:
                    self.perhaps_mutate(s, u, marks[cell.genotype], t, i, fate, log)

    def site_drawn(self, anywhere, word, s):
        if anywhere:
            return place(word, self.shape)
        return neighbour(word, s, self.shape, self.radius, self.boundary)

    def scar_byte(self, site):
        return self.scar[block(site, self.shape)]

    def lodges(self, site, fate):
        e = self.scar_byte(site)
        return e == 0 or fate[3] < self.lodge[e]

    def lose(self, s, i, log, kind):
        log.note(kind, i, s, self.cells[s])
        self.cells[s] = None

    def settle(self, mother, target, i, fate, log):
        """The daughter takes the target, which is empty now."""
        antigen = fate[2] >> 24 if self.carries_antigen[mother.genotype] else mother.antigen
        self.cells[target] = mother._replace(antigen=antigen)
        log.note("birth", i, target, mother)

    def divide(self, s, target, i, fate, log):
        """One daughter stays in s, the other looks for a niche at the target."""
        mother = self.cells[s]
        if target == s:
            return
        occupant = self.cells[target]
        if not self.lodges(target, fate) or (occupant is not None and not happens(fate[1], self.displacement)):
            log.note("lost_daughter", i, target, mother)
            return
        if occupant is not None:
            self.lose(target, i, log, "displacement")
        self.settle(mother, target, i, fate, log)

    def perhaps_mutate(self, s, u, mark, t, i, fate, log):
        """Kinds of mutation lie at the top of the 64-bit numbers, kind 0 uppermost."""
        bottom = 2**64
        for kind, width in enumerate(mark.mutation):
            bottom -= width
            if u >= bottom:
                self.mutate(s, kind, t, i, fate, log)
                return

    def mutate(self, s, kind, t, i, fate, log):
        old = self.cells[s]
        genotype = self.becomes[old.genotype][kind]
        first_antigen = self.carries_antigen[genotype] and not self.carries_antigen[old.genotype]
        new = Cell(genotype, len(self.clones), fate[2] >> 24 if first_antigen else old.antigen)
        self.clones.append(Clone(old.clone, t, s, genotype, self.clones[old.clone].founder))
        self.cells[s] = new
        log.note("departure", i, s, old)
        log.note("arrival", i, s, new)

    # death_birth: who fills the place.

    def parent_chances(self, hazards):
        """32-bit marks (T, S) with which a cell drawn as a parent is accepted."""
        largest = max(h.division for h in hazards.values())
        if largest == 0.0:
            return {}
        marks = {g: int(h.division / largest * 2**32) for g, h in hazards.items()}
        return {g: (mark, scar_part(mark, self.scar_cost[g])) for g, mark in marks.items()}

    def offer(self, s, t, i, chances, fate, log):
        """Draw up to 64 places for a parent of the cell that will fill s."""
        for j in range(64):
            w0, w1, w2, _ = words(self.seed, PARENT, i, t, j)
            h = self.site_drawn(happens(w0, self.recirculation), w1, s)
            mother = self.cells[h]
            if h == s or mother is None or mother.genotype not in chances:
                continue
            accepted, scarred = chances[mother.genotype]
            if w2 < accepted - self.scar_byte(h) * scarred:
                if self.lodges(s, fate):
                    self.settle(mother, s, i, fate, log)
                else:
                    log.note("lost_daughter", i, s, mother)
                return
