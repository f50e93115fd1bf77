"""Whether claims hold, and the sentences that say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

import pandas as pd

from mpn_abm.analysis.bands import band_in_words
from mpn_abm.analysis.endpoints import Own
from mpn_abm.analysis.estimates import Question, estimate
from mpn_abm.analysis.pairing import design_between
from mpn_abm.analysis.patients import Patients
from mpn_abm.scenario.claims import Claim
from mpn_abm.scenario.endpoints import endpoint_of

TEXTS = (
    "claim",
    "arm",
    "versus",
    "endpoint",
    "statistic",
    "with",
    "contrast",
    "unit",
    "source",
    "figure",
    "role",
    "design",
)
NUMBERS = ("day", "value", "value_low", "value_high", "p_value", "low", "high", "published", "weight")
COLUMNS = (
    "claim", "arm", "versus", "endpoint", "day", "statistic", "with", "contrast", "value", "value_low", "value_high",
    "n", "p_value", "low", "high", "held", "published", "unit", "source", "figure", "role", "weight",
    "design",
)  # fmt: skip


def question_of(claim: Claim) -> Question:
    """What a claim asks."""
    return Question(claim.endpoint, claim.at_day, claim.statistic, claim.with_, claim.contrast_or_none)


def judged(
    claims: Mapping[str, Claim], own: Own, arms: Mapping[str | None, Patients], reference: str | None = None
) -> pd.DataFrame:
    """The claims on arms that are there, one row each: value, interval, band, and whether it held.

    Parameters
    ----------
    claims : mapping
        By name; those on other arms are left out.
    own : mapping
        The endpoints of the file.
    arms : mapping
        The patients of each arm; None is the file itself.
    reference : str, optional
        What a contrast is against unless the claim says it.
    """
    rows = []
    for name, claim in claims.items():
        versus = versus_of(claim, reference)
        if claim.arm not in arms or (claim.contrast_or_none is not None and versus not in arms):
            continue
        other = None if claim.contrast_or_none is None else arms[versus]
        found = estimate(question_of(claim), own, arms[claim.arm], other)
        rows.append(
            {
                "claim": name, "arm": claim.arm, "versus": versus if other is not None else None,
                "endpoint": claim.endpoint, "day": claim.at_day, "statistic": claim.statistic, "with": claim.with_,
                "contrast": claim.contrast_or_none, "value": found.value, "value_low": found.low,
                "value_high": found.high, "n": found.n, "p_value": found.p_value, "low": claim.low,
                "high": claim.high, "held": holds(claim, found.value), "published": claim.value,
                "unit": claim.unit or None, "source": claim.source or None, "figure": claim.figure or None,
                "role": claim.role, "weight": claim.weight,
                "design": None if other is None else design_between(arms[claim.arm].names, other.names),
            }
        )  # fmt: skip
    return verdicts(rows)


def verdicts(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The table of these rows, as `judged` makes them and a manifest tells them."""
    table = pd.DataFrame(list(rows), columns=list(COLUMNS))
    return table.astype(dict.fromkeys(NUMBERS, "float64") | {"held": bool, "n": "int64"})


def holds(claim: Claim, value: float) -> bool:
    """Whether a value lies in the band; one that is not known never does."""
    is_low_enough = claim.high is None or value <= claim.high
    is_high_enough = claim.low is None or value >= claim.low
    return not isnan(value) and is_low_enough and is_high_enough


def versus_of(claim: Claim, reference: str | None) -> str | None:
    """The arm that a claim compares with."""
    return claim.versus or reference


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as JSON says them; what is not known or not said is None."""
    there = table.astype(object).where(table.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in there.to_dict("records")]


def sentences(table: pd.DataFrame, own: Own) -> list[str]:
    """A line for each claim: held or not, what was claimed, the value with its interval, the band, the source."""
    return [_sentence(row, own) for row in rows_of(table)]


def _sentence(row: Mapping[str, Any], own: Own) -> str:
    verdict = "held    " if row["held"] else "NOT HELD"
    source = f" [{row['source']}]" if row["source"] else ""
    claimed = f"claimed {band_in_words(row, _short)}{_certainty(row)}"
    between = "" if row["contrast"] is None else ","
    return f"{verdict} {row['claim']}: {asked_in_words(row, own)}{between} is {_value(row)}, {claimed}{source}"


def _certainty(row: Mapping[str, Any]) -> str:
    """Whether chance could have made the verdict another one."""
    low, high = row["value_low"], row["value_high"]
    if row["value"] is None:
        return ""
    if low is None or high is None:
        return "; one run, which says nothing about chance" if row["n"] == 1 else ""
    below, above = row["low"], row["high"]
    if row["held"]:
        is_inside = (below is None or low >= below) and (above is None or high <= above)
        return "" if is_inside else "; the interval leaves the band"
    reaches = (below is None or high >= below) and (above is None or low <= above)
    return "; the interval reaches the band" if reaches else ""


def asked_in_words(row: Mapping[str, Any], own: Own) -> str:
    """What a claim asks: the statistic, of what, when, and in which arms."""
    statistic, endpoint = str(row["statistic"]), str(row["endpoint"])
    is_share = endpoint_of(endpoint, dict(own)).is_event and statistic == "mean"
    words = {
        "mean": f"share with {endpoint}" if is_share else f"mean {endpoint}",
        "sd": f"standard deviation of {endpoint}",
        "median_days": f"median time to {endpoint} in days",
        "survival": f"share free of {endpoint} (Kaplan-Meier)" if not endpoint.endswith("survival") else endpoint,
        "incidence": f"incidence of {endpoint} (death competing)",
        "pearson": f"correlation of {endpoint} with {row['with']}",
        "spearman": f"rank correlation of {endpoint} with {row['with']}",
        "slope_per_year": f"slope of {endpoint} per year",
    }.get(statistic, f"{statistic.replace('_', ' ')} of {endpoint}")
    if row["contrast"] == "hazard_ratio":
        words = f"hazard of {endpoint}"
    when = "" if statistic == "median_days" else on_day(row["day"])
    if row["contrast"] is None:
        return f"{words}{when}" + (f" in {row['arm']}" if row["arm"] else "")
    joined = "minus" if row["contrast"] == "difference" else "over"
    return f"{words}{when}, {row['arm']} {joined} {row['versus']}"


def on_day(day: float | None) -> str:
    """When, in the words of a sentence."""
    if day is None:
        return " at the end"
    return f" at week {day / 7:g}" if day >= 7 and day % 7 == 0 else f" on day {day:g}"


def _value(row: Mapping[str, Any]) -> str:
    value, low, high = row["value"], row["value_low"], row["value_high"]
    if value is None:
        return "not known"
    return f"{value:.4g}" + ("" if low is None or high is None else f" ({low:.4g} to {high:.4g})")


def _short(limit: float) -> str:
    return f"{limit:g}"
