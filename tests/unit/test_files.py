"""Files of a run: written whole or not at all, nothing overwritten unasked, readable elsewhere, and their digest."""

import errno
import fcntl
import hashlib
import json
import os
import struct
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from unit.small import bare, niche, run

import mpn_abm
from mpn_abm import files
from mpn_abm.errors import OutputExistsError, SimulationError, UsageError
from mpn_abm.files import LOCK, TABLE_VERSION, claimed, digest_of, parquet, published_together, text
from mpn_abm.result import FILES

ALL_OFF = {"clones": False, "events": False, "snapshots": False, "summary": False}


@pytest.fixture(scope="module")
def result():
    return run(niche(replicates=2))


@pytest.fixture(scope="module")
def folder(result, tmp_path_factory):
    place = tmp_path_factory.mktemp("run")
    result.write(place)
    return place


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


# Written whole or not at all.


def test_a_run_leaves_its_tables_its_scenario_and_its_manifest_and_nothing_else(folder):
    assert {file.name for file in folder.iterdir()} == set(FILES)


def test_files_appear_together_when_all_are_written(tmp_path):
    with published_together(tmp_path) as write:
        write("a", text("one"))
        write("b", text("two"))
        assert {file.suffix for file in tmp_path.iterdir()} == {".part"}
    assert contents(tmp_path) == {"a": b"one", "b": b"two"}


def test_work_that_breaks_off_in_the_middle_leaves_what_was_there(tmp_path):
    """Catches a file under its final name, a part that stays, and an old file that is gone before the new one is."""

    def half(file):
        file.write(b"half")
        raise KeyboardInterrupt

    (tmp_path / "a").write_text("old a")
    (tmp_path / "c").write_text("old c")

    def break_off():
        with published_together(tmp_path, replaced=["a", "b", "c"]) as write:
            write("a", text("new a"))
            write("b", half)

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert contents(tmp_path) == {"a": b"old a", "c": b"old c"}


@pytest.mark.parametrize("replaced", [(), ("a", "b", "old")], ids=["renewed", "another result"])
def test_what_is_there_at_every_instant(tmp_path, monkeypatch, replaced):
    """Catches an old file that is gone before the new one comes, and a last file beside others than its own."""
    seen = []

    def looking(change):
        def looked(*words, **options):
            seen.append({file.name: file.read_text() for file in tmp_path.iterdir() if file.suffix != ".part"})
            return change(*words, **options)

        return looked

    for name in ("a", "b", "old"):
        (tmp_path / name).write_text("old")
    for name in ("replace", "unlink"):
        monkeypatch.setattr(Path, name, looking(getattr(Path, name)))
    with published_together(tmp_path, replaced=replaced) as write:
        write("a", text("new"))
        write("b", text("new"))
    seen.append({name: content.decode() for name, content in contents(tmp_path).items()})
    if replaced:
        assert all("b" not in there or there["a"] == there["b"] for there in seen)
        assert seen[-1] == {"a": "new", "b": "new"}
    else:
        assert all(there.keys() == {"a", "b", "old"} for there in seen)
        assert [(there["a"], there["b"]) for there in seen] == [("old", "old"), ("new", "old"), ("new", "new")]


def test_a_table_that_fails_while_it_is_written_leaves_the_old_run_whole(result, tmp_path, monkeypatch):
    run(bare()).write(tmp_path)
    before = contents(tmp_path)
    real, calls = pq.write_table, []

    def write_table(table, file, **options):
        calls.append(table)
        if len(calls) == 3:
            file.write(b"PAR1")
            raise RuntimeError("planted")
        real(table, file, **options)

    monkeypatch.setattr(pq, "write_table", write_table)
    with pytest.raises(RuntimeError, match="planted"):
        result.write(tmp_path, overwrite=True)
    assert contents(tmp_path) == before


def test_a_new_run_takes_the_place_of_an_old_one_with_more_tables_and_leaves_other_files(result, tmp_path):
    result.write(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "other.parquet").write_text("mine too")
    run(bare(output=ALL_OFF)).write(tmp_path, overwrite=True)
    ours = {"trajectory.parquet", "scenario.resolved.yaml", "manifest.json"}
    assert set(contents(tmp_path)) == ours | {"notes.txt", "other.parquet"}
    assert pq.read_table(tmp_path / "trajectory.parquet").num_rows == 5


