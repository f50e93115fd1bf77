"""Calibration of cheap models whose answers are known.

Statistical claims use fixed seeds; the error rate of each stands with it.
"""

import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mpn_abm.errors import OutputExistsError, UsageError
from mpn_abm.studies.calibrating import telling
from mpn_abm.studies.calibrating.identifiability import left_by_chance, quantile, warnings_of
from mpn_abm.studies.calibrating.tables import tables_of
from mpn_abm.studies.calibrating.targets import BAND, Target
from mpn_abm.studies.calibration import EVALUATED, HISTORY, calibrated

pytest.importorskip("pyabc", reason="needs pyabc, the extra `calibrate`")
pytest.importorskip("optuna", reason="needs optuna, the extra `calibrate`")
DAYS = (0.0, 10.0, 20.0)


def simulator(function, chance=0.1, replicates=1):
    """What evaluates points: `function` of the parameters by target, with normal noise that the seed decides."""

    def evaluate(points):
        evaluate.calls += 1
        evaluate.points += points
        return [simulated(dict(point)) for point in points]

    def simulated(point):
        rng = np.random.default_rng(point.pop("seed"))
        means = function(**point)
        noise = chance * rng.standard_normal((replicates, len(means)))
        return {name: list(mean + noise[:, k]) for k, (name, mean) in enumerate(means.items())}

    evaluate.calls, evaluate.points = 0, []
    return evaluate


def growth(rate, start):
    """Exponential growth, in logarithms: a straight line."""
    return {f"day_{day:g}": start + rate * day for day in DAYS}


def logistic(advantage, fraction):
    """A clone with a constant advantage: its odds grow exponentially."""
    odds = {day: fraction / (1.0 - fraction) * np.exp(advantage * day / 10.0) for day in (0.0, 10.0, 20.0, 40.0)}
    return {f"day_{day:g}": value / (1.0 + value) for day, value in odds.items()}


def targets(function, half_band, **truth):
    return [Target(name, value, value - half_band, value + half_band) for name, value in function(**truth).items()]


LINE = {"rate": stats.uniform(0.0, 1.0), "start": stats.norm(0.0, 2.0)}
SIZES = {"abc_smc": {"population": 40, "max_runs": 1200, "generations": 6}, "optuna": {"max_runs": 240}}
METHODS = list(SIZES)


TABLES = {
    "abc_smc": {"posterior", "estimate", "predictions", "generations"},
    "optuna": {"estimate", "predictions"},
}


# ---- known answers


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("function", "priors", "truth", "half_band", "within"),
    [
        (growth, LINE, {"rate": 0.3, "start": 1.0}, 0.4, {"rate": 0.04, "start": 0.5}),
        (
            logistic,
            {"advantage": stats.uniform(0.0, 2.0), "fraction": stats.loguniform(0.01, 0.5)},
            {"advantage": 1.0, "fraction": 0.1},
            0.06,
            {"advantage": 0.25, "fraction": 0.04},
        ),
    ],
    ids=["exponential growth", "logistic growth of a clone"],
)
def test_known_parameters_are_recovered(tmp_path, method, function, priors, truth, half_band, within):
    """`within` is about 4 standard errors of a fit to these bands, a tenth of the prior or less."""
    aims = targets(function, half_band, **truth)
    found = calibrated(
        simulator(function, half_band / 5), priors, aims, tmp_path, method=method, seed=2, **SIZES[method]
    )
    table = found.parameters.set_index("parameter")
    for name, value in truth.items():
        assert table.loc[name, "value"] == pytest.approx(value, abs=within[name])
        assert table.loc[name, "low"] <= value <= table.loc[name, "high"]
        assert table.loc[name, "left_of_prior"] < 0.5
    assert found.predictions["held"].all()


