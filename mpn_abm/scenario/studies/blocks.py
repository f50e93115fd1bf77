"""A study file as declared blocks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Strict

from mpn_abm.mechanisms.declaration import Block, Name, PathName, Whole, setting
from mpn_abm.scenario.claims import Claim
from mpn_abm.scenario.endpoints import Endpoint
from mpn_abm.scenario.schema import MOST_REPLICATES, FolderName, Moment, Spec
from mpn_abm.scenario.studies.axes import Axis
from mpn_abm.scenario.treatments import LONGEST
from mpn_abm.units import is_number

MOST_RUNS = 10_000_000
_SEED = 2**53 - 1

Texts = Annotated[tuple[str, ...], Strict(False)]
Moments = Annotated[tuple[Moment, ...], Strict(False)]


def _pair(said: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(said) != 3 or not all(isinstance(path, str) for path in said[:2]) or not is_number(said[2]):
        raise ValueError
    return said


Correlation = Annotated[tuple[Any, ...], Strict(False), AfterValidator(_pair)]


def _axes(doc: str) -> Any:
    return setting({}, doc=doc)


def _moments() -> Any:
    doc = "when the endpoints are asked for"
    return setting((), unit="day", doc=doc, expects="a list of moments from 0 to 73050 days")


def _endpoints() -> Any:
    return setting((), doc="endpoints that are reported, by name", expects="a list of names of endpoints")


class SweepSpec(Block):
    """Runs over the values of parameters."""

    method: Literal["grid", "lhs", "sobol", "saltelli", "morris", "random", "table"] = setting(
        "grid", doc="how the points lie"
    )
    samples: Whole | None = setting(None, low=1, high=MOST_RUNS, doc="points; base points of saltelli, paths of morris")
    replicates: Whole = setting(1, low=1, high=MOST_REPLICATES, doc="runs of each point with different random numbers")
    seed: Whole = setting(0, low=0, high=_SEED, doc="seed of the points, not of the runs")
    parameters: dict[PathName, Axis] = _axes("what is varied, by path")
    file: str | None = setting(None, doc="the points of `table`: a CSV or Parquet file with a column for each path")


class Power(Block):
    """How many patients a trial needs."""

    endpoint: str = setting(doc="the endpoint that the trial decides on")
    at: float | None = setting(None, unit="at day", low=0.0, high=LONGEST, doc="when; the last day unless said")
    arms: Texts = setting((), doc="the two arms", expects="two names of arms")
    sizes: Annotated[tuple[Whole, ...], Strict(False)] = setting(
        (), doc="patients of an arm", expects="a list of whole numbers of 2 or more"
    )
    repeats: Whole = setting(1000, low=10, high=1_000_000, doc="trials that are drawn of each size")
    alpha: float = setting(0.05, above=0.0, high=0.5, doc="level of significance, two-sided")
    most_patients: Whole | None = setting(
        None,
        low=2,
        high=MOST_RUNS,
        doc="where those of the trial do not tell the power, more are simulated, up to here",
    )


class TrialSpec(Block):
    """A virtual trial: patients who differ, in arms."""

    exclusive = (frozenset({"patients_file", "cohort"}),)

    patients: Whole | None = setting(None, low=1, high=MOST_RUNS, doc="number of patients")
    seed: Whole = setting(1, low=0, high=_SEED, doc="seed of the patients, of whom patient j is replicate j")
    cohort: dict[PathName, Axis] = _axes("distributions from which patients are drawn, by path")
    patients_file: str | None = setting(
        None, doc="patients, in a CSV or Parquet file with a column for each path and perhaps a `weight`"
    )
    correlations: Annotated[tuple[Correlation, ...], Strict(False)] = setting(
        (), doc="rank correlations of pairs of paths", expects="a list of [PATH, PATH, correlation from -1 to 1]"
    )
    arms: dict[Name, Spec] = setting({}, doc="what each arm changes, by path; those of the scenario unless said")
    allocation: dict[Name, Whole] | None = setting(
        None,
        doc="patients are randomised in these parts; without it each is in every arm",
        expects="a mapping of arms to whole numbers of 1 or more",
    )
    endpoints: Texts = _endpoints()
    at: Moments = _moments()
    dropout: float = setting(0.0, unit="1/year", low=0.0, high=100.0, doc="rate at which patients are lost from view")
    power: Power | None = setting(None, doc="how many patients a trial needs")


class SensitivitySpec(Block):
    """Which parameters an endpoint depends on."""

    method: Literal["sobol", "morris", "prcc"] = setting("sobol", doc="what is estimated")
    samples: Whole = setting(low=1, high=MOST_RUNS, doc="points; base points of sobol, paths of morris")
    replicates: Whole = setting(1, low=1, high=MOST_REPLICATES, doc="runs of each point with different random numbers")
    seed: Whole = setting(0, low=0, high=_SEED, doc="seed of the points, not of the runs")
    parameters: dict[PathName, Axis] = _axes("what is varied, by path; `assumed` for all that nobody has measured")
    endpoints: Texts = _endpoints()
    at: Moments = _moments()


class CalibrateSpec(Block):
    """Which values of parameters agree with what was observed."""

    method: Literal["abc_smc", "optuna"] = setting("abc_smc", doc="a posterior, or the best point")
    targets: str = setting(doc="a file of targets (YAML) or of observations (CSV)")
    parameters: dict[PathName, Axis] = _axes("what is fitted, with prior distributions, by path")
    max_runs: Whole = setting(10_000, low=1, high=MOST_RUNS, doc="runs after which it ends")
    replicates: Whole = setting(1, low=1, high=MOST_REPLICATES, doc="runs of each point with different random numbers")
    population: Whole = setting(100, low=2, high=1_000_000, doc="points of each generation of `abc_smc`")
    generations: Whole = setting(8, low=2, high=1000, doc="most generations of `abc_smc`")
    seed: Whole = setting(0, low=0, high=_SEED, doc="seed of the points, not of the runs")


class StudyOutput(Block):
    """What of the trajectories is kept."""

    trajectory: Literal["none", "days", "all"] = setting(
        "all", doc="no rows, those of days that endpoints and claims ask for (with day 0 and the last), or all"
    )
    every: float | None = setting(None, unit="day", above=0.0, high=LONGEST, doc="time between two rows that are kept")


class StudyDocument(Block):
    """The whole of a study file but its scenario."""

    name: FolderName = setting("study", doc="what the study is called", expects="a text that can name a folder")
    question: str = setting("", doc="the question that it asks")
    scenario: Any = setting(None, doc="the scenario: a file relative to this one, or what such a file would say")
    sweep: SweepSpec | None = setting(None, doc="runs over the values of parameters")
    trial: TrialSpec | None = setting(None, doc="patients who differ, in arms")
    sensitivity: SensitivitySpec | None = setting(None, doc="which parameters an endpoint depends on")
    calibrate: CalibrateSpec | None = setting(None, doc="which values of parameters agree with what was observed")
    reference: str | None = setting(None, doc="the arm that others are compared with; the first unless said")
    endpoints: dict[Name, Endpoint] = setting({}, doc="endpoints of the study, beside those of the scenario")
    expect: dict[Name, Claim] = setting({}, doc="claims, by name")
    output: StudyOutput = setting(StudyOutput(), doc="what of the trajectories is kept")


AnySpec = SweepSpec | TrialSpec | SensitivitySpec | CalibrateSpec
