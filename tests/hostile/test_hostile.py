"""Any text at all is taken or refused: in time, in one line for each mistake, and without a traceback.

Time is that of the processor, so that other work of the machine does not count, and its bound is wide: it tells what
is read for ever, or once more for every alias, from what is read once.
"""

import os
import re
import shutil
import time
from contextlib import suppress

import pytest
from hostile.texts import LIBRARY, NASTIES, SMALL, hostile_texts

from mpn_abm.cli.main import main
from mpn_abm.errors import MOST_SHOWN, MissingFileError, ScenarioError
from mpn_abm.evidence.targets import read_targets
from mpn_abm.scenario.scenario import load
from mpn_abm.scenario.sources import MOST_EXTENDED
from mpn_abm.scenario.studies.observations import observations
from mpn_abm.studies.profile import read_profile
from mpn_abm.studies.rows import rows_of_file

SECONDS = 10.0
FILES = sorted(file for file in LIBRARY.rglob("*.yaml") if "evidence" not in file.parts)
TARGETS = sorted((LIBRARY / "studies" / "evidence").glob("*.yaml"))
SEED = 20_260


@pytest.fixture
def folder(tmp_path):
    """A copy of the library, so that what a changed text extends is there, and a file beside its studies."""
    for part in ("therapy", "baseline", "studies", "tissue", "verification"):
        shutil.copytree(LIBRARY / part, tmp_path / part)
    return tmp_path / "studies"


def assert_taken_or_refused(file, name, capsys, monkeypatch):
    monkeypatch.setenv("MPN_ABM_TRACEBACK", "1")
    before = sorted(path for path in file.parent.parent.rglob("*"))
    start = time.process_time()
    code = main(["validate", str(file)])
    seconds = time.process_time() - start
    told = capsys.readouterr()
    assert code in (0, 3), f"{name}: exit {code}\n{told.err}"
    assert seconds < SECONDS, f"{name}: {seconds:.1f} s"
    assert "Traceback" not in told.err
    # nothing that steers a terminal
    assert all(letter.isprintable() for line in told.err.split("\n") for letter in line), name
    lines = told.err.splitlines()
    assert len(lines) <= MOST_SHOWN + 1
    if code == 3:
        assert lines, name
        assert all(": " in line or line.startswith("and ") for line in lines), f"{name}\n{told.err}"
    assert sorted(path for path in file.parent.parent.rglob("*")) == before, name
    return code


@pytest.mark.parametrize("name", NASTIES)
def test_a_nasty_text_is_taken_or_refused(name, tmp_path, capsys, monkeypatch):
    file = tmp_path / "folder" / "hostile.yaml"
    file.parent.mkdir()
    file.write_bytes(NASTIES[name])
    assert_taken_or_refused(file, name, capsys, monkeypatch)


def all_of(number, seed, folder, capsys, monkeypatch):
    codes = set()
    for name, data in hostile_texts(number, seed, FILES):
        file = folder / "hostile.yaml"
        file.write_bytes(data)
        codes.add(assert_taken_or_refused(file, name, capsys, monkeypatch))
    return codes


def test_changed_files_of_the_library_are_taken_or_refused(folder, capsys, monkeypatch):
    """Both are met, or the changes would be too small or too great to test anything."""
    assert all_of(150, SEED, folder, capsys, monkeypatch) == {0, 3}


@pytest.mark.slow
def test_many_changed_files_of_the_library_are_taken_or_refused(folder, capsys, monkeypatch):
    assert all_of(2000, SEED + 1, folder, capsys, monkeypatch) == {0, 3}


@pytest.mark.parametrize("read", [read_targets, read_profile, observations, rows_of_file])
def test_other_files_that_are_read_are_taken_or_refused(read, tmp_path):
    """The smaller nasties and changed targets given as targets, profile, observations and table."""
    file = tmp_path / "hostile.csv"
    small = (data for data in NASTIES.values() if len(data) < 5000)
    changed = [*small, *(data for _, data in hostile_texts(15, SEED + 2, TARGETS))]
    for data in [*changed, b"day,column,value,sd\n" + b"9" * 300_000 + b",a,1e999,nan\n", b'a,"\n' + b"x" * 200_000]:
        file.write_bytes(data)
        start = time.process_time()
        with suppress(ScenarioError):
            read(file)
        assert time.process_time() - start < SECONDS, data[:100]