def test_the_posterior_of_one_mean_has_the_width_of_its_closed_form(tmp_path):
    """One value with noise and error of variance s2, threshold e: the mean has variance s2 + e^2 / 3 (flat prior).

    200 particles: the standard deviation is known to 6 %, 15 % are allowed. Without the error of the observation it
    were 0.33 of that, with the prior 5 times.
    """
    aims = [Target("seen", 0.0, -1.0, 1.0)]
    priors = {"mean": stats.uniform(-5.0, 10.0)}
    found = calibrated(
        simulator(lambda mean: {"seen": mean}, 0.2), priors, aims, tmp_path, seed=1, population=200, max_runs=4000
    )
    assert found.stopped == "noise_floor"
    noise = 0.2**2 + 1.0 / BAND**2
    assert found.floor.noise == pytest.approx(np.sqrt(noise), rel=0.5)
    values, weights = found.posterior["mean"], found.posterior["weight"]
    centre = np.average(values, weights=weights)
    width = np.sqrt(np.average((values - centre) ** 2, weights=weights))
    threshold = found.generations["epsilon"].iloc[-1]
    assert width == pytest.approx(np.sqrt(noise + threshold**2 / 3.0), rel=0.15)
    assert centre == pytest.approx(0.0, abs=0.15)


def test_profile_intervals_of_a_straight_line_are_those_of_least_squares(tmp_path):
    """Bands of half width h: the sum of squares rises by 1 at h sqrt(inv(X'X)_kk)."""
    found = calibrated(
        simulator(growth, 0.0), LINE, targets(growth, 0.4, rate=0.3, start=1.0), tmp_path, method="optuna", seed=1,
        max_runs=200,
    )  # fmt: skip
    table = found.parameters.set_index("parameter")
    design = np.array([[day, 1.0] for day in DAYS])
    for name, error in zip(("rate", "start"), 0.4 * np.sqrt(np.diag(np.linalg.inv(design.T @ design))), strict=True):
        assert (table.loc[name, "high"] - table.loc[name, "low"]) / 2.0 == pytest.approx(error, rel=0.1)
    assert found.explained > 0.99


# ---- simulation-based calibration

DRAWS = 15


def ranks_of_truth(folder, number, width):
    """The rank of the true mean among draws of its posterior, for data from the prior; and of draws that narrow."""
    rng, priors = np.random.default_rng(11), {"mean": stats.norm(0.0, 0.5)}
    found = {"as it is": [], "too narrow": []}
    for k in range(number):
        mean = 0.5 * rng.standard_normal()
        seen = mean + 0.3 * rng.standard_normal() + 0.5 / BAND * rng.standard_normal()
        aims = [Target("seen", seen, seen - 0.5, seen + 0.5)]
        posterior = calibrated(
            simulator(lambda mean: {"seen": mean}, 0.3), priors, aims, folder / str(k),
            seed=k, population=40, generations=6, max_runs=2000,
        ).posterior  # fmt: skip
        draws = rng.choice(posterior["mean"], DRAWS, p=posterior["weight"])
        centre = np.average(posterior["mean"], weights=posterior["weight"])
        found["as it is"].append((draws < mean).sum())
        found["too narrow"].append((centre + width * (draws - centre) < mean).sum())
    return {name: np.array(ranks) for name, ranks in found.items()}


