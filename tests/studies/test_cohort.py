"""The patients of a trial: their distributions and correlations, and that none depends on how many there are.

Seeds are fixed; a test of a distribution fails for a right program with a chance of 1e-4.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from studies.small_studies import VAF, load, trial

from mpn_abm.studies.cohort import patients_of

FITNESS, ANTIGEN, LOGODDS, MANY = "patient.fitness", "patient.antigen", "patient.occupancy_logodds", 4000
RARE = 1e-4
COHORT = {
    VAF: {"distribution": "beta", "a": 4, "b": 6, "high": 0.45},
    FITNESS: {"distribution": "lognormal", "median": 1, "log_sd": 0.6},
    ANTIGEN: {"distribution": "lognormal", "median": 1, "log_sd": 0.6, "low": 0.8, "high": 3},
    LOGODDS: {"distribution": "normal", "mean": 0, "sd": 0.9},
}


def patients(number=MANY, cohort=COHORT, **block):
    study = load(trial(cohort=cohort, patients=number, **block))
    return patients_of(study.spec, study.folder, study.scenario)


def test_patients_have_the_distributions_of_the_file_cut_off_where_it_says():
    found = patients()
    cut = stats.beta(4, 6).cdf(0.45)
    assert stats.kstest(stats.beta(4, 6).cdf(found[VAF]) / cut, "uniform").pvalue > RARE
    assert stats.kstest(found[FITNESS], stats.lognorm(0.6).cdf).pvalue > RARE
    ends = np.log([0.8, 3]) / 0.6
    assert stats.kstest(np.log(found[ANTIGEN]), stats.truncnorm(*ends, 0, 0.6).cdf).pvalue > RARE
    assert found[ANTIGEN].between(0.8, 3).all()


def test_patients_are_independent_unless_said():
    table = patients()[list(COHORT)]
    ranks = table.rank().corr().to_numpy()[np.triu_indices(len(COHORT), 1)]
    assert np.abs(ranks).max() < stats.norm.isf(RARE / 12) / np.sqrt(MANY)


@pytest.mark.parametrize("rank", [0.3, -0.8, 0.95])
def test_ranks_are_correlated_as_the_file_says(rank):
    found = patients(correlations=[[VAF, ANTIGEN, rank]])
    error = (
        stats.norm.isf(RARE / 2) * 1.1 / np.sqrt(MANY)
    )  # a rank correlation varies by at most a little over 1/sqrt(n)
    assert stats.spearmanr(found[VAF], found[ANTIGEN]).statistic == pytest.approx(rank, abs=error)
    assert abs(stats.spearmanr(found[VAF], found[FITNESS]).statistic) < error
    # a correlation moves the second of the two and leaves its distribution
    ends = np.log([0.8, 3]) / 0.6
    assert stats.kstest(np.log(found[ANTIGEN]), stats.truncnorm(*ends, 0, 0.6).cdf).pvalue > RARE
    pd.testing.assert_series_equal(found[VAF], patients()[VAF])


def test_a_patient_is_the_same_however_many_there_are():
    block = {"correlations": [[VAF, ANTIGEN, 0.5], [VAF, LOGODDS, -0.3]], "dropout_per_year": 0.3}
    block["allocation"] = {"control": 1, "treated": 2}
    few, many = patients(7, **block), patients(1000, **block)
    pd.testing.assert_frame_equal(many.head(7), few, check_exact=True)


def test_a_further_variable_and_another_order_change_none_of_the_others():
    alone = patients(20, {FITNESS: COHORT[FITNESS]})
    pd.testing.assert_series_equal(alone[FITNESS], patients(20)[FITNESS])
    turned = patients(20, dict(reversed(COHORT.items())))
    pd.testing.assert_frame_equal(turned[list(COHORT)], patients(20)[list(COHORT)])


def test_another_seed_is_another_cohort():
    assert not (patients(20)[list(COHORT)] == patients(20, seed=6)[list(COHORT)]).any(axis=None)


def test_choices_and_whole_numbers():
    cohort = {
        "clones.mutant.genotype": {"distribution": "choice", "values": ["JAK2_V617F", "CALR_TYPE1"], "weights": [3, 1]},
        "marrow.hsc_pool_cells": {"distribution": "normal", "mean": 1000, "sd": 100, "low": 1},
    }
    found = patients(cohort=cohort)
    share = (found["clones.mutant.genotype"] == "CALR_TYPE1").sum()
    assert stats.binomtest(int(share), MANY, 0.25).pvalue > RARE
    assert found["marrow.hsc_pool_cells"].dtype == np.int64


def test_randomisation_is_in_permuted_blocks():
    found = patients(600, allocation={"control": 1, "treated": 2})
    treated = (found["arm"] == "treated").to_numpy()
    assert (treated.reshape(-1, 6).sum(axis=1) == 4).all()
    orders = {tuple(block) for block in treated.reshape(-1, 6)}
    assert len(orders) > 10  # of 15; a fixed order has one
    # which arm says nothing of the patient
    assert stats.ks_2samp(found[FITNESS][treated], found[FITNESS][~treated]).pvalue > RARE
    assert "arm" not in patients(4)


def test_patients_drop_out_at_their_rate():
    days = patients(dropout_per_year=0.5)["dropout_day"]
    assert stats.kstest(days / 365.25, stats.expon(scale=2).cdf).pvalue > RARE
    assert "dropout_day" not in patients(4)


def test_a_cohort_that_is_written_can_be_given_back(tmp_path):
    drawn = patients(6, allocation={"control": 1, "treated": 1}, dropout_per_year=1.0)
    for file in ("patients.parquet", "patients.csv"):
        getattr(drawn, "to_" + file.rpartition(".")[2])(tmp_path / file, index=False)
        study = load(trial(patients=None, patients_file=str(tmp_path / file)))
        pd.testing.assert_frame_equal(patients_of(study.spec, study.folder, study.scenario), drawn)
    (tmp_path / "own.csv").write_text(f"{VAF},weight\n0.1,2\n0.2,0.5\n0.3,1\n")
    study = load(trial(patients=2, patients_file=str(tmp_path / "own.csv")))
    found = patients_of(study.spec, study.folder)
    assert found["weight"].tolist() == [2.0, 0.5]
    assert found["patient"].tolist() == [0, 1]
