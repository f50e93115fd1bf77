"""Treatments as steps, amounts and occupancies."""

import math

import numpy as np

from mpn_abm.compile.clock import boundary_at
from mpn_abm.mechanisms.drugs import JakInhibitor
from mpn_abm.mechanisms.jak_inhibitor.pharmacokinetics import DrugRules, amount_per_dose, steady_means
from mpn_abm.scenario.schema import Spec
from mpn_abm.scenario.treatments import CarTTreatment, JakInhibitorTreatment

NEVER = 2**62


def homed_cells(treatment: CarTTreatment, spec: Spec) -> float | None:
    """T cells of one infusion that reach the marrow; None if the dose is a ratio.

    At tissue scale the dose is what is put onto the lattice.
    """
    if treatment.effector_to_target is not None:
        return None
    if treatment.dose_cells is not None:
        cells = treatment.dose_cells
    elif treatment.dose_cells_per_kg is not None:
        cells = treatment.dose_cells_per_kg * spec.patient.weight
    else:
        cells = (treatment.dose_relative or 0.0) * spec.drugs[treatment.drug].usual_dose
    return cells if spec.marrow.scale == "tissue" else cells * spec.car_t.homing


def infusions_of(spec: Spec) -> list[tuple[float, CarTTreatment, int]]:
    """Day, treatment and its number, of every infusion with a dose, in the order of time."""
    found = []
    for number, treatment in enumerate(spec.treatments.values()):
        if not isinstance(treatment, CarTTreatment) or not spec.car_t.enabled:
            continue
        if homed_cells(treatment, spec) == 0.0 or treatment.effector_to_target == 0.0:
            continue
        until = min(treatment.stop if treatment.stop is not None else math.inf, spec.time.duration)
        day, given = treatment.day, 0
        while day < until or given == 0:
            found.append((day, treatment, number))
            given += 1
            if treatment.every is None or (treatment.doses is not None and given >= treatment.doses):
                break
            day += treatment.every
    return sorted(found, key=lambda infusion: infusion[0])


def cells_per_agent(spec: Spec) -> float:
    """T cells for which an agent stands: fewer where an infusion would have too few agents."""
    if spec.marrow.scale == "tissue":
        return 1.0
    homed = [cells for _, treatment, _ in infusions_of(spec) if (cells := homed_cells(treatment, spec))]
    return min([spec.car_t.cells_per_agent, *(cells / spec.car_t.minimum_agents for cells in homed)])


def drug_rules(spec: Spec) -> DrugRules:
    """The treatments of a scenario for the kernels."""
    number = len(spec.treatments)
    step = spec.time.step
    rules = DrugRules(
        follows=int(spec.marrow.scale == "tissue"),
        start_step=np.zeros(number, np.int64),
        stop_step=np.full(number, NEVER, np.int64),
        interval=np.zeros(number),
        doses=np.full(number, NEVER, np.int64),
        amount=np.zeros(number),
        absorption=np.ones(number),
        elimination=np.full(number, 0.5),
        ic50=np.ones(number),
        mean_occupancy=np.zeros(number),
        mean_concentration=np.zeros(number),
        **_infusion_arrays(spec),
    )
    for k, treatment in enumerate(spec.treatments.values()):
        if isinstance(treatment, JakInhibitorTreatment):
            drug = spec.drugs[treatment.drug]
            assert isinstance(drug, JakInhibitor)
            _fill_inhibitor(rules, k, treatment, drug, spec.patient.occupancy_logodds, step)
    return rules


def _fill_inhibitor(
    rules: DrugRules, k: int, treatment: JakInhibitorTreatment, drug: JakInhibitor, logodds: float, step: float
) -> None:
    dose = treatment.dose_mg if treatment.dose_mg is not None else (treatment.dose_relative or 0.0) * drug.usual_dose
    if dose == 0.0:
        return
    interval = 1.0 / treatment.times_per_day
    absorption, elimination = 24.0 * drug.absorption_rate, 24.0 * math.log(2.0) / drug.half_life
    amount = dose * amount_per_dose(drug.first_dose_peak, absorption, elimination)
    # the patient's log-odds shift every C / (C + IC50) alike
    ic50 = drug.ic50 * math.exp(-logodds)
    rules.interval[k] = interval
    rules.amount[k] = amount
    rules.absorption[k], rules.elimination[k], rules.ic50[k] = absorption, elimination, ic50
    rules.mean_occupancy[k], rules.mean_concentration[k] = steady_means(interval, amount, absorption, elimination, ic50)
    rules.start_step[k] = boundary_at(treatment.start, step)
    stop = treatment.stop
    if treatment.duration is not None:
        stop = treatment.start + treatment.duration
    if stop is not None:
        rules.stop_step[k] = boundary_at(stop, step)


def _infusion_arrays(spec: Spec) -> dict[str, np.ndarray]:
    infusions = infusions_of(spec)
    per_agent = cells_per_agent(spec)
    cells = [homed_cells(treatment, spec) for _, treatment, _ in infusions]
    return {
        "infusion_step": np.array([boundary_at(day, spec.time.step) for day, _, _ in infusions], np.int64),
        "infusion_treatment": np.array([number for _, _, number in infusions], np.int64),
        "infusion_agents": np.array([-1 if n is None else round(n / per_agent) for n in cells], np.int64),
        "infusion_ratio": np.array([treatment.effector_to_target or 0.0 for _, treatment, _ in infusions]),
        "infusion_by_faces": np.array([treatment.entry == "faces" for _, treatment, _ in infusions], np.uint8),
    }