@pytest.mark.parametrize(
    ("number", "classes", "error_rate", "width"),
    [(20, 4, 0.05, 0.0), pytest.param(200, 8, 0.01, 0.1, marks=pytest.mark.slow)],
)
def test_the_truth_ranks_evenly_among_draws_of_its_posterior(tmp_path, number, classes, error_rate, width):
    """Simulation-based calibration (Talts et al. 2018): the ranks are uniform, by chi-square at the error rate.

    The same test rejects points, 200 data sets reject a tenth of the width. They also reject posteriors that end with
    the second generation, above the noise floor: those are too wide.
    """
    for name, ranks in ranks_of_truth(tmp_path, number, width).items():
        counts = np.bincount(ranks * classes // (DRAWS + 1), minlength=classes)
        assert (stats.chisquare(counts).pvalue > error_rate) == (name == "as it is"), (name, counts)


# ---- chance, and what cannot be told


def test_a_model_of_noise_alone_stops_at_its_floor_and_says_so(tmp_path):
    """Noise of 1 in each of 4 replicates, an error of 1 / 1.96: 0.71 from its own mean (15 degrees of freedom)."""
    found = calibrated(
        simulator(lambda idle: {"constant": 0.0}, 1.0, replicates=4), {"idle": stats.uniform()},
        [Target("constant", 0.0, -1.0, 1.0)], tmp_path, seed=1, replicates=4, population=60, max_runs=20_000,
    )  # fmt: skip
    assert found.floor.noise == pytest.approx(np.sqrt(1.0 / 4.0 + 1.0 / BAND**2), rel=0.5)
    assert found.stopped == "noise_floor"
    assert found.generations["epsilon"].iloc[1:].min() == found.floor.noise
    assert any(line.startswith("idle: as wide as before") for line in found.warnings)
    assert "stopped at the noise floor" in "\n".join(telling.lines(found))


def test_without_chance_the_floor_is_zero_and_generations_end_it(tmp_path):
    found = calibrated(
        simulator(lambda mean: {"seen": mean}, 0.0), {"mean": stats.uniform(-5.0, 10.0)},
        [Target("seen", 1.0)], tmp_path, seed=1, population=20, generations=3, max_runs=2000,
    )  # fmt: skip
    assert (found.floor.noise, found.stopped, len(found.generations)) == (0.0, "generations", 3)
    assert found.generations["epsilon"].iloc[2] < found.generations["epsilon"].iloc[1]


@pytest.mark.parametrize("method", METHODS)
def test_two_parameters_that_make_up_for_one_another_are_reported(tmp_path, method):
    """Only their sum shows; a third one is told well, and nothing is said of it."""
    found = calibrated(
        simulator(lambda one, two, known: {"sum": one + two, "known": known}, 0.01),
        {name: stats.uniform(0.0, 1.0) for name in ("one", "two", "known")},
        [Target("sum", 1.0, 0.9, 1.1), Target("known", 0.5, 0.4, 0.6)],
        tmp_path, method=method, seed=1, **SIZES[method],
    )  # fmt: skip
    told = "\n".join(found.warnings)
    if method == "abc_smc":
        assert "one and two: known only together (rank correlation -0." in told
    else:
        assert "one: flat profile" in told
        assert "two: flat profile" in told
    assert "known: " not in told
    assert "and known" not in told


# ---- going on


class Broken(Exception):
    """As a kill would end it."""


def breaking(evaluate, call):
    def broken(points):
        if evaluate.calls == call:
            raise Broken
        return evaluate(points)

    return broken


@pytest.mark.parametrize("method", METHODS)
def test_one_that_was_broken_off_ends_as_if_it_had_not_been(tmp_path, method):
    """Broken off at every third batch in turn; no point is simulated twice, and all tables are the same."""
    aims, sizes = targets(growth, 0.4, rate=0.3, start=1.0), SIZES[method] | {"seed": 3}
    if method == "abc_smc":
        sizes |= {"generations": 4}
    whole = simulator(growth)
    expected = calibrated(whole, LINE, aims, tmp_path / "whole", method=method, **sizes)
    pieces = simulator(growth)
    for call in range(0, 3 * whole.calls, 3):
        try:
            found = calibrated(breaking(pieces, call), LINE, aims, tmp_path / "pieces", method=method, **sizes)
        except Broken:
            with (tmp_path / "pieces" / EVALUATED).open("a") as file:
                file.write('{"key": "half a li')
        else:
            break
    assert pieces.points == whole.points
    assert found.simulated < expected.simulated
    assert (found.runs, found.stopped, found.floor) == (expected.runs, expected.stopped, expected.floor)
    pd.testing.assert_frame_equal(found.parameters, expected.parameters, check_exact=True)
    pd.testing.assert_frame_equal(found.predictions, expected.predictions, check_exact=True)
    if method == "abc_smc":
        pd.testing.assert_frame_equal(found.posterior, expected.posterior, check_exact=True)
        pd.testing.assert_frame_equal(found.generations, expected.generations, check_exact=True)


def test_a_history_that_was_not_written_whole_is_made_again(tmp_path):
    evaluate, sizes = simulator(growth), SIZES["abc_smc"] | {"generations": 3}
    aims = targets(growth, 0.4, rate=0.3, start=1.0)
    first = calibrated(evaluate, LINE, aims, tmp_path, **sizes)
    (tmp_path / HISTORY).write_bytes((tmp_path / HISTORY).read_bytes()[:5000])
    again = calibrated(evaluate, LINE, aims, tmp_path, **sizes)
    assert again.simulated == 0
    pd.testing.assert_frame_equal(first.posterior, again.posterior, check_exact=True)


def test_more_runs_go_on_from_what_is_there(tmp_path):
    aims, evaluate = targets(growth, 0.4, rate=0.3, start=1.0), simulator(growth)
    few = calibrated(evaluate, LINE, aims, tmp_path, seed=1, population=30, max_runs=200)
    assert few.stopped == "max_runs"
    assert few.runs <= 200
    more = calibrated(evaluate, LINE, aims, tmp_path, seed=1, population=30, max_runs=600)
    assert len(more.generations) > len(few.generations)
    kept = len(few.generations)
    pd.testing.assert_frame_equal(more.generations.head(kept), few.generations)
    fresh = calibrated(simulator(growth), LINE, aims, tmp_path / "fresh", seed=1, population=30, max_runs=600)
    pd.testing.assert_frame_equal(more.posterior, fresh.posterior, check_exact=True)


def test_numpys_stream_is_left_as_it_was_and_has_no_say(tmp_path):
    aims, posteriors = targets(growth, 0.4, rate=0.3, start=1.0), []
    for start in (1, 2):
        np.random.seed(start)
        expected = np.random.RandomState(start).random()
        found = calibrated(
            simulator(growth), LINE, aims, tmp_path / str(start), population=20, generations=2, max_runs=200
        )
        assert np.random.random() == expected
        posteriors.append(found.posterior)
    pd.testing.assert_frame_equal(*posteriors)


# ---- roles


@pytest.mark.parametrize(
    ("method", "role"), [("abc_smc", "test"), ("abc_smc", "rival"), ("optuna", "rival"), ("optuna", "order")]
)
def test_only_fitted_targets_have_a_say(tmp_path, method, role):
    """The same answer whatever the others want, also if they have no value; but their predictions are shown."""

    def function(rate, start):
        return growth(rate, start) | {"other": np.nan if rate > 0.5 else 10.0}

    aims, answers = targets(growth, 0.4, rate=0.3, start=1.0), []
    sizes = {"population": 30, "generations": 3, "max_runs": 400} if method == "abc_smc" else {"max_runs": 100}
    for number, value in enumerate((10.0, -1e6)):
        others = [Target("other", value, value - 1.0, value + 1.0, role=role)]
        found = calibrated(
            simulator(function), LINE, [*aims, *others], tmp_path / str(number), method=method, seed=1, **sizes
        )
        answers.append(found.parameters)
        shown = found.predictions.set_index("target").loc["other"]
        assert shown["predicted"] == pytest.approx(10.0, abs=0.3)
        assert shown["held"] == (value == 10.0)
    pd.testing.assert_frame_equal(*answers)


def test_without_a_target_to_fit_there_is_nothing_to_do(tmp_path):
    aims = [Target("a", 1.0, role="rival"), Target("b", 1.0, weight=0.0)]
    with pytest.raises(UsageError, match="nothing to calibrate on"):
        calibrated(simulator(growth), LINE, aims, tmp_path)


# ---- refusals


def test_the_state_of_another_calibration_is_not_mixed_in(tmp_path):
    aims = targets(growth, 0.4, rate=0.3, start=1.0)
    sizes = {"population": 20, "generations": 2, "max_runs": 200}
    calibrated(simulator(growth), LINE, aims, tmp_path, **sizes)
    for name, others in {
        "targets": {"targets": targets(growth, 0.5, rate=0.3, start=1.0)},
        "priors": {"priors": LINE | {"start": stats.norm(0.0, 3.0)}},
        "seed": {"seed": 9},
        "context": {"context": "another scenario"},
    }.items():
        asked = {"priors": LINE, "targets": aims} | sizes | others
        with pytest.raises(OutputExistsError, match=f"with other {name};"):
            calibrated(simulator(growth), folder=tmp_path, **asked)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"method": "mcmc"}, "expected one of abc_smc, optuna"),
        ({"max_runs": 100}, "max_runs: 100: expected at least 316"),
        ({"method": "optuna", "max_runs": 10}, "max_runs: 10: expected at least 64"),
        ({"generations": 1}, "generations from 2"),
    ],
)
def test_what_makes_no_calibration_is_refused_before_the_first_run(tmp_path, asked, told):
    evaluate = simulator(growth)
    with pytest.raises(UsageError, match=told) as error:
        calibrated(evaluate, LINE, targets(growth, 0.4, rate=0.3, start=1.0), tmp_path, **asked)
    assert "\n" not in str(error.value)
    assert evaluate.calls == 0


