"""The file of a checkpoint, what is refused, and the signals that make one."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from unit.small import bare, niche, run, same, tissue
from unit.test_cli_run import command, written

import mpn_abm
from mpn_abm import array_file, batch, checkpoint
from mpn_abm.array_file import Damaged, read_arrays, write_arrays
from mpn_abm.checkpoint import Checkpoints
from mpn_abm.errors import SimulationError, Stopped, UsageError
from mpn_abm.files import CHECKPOINT, CHECKPOINT_BEFORE, claimed

# tables of a run and what of the manifest is no time, no memory and no place
TABLES = ("trajectory", "clones", "events", "snapshots", "summary")
COUNTED = ("end_reasons", "end_day", "replicates", "trajectory_sha256", "site_steps", "candidates", "events", "claims")


@pytest.fixture(autouse=True)
def _step_by_step(monkeypatch):
    monkeypatch.setattr(batch, "SECONDS_PER_CALL", 0.0)


class Stops:
    """Asks the run to stop where it passes by for the n-th time."""

    def __init__(self, checkpoints, at):
        self.checkpoints, self.at, self.passes = checkpoints, at, 0

    def __call__(self, share):
        self.passes += 1
        if self.passes == self.at:
            self.checkpoints.stop(Stopped)


def stopped(content, folder, at=3, **options):
    """Leaves the checkpoints of a run that was stopped."""
    checkpoints = Checkpoints(folder, **options)
    with pytest.raises(Stopped, match=r"stopped on day .*; the same command with --resume goes on"):
        run(content, checkpoints=checkpoints, progress=Stops(checkpoints, at))
    return checkpoints


def resumed(content, folder, tell=lambda _: None):
    return run(content, checkpoints=Checkpoints(folder, resume=True, tell=tell))


def is_whole(result, content):
    whole = run(content)
    assert all(same(result.tables[name], whole.tables[name]) for name in TABLES)
    assert result.facts["candidates"] == whole.facts["candidates"]


# The file.


def test_arrays_come_back_as_they_were(tmp_path):
    arrays = {
        "none": np.zeros((3, 0), np.int16), "number": np.array(7), "words": np.arange(5, dtype=np.uint64) << 60,
        "nan": np.array([np.nan, -0.0, np.inf]), "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    }  # fmt: skip
    with (tmp_path / "file").open("wb") as file:
        write_arrays(file, {"day": 0.1}, arrays)
    header, found = read_arrays(tmp_path / "file")
    assert header == {"day": 0.1}
    assert {name: (a.dtype, a.shape, a.tobytes()) for name, a in found.items()} == {
        name: (a.dtype, a.shape, a.tobytes()) for name, a in arrays.items()
    }
    assert all(array.flags.writeable for array in found.values())


def damaged(content, seed):
    """The bytes with one to four of them changed, or cut off; never the same."""
    draws = np.random.default_rng(seed)
    if seed % 4 == 0:
        return content[: draws.integers(len(content))]
    changed = bytearray(content)
    # the first line and the layout at both ends are hit as often as what is between
    where = [
        draws.integers(min(len(content), 600)),
        draws.integers(len(content)),
        len(content) - 1 - draws.integers(64),
    ]
    for place in where[: 1 + seed % 3] if seed % 2 else where[1:]:
        changed[place] ^= int(draws.integers(1, 256))
    return bytes(changed)


def test_a_hundred_damaged_checkpoints_are_refused_one_by_one(tmp_path):
    """Catches a file that is looked into before it is known to be whole, and a first line that is not checked."""
    stopped(niche(), tmp_path)
    file = tmp_path / CHECKPOINT
    content = file.read_bytes()
    for seed in range(100):
        file.write_bytes(damaged(content, seed))
        with pytest.raises(Damaged):
            read_arrays(file)
    file.write_bytes(content)
    is_whole(resumed(niche(), tmp_path), niche())


@pytest.mark.parametrize("seed", range(4))
def test_the_one_before_takes_the_place_of_a_damaged_one(tmp_path, seed):
    """And is kept until another whole one is there."""
    stopped(niche(), tmp_path, at=3)
    stopped(niche(), tmp_path, at=4, resume=True)
    newest, before = tmp_path / CHECKPOINT, tmp_path / CHECKPOINT_BEFORE
    newest.write_bytes(damaged(newest.read_bytes(), seed))
    kept, told = before.read_bytes(), []
    is_whole(resumed(niche(), tmp_path, told.append), niche())
    assert "goes on from the one before it" in told[0]
    stopped(niche(), tmp_path, at=2, resume=True)
    assert before.read_bytes() == kept
    assert read_arrays(newest)[0]["day"] > read_arrays(before)[0]["day"] - 30


def test_where_all_are_damaged_nothing_is_gone_on_with(tmp_path):
    stopped(niche(), tmp_path)
    content = (tmp_path / CHECKPOINT).read_bytes()
    for name, seed in ((CHECKPOINT, 3), (CHECKPOINT_BEFORE, 4)):
        (tmp_path / name).write_bytes(damaged(content, seed))
    with pytest.raises(SimulationError, match=r"checksum(.|\n)*checkpoint.previous: (.|\n)*--overwrite"):
        resumed(niche(), tmp_path)


def test_a_kill_between_the_two_renames_leaves_one_to_go_on_with(tmp_path):
    stopped(niche(), tmp_path)
    (tmp_path / CHECKPOINT).rename(tmp_path / CHECKPOINT_BEFORE)
    is_whole(resumed(niche(), tmp_path), niche())


def test_a_full_disk_leaves_the_one_that_was_there(tmp_path, monkeypatch):
    stopped(niche(), tmp_path)
    content = (tmp_path / CHECKPOINT).read_bytes()

    def full(file, header, arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_arrays", full)
    checkpoints = Checkpoints(tmp_path, resume=True)
    with pytest.raises(SimulationError, match="No space left on device"):
        run(niche(), checkpoints=checkpoints, progress=Stops(checkpoints, 2))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {CHECKPOINT: content}


# What is gone on with.


def test_the_state_is_saved_as_often_as_was_said(tmp_path, monkeypatch):
    """A clock that moves on a minute with every look: with each pass, once the first is behind it."""
    minutes = iter(range(0, 10**6, 60))
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: float(next(minutes)))
    days = []
    monkeypatch.setattr(checkpoint, "write_arrays", lambda file, header, arrays: days.append(header["day"]))
    passes = []
    run(bare(), checkpoints=Checkpoints(tmp_path, every_minutes=1.0), progress=passes.append)
    assert len(days) >= len(passes) // 2 > 1
    assert days == sorted(days)


def test_without_a_word_nothing_is_saved(tmp_path):
    run(bare(), checkpoints=Checkpoints(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": 4}, r"another scenario: seed: 3 and 4 now"),
        ({"clones.mutant.fraction": 0.5}, r"another scenario: clones.mutant.fraction: 0.25 and 0.5 now"),
        ({"treatments.ruxolitinib": {"dose_mg": 5}}, r"treatments.ruxolitinib: not said and said now"),
    ],
)
def test_another_scenario_is_refused_by_its_first_path(tmp_path, change, told):
    stopped(bare(), tmp_path, at=2)
    with pytest.raises(UsageError, match=told):
        mpn_abm.run(mpn_abm.load(bare(), change), checkpoints=Checkpoints(tmp_path, resume=True))


def test_another_program_is_refused(tmp_path, monkeypatch):
    stopped(bare(), tmp_path, at=2)
    monkeypatch.setattr(mpn_abm, "__version__", "0.0.1")
    with pytest.raises(UsageError, match=r"another program: mpn_abm .* this is mpn_abm 0\.0\.1"):
        resumed(bare(), tmp_path)


def test_a_scenario_that_has_come_to_mean_other_numbers_is_refused(tmp_path, monkeypatch):
    stopped(bare(), tmp_path, at=2)
    monkeypatch.setattr("mpn_abm.compile.program.MOST_ROWS", 2)
    with pytest.raises(UsageError, match="takes the same scenario to mean other numbers"):
        resumed(bare(), tmp_path)


def test_another_layout_is_refused(tmp_path, monkeypatch):
    stopped(bare(), tmp_path, at=2)
    monkeypatch.setattr(array_file, "VERSION", 2)
    with pytest.raises(SimulationError, match="is of another version than 2 of the layout"):
        resumed(bare(), tmp_path)


def test_observers_and_checkpoints_exclude_each_other(tmp_path):
    with pytest.raises(UsageError, match="without observers"):
        run(bare(), observers=[lambda marrow, day: {"x": 1.0}], checkpoints=Checkpoints(tmp_path))


def test_a_stop_before_the_first_step_saves_nothing(tmp_path):
    with pytest.raises(Stopped, match="nothing was saved"):
        Checkpoints(tmp_path).stop(Stopped)


# The command line.


def left(folder):
    return {name: (folder / f"{name}.parquet").read_bytes() for name in TABLES}


def counted(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    return {name: manifest[name] for name in COUNTED}


SLOWED = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from mpn_abm import batch
from mpn_abm.cli import progress
from mpn_abm.cli.main import main
batch.SECONDS_PER_CALL = progress.PLAIN_EVERY = 0.0
step = batch.Batch._step
def slowly(self, until):
    step(self, until)
    time.sleep(0.3)
batch.Batch._step = slowly
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "content",
    [niche(), niche(replicates=3), tissue(time={"duration_hours": 6, "record_every_minutes": 30})],
    ids=["niche", "replicates", "tissue"],
)
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"])
def test_a_signal_saves_the_run_and_resume_leaves_the_same_files(tmp_path, content, sent, code):
    """Tables byte for byte. Catches a signal that is not heard, another exit code, and files that tell of the break."""
    file = written(tmp_path, content)
    words = ["run", str(file), "--out", str(tmp_path / "out")]
    with subprocess.Popen([sys.executable, "-c", SLOWED, *words], stderr=subprocess.PIPE, text=True) as child:
        try:
            assert any(" %, about " in line for line in child.stderr)
            child.send_signal(sent)
            _, err = child.communicate(timeout=5)
        finally:
            child.kill()
    assert child.returncode == code, err
    assert "with --resume goes on from there" in err
    assert "Traceback" not in err
    assert set(os.listdir(tmp_path / "out")) == {CHECKPOINT}
    assert command(file, "--out", tmp_path / "out") == 6
    assert command(file, "--out", tmp_path / "out", "--resume", "--quiet") == 0
    assert command(file, "--out", tmp_path / "whole", "--quiet") == 0
    assert left(tmp_path / "out") == left(tmp_path / "whole")
    assert counted(tmp_path / "out") == counted(tmp_path / "whole")
    assert set(os.listdir(tmp_path / "out")) == set(os.listdir(tmp_path / "whole"))


def test_after_a_kill_that_nobody_hears_the_last_checkpoint_is_gone_on_with(tmp_path):
    """Catches a checkpoint that is only written when asked, and a lock or a half file that is in the way."""
    file, out = written(tmp_path, niche()), tmp_path / "out"
    words = ["run", str(file), "--out", str(out), "--checkpoint-every-minutes", "0.0001"]
    with subprocess.Popen([sys.executable, "-c", SLOWED, *words], stderr=subprocess.PIPE, text=True) as child:
        try:
            while not (out / CHECKPOINT_BEFORE).exists():
                assert child.poll() is None
        finally:
            child.kill()
    (out / ".checkpoint.01234567.part").write_bytes(b"half of one")
    assert command(file, "--out", out, "--resume", "--quiet") == 0
    assert command(file, "--out", tmp_path / "whole", "--quiet") == 0
    assert left(out) == left(tmp_path / "whole")
    assert set(os.listdir(out)) == set(os.listdir(tmp_path / "whole"))
    assert json.loads((out / "manifest.json").read_text())["resumed"] == 1


def test_a_claim_that_failed_fails_when_all_is_done_as_well(tmp_path, capsys):
    claim = {"grows": {"endpoint": "vaf_jak2", "at_day": 28, "low": 0.9}}
    file = written(tmp_path, bare(endpoints={}, expect=claim))
    assert command(file, "--out", tmp_path / "out", "--strict") == 7
    assert command(file, "--out", tmp_path / "out", "--strict", "--resume") == 7
    assert command(file, "--out", tmp_path / "out", "--resume") == 0


def test_resume_where_all_is_done_says_so(tmp_path, capsys):
    file = written(tmp_path, bare())
    assert command(file, "--out", tmp_path / "out", "--quiet") == 0
    before = left(tmp_path / "out")
    capsys.readouterr()
    assert command(file, "--out", tmp_path / "out", "--resume") == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out'}: the run is done, there is nothing to go on with\n"
    assert left(tmp_path / "out") == before
    assert command(file, "--out", tmp_path / "out", "--resume", "--seed", 9) == 2
    assert "holds the results of another scenario: seed: 3 and 9 now" in capsys.readouterr().err


def test_resume_without_a_checkpoint_says_what_to_do(tmp_path, capsys):
    assert command(written(tmp_path, bare()), "--out", tmp_path / "new", "--resume") == 2
    assert "no checkpoint to go on from; without --resume the run begins anew" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_run_that_goes_on_is_not_taken_for_one_that_was_broken_off(tmp_path, capsys):
    out, file = tmp_path / "out", written(tmp_path, bare())
    stopped(bare(), out, at=2)
    with claimed(out, overwrite=True):
        for options in ((), ("--resume",), ("--overwrite",)):
            assert command(file, "--out", out, *options) == 6
            assert "broken off" not in capsys.readouterr().err
    assert (out / CHECKPOINT).exists()
    (out / CHECKPOINT).unlink()
    assert command(file, "--out", out, "--quiet") == 0
    with claimed(out, overwrite=True):
        assert command(file, "--out", out, "--resume") == 6


def test_a_run_that_was_broken_off_is_not_thrown_away_unasked(tmp_path, capsys):
    out = tmp_path / "out"
    stopped(bare(), out, at=2)
    file = written(tmp_path, bare())
    assert command(file, "--out", out) == 6
    assert "--resume goes on with it, --overwrite begins anew" in capsys.readouterr().err
    assert command(file, "--out", out, "--resume", "--overwrite") == 2
    assert command(file, "--out", out, "--overwrite", "--quiet") == 0
    assert not (out / CHECKPOINT).exists()
    assert json.loads((out / "manifest.json").read_text())["resumed"] == 0


@pytest.mark.parametrize("minutes", ["0", "-1", "nan"])
def test_minutes_are_more_than_none(tmp_path, capsys, minutes):
    assert command(written(tmp_path, bare()), "--checkpoint-every-minutes", minutes) == 2
    assert "expected more than 0" in capsys.readouterr().err


def test_the_signals_are_heard_as_before_when_the_run_is_done(tmp_path):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert command(written(tmp_path, bare()), "--out", tmp_path / "out", "--quiet") == 0
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
