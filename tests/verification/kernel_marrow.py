"""Marrows built by hand from plain arguments, and the loops that step them.

One ``Setup`` makes a compiled marrow and its twin, so that the two can be compared draw for draw.
"""

from dataclasses import dataclass, fields
from math import prod

import numpy as np
from numba import uint32, uint64
from twin import draws as twin_draws
from twin.marrow import Marrow as Twin

from mpn_abm.arrays import Sizes, stack
from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import chance
from mpn_abm.mechanisms.hematopoiesis import stripes
from mpn_abm.mechanisms.hematopoiesis.death_birth import run_step_death_birth
from mpn_abm.mechanisms.hematopoiesis.events import note_lost_clones, run_step
from mpn_abm.mechanisms.hematopoiesis.hazards import has_table, number_of_candidates, set_thresholds
from mpn_abm.mechanisms.hematopoiesis.rules import BIRTH_DEATH, DEATH_BIRTH, CellRules
from mpn_abm.state import (
    BORN_SITE,
    BORN_STEP,
    CLONE_GENOTYPE,
    FOUNDER,
    LOST_STEP,
    NEXT_CLONE,
    PARENT,
    SCARRED,
    Lattice,
    MarrowState,
    lattice_of,
    take,
)

# genotypes of the full set-up; index 0 is the empty niche
EMPTY, WILD, JAK2, JAK2_TET2, CALR, CALR_ASXL1 = range(6)
MUTANT = 2  # of the two-genotype set-ups
FOUNDERS_EACH = 3


@dataclass(frozen=True)
class Setup:
    """Everything that a marrow and its twin are made from; rates per day, six genotypes, three kinds of mutation."""

    shape: tuple = (13, 18)
    seed: int = (1_234_567 << 32) + 20_240_229
    update: str = "birth_death"
    boundary: str = "periodic"
    radius: int = 1
    recirculation: float = 0.0
    displacement: float = 1.0
    regeneration: float = 0.0
    capacity_cost: float = 0.0
    dt: float = 1.0
    division_rate: float = 0.2
    loss_rate: float = 0.02
    fitness: tuple = (0.0, 0.0, 0.05, -0.04, 0.08, 0.02)
    inhibition_cost: tuple = (0.0, 0.0, 0.03, 0.03, 0.05, 0.1)
    activity: tuple = (1.0, 0.7, 0.4)
    base: tuple = (0, 0, 1, 1, 2, 2)
    antigen_class: tuple = (0, 0, 0, 0, 1, 2)
    source_weight: tuple = (0, 0, 1, 1, 1, 2)
    scar_cost: tuple = (0.0, 0.3, 0.2, 1.0, 0.25, 0.4)
    mutation: tuple = ((0, 0, 0), (0.01, 0.004, 0), (0, 0.002, 0.01), (0, 0, 0.003), (0, 0, 0.02), (0.01, 0, 0))
    becomes: tuple = ((0, 0, 0), (JAK2, CALR, 0), (0, CALR, JAK2_TET2), (0, 0, JAK2), (0, 0, CALR_ASXL1), (JAK2, 0, 0))
    shares: tuple = (0.0, 0.4, 0.2, 0.1, 0.2, 0.1)  # of the genotypes at the start
    scarred: bool = False
    clones: int = 4000

    @property
    def genotypes(self):
        return len(self.fitness)

    def pattern(self):
        """Genotype, clone and antigen byte of every site at the start; a genotype has up to three founders."""
        random = np.random.default_rng(self.seed)
        genotype = random.choice(self.genotypes, prod(self.shape), p=self.shares)
        clone = np.zeros_like(genotype)
        for g in range(1, self.genotypes):
            own = np.flatnonzero(genotype == g)
            clone[own] = clone.max() + 1 + np.arange(own.size) % FOUNDERS_EACH
        carries = np.array(self.antigen_class)[genotype] > 0
        return genotype, clone, np.where(carries, random.integers(256, size=genotype.size), 0)

    def founders(self):
        """Rows of the clone table at the start; row 0 stands for the empty niches."""
        genotype, clone, _ = self.pattern()
        alive, first = np.unique(clone, return_index=True)
        rows = [(0, 0, 0, g, c) for g, c in zip(genotype[first].tolist(), alive.tolist(), strict=True) if c > 0]
        return [(0, 0, 0, 0, 0), *rows]

    def scar(self):
        """A byte per block: bare, light and full scar side by side."""
        blocks = twin_draws.blocks(self.shape)
        return [(0, 37, 255, 0, 128)[k % 5] for k in range(blocks)] if self.scarred else [0] * blocks

    def net_fitness(self):
        activity = [self.activity[base] for base in self.base]
        return [s * a - c * (1.0 - a) for s, c, a in zip(self.fitness, self.inhibition_cost, activity, strict=True)]


