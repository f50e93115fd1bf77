"""Set-ups in which only CAR T cells act, and the comparison of a compiled marrow with its twin."""

from dataclasses import replace
from math import ceil, exp, expm1, log, prod
from statistics import NormalDist

import numpy as np
from twin import draws
from twin.t_cells import Life, Micro, Niche, TCells, niche_sub_step, tissue_sub_step
from verification.runs import OFF, scenario

from mpn_abm.batch import Batch
from mpn_abm.compile.program import compile_scenario
from mpn_abm.state import HEALTHY_KILLED, KILLS, NEXT_UID, T_CELLS

MINUTE = 1.0 / 1440.0
ALONE = {"hematopoiesis": OFF, "mutation": OFF, "output": {"snapshots": False}}
GENOTYPES = {"dim": {"like": "CALR_TYPE2", "antigen_molecules": 150}}
# three kinds of neighbours and bare sites; "dim" is an antigen class of its own
CLONES = {
    "healthy": {"genotype": "wild_type", "fraction": 0.25},
    "jak": {"genotype": "JAK2_V617F", "fraction": 0.1},
    "calr": {"genotype": "CALR_TYPE1", "fraction": 0.35, "pattern": "patches", "patches": 2},
    "dim": {"genotype": "dim", "fraction": 0.15, "pattern": "patches", "patches": 2},
}
# a short life in which everything happens: tired after six engagements, memory, room for 70 agents
NICHE_LIFE = {
    "receptor_share": 0.3, "cells_per_agent": 1e9, "minimum_agents": 12, "lysis_probability": 1,
    "relocation_rate_per_day": 2,
    "attach_time_3d_minutes": 200, "programme_divisions": 3, "max_divisions": 5, "death_rate_per_day": 0.5,
    "grace_days": 0.4, "memory_share": 0.4, "memory_death_rate_per_day": 0.1, "capacity": 0.1, "exhaustion_half": 6,
    "exhaustion_decay_days": 5,
}  # fmt: skip
TISSUE_LIFE = {
    "attach_time_2d_minutes": 20, "attach_time_3d_minutes": 20, "engagement_time_minutes": 6, "rest_time_minutes": 4,
    "lysis_probability": 0.8, "programme_divisions": 2, "max_divisions": 3, "division_rate_per_day": 40,
    "death_rate_per_day": 40, "grace_days": 0.02, "memory_share": 0.4, "memory_death_rate_per_day": 10,
    "capacity": 0.4, "exhaustion_half": 4, "exhaustion_decay_days": 0.5, "scar_slowing": 0.8,
}  # fmt: skip


def niche(shape, boundary="periodic", car_t=None, **changes):
    """A marrow at niche scale, infused twice; shape as in a file, x first."""
    return {
        "time": {"duration_days": 30}, "marrow": {"shape": shape, "boundary": boundary}, "seed": 11, **ALONE,
        "genotypes": GENOTYPES, "clones": CLONES, "antigen": {"activation_half_molecules": 900},
        "treatments": {"car_t": {"dose_cells": 1.2e11, "every_days": 4, "doses": 2}}, "fibrosis": OFF,
        "car_t": NICHE_LIFE | (car_t or {}), **changes,
    }  # fmt: skip


def tissue(shape, boundary="periodic", car_t=None, **changes):
    """A marrow at tissue scale with patches of scar, infused twice, the second time from its faces."""
    return {
        "time": {"duration_hours": 24}, "marrow": {"scale": "tissue", "shape": shape, "boundary": boundary},
        "seed": 5, **ALONE, "genotypes": GENOTYPES, "clones": CLONES, "antigen": {"activation_half_molecules": 300},
        "fibrosis": {"initial": {"mf_grade": 3, "patches": 2, "cover_fraction": 0.5}},
        "treatments": {
            "first": {"drug": "car_t", "dose_cells": 25},
            "second": {"drug": "car_t", "effector_to_target": 0.5, "day": 2 / 24, "entry": "faces"},
        },
        "car_t": TISSUE_LIFE | (car_t or {}), **changes,
    }  # fmt: skip


