"""Comparing runs that are there: the same figures as when the arms run together, pairs by seed, what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from unit.small import bare, niche

import mpn_abm
from mpn_abm.cli.main import main
from mpn_abm.files import locked
from mpn_abm.studies.run_folders import labels_of
from mpn_abm.studies.side_by_side import side_by_side

ARMS = {"none": {"treatments": {"car_t": None}}, "full": {}, "late": {"treatments.car_t.day": 21}}
CLAIMS = {"alone": {"endpoint": "vaf_calr", "at_day": 40, "high": 1.0}}
SPREAD = {"distribution": "uniform", "low": 0.2}
KEYS = ["endpoint", "day", "arm", "versus", "statistic", "contrast"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The arms run together, each of them alone, the file itself, and one with another seed and fewer runs."""
    place = tmp_path_factory.mktemp("runs")
    content = niche(arms=ARMS, replicates=3)
    mpn_abm.compare(content).write(place / "together")
    for arm in ARMS:
        mpn_abm.run(mpn_abm.load(content, arm=arm)).write(place / arm)
    mpn_abm.run(mpn_abm.load(niche(replicates=3, expect=CLAIMS))).write(place / "claiming")
    mpn_abm.run(mpn_abm.load({**niche(replicates=2), "seed": 77})).write(place / "other_seed")
    return place


def differences(study):
    rows = study.comparison.astype({"n": "int64"})
    return rows.sort_values(KEYS, ignore_index=True).drop(columns="p_value")


def difference(study, arm, name="vaf_driver"):
    rows = study.comparison
    found = rows[(rows["arm"] == arm) & (rows["endpoint"] == name) & (rows["contrast"] == "difference")]
    return found[found["day"].isna()].iloc[0]


# ---- the same figures


def test_arms_that_ran_alone_differ_as_those_that_ran_together(place):
    together = mpn_abm.read(place / "together")
    alone = side_by_side([place / arm for arm in ARMS])
    pd.testing.assert_frame_equal(differences(alone), differences(together), check_exact=True)
    assert set(alone.comparison["design"]) == {"paired"}
    assert alone.facts["twins"] == {arm: {"design": "paired", "pairs": 3} for arm in ("full", "late")}


def test_the_folder_of_a_comparison_is_its_arms(place):
    together = mpn_abm.read(place / "together")
    again = side_by_side([place / "together"])
    pd.testing.assert_frame_equal(differences(again), differences(together), check_exact=True)


def test_swapped_folders_change_the_sign(place):
    one = difference(side_by_side([place / "none", place / "full"]), "full")
    other = difference(side_by_side([place / "full", place / "none"]), "none")
    assert one["estimate"] < 0.0
    assert (other["estimate"], other["low"], other["high"]) == (-one["estimate"], -one["high"], -one["low"])


# ---- pairs


def test_runs_of_other_seeds_are_independent(place, capsys):
    study = side_by_side([place / "none", place / "full", place / "other_seed"])
    assert difference(study, "full")["design"] == "paired"
    found = difference(study, "other_seed")
    assert found["design"] == "independent"
    ends = study.endpoints[(study.endpoints["endpoint"] == "vaf_driver") & (study.endpoints["day"] == 42.0)]
    means = ends.groupby("arm")["value"].mean()
    assert found["estimate"] == pytest.approx(means["other_seed"] - means["none"])
    assert len(set(study.plan["patient"])) == 5
    assert main(["compare", *(str(place / name) for name in ("none", "other_seed"))]) == 0
    assert "other_seed and none: independent, as no two of their runs share seed and patient" in capsys.readouterr().out


def test_twins_are_paired_by_seed_and_not_by_number(place, tmp_path):
    """The replicate of number 2 run alone is its number 0."""
    seed = int(mpn_abm.read(place / "together").plan["seed"].iloc[2])
    mpn_abm.run(mpn_abm.load({**niche(), "seed": seed})).write(tmp_path / "third")
    study = side_by_side([place / "none", tmp_path / "third"])
    assert study.facts["twins"] == {"third": {"design": "paired", "pairs": 1}}
    ends = study.endpoints[(study.endpoints["endpoint"] == "vaf_driver") & (study.endpoints["day"] == 42.0)]
    value = ends.set_index(["arm", "patient"])["value"]
    assert difference(study, "third")["estimate"] == pytest.approx(value["third", 2] - value["none", 2])


def test_patients_of_two_trials_are_twins_only_if_they_are_alike(tmp_path):
    """Replicate numbers and seeds are the same in both; what was drawn of the patients is not."""
    folders = []
    for high in (0.4, 0.5):
        study = {
            "schema": "mpn-abm/1",
            "scenario": bare(),
            "trial": {"patients": 3, "seed": 1, "cohort": {"clones.mutant.fraction": {**SPREAD, "high": high}}},
        }
        folders.append(tmp_path / f"trial_{high}")
        mpn_abm.trial(study, out=folders[-1])
    assert side_by_side(folders).facts["twins"]["trial_0.5"]["design"] == "independent"