def test_files_can_be_read_by_whom_the_umask_says(tmp_path):
    old = os.umask(0o027)
    try:
        with published_together(tmp_path) as write:
            write("a", text("one"))
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


# What the disk refuses.


def refuse(number):
    def refusing(*arguments, **options):
        raise OSError(number, os.strerror(number))

    return refusing


def test_a_full_disk_is_one_line_and_leaves_the_old_run_whole(result, tmp_path, monkeypatch):
    run(bare()).write(tmp_path)
    before = contents(tmp_path)
    monkeypatch.setattr(os, "fsync", refuse(errno.ENOSPC))
    with pytest.raises(SimulationError) as caught:
        result.write(tmp_path, overwrite=True)
    assert str(caught.value) == f"{tmp_path / 'trajectory.parquet'}: cannot be written: No space left on device"
    assert caught.value.exit_code == 4
    assert contents(tmp_path) == before


def test_a_disk_that_is_full_in_the_middle_of_a_table_says_so_too(result, tmp_path):
    """The error comes through Arrow, which must not hide what the disk said."""

    class Full:
        def __init__(self, file):
            self.file = file

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fill():
        writer = parquet(result.tables["trajectory"], result.provenance, 2)
        with published_together(tmp_path) as write:
            write("table", lambda file: writer(Full(file)))

    with pytest.raises(SimulationError, match="table: cannot be written: No space left on device"):
        fill()
    assert contents(tmp_path) == {}


def claim(folder, overwrite=False):
    with claimed(folder, overwrite):
        pass


def test_a_folder_that_cannot_be_written_to_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "open", refuse(errno.EROFS))
    with pytest.raises(UsageError, match=f"{tmp_path}: cannot be written to: Read-only file system") as caught:
        claim(tmp_path)
    assert caught.value.exit_code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused_before_the_work(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(UsageError, match="Permission denied"):
        claim(tmp_path, overwrite=True)


def test_a_folder_below_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written to: Not a directory"):
        claim(tmp_path / "file" / "below", overwrite=True)


def test_nothing_is_overwritten_unasked(tmp_path):
    (tmp_path / "mine").write_text("")
    with pytest.raises(OutputExistsError, match="say --overwrite"):
        claim(tmp_path)
    claim(tmp_path, overwrite=True)
    with pytest.raises(OutputExistsError, match="exists and is no folder"):
        claim(tmp_path / "mine", overwrite=True)
    assert contents(tmp_path) == {"mine": b""}


def test_folders_that_were_made_for_a_run_are_gone_if_the_run_breaks_off(tmp_path):
    there = tmp_path / "there"
    there.mkdir()

    def break_off(folder):
        with claimed(folder, overwrite=False):
            assert folder.is_dir()
            raise KeyboardInterrupt

    for folder in (there, tmp_path / "new", tmp_path / "deep" / "er" / "new", there / "new"):
        with pytest.raises(KeyboardInterrupt):
            break_off(folder)
    assert [file.name for file in tmp_path.rglob("*")] == ["there"]
    claim(tmp_path / "deep" / "new")
    assert contents(tmp_path / "deep" / "new") == {}


# One run a folder.


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_is_held_from_claim_to_end(tmp_path, overwrite):
    """Catches two runs that both find the folder empty and both write."""
    folder = tmp_path / "out"
    with claimed(folder, overwrite):
        with pytest.raises(OutputExistsError, match="another run is writing to it"):
            claim(folder, overwrite)
        assert set(contents(folder)) == {LOCK}
    claim(folder)
    assert contents(folder) == {}


def test_results_that_came_while_a_claim_waited_are_not_overwritten(tmp_path, monkeypatch):
    real = files.locked

    def slow(lock):
        (lock.parent / "manifest.json").write_text("{}")
        return real(lock)

    monkeypatch.setattr(files, "locked", slow)
    with pytest.raises(OutputExistsError, match="say --overwrite"):
        claim(tmp_path)
    assert set(contents(tmp_path)) == {"manifest.json"}


def test_a_claim_that_was_given_back_while_another_opened_it_is_made_anew(tmp_path, monkeypatch):
    """Catches two runs of which one holds a file that is no longer there."""
    real, given_back = fcntl.flock, []

    def give_back_first(file, operation):
        if not given_back:
            given_back.append((tmp_path / LOCK).unlink())
        real(file, operation)

    monkeypatch.setattr(fcntl, "flock", give_back_first)
    with claimed(tmp_path, overwrite=False), pytest.raises(OutputExistsError, match="another run"):
        claim(tmp_path)


KILLED = """
import os, sys
from pathlib import Path
from mpn_abm.files import claimed, published_together
with claimed(Path(sys.argv[1]), overwrite=False), published_together(Path(sys.argv[1])) as write:
    write("trajectory.parquet", lambda file: os.kill(os.getpid(), 9))
"""


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_killed_run_leaves_its_folder_to_the_next(tmp_path, overwrite):
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], timeout=60)
    assert done.returncode == -9
    left = set(contents(tmp_path))
    assert LOCK in left
    assert any(name.endswith(".part") for name in left)
    claim(tmp_path, overwrite)
    assert contents(tmp_path) == {}


