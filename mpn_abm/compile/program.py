"""A scenario as the kernels take it: rules, starting marrow, sizes, and the names of things."""

import math
from dataclasses import dataclass

import numpy as np

from mpn_abm.arrays import Sizes
from mpn_abm.columns import Layout, layout_of
from mpn_abm.compile.cells import car_t_rules, cell_rules, signal_rules
from mpn_abm.compile.clock import Timetable, boundary_at, timetable_of
from mpn_abm.compile.courses import treatment_rules
from mpn_abm.compile.drugs import has_concentration
from mpn_abm.compile.genotypes import Antigens, CellTypes, antigens_of, cell_types_of
from mpn_abm.compile.immunity import antigen_rules, immune_rules
from mpn_abm.compile.patient import blood_rules, progression_rules, spleen_rules, transplant_rules
from mpn_abm.compile.scar import field_levels, field_work, scar_rules
from mpn_abm.kernels.draws import poisson_table_length
from mpn_abm.mechanisms.census import CensusRules
from mpn_abm.mechanisms.outcome import OUTCOMES_LOGGED
from mpn_abm.mechanisms.patterns import DISC, PATCHES, SCATTERED, SINGLE
from mpn_abm.mechanisms.rules import Clock, Rules
from mpn_abm.mechanisms.start import StartRules
from mpn_abm.mechanisms.treatment.rules import AGENTS, NEVER
from mpn_abm.scenario.schema import Spec
from mpn_abm.scenario.sizes import sizes_of
from mpn_abm.scenario.treatments import courses_of
from mpn_abm.state import lattice_of

GENES = {"none": 0, "JAK2": 1, "CALR": 2}
PATTERNS = {"scattered": SCATTERED, "patches": PATCHES, "disc": DISC, "single": SINGLE}
# trajectory rows that a marrow keeps before the recorder takes them
MOST_ROWS = 1024


@dataclass(frozen=True)
class Program:
    """Everything that a run needs, made once from a scenario."""

    spec: Spec
    rules: Rules
    start: StartRules
    sizes: Sizes
    timetable: Timetable
    layout: Layout
    cell_types: CellTypes
    antigens: Antigens

    @property
    def courses(self) -> tuple[str, ...]:
        """Courses of treatments, by the number that the log gives them."""
        return tuple(one.name for one in courses_of(self.spec.treatments))

    @property
    def founders(self) -> tuple[str, ...]:
        """Clones of the file; clone k + 1 is founders[k]."""
        return tuple(self.spec.clones)


def weight_of(spec: Spec) -> float:
    """Stem cells of the patient that a site stands for."""
    return spec.marrow.hsc_pool / math.prod(spec.marrow.shape) if spec.marrow.scale == "niche" else 1.0


def compile_scenario(spec: Spec) -> Program:
    """Cross from the checked scenario to arrays and numbers; nothing below this line knows a unit."""
    lattice = lattice_of(
        spec.marrow.shape[::-1], spec.hematopoiesis.homing_radius, spec.marrow.boundary == "reflecting"
    )
    types = cell_types_of(spec, weight_of(spec))
    antigens = antigens_of(types, spec)
    cells = cell_rules(spec, types, antigens)
    car_t = car_t_rules(spec, lattice, types, antigens, cells)
    tissue = spec.marrow.scale == "tissue"
    levels = field_levels(lattice, tissue and (spec.fibrosis.enabled or spec.immune.enabled))
    timetable = timetable_of(spec)
    layout, census = _census(spec, timetable, types, antigens, bool(car_t.enabled))
    rules = Rules(
        lattice=lattice,
        clock=_clock(spec, timetable),
        cells=cells,
        signal=signal_rules(spec, types),
        drugs=treatment_rules(spec, layout, types.bases),
        scar=scar_rules(spec, lattice, types),
        levels=levels,
        car_t=car_t,
        antigen=antigen_rules(spec, types, antigens),
        immune=immune_rules(spec, types, antigens, car_t),
        blood=blood_rules(spec, types),
        spleen=spleen_rules(spec, types),
        progression=progression_rules(spec, types),
        transplant=transplant_rules(spec, types),
        census=census,
        places=layout.places,
    )
    start = _start(spec, types, timetable)
    sizes = _sizes(rules, start, field_work(lattice, levels))
    return Program(spec, rules, start, sizes, timetable, layout, types, antigens)


def _clock(spec: Spec, timetable: Timetable) -> Clock:
    return Clock(
        step=timetable.step,
        last=timetable.steps,
        sites=math.prod(spec.marrow.shape),
        on_fixation=int("fixation" in spec.stop.when),
        on_extinction=int("extinction" in spec.stop.when),
        on_eradication=int("eradication" in spec.stop.when),
        on_death=int("death" in spec.stop.when),
        not_before=max(timetable.arrivals, default=0),
    )


