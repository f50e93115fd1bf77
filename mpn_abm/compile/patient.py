"""Rules of blood, spleen, progression and transplant from a scenario; rates per day."""

import math

import numpy as np

from mpn_abm.compile.genotypes import DAYS_PER_YEAR, NORMAL_QUANTILES, CellTypes
from mpn_abm.mechanisms.blood.kernel import BloodRules
from mpn_abm.mechanisms.progression.kernel import ET, PMF, PV, ProgressionRules
from mpn_abm.mechanisms.spleen.kernel import SpleenRules
from mpn_abm.mechanisms.transplant.kernel import TransplantRules
from mpn_abm.scenario.schema import Spec
from mpn_abm.scenario.treatments import TransplantTreatment

DISEASES = {"ET": ET, "PV": PV, "PMF": PMF}
NO_ENDPOINT = 2.0


def mutant_bases(spec: Spec, types: CellTypes) -> np.ndarray:
    """uint8[bases]: 1 where a driver gene is mutant."""
    return np.array([spec.genotypes[base].gene != "none" for base in types.bases], np.uint8)


def rebounds(spec: Spec, types: CellTypes) -> np.ndarray:
    """float64[bases]: rho."""
    rho = {"JAK2": spec.jak_stat.rebound_jak2, "CALR": spec.jak_stat.rebound_calr, "none": 0.0}
    return np.array([rho[spec.genotypes[base].gene] for base in types.bases])


def blood_rules(spec: Spec, types: CellTypes) -> BloodRules:
    """Progenitor output and counts."""
    p = spec.blood
    genotypes = [spec.genotypes[base] for base in types.bases]
    return BloodRules(
        enabled=int(p.enabled),
        granulocytes=np.array([p.enabled * genotype.granulocyte_output for genotype in genotypes]),
        gain=np.array(
            [
                [genotype.platelet_gain for genotype in genotypes],
                [genotype.red_cell_gain for genotype in genotypes],
                [genotype.white_cell_gain for genotype in genotypes],
            ]
        ),
        scar_cost=np.array([p.platelet_scar_cost, p.red_cell_scar_cost, p.white_cell_scar_cost]),
        drug_cost=np.array([p.platelet_drug_cost, p.red_cell_drug_cost, p.white_cell_drug_cost]),
        lag=np.array([p.platelet_lag, p.red_cell_lag, p.white_cell_lag]),
        reserve_half=p.reserve_half,
        normal=np.array([p.normal_platelets, p.normal_hematocrit, p.normal_white_cells]),
        hemoglobin=p.hemoglobin_per_hematocrit,
    )


def spleen_rules(spec: Spec, types: CellTypes) -> SpleenRules:
    """Spleen volume and symptom score."""
    p = spec.spleen
    return SpleenRules(
        enabled=int(p.enabled),
        is_mutant=mutant_bases(spec, types),
        rebound=rebounds(spec, types),
        on_drug=spec.jak_stat.on_drug_occupancy,
        normal=p.normal_volume,
        gain=np.array([p.volume_gain, p.symptom_gain]),
        weight=np.array(
            [
                [p.mass_weight, p.activity_weight, p.cytokine_weight],
                [0.0, p.symptom_activity_weight, p.symptom_cytokine_weight],
            ]
        ),
        time=np.array([p.volume_time, p.symptom_time]),
    )


def progression_rules(spec: Spec, types: CellTypes) -> ProgressionRules:
    """Phases and hazards of death; the background grows from the age on day 0."""
    p, transplant = spec.progression, spec.transplant
    niche = spec.marrow.scale == "niche"
    growth = math.log1p(p.background_death_growth)
    transplants = [t if isinstance(t, TransplantTreatment) else None for t in spec.treatments.values()]
    shares = [None if t is None else t.mortality_year_1 for t in transplants]
    return ProgressionRules(
        enabled=int(p.enabled),
        mortal=int(p.mortality and niche),
        disease=DISEASES[spec.patient.disease],
        is_transformed=types.family.steady.astype(np.uint8),
        is_mutant=mutant_bases(spec, types),
        is_calr=np.array([spec.genotypes[base].gene == "CALR" for base in types.bases], np.uint8),
        accelerated=p.accelerated_blasts,
        blast=p.blast_blasts,
        background=p.background_death_rate * math.exp(growth * (spec.patient.age - 65.0)) / DAYS_PER_YEAR,
        ageing=growth / DAYS_PER_YEAR,
        chronic=np.array([p.et_death_rate, p.pv_death_rate, p.pmf_death_rate]) / DAYS_PER_YEAR,
        scarred=p.mf_death_rate / DAYS_PER_YEAR,
        spleen=p.mf_spleen_volume,
        calr_factor=p.calr_death_factor,
        late=np.array([0.0, p.accelerated_death_rate, p.blast_death_rate]) / DAYS_PER_YEAR,
        burden_half=p.burden_half,
        response_loss=spec.jak_stat.response_loss_rate / DAYS_PER_YEAR,
        response_needs=spec.jak_stat.on_drug_occupancy,
        transplant=np.array([transplant.mortality_year_1, transplant.mortality_later]) / DAYS_PER_YEAR,
        mismatched=np.array(
            [0.0 if t is None else transplant.mismatched_factor if t.mismatched else 1.0 for t in transplants]
        ),
        first_year=np.array([-1.0 if share is None else -math.log1p(-share) / DAYS_PER_YEAR for share in shares]),
        humane=NO_ENDPOINT if p.humane_endpoint is None else p.humane_endpoint,
    )


def transplant_rules(spec: Spec, types: CellTypes) -> TransplantRules:
    """Conditioning, donor and graft; what differs between patients by a random byte."""
    p = spec.transplant
    given = [t if isinstance(t, TransplantTreatment) else None for t in spec.treatments.values()]
    kill = {"reduced": p.conditioning_kill, "myeloablative": p.myeloablative_kill}
    return TransplantRules(
        enabled=int(p.enabled and any(t is not None for t in given)),
        donor=np.array([0 if t is None else types.number_of(t.donor) for t in given], np.int64),
        left=np.array([1.0 if t is None else 1.0 - kill[t.conditioning] for t in given]),
        residual=np.exp(p.residual_spread * NORMAL_QUANTILES),
        donor_share=p.donor_share,
        engraftment=p.engraftment,
        graft=p.graft_rate / DAYS_PER_YEAR,
        effect=np.exp(p.graft_spread * NORMAL_QUANTILES),
    )
