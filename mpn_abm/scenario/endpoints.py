"""What is asked of a patient: endpoints, built in or of a file, on the columns of a trajectory."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Strict

from mpn_abm.mechanisms.declaration import Block, Whole, setting
from mpn_abm.scenario.treatments import LONGEST, Moments


class Criterion(Block):
    """What a column says on a day: a value, or with a bound a yes or no."""

    exclusive = (frozenset({"above", "at_least"}), frozenset({"below", "at_most"}))

    column: str | None = setting(None, doc="a column of the trajectory")
    change: Literal["relative", "absolute", "relative_to_lowest"] | None = setting(
        None, doc="whether the change since `from_day` counts, or over the lowest value since then, not the value"
    )
    from_day: float = setting(0.0, unit="at day", low=0.0, high=LONGEST, doc="the day that changes count from")
    above: float | None = setting(None, doc="yes above this")
    at_least: float | None = setting(None, doc="yes from this on")
    below: float | None = setting(None, doc="yes below this")
    at_most: float | None = setting(None, doc="yes up to this")
    one_of: Annotated[tuple[str, ...], Strict(False)] = setting(
        (), doc="yes at one of these words, of a column of words", expects="a list of words"
    )
    base_above: float | None = setting(None, doc="yes only if the value of `from_day` was above this")
    base_below: float | None = setting(None, doc="yes only if the value of `from_day` was below this")

    @property
    def has_a_bound(self) -> bool:
        """Whether the value of the day decides between yes and no."""
        return bool(self.one_of) or any(bound is not None for bound in self.limits)

    @property
    def limits(self) -> tuple[float | None, ...]:
        return self.above, self.at_least, self.below, self.at_most

    @property
    def asks(self) -> bool:
        """Whether the answer is yes or no."""
        return self.has_a_bound or self.base_above is not None or self.base_below is not None


class Among(Block):
    """Which patients count."""

    endpoint: str = setting(doc="those who had this event")


# a line goes through any two
FEWEST_READINGS = 3


class Readings(Block):
    """On which days the share of a clone is read by sequencing, and how."""

    at: Moments = setting(unit="day", doc="days of the readings, three or more", expects="a list of days")
    reads: Whole = setting(1000, low=1, high=10**6, doc="reads of each day")
    copies: float = setting(0.5, above=0.0, high=1.0, doc="part of a clone's copies of the gene that is mutant")


class Endpoint(Criterion):
    """A question to each patient.

    A value of a day; or, where something is asked, yes or no on a day, and the time to the first yes.
    """

    meaning: str = setting("", doc="what it is, in words")
    all: Annotated[tuple[Criterion, ...], Strict(False)] = setting(
        (), doc="conditions that must all hold", expects="a list of conditions, each with a column and a bound"
    )
    any: Annotated[tuple[Criterion, ...], Strict(False)] = setting(
        (), doc="conditions of which one must hold", expects="a list of conditions, each with a column and a bound"
    )
    ever: bool = setting(False, doc="whether a yes on an earlier day counts on a later one")
    steady: Readings | None = setting(
        None, doc="yes if readings of the column, a share of cells, are those of steady growth; known from the last on"
    )
    death: Literal["competing", "event"] = setting(
        "competing",
        doc="whether death only ends the time at risk, or is an event itself: yes then means to be free of events",
    )
    among: Among | None = setting(None, doc="which patients count; all unless said")
    since: str | None = setting(None, doc="the event from which days count; patients without it are left out")

    @property
    def is_event(self) -> bool:
        """Whether it has a yes or no and a time."""
        return self.asks or bool(self.all or self.any) or self.steady is not None or self.death == "event"

    @property
    def days(self) -> set[float]:
        """The days that it looks back to."""
        read = () if self.steady is None else self.steady.at
        return {*read, *(condition.from_day for condition in self.conditions)}

    @property
    def conditions(self) -> tuple[Criterion, ...]:
        """Everything that is asked of a column, the endpoint's own column first."""
        own = () if self.column is None else (self,)
        return (*own, *self.all, *self.any)

    @property
    def follows(self) -> tuple[str, ...]:
        """The endpoints that it refers to."""
        named = (None if self.among is None else self.among.endpoint, self.since)
        return tuple(name for name in named if name is not None)


_PROGRESSED = (
    Criterion(column="mf_grade", at_least=2, base_below=2),
    Criterion(column="phase", one_of=("accelerated", "blast")),
)

ENDPOINTS: dict[str, Endpoint] = {
    "svr35": Endpoint(
        column="spleen_ml", change="relative", at_most=-0.35, meaning="spleen volume at least 35 % below that of day 0"
    ),
    "tss50": Endpoint(
        column="symptom_score", change="relative", at_most=-0.5, meaning="symptom score at most half that of day 0"
    ),
    "vaf_relative_change": Endpoint(
        column="vaf_driver", change="relative", meaning="change of the driver's VAF over that of day 0"
    ),
    "molecular_response": Endpoint(
        column="vaf_driver", change="relative", at_most=-0.5, meaning="VAF of the driver at most half that of day 0"
    ),
    "mf_grade_change": Endpoint(column="mf_grade", change="absolute", meaning="change of the MF grade since day 0"),
    "progression": Endpoint(
        any=_PROGRESSED, ever=True, meaning="MF-2 or more after less on day 0, or accelerated or blast phase"
    ),
    "progression_free_survival": Endpoint(
        any=_PROGRESSED, death="event", meaning="time to progression or death; yes: alive without progression"
    ),
    "overall_survival": Endpoint(death="event", meaning="time to death; yes: alive"),
    "response_loss": Endpoint(
        all=(
            Criterion(column="spleen_ml", change="relative", above=-0.35),
            Criterion(column="spleen_ml", change="relative_to_lowest", at_least=0.25),
        ),
        among=Among(endpoint="svr35"),
        since="svr35",
        meaning="after svr35: less than 35 % below day 0, and at least 25 % above the lowest spleen volume so far",
    ),
}
"""The endpoints that every scenario may name."""


def endpoint_of(name: str, own: dict[str, Endpoint]) -> Endpoint:
    """The endpoint of a name: of the file, built in, or a column as it is."""
    return own.get(name) or ENDPOINTS.get(name) or Endpoint(column=name)


def columns_of(name: str, own: dict[str, Endpoint]) -> set[str]:
    """The columns that an endpoint reads, with those that it follows."""
    endpoint = endpoint_of(name, own)
    read = {condition.column for condition in endpoint.conditions if condition.column is not None}
    return read.union(*(columns_of(followed, own) for followed in endpoint.follows))
