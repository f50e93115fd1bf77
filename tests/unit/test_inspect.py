"""The verb `inspect`: what a run or a table holds, where it comes from, and what is no run."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from unit.small import bare, niche, run

import mpn_abm
from mpn_abm.cli.main import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("run")
    run(niche(), replicates=2).write(place)
    return place


def inspected(path, capsys):
    assert main(["inspect", str(path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def test_json_holds_the_manifest_and_every_table_with_its_rows_and_columns(folder, capsys):
    said = inspected(folder, capsys)
    assert said["manifest"] == json.loads((folder / "manifest.json").read_text())
    files = {file.stem: pq.read_table(file) for file in folder.glob("*.parquet")}
    assert {name: table["rows"] for name, table in said["tables"].items()} == {
        name: table.num_rows for name, table in files.items()
    }
    for name, table in said["tables"].items():
        assert [column["name"] for column in table["columns"]] == files[name].column_names
        assert all(column["unit"] and column["meaning"] for column in table["columns"])


def test_a_column_is_told_with_its_ends_and_its_range(folder, capsys):
    """Of numbers only, and not of nulls."""
    tables = inspected(folder, capsys)["tables"]
    values = pq.read_table(folder / "trajectory.parquet").column("cells_total").to_pylist()
    (said,) = [c for c in tables["trajectory"]["columns"] if c["name"] == "cells_total"]
    assert [said[key] for key in ("first", "last", "lowest", "highest")] == [
        values[0],
        values[-1],
        min(values),
        max(values),
    ]
    sites = [v for v in pq.read_table(folder / "events.parquet").column("site").to_pylist() if v is not None]
    (said,) = [c for c in tables["events"]["columns"] if c["name"] == "site"]
    assert (said["lowest"], said["highest"]) == (min(sites), max(sites))
    (said,) = [c for c in tables["snapshots"]["columns"] if c["name"] == "genotype"]
    assert set(said) == {"name", "type", "unit", "meaning"}
    assert said["type"] == "category"


def test_a_single_table_says_itself_where_it_comes_from(folder, capsys):
    said = inspected(folder / "summary.parquet", capsys)
    assert said["manifest"] == {}
    provenance = said["tables"]["summary"]["provenance"]
    assert (provenance["scenario"], provenance["version"]) == ("niche", mpn_abm.__version__)
    assert main(["inspect", str(folder / "summary.parquet")]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["scenario", "niche"] in lines
    assert ["version", mpn_abm.__version__] in lines
    assert ["scenario_sha256", provenance["scenario_sha256"]] in lines


def test_text_tells_how_the_run_ended_and_a_line_for_every_column(folder, capsys):
    assert main(["inspect", str(folder)]) == 0
    out = capsys.readouterr().out
    lines = [line.split() for line in out.splitlines()]
    assert ["end_reason", "duration"] in lines
    assert ["replicates", "2"] in lines
    for file in folder.glob("*.parquet"):
        table = pq.read_table(file)
        assert f"{file.stem}: {table.num_rows} rows" in out
        for field in table.schema:
            assert any(line[:1] == [field.name] for line in lines), field.name
    assert max(map(len, out.splitlines())) <= 120
    assert "dictionary<" not in out


def test_a_run_without_events_and_a_table_of_somebody_else_can_be_looked_at(tmp_path, capsys):
    run(bare()).write(tmp_path / "run")
    assert inspected(tmp_path / "run", capsys)["tables"]["events"]["rows"] == 0
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", None]}), tmp_path / "other.parquet")
    said = inspected(tmp_path / "other.parquet", capsys)["tables"]["other"]
    assert (said["rows"], said["provenance"]) == (2, {})
    assert main(["inspect", str(tmp_path / "other.parquet")]) == 0


def test_the_range_of_a_table_in_parts_is_that_of_all_of_its_rows(tmp_path, capsys):
    """With a part of nulls and one of zeros, and a column of lists beside it."""
    values = [0.0, 0.0, None, None, -2.5, 7.0, None]
    table = pa.table({"lists": [[1, 2]] * 7, "a": values, "b": list(range(7)), "c": pa.nulls(7, pa.int64())})
    pq.write_table(table, tmp_path / "parts.parquet", row_group_size=2)
    columns = inspected(tmp_path / "parts.parquet", capsys)["tables"]["parts"]["columns"]
    said = {c["name"]: [c.get(key) for key in ("first", "last", "lowest", "highest")] for c in columns}
    assert said == {
        "lists": [None] * 4,
        "a": [0.0, None, -2.5, 7.0],
        "b": [0, 6, 0, 6],
        "c": [None] * 4,
    }
    pq.write_table(pa.table({"zero": [0.0, 0.0]}), tmp_path / "zero.parquet")
    (zero,) = inspected(tmp_path / "zero.parquet", capsys)["tables"]["zero"]["columns"]
    assert str(zero["lowest"]) == "0.0"


def test_a_table_is_not_read_to_tell_its_range(folder, capsys, monkeypatch):
    monkeypatch.setattr(pq, "read_table", None)
    assert inspected(folder, capsys)["tables"]["trajectory"]["rows"] > 0


def test_a_name_with_brackets_is_shown_as_it_is(tmp_path, capsys):
    run(bare(name="[red]x")).write(tmp_path / "run")
    pq.write_table(pa.table({"[/bold]": [1]}), tmp_path / "run" / "[red].parquet")
    assert main(["inspect", str(tmp_path / "run" / "trajectory.parquet")]) == 0
    assert main(["inspect", str(tmp_path / "run" / "[red].parquet")]) == 0
    out = capsys.readouterr().out
    assert "[red]x" in out
    assert "[red]: 1 rows" in out
    assert "[/bold]" in out


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere", "no such file or folder"),
        ("empty", "expected a run, with Parquet tables in it"),
        ("text.parquet", "expected a Parquet file"),
        ("broken", "manifest.json: cannot be read"),
    ],
)
def test_what_is_no_run_is_a_usage_error_of_one_line(tmp_path, capsys, path, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.parquet").write_text("no table")
    (tmp_path / "broken").mkdir()
    pq.write_table(pa.table({"a": [1]}), tmp_path / "broken" / "trajectory.parquet")
    (tmp_path / "broken" / "manifest.json").write_text("{")
    assert main(["inspect", str(tmp_path / path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(str(tmp_path / path))
    assert message in err
    assert len(err.splitlines()) == 1
