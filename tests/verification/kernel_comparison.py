"""Set-ups that between them try everything, and the comparison of a compiled marrow with its twin."""

import numpy as np
from verification.kernel_marrow import EMPTY, Setup, build, twin_of, two_genotypes, words_of

from mpn_abm.mechanisms.hematopoiesis import hazards
from mpn_abm.state import (
    BORN_SITE,
    BORN_STEP,
    CANDIDATES,
    CLONE_GENOTYPE,
    EVENTS,
    FOUNDER,
    LOST_STEP,
    NEXT_CLONE,
    PARENT,
)

DAY = 1.0
STEPS = 40
SOME_EMPTY = (0.3, 0.25, 0.15, 0.1, 0.1, 0.1)
SCAR = {"scarred": True, "capacity_cost": 0.5}
EVERYTHING = SCAR | {"radius": 3, "recirculation": 0.3, "displacement": 0.6, "regeneration": 5.0, "shares": SOME_EMPTY}
SETUPS = {
    "torus": Setup(),
    "reflecting": Setup(boundary="reflecting", radius=13),
    "recirculation": Setup(radius=3, recirculation=0.3),
    "well mixed": Setup(recirculation=1.0),
    "displacement": Setup(displacement=0.4, shares=SOME_EMPTY),
    "no displacement": Setup(displacement=0.0, shares=SOME_EMPTY, loss_rate=0.1),
    "regeneration": Setup(regeneration=5.0, shares=SOME_EMPTY, radius=2),
    "scar": Setup(**SCAR),
    "scar that bars all": Setup(scarred=True, capacity_cost=1.0, scar_cost=(0.0,) + (1.0,) * 5),
    "loss alone": Setup(division_rate=0.0, loss_rate=0.3, fitness=(0.0, 0.0, -0.1, -0.2, -0.1, 0.0)),
    "mutation alone": Setup(division_rate=0.0, loss_rate=0.0, fitness=(0.0,) * 6, inhibition_cost=(0.0,) * 6),
    "long steps": Setup(dt=5.0, radius=2),
    "newcomers": Setup(dt=5.0, shares=(0.1, 0.9, 0.0, 0.0, 0.0, 0.0)),
    "one row": Setup(shape=(1, 150), boundary="reflecting", recirculation=0.1),
    "few sites, where genotypes come and go": Setup(shape=(4, 6), dt=5.0, recirculation=0.3, radius=2),
    "everything": Setup(**EVERYTHING),
    "volume": Setup(shape=(5, 6, 7)),
    "reflecting volume": Setup(shape=(5, 7, 6), boundary="reflecting", radius=5, recirculation=0.3),
    "well-mixed volume": Setup(shape=(3, 9, 8), recirculation=1.0),
    "everything in a volume": Setup(**(EVERYTHING | {"shape": (6, 5, 9), "boundary": "reflecting"})),
}
RUNG = two_genotypes(0.0, shape=(14, 15), division_rate=0.25, loss_rate=0.25, shares=(0.0, 0.5, 0.5))
FILLING = {"update": "death_birth", "loss_rate": 0.1}
FILLED = {
    "torus": Setup(**FILLING),
    "reflecting": Setup(**FILLING, boundary="reflecting", radius=13, recirculation=0.3),
    "well mixed": Setup(**FILLING, recirculation=1.0),
    "nearly empty": Setup(**FILLING, shares=(0.98, 0.02, 0.0, 0.0, 0.0, 0.0), regeneration=5.0, recirculation=1.0),
    "scar": Setup(**FILLING, **SCAR, shares=SOME_EMPTY),
    "volume": Setup(**FILLING, shape=(5, 6, 7), recirculation=0.3, shares=SOME_EMPTY),
    "reflecting volume": Setup(**FILLING, **SCAR, shape=(5, 7, 6), boundary="reflecting", radius=5, regeneration=5.0),
    "no division": Setup(**(FILLING | {"division_rate": 0.0, "loss_rate": 0.3}), fitness=(0.0,) * 6),
}
ALL = {"birth_death": SETUPS, "death_birth": FILLED}


class Account:
    """Births, losses, candidates and events that the logs of the twin add up to."""

    def __init__(self, genotypes):
        self.births, self.losses = np.zeros(genotypes, int), np.zeros(genotypes, int)
        self.candidates = self.events = 0
        self.lost = {}

    def add(self, log, step, update):
        self.candidates += log.candidates
        self.events += len({event.candidate for event in log.events if event.kind != "lost_daughter"})
        for g, n in log.count("birth", by="genotype").items():
            self.births[g] += n
        for g, n in log.count("loss", "displacement", by="genotype").items():
            self.losses[g] += n
        if update == "birth_death":  # an entry into an empty niche displaces "nobody", genotype 0
            self.losses[EMPTY] += sum(log.count("birth").values()) - sum(log.count("displacement").values())
        self.lost |= dict.fromkeys(log.extinct, step)


def assert_same(kernel, twin, account, step):
    """Cells, clone table, counters, block counts and the rate of the list, with nothing left over in a cell word."""
    state, setup = kernel.state, kernel.setup
    cells = np.array([cell or (0, 0, 0) for cell in twin.cells])
    np.testing.assert_array_equal(state.cell, words_of(*cells.T), f"cells after step {step}")
    known = state.tally[NEXT_CLONE]
    table = state.clone_table[:known]
    facts = table[:, [PARENT, BORN_STEP, BORN_SITE, CLONE_GENOTYPE, FOUNDER]]
    np.testing.assert_array_equal(facts, twin.clones, f"clones after step {step}")
    lost = [account.lost.get(clone, -1) for clone in range(known)]
    np.testing.assert_array_equal(table[:, LOST_STEP], lost, f"lost clones after step {step}")
    counters = state.counters
    np.testing.assert_array_equal(counters.births, account.births, f"births after step {step}")
    np.testing.assert_array_equal(counters.losses, account.losses, f"losses after step {step}")
    tallies = state.tally[[CANDIDATES, EVENTS]]
    np.testing.assert_array_equal(tallies, [account.candidates, account.events], f"events after step {step}")
    np.testing.assert_array_equal(counters.genotype_cells[1:], twin.per_genotype()[1:], f"genotypes after step {step}")
    np.testing.assert_array_equal(counters.clone_cells[1:known], twin.per_clone()[1:], f"clones after step {step}")
    for base in range(len(setup.activity)):
        source = np.zeros(kernel.lattice.blocks, int)
        for g in range(1, setup.genotypes):
            if setup.base[g] == base:
                source += setup.source_weight[g] * np.array(twin.per_block({g}))
        np.testing.assert_array_equal(state.ground.source[base], source, f"blocks after step {step}")


def compare_with_twin(setup, steps=STEPS, run=lambda kernel, step: kernel.run(step, 1)):
    """Step both, compare after every step; the compiled marrow and what the twin did."""
    kernel, twin, account = build(setup), twin_of(setup), Account(setup.genotypes)
    for step in range(steps):
        run(kernel, step)
        log = twin.step(step)
        account.add(log, step, setup.update)
        assert_same(kernel, twin, account, step)
        assert kernel.state.marks.rate[hazards.RHO] == log.rho
    return kernel, account


def differing(kernel, other):
    """Names of the arrays in which two runs of one set-up differ."""
    return [name for name, array in kernel.arrays().items() if not np.array_equal(array, other.arrays()[name])]
