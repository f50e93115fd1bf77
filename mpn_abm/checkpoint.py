"""The state of a run in a file, from which another process goes on with the same bits."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

import mpn_abm
from mpn_abm.array_file import Damaged, read_arrays, write_arrays
from mpn_abm.batch import Batch
from mpn_abm.compile.program import Program
from mpn_abm.effort import Effort
from mpn_abm.errors import SimulationError, UsageError
from mpn_abm.files import CHECKPOINT, CHECKPOINT_BEFORE, replaced
from mpn_abm.kernels.compiler import cache_folder
from mpn_abm.recorder import Recorder
from mpn_abm.scenario.differences import differences
from mpn_abm.scenario.resolved import as_file
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.underway import arrays_of, underway_of

_MARROWS, _RECORDED = "marrows/", "recorded/"


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds.

    Attributes
    ----------
    replicates : list of int
        Those of the batch that was being stepped; the ones before them are done, the ones after have not begun.
    day : float
        At which the slowest of them stands.
    effort : Effort
        Until it was saved.
    """

    replicates: list[int]
    day: float
    effort: Effort
    arrays: Mapping[str, np.ndarray]

    def batch(self, program: Program, replicates: Sequence[int], threads: int) -> Batch:
        """The batch as it stood; UsageError if it was one of other replicates."""
        if self.replicates != list(replicates):
            raise UsageError("the run was begun with another number of replicates")
        return Batch(program, self.replicates, threads, underway_of(program, _within(_MARROWS, self.arrays)))

    def recorder(self, program: Program, run_id: str) -> Recorder:
        """A recorder with all that had been taken."""
        recorder = Recorder(program, run_id)
        recorder.take_over(_within(_RECORDED, self.arrays))
        return recorder


class Checkpoints:
    """Where the state of a run is saved and when, and who has asked the run to stop.

    Parameters
    ----------
    folder : path
        Is made if need be; holds the newest checkpoint and the one before.
    every_minutes : float, optional
        The state is saved that often; unless said, only when the run is asked to stop.
    resume : bool
        Go on from what the folder holds.
    tell : callable, optional
        Told in a sentence what was read and saved.
    """

    def __init__(
        self, folder: str | Path, every_minutes: float | None = None, resume: bool = False,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        if every_minutes is not None and not every_minutes > 0.0:
            raise UsageError(f"every_minutes: {every_minutes!r}: expected more than 0")
        self.folder, self.resume = Path(folder), resume
        self._every_seconds = None if every_minutes is None else 60.0 * every_minutes
        self._tell = tell
        self._latest: float | None = None  # moment of the last one, None before the first step
        self._asked: type[BaseException] | None = None
        self._newest_is_whole = True

    # ---- saving

    def stop(self, kind: type[BaseException]) -> None:
        """Ask the run to save its state as soon as a step allows it, and to raise this exception.

        Before the first step, and when asked again, it is raised at once and nothing is saved.
        """
        if self._asked is not None or self._latest is None:
            raise kind(f"{self.folder}: stopped, and nothing was saved now")
        self._asked = kind

    def pass_by(self, scenario: Scenario, batch: Batch, recorder: Recorder, effort: Effort) -> None:
        """Save the state where that is due or somebody asked for it; called between two steps.

        Raises
        ------
        SimulationError
            If it cannot be written.
        """
        now = time.monotonic()
        self._latest = now if self._latest is None else self._latest
        is_due = self._every_seconds is not None and now - self._latest >= self._every_seconds
        if not is_due and self._asked is None:
            return
        day = self._save(scenario, batch, recorder, effort)
        self._latest = time.monotonic()
        if self._asked is not None:
            raise self._asked(
                f"{self.folder}: stopped on day {day:g}; the same command with --resume goes on from there"
            )

    def _save(self, scenario: Scenario, batch: Batch, recorder: Recorder, effort: Effort) -> float:
        program = batch.program
        going = batch.ended == 0
        day = float((batch.reached[going] if going.any() else batch.reached).min() * program.timetable.step)
        header = {
            "program": _this_program(),
            "rules_sha256": _digest_of(program),
            "scenario": as_file(scenario.spec),
            "replicates": batch.replicates.tolist(),
            "day": day,
            "effort": effort._asdict(),
        }
        arrays = _named(_MARROWS, arrays_of(program, batch.underway)) | _named(_RECORDED, recorder.arrays())
        self.folder.mkdir(parents=True, exist_ok=True)
        # one that is damaged does not take the place of the one before it
        before = self.folder / CHECKPOINT_BEFORE if self._newest_is_whole else None
        replaced(self.folder / CHECKPOINT, lambda file: write_arrays(file, header, arrays), before)
        self._newest_is_whole = True
        return day

    def discard(self) -> None:
        """Remove the checkpoints of a run that is done, or that is begun anew."""
        for name in (CHECKPOINT, CHECKPOINT_BEFORE):
            (self.folder / name).unlink(missing_ok=True)

    # ---- going on

    def read(self, scenario: Scenario, program: Program) -> Saved:
        """The newest checkpoint that is whole.

        Raises
        ------
        UsageError
            If there is none, or it belongs to another scenario or another version of the program.
        SimulationError
            If all that are there are damaged.
        """
        header, arrays = self._newest()
        self._refuse_what_differs(header, scenario, program)
        effort = Effort(**header["effort"])
        saved = Saved(header["replicates"], header["day"], effort._replace(resumed=effort.resumed + 1), arrays)
        self._tell(f"{self.folder}: goes on from day {saved.day:g}")
        return saved

    def _newest(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        wrong = []
        for name in (CHECKPOINT, CHECKPOINT_BEFORE):
            try:
                found = read_arrays(self.folder / name)
            except FileNotFoundError:
                continue
            except Damaged as error:
                wrong.append(f"{self.folder / name}: {error}")
                continue
            if wrong:
                self._newest_is_whole = False
                self._tell(f"{wrong[0]}; goes on from the one before it")
            return found
        if wrong:
            raise SimulationError("\n".join([*wrong, "the run can only be begun anew, with --overwrite"]))
        raise UsageError(f"{self.folder}: no checkpoint to go on from; without --resume the run begins anew")

    def _refuse_what_differs(self, header: dict[str, Any], scenario: Scenario, program: Program) -> None:
        other = next(differences(header["scenario"], as_file(scenario.spec)), None)
        if other is not None:
            raise UsageError(f"{self.folder}: was begun with another scenario: {other} now")
        if header["program"] != _this_program():
            was, now = header["program"], _this_program()
            raise UsageError(
                f"{self.folder}: was begun by another program: {was}, this is {now}; the bits could differ"
            )
        if header["rules_sha256"] != _digest_of(program):
            raise UsageError(
                f"{self.folder}: was begun by a program that takes the same scenario to mean other numbers"
            )


def _this_program() -> str:
    """The version, and a digest of kernels, numba, numpy and Python."""
    return f"mpn_abm {mpn_abm.__version__}, kernels {cache_folder().name}"


def _digest_of(program: Program) -> str:
    """Digest of every number that the kernels are told, and of what is recorded when."""
    digest = sha256()

    def add(value: Any) -> None:
        if isinstance(value, tuple):
            for one in value:
                add(one)
            return
        array = np.asarray(value)
        digest.update(f"{array.dtype.str}{array.shape}".encode() + array.tobytes())

    table = program.timetable
    add((program.rules, program.start, program.sizes, table.steps, table.rows, table.snapshots, *table.arrivals))
    digest.update(json.dumps([column.name for column in program.layout.table]).encode())
    return digest.hexdigest()


def _named(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{prefix}{name}": array for name, array in arrays.items()}


def _within(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
