"""Everything that stays the same through a run, as the mechanisms take it."""

from typing import NamedTuple

from mpn_abm.columns import Places
from mpn_abm.kernels.field import Levels
from mpn_abm.mechanisms.antigen.kernel import AntigenRules
from mpn_abm.mechanisms.blood.kernel import BloodRules
from mpn_abm.mechanisms.car_t.rules import CarTRules
from mpn_abm.mechanisms.census import CensusRules
from mpn_abm.mechanisms.fibrosis.kernel import ScarRules
from mpn_abm.mechanisms.hematopoiesis.rules import CellRules
from mpn_abm.mechanisms.immune.kernel import ImmuneRules
from mpn_abm.mechanisms.jak_stat.kernel import SignalRules
from mpn_abm.mechanisms.progression.kernel import ProgressionRules
from mpn_abm.mechanisms.spleen.kernel import SpleenRules
from mpn_abm.mechanisms.transplant.kernel import TransplantRules
from mpn_abm.mechanisms.treatment.rules import TreatmentRules
from mpn_abm.state import Lattice


class Clock(NamedTuple):
    """Time, and what ends a run."""

    step: float  # days
    last: int  # boundary at which the run ends in any case
    sites: int
    on_fixation: int
    on_extinction: int
    on_eradication: int
    on_death: int
    not_before: int  # boundary at which the last clone has arrived


class Rules(NamedTuple):
    """Everything that stays the same through a run."""

    lattice: Lattice
    clock: Clock
    cells: CellRules
    signal: SignalRules
    drugs: TreatmentRules
    scar: ScarRules
    levels: Levels
    car_t: CarTRules
    antigen: AntigenRules
    immune: ImmuneRules
    blood: BloodRules
    spleen: SpleenRules
    progression: ProgressionRules
    transplant: TransplantRules
    census: CensusRules
    places: Places