@pytest.mark.parametrize(("method", "package"), [("abc_smc", "pyabc"), ("optuna", "optuna")])
def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch, method, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf"{package} is not installed.*mpn-abm\[calibrate\]"):
        calibrated(simulator(growth), LINE, targets(growth, 0.4, rate=0.3, start=1.0), tmp_path, method=method)


def test_what_it_says_fits_its_tables(tmp_path):
    aims = [*targets(growth, 0.4, rate=0.3, start=1.0), Target("other", low=2.0, role="rival")]
    few = {"abc_smc": {"population": 20, "generations": 2, "max_runs": 100}, "optuna": {"max_runs": 64}}
    for method in METHODS:
        found = calibrated(simulator(growth), LINE, aims, tmp_path / method, method=method, **few[method])
        tables = tables_of(found)
        assert set(tables) == TABLES[method]
        assert tables["predictions"].column("held").to_pylist() == found.predictions["held"].tolist()
        if method == "abc_smc":
            assert tables["posterior"].column_names == ["particle", "weight", "rate", "start"]
            assert tables["generations"].column("epsilon").null_count == 1
        assert all(len(row) == len(telling.HEAD) for row in telling.rows(found))
        told = telling.predicted_rows(found)
        assert all(len(row) == len(telling.PREDICTED_HEAD) for row in told)
        assert told[-1][3] == "at least 2"
        assert not any(".0 particles" in line for line in telling.lines(found))
        assert any("noise floor" in line for line in telling.lines(found))


