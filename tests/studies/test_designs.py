"""Where the points of a study lie: against closed forms, and against the libraries that make the sequences."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats import qmc
from studies.small_studies import VAF, base, load, sweep

from mpn_abm.errors import MissingFileError, ScenarioError
from mpn_abm.scenario.studies.axes import Axis
from mpn_abm.studies.designs import points_of, shares_of
from mpn_abm.studies.plan import plan_of
from mpn_abm.studies.quantiles import values_at

FITNESS, POOL = "patient.fitness", "marrow.hsc_pool_cells"
TWO = {VAF: {"low": 0.1, "high": 0.4}, FITNESS: {"low": 0.01, "high": 100, "scale": "log"}}


def study(parameters, **block):
    return load(sweep(parameters, **block))


def points(parameters, **block):
    one = study(parameters, **block)
    return points_of(one.spec, one.scenario, one.folder)


def test_a_grid_has_every_combination_the_last_axis_fastest():
    found = points({VAF: [0.1, 0.3], FITNESS: {"low": 1, "high": 100, "steps": 3, "scale": "log"}})
    assert found[VAF].tolist() == [0.1, 0.1, 0.1, 0.3, 0.3, 0.3]
    assert found[FITNESS].tolist() == pytest.approx([1, 10, 100, 1, 10, 100], rel=1e-12)
    assert points({VAF: {"low": 0.1, "high": 0.4, "steps": 4}})[VAF].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_whole_numbers_are_whole_in_every_design():
    pool = {"low": 10, "high": 13}
    assert points({POOL: {**pool, "steps": 7}})[POOL].tolist() == [10, 11, 12, 13]
    drawn = points({POOL: pool}, method="random", samples=4000, seed=3)[POOL]
    assert drawn.dtype == np.int64
    # each of the four has its quarter: a wrong program gives those at the ends half of it. Error rate 1e-4
    assert stats.chisquare(np.bincount(drawn - 10, minlength=4)).pvalue > 1e-4


def test_every_stratum_of_a_latin_hypercube_has_one_point():
    found = points(TWO, method="lhs", samples=50, seed=1)
    for share in ((found[VAF] - 0.1) / 0.3, np.log(found[FITNESS] / 0.01) / np.log(1e4)):
        assert sorted(np.floor(share * 50).astype(int)) == list(range(50))


def test_sobol_points_are_those_of_scipy_and_fill_the_square():
    spec = study(TWO, method="sobol", samples=64, seed=4).spec
    shares = shares_of(spec)
    assert np.array_equal(shares, qmc.Sobol(2, scramble=True, rng=np.random.default_rng(4)).random_base2(6))
    assert qmc.discrepancy(shares) < 0.1 * qmc.discrepancy(np.random.default_rng(4).random((64, 2)))
    # one in every cell of an 8 x 8 lattice, as of a net in base 2
    assert np.unique(np.floor(shares * 8) @ [8, 1]).size == 64


def test_more_sobol_points_keep_the_first():
    """Catches a scramble that depends on the number of points."""
    few, many = (points(TWO, method="sobol", samples=n, seed=2) for n in (5, 200))
    assert len(few) == 5
    pd.testing.assert_frame_equal(many.head(5), few)
    few, many = (points(TWO, method="random", samples=n, seed=2) for n in (5, 200))
    pd.testing.assert_frame_equal(many.head(5), few)


@pytest.mark.parametrize("method", ["lhs", "sobol", "random", "saltelli", "morris"])
def test_the_seed_of_the_design_sets_the_points(method):
    if method in ("saltelli", "morris"):
        pytest.importorskip("SALib")
    first, again, other = (points(TWO, method=method, samples=8, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_saltelli_points_differ_from_a_base_point_in_one_parameter():
    """The order that Sobol indices are estimated from: A, then A with a column of B each, then B."""
    pytest.importorskip("SALib")
    shares = shares_of(study(TWO, method="saltelli", samples=8).spec).reshape(8, 4, 2)
    for a, one, other, b in shares:
        assert one.tolist() == [b[0], a[1]]
        assert other.tolist() == [a[0], b[1]]
        assert (a != b).all()


def test_morris_moves_one_parameter_at_a_time():
    pytest.importorskip("SALib")
    shares = shares_of(study(TWO, method="morris", samples=8).spec).reshape(8, 3, 2)
    moved = np.abs(np.diff(shares, axis=1))
    assert ((moved > 0).sum(axis=2) == 1).all()
    assert np.allclose(moved.sum(axis=(1, 2)), 2 * 2 / 3)


def test_methods_of_sensitivity_have_the_points_they_are_estimated_from():
    pytest.importorskip("SALib")
    for method, number in (("sobol", 8 * 4), ("morris", 8 * 3), ("prcc", 8)):
        content = {"scenario": base(), "sensitivity": {"method": method, "samples": 8, "parameters": TWO}}
        one = load(content)
        assert len(points_of(one.spec, one.scenario, one.folder)) == number


def test_levels_and_distributions_are_sampled_too():
    axes = {VAF: {"distribution": "beta", "a": 2, "b": 5, "high": 0.45}, FITNESS: [1, 2, 4, 8]}
    found = points(axes, method="lhs", samples=80)
    assert found[FITNESS].value_counts().to_dict() == {1: 20, 2: 20, 4: 20, 8: 20}
    assert found[VAF].max() < 0.45


SHARES = np.linspace(0.0, 1.0, 1001)
KNOWN = {
    "normal": (Axis(distribution="normal", mean=3, sd=2), stats.norm(3, 2)),
    "lognormal": (Axis(distribution="lognormal", median=2, log_sd=0.6), stats.lognorm(0.6, scale=2)),
    "beta": (Axis(distribution="beta", a=4, b=6), stats.beta(4, 6)),
    "uniform": (Axis(distribution="uniform", low=-1, high=3), stats.uniform(-1, 4)),
    "loguniform": (Axis(distribution="loguniform", low=0.1, high=10), stats.loguniform(0.1, 10)),
    "range": (Axis(low=-1, high=3), stats.uniform(-1, 4)),
    "log": (Axis(low=0.1, high=10, scale="log"), stats.loguniform(0.1, 10)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_shares_and_values_are_one_another_s_inverse(name):
    axis, known = KNOWN[name]
    assert known.cdf(values_at(axis, SHARES[1:-1])) == pytest.approx(SHARES[1:-1], abs=1e-9)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 4.0), (None, 2.5), (5.0, None), (11.0, 11.5), (-20.0, -12.0)])
def test_a_distribution_that_is_cut_off_has_all_of_its_shares_between_the_ends(low, high):
    """The last two lie 4 and 7 standard deviations out, where the lower tail of the upper one has lost its digits."""
    axis = Axis(distribution="normal", mean=3, sd=2, low=low, high=high)
    values = values_at(axis, SHARES)
    ends = [(-np.inf if low is None else low) - 3, (np.inf if high is None else high) - 3]
    known = stats.truncnorm(ends[0] / 2, ends[1] / 2, 3, 2)
    assert known.cdf(values) == pytest.approx(SHARES, abs=1e-9)
    assert low is None or values.min() == pytest.approx(low, rel=1e-12)
    assert high is None or values.max() == pytest.approx(high, rel=1e-12)
    assert ((values >= (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high))).all()


def test_a_choice_has_its_weights_and_never_what_weighs_nothing():
    axis = Axis(distribution="choice", values=("a", "b", "c", "d"), weights=(1, 0, 3, 0))
    assert list(values_at(axis, np.array([0.0, 0.2499, 0.25, 0.99, 1.0]))) == ["a", "a", "c", "c", "c"]


def test_a_table_has_its_rows_and_a_wrong_one_is_told_where_it_is_wrong(tmp_path):
    file = tmp_path / "rows.csv"
    said = {"scenario": base(), "sweep": {"method": "table", "file": str(file)}}
    file.write_text(f'{VAF},marrow.shape\n0.1,"[4, 4]"\n0.2,"[8, 4]"\n')
    plan = plan_of(load(said))
    assert plan[VAF].tolist() == [0.1, 0.2]
    assert plan["marrow.shape"].tolist() == ["[4,4]", "[8,4]"]
    assert load(said).member({VAF: 0.1, "marrow.shape": [8, 4]}).spec.marrow.shape == (8, 4)
    pd.DataFrame({VAF: [0.1, 0.2]}).to_parquet(tmp_path / "rows.parquet")
    assert plan_of(load(said, sets=[f"sweep.file={tmp_path}/rows.parquet"]))[VAF].tolist() == [0.1, 0.2]
    for text, expected in (
        (f"{VAF}\n0.1\n0.7\n", rf"rows.csv:3:1: {VAF}: 0.7: expected at most 0.5"),
        ("clones.mutnat.vaf\n0.1\n", "rows.csv: clones.mutnat.vaf: unknown path, did you mean 'mutant'"),
        (f"{VAF},{FITNESS}\n0.1,\n", f"rows.csv:2:1: {FITNESS}: missing"),
        (f"{VAF}\n", "expected at least one row"),
        ("", "expected a CSV or Parquet file"),
        ('marrow.shape\n"[4, 4"\n', "rows.csv:2:1: marrow.shape: .*expected JSON"),
    ):
        file.write_text(text)
        with pytest.raises(ScenarioError, match=expected):
            plan_of(load(said))
    one = load(said)
    file.unlink()
    with pytest.raises(MissingFileError, match="No such file"):
        plan_of(one)