# What is no file.


@pytest.mark.parametrize("read", [load, read_targets, read_profile, observations], ids=lambda read: read.__name__)
def test_a_device_a_pipe_and_a_folder_are_refused_and_not_waited_for(read, tmp_path):
    """Catches a reader that believes the size: that of a device and of a pipe is 0, and they never end."""
    pipe, link = tmp_path / "pipe.yaml", tmp_path / "link.yaml"
    os.mkfifo(pipe)
    link.symlink_to("/dev/zero")
    for path in (pipe, link, tmp_path):
        with pytest.raises(ScenarioError, match=r"expected a file, this is a (device or a pipe|folder)"):
            read(path)


@pytest.mark.parametrize("what", ["/dev/zero", "/dev/urandom", "pipe.yaml", ".", "a\0b", "a" * 5000, "circle.yaml"])
@pytest.mark.parametrize("key", ["extends", "scenario"])
def test_what_is_no_file_is_not_extended(key, what, tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "circle.yaml").symlink_to(tmp_path / "circle.yaml")
    said = {key: what, **({"sweep": {"parameters": {"seed": [1]}}} if key == "scenario" else {"seed": 1})}
    file = tmp_path / "file.yaml"
    file.write_text("schema: mpn-abm/1\n" + "".join(f"{name}: {value!r}\n" for name, value in said.items()))
    if "\0" in what:
        file.write_text(file.read_text().replace("'a\\x00b'", '"a\\0b"'))
    assert main(["validate", str(file)]) == 3
    assert "expected a" in capsys.readouterr().err


def test_files_that_extend_one_another_many_times_are_not_all_read(tmp_path):
    """2^12 files are asked for, each twice by the one before: catches a reader that reads them all."""
    (tmp_path / "f0.yaml").write_bytes(SMALL)
    for k in range(12):
        (tmp_path / f"f{k + 1}.yaml").write_text(f"schema: mpn-abm/1\nextends: [f{k}.yaml, f{k}.yaml]\n")
    with pytest.raises(ScenarioError, match=f"expected at most {MOST_EXTENDED} files in all"):
        load(tmp_path / "f12.yaml")
    assert load(tmp_path / "f4.yaml").spec.time.duration == 10.0


def test_a_chain_of_drugs_is_followed_from_either_end():
    """Catches recursion, of which a thousand steps are too many."""
    links = {f"d{k + 1}": {"like": f"d{k}"} for k in range(1500)}
    first = {"d0": {"like": "ruxolitinib", "ic50_nM": 123}}
    rest = {"time": {"duration_days": 3}, "marrow": {"shape": [4, 4]}, "clones": {"a": {"genotype": "wild_type"}}}
    backwards = dict(reversed(links.items()))
    for drugs in ({**first, **links}, {**backwards, **first}):
        assert load({**rest, "drugs": drugs}).get("drugs.d1500.ic50_nM") == 123


def test_what_steers_a_terminal_is_refused_and_shown_by_its_number():
    for said, shown in (
        ('"a\\e[2Jb"', "U+001B"),
        ('"\\ud800"', "U+D800"),
        ('"a\\u202Eb"', "U+202E"),
        ('"\\0"', "U+0000"),
    ):
        with pytest.raises(ScenarioError, match=re.escape(shown)) as caught:
            load(SMALL.decode() + f"question: {said}\n")
        assert str(caught.value).isprintable()
    with pytest.raises(ScenarioError) as caught:
        load({"\x1b[31mx\n": 1})
    assert "\x1b" not in str(caught.value)
    kept = 'question: "two\\nlines, caf\\u00e9, \\U0001f600"\n'
    assert load(SMALL.decode() + kept).spec.question.startswith("two\nlines, café, ")


def test_a_file_that_is_not_there_is_no_scenario_that_is_wrong():
    with pytest.raises(MissingFileError):
        load("nothing.yaml")


def test_thousands_of_mistakes_are_counted_and_not_all_shown():
    with pytest.raises(ScenarioError) as caught:
        load(SMALL.decode() + "".join(f"k{k}: 1\n" for k in range(1000)))
    assert len(caught.value.problems) == 1000
    assert str(caught.value).endswith(f"\nand {1000 - MOST_SHOWN} more")
