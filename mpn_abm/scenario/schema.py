"""The whole of a scenario as declared blocks."""

from __future__ import annotations

from math import prod
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict, StringConstraints

from mpn_abm.mechanisms.antigen.parameters import AntigenParameters
from mpn_abm.mechanisms.blood.parameters import BloodParameters
from mpn_abm.mechanisms.car_t.parameters import CarTParameters
from mpn_abm.mechanisms.declaration import Block, GenotypeName, Name, Whole, parameter, setting
from mpn_abm.mechanisms.drugs import DRUGS, Drug
from mpn_abm.mechanisms.eltrombopag.parameters import EltrombopagParameters
from mpn_abm.mechanisms.fibrosis.parameters import FibrosisParameters
from mpn_abm.mechanisms.fields.parameters import FieldsParameters
from mpn_abm.mechanisms.genotypes import FLAGS, GENOTYPES, Flag, FlagName, Genotype
from mpn_abm.mechanisms.hematopoiesis.parameters import HematopoiesisParameters
from mpn_abm.mechanisms.immune.parameters import ImmuneParameters
from mpn_abm.mechanisms.interferon.parameters import InterferonParameters
from mpn_abm.mechanisms.jak_stat.parameters import JakStatParameters
from mpn_abm.mechanisms.mutation.parameters import MutationParameters
from mpn_abm.mechanisms.niche.parameters import NicheParameters
from mpn_abm.mechanisms.progression.parameters import ProgressionParameters
from mpn_abm.mechanisms.spleen.parameters import SpleenParameters
from mpn_abm.mechanisms.transplant.parameters import TransplantParameters
from mpn_abm.scenario.claims import Claim
from mpn_abm.scenario.endpoints import Endpoint
from mpn_abm.scenario.treatments import LONGEST, Treatment

Moment = Annotated[float, Field(ge=0.0, le=LONGEST)]

SCHEMA = "mpn-abm/1"
DIRECTIVES = ("schema", "extends", "without")
"""Keys of a file that say how to read it."""
STUDIES = ("sweep", "trial", "sensitivity", "calibrate")
"""Keys that make a file a study, each the verb that carries it out."""

MAX_SIDE = 16384
MAX_SITES = 2**28
MOST_REPLICATES = 1_000_000


FolderName = Annotated[
    str, StringConstraints(pattern=r"^[^/\\\x00-\x1f\x7f]*[^./\\\s\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*$", max_length=100)
]
"""A name under which results are kept."""


def _fits(shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) not in (2, 3) or not all(1 <= side <= MAX_SIDE for side in shape) or prod(shape) > MAX_SITES:
        raise ValueError
    return shape


class Time(Block):
    """How long a run lasts and when it looks."""

    duration: float = setting(unit="day", above=0.0, high=LONGEST, doc="length of the run")
    step: float = setting(1.0, unit="day", above=0.0, high=30.0, doc="length of a step; 10 minutes at tissue scale")
    record_every: float = setting(
        7.0,
        unit="day",
        above=0.0,
        high=LONGEST,
        doc="time between two rows of the trajectory; 1 hour at tissue scale",
    )
    snapshot_every: float | None = setting(
        None, unit="day", above=0.0, high=LONGEST, doc="time between two snapshots; without it day 0 and the last day"
    )
    record_at: Annotated[tuple[Moment, ...], Strict(False)] | None = setting(
        None,
        unit="day",
        doc="further days with a row; those that claims and endpoints name are added",
        expects="a list of moments from 0 to 73050 days",
    )


class Marrow(Block):
    """The lattice."""

    scale: Literal["niche", "tissue"] = setting(
        "niche", doc="whether a site is the niche of a stem cell or the place of a marrow cell"
    )
    shape: Annotated[tuple[Whole, ...], Strict(False), AfterValidator(_fits)] = setting(
        (316, 316),
        unit="",
        doc="sites a side: x, y[, z]",
        expects=f"2 or 3 lengths from 1 to {MAX_SIDE} (at most 2^28 sites in all)",
    )
    boundary: Literal["periodic", "reflecting"] = setting("periodic", doc="what lies beyond the last site")
    hsc_pool: Whole = parameter(
        100_000,
        unit="cells",
        low=1,
        high=10**12,
        sweep=(50_000, 200_000),
        doc="active stem cells of the patient, for whom the sites stand",
        source="Lee-Six 2018 Nature 10.1038/s41586-018-0497-0",
    )


class Clone(Block):
    """A clone of day 0, or one that arrives later."""

    exclusive = (frozenset({"fraction", "cells", "vaf"}),)

    genotype: GenotypeName = setting(doc="its genotype")
    flags: Annotated[tuple[FlagName, ...], Strict(False)] = setting((), doc="background drivers that it carries")
    fraction: float | None = setting(None, low=0.0, high=1.0, doc="share of all sites")
    cells: Whole | None = setting(None, unit="cells", low=0, high=MAX_SITES, doc="number of sites")
    vaf: float | None = setting(None, low=0.0, high=1.0, doc="its part of the variant allele fraction of day 0")
    pattern: Literal["scattered", "patches", "disc", "single"] = setting("scattered", doc="how its cells lie")
    patches: Whole | None = setting(None, low=1, high=100_000, doc="number of patches, for the pattern `patches`")
    day: float = setting(0.0, unit="at day", low=0.0, high=LONGEST, doc="when it arrives")