class Biology:
    """The formulas of docs/background for the cells of a scenario; a cell is (genotype, antigen byte)."""

    def __init__(self, spec, cell_types, sub_step):
        self.spec, self.car_t, self.sub_step = spec, spec.car_t, sub_step
        self.genotypes = [None, *(spec.genotypes[cell_type.base] for cell_type in cell_types.types)]
        self.base_of = cell_types.base_of().tolist()
        self.activity = [1.0] * len(cell_types.bases)
        self.quantile = [NormalDist().inv_cdf((byte + 0.5) / 256.0) for byte in range(256)]

    def within(self, rate):
        """Probability of an event of this rate per day in a sub-step."""
        return -expm1(-rate * self.sub_step)

    def median(self, g):
        genotype = self.genotypes[g]
        usual = self.spec.antigen.density if genotype.gene == "CALR" else 0.0
        return usual if genotype.antigen is None else genotype.antigen

    def molecules(self, cell):
        return self.median(cell[0]) * exp(self.spec.antigen.spread * self.quantile[cell[1]])

    def lysis(self, molecules):
        return self.response(molecules / self.spec.antigen.lysis_half)

    def lysis_of(self, cell):
        """h of a cell; one without the antigen has that of background killing."""
        antigen = self.molecules(cell)
        return self.lysis(antigen) if antigen > 0.0 else self.car_t.background_kill

    def activation(self, molecules):
        return self.response(molecules / self.spec.antigen.activation_half)

    def response(self, ratio):
        power = ratio**self.spec.antigen.response_steepness
        return power / (power + 1.0)

    def life(self, cells_per_agent, marrow_cells):
        p = self.car_t
        half = p.exhaustion_half
        return Life(
            h=self.sub_step, grace=p.grace, programme=p.programme_divisions, lifetime=p.max_divisions,
            growth=p.division_rate / log(2.0) * self.sub_step, room=p.capacity * marrow_cells / cells_per_agent,
            dies=self.within(p.death_rate), memory_share=p.memory_share, memory_dies=self.within(p.memory_death_rate),
            forgets=exp(-self.sub_step / p.exhaustion_decay), exhausted=lambda x: x**4 / (x**4 + half**4),
        )  # fmt: skip

    # Niche scale.

    def niche(self, cells_per_agent, marrow_cells, shape):
        p = self.car_t
        attach_time, held = p.attach_time_3d * MINUTE, (p.engagement_time + p.rest_time) * MINUTE
        marrow_cells_around = 3 ** len(shape) * marrow_cells / prod(shape)

        def meets(around):
            f, lysis, activation = self.progenitors(around)
            if f == 0.0:
                return 0.0, 0.0
            return self.within(1.0 / (attach_time / (lysis * touching(f)) + held)), activation

        def kills(cell, around, force):
            f, _, _ = self.progenitors(around)
            t_cells = force / 2**16 * cells_per_agent / marrow_cells_around
            of_targets = touching(f) / f if f > 0.0 else 26.0
            return self.within(of_targets * p.lysis_probability * self.lysis_of(cell) * t_cells / attach_time)

        return Niche(self.within(p.relocation_rate), meets, kills)

    def progenitors(self, around):
        """f, h and g of the receptor-bearing cells that the stem cells around put out."""
        all_output, outputs = 0.0, []
        for cell in filter(None, around):
            output = 1.0 + self.genotypes[cell[0]].megakaryocyte_output * self.activity[self.base_of[cell[0]]]
            all_output += output
            if self.median(cell[0]) > 0.0:
                outputs.append((output, self.spec.antigen.progenitor_factor * self.median(cell[0])))
        positive = sum(output for output, _ in outputs)
        if positive == 0.0:
            return 0.0, 0.0, 0.0
        lysis = sum(output * self.lysis(a) for output, a in outputs) / positive
        activation = sum(output * self.activation(a) for output, a in outputs) / positive
        return self.car_t.receptor_share * positive / all_output, lysis, activation

    # Tissue scale.

    def micro(self, shape, scar):
        p = self.car_t
        hop_time = self.spec.fibrosis.site_length / p.speed * MINUTE
        attach_time = (p.attach_time_3d if len(shape) == 3 else p.attach_time_2d) * MINUTE

        def hops(here, there):
            e = 0.5 * (scar[draws.block(here, shape)] + scar[draws.block(there, shape)])
            return self.sub_step / hop_time * (1.0 - p.scar_slowing * e)

        def attaches(cell):
            return self.within(self.lysis_of(cell) / attach_time)

        return Micro(
            hops=hops, turns=self.within(1.0 / (p.persistence * MINUTE)), attaches=attaches,
            commits=lambda cell: self.activation(self.molecules(cell)),
            releases=self.within(1.0 / (p.engagement_time * MINUTE)), lyses=p.lysis_probability,
            wakes=self.within(1.0 / (p.rest_time * MINUTE)) if p.rest_time > 0.0 else 1.0,
        )  # fmt: skip


