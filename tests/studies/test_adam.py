"""ADaM data sets: variables, and the same figures as the tables of the trial."""

import io

import numpy as np
import pandas as pd
import pytest
from studies import trials

from mpn_abm.analysis.adam import adam, adam_files
from mpn_abm.analysis.adam_names import codes
from mpn_abm.analysis.trial import arms_of, trial_tables

NAMES = ["svr35", "spleen_ml", "overall_survival"]
KEYS = {"ADSL": ["USUBJID"], "ADTTE": ["USUBJID", "PARAMCD"], "ADEFF": ["USUBJID", "PARAMCD", "AVISITN"]}


@pytest.fixture(scope="module", params=[True, False], ids=["twins", "groups"])
def made(request):
    trajectory, summary, plan = trials.drawn(40, 0.6, 1, twins=request.param, dropout_per_day=0.001)
    plan["patient.age_years"] = 50.0 + plan["patient"] % 30
    plan["clones.mutant.vaf"] = 0.3
    arms = arms_of(trajectory, summary, plan)
    tables = trial_tables(arms, {}, NAMES, [168.0, 336.0], "control")
    return arms, tables, adam("VT01", arms, tables, {}, plan)


def test_every_data_set_has_its_variables_and_one_row_per_key(made):
    _, _, sets = made
    expected = {
        "ADSL": {"STUDYID", "USUBJID", "SUBJID", "ARM", "ARMCD", "TRT01P", "AGE", "AGEU", "DTHFL", "EOSSTT"},
        "ADTTE": {"PARAMCD", "PARAM", "AVAL", "STARTDT", "ADY", "CNSR", "EVNTDESC", "TRTP"},
        "ADEFF": {"PARAMCD", "PARAM", "AVAL", "BASE", "CHG", "PCHG", "AVISIT", "AVISITN", "ADY", "ABLFL"},
    }
    for name, keys in KEYS.items():
        assert expected[name] <= set(sets[name].columns)
        assert not sets[name].duplicated(keys).any()
        assert all(len(variable) <= 8 and variable.isupper() for variable in sets[name])
        assert sets[name]["USUBJID"].isin(sets["ADSL"]["USUBJID"]).all()
    assert len(sets["ADSL"]) == 80
    told = sets["DEFINE"].set_index(["DATASET", "VARIABLE"])["LABEL"]
    assert told["ADSL", "COV02"] == "clones.mutant.vaf"
    assert sets["ADSL"]["AGE"].tolist() == [50.0 + int(subject) % 30 for subject in sets["ADSL"]["SUBJID"]]


def test_times_are_those_of_the_trial(made):
    _, tables, sets = made
    found, told = sets["ADTTE"], tables["survival"]
    assert (found["CNSR"] == 1 - told["event"].astype(int)).all()
    assert found["AVAL"].tolist() == told["time_days"].tolist()
    assert set(found.loc[found["CNSR"] == 1, "CNSDTDSC"]) == {"DEATH", "DROPPED OUT", "END OF RUN"}
    assert (found.loc[found["CNSR"] == 0, "CNSDTDSC"] == "").all()
    assert (found["ADY"] == np.floor(found["AVAL"]) + 1).all()
    dead = sets["ADSL"].set_index("USUBJID")["DTHFL"] == "Y"
    os = found[found["PARAMCD"] == "OS"].set_index("USUBJID")["CNSR"] == 0
    assert (dead == os.reindex(dead.index)).all()
    left = sets["ADSL"]["DCSREAS"] == "WITHDRAWAL BY SUBJECT"
    assert left.sum() == sum(patients.has_left.sum() for patients in made[0].values())


def test_changes_are_from_baseline(made):
    found = made[2]["ADEFF"]
    spleen = found[found["PARAMCD"] == "SPLEENML"]
    assert (spleen["CHG"].dropna() == (spleen["AVAL"] - spleen["BASE"])[spleen["CHG"].notna()]).all()
    assert spleen["PCHG"].dropna().to_numpy() == pytest.approx(
        (100 * spleen["CHG"] / spleen["BASE"]).dropna().to_numpy()
    )
    base = spleen[spleen["ABLFL"] == "Y"]
    assert (base["AVISIT"] == "Baseline").all()
    assert (base["ADY"] == 1).all()
    assert base["AVAL"].tolist() == base["BASE"].tolist()
    assert set(spleen["AVISIT"]) == {"Baseline", "Week 24", "Week 48"}
    answers = found[found["PARAMCD"] == "SVR35"]
    assert set(answers["AVALC"]) == {"Y", "N", ""}
    assert (answers["AVALC"] == "Y").sum() == (answers["AVAL"] == 1.0).sum()


def test_files_are_read_back_as_they_were(made):
    sets = made[2]
    writers = adam_files(sets)
    assert set(writers) == {f"{name}.{kind}" for name in (*KEYS, "DEFINE") for kind in ("parquet", "csv")}
    for name, table in sets.items():
        stores = {kind: io.BytesIO() for kind in ("parquet", "csv")}
        for kind, store in stores.items():
            writers[f"{name}.{kind}"](store)
            store.seek(0)
        assert pd.read_parquet(stores["parquet"]).equals(table)
        assert pd.read_csv(stores["csv"]).columns.tolist() == table.columns.tolist()


def test_codes_are_short_and_differ():
    found = codes(["vaf_below_one_percent", "vaf_below_one_half", "overall_survival", "2nd"], 8)
    assert list(found.values()) == ["VAFBELOW", "VAFBELO2", "OS", "P2ND"]
