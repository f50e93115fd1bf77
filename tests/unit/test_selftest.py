"""`selftest`: that it tests what it says, that a wrong program fails it, and what it prints."""

import json

import pytest

from mpn_abm import selftest
from mpn_abm.batch import Batch
from mpn_abm.cli.main import main
from mpn_abm.kernels.compiler import threads_available
from mpn_abm.scenario.examples import file_of
from mpn_abm.scenario.scenario import load
from mpn_abm.selftest import MAIN_JOB, SHORTER, Verdict
from mpn_abm.simulate import prepared, run

RIGHT = Verdict("a", "1", "1", True, 0.1)
WRONG_CLAIM = Verdict("b", "1", "2", False, 0.1)
WRONG_BITS = Verdict("c", "1", "2", False, 0.1, is_claim=False)


@pytest.fixture
def ready(monkeypatch):
    """No kernels of the whole self-test: the checks that are asked for compile what they need."""
    monkeypatch.setattr(selftest, "compile_first", lambda: 0.0)


def checked(monkeypatch, *verdicts):
    monkeypatch.setattr(selftest, "checks", lambda: iter(verdicts))


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [([RIGHT], 0), ([RIGHT, WRONG_BITS], 1), ([WRONG_CLAIM, RIGHT], 7), ([WRONG_BITS, WRONG_CLAIM], 7)],
)
@pytest.mark.parametrize("words", [["selftest"], ["selftest", "--json"]], ids=" ".join)
def test_the_exit_code_tells_a_claim_from_a_bug(verdicts, code, words, ready, monkeypatch, capsys):
    checked(monkeypatch, *verdicts)
    assert main(words) == code
    out, err = capsys.readouterr()
    failed = [verdict.check for verdict in verdicts if not verdict.held]
    assert (f"not held: {', '.join(failed)}\n" in err) is bool(failed)
    if "--json" in words:
        said = json.loads(out)
        assert (said["held"], said["of"]) == (sum(verdict.held for verdict in verdicts), len(verdicts))
        assert [check["held"] for check in said["checks"]] == [verdict.held for verdict in verdicts]
    else:
        assert f"{sum(verdict.held for verdict in verdicts)} of {len(verdicts)} checks held" in out


def test_pools_taken_over_as_moran_says_and_no_otherwise(ready, monkeypatch):
    """Catches a band that holds whatever is simulated: with fitness 0.2 beside a formula for 0.1 it must not."""
    monkeypatch.setattr(selftest, "MORAN_RUNS", 4000)
    assert selftest._moran("verification/moran_well_mixed").held

    def fitter(scenario, **options):
        return run(load(file_of("verification/moran_well_mixed"), {**selftest.WITHOUT_CLAIMS, **wrong}), **options)

    wrong = {"genotypes.mutant.fitness_per_year": 0.2}
    monkeypatch.setattr(selftest, "run", fitter)
    assert not selftest._moran("verification/moran_well_mixed").held


def test_a_walk_that_turns_more_often_is_found(monkeypatch):
    assert selftest._walk().held

    def turning(scenario, **options):
        changed = load(scenario.to_yaml(), {"car_t.persistence_minutes": 5})
        return run(changed, **options)

    monkeypatch.setattr(selftest, "run", turning)
    assert not selftest._walk().held


def test_a_table_that_came_back_otherwise_is_found(monkeypatch):
    small = run({"time": {"duration_days": 9}, "marrow": {"shape": [4, 4]}, "clones": {"a": {"genotype": "wild_type"}}})
    assert selftest._same("table", small, selftest._read_back, 1).held
    monkeypatch.setattr(selftest.pq, "read_table", lambda file: small.tables["trajectory"].slice(1))
    assert not selftest._same("table", small, selftest._read_back, 1).held


@pytest.mark.skipif(threads_available() < 2, reason="one thread")
def test_the_marrow_whose_bits_are_compared_is_cut_into_stripes_and_has_t_cells_that_kill():
    """Or the comparison of threads would be one of a thing with itself."""
    scenario = load(file_of(MAIN_JOB), SHORTER)
    assert "run_days_striped" in Batch.kernels_of(prepared(scenario, 1), 1, 2)
    assert "run_days_striped" not in Batch.kernels_of(prepared(scenario, 1), 1, 1)
    assert run(scenario, threads=2).trajectory["kills"].max() > 1000


def test_claims_of_the_library_are_told_with_value_and_band():
    (peak, later) = selftest._claims("verification/single_dose_pk")
    assert (peak.check, peak.expected, peak.held) == ("single_dose_pk: peak", "613 to 615.5", True)
    assert later.held
    assert 48 < float(later.found) < 49