def test_a_file_system_without_locks_does_not_stop_a_run(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", refuse(errno.ENOLCK))
    claim(tmp_path)
    assert contents(tmp_path) == {}


def test_an_old_manifest_never_stands_beside_new_tables(result, tmp_path, monkeypatch):
    """As if the process were killed between two renames."""
    run(bare()).write(tmp_path)
    real, renamed = Path.replace, []

    def replace(self, target):
        if len(renamed) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        renamed.append(target.name)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(SimulationError):
        result.write(tmp_path, overwrite=True)
    assert len(renamed) == 2
    assert "manifest.json" not in contents(tmp_path)


# What the files say of themselves.


def test_every_table_carries_where_it_comes_from(result, folder):
    for file in folder.glob("*.parquet"):
        said = json.loads(pq.read_schema(file).metadata[b"mpn_abm"])
        assert said["program"] == "mpn_abm"
        assert said["version"] == mpn_abm.__version__
        assert said["table_version"] == TABLE_VERSION
        assert (said["scenario"], said["seed"]) == ("niche", 5)
        assert said["scenario_sha256"] == mpn_abm.load(folder / "scenario.resolved.yaml").sha256
        assert said["packages"] == {name: version(name) for name in said["packages"]}
        assert {"numpy", "numba", "pyarrow", "pandas"} <= set(said["packages"])
        assert said == json.loads((folder / "manifest.json").read_text())["provenance"]


def test_many_short_runs_share_a_row_group_and_no_group_is_larger_than_a_million_rows(tmp_path):
    """About 100 runs a group, but no group of a few rows: 10,000 runs in one file must stay quick to query."""

    def groups(rows, runs):
        table = pa.table({"replicate": np.repeat(np.arange(runs), rows)})
        with published_together(tmp_path) as write:
            write("table", parquet(table, {}, runs))
        about = pq.ParquetFile(tmp_path / "table").metadata
        return [about.row_group(k).num_rows for k in range(about.num_row_groups)]

    assert groups(rows=1000, runs=250) == [100_000, 100_000, 50_000]
    assert groups(rows=2, runs=10_000) == [20_000]
    assert groups(rows=1_500_000, runs=1) == [2**20, 1_500_000 - 2**20]


def test_tables_are_compressed_with_zstd(folder):
    for file in folder.glob("*.parquet"):
        about = pq.ParquetFile(file).metadata
        assert {about.row_group(0).column(k).compression for k in range(about.num_columns)} == {"ZSTD"}


# Readers that know nothing of this program.


def test_pandas_reads_the_tables(result, folder):
    for name in result.tables:
        pd.testing.assert_frame_equal(pd.read_parquet(folder / f"{name}.parquet"), getattr(result, name))


def test_polars_reads_the_tables(result, folder):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    for name, table in result.tables.items():
        frame = polars.read_parquet(folder / f"{name}.parquet")
        assert frame.to_dicts() == table.to_pylist()


def test_duckdb_reads_the_tables(result, folder):
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    for name, table in result.tables.items():
        rows = duckdb.sql(f"select * from '{folder / name}.parquet'").fetchall()
        assert rows == [tuple(row.values()) for row in table.to_pylist()]
    query = f"select max(car_t_total) from '{folder}/trajectory.parquet' where replicate = 1"
    ((peak,),) = duckdb.sql(query).fetchall()
    assert peak == result.summary.car_t_peak[1]


# The digest.


def digest_again(table):
    """What interface.md says of trajectory_sha256, value by value."""
    digest = hashlib.sha256()
    kinds = {"int64": "<q", "int32": "<i", "double": "<d", "float": "<f", "bool": "<?"}
    for field in table.schema:
        if field.name == "run_id":
            continue
        values = table.column(field.name).to_pylist()
        digest.update(f"{field.name}:{field.type};".encode())
        bits = "".join("1" if value is None else "0" for value in values)
        digest.update(bytes(int(bits[k : k + 8].ljust(8, "0"), 2) for k in range(0, len(bits), 8)))
        for value in values:
            if str(field.type) == "string":
                word = (value or "").encode()
                digest.update(struct.pack("<Q", len(word)) + word)
            else:
                digest.update(struct.pack(kinds[str(field.type)], 0 if value is None else value))
    return digest.hexdigest()


MIXED = {
    "run_id": pa.array(["a"] * 9),
    "count": pa.array([1, -2, None, 2**53, 0, 5, 6, 7, None], pa.int64()),
    "short": pa.array(range(9), pa.int32()),
    "level": pa.array([0.1, -0.0, 1e300, None, 5e-324, 1.0, 2.0, 3.0, 4.0], pa.float64()),
    "single": pa.array([0.5] * 9, pa.float32()),
    "word": pa.array(["", "é", None, "wild_type#3", "a", "b", "c", "d", "e"]),
    "flag": pa.array([True, False, None, True, True, False, True, False, True]),
}


def test_the_digest_is_that_of_its_definition(result, folder):
    for table in (pa.table(MIXED), *(result.tables[name] for name in ("trajectory", "clones", "events", "summary"))):
        assert digest_of(table) == digest_again(table)
    said = json.loads((folder / "manifest.json").read_text())["trajectory_sha256"]
    assert digest_of(pq.read_table(folder / "trajectory.parquet")) == said


def test_the_digest_does_not_know_the_name_of_the_run_nor_how_the_table_is_stored():
    table = pa.table(MIXED)
    renamed = table.set_column(0, "run_id", pa.array(["b"] * 9))
    chunked = pa.concat_tables([table.slice(0, 4), table.slice(4)])
    assert digest_of(table) == digest_of(renamed) == digest_of(chunked) == digest_of(table.drop_columns("run_id"))


@pytest.mark.parametrize(
    ("column", "changed"),
    [
        ("count", pa.array([1, -2, None, 2**53, 0, 5, 6, 8, None], pa.int64())),
        ("count", pa.array([1, -2, 0, 2**53, 0, 5, 6, 7, None], pa.int64())),
        ("short", pa.array(range(9), pa.int64())),
        ("level", pa.array([0.1, 0.0, 1e300, None, 5e-324, 1.0, 2.0, 3.0, 4.0], pa.float64())),
        ("word", pa.array(["", "é", "", "wild_type#3", "a", "b", "c", "d", "e"])),
        ("word", pa.array(["", "é", None, "wild_type#3", "ab", "", "c", "d", "e"])),
        ("flag", pa.array([True, False, None, True, True, False, True, True, True])),
    ],
    ids=["value", "null", "type", "sign", "empty word", "shifted word", "flag"],
)
def test_the_digest_changes_with_a_value_a_null_or_a_type(column, changed):
    assert digest_of(pa.table({**MIXED, column: changed})) != digest_of(pa.table(MIXED))


def test_the_digest_changes_with_a_name_and_with_the_order_of_columns():
    table = pa.table(MIXED)
    assert digest_of(table.rename_columns(["run_id", "counts", *table.column_names[2:]])) != digest_of(table)
    assert digest_of(table.select(sorted(table.column_names))) != digest_of(table)


def test_a_path_as_text_will_do(tmp_path):
    manifest = run(bare()).write(str(tmp_path / "deep" / "run"))
    assert manifest["out"] == str(tmp_path / "deep" / "run")
    assert (Path(manifest["out"]) / "manifest.json").exists()