# ---- what differs otherwise


def test_what_is_printed_names_columns_that_one_lacks_and_days_of_the_end(place, tmp_path, capsys):
    mpn_abm.run(mpn_abm.load({**niche(), "time": {"duration_days": 28}})).write(tmp_path / "short")
    assert main(["compare", str(place / "none"), str(tmp_path / "short")]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[0] == "none and short: 3 runs of none, 1 run of short"
    assert "not in none: car_t_searching, car_t_engaged, car_t_exhausted, car_t_memory and " in out
    assert "the end: day 42 in none, day 28 in short" in out
    assert "none (reference)" in out
    assert "VAF of the driver" in out


def test_claims_that_name_no_arm_are_told_of_their_folder(place, capsys):
    paths = [str(place / name) for name in ("none", "claiming")]
    assert main(["compare", *paths, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    manifest = json.loads((place / "claiming" / "manifest.json").read_text())
    assert [(claim["arm"], claim["claim"]) for claim in said["claims"]] == [("claiming", "alone")]
    assert said["claims"][0]["value"] == manifest["claims"][0]["value"]
    assert "out" not in said
    assert main(["compare", *paths]) == 0
    assert "held     alone: mean vaf_calr on day 40 in claiming is " in capsys.readouterr().out


def test_tables_are_written_where_that_is_asked(place, tmp_path):
    paths = [str(place / name) for name in ("none", "full")]
    assert main(["compare", *paths, "--out", str(tmp_path / "out"), "--json"]) == 0
    stored = mpn_abm.read(tmp_path / "out")
    assert stored.facts["folders"] == dict(zip(("none", "full"), paths, strict=True))
    assert stored.plan["run_id"].tolist() == [f"{arm}-{k:05d}" for arm in ("none", "full") for k in range(3)]
    pd.testing.assert_frame_equal(differences(stored), differences(side_by_side([place / "none", place / "full"])))
    assert set(pd.read_parquet(tmp_path / "out" / "trajectory")["arm"]) == {"none", "full"}
    assert main(["compare", *paths, "--out", str(tmp_path / "out")]) == 6


def test_folders_of_one_name_are_told_apart():
    paths = [Path("/runs/a/out"), Path("/runs/b/out"), Path("/runs/other")]
    assert labels_of(paths) == ["a/out", "b/out", "runs/other"]


# ---- what is refused


def refused(capsys, *words):
    assert main(["compare", *map(str, words)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err


def test_what_cannot_be_compared_is_refused_in_a_line(place, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    none = place / "none"
    assert f"{tmp_path / 'empty'}: expected the folder of a run or a study" in refused(capsys, none, tmp_path / "empty")
    assert "no such file or folder" in refused(capsys, none, tmp_path / "nowhere")
    assert "one arm, expected further folders" in refused(capsys, none)
    assert "expected once, it is given twice" in refused(capsys, none, none)
    file = tmp_path / "scenario.yaml"
    file.write_text(json.dumps(niche(arms=ARMS)))
    assert f"{file}: expected a folder beside others" in refused(capsys, none, file)
    assert f"{file}: expected a folder beside others" in refused(capsys, file, file)
    assert "expected with a scenario" in refused(capsys, none, place / "full", "--seed", "3")
    assert "--out DIR: expected a folder for the tables" in refused(capsys, file)


def test_runs_that_are_not_finished_or_kept_too_little_are_refused(place, tmp_path, capsys):
    (tmp_path / "busy").mkdir()
    with locked(tmp_path / "busy" / ".running"):
        assert "not finished: a run is writing to it" in refused(capsys, place / "none", tmp_path / "busy")
    mpn_abm.run(mpn_abm.load({**bare(), "output": {"summary": False}})).write(tmp_path / "bare")
    assert "no summary of this run was written" in refused(capsys, place / "none", tmp_path / "bare")
    study = {"schema": "mpn-abm/1", "scenario": bare(), "sweep": {"replicates": 2}}
    study["sweep"]["parameters"] = {"clones.mutant.fraction": [0.2, 0.3]}
    mpn_abm.sweep(study, out=tmp_path / "sweep")
    assert main(["compare", str(place / "none"), str(tmp_path / "sweep")]) == 0
    capsys.readouterr()
    next((tmp_path / "sweep" / "summary").glob("part-*.parquet")).unlink()
    assert "sweep: not finished; `mpn-abm sweep status" in refused(capsys, place / "none", tmp_path / "sweep")


def test_reading_folders_loads_no_simulator(place):
    words = ["compare", str(place / "none"), str(place / "full")]
    code = (
        f"import sys; from mpn_abm.cli.main import main; code = main({words!r}); "
        "print('loaded:', *(m for m in ('numba', 'mesa', 'mpn_abm.simulate') if m in sys.modules)); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "loaded:"), done.stderr
