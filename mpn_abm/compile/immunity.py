"""Rules of the antigen and of the immune system around the clone."""

import math

import numpy as np

from mpn_abm.compile.genotypes import DAYS_PER_YEAR, Antigens, CellTypes
from mpn_abm.compile.patient import mutant_bases
from mpn_abm.mechanisms.antigen.kernel import AntigenRules
from mpn_abm.mechanisms.car_t.rules import CarTRules
from mpn_abm.mechanisms.immune.kernel import ImmuneRules
from mpn_abm.scenario.schema import Spec


def antigen_rules(spec: Spec, types: CellTypes, antigens: Antigens) -> AntigenRules:
    """Densities by class and what changes them."""
    p = spec.antigen
    base_of, numbers = types.base_of(), antigens.class_of
    bases = [int(base_of[numbers.tolist().index(c)]) for c in range(len(antigens.median))]
    return AntigenRules(
        molecules=antigens.molecules(p.spread),
        progenitor=antigens.median * p.progenitor_factor,
        base=np.array(bases, np.int64),
        always_late=antigens.always_late,
        late_factor=p.late_phase_factor,
        highest=spec.eltrombopag.antigen_maximum if spec.eltrombopag.enabled else 1.0,
        lysis_half=p.lysis_half,
        activation_half=p.activation_half,
        steepness=p.response_steepness,
        background=spec.car_t.background_kill,
    )


def immune_rules(spec: Spec, types: CellTypes, antigens: Antigens, car_t: CarTRules) -> ImmuneRules:
    """PD-L1, suppression, endogenous T cells, and JAK inhibition of T cells."""
    p = spec.immune
    gain = {"JAK2": p.pd_l1_jak2, "CALR": p.pd_l1_calr, "none": 0.0}
    seen = np.zeros(len(types.bases), np.uint8)
    seen[types.family.base[antigens.class_of > 0]] = 1
    return ImmuneRules(
        enabled=int(p.enabled),
        pd_l1=np.array([gain[spec.genotypes[base].gene] for base in types.bases]),
        is_mutant=mutant_bases(spec, types),
        is_seen=seen,
        checkpoint_weight=p.checkpoint_weight,
        division_cost=p.t_cell_division_cost,
        killing_cost=p.t_cell_killing_cost,
        surveillance=p.surveillance_rate / DAYS_PER_YEAR,
        surveillance_checkpoint=p.surveillance_checkpoint,
        surveillance_half=p.surveillance_half,
        length=p.suppression_length / spec.fibrosis.site_length,
        exhaustion_decay=spec.car_t.exhaustion_decay,
        sub_step=car_t.sub_step,
        forgetting=math.exp(-car_t.sub_step / spec.car_t.exhaustion_decay),
    )