def touching(f):
    return 1.0 - (1.0 - f) ** 26


class Pair:
    """A compiled marrow and its twin, made from one scenario."""

    def __init__(self, content, agents=None):
        program = compile_scenario(scenario(content).spec)
        if agents:
            program = replace(program, sizes=program.sizes._replace(agents=agents))
        self.program, self.spec, self.batch = program, program.spec, Batch(program, [0])
        spec = self.spec
        self.shape = spec.marrow.shape[::-1]
        self.is_tissue = spec.marrow.scale == "tissue"
        longest = (
            spec.fibrosis.site_length / spec.car_t.speed * MINUTE if self.is_tissue else spec.car_t.sub_step / 24.0
        )
        self.sub_steps = max(1, ceil(spec.time.step / longest - 1e-9))
        self.biology = Biology(spec, program.cell_types, spec.time.step / self.sub_steps)
        self.marrow_cells = prod(self.shape) if self.is_tissue else spec.car_t.marrow_cells_per_kg * spec.patient.weight
        self.cells_per_agent = 1.0 if self.is_tissue else self._cells_per_agent()
        self.t_cells = TCells(spec.seed, self.shape, spec.marrow.boundary, spec.time.step)
        words = [(int(word) & 0xFF, int(word) >> 8 & 0xFF) for word in self.state.cell]
        self.cells = [cell if cell[0] else None for cell in words]
        self.at_start = list(self.cells)
        self.credits = []

    @property
    def state(self):
        return self.batch.marrow(0)

    @property
    def key(self):
        return self.batch.keys[0]

    def _cells_per_agent(self):
        p = self.spec.car_t
        return min([p.cells_per_agent, *(t.dose_cells * p.homing / p.minimum_agents for _, t in self.infusions())])

    def infusions(self):
        """(step, treatment) of every infusion, in the order of time."""
        every = [
            (ceil(((treatment.day or 0.0) + k * (treatment.every or 0.0)) / self.spec.time.step - 1e-9), treatment)
            for treatment in self.spec.treatments.values()
            if treatment.kind == "car_t"
            for k in range(treatment.doses or 1)
        ]
        return sorted(every, key=lambda infusion: infusion[0])

    # The compiled marrow.

    def run(self, step):
        """The step as a run does it."""
        self.batch.advance(step + 1, lambda: self.batch.take_rows(), lambda boundary: None)

    def run_by_hand(self, step, functions):
        """The infusions and the sub-steps of T cells of a step, by functions given by name."""
        state, rules, tally = self.state, self.program.rules, self.state.tally
        lattice, own = rules.lattice, (step, *self.key)
        for number, (due, treatment) in enumerate(self.infusions()):
            if due == step:
                agents, faces = self.dose(treatment), int(treatment.entry == "faces")
                today = step * self.spec.time.step
                functions["infuse"](agents, number, faces, self.is_tissue, today, state.agents, tally, lattice, *own)
        for sub in range(self.sub_steps):
            now = (step, sub, step * self.spec.time.step + (sub + 1) * rules.car_t.sub_step, *self.key)
            shared, meeting = (state.counters, state.ledger), (state.signal, state.immunity)
            others = (tally, rules.cells, rules.car_t, lattice, *now)
            if self.is_tissue:
                in_hand = (state.agents, state.hand)
                functions["micro_sub_step"](state.cell, state.ground, *shared, *meeting, *in_hand, *others)
            else:
                around = (state.agents, state.surroundings, state.hand)
                functions["macro_sub_step"](state.cell, state.ground.source, *shared, *meeting, *around, *others)

    # The twin.

    def dose(self, treatment):
        """Agents of an infusion that is due now."""
        if treatment.effector_to_target is not None:
            targets = sum(self.biology.median(cell[0]) > 0.0 for cell in self.cells if cell)
            return int(treatment.effector_to_target * targets + 0.5)
        return round(treatment.dose_cells * (1.0 if self.is_tissue else self.spec.car_t.homing) / self.cells_per_agent)

    def twin_infusions(self, step):
        for number, (due, treatment) in enumerate(self.infusions()):
            if due == step and self.is_tissue:
                self.t_cells.enter_tissue(step, self.dose(treatment), number, treatment.entry == "faces")
            elif due == step:
                self.t_cells.enter_niche(step, self.dose(treatment))

    def twin_step(self, step, scar):
        """The sub-steps of a step on this scar; activity is that of the compiled marrow."""
        self.biology.activity = self.state.signal.activity.tolist()
        life = self.biology.life(self.cells_per_agent, self.marrow_cells)
        if self.is_tissue:
            chances, act = self.biology.micro(self.shape, scar), tissue_sub_step
        else:
            chances, act = self.biology.niche(self.cells_per_agent, self.marrow_cells, self.shape), niche_sub_step
        for sub_step in range(self.sub_steps):
            self.credits.append(act(self.t_cells, self.cells, step, sub_step, chances, life))

    def shift(self):
        """Every cell moves on by a site, as others take their places between two steps."""
        self.state.cell[:] = np.roll(self.state.cell, 1)
        self.cells[:] = [self.cells[-1], *self.cells[:-1]]
        self.at_start[:] = [self.at_start[-1], *self.at_start[:-1]]

    def compare(self, when):
        """Agents in their order, cells, layer and counters are equal; the phase to rounding, as e is."""
        state, twins = self.state, self.t_cells.agents
        alive = int(state.tally[T_CELLS])
        facts = {
            "uid": [agent.uid for agent in twins], "site": [agent.place for agent in twins],
            "state": [agent.state for agent in twins], "memory": [int(agent.memory) for agent in twins],
            "to_go": [agent.to_go for agent in twins], "done": [agent.done for agent in twins],
            "exhaustion": [agent.x for agent in twins], "contact": [agent.contact for agent in twins],
            "target": [agent.target for agent in twins],
            "heading": [-1 if agent.heading is None else agent.heading for agent in twins],
        }  # fmt: skip
        for name, expected in facts.items():
            np.testing.assert_array_equal(getattr(state.agents, name)[:alive], expected, f"{name} after {when}")
        phase = [agent.phase for agent in twins]
        np.testing.assert_allclose(state.agents.phase[:alive], phase, 1e-12, 1e-12, err_msg=f"phase after {when}")
        assert state.tally[NEXT_UID] == self.t_cells.next_uid, f"numbers given after {when}"
        words = [cell[0] | cell[1] << 8 if cell else 0 for cell in self.cells]
        np.testing.assert_array_equal(state.cell & np.uint64(0xFFFFFFFF), words, f"cells after {when}")
        assert (state.cell[state.cell < 2**32] == 0).all(), f"a clone without a cell after {when}"
        layer = np.bincount(facts["site"], minlength=len(words)) if self.is_tissue else np.zeros(len(words))
        # forces that were summed everywhere are left to be overwritten
        if self.is_tissue or not state.surroundings.everywhere[0]:
            np.testing.assert_array_equal(state.agents.layer, layer, f"layer after {when}")
        if self.is_tissue:
            np.testing.assert_array_equal(state.agents.touched, 0, f"claims after {when}")
        self.compare_counters(when)

    def compare_counters(self, when):
        state, genotypes = self.state, len(self.biology.genotypes)
        killed = [before[0] for before, now in zip(self.at_start, self.cells, strict=True) if before and not now]
        ledger = np.bincount(killed, minlength=genotypes)
        np.testing.assert_array_equal(state.ledger.killed, ledger, f"killed after {when}")
        healthy = sum(ledger[g] for g in range(1, genotypes) if self.biology.genotypes[g].gene == "none")
        kills = state.tally[[KILLS, HEALTHY_KILLED]]
        np.testing.assert_array_equal(kills, [len(killed), healthy], f"kills after {when}")
        left = np.bincount([cell[0] if cell else 0 for cell in self.cells], minlength=genotypes)
        np.testing.assert_array_equal(state.counters.genotype_cells, left, f"counts after {when}")
        antigen = np.zeros_like(state.counters.antigen_cells)
        for g, byte in filter(None, self.cells):
            antigen[self.program.antigens.class_of[g], byte] += self.biology.median(g) > 0.0
        np.testing.assert_array_equal(state.counters.antigen_cells, antigen, f"antigen after {when}")


def compare_with_twin(content, steps, run=Pair.run, agents=None):
    """Step both, compare after every step; the pair at the end."""
    pair = Pair(content, agents)
    for step in range(steps):
        scar = pair.state.ground.ecm.tolist()
        pair.twin_infusions(step)
        run(pair, step)
        pair.twin_step(step, scar)
        pair.compare(f"step {step}")
    return pair
