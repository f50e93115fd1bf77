"""Rules of the stem cells, of signalling and of CAR T cells from a scenario."""

import math
from collections.abc import Iterable

import numpy as np

from mpn_abm.compile.drugs import cells_per_agent, infusing_courses
from mpn_abm.compile.genotypes import DAYS_PER_YEAR, SOURCE_UNIT, Antigens, CellTypes
from mpn_abm.compile.patient import mutant_bases, rebounds
from mpn_abm.kernels.packing import units
from mpn_abm.mechanisms.car_t.micro import walk_turn
from mpn_abm.mechanisms.car_t.rules import CarTRules
from mpn_abm.mechanisms.hematopoiesis.rules import BIRTH_DEATH, DEATH_BIRTH, CellRules
from mpn_abm.mechanisms.jak_stat.kernel import SignalRules
from mpn_abm.scenario.schema import Spec
from mpn_abm.state import Lattice

MINUTES_PER_DAY = 1440.0


def word_threshold(probability: float) -> np.uint64:
    """Threshold of a 32-bit word with this probability."""
    return np.uint64(min(int(probability * 2.0**32), 2**32))


def probability_in(rate: float, time: float) -> float:
    """Probability of an event of this rate within a time."""
    return -math.expm1(-rate * time)


def cell_rules(spec: Spec, types: CellTypes, antigens: Antigens) -> CellRules:
    """Division, loss, placement and mutation; G genotypes with number 0 for the empty niche."""
    h, niche, patient, family = spec.hematopoiesis, spec.niche, spec.patient, types.family
    alive = 1.0 if h.enabled else 0.0
    scarring = 1.0 if niche.enabled else 0.0
    genotypes = [spec.genotypes[base] for base in types.bases]
    flags = [[flag for name, flag in sorted(spec.flags.items()) if name in names] for names in family.flag_sets]

    def of_base(values: Iterable[float]) -> np.ndarray:
        """By genotype what its base says; 0 for the empty niche."""
        by_genotype: np.ndarray = np.array([*values])[family.base]
        by_genotype[0] = 0
        return by_genotype

    mutant = [genotype.gene != "none" for genotype in genotypes]
    driver = of_base(g.fitness * (patient.fitness if m else 1.0) for g, m in zip(genotypes, mutant, strict=True))
    added = np.array([float(sum(flag.fitness for flag in said)) for said in flags])[family.flag_set]
    transformed = alive * spec.progression.transformed_fitness / DAYS_PER_YEAR
    fitness = np.where(family.steady, transformed, alive * (driver + added) / DAYS_PER_YEAR)
    low = alive * driver * (1.0 - spec.antigen.low_variant_factor) / DAYS_PER_YEAR
    order = np.where(family.tet2_first, spec.interferon.tet2_first_factor, 1.0)
    loss = of_base(genotype.interferon_loss * patient.interferon for genotype in genotypes)
    cost = of_base(alive * genotype.inhibition_cost * patient.inhibition_cost for genotype in genotypes)
    weight = np.array([round(SOURCE_UNIT * math.prod(flag.cytokine_factor for flag in said)) for said in flags])
    secretes = of_base(genotype.cytokine > 0.0 for genotype in genotypes)
    lodging = scarring * niche.capacity_cost
    return CellRules(
        update={"birth_death": BIRTH_DEATH, "death_birth": DEATH_BIRTH}[h.update],
        division_rate=alive * h.division_rate / DAYS_PER_YEAR,
        loss_rate=alive * h.loss_rate / DAYS_PER_YEAR,
        regeneration=h.regeneration,
        recirculation=word_threshold(h.recirculation),
        displacement=word_threshold(h.displacement),
        lodge=((1.0 - lodging * np.arange(256) / 255.0) * 2**32).astype(np.uint64),
        scar_cost=of_base(scarring * (niche.mutant_scar_cost if m else niche.wild_type_scar_cost) for m in mutant),
        fitness=fitness,
        inhibition_cost=cost / DAYS_PER_YEAR,
        antigen_fitness=np.where(family.antigen_low, low, 0.0),
        coupling=np.array([spec.antigen.coupling, spec.antigen.late_coupling]),
        steady=family.steady.astype(np.uint8),
        interferon=loss * order / DAYS_PER_YEAR if spec.interferon.enabled else np.zeros(len(order)),
        receptor_gain=spec.eltrombopag.division_gain if spec.eltrombopag.enabled else 0.0,
        base=types.base_of(),
        antigen_class=antigens.class_of,
        is_mutant=of_base(mutant).astype(np.uint8),
        source_weight=np.where(secretes, weight[family.flag_set], 0).astype(np.int32),
        mutation_rate=types.mutation_rate,
        becomes=types.becomes,
        transformation=types.transformation,
        transformed_growth=spec.progression.transformed_growth / DAYS_PER_YEAR,
        scar_factor=spec.progression.scar_factor,
    )


