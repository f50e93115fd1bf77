"""Drugs and doses as concentrations, occupancies, exposures and agents."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.optimize import brentq

from mpn_abm.mechanisms.drugs import (
    FACTORS,
    CarTProduct,
    CheckpointBlockade,
    Effect,
    JakInhibitor,
    Modifier,
    OralDrug,
    Transplant,
)
from mpn_abm.mechanisms.treatment.pharmacokinetics import amount_per_dose, steady_means
from mpn_abm.mechanisms.treatment.rules import (
    ABSORPTION,
    AGENTS,
    AMOUNT,
    CALR_ANTIBODY,
    CAR_T_CELLS,
    CONCENTRATION,
    EFFECT_FACTS,
    ELIMINATION,
    FIRST_OF_DRUG,
    FOLLOWED,
    HALF_EXPOSURE,
    HALF_TO_THE_HILL,
    HILL,
    HSP90_INHIBITOR,
    IC50,
    INTERFERON_ALPHA,
    JAK1_ODDS,
    JAK_TYPE_1,
    JAK_TYPE_2,
    KIND,
    LEVEL_FACTS,
    MEAN_OCCUPANCY,
    MODIFIER,
    OF_BASE,
    OF_FACTOR,
    OF_TREATMENT,
    PD1_ANTIBODY,
    RATIO,
    RECEPTOR_AGONIST,
    RELATIVE,
    SATURATION,
    STEM_CELLS,
    T_CELLS_SPARED,
    TREATMENT_FACTS,
)
from mpn_abm.scenario.schema import Spec
from mpn_abm.scenario.treatments import LIMITS, CarTCourse, courses_of

KINDS = {
    "jak_inhibitor": JAK_TYPE_1,
    "hsp90_inhibitor": HSP90_INHIBITOR,
    "interferon": INTERFERON_ALPHA,
    "eltrombopag": RECEPTOR_AGONIST,
    "checkpoint_blockade": PD1_ANTIBODY,
    "antibody": CALR_ANTIBODY,
    "car_t": CAR_T_CELLS,
    "transplant": STEM_CELLS,
    "modifier": MODIFIER,
}


def has_tablets(drug: Any) -> bool:
    """Whether the concentration of a drug follows from its doses."""
    return isinstance(drug, OralDrug) and drug.first_dose_peak is not None


def has_concentration(drug: Any) -> bool:
    """Whether the blood concentration of a drug is modelled, or told."""
    return has_tablets(drug) or (isinstance(drug, Modifier) and drug.usual_concentration is not None)


def rates_of(drug: OralDrug) -> tuple[float, float]:
    """Absorption and elimination, 1/day."""
    return 24.0 * drug.absorption_rate, 24.0 * math.log(2.0) / drug.half_life


def amount_of(drug: OralDrug, dose: float) -> float:
    """Concentration that a dose in mg would make, nM."""
    return dose * amount_per_dose(drug.first_dose_peak or 0.0, *rates_of(drug))


@lru_cache(maxsize=256)
def ic50_of(drug: JakInhibitor) -> float:
    """The half-maximal concentration, told or from the mean occupancy at the usual dose, nM."""
    if drug.ic50 is not None:
        return drug.ic50
    interval, amount = 1.0 / drug.usual_times_per_day, amount_of(drug, drug.usual_dose)

    def surplus(log_ic50: float) -> float:
        occupancy, _ = steady_means(interval, amount, *rates_of(drug), math.exp(log_ic50))
        return occupancy - (drug.usual_occupancy or 0.0)

    middle = math.log(amount)
    return math.exp(float(brentq(surplus, middle - 30.0, middle + 30.0, xtol=1e-13, rtol=1e-13)))


def treatment_facts(spec: Spec) -> np.ndarray:
    """float64[T, TREATMENT_FACTS]: what is the same in all courses of a treatment."""
    facts = np.zeros((len(spec.treatments), TREATMENT_FACTS))
    facts[:, IC50] = 1.0
    names = [treatment.drug for treatment in spec.treatments.values()]
    for row, treatment in zip(facts, spec.treatments.values(), strict=True):
        row[FIRST_OF_DRUG] = names.index(treatment.drug)
        drug = spec.drugs[treatment.drug]
        row[KIND] = KINDS[drug.kind]
        row[FOLLOWED] = has_tablets(drug) and spec.marrow.scale == "tissue"
        if isinstance(drug, OralDrug):
            row[ABSORPTION], row[ELIMINATION] = rates_of(drug)
        elif hasattr(drug, "half_life"):
            row[ELIMINATION] = 24.0 * math.log(2.0) / drug.half_life
        if isinstance(drug, CheckpointBlockade):
            row[HALF_EXPOSURE] = drug.half_exposure
        if isinstance(drug, JakInhibitor):
            row[KIND] = JAK_TYPE_1 if drug.type == 1 else JAK_TYPE_2
            # the patient's log-odds shift every C / (C + IC50) alike
            row[IC50] = ic50_of(drug) * math.exp(-spec.patient.occupancy_logodds)
            row[JAK1_ODDS], row[T_CELLS_SPARED] = drug.jak1_odds_ratio, drug.jak1_selective
    return facts


def more_often(course: Any, drug: Any) -> float:
    """Doses a day over the usual number; 1 for what is no tablet."""
    return float(getattr(course, "times_per_day", 1) / getattr(drug, "usual_times_per_day", 1))


def relative_dose(course: Any, drug: Any) -> float:
    """The dose of a day over that of usual full exposure; a number above 0 if it is a ratio to cells."""
    if course.dose_relative is not None:
        return float(course.dose_relative)
    for way in ("dose_mg", "dose_cells"):
        dose = getattr(course, way, None)
        if dose is not None:
            return float(dose / drug.usual_dose) * more_often(course, drug)
    return float(course.dose_cells_per_kg or course.effector_to_target or 0.0)


def limit_of(rule: Any, course: Any, drug: Any) -> float:
    """The largest dose of a day that a rule allows, relative."""
    said = {name: limit for name in LIMITS if (limit := getattr(rule, name, None)) is not None}
    ((name, limit),) = said.items()
    return float(limit) if name == "max_dose_relative" else float(limit / drug.usual_dose) * more_often(course, drug)


def levels_of(course: Any, facts: np.ndarray, spec: Spec, drug: Any, per_agent: float) -> np.ndarray:
    """float64[1 + rules, LEVEL_FACTS]: the dose itself, and the dose as each rule of `adjust` limits it."""
    dose = relative_dose(course, drug)
    doses = [dose]
    if isinstance(drug, CarTProduct):
        cells = homed_cells(course, spec)
        dose = 1.0 if cells is None else cells / (drug.usual_dose * homing_of(spec))
        doses = [dose if spec.car_t.enabled and (cells != 0.0 and course.effector_to_target != 0.0) else 0.0]
    elif isinstance(drug, Transplant) and not spec.transplant.enabled:
        doses = [0.0]
    doses += [min(doses[0], limit_of(rule, course, drug)) for rule in course.adjust.values()]
    levels = np.zeros((len(doses), LEVEL_FACTS))
    for level, relative in zip(levels, doses, strict=True):
        level[RELATIVE] = relative
        if isinstance(drug, CarTProduct):
            _fill_infusion(level, course, spec, drug, per_agent, relative == doses[0])
        elif isinstance(drug, Modifier) and drug.usual_concentration is not None:
            level[CONCENTRATION] = relative * drug.usual_concentration
        elif isinstance(drug, OralDrug):
            single = relative * drug.usual_dose / more_often(course, drug)
            interval, level[AMOUNT] = 1.0 / course.times_per_day, amount_of(drug, single)
            level[MEAN_OCCUPANCY], level[CONCENTRATION] = steady_means(
                interval, float(level[AMOUNT]), float(facts[ABSORPTION]), float(facts[ELIMINATION]), float(facts[IC50])
            )
    return levels


def _fill_infusion(
    level: np.ndarray, course: CarTCourse, spec: Spec, drug: CarTProduct, per_agent: float, whole: bool
) -> None:
    if course.effector_to_target is not None:
        level[AGENTS], level[RATIO] = -1, course.effector_to_target
        return
    cells = homed_cells(course, spec) if whole else level[RELATIVE] * drug.usual_dose * homing_of(spec)
    level[AGENTS] = round((cells or 0.0) / per_agent)


def homing_of(spec: Spec) -> float:
    """Share of an infusion that reaches the marrow; at tissue scale the dose is what is put onto the lattice."""
    return 1.0 if spec.marrow.scale == "tissue" else spec.car_t.homing


def homed_cells(course: CarTCourse, spec: Spec) -> float | None:
    """T cells of one infusion that reach the marrow; None if the dose is a ratio."""
    if course.effector_to_target is not None:
        return None
    if course.dose_cells is not None:
        cells = course.dose_cells
    elif course.dose_cells_per_kg is not None:
        cells = course.dose_cells_per_kg * spec.patient.weight
    else:
        cells = (course.dose_relative or 0.0) * _usual_infusion(course, spec)
    return cells if spec.marrow.scale == "tissue" else cells * spec.car_t.homing


def _usual_infusion(course: CarTCourse, spec: Spec) -> float:
    treatment = next(c.treatment for c in courses_of(spec.treatments) if c.course is course)
    drug = spec.drugs[spec.treatments[treatment].drug]
    assert isinstance(drug, CarTProduct)
    return drug.usual_dose


def infusing_courses(spec: Spec) -> list[CarTCourse]:
    """Courses of CAR T cells with a dose."""
    found = [c.course for c in courses_of(spec.treatments) if isinstance(c.course, CarTCourse) and spec.car_t.enabled]
    return [course for course in found if homed_cells(course, spec) != 0.0 and course.effector_to_target != 0.0]


def cells_per_agent(spec: Spec) -> float:
    """T cells for which an agent stands: fewer where an infusion would have too few agents."""
    if spec.marrow.scale == "tissue":
        return 1.0
    homed = [cells for course in infusing_courses(spec) if (cells := homed_cells(course, spec))]
    return min([spec.car_t.cells_per_agent, *(cells / spec.car_t.minimum_agents for cells in homed)])


def effects_of(spec: Spec, bases: tuple[str, ...]) -> np.ndarray:
    """float64[E, EFFECT_FACTS]: what the modifiers among the treatments change."""
    rows = []
    for t, treatment in enumerate(spec.treatments.values()):
        drug = spec.drugs[treatment.drug]
        effects: dict[str, Effect] = drug.effects if isinstance(drug, Modifier) else {}
        for effect in effects.values():
            # a genotype that cannot occur in this run
            if effect.genotype is not None and effect.genotype not in bases:
                continue
            row = np.zeros(EFFECT_FACTS)
            row[OF_TREATMENT], row[OF_FACTOR] = t, FACTORS.index(effect.factor)
            row[OF_BASE] = -1 if effect.genotype is None else bases.index(effect.genotype)
            row[SATURATION] = effect.saturation if effect.direction == "increases" else -effect.saturation
            row[HALF_TO_THE_HILL], row[HILL] = effect.half_max**effect.hill, effect.hill
            rows.append(row)
    return np.array(rows).reshape(-1, EFFECT_FACTS)
