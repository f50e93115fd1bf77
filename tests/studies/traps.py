"""Processes that are killed when they carry out a certain shard, wherever they were started."""

import os

TRAP = """
import os, pathlib, sys
if {word!r} in " ".join(sys.orig_argv):
    import mpn_abm.studies.shard as shard
    carry_out = shard.carry_out
    def trapped(folder, number, retry_failed=False):
        sprung = pathlib.Path({folder!r}, str(number))
        if number in {always!r} or (number in {once!r} and not sprung.exists()):
            sprung.touch()
            os.kill(os.getpid(), 9)
        return carry_out(folder, number, retry_failed)
    shard.carry_out = trapped
"""


def set_trap(monkeypatch, folder, word, once=(), always=()):
    """From now on new Python processes with this word in their command are killed at these shards."""
    folder.mkdir()
    said = TRAP.format(word=word, folder=str(folder), once=once, always=always)
    (folder / "sitecustomize.py").write_text(said)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")])))


def sprung(folder):
    """The shards at which a process was killed."""
    return {int(file.name) for file in folder.iterdir() if file.name.isdigit()}
