"""Shards as tasks of an array job of SLURM.

The job works on while nobody waits: a second call finds it and waits for it. Ctrl-C cancels it.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from mpn_abm.errors import SimulationError, UsageError
from mpn_abm.studies.executors.options import Options, Told
from mpn_abm.studies.executors.slurm_queue import State, array_size, cancel, refuse_without_slurm, states, submitted
from mpn_abm.studies.executors.slurm_script import FOLDER, script_of, tasks_of
from mpn_abm.studies.outcome import Outcome
from mpn_abm.studies.profile import slurm_options

# seconds between two questions to SLURM, which grow
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
# a shard whose task died so often is given up
MOST_DEATHS = 2
log = logging.getLogger(__name__)


def script(folder: str, shards: Sequence[int], options: Options) -> str:
    """The script that would be submitted."""
    return script_of(folder, tasks_of(shards, options, array_size()), options)


def work(folder: str, shards: Sequence[int], options: Options, told: Told) -> list[Outcome]:
    """Carry out shards as tasks of an array job; those of tasks that died are submitted once more."""
    if not shards:
        return []
    slurm_options(options.slurm)
    refuse_without_slurm()
    from mpn_abm.studies.warming import warm

    # once, before many tasks do it, where they share the folder of compiled code
    warm(folder)
    return _Study(folder, list(shards), options, told).work()


@dataclass(frozen=True)
class Job:
    """An array job: its number, and the shards of each task."""

    number: str
    tasks: list[list[int]]
    retry_failed: bool


@dataclass(frozen=True)
class Death:
    """The end of a task that left shards behind: the first of them, and what SLURM says."""

    shard: int
    state: State
    told: str


class _Study:
    """The shards that are left, and the jobs that work on them."""

    def __init__(self, folder: str, shards: list[int], options: Options, told: Told) -> None:
        self._folder, self._options, self._told = folder, options, told
        self._desk = Path(folder).resolve() / FOLDER
        self._left = dict.fromkeys(shards)
        self._outcomes: list[Outcome] = []

    def work(self) -> list[Outcome]:
        try:
            self._desk.mkdir(exist_ok=True)
        except OSError as error:
            raise SimulationError(f"{self._desk}: cannot be written to: {error.strerror or error}") from error
        if (earlier := self._earlier()) is not None:
            log.warning("SLURM job %s of an earlier call is at work here, this call waits for it", earlier.number)
            self._awaited(earlier)
        deaths: Counter[int] = Counter()
        whole = True
        while self._left:
            before = len(self._left)
            died = self._awaited(self._submitted(whole))
            deaths.update(death.shard for death in died)
            why = {death.shard: death.told for death in died}
            # where nothing at all went well twice, more of it would not either
            hopeless = not whole and len(self._left) == before
            for shard in list(self._left):
                if deaths[shard] >= MOST_DEATHS or (hopeless and died):
                    self._give_up(shard, why.get(shard, died[0].told))
            whole = False
        return self._outcomes

    def _submitted(self, whole: bool) -> Job:
        """Submit what is left; the second time with as few shards in a task as can be."""
        tasks = tasks_of(list(self._left), self._options, array_size(), whole)
        file = self._desk / "array.sh"
        try:
            file.write_text(script_of(self._folder, tasks, self._options))
            job = Job(submitted(file), tasks, self._options.retry_failed)
            self._note.write_text(json.dumps(asdict(job)))
        except OSError as error:
            raise SimulationError(f"{self._desk}: cannot be written to: {error.strerror or error}") from error
        log.warning("SLURM job %s: %d tasks; their logs are in %s", job.number, len(tasks), self._desk)
        return job

    @property
    def _note(self) -> Path:
        return self._desk / "job.json"

    def _earlier(self) -> Job | None:
        """The job of an earlier call, if it is still at work."""
        try:
            job = Job(**json.loads(self._note.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        known = states(job.number, len(job.tasks))
        if known is not None and all(state.has_ended for state in known.values()):
            return None
        if job.retry_failed != self._options.retry_failed:
            told = f"SLURM job {job.number} of an earlier call is at work here with another --retry-failed"
            raise UsageError(f"{told}: wait for it, or cancel it with `scancel {job.number}`")
        return job

    def _awaited(self, job: Job) -> list[Death]:
        """Wait until all tasks told the outcomes of their shards, or ended; those that did not."""
        try:
            died = self._watched(job)
        except BaseException:
            cancel(job.number)
            log.warning("SLURM job %s is cancelled; what is done stays, and the same command goes on", job.number)
            raise
        finally:
            self._tidy(job)
        if cancelled := [death.told for death in died if death.state.word == "CANCELLED"]:
            # somebody wanted that
            raise SimulationError(f"{cancelled[0]}; what is done stays, and the same command goes on from there")
        return died

    def _watched(self, job: Job) -> list[Death]:
        heard: Counter[int] = Counter()
        pause = FIRST_PAUSE
        while True:
            self._hear(job, heard)
            if not any(shard in self._left for task in job.tasks for shard in task):
                return []
            known = states(job.number, len(job.tasks))
            if known is not None and all(state.has_ended for state in known.values()):
                # what they told after the last look
                self._hear(job, heard)
                return self._deaths(job, known)
            time.sleep(pause)
            pause = min(1.3 * pause, LONGEST_PAUSE)

    def _hear(self, job: Job, heard: Counter[int]) -> None:
        """Read what tasks noted since the last time."""
        for number, task in enumerate(job.tasks):
            if heard[number] == len(task):
                continue
            for line in _lines(self._of(job, number, "jsonl"))[heard[number] :]:
                said = json.loads(line)
                if "error" in said:
                    raise SimulationError(said["error"])
                heard[number] += 1
                if said["shard"] in self._left:
                    self._done(Outcome(**said))

    def _deaths(self, job: Job, known: dict[int, State]) -> list[Death]:
        found = []
        for number, task in enumerate(job.tasks):
            left = [shard for shard in task if shard in self._left]
            if left:
                last = _lines(self._of(job, number, "log"))[-2:]
                told = f"SLURM task {job.number}_{number}: {': '.join([str(known[number]), *last])}"
                found.append(Death(left[0], known[number], told))
        return found

    def _give_up(self, shard: int, why: str) -> None:
        from mpn_abm.studies.shard import give_up

        self._done(give_up(self._folder, shard, why))

    def _done(self, outcome: Outcome) -> None:
        del self._left[outcome.shard]
        self._outcomes.append(outcome)
        self._told(outcome)

    def _tidy(self, job: Job) -> None:
        """Leave the logs that say something."""
        for number in range(len(job.tasks)):
            with suppress(OSError):
                self._of(job, number, "jsonl").unlink(missing_ok=True)
                if not (file := self._of(job, number, "log")).stat().st_size:
                    file.unlink()

    def _of(self, job: Job, task: int, kind: str) -> Path:
        return self._desk / f"{job.number}_{task}.{kind}"


def _lines(file: Path) -> list[str]:
    """The whole lines of a file that somebody may be writing; none if it is not there."""
    try:
        text = file.read_text(errors="replace")
    except OSError:
        return []
    return [line for line in text[: text.rfind("\n") + 1].splitlines() if line.strip()]
