"""Tables of patients and points are checked with the study, before anything is run: each mistake with its row."""

import pytest
from ruamel.yaml import YAML
from studies.small_studies import VAF, sweep, trial

import mpn_abm
from mpn_abm.cli.main import main
from mpn_abm.errors import ScenarioError

ARMS = "unknown arm, expected one of control, treated"


def written(folder, table, **said):
    """A trial of the patients of a table."""
    (folder / "own.csv").write_text(table)
    content = {"schema": "mpn-abm/1", **trial(patients=None, patients_file="own.csv", **said)}
    file = folder / "study.yaml"
    with file.open("w") as out:
        YAML().dump(content, out)
    return file


@pytest.mark.parametrize(
    ("columns", "rows", "told"),
    [
        ("weight", ["1", "heavy"], ["own.csv:3:1: weight: heavy: expected a finite number from 0 on"]),
        ("weight", ["-1", "1"], ["own.csv:2:1: weight: -1: expected a finite number from 0 on"]),
        ("weight", ["1", "inf"], ["own.csv:3:1: weight: inf: expected a finite number from 0 on"]),
        ("weight", ["0", "0"], ["own.csv: weight: expected weights with a sum above 0 that is finite"]),
        ("weight", ["1e308", "1e308"], ["own.csv: weight: expected weights with a sum above 0 that is finite"]),
        ("dropout_day", ["10", "-5"], ["own.csv:3:1: dropout_day: -5: expected a day from 0 on"]),
        ("dropout_day", ["soon", "5"], ["own.csv:2:1: dropout_day: soon: expected a day from 0 on"]),
        ("arm", ["control", "other"], [f"own.csv:3:1: arm: other: {ARMS}"]),
        (
            "weight,dropout_day,arm",
            ["-1,5,control", "1,-5,other"],
            [
                "own.csv:2:1: weight: -1: expected a finite number from 0 on",
                "own.csv:3:1: dropout_day: -5: expected a day from 0 on",
                f"own.csv:3:1: arm: other: {ARMS}",
            ],
        ),
    ],
)
def test_a_table_of_patients_is_checked_with_its_study(tmp_path, capsys, columns, rows, told):
    table = "\n".join([f"{VAF},{columns}", *(f"0.{k},{row}" for k, row in enumerate(rows, start=1))])
    file = written(tmp_path, f"{table}\n")
    assert main(["validate", str(file)]) == 3
    assert capsys.readouterr().err.replace(f"{tmp_path}/", "").splitlines() == told
    with pytest.raises(ScenarioError):
        mpn_abm.trial(file, out=tmp_path / "t")
    assert not (tmp_path / "t" / "summary").exists()


def test_values_and_what_stands_beside_them_are_told_at_once(tmp_path, capsys):
    assert main(["validate", str(written(tmp_path, f"{VAF},weight\n0.7,-1\n0.1,1\n"))]) == 3
    told = capsys.readouterr().err
    assert f"own.csv:2:1: {VAF}: 0.7: expected at most 0.5" in told
    assert "own.csv:2:1: weight: -1:" in told


def test_more_patients_than_rows_are_refused(tmp_path, capsys):
    file = written(tmp_path, f"{VAF}\n0.1\n0.2\n")
    assert main(["validate", str(file), "--set", "trial.patients=2"]) == 0
    assert main(["validate", str(file), "--set", "trial.patients=3"]) == 3
    assert "trial.patients: 3: expected at most 2, the rows of own.csv" in capsys.readouterr().err


def test_who_never_leaves_and_who_counts_for_nothing_are_patients(tmp_path):
    file = written(tmp_path, f"{VAF},weight,dropout_day\n0.1,0,inf\n0.2,1,0\n")
    assert main(["validate", str(file)]) == 0


def test_a_table_of_a_sweep_is_checked_with_it(tmp_path, capsys):
    (tmp_path / "own.csv").write_text(f"{VAF}\n0.1\n0.7\n")
    content = sweep({}, method="table", file="own.csv")
    del content["sweep"]["parameters"]
    file = tmp_path / "study.yaml"
    with file.open("w") as out:
        YAML().dump({"schema": "mpn-abm/1", **content}, out)
    assert main(["validate", str(file)]) == 3
    assert f"own.csv:3:1: {VAF}: 0.7: expected at most 0.5" in capsys.readouterr().err


def test_a_table_that_says_one_thing_twice_is_refused(tmp_path, capsys):
    file = written(tmp_path, f"{VAF},clones.mutant.fraction\n0.1,0.2\n")
    assert main(["validate", str(file)]) == 3
    assert f"own.csv: clones.mutant.fraction: expected one of the two: {VAF} says" in capsys.readouterr().err