def test_weighted_quantiles_are_those_of_repeated_values():
    values, weights = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 1.0])
    assert quantile(values, weights, 0.5) == 2.0
    assert quantile(np.array([5.0, 1.0]), np.array([1.0, 1.0]), 0.5) == 3.0


@pytest.mark.parametrize("number", [3, 10, 30])
def test_draws_from_the_prior_are_told_from_it_in_five_of_a_hundred_cases(number):
    """Of 4000 cohorts; the share has a standard error of 0.0035, and fails by chance once in 10,000."""
    weights, draws = np.full(number, 1.0 / number), np.random.default_rng(number).random((4000, number))
    left = [(quantile(row, weights, 0.975) - quantile(row, weights, 0.025)) / 0.95 for row in draws]
    assert np.mean(np.array(left) < left_by_chance(number)) == pytest.approx(0.05, abs=0.0135)


def test_few_particles_that_look_narrow_by_chance_are_reported():
    """Ten draws from the prior leave 72 % of it, on average; that is nothing learned, and a quarter of it is."""
    ten = np.full(10, 0.1)
    shares = (np.arange(10.0) / 9.0 - 0.5) * 0.95
    unit = np.column_stack([0.5 + 0.72 * shares, np.roll(0.5 + 0.25 * shares, 5)])
    (told,) = warnings_of(["idle", "acts"], unit, ten)
    assert told.startswith("idle: not told from the prior (72 % of the prior is left, and 10 draws from the prior")
    many = np.tile(unit, (20, 1))
    assert warnings_of(["idle", "acts"], many, np.full(200, 0.005)) == []
