"""Trials that simulate more patients where those they have do not tell the power."""

import pytest
from studies.study_folders import a_trial, command, digests, written

import mpn_abm
from mpn_abm.errors import OutputExistsError, ScenarioError

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


def test_the_terminal_says_how_many_patients_there_are(tmp_path):
    file = written(tmp_path / "asking.yaml", asking())
    told, error = command("trial", file, "--out", tmp_path / "t", "--quiet").communicate()
    assert error == ""
    assert "40 patients, as 10 did not tell the power that is asked" in told
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
