"""Does the program do here what it must do anywhere? Closed forms, the same bits, and tables that come back.

The closed forms are the claims of scenarios/verification. Seeds are fixed and a band has 4.9 standard errors, so that
a right program misses one in a million, and the same program says the same on every machine.
"""

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from mpn_abm.errors import ClaimError, MpnAbmError
from mpn_abm.files import digest_of
from mpn_abm.kernels.compiler import threads_available
from mpn_abm.result import Result
from mpn_abm.scenario.examples import file_of
from mpn_abm.scenario.scenario import Scenario, load
from mpn_abm.simulate import prepared, run, warm_up
from mpn_abm.state import T_CELLS

BOUND = 4.9
MORAN_RUNS = 20_000
WALKERS, SITES_A_SIDE, SITE_UM = 10_000, 1000, 10.0
MEAN_SQUARE_HOP = 1.5  # of the eight neighbours, in sites squared
MAIN_JOB = "therapy/calr_car_t"
# a year and a half has the T cells of day 365 in it, and a step of a week enough events that threads pay in one
# marrow; its claims ask for more
WITHOUT_CLAIMS = dict.fromkeys(("arms", "endpoints", "expect"))
SHORTER = {"time.duration_days": 546, "time.step_days": 7, "marrow.shape": [512, 512], **WITHOUT_CLAIMS}


@dataclass(frozen=True)
class Verdict:
    """What one check found; `is_claim` if it is about the model and not about files and threads."""

    check: str
    found: str
    expected: str
    held: bool
    seconds: float
    is_claim: bool = True


def compile_first() -> float:
    """Have all kernels ready; returns the seconds that it took."""
    start = time.perf_counter()
    scenario = load(file_of(MAIN_JOB), SHORTER)
    for replicates, threads in {(1, 1), (2, 1), (1, _threads()), (2, _threads())}:
        warm_up(prepared(scenario, replicates), replicates, threads)
    return time.perf_counter() - start


def checks() -> Iterator[Verdict]:
    """Every check, as it is done."""
    yield _moran("verification/moran_torus")
    yield _moran("verification/moran_well_mixed")
    yield from _claims("verification/logistic_growth")
    yield from _claims("verification/neutral_drift")
    yield from _claims("verification/single_dose_pk")
    yield _walk()
    yield from _bits_and_tables()


def fail_if_any(verdicts: list[Verdict]) -> None:
    """Raise ClaimError if a closed form was missed, MpnAbmError if something else is wrong."""
    failed = [verdict for verdict in verdicts if not verdict.held]
    if failed:
        kind = ClaimError if any(verdict.is_claim for verdict in failed) else MpnAbmError
        raise kind(f"not held: {', '.join(verdict.check for verdict in failed)}")


def _claims(name: str) -> Iterator[Verdict]:
    start = time.perf_counter()
    claims = run(load(file_of(name)), threads=_threads()).claims
    seconds = (time.perf_counter() - start) / len(claims)
    for claim in claims.to_dict("records"):
        expected = f"{claim['low']:.4g} to {claim['high']:.4g}"
        check = f"{name.rpartition('/')[2]}: {claim['claim']}"
        yield Verdict(check, f"{claim['value']:.4g}", expected, bool(claim["held"]), seconds)


def _moran(name: str) -> Verdict:
    """Share of pools that one fitter mutant takes over, (1 - 1/r) / (1 - 1/r^N); finds one that is off by a ninth."""
    start = time.perf_counter()
    scenario = load(file_of(name), WITHOUT_CLAIMS)
    ends = run(scenario, replicates=MORAN_RUNS, threads=_threads()).summary["fixed_clone"]
    share = float((ends == "mutant").mean())
    r = 1.0 + scenario.get("genotypes.mutant.fitness_per_year") / scenario.get("hematopoiesis.division_rate_per_year")
    chance = (1.0 - 1.0 / r) / (1.0 - r ** -math.prod(scenario.spec.marrow.shape))
    error = BOUND * math.sqrt(chance * (1.0 - chance) / MORAN_RUNS)
    check, band = f"{name.rpartition('/')[2]}: fixation", f"{chance - error:.4g} to {chance + error:.4g}"
    return Verdict(check, f"{share:.4g}", band, abs(share - chance) < error, time.perf_counter() - start)