class Patient(Block):
    """What sets one patient apart from the next."""

    disease: Literal["ET", "PV", "PMF"] = setting("ET", doc="the diagnosis; PMF where the file places scar")
    age: float = setting(65.0, unit="year", low=0.0, high=120.0, doc="age on day 0")
    weight: float = setting(70.0, unit="kg", above=0.0, high=500.0, doc="body weight")
    occupancy_logodds: float = setting(0.0, low=-20.0, high=20.0, doc="added to the log-odds of drug occupancy")
    car_t_divisions: float = setting(0.0, low=-60.0, high=60.0, doc="added to the divisions of a T cell's life")
    fitness: float = setting(1.0, low=0.0, high=1000.0, doc="factor on the fitness of mutants")
    inhibition_cost: float = setting(1.0, low=0.0, high=1000.0, doc="factor on the cost of inhibition")
    interferon: float = setting(1.0, low=0.0, high=1000.0, doc="factor on what interferon adds to loss")
    scar_turnover: float = setting(1.0, low=0.0, high=1000.0, doc="factor on the turnover of scar")
    scar_drive: float = setting(1.0, low=0.0, high=1000.0, doc="factor on the drive of scarring")
    antigen: float = setting(1.0, low=0.0, high=1000.0, doc="factor on the density of the antigen")


class Stop(Block):
    """What ends a run before its time."""

    when: Annotated[tuple[Literal["fixation", "extinction", "death", "eradication"], ...], Strict(False)] = setting(
        (),
        doc="the run ends at the first of these; clones born by mutation count, and one that is lost again leaves the "
        "others fixed",
    )


class Output(Block):
    """Which tables a run writes beside its trajectory."""

    clones: bool = setting(True, doc="whether clones.parquet is written")
    events: bool = setting(True, doc="whether events.parquet is written")
    snapshots: bool = setting(True, doc="whether snapshots.parquet is written")
    summary: bool = setting(True, doc="whether summary.parquet is written")


class Spec(Block):
    """A checked scenario; lengths of time and moments that it declares itself are in days."""

    name: FolderName = setting(
        "scenario",
        doc="what the scenario is called",
        expects="a text of at most 100 characters that can name a folder: no / \\ or line break, more than dots",
    )
    question: str = setting("", doc="the question that it asks")
    seed: Whole = setting(1, low=0, high=2**53 - 1, doc="seed of all random numbers")
    replicates: Whole = setting(1, low=1, high=MOST_REPLICATES, doc="runs with different random numbers")
    time: Time = setting(doc="how long the run lasts and when it looks")
    marrow: Marrow = setting(Marrow(), doc="the lattice")
    clones: dict[Name, Clone] = setting(doc="the clones of day 0 and later ones, by name")
    patient: Patient = setting(Patient(), doc="what sets the patient apart")
    treatments: dict[Name, Treatment] = setting({}, doc="what is given, by name")
    stop: Stop = setting(Stop(), doc="what ends the run early")
    output: Output = setting(Output(), doc="which tables are written")
    hematopoiesis: HematopoiesisParameters = setting(HematopoiesisParameters(), doc="birth, loss and placement")
    mutation: MutationParameters = setting(MutationParameters(), doc="new clones")
    jak_stat: JakStatParameters = setting(JakStatParameters(), doc="signalling")
    niche: NicheParameters = setting(NicheParameters(), doc="what scar costs stem cells")
    fibrosis: FibrosisParameters = setting(FibrosisParameters(), doc="scar")
    antigen: AntigenParameters = setting(AntigenParameters(), doc="mutant CALR on the surface")
    car_t: CarTParameters = setting(CarTParameters(), doc="CAR T cells")
    immune: ImmuneParameters = setting(ImmuneParameters(), doc="PD-L1, suppression, endogenous T cells")
    interferon: InterferonParameters = setting(InterferonParameters(), doc="interferon alpha")
    eltrombopag: EltrombopagParameters = setting(EltrombopagParameters(), doc="stimulation of the receptor")
    blood: BloodParameters = setting(BloodParameters(), doc="blood counts")
    spleen: SpleenParameters = setting(SpleenParameters(), doc="spleen and symptoms")
    progression: ProgressionParameters = setting(ProgressionParameters(), doc="transformation, phases, death")
    transplant: TransplantParameters = setting(TransplantParameters(), doc="stem-cell transplantation")
    fields: FieldsParameters = setting(FieldsParameters(), doc="the pace of the fields")
    genotypes: dict[GenotypeName, Genotype] = setting(dict(GENOTYPES), doc="the catalogue and the file's own")
    flags: dict[FlagName, Flag] = setting(dict(FLAGS), doc="background drivers")
    drugs: dict[Name, Drug] = setting(dict(DRUGS), doc="the catalogue and the file's own")


class Comparison(Block):
    """What a file says beside its marrow: arms, endpoints and claims."""

    arms: dict[Name, Spec] = setting({}, doc="what each arm changes, by path; applied last")
    reference: str | None = setting(None, doc="the arm that others are compared with; the first unless said")
    endpoints: dict[Name, Endpoint] = setting({}, doc="endpoints of the file, beside the built-in ones")
    expect: dict[Name, Claim] = setting({}, doc="claims, by name")


class ScenarioFile(Comparison, Spec):
    """The whole of a file."""