@dataclass
class Kernel:
    """A compiled marrow with what it is stepped by."""

    setup: Setup
    lattice: Lattice
    rules: CellRules
    state: MarrowState

    @property
    def key(self):
        return uint32(self.setup.seed & 0xFFFFFFFF), uint32(self.setup.seed >> 32)

    def run(self, first, steps):
        """Steps on one thread, by the rule of the set-up."""
        done = run_steps(self.state, self.rules, self.lattice, self.setup.dt, first, steps, *self.key)
        assert done == first + steps, "a table is too short for this set-up"

    def run_by_hand(self, first, steps, execute, set_thresholds=set_thresholds):
        """The same steps with one part exchanged; ``execute`` takes the arguments of ``run_step``."""
        state = self.state
        for step in range(first, first + steps):
            lowest = set_thresholds(
                state.counters.genotype_cells,
                state.signal,
                state.immunity.hazard,
                state.marks,
                self.rules,
                self.lattice,
                1.0,
                0,
                self.setup.dt,
            )
            assert has_table(state.marks, state.tally, self.lattice)
            number = number_of_candidates(state.marks, state.tally, step, *self.key)
            assert state.tally[NEXT_CLONE] + number <= state.clone_table.shape[0]
            execute(state, self.rules, self.lattice, np.uint64(lowest), number, step, *self.key)
            note_lost_clones(state.counters.clone_cells, state.clone_table, state.tally, step)

    def run_striped(self, first, steps, count, run_step_striped=stripes.run_step_striped):
        """Steps on stripes; how many candidates each step put off."""
        room = None
        put_off = []

        def execute(state, rules, lattice, lowest, number, step, *key):
            nonlocal room
            if room is None or room.capacity < number:
                room = stripes.StripeRoom(state, lattice, count, 2 * number + 100)
            put_off.append(run_step_striped(state, rules, lattice, lowest, number, step, *key, room.arrays()))

        self.run_by_hand(first, steps, execute)
        return put_off

    def arrays(self):
        """Every array by name, but for the batch, which is scratch."""
        found = {}
        for name, group in zip(self.state._fields, self.state, strict=True):
            parts = group._asdict().items() if hasattr(group, "_asdict") else [("", group)]
            found |= {f"{name}.{part}": array for part, array in parts}
        del found["marks.batch"]
        return found


def build(setup: Setup) -> Kernel:
    """A compiled marrow with its counters and block counts recounted from the cells."""
    lattice = lattice_of(setup.shape, setup.radius, setup.boundary == "reflecting")
    kinds = len(setup.mutation[0])
    sizes = Sizes(*[1] * len(Sizes._fields))._replace(
        genotypes=setup.genotypes,
        kinds=kinds,
        bases=len(setup.activity),
        antigen_classes=3,
        clones=setup.clones,
        poisson=20_000,
    )
    state = take(stack(1, lattice, sizes), 0)
    rules = CellRules(
        update=DEATH_BIRTH if setup.update == "death_birth" else BIRTH_DEATH,
        division_rate=setup.division_rate,
        loss_rate=setup.loss_rate,
        regeneration=setup.regeneration,
        recirculation=uint64(chance(setup.recirculation)),
        displacement=uint64(chance(setup.displacement)),
        lodge=np.array([int((1.0 - setup.capacity_cost * e / 255.0) * 2**32) for e in range(256)], np.uint64),
        scar_cost=np.array(setup.scar_cost, float),
        fitness=np.array(setup.fitness, float),
        inhibition_cost=np.array(setup.inhibition_cost, float),
        antigen_fitness=np.zeros(setup.genotypes),
        coupling=np.zeros(2),
        steady=np.zeros(setup.genotypes, np.uint8),
        interferon=np.zeros(setup.genotypes),
        receptor_gain=0.0,
        base=np.array(setup.base, np.int64),
        antigen_class=np.array(setup.antigen_class, np.int64),
        is_mutant=np.array([weight > 0 for weight in setup.source_weight], np.uint8),
        source_weight=np.array(setup.source_weight, np.int32),
        mutation_rate=np.array(setup.mutation, float).reshape(setup.genotypes, kinds),
        becomes=np.array(setup.becomes, np.int64).reshape(setup.genotypes, kinds),
        transformation=-1,
        transformed_growth=1.0,
        scar_factor=1.0,
    )
    genotype, clone, antigen = setup.pattern()
    state.cell[:] = words_of(genotype, clone, antigen)
    state.clone_table[:, LOST_STEP] = -1
    rows = setup.founders()
    state.clone_table[: len(rows), [PARENT, BORN_STEP, BORN_SITE, CLONE_GENOTYPE, FOUNDER]] = rows
    state.tally[NEXT_CLONE] = len(rows)
    state.signal.activity[:] = setup.activity
    state.signal.factor[:] = 1.0
    state.ground.scar[:] = setup.scar()
    state.tally[SCARRED] = max(setup.scar())
    kernel = Kernel(setup, lattice, rules, state)
    for name, array in recounted(kernel).items():
        kernel.arrays()[name][:] = array
    return kernel


