"""The niche marrow in plain Mesa 3.3: one agent per stem cell, visited in random order.

Rules as in the event list, `birth_death`: two genotypes on a full periodic lattice; a cell divides or is lost with a
probability per step, the JAK2 clone divides more often; the daughter goes to one of the eight neighbouring niches,
recirculation 0, and displaces who sits there, displacement 1.

What differs from the event list: cells act one after the other in an order shuffled anew for every step, each agent
once per step (Bernoulli, not Poisson). A displaced cell's agent is handed to the daughter, with her genotype and
clone, and acts in her name if its turn is still to come: the same state as removing one agent and adding another,
and faster. Filling an empty niche makes a new agent, which waits for the next step. There are no counts per
genotype, clone or block.
"""

import argparse
import json
import time
from dataclasses import dataclass

import mesa
from mesa.discrete_space import CellAgent, OrthogonalMooreGrid


@dataclass(frozen=True, slots=True)
class Genotype:
    """Probabilities per step; acting is division or loss."""

    name: str
    division: float
    acting: float


class StemCell(CellAgent):
    def __init__(self, model, cell, genotype, clone):
        super().__init__(model)
        self.cell = cell
        self.genotype = genotype
        self.clone = clone

    def step(self, draw):
        genotype = self.genotype
        u = draw()
        if u >= genotype.acting:
            return
        if u >= genotype.division:
            self.remove()
            return
        niche = self.cell.neighborhood.select_random_cell()
        occupants = niche.agents
        if occupants:
            occupants[0].genotype = genotype
            occupants[0].clone = self.clone
        else:
            StemCell(self.model, niche, genotype, self.clone)


class Marrow(mesa.Model):
    """A lattice of `side` x `side` niches; p is division + loss of the fitter genotype, per site and step."""

    def __init__(self, *, side=128, p=0.01, fraction=0.5, rng=None):
        super().__init__(rng=rng)
        division, advantage, loss = p / 1.45, 0.35 * p / 1.45, 0.1 * p / 1.45
        wild_type = Genotype("wild_type", division, division + loss)
        jak2 = Genotype("JAK2_V617F", division + advantage, division + advantage + loss)
        self.grid = OrthogonalMooreGrid((side, side), torus=True, capacity=1, random=self.random)
        for cell in self.grid.all_cells:
            if self.random.random() < fraction:
                StemCell(self, cell, jak2, 2)
            else:
                StemCell(self, cell, wild_type, 1)

    def step(self):
        self.agents.shuffle_do("step", self.random.random)


def steps_per_second(side, p, seconds):
    """Run for `seconds` after one step that fills Mesa's caches: (sites x steps per second, steps)."""
    model = Marrow(side=side, p=p, rng=1)
    model.step()
    steps = 0
    begin = time.perf_counter()
    while (passed := time.perf_counter() - begin) < seconds:
        model.step()
        steps += 1
    return side * side * steps / passed, steps


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Site updates per second of plain Mesa.")
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--p", type=float, nargs="+", default=[0.1, 0.01], help="candidates per site and step")
    parser.add_argument("--seconds", type=float, default=5.0)
    arguments = parser.parse_args()
    for p in arguments.p:
        rate, steps = steps_per_second(arguments.side, p, arguments.seconds)
        row = {"program": "plain_mesa", "mesa": mesa.__version__, "side": arguments.side, "p": p, "steps": steps}
        print(json.dumps(row | {"site_updates_per_second": round(rate), "ns_per_site": round(1e9 / rate, 1)}))
