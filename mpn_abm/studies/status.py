"""How far the study in a folder is, seen from any process."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mpn_abm.scenario.studies.blocks import CalibrateSpec
from mpn_abm.studies.folder import MANIFEST, Folder
from mpn_abm.studies.progress import Standing
from mpn_abm.studies.shard import study_in

# the pace is that of the parts of the last so many seconds
LOOKED_BACK = 600.0


@dataclass(frozen=True)
class Status:
    """What a folder tells: runs, shards, and whether somebody works on it."""

    folder: str
    name: str
    kind: str
    standing: Standing
    shards: int
    shards_done: int
    is_running: bool
    is_begun: bool = False  # a calibration that has not come to its end, whatever parts are done

    @property
    def state(self) -> str:
        """running, done, done with failures, or stopped."""
        if self.is_running:
            return "running"
        if self.is_begun or self.shards_done < self.shards:
            return "stopped, a second call goes on"
        return "done, with failures" if self.standing.failed else "done"


def status(path: str | Path) -> Status:
    """How far the study in a folder is.

    Raises
    ------
    MissingFileError
        If there is no study.
    """
    folder = Folder(Path(path))
    runs = folder.runs_by_shard()
    done, failed, running = folder.done(runs), folder.failed_by_shard(), folder.is_held
    finished = sum(runs[shard] for shard in done)
    said = folder.provenance
    calibrates = said["kind"] == "calibrate"
    is_begun = calibrates and not (folder.path / MANIFEST).is_file()
    standing = Standing(
        total=_most_runs(folder) if is_begun or (calibrates and running) else sum(runs.values()),
        done=finished,
        failed=sum(number for shard, number in failed.items() if shard in done),
        seconds_left=_seconds_left(folder, runs, done) if running else None,
    )
    return Status(
        str(path), said["study"], said["kind"], standing, len(runs), len(done), running, is_begun
    )  # fmt: skip


def _most_runs(folder: Folder) -> int:
    """A calibration ends with so many runs at the latest."""
    spec = study_in(folder).spec
    assert isinstance(spec, CalibrateSpec)
    return spec.max_runs


def _seconds_left(folder: Folder, runs: Mapping[int, int], done: set[int]) -> float | None:
    """At the pace of the last parts; not known before there are two."""
    times = sorted(
        (file.stat().st_mtime, runs[shard])
        for shard in done
        for table in ("summary", "failures")
        if (file := folder.part(table, shard)).exists()
    )
    now = time.time()
    recent = [(at, number) for at, number in times if at > now - LOOKED_BACK]
    if len(recent) < 2:
        return None
    pace = sum(number for _, number in recent[1:]) / max(now - recent[0][0], 1e-3)
    return (sum(runs.values()) - sum(runs[shard] for shard in done)) / pace
