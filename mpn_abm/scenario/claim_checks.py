"""What must hold between the claims, the endpoints and the arms of a file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from mpn_abm.columns import IDENTITY, Column, describe
from mpn_abm.errors import Problem
from mpn_abm.scenario.claims import CORRELATIONS, OF_TIMES, Claim
from mpn_abm.scenario.endpoints import ENDPOINTS, FEWEST_READINGS, Criterion, Endpoint, columns_of, endpoint_of
from mpn_abm.scenario.finding import Finding
from mpn_abm.scenario.schema import Comparison, Spec
from mpn_abm.scenario.suggestions import did_you_mean, unknown
from mpn_abm.scenario.tree import Entry, Path, problem_at

Names = tuple[str, ...]

WORDS = ("string", "category")
_OF_NUMBERS = ("median", "sd", *CORRELATIONS, "slope_per_year")


def checked_between(
    said: Comparison,
    tree: Entry,
    file: Spec | None,
    arms: Mapping[str, Spec | None],
    wrong: Collection[str] = (),
    varied: Collection[str] = (),
) -> list[Problem]:
    """What is wrong between claims, endpoints and arms.

    A scenario that is wrong in itself is None: what depends on it is left out. `wrong` are names of endpoints, too.
    `varied` are the paths that a study varies, with which an endpoint may be ranked.
    """
    known: dict[str, Column] = {}
    for spec in (file, *arms.values()):
        known |= {} if spec is None else known_columns(spec)
    return [problem_at(tree, *finding) for finding in _findings(said, file, arms, known, wrong, varied)]


def known_columns(spec: Spec) -> Mapping[str, Column]:
    """The columns that a trajectory of this scenario can have, by name."""
    drugs = dict.fromkeys(treatment.drug for treatment in spec.treatments.values())
    return _columns_with(tuple(spec.clones), tuple(spec.genotypes), tuple(drugs))


@lru_cache(maxsize=64)
def _columns_with(clones: Names, genotypes: Names, drugs: Names) -> Mapping[str, Column]:
    names = {"<clone>": clones, "<genotype>": genotypes, "<mutant>": genotypes, "<drug>": drugs}
    known = []
    for column in describe():
        if column in IDENTITY:
            continue
        holder = next((holder for holder in names if holder in column.name), None)
        for name in [""] if holder is None else names[holder]:
            known.append(Column(column.name.replace(holder or "", name), column.kind, column.unit, column.meaning))
    return {column.name: column for column in known}


# weeks 24 and 48, of which every comparison tells: a file with arms records them
HEADLINE_DAYS = (168.0, 336.0)


def days_named(said: Comparison) -> set[float]:
    """The days that claims and endpoints ask about."""
    claimed = {
        claim.at_day
        for claim in said.expect.values()
        if claim.at_day is not None and endpoint_of(claim.endpoint, said.endpoints).since is None
    }
    asked = {day for endpoint in said.endpoints.values() for day in endpoint.days}
    return {day for day in claimed | asked if day > 0.0}


def _findings(
    said: Comparison,
    file: Spec | None,
    arms: Mapping[str, Spec | None],
    known: Mapping[str, Column],
    wrong: Collection[str],
    varied: Collection[str],
) -> Iterator[Finding]:
    if said.reference is not None and said.reference not in arms:
        yield Finding(("reference",), unknown("arm", said.reference, arms))
    for name, endpoint in said.endpoints.items():
        yield from _of_endpoint(name, endpoint, said, known)
    for name, claim in said.expect.items():
        here: Path = ("expect", name)
        for role, arm in (("arm", claim.arm), ("versus", claim.versus)):
            if arm is not None and arm not in arms:
                yield Finding((*here, role), unknown("arm", arm, arms) if arms else "expected `arms:` in the file")
        yield from _of_arms(here, claim, said.reference or next(iter(arms), None))
        yield from _of_the_band(here, claim)
        yield from _of_the_day(here, claim, file if claim.arm is None else arms.get(claim.arm))
        if claim.endpoint in wrong:
            continue
        if not is_known(claim.endpoint, said, known):
            yield Finding((*here, "endpoint"), unknown_endpoint(claim.endpoint, said, known))
        else:
            yield from _of_the_statistic(here, claim, endpoint_of(claim.endpoint, said.endpoints), known, varied)


def _of_endpoint(name: str, endpoint: Endpoint, said: Comparison, known: Mapping[str, Column]) -> Iterator[Finding]:
    here: Path = ("endpoints", name)
    if name in ENDPOINTS or name in known:
        yield Finding(here, f"expected another name, {name} is {'built in' if name in ENDPOINTS else 'a column'}")
    if not endpoint.conditions and endpoint.death != "event":
        yield Finding(here, "expected a `column`, or conditions in `all` or `any`")
    if endpoint.column is None and endpoint.asks:
        yield Finding((*here, "column"), "missing, expected the column that the bound is for")
    places: dict[Path, Criterion] = {} if endpoint.column is None else {here: endpoint}
    places |= {(*here, "all", k): condition for k, condition in enumerate(endpoint.all)}
    places |= {(*here, "any", k): condition for k, condition in enumerate(endpoint.any)}
    for place, condition in places.items():
        yield from _of_condition(place, condition, known, must_ask=place != here or len(places) > 1)
    yield from _of_readings(here, endpoint)
    if endpoint.ever and not endpoint.is_event:
        yield Finding((*here, "ever"), "expected a bound beside it: only a yes or no can ever have been")
    among = None if endpoint.among is None else endpoint.among.endpoint
    for place, followed in (((*here, "among", "endpoint"), among), ((*here, "since"), endpoint.since)):
        if followed is None:
            continue
        if not is_known(followed, said, known):
            yield Finding(place, unknown_endpoint(followed, said, known))
        elif not endpoint_of(followed, said.endpoints).is_event:
            yield Finding(place, f"expected an endpoint with a yes or no, and {followed} is a value")
        elif _leads_back(name, followed, said):
            yield Finding(place, f"expected no circle, {followed} leads back to it")


def _of_readings(here: Path, endpoint: Endpoint) -> Iterator[Finding]:
    if endpoint.steady is None:
        return
    if endpoint.column is None:
        yield Finding((*here, "column"), "missing, expected the share of cells that is read")
    if endpoint.change is not None:
        yield Finding((*here, "change"), "expected none beside `steady`, which reads the column itself")
    if len(set(endpoint.steady.at)) < FEWEST_READINGS:
        yield Finding((*here, "steady", "at"), "expected three days or more: a line goes through any two")


def _of_condition(place: Path, condition: Criterion, known: Mapping[str, Column], must_ask: bool) -> Iterator[Finding]:
    if condition.column is None:
        yield Finding((*place, "column"), "missing, expected a column of the trajectory")
        return
    if condition.column not in known and condition.column not in _built_in_columns():
        yield Finding((*place, "column"), _unknown_column(condition.column, known))
        return
    words = condition.column in known and known[condition.column].kind in WORDS
    if words and any(limit is not None for limit in (*condition.limits, condition.base_above, condition.base_below)):
        yield Finding((*place, "column"), "expected `one_of` beside it and no bound, it is a column of words")
    if words and condition.change is not None:
        yield Finding((*place, "change"), "expected a column of numbers")
    if must_ask and not condition.asks:
        yield Finding(place, "expected a bound, such as `above` or `below`")


def _of_arms(here: Path, claim: Claim, reference: str | None) -> Iterator[Finding]:
    if claim.contrast_or_none is not None and claim.arm is None:
        yield Finding((*here, "arm"), "missing, expected the arm that is compared")
    if claim.arm is not None and claim.arm == claim.versus:
        yield Finding((*here, "versus"), "expected another arm than `arm`")
    if not claim.is_on_one_arm and claim.versus is None and claim.arm is not None and claim.arm == reference:
        yield Finding((*here, "arm"), "expected another arm than the reference, or `versus` beside it")
    if claim.contrast == "hazard_ratio" and claim.statistic != "mean":
        yield Finding((*here, "statistic"), "expected none beside a hazard ratio")


def _of_the_band(here: Path, claim: Claim) -> Iterator[Finding]:
    if not claim.can_fail:
        yield Finding(here, "expected `low`, `high` or both: a claim without a band cannot fail")
    elif claim.low is not None and claim.high is not None and claim.low > claim.high:
        yield Finding((*here, "low"), f"expected at most high, {claim.high:g}")
    elif claim.value is not None:
        if claim.low is not None and claim.value < claim.low:
            yield Finding((*here, "value"), f"expected at least low, {claim.low:g}: the band is around what is claimed")
        elif claim.high is not None and claim.value > claim.high:
            yield Finding(
                (*here, "value"), f"expected at most high, {claim.high:g}: the band is around what is claimed"
            )


def _of_the_day(here: Path, claim: Claim, spec: Spec | None) -> Iterator[Finding]:
    if claim.at_day is not None and spec is not None and claim.at_day > spec.time.duration:
        yield Finding((*here, "at_day"), f"expected a day of the run, which lasts {spec.time.duration:g} days")


def _of_the_statistic(
    here: Path, claim: Claim, endpoint: Endpoint, known: Mapping[str, Column], varied: Collection[str]
) -> Iterator[Finding]:
    statistic, timed = claim.statistic, claim.statistic in OF_TIMES or claim.contrast == "hazard_ratio"
    if timed and not endpoint.is_event:
        asked = "a hazard ratio" if claim.contrast == "hazard_ratio" else statistic
        yield Finding((*here, "endpoint"), f"expected an endpoint with a yes or no, {asked} is of times to it")
    if endpoint.is_event and (statistic in _OF_NUMBERS or statistic.startswith("quantile")):
        yield Finding((*here, "statistic"), f"expected mean (the share) or {', '.join(OF_TIMES)}, as it is a yes or no")
    if statistic == "median_days" and claim.at_day is not None:
        yield Finding((*here, "at_day"), "expected none beside median_days, which asks when")
    if statistic in ("survival", "incidence") and claim.at_day is None:
        yield Finding((*here, "at_day"), f"missing, expected the day of the {statistic}")
    needs_a_day = endpoint.is_event and not endpoint.ever and not timed and endpoint.death != "event"
    if needs_a_day and statistic == "mean" and claim.at_day is None:
        yield Finding((*here, "at_day"), "missing, expected the day of the yes or no (or `ever: true` in the endpoint)")
    if (statistic in CORRELATIONS) != (claim.with_ is not None):
        place = "with" if claim.with_ is None else "with_"
        yield Finding((*here, place), "expected with `statistic: spearman` or `pearson`, and only there")
    elif claim.with_ is not None and claim.with_ not in known and claim.with_ not in varied:
        yield Finding((*here, "with_"), _unknown_column(claim.with_, [*known, *varied]))
    words = known.get(claim.endpoint)
    if words is not None and words.kind in WORDS:
        yield Finding((*here, "endpoint"), "expected numbers: name it in an own endpoint with `one_of`")


def _leads_back(name: str, followed: str, said: Comparison) -> bool:
    seen, ahead = set[str](), [followed]
    while ahead:
        one = ahead.pop()
        if one == name:
            return True
        if one not in seen:
            seen.add(one)
            ahead += endpoint_of(one, said.endpoints).follows
    return False


def is_known(name: str, said: Comparison, known: Mapping[str, Column]) -> bool:
    """Whether there is an endpoint of this name: of the file, built in, or a column."""
    return name in said.endpoints or name in ENDPOINTS or name in known or name in _built_in_columns()


def _built_in_columns() -> set[str]:
    return set().union(*(columns_of(name, {}) for name in ENDPOINTS))


def unknown_endpoint(name: str, said: Comparison, known: Mapping[str, Column]) -> str:
    """What to say of an endpoint that there is not."""
    hint = did_you_mean(name, [*said.endpoints, *ENDPOINTS, *known])
    return f"unknown endpoint{hint or ', expected one of `endpoints:`, of `list endpoints` or of `list columns`'}"


def _unknown_column(name: str, known: Collection[str]) -> str:
    return f"unknown column{did_you_mean(name, known) or ', expected one of `list columns`'}"
