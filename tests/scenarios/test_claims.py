"""The scenarios of the library answer their questions as the model says, each on its own lattice and with its seed.

Bands around what chance decides are wide: they say what kind of answer it is. Where there is a closed form, 4.9
standard errors are allowed, which a right program exceeds once in a million.
"""

import numpy as np
import pytest
from scipy import stats
from scipy.special import i0, i1, k0, k1
from verification.runs import YEAR, log_odds, of_library

import mpn_abm

BOUND = 4.9


def run(name, **options):
    return mpn_abm.run(of_library(name), **options)


# Baseline.


def test_driver_clones_arise_in_a_healthy_marrow_and_take_it_over_in_a_lifetime():
    """6 a year in the marrow (6e-5 of 100,000 cells), fewer once flagged cells lack that kind; they grow by 5-15 % a
    year. Catches mutation per site instead of per stem cell, and a fitness of background drivers that is lost.
    """
    result = run("baseline/healthy_lifetime")
    born = (result.events.kind == "clone_born").sum()
    assert 0.6 * 480 < born < 480 + BOUND * np.sqrt(480)
    assert 0.02 < result.trajectory.fraction_healthy.iloc[-1] < 0.6
    assert (result.trajectory.cells_total == 316**2).all()


def test_a_jak2_clone_is_decades_old_when_it_shows():
    """From its first cell to an allele fraction of 10 %: 30 years (11-54, Williams 2022); then homozygous cells win."""
    rows = run("baseline/jak2_lifetime").trajectory
    assert rows.cells_jak2[rows.day <= 10 * YEAR].max() == 0
    shows = rows.day[rows.vaf_jak2 > 0.1].iloc[0] / YEAR - 10.0
    assert 11 < shows < 54
    assert rows.genotype_cells_JAK2_V617F_HOM.iloc[-1] > 0.5 * 316**2


def test_an_untreated_calr_clone_spreads_and_the_scar_with_it():
    rows = run("baseline/calr_mf").trajectory
    assert rows.fraction_calr.iloc[-1] > 0.9
    assert (rows.mf_grade == 2).all()
    assert rows.fibrosis_mean.iloc[-1] > 1.5 * rows.fibrosis_mean.iloc[0]


def test_the_fitter_calr_clone_overtakes_a_larger_jak2_clone():
    """Log-odds rise by about 0.55 - 0.35 a year from 1 : 10, so it leads after 11 years, sooner or later by drivers."""
    rows = run("baseline/jak2_and_calr_compete").trajectory
    leads = rows.day[rows.cells_calr > rows.cells_jak2].iloc[0] / YEAR
    assert 8 < leads < 16
    assert rows.fraction_calr.iloc[-1] > 0.8
    assert rows.fraction_healthy.iloc[-1] < 0.01


# Therapy.


@pytest.fixture(scope="module")
def car_t():
    return run("therapy/calr_car_t").trajectory.set_index("day")


def test_car_t_cells_kill_most_of_a_calr_clone_and_it_comes_back(car_t):
    """Three quarters or more are gone by day 90."""
    assert car_t.fraction_calr[455] < 0.25 * car_t.fraction_calr[364]
    assert car_t.fraction_calr[1827] > 2 * car_t.fraction_calr.loc[455:].min()
    assert car_t.kills[1827] > 20_000
    assert (car_t.healthy_killed == 0).all()
    assert 371 <= car_t.car_t_total.idxmax() <= 385


def test_the_healthy_marrow_refills_and_the_scar_fades_where_the_clone_is_gone(car_t):
    assert car_t.fraction_healthy.max() > 0.8
    assert car_t.cells_total.loc[364:].min() < 0.8 * 316**2
    assert car_t.cells_total[1827] > 0.97 * 316**2
    assert car_t.fibrosis_mean.loc[455:].min() < 0.7 * car_t.fibrosis_mean[364]
    # a quarter of the clone is left, and keeps some
    assert car_t.mf_grade[0] == 2
    assert car_t.mf_grade.loc[455:].min() < 2


def test_a_jak2_clone_is_not_killed_and_goes_on_growing():
    rows = run("therapy/car_t_on_jak2_clone").trajectory
    assert not rows[["kills", "healthy_killed"]].to_numpy().any()
    assert rows.car_t_total.max() > 0
    assert rows.fraction_jak2.iloc[-1] > 1.5 * rows.fraction_jak2.iloc[0]


def test_under_ruxolitinib_the_clone_stays_as_its_signalling_persists_and_rebounds_after_it():
    """A falls to 1 - I = 0.51 and climbs back to 0.73 within weeks; off the drug it overshoots to 1.55."""
    rows = run("therapy/ruxolitinib_persistence").trajectory.set_index("day")
    start, stop = 84, 84 + 364
    assert rows.activity_JAK2_V617F[start] == 1.0
    assert rows.activity_JAK2_V617F[start + 1] == pytest.approx(0.515, abs=0.005)
    assert rows.activity_JAK2_V617F[stop] == pytest.approx(0.73, abs=0.005)
    assert rows.activity_JAK2_V617F.max() == pytest.approx(1.55, abs=0.01)
    assert rows.activity_JAK2_V617F.idxmax() == stop + 1
    # inhibition costs the clone a little, and T cells that suppression sets free take some more
    assert 0.75 < rows.fraction_jak2[stop] / rows.fraction_jak2[start] < 1.0
    assert 0.75 < rows.vaf_jak2[stop] / rows.vaf_jak2[start] < 1.0
    assert rows.vaf_jak2[730] > rows.vaf_jak2[stop]


