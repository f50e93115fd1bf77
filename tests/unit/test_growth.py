"""Steady growth: the line through readings is that of highest likelihood, and outliers are found by counting."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from mpn_abm.analysis.endpoints import telling_rows, times_to, values_on
from mpn_abm.analysis.growth import is_steady, readings, steady_shares
from mpn_abm.analysis.patients import Patients
from mpn_abm.scenario.endpoints import Endpoint, Readings

YEARS = np.array([0.0, 3.25, 6.5, 9.75, 13.0])
DAYS = 365.25 * YEARS
STEADY = {"x": Endpoint(column="share", steady=Readings(at=tuple(DAYS)))}


def logistic(start, rate, years=YEARS):
    odds = np.log(start / (1.0 - start)) + rate * years
    return 1.0 / (1.0 + np.exp(-odds))


def of(*shares, days=DAYS):
    """Patients with these shares on these days."""
    rows = [
        {"patient": k, "day": day, "share": share}
        for k, course in enumerate(shares)
        for day, share in zip(days, course, strict=True)
    ]
    return Patients(pd.DataFrame(rows))


@pytest.mark.parametrize("found", [[20, 31, 40, 48, 70], [3, 0, 1, 0, 0], [450, 480, 495, 499, 500]])
def test_the_line_is_that_of_the_highest_likelihood(found):
    """A general optimiser finds no better one. Catches wrong weights, and a line through the shares themselves."""

    def loss(line):
        share = 1.0 / (1.0 + np.exp(-(line[0] + line[1] * (YEARS - YEARS.mean()))))
        return -stats.binom.logpmf(found, 1000, 0.5 * share).sum()

    best = min(
        (optimize.minimize(loss, start, method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-7, "fatol": 1e-9})
         for start in ([0.0, 0.0], [-5.0, -0.3])),
        key=lambda one: one.fun,
    )  # fmt: skip
    shares = steady_shares(YEARS, np.array(found), 1000, 0.5)
    assert -stats.binom.logpmf(found, 1000, 0.5 * shares).sum() == pytest.approx(best.fun, abs=1e-4)


def test_steady_clones_are_nearly_all_seen_as_steady():
    """Of 2,000 with five readings chance alone makes an outlier in fewer than one of ten.

    A reading misses its own line by less than it misses the truth, so the share is above 0.975^10 = 0.78, which is what
    comes out where readings are held against the true line, and below 1, which comes out without counting errors.
    """
    rng = np.random.default_rng(7)
    courses = [logistic(start, 0.08) for start in np.exp(rng.uniform(np.log(0.02), np.log(0.4), 2000))]
    found = values_on(of(*courses), "x", STEADY, DAYS[-1])
    assert 0.9 < found.mean() < 0.98


@pytest.mark.parametrize(
    ("course", "steady"),
    [
        (logistic(0.02, 0.4), 1.0),  # to 79 %: levels off as it takes the marrow
        (logistic(0.4, -0.3), 1.0),
        (np.array([0.1, 0.2, 0.3, 0.2, 0.1]), 0.0),
        (np.array([0.05, 0.05, 0.05, 0.3, 0.6]), 0.0),
    ],
)
def test_growth_that_turns_is_not_steady_and_growth_that_levels_off_is(course, steady):
    """With 20,000 reads, where an outlier is one by far. Catches an exponential without a ceiling."""
    counts = np.rint(20_000 * 0.5 * course).astype(int)
    assert is_steady(YEARS, counts, 20_000, 0.5) == steady


def test_it_is_known_from_the_last_reading_on_and_of_those_with_all_readings():
    grows, gone = logistic(0.1, 0.1), np.zeros(5)
    missing = np.where(YEARS == 6.5, np.nan, grows)
    who = of(grows, gone, missing)
    assert np.isnan(values_on(who, "x", STEADY, DAYS[3])).all()
    last = values_on(who, "x", STEADY, DAYS[4])
    assert last[0] in (0.0, 1.0)
    assert np.isnan(last[1:]).all()
    turned = of(grows, np.array([0.05, 0.05, 0.05, 0.3, 0.6]))
    told = times_to(turned, "x", STEADY)
    assert told["event"].tolist()[1] is False
    assert told["time_days"][0] == DAYS[4]


def test_a_table_without_the_rows_that_tell_nothing_has_the_readings():
    days = np.arange(0.0, DAYS[-1] + 200.0, 118.7)
    who = of(logistic(0.1, 0.1, days / 365.25), days=days)
    kept = telling_rows(who, ["x"], STEADY, [DAYS[-1]])
    assert kept.sum() < 8
    thin = of(logistic(0.1, 0.1, days[kept] / 365.25), days=days[kept])
    assert values_on(thin, "x", STEADY, DAYS[-1]).tolist() == values_on(who, "x", STEADY, DAYS[-1]).tolist() == [1.0]


def test_a_patient_is_read_with_the_same_luck_again():
    """Arms with the same patients differ by the arms alone. Catches draws that go on from patient to patient."""
    share = logistic(0.1, 0.1)
    np.testing.assert_array_equal(readings(share, 1000, 0.5, 3), readings(share, 1000, 0.5, 3))
    assert (readings(share, 1000, 0.5, 3) != readings(share, 1000, 0.5, 4)).any()
    some = values_on(of(*[share] * 40), "x", STEADY, DAYS[-1])
    np.testing.assert_array_equal(some[:20], values_on(of(*[share] * 20), "x", STEADY, DAYS[-1]))