def signal_rules(spec: Spec, types: CellTypes) -> SignalRules:
    """Persistence and rebound of every signalling base."""
    jak = spec.jak_stat
    genotypes = [spec.genotypes[base] for base in types.bases]
    return SignalRules(
        enabled=int(jak.enabled),
        trans_activation=jak.trans_activation,
        onset=jak.persistence_onset,
        decay=jak.persistence_decay,
        on_drug=jak.on_drug_occupancy,
        rebound=rebounds(spec, types),
        persists=mutant_bases(spec, types),
        turnover=jak.protein_turnover,
        hsp90=np.array([genotype.hsp90_sensitivity for genotype in genotypes]),
        antibody=np.array([jak.antibody_block * (genotype.gene == "CALR") for genotype in genotypes]),
        left_response=jak.response_left,
    )


def car_t_rules(spec: Spec, lattice: Lattice, types: CellTypes, antigens: Antigens, cells: CellRules) -> CarTRules:
    """CAR T cells at the scale of the scenario; times in days."""
    p = spec.car_t
    tissue = spec.marrow.scale == "tissue"
    step = spec.time.step
    hop = spec.fibrosis.site_length / p.speed / MINUTES_PER_DAY
    longest = hop if tissue else p.sub_step / 24.0
    sub_steps = max(1, math.ceil(step / longest - 1e-9))
    sub_step = step / sub_steps
    genotypes = [spec.genotypes[base] for base in types.bases]
    output = np.array([genotype.megakaryocyte_output for genotype in genotypes])[types.family.base]
    output[0] = 0.0
    three_d = lattice.radius_z > 0 or not tissue
    # T cells tell genotypes apart by these alone; number 0 is the empty niche
    alike = np.stack([output, cells.base, antigens.class_of])[:, 1:]
    _, example, kind = np.unique(alike, axis=1, return_index=True, return_inverse=True)
    return CarTRules(
        enabled=int(bool(infusing_courses(spec))),
        tissue=int(tissue),
        sub_steps=sub_steps,
        sub_step=sub_step,
        cells_per_agent=cells_per_agent(spec),
        most_homing=math.inf if tissue or p.homing == 0.0 else 1.0 / p.homing,
        marrow_cells=float(lattice.sites) if tissue else p.marrow_cells_per_kg * spec.patient.weight,
        antigen_class=antigens.class_of,
        output=output,
        base=cells.base,
        is_mutant=cells.is_mutant,
        unit=units(np.append(-1, kind)),
        example=example + 1,
        receptor_share=p.receptor_share,
        attach_time=(p.attach_time_3d if three_d else p.attach_time_2d) / MINUTES_PER_DAY,
        engagement_time=p.engagement_time / MINUTES_PER_DAY,
        rest_time=p.rest_time / MINUTES_PER_DAY,
        lysis_probability=p.lysis_probability,
        hop_probability=sub_step / hop,
        turn=walk_turn(sub_step, p.persistence / MINUTES_PER_DAY),
        scar_slowing=p.scar_slowing,
        relocation=word_threshold(probability_in(p.relocation_rate, sub_step)),
        programme_divisions=p.programme_divisions,
        max_divisions=max(0, round(p.max_divisions + spec.patient.car_t_divisions)),
        phase_growth=p.division_rate / math.log(2.0) * sub_step,
        death=word_threshold(probability_in(p.death_rate, sub_step)),
        grace=p.grace,
        memory_share=word_threshold(p.memory_share),
        memory_death=word_threshold(probability_in(p.memory_death_rate, sub_step)),
        capacity=p.capacity,
        exhaustion_half=p.exhaustion_half,
        exhaustion_exponent=p.exhaustion_exponent,
        readout_weight=probability_in(1.0 / p.crs_smoothing, sub_step),
    )