def words_of(genotype, clone, antigen):
    """Cell words; every unused bit and the mark are 0."""
    genotype, clone, antigen = (np.asarray(part).astype(np.uint64) for part in (genotype, clone, antigen))
    return genotype | antigen << np.uint64(8) | clone << np.uint64(32)


def recounted(kernel: Kernel) -> dict:
    """What the kernel keeps by counting on, counted afresh from its cells."""
    state, rules, setup = kernel.state, kernel.rules, kernel.setup
    genotype = (state.cell & np.uint64(0xFF)).astype(int)
    antigen = ((state.cell >> np.uint64(8)) & np.uint64(0xFF)).astype(int)
    clone = (state.cell >> np.uint64(32)).astype(int)
    block = np.array([twin_draws.block(s, setup.shape) for s in range(kernel.lattice.sites)])
    source = np.zeros_like(state.ground.source)
    np.add.at(source, (rules.base[genotype], block), rules.source_weight[genotype])
    histogram = np.zeros_like(state.counters.antigen_cells)
    carriers = rules.antigen_class[genotype] > 0
    np.add.at(histogram, (rules.antigen_class[genotype[carriers]], antigen[carriers]), 1)
    return {
        "counters.genotype_cells": np.bincount(genotype, minlength=setup.genotypes),
        "counters.clone_cells": np.bincount(clone, minlength=setup.clones),
        "counters.antigen_cells": histogram,
        "ground.source": source,
    }


def twin_of(setup: Setup) -> Twin:
    """The twin of a set-up, with the same cells in the same places."""
    net = setup.net_fitness()
    own = {"cells", "clones", "gain", "shrink", "mutation", "becomes", "carries_antigen", "scar"}
    genotype, clone, antigen = (part.tolist() for part in setup.pattern())
    return Twin(
        cells=[(g, c, a) if g else None for g, c, a in zip(genotype, clone, antigen, strict=True)],
        clones=setup.founders(),
        gain=[max(0.0, s) for s in net],
        shrink=[max(0.0, -s) for s in net],
        mutation=[list(row) for row in setup.mutation],
        becomes=[list(row) for row in setup.becomes],
        carries_antigen=[row > 0 for row in setup.antigen_class],
        scar=setup.scar(),
        **{f.name: getattr(setup, f.name) for f in fields(Twin) if f.name not in own},
    )


def two_genotypes(mutant_advantage: float, **changes) -> Setup:
    """Wild type at rate 1 a day and a mutant that divides 1 + advantage as often; a full marrow without loss.

    A handicap is given to the mutant as an advantage of the wild type, for negative fitness is loss.
    """
    r = 1.0 + mutant_advantage
    fitness = (0.0, 0.0, r - 1.0) if r >= 1.0 else (0.0, 1.0 / r - 1.0, 0.0)
    zero, none = (0.0,) * 3, (0,) * 3
    plain = {
        "division_rate": 1.0, "loss_rate": 0.0, "fitness": fitness, "inhibition_cost": zero, "activity": (1.0,),
        "base": none, "antigen_class": none, "source_weight": (0, 0, 1), "scar_cost": zero,
        "mutation": ((0.0,),) * 3, "becomes": ((0,),) * 3, "shares": (0.0, 1.0, 0.0),
    }  # fmt: skip
    return Setup(**(plain | changes))


@jit
def run_steps(state, rules, lattice, dt, first, steps, key_low, key_high):
    """Steps first, first + 1, ... on one thread; where it stopped, which is earlier only for want of room."""
    for step in range(first, first + steps):
        lowest = set_thresholds(
            state.counters.genotype_cells, state.signal, state.immunity.hazard, state.marks, rules, lattice, 1.0, 0, dt
        )
        if not has_table(state.marks, state.tally, lattice):
            return step
        number = number_of_candidates(state.marks, state.tally, step, key_low, key_high)
        if state.tally[NEXT_CLONE] + number > state.clone_table.shape[0]:
            return step
        if rules.update == DEATH_BIRTH:
            run_step_death_birth(state, rules, lattice, dt, lowest, number, step, key_low, key_high)
        else:
            run_step(state, rules, lattice, lowest, number, step, key_low, key_high)
        note_lost_clones(state.counters.clone_cells, state.clone_table, state.tally, step)
    return first + steps