# Verification.


@pytest.mark.parametrize("name", ["moran_torus", "moran_well_mixed"])
def test_a_mutant_of_r_1_1_takes_over_16_by_16_sites_as_moran_says(name):
    """(1 - 1/r)/(1 - 1/r^N) = 0.0909 of 10,000, within 4.9 standard errors, 1e-6; finds 16 % more or less.

    Undecided after 200 years: 6 of 10,000 on the torus, none well mixed.
    """
    summary = run(f"verification/{name}", replicates=10_000).summary
    expected = (1.0 - 1.0 / 1.1) / (1.0 - 1.1**-256.0)
    won = (summary.fixed_clone == "mutant").sum()
    assert abs(won - 10_000 * expected) < BOUND * np.sqrt(10_000 * expected * (1.0 - expected))
    assert (summary.end_reason != "fixation").sum() < 30


def test_chance_alone_takes_variety_away_at_the_rate_of_drift():
    """Mean share 1/2, and p (1 - p) falls as exp(-2 b t / N), b one division a year and N = 256, over 1,000 pools.

    Student's t, 1e-6 for each of 10 decades; finds a rate off by 25 %. Catches drift that is paid twice, as where
    birth and death both draw a cell of their own.
    """
    rows = run("verification/neutral_drift", replicates=1000).trajectory
    rows = rows.assign(variety=rows.fraction_one * (1.0 - rows.fraction_one), decade=(rows.day / YEAR).round(-1))
    bound = stats.t.isf(1e-6 / 2.0, 999)
    for years, of_day in rows[rows.day > 0].groupby("decade"):
        for column, expected in (("fraction_one", 0.5), ("variety", 0.25 * np.exp(-2.0 * years / 256.0))):
            error = of_day[column].std() / np.sqrt(1000.0)
            assert abs(of_day[column].mean() - expected) < bound * error, (years, column)


def test_the_log_odds_of_a_clone_rise_by_its_fitness_a_year():
    """0.35 a year from 2 to 96 %; birth and death at 2 + s a year make the sum of (2 + s)/(N f (1 - f)) the variance.

    Within 4.9 standard errors, 1e-6, in the end and on the way; finds a slope off by 11 %.
    """
    rows = run("verification/logistic_growth").trajectory
    odds, years = log_odds(rows, "cells_jak2", "cells_healthy"), rows.day.to_numpy() / YEAR
    fraction = rows.fraction_jak2.to_numpy()
    variance = np.trapezoid(2.35 / (316**2 * fraction * (1.0 - fraction)), years)
    rise = odds[-1] - odds[0]
    assert abs(rise - 0.35 * years[-1]) < BOUND * np.sqrt(variance)
    assert 2.0 * BOUND * np.sqrt(variance) < 0.11 * rise
    assert odds == pytest.approx(odds[0] + 0.35 * years, abs=BOUND * np.sqrt(variance))


def test_cytokine_falls_off_around_a_disc_as_diffusion_and_decay_say():
    """Bessel functions inside and outside of a disc of 2 decay lengths, on blocks of 0.4 decay lengths: within 0.012
    of the 1 of a wide source, and within 10 % out to 3 decay lengths from the edge.

    Catches a decay length in sites or blocks, a source that is a mean over the wrong number of cells, open borders.
    """
    fields = []

    def look(state, day):
        fields.append(state.ground.cytokine.copy())
        return {}

    result = run("verification/diffusion", observers=[look])
    cells = result.snapshots[(result.snapshots.genotype == "JAK2_V617F") & (result.snapshots.day == 0)]
    middle = np.array([cells.y.mean(), cells.x.mean()])
    radius, length = np.sqrt(len(cells) / np.pi) / 10.0, 1.0
    centres = 4.0 * np.arange(40) + 1.5
    distance = np.hypot(*(np.stack(np.meshgrid(centres, centres, indexing="ij")) - middle[:, None, None])) / 10.0
    inside = 1.0 - radius / length * k1(radius / length) * i0(np.minimum(distance, radius))
    outside = radius / length * i1(radius / length) * k0(np.maximum(distance, radius))
    expected = np.where(distance < radius, inside, outside)
    found = fields[-1].reshape(40, 40)
    np.testing.assert_allclose(found, expected, atol=0.012)
    near = distance < radius + 3.0
    np.testing.assert_allclose(found[near], expected[near], rtol=0.1)
    # the scar that it lays down is there to be seen
    assert result.trajectory.fibrosis_mean.iloc[-1] > 0.05
