"""The verb `diff`: the values that differ between two runs, and where their trajectories part."""

import json

import pandas as pd
import pytest
from unit.small import OFF, niche
from unit.test_cli_run import command, written

from mpn_abm.analysis.parting import parting
from mpn_abm.cli.main import main
from mpn_abm.scenario.differences import differences


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The same run twice, one with a later stop of the drug, one of another seed, and one without the immune system."""
    folder = tmp_path_factory.mktemp("runs")
    contents = {
        "one": niche(replicates=2),
        "again": niche(replicates=2),
        "later": niche(
            replicates=2, treatments=niche()["treatments"] | {"ruxolitinib": {"dose_mg": 15, "start_day": 10}}
        ),
        "seed": niche(replicates=2, seed=6),
        "bare": niche(replicates=2, immune=OFF),
    }
    for name, content in contents.items():
        assert command(written(folder, content, f"{name}.yaml"), "--out", folder / name, "--quiet") == 0
    return folder


def said(runs, capsys, one, other, *options):
    capsys.readouterr()
    assert main(["diff", str(runs / one), str(runs / other), *options]) == 0
    return capsys.readouterr().out.replace(f"{runs}/", "")


def test_two_runs_of_the_same_scenario_do_not_differ(runs, capsys):
    assert said(runs, capsys, "one", "again") == (
        "0 values of the scenarios differ\nthe trajectories are the same, in all 14 rows\n"
    )


def test_a_drug_that_begins_later_parts_them_in_the_first_row_after_it(runs, capsys):
    """Day 7 is the first row after day 3. Catches a comparison that takes the last row, or rows out of order."""
    told = json.loads(said(runs, capsys, "one", "later", "--json"))
    assert {value["path"]: (value["first"], value["second"]) for value in told["values"]} == {
        "treatments.ruxolitinib.start_day": (3.0, 10.0),
        "treatments.ruxolitinib.stop_day": (30.0, None),
    }
    one, other = (pd.read_parquet(runs / name / "trajectory.parquet") for name in ("one", "later"))
    assert (told["part"]["day"], told["part"]["replicate"]) == (7.0, 0)
    column = told["part"]["column"]
    here, there = (frame[(frame.day == 7.0) & (frame.replicate == 0)].iloc[0] for frame in (one, other))
    assert (told["part"]["first"], told["part"]["second"]) == (here[column], there[column])
    before = list(one.columns)[3 : list(one.columns).index(column)]
    assert here[before].equals(there[before])
    assert here[column] != there[column]


def test_columns_that_one_of_them_has_are_named(runs, capsys):
    told = said(runs, capsys, "one", "bare")
    assert "immune.enabled: True and False" in told
    assert "\ncolumns of one only: " in told
    assert "columns of bare only" not in told


def test_where_there_is_no_run_it_says_so(runs, tmp_path, capsys):
    assert main(["diff", str(runs / "one"), str(tmp_path)]) == 2
    assert f"{tmp_path}: expected the folder of a run that is done" in capsys.readouterr().err


def frame(*rows):
    return pd.DataFrame(rows, columns=["replicate", "day", "vaf", "phase"]).assign(run_id="x", seed=1)


ROWS = [(0, 0.0, 0.5, "chronic"), (0, 7.0, None, None), (1, 0.0, 0.5, "chronic"), (1, 7.0, 0.25, "chronic")]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (ROWS, None),
        (ROWS[::-1], None),
        ([*ROWS[:3], (1, 7.0, 0.25, "blast")], (7.0, 1, "phase", "chronic", "blast")),
        ([ROWS[0], (0, 7.0, 0.25, None), *ROWS[2:]], (7.0, 0, "vaf", None, 0.25)),
        # a day comes before a replicate
        ([*ROWS[:1], (0, 7.0, 1.0, None), (1, 0.0, 0.4, "chronic"), ROWS[3]], (0.0, 1, "vaf", 0.5, 0.4)),
        (ROWS[:3], (7.0, 1, None, True, False)),
        ([*ROWS, (0, 3.0, 0.5, "chronic")], (3.0, 0, None, False, True)),
    ],
)
def test_trajectories_part_at_the_first_day_then_replicate_then_column(other, expected):
    found = parting(frame(*ROWS), frame(*other))
    assert (found and tuple(None if pd.isna(value) else value for value in found)) == expected


def test_names_in_another_order_are_a_difference():
    """Clones are placed in the order of the file."""
    assert [str(one) for one in differences({"a": {"b": 1, "c": 2}}, {"a": {"c": 2, "b": 1}})] == [
        "a: ['b', 'c'] and ['c', 'b']"
    ]
    assert list(differences({"a": 1}, {"a": 1})) == []
    assert [one.path for one in differences({"a": 1, "b": {"c": 1}}, {"b": {"c": 1.0}, "d": 2})] == ["a", "b.c", "d"]
