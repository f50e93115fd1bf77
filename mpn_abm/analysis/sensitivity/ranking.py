"""Which parameters matter to an endpoint, ranked, beside what is assumed and what is chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from mpn_abm.analysis.sensitivity.design import Range, complete, design_of
from mpn_abm.analysis.sensitivity.indices import morris, prcc, sobol, sobol_block
from mpn_abm.analysis.sensitivity.noise import NoiseSplit, noise_split
from mpn_abm.analysis.shares import LEVEL
from mpn_abm.columns import STUDY_TABLES
from mpn_abm.errors import UsageError

METHODS = ("sobol", "morris", "prcc")
ASSUMED = "assumed"
# a table of one endpoint; that of a study says also of which arm, of which day and by which method
RANKED = tuple(column for column in STUDY_TABLES["indices"] if column.name not in ("arm", "day", "method"))
LEADING = {"sobol": "total", "morris": "mu_star", "prcc": "prcc"}
WORDS = {
    "total": "Sobol's total index",
    "mu_star": "Morris's mean absolute effect over the whole range",
    "prcc": "partial rank correlation",
}


@dataclass(frozen=True)
class Sensitivity:
    """What the parameters do to one endpoint.

    Attributes
    ----------
    endpoint : str
    method : str
        sobol, morris or prcc.
    table : DataFrame
        A row per parameter and measure, the columns of `RANKED`, by rank.
    noise : NoiseSplit
    left_out : int
        Points without a value, and those that a design makes together with them.
    """

    endpoint: str
    method: str
    table: pd.DataFrame
    noise: NoiseSplit
    left_out: int

    @property
    def leading(self) -> pd.DataFrame:
        """A row per parameter: the measure that ranks."""
        return self.table[self.table["measure"] == LEADING[self.method]]


def sensitivity(
    frame: pd.DataFrame,
    parameters: Sequence[str],
    method: str,
    *,
    endpoint: str = "value",
    ranges: Mapping[str, Range] | None = None,
    sources: Mapping[str, str | None] | None = None,
    seed: int = 0,
) -> Sensitivity:
    """Rank parameters by what they do to an endpoint.

    Parameters
    ----------
    frame : DataFrame
        A row per run: `patient` (the number of the point in its design), `replicate`, `value` of the endpoint (NaN
        where a run has none), and a column per parameter.
    parameters : sequence of str
        The paths that varied, in the order of the design.
    method : str
        `sobol` (of a Saltelli design), `morris` (of trajectories) or `prcc` (of any points).
    endpoint : str
        Its name, for the sentences.
    ranges : mapping, optional
        Low, high and `linear` or `log` by path; Morris needs them.
    sources : mapping, optional
        By path, where a value comes from: `assumed`, a paper, None.
    seed : int
        Of the bootstrap behind the intervals.

    Raises
    ------
    UsageError
        If the points are not those of the method, too few, or no numbers; if SALib is not installed.
    """
    if method not in METHODS:
        raise UsageError(f"method: {method!r}: expected one of {', '.join(METHODS)}")
    design = design_of(frame, parameters, ranges)
    block = 1 if method == "prcc" else len(parameters) + 1 if method == "morris" else sobol_block(design)
    design, left_out = complete(design, block)
    if len(design.runs) < 2 * block:
        told = f"{endpoint}: {len(design.runs)} of {len(design.runs) + left_out} points have a value in all replicates"
        raise UsageError(f"{told}, which is too few for {method}")
    indices = prcc(design) if method == "prcc" else (morris if method == "morris" else sobol)(design, seed)
    table = _ranked(indices.assign(endpoint=endpoint), LEADING[method], sources or {})
    return Sensitivity(endpoint, method, table, noise_split(design.runs, block, seed), left_out)


def _ranked(table: pd.DataFrame, leading: str, sources: Mapping[str, str | None]) -> pd.DataFrame:
    first = table[table["measure"] == leading].set_index("parameter")
    rank = first["index"].abs().rank(method="first", ascending=False).astype("int64")
    pairs = zip(first["index"].abs(), first["noise"], strict=True)
    verdict = {str(name): _verdict(*pair) for name, pair in zip(first.index, pairs, strict=True)}
    if leading == "total" and first["noise"].isna().all():
        # chance does not move a first-order index to one side; all of a table together err in 5 % (Bonferroni)
        alone = table[table["measure"] == "first"].set_index("parameter")
        reach = float(stats.norm.isf((1.0 - LEVEL) / len(alone)) / stats.norm.isf((1.0 - LEVEL) / 2.0))
        least = alone["index"] - reach * (alone["high"] - alone["index"])
        verdict = {name: "matters" if least[name] > 0.0 else "unknown" for name in verdict}
    table = table.assign(
        source=table["parameter"].map(lambda name: sources.get(name)),
        verdict=table["parameter"].map(verdict),
        rank=table["parameter"].map(rank),
        main=table["measure"] != leading,
    )
    return table.sort_values(["rank", "main"], ignore_index=True)[[column.name for column in RANKED]]


def _verdict(index: float, noise: float) -> str:
    if np.isnan(noise):
        return "unknown"
    return "matters" if index > noise + 1e-12 else "noise"


def lines(found: Sensitivity) -> list[str]:
    """What a table of indices says, in sentences; the table itself stands beside it."""
    noise, first = found.noise, found.leading
    told = [
        f"{found.endpoint}: {WORDS[LEADING[found.method]]} of {len(first)} parameters, "
        f"from {noise.points:,} points with {noise.replicates} replicate(s)"
    ]
    if found.left_out:
        told.append(f"{found.left_out} points were left out: a run of theirs, or of their design block, has no value")
    if np.isnan(noise.share):
        told.append("one replicate: what is chance and what the parameters do cannot be told apart")
    else:
        interval = f" ({100 * noise.low:.0f} to {100 * noise.high:.0f} %)" if not np.isnan(noise.low) else ""
        told.append(
            f"chance makes {100 * noise.share:.0f} %{interval} of the variance of single runs, and "
            f"{100 * noise.share_of_mean:.1f} % of that between means of replicates"
        )
    assumed = first[first["source"] == ASSUMED]
    words = (
        ("matters", "assumed and it matters"),
        ("noise", "assumed, not told from chance"),
        ("unknown", "assumed, not known with these runs"),
    )
    for verdict, said in words:
        names = assumed.loc[assumed["verdict"] == verdict, "parameter"].tolist()
        if names:
            told.append(f"{said}: {', '.join(names)}")
    return told


def rows(found: Sensitivity) -> list[tuple[str, ...]]:
    """The table as texts, a row per parameter under `HEAD`."""
    return [
        (
            str(row["rank"]), row["parameter"], row["source"] if isinstance(row["source"], str) else "",
            f"{row['index']:.3g}",
            f"{row['low']:.3g} to {row['high']:.3g}", "" if np.isnan(row["noise"]) else f"{row['noise']:.3g}",
            {"noise": "not told from chance"}.get(row["verdict"], row["verdict"]),
        )
        for row in found.leading.to_dict("records")
    ]  # fmt: skip


HEAD = ("rank", "parameter", "source", "index", "95 % interval", "chance below", "verdict")