def _walk() -> Verdict:
    """Mean squared displacement of T cells without a target against that of a persistent random walk."""
    start = time.perf_counter()
    content = {"treatments.car_t.dose_cells": WALKERS, "marrow.shape": [SITES_A_SIDE, SITES_A_SIDE]}
    scenario = load(file_of("verification/walker_msd"), {**content, "output.snapshots": False})
    rows, days = _places_of_walkers(scenario)
    away = (rows[-1] - rows[0] + SITES_A_SIDE // 2) % SITES_A_SIDE - SITES_A_SIDE // 2
    squares = (away**2).sum(axis=1)
    expected = _displacement(scenario, (days[-1] - days[0]) * 1440.0)
    error = BOUND * squares.std(ddof=1) / math.sqrt(len(squares))
    band = f"{expected - error:.4g} to {expected + error:.4g}"
    held = abs(squares.mean() - expected) < error
    return Verdict("walker_msd: displacement", f"{squares.mean():.4g}", band, bool(held), time.perf_counter() - start)


def _places_of_walkers(scenario: Scenario) -> tuple[list[np.ndarray], list[float]]:
    """int[walkers, 2] at every row with walkers, in the order of their numbers; and the days of the rows."""
    places, days = [], []

    def look(state: Any, day: float) -> dict[str, float]:
        alive = int(state.tally[T_CELLS])
        if alive > 0:
            order = np.argsort(state.agents.uid[:alive])
            sites = state.agents.site[:alive][order]
            places.append(np.stack(np.unravel_index(sites, (SITES_A_SIDE, SITES_A_SIDE)), axis=1))
            days.append(day)
        return {}

    run(scenario, observers=[look])
    return places, days


def _displacement(scenario: Scenario, minutes: float) -> float:
    """a2 (q n + 2 q^2 sum_k (n - k) p^k) after n hops; a walker in the way is a hop not made and a heading lost."""
    hop = SITE_UM / scenario.get("car_t.speed_um_per_min")
    n = round(minutes / hop)
    free = 1.0 - WALKERS / SITES_A_SIDE**2
    kept = math.exp(-hop / scenario.get("car_t.persistence_minutes")) * free
    k = np.arange(1, n)
    return float(MEAN_SQUARE_HOP * (free * n + 2.0 * free**2 * ((n - k) * kept**k).sum()))


def _bits_and_tables() -> Iterator[Verdict]:
    scenario, threads = load(file_of(MAIN_JOB), SHORTER), _threads()
    one = run(scenario)
    yield _same("a table that is written and read", one, _read_back, 1)
    if threads == 1:
        # nothing to compare with: what was not done does not hold, nor fails
        return
    yield _same(f"one marrow on 1 and {threads} threads", one, lambda _: _digest(run(scenario, threads=threads)), 1)
    both = run(scenario, replicates=2)
    other = lambda _: _digest(run(scenario, replicates=2, threads=threads))  # noqa: E731
    yield _same(f"two marrows on 1 and {threads} threads", both, other, 2)


def _same(check: str, result: Result, digest: Callable[[Result], str], replicates: int) -> Verdict:
    """Whether another way to the same table has the same digest."""
    assert result.facts["replicates"] == replicates
    start = time.perf_counter()
    found, expected = digest(result), _digest(result)
    seconds = time.perf_counter() - start
    return Verdict(check, found[:12], expected[:12], found == expected, seconds, is_claim=False)


def _digest(result: Result) -> str:
    return str(result.facts["trajectory_sha256"])


def _read_back(result: Result) -> str:
    with tempfile.TemporaryDirectory() as folder:
        result.write(Path(folder) / "run")
        return digest_of(pq.read_table(Path(folder) / "run" / "trajectory.parquet"))


def _threads() -> int:
    return min(2, threads_available())
