"""Trials that simulate more patients where those they have do not tell the power."""

import pytest
from studies.study_folders import a_trial, command, digests, marrow, written

import mpn_abm
from mpn_abm.errors import OutputExistsError, ScenarioError
from mpn_abm.studies import running

MOST = 60
POWER = {"endpoint": "moved", "at_day": 28, "sizes": [10], "repeats": 100}
ENDPOINTS = {"moved": {"column": "vaf_driver", "change": "absolute", "at_least": 0.005}}


def asking(patients=10, most=MOST, **power):
    said = POWER | power | ({} if most is None else {"most_patients": most})
    return a_trial(patients, endpoints=["moved"], at_days=[28.0], power=said) | {"endpoints": ENDPOINTS}


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grown") / "t"
    return folder, mpn_abm.trial(asking(), out=folder)


def test_a_trial_takes_in_as_many_patients_as_tell_the_power(grown, tmp_path):
    _, study = grown
    patients = len(study.tables["patients"])
    assert 10 < patients < MOST
    table = study.power
    assert table["answered"].all()
    assert (table["patients"] == patients).all()
    # what was asked of the few is not answered: else nothing would have been simulated
    few = mpn_abm.trial(asking(most=None), out=tmp_path / "few")
    assert not few.power["answered"].any()
    assert len(few.tables["patients"]) == 10


def test_all_tables_are_those_of_a_trial_that_began_so_large(grown, tmp_path):
    folder, study = grown
    mpn_abm.trial(asking(len(study.tables["patients"])), out=tmp_path / "large", jobs=2)
    assert digests(tmp_path / "large") == digests(folder)


def test_a_second_call_does_nothing_and_other_words_on_the_same_patients_go_on(grown):
    folder, study = grown
    before = digests(folder)
    again = mpn_abm.trial(asking(), out=folder)
    assert (again.facts, digests(folder)) == (study.facts, before)
    # another level, asked of the patients who are there
    other = mpn_abm.trial(asking(alpha=0.04), out=folder)
    assert len(other.tables["patients"]) == len(study.tables["patients"])
    assert digests(folder) == before
    with pytest.raises(OutputExistsError, match="holds"):
        mpn_abm.trial(asking(most=None), out=folder)


def test_where_nothing_tells_the_power_it_ends_at_the_most(tmp_path):
    """Nobody moves so far, so no number of patients would do."""
    asked = asking(most=20) | {"endpoints": {"moved": ENDPOINTS["moved"] | {"at_least": 0.9}}}
    study = mpn_abm.trial(asked, out=tmp_path / "t")
    assert len(study.tables["patients"]) == 20
    assert study.power["power"].isna().all()


@pytest.mark.parametrize("round_two", ["not begun", "opened"])
def test_a_trial_that_is_stopped_between_two_rounds_is_gone_on_with(grown, tmp_path, monkeypatch, round_two):
    folder, _ = grown
    name = {"not begun": "enlarged", "opened": "opened"}[round_two]
    true = getattr(running, name)

    def stops(*words):
        done = true(*words)
        if round_two == "not begun" or len(done) > 2 * 10:
            raise KeyboardInterrupt
        return done

    with monkeypatch.context() as patched:
        patched.setattr(running, name, stops)
        with pytest.raises(KeyboardInterrupt):
            mpn_abm.trial(asking(), out=tmp_path / "t")
    mpn_abm.trial(asking(), out=tmp_path / "t")
    assert digests(tmp_path / "t") == digests(folder)


def test_groups_of_unequal_parts_grow_together(tmp_path):
    """One in four is a control: those count as less than half of the others."""
    asked = asking(24, 400, sizes=[8])
    asked["trial"] |= {"allocation": {"control": 1, "fast": 3}}
    study = mpn_abm.trial(asked, out=tmp_path / "t")
    table = study.power
    assert len(study.tables["patients"]) > 24
    assert table["answered"].all() or len(study.tables["patients"]) == 400
    assert table["patients_versus"].iloc[0] < table["patients"].iloc[0] / 2
    again = mpn_abm.trial(asked, out=tmp_path / "t", overwrite=True)
    assert again.facts["trajectory_sha256"] == study.facts["trajectory_sha256"]


def test_where_runs_fail_no_more_are_added_and_what_failed_is_tried_once(tmp_path, monkeypatch):
    asked = asking()
    asked["trial"] |= {"arms": {"control": {}, "fast": {"hematopoiesis.division_rate_per_year": 4.0}}}
    tried = []
    true = running.import_module("mpn_abm.studies.executors.local").work

    def counting(folder, shards, options, told):
        tried.append(options.retry_failed)
        return true(folder, shards, options, told)

    monkeypatch.setattr("mpn_abm.studies.executors.local.work", counting)
    study = mpn_abm.trial(asked, out=tmp_path / "t", retry_failed=True)
    assert len(study.tables["patients"]) > 10
    assert tried == [True] + [False] * (len(tried) - 1)
    # some have more mutant cells than a marrow has room for
    share = {"distribution": "uniform", "low": 0.1, "high": 0.7}
    clones = {name: {"genotype": "JAK2_V617F", "fraction": 0.1} for name in ("a", "b")}
    broken = asking() | {"scenario": marrow(clones={"healthy": {"genotype": "wild_type"}} | clones)}
    broken["trial"] |= {"cohort": {"clones.a.fraction": share, "clones.b.fraction": share}}
    failed = mpn_abm.trial(broken, out=tmp_path / "broken")
    assert failed.facts["failed"] > 0
    assert len(failed.tables["patients"]) == 10


def test_an_earlier_number_holds_where_the_file_asks_for_less(grown):
    folder, study = grown
    with pytest.raises(OutputExistsError, match="asks for 20 of them"):
        mpn_abm.trial(asking(most=len(study.tables["patients"]) - 1), out=folder)


def test_the_terminal_says_how_many_patients_there_are(tmp_path):
    file = written(tmp_path / "asking.yaml", asking())
    told, error = command("trial", file, "--out", tmp_path / "t", "--quiet").communicate()
    assert error == ""
    assert "40 patients, more than the 10 of the file, for the power that is asked" in told
    assert "to be surer" not in told
    assert "more than 10 are run where these do not tell the power" in command("validate", file).communicate()[1]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"most": 5}, "trial.power.most_patients: 5: expected 10 or more, which the trial has in any case"),
        ({"most": "many"}, "trial.power.most_patients: many: expected a whole number"),
    ],
)
def test_a_most_that_makes_no_sense_is_told(said, told):
    with pytest.raises(ScenarioError, match=r"trial\.power\.most_patients") as caught:
        mpn_abm.trial(asking(**said), out="unused")
    assert told in str(caught.value)


def test_patients_of_a_file_cannot_become_more(tmp_path):
    (tmp_path / "patients.csv").write_text("clones.mutant.vaf\n0.2\n0.3\n")
    asked = asking(None)
    block = {key: value for key, value in asked["trial"].items() if key not in ("patients", "cohort", "correlations")}
    asked = asked | {"trial": block | {"patients_file": str(tmp_path / "patients.csv")}}
    with pytest.raises(ScenarioError, match="no more patients than those of the file"):
        mpn_abm.trial(asked, out=tmp_path / "t")
