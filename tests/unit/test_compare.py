"""Comparing arms: the same bits until a difference acts, the tables of a study, what is printed, the exit codes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from unit.small import bare, niche

import mpn_abm
from mpn_abm.analysis.answer import answer
from mpn_abm.analysis.headlines import patients_of
from mpn_abm.cli.main import main
from mpn_abm.columns import STUDY_TABLES
from mpn_abm.errors import OutputExistsError, ScenarioError, SimulationError, UsageError
from mpn_abm.files import digest_of
from mpn_abm.scenario.studies.study_file import load_study
from mpn_abm.scenario.studies.writing import as_trial
from mpn_abm.studies import arms_run
from mpn_abm.studies.failures import failures_table
from mpn_abm.studies.study import WHOLE, Study
from mpn_abm.studies.union import of_one_schema

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
ARMS = {"none": {"treatments": {"car_t": None}}, "full": {}, "late": {"treatments.car_t.day": 21}}
CLAIMS = {
    "less": {"arm": "full", "versus": "none", "endpoint": "vaf_calr", "at_day": 40, "high": 0.0, "source": "ELN"},
    "alone": {"endpoint": "vaf_calr", "at_day": 40, "high": 1.0},
}


def compared(**blocks):
    return niche(arms=ARMS, expect=CLAIMS, replicates=3, **blocks)


@pytest.fixture(scope="module")
def study():
    return mpn_abm.compare(compared())


def rows_of(study, arm, until=np.inf):
    """The trajectory of an arm, without what names it."""
    rows = study.trajectory[(study.trajectory["arm"] == arm) & (study.trajectory["day"] <= until)]
    return rows.drop(columns=["run_id", "arm"]).reset_index(drop=True)


# ---- the same bits


def test_arms_have_the_same_bits_until_they_differ_and_other_bits_after(study):
    """Infusions on day 7 and on day 21: the row of day 7 is the last that both share."""
    assert rows_of(study, "full", 7.0).equals(rows_of(study, "late", 7.0))
    assert not rows_of(study, "full", 14.0).equals(rows_of(study, "late", 14.0))


def test_an_arm_without_a_drug_shares_the_days_before_it(study):
    there = [name for name in study.trajectory if not name.startswith(("car_t", "kills", "healthy_killed", "crs"))]
    none, full = (
        rows_of(study, arm, 7.0)[[n for n in there if n not in ("run_id", "arm")]] for arm in ("none", "full")
    )
    assert none.equals(full)


def test_an_arm_without_a_difference_has_the_bits_of_the_file(study):
    content = compared()
    alone = mpn_abm.run(mpn_abm.load(content))
    mine = study.parts["trajectory"][1].drop_columns(["arm", "patient"])
    assert digest_of(mine.select(alone.tables["trajectory"].column_names)) == alone.facts["trajectory_sha256"]
    twins = mpn_abm.compare({**content, "arms": {"one": {}, "two": {}}, "expect": {}})
    assert rows_of(twins, "one").equals(rows_of(twins, "two"))
    differences = twins.comparison[twins.comparison["contrast"] == "difference"].dropna(subset="estimate")
    assert len(differences) > 0
    assert (differences["estimate"] == 0.0).all()


def test_a_replicate_has_one_seed_in_all_arms(study):
    seeds = study.plan.pivot(index="patient", columns="arm", values="seed")
    assert (seeds.nunique(axis=1) == 1).all()
    assert seeds["full"].nunique() == 3


# ---- over processes


def test_processes_make_the_same_tables(study):
    """And the order of runs, which come back in shards, and what the manifest says, the digest of rows included."""
    told = []
    over = mpn_abm.compare(compared(), jobs=2, progress=told.append)
    for name, parts in study.parts.items():
        for one, other in zip(parts, over.parts[name], strict=True):
            assert other.equals(one)
            assert other.schema.equals(one.schema, check_metadata=True)
    for name, table in study.tables.items():
        assert over.tables[name].equals(table), name
    spent = ("compile_seconds", "stepping_seconds", "wall_seconds", "peak_memory_mb")
    one, other = ({name: said for name, said in of.facts.items() if name not in spent} for of in (study, over))
    assert other == one
    assert over.provenance == study.provenance
    assert over.facts["stepping_seconds"] > 0.0
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert told == sorted(told)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_comparison_has_a_summary_also_where_a_run_of_the_file_has_none(jobs):
    study = mpn_abm.compare({**bare(arms={"a": {}, "b": {}}), "output": {"summary": False}}, jobs=jobs)
    assert study.summary["arm"].tolist() == ["a", "b"]


def test_what_the_arms_took_is_what_their_runs_took(study):
    alone = [mpn_abm.run(mpn_abm.load(compared(), arm=arm)).facts for arm in ARMS]
    for name in ("site_steps", "candidates", "events"):
        assert study.facts[name] == sum(facts[name] for facts in alone), name


def test_the_arms_of_the_library_are_the_same_as_patients():
    """Through the file that a worker reads. Catches presets, deleted things and days that are lost on the way."""
    files = [file for file in SCENARIOS.rglob("*.yaml") if not file.is_relative_to(SCENARIOS / "studies")]
    scenarios = [scenario for scenario in map(mpn_abm.load, files) if scenario.arms]
    assert len(scenarios) >= 18
    for scenario in scenarios:
        written = load_study(as_trial(scenario, 2), trusted=True).to_yaml()
        arms = load_study(written, trusted=True).scenario.arms
        assert {name: arm.sha256 for name, arm in arms.items()} == {n: arm.sha256 for n, arm in scenario.arms.items()}


def test_a_run_that_fails_in_a_process_is_told(monkeypatch):
    plan = mpn_abm.compare(bare(arms={"a": {}, "b": {}}, replicates=2)).plan
    failures = failures_table("x", plan, [(3, ValueError("no number"))])
    monkeypatch.setattr(arms_run, "read", lambda _: Study({"failures": [failures]}, {"plan": pa.table({})}))
    monkeypatch.setattr(arms_run, "work", lambda *_: [])
    with pytest.raises(SimulationError, match=r"^b-00001: no number \(1 of 4 runs failed\)$"):
        mpn_abm.compare(bare(arms={"a": {}, "b": {}}, replicates=2), jobs=2)


def test_threads_and_jobs_exclude_each_other_and_a_changed_scenario_is_refused():
    with pytest.raises(UsageError, match="threads: 2: expected 1 with several jobs"):
        mpn_abm.compare(compared(), threads=2, jobs=2)
    with pytest.raises(UsageError, match="jobs: 0: expected a whole number from 1"):
        mpn_abm.compare(compared(), jobs=0)
    scenario = mpn_abm.load(bare(arms={"a": {}, "b": {}}))
    spec = scenario.spec.model_copy(update={"question": "Another?"})
    arms = {**scenario.arms, "b": replace(scenario.arms["b"], spec=spec)}
    with pytest.raises(UsageError, match="jobs: expected a scenario as it was loaded, and its arm b has other values"):
        mpn_abm.compare(replace(scenario, arms=arms), jobs=2)


# ---- tables


def test_columns_are_those_of_all_arms_and_null_where_an_arm_has_none(study):
    none = study.trajectory[study.trajectory["arm"] == "none"]
    assert none["car_t_total"].isna().all()
    assert study.trajectory.loc[study.trajectory["arm"] == "full", "car_t_total"].notna().all()
    assert len({table.schema for table in study.parts["trajectory"]}) == 1


def test_a_union_keeps_the_order_of_columns():
    one, other = pa.table({"a": [1], "c": [2]}), pa.table({"a": [1], "b": [5], "c": [2], "d": [3]})
    assert [table.column_names for table in of_one_schema([one, other])] == [["a", "b", "c", "d"]] * 2


def test_the_day_of_a_claim_has_a_row_and_its_value_is_that_of_the_row(study):
    rows = study.trajectory[study.trajectory["day"] == 40.0]
    by_arm = rows.pivot(index="patient", columns="arm", values="vaf_calr")
    claim = study.claims.set_index("claim").loc["less"]
    assert claim["value"] == pytest.approx((by_arm["full"] - by_arm["none"]).mean())
    assert claim["value_low"] < claim["value"] < claim["value_high"]
    assert claim["held"] == (claim["value"] <= 0.0)


def test_a_claim_that_names_no_arm_is_on_the_arm_that_is_the_file(study):
    rows = study.trajectory[(study.trajectory["day"] == 40.0) & (study.trajectory["arm"] == "full")]
    assert study.claims.set_index("claim").loc["alone", "value"] == pytest.approx(rows["vaf_calr"].mean())


def test_a_claim_on_the_file_itself_is_left_out_where_no_arm_is_the_file():
    arms = {"none": {"treatments": {"car_t": None}}, "late": {"treatments.car_t.day": 21}}
    study = mpn_abm.compare(niche(arms=arms, expect={"alone": CLAIMS["alone"]}))
    assert study.claims.empty
    assert study.facts["claims_left_out"] == ["alone"]


def test_endpoints_and_comparison_agree_with_the_trajectory(study):
    end = study.endpoints[(study.endpoints["endpoint"] == "vaf_driver") & (study.endpoints["day"] == 42.0)]
    assert len(end) == 9
    assert end["change"].to_numpy() == pytest.approx((end["value"] - end["base"]).to_numpy())
    rows = study.comparison[(study.comparison["endpoint"] == "vaf_driver") & study.comparison["day"].isna()]
    value = rows[(rows["arm"] == "late") & rows["contrast"].isna()].iloc[0]
    assert value["estimate"] == pytest.approx(end.loc[end["arm"] == "late", "value"].mean())
    assert value["n"] == 3


def test_a_study_leaves_its_files_with_their_columns(tmp_path, study):
    manifest = study.write(tmp_path / "out")
    for name in WHOLE:
        columns = STUDY_TABLES[name]
        table = pq.read_table(tmp_path / "out" / f"{name}.parquet")
        assert table.column_names == [column.name for column in columns]
        assert b"mpn_abm" in table.schema.metadata
    rows = pd.read_parquet(tmp_path / "out" / "trajectory")
    assert len(rows) == len(study.trajectory)
    assert len(list((tmp_path / "out" / "summary").glob("part-*.parquet"))) == 3
    assert manifest["claims"][0]["claim"] == "less"
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["reference"] == "none"
    with pytest.raises(OutputExistsError):
        study.write(tmp_path / "out")


def test_parts_of_an_earlier_study_make_way(tmp_path, study):
    study.write(tmp_path / "out")
    two = mpn_abm.compare(bare(arms={"a": {}, "b": {}}))
    two.write(tmp_path / "out", overwrite=True)
    assert set(pd.read_parquet(tmp_path / "out" / "trajectory")["arm"]) == {"a", "b"}


def test_fewer_than_two_arms_are_nothing_to_compare():
    for arms in ({}, {"alone": {}}):
        with pytest.raises(ScenarioError, match="arms: expected two or more, by name"):
            mpn_abm.compare(bare(arms=arms))


def test_a_claim_on_a_column_that_a_run_has_not_is_refused_before_the_run():
    with pytest.raises(UsageError, match=r"expect.x: there is no column spleen_ml: it belongs to a mechanism that is"):
        mpn_abm.run(mpn_abm.load(bare(expect={"x": {"endpoint": "svr35", "at_day": 7, "low": 0.5}})))


def test_both_arms_of_a_contrast_need_its_column_to_compare_and_neither_to_run_alone():
    content = niche(arms=ARMS, expect={"x": {"arm": "full", "versus": "none", "endpoint": "kills", "low": 1}})
    with pytest.raises(UsageError, match=r"expect.x: there is no column kills.* in the arm none"):
        mpn_abm.compare(content)
    assert mpn_abm.run(mpn_abm.load(content, arm="none")).claims.empty


def test_the_reference_can_be_chosen():
    study = mpn_abm.compare(bare(arms={"a": {}, "b": {}}, reference="b"))
    contrasts = study.comparison.dropna(subset="contrast")
    assert set(contrasts["versus"]) == {"b"}
    assert set(contrasts["arm"]) == {"a"}


# ---- the answer


def test_the_answer_says_what_is_not_clear_and_what_one_run_cannot_say(study):
    assert study.answer.count("none 0.") == 1
    assert study.answer.endswith("3 runs of each arm.")
    none = pd.DataFrame({"held": pd.Series(dtype=bool), "claim": []})
    rows = pd.DataFrame(
        {
            "endpoint": "vaf_driver", "day": np.nan, "arm": ["a", "b", "b"], "statistic": "mean",
            "contrast": [None, None, "difference"], "estimate": [0.2, 0.1, -0.1], "low": [0, 0, -0.3],
            "high": [1, 1, 0.1], "versus": [None, None, "a"],
        }
    )  # fmt: skip
    assert "b 0.1 (no clear difference: -0.3 to +0.1)" in answer("Q?", none, rows, "a", 4)
    assert answer("Q?", none, rows, "a", 1).endswith("one run of each arm, which says nothing about chance.")
    two = pd.DataFrame({"claim": ["x", "y"], "held": [True, False]})
    assert answer("Q?", two, rows, "a", 4).startswith(
        "Q? 1 of 2 claims held, not y; VAF of the driver at the end: a 0.2"
    )
    # what claims of a trial ask of the end: one arm, a contrast alone, a hazard
    for part in (rows[:1], rows[1:2], rows[2:], rows[2:].assign(contrast="hazard_ratio")):
        assert answer("Q?", none, part, "a", 4) == ""
        assert answer("Q?", two, part, "a", 4) == "Q? 1 of 2 claims held, not y."


# ---- the command line


def written(folder, **blocks):
    file = folder / "scenario.yaml"
    file.write_text(json.dumps(niche(arms=ARMS, replicates=2, **blocks)))
    return str(file)


FAILS = {"never": {"arm": "full", "endpoint": "vaf_calr", "high": -1.0}}


def test_compare_prints_a_table_the_claims_and_an_answer(tmp_path, capsys):
    file = written(tmp_path, expect=CLAIMS, question="Does it help?")
    assert main(["compare", file, "--out", str(tmp_path / "out"), "--quiet", "--jobs", "2"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[0] == "niche: 3 arms, 2 runs of each with the same seeds"
    assert max(map(len, out.split("held  ")[0].splitlines())) <= 110
    for words in ("none (reference)", "VAF of the driver", "healthy cells", "share alive", "difference", "end"):
        assert words in out
    assert "less: mean vaf_calr on day 40, full minus none, is " in out
    assert "claimed at most 0 [ELN]" in out
    assert "\nDoes it help? " in out


def test_a_failed_claim_ends_compare_with_7_only_if_strict(tmp_path, capsys):
    file = written(tmp_path, expect=FAILS)
    assert main(["compare", file, "--out", str(tmp_path / "a"), "--quiet"]) == 0
    assert "NOT HELD never: mean vaf_calr at the end in full is" in capsys.readouterr().out
    assert main(["compare", file, "--out", str(tmp_path / "b"), "--quiet", "--strict"]) == 7
    assert "not held: never" in capsys.readouterr().err
    assert (tmp_path / "b" / "manifest.json").exists()


def test_json_is_one_object_with_claims_and_comparison(tmp_path, capsys):
    assert main(["compare", written(tmp_path, expect=FAILS), "--out", str(tmp_path / "out"), "--json", "--quiet"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    said = json.loads(out)
    assert (said["claims"][0]["claim"], said["claims"][0]["held"]) == ("never", False)
    assert {row["endpoint"] for row in said["comparison"]} >= {"vaf_driver", "cleared", "overall_survival"}
    assert set(said["arms"]) == set(ARMS)


def test_a_dry_run_says_what_every_arm_takes_and_leaves_nothing(tmp_path, capsys):
    assert main(["compare", written(tmp_path), "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert [line.split(":")[0] for line in out.splitlines() if not line.startswith(" ")] == list(ARMS)
    assert not (tmp_path / "out").exists()


def test_run_takes_an_arm_and_judges_its_claims(tmp_path, capsys):
    file = written(tmp_path, expect={**FAILS, **CLAIMS})
    command = ["run", file, "--out", str(tmp_path / "full"), "--arm", "full", "--quiet"]
    assert main([*command, "--strict"]) == 7
    out = capsys.readouterr().out
    assert out.splitlines()[0].startswith("niche, arm full: 2 runs")
    assert "NOT HELD never: " in out
    assert "not asked: less, alone: this run is of the arm full; `mpn-abm compare` runs all arms" in out
    manifest = json.loads((tmp_path / "full" / "manifest.json").read_text())
    assert [claim["claim"] for claim in manifest["claims"]] == ["never"]
    assert main(["run", file, "--out", str(tmp_path / "x"), "--arm", "ful"]) == 2
    assert "--arm ful: unknown arm, did you mean 'full'?" in capsys.readouterr().err


def test_run_of_the_file_leaves_the_claims_on_arms_out_with_a_word(tmp_path, capsys):
    file = written(tmp_path, expect={**FAILS, **CLAIMS})
    assert main(["run", file, "--out", str(tmp_path / "out"), "--quiet", "--strict"]) == 0
    out = capsys.readouterr().out
    assert "held     alone: mean vaf_calr on day 40 is " in out
    assert "not asked: never, less: this run is of the file itself; `mpn-abm compare` runs all arms" in out


def test_existing_output_is_refused_before_the_work(tmp_path, capsys):
    file = written(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("x")
    assert main(["compare", file, "--out", str(tmp_path / "out")]) == 6


def test_list_endpoints_says_what_each_is(capsys):
    assert main(["list", "endpoints"]) == 0
    out = capsys.readouterr().out
    assert "svr35 " in out
    assert "spleen volume at least 35 % below that of day 0" in out


def test_the_cells_of_a_donor_are_healthy_cells():
    """A transplant replaces host by donor cells: without them the line would tell of a marrow without healthy cells."""
    rows = {"patient": [0, 0, 1, 1], "day": [0.0, 1.0] * 2, "genotype_cells_wild_type": [5, 1, 6, None]}
    rows["genotype_cells_donor"] = [0, 9, 0, None]
    of_arm = patients_of(pd.DataFrame(rows), pd.DataFrame({"patient": [0, 1], "death_day": [None, 1.0]}))
    assert of_arm.column("healthy_cells").tolist()[:3] == [5, 10, 6]
    assert np.isnan(of_arm.column("healthy_cells")[3])