def _census(
    spec: Spec, timetable: Timetable, types: CellTypes, antigens: Antigens, car_t: bool
) -> tuple[Layout, CensusRules]:
    genotypes = [spec.genotypes[base] for base in types.bases]
    mutant = [base for base, genotype in zip(types.bases, genotypes, strict=True) if genotype.gene != "none"]
    measured = [t.drug if has_concentration(spec.drugs[t.drug]) else None for t in spec.treatments.values()]
    drugs = list(dict.fromkeys(drug for drug in measured if drug is not None))
    groups = {"cells_total", "turnover", "cells", "fraction", "genotype_cells", "vaf", "activity", "persistence"}
    groups |= {"concentration"}
    groups |= {"antigen"} if spec.antigen.enabled else set()
    groups |= {"scar"} if spec.fibrosis.enabled else set()
    groups |= {name for name in ("blood", "spleen", "progression") if getattr(spec, name).enabled}
    groups |= {"immune", "pd_l1", "mean_pd_l1"} if spec.immune.enabled else set()
    # every arm of a scenario with CAR T cells has their columns, a dose of 0 included
    given = spec.car_t.enabled and any(t.kind == "car_t" for t in spec.treatments.values())
    groups |= {"car_t"} if given else set()
    names = {"clone": list(spec.clones), "genotype": types.bases, "mutant": mutant, "drug": drugs}
    layout = layout_of(names, groups)
    rules = CensusRules(
        founders=len(spec.clones),
        row_at=np.append(timetable.rows, NEVER),
        clone_rows=int(spec.output.clones),
        gene=np.array([GENES[genotype.gene] for genotype in genotypes], np.int64),
        copies=np.array([genotype.mutant_copies for genotype in genotypes], np.int64),
        molecules=antigens.molecules(spec.antigen.spread),
        mutant_bases=np.array([types.bases.index(base) for base in mutant], np.int64),
        drug_of=np.array([-1 if drug is None else drugs.index(drug) for drug in measured], np.int64),
        drugs=len(drugs),
    )
    return layout, rules


def _start(spec: Spec, types: CellTypes, timetable: Timetable) -> StartRules:
    clones = spec.clones
    scar = spec.fibrosis.initial
    return StartRules(
        genotype=np.array([types.founders[name] for name in clones], np.int64),
        cells=np.array(sizes_of(spec), np.int64),
        pattern=np.array([PATTERNS[clone.pattern] for clone in clones.values()], np.int64),
        patches=np.array([clone.patches or 0 for clone in clones.values()], np.int64),
        arrives=np.array([boundary_at(clone.day, timetable.step) for clone in clones.values()], np.int64),
        scar=scar.mf_grade / 3.5,
        scar_patches=scar.patches or 0,
        scar_cover=scar.cover_fraction or 0.0,
        scar_radius=scar.radius or 0.0,
        weight=weight_of(spec),
    )


def most_candidates(rules: Rules) -> float:
    """A bound on the candidates per site and step, for the sizes; activity is at most 1 + rebound."""
    cells = rules.cells
    highest_activity = 1.0 + float(rules.signal.rebound.max())
    swing = np.maximum(np.abs(cells.fitness) * highest_activity, 0.0) + cells.inhibition_cost
    rate = cells.division_rate * (1.0 + cells.regeneration) + cells.loss_rate + float(swing.max())
    return (rate + float(cells.mutation_rate.sum(axis=1).max(initial=0.0))) * rules.clock.step


def _sizes(rules: Rules, start: StartRules, work: int) -> Sizes:
    sites = rules.lattice.sites
    founders = len(start.genotype)
    kinds = rules.cells.mutation_rate.shape[1]
    usual = most_candidates(rules) / (1.0 + rules.cells.regeneration) * sites
    clones = founders + 1 + rules.transplant.enabled + (int(2 * usual + 10 * math.sqrt(usual)) + 64 if kinds else 0)
    infused = int(np.maximum(rules.drugs.level[:, AGENTS], 0).max(initial=0))
    agents = max(4 * infused, 64) if rules.car_t.enabled else 0
    events = 4 * (rules.drugs.most_logged + OUTCOMES_LOGGED) + 4
    rows = min(len(rules.census.row_at) + 1, MOST_ROWS)
    return Sizes(
        genotypes=len(rules.cells.fitness),
        kinds=kinds,
        bases=len(rules.signal.rebound),
        antigen_classes=rules.antigen.molecules.shape[0],
        treatments=len(rules.drugs.treatment),
        courses=len(rules.drugs.course),
        conditions=len(rules.drugs.condition),
        clones=clones,
        agents=agents,
        agent_sites=sites if rules.car_t.enabled else 0,
        niche_sites=sites if rules.car_t.enabled and not rules.car_t.tissue else 0,
        count_words=len(rules.car_t.unit),
        # the ladder puts the rate at most 19 % above the highest hazard
        poisson=poisson_table_length.py_func(1.19 * usual),
        field_work=work,
        rows=rows,
        columns=rules.places.width,
        clone_rows=max(clones, min(rows * (founders + 8), 65536)) + clones if rules.census.clone_rows else 0,
        log=events,
    )
