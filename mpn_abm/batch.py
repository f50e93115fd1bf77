"""Replicates of one scenario, stepped side by side: the marrows, how far they are, and room to grow."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import numba
import numpy as np

from mpn_abm.arrays import Sizes, lengthened, stack
from mpn_abm.compile.program import Program, most_candidates
from mpn_abm.kernels.compiler import threads_available, type_of
from mpn_abm.kernels.draws import replicate_seed
from mpn_abm.mechanisms.hematopoiesis.rules import BIRTH_DEATH
from mpn_abm.mechanisms.hematopoiesis.stripes import StripeRoom
from mpn_abm.mechanisms.schedule import (
    AGENTS_FULL,
    CLONES_FULL,
    DONE,
    LOG_FULL,
    ROWS_FULL,
    STRIPES_SHORT,
    TABLE_SHORT,
    run_days,
    run_days_striped,
    run_replicates,
)
from mpn_abm.mechanisms.start import arrive, begin, begin_replicates
from mpn_abm.state import (
    CANDIDATES,
    CLONE_ROWS,
    DEAD_STEP,
    ENDED,
    EVENTS,
    LOGGED,
    LOST_STEP,
    ROWS,
    MarrowState,
    marrow_of,
)
from mpn_abm.underway import Underway, empty

# a call into the compiled loop comes back after about this long, for progress and Ctrl-C
SECONDS_PER_CALL = 0.25
# of a candidate or a block, and a hundredth of what else a step takes, with room to spare
SECONDS_AT_MOST = 100e-9
# below this many candidates a step, two threads take longer than one (docs/decisions/0002)
CANDIDATES_TO_SHARE = 5000


def seeds_of(seed: int, replicates: Iterable[int]) -> np.ndarray:
    """uint64: seed of each replicate; replicate 0 has the scenario's own."""
    return np.array([int(replicate_seed(np.uint64(seed), k)) for k in replicates], np.uint64)


def keys_of(seeds: np.ndarray) -> np.ndarray:
    """uint32[n, 2]: the two halves of each seed, low first."""
    return np.stack([seeds & np.uint64(0xFFFFFFFF), seeds >> np.uint64(32)], axis=1).astype(np.uint32)


class Batch:
    """Marrows of the same program with different seeds.

    Parameters
    ----------
    program : Program
    replicates : sequence of int
        Numbers of the replicates.
    threads : int
        More than one steps replicates side by side; a single marrow is cut into as many stripes.
    underway : Underway, optional
        Marrows of these replicates to go on with; those of day 0 unless said.
    """

    def __init__(
        self, program: Program, replicates: Iterable[int], threads: int = 1, underway: Underway | None = None
    ) -> None:
        self.program = program
        self.replicates = np.array(list(replicates), np.int64)
        self.threads = threads
        self.seeds = seeds_of(program.spec.seed, self.replicates.tolist())
        self.keys = keys_of(self.seeds)
        there = underway or empty(program, len(self.replicates))
        self.sizes, self.stack, self.reached, self.departed, self.towards = there
        self._needs = np.zeros(len(self.replicates), np.int64)
        self._room: StripeRoom | None = None
        self._steps_per_call = _first_steps(program, len(self.replicates))
        if self.threads > 1 or not self.is_single:
            numba.set_num_threads(min(self.threads, threads_available()))
        if underway is None:
            self._begin()

    @staticmethod
    def kernels_of(program: Program, together: int, threads: int = 1) -> set[str]:
        """The compiled entries that a batch calls."""
        # only a scenario with later clones calls it
        late = {"arrive"} if program.timetable.arrivals else set()
        if together > 1:
            return late | {"begin_replicates", "run_replicates"}
        return late | {"begin", "run_days_striped" if pays_to_cut(program, threads) else "run_days"}

    @staticmethod
    def types_of(program: Program, together: int, threads: int = 1) -> dict[str, tuple[Any, ...]]:
        """Argument types of the compiled entries, from a marrow of the same program that is too small to matter."""
        lattice = program.rules.lattice._replace(sites=1, blocks=1)
        marrows = stack(1, lattice, Sizes(*([1] * len(Sizes._fields))))
        key = (numba.uint32, numba.uint32)
        rules, start = type_of(program.rules), type_of(program.start)
        marrow = type_of(marrow_of(marrows, 0))
        # only a scenario with later clones calls it
        late = {"arrive": (numba.int64, marrow, rules, start, numba.int64, *key)} if program.timetable.arrivals else {}
        if together == 1:
            days = (marrow, rules, numba.int64, numba.int64, *key)
            started = late | {"begin": (marrow, rules, start, *key)}
            if not pays_to_cut(program, threads):
                return started | {"run_days": days}
            room = type_of(StripeRoom(marrow_of(marrows, 0), lattice, threads, 1).arrays())
            return started | {"run_days_striped": (*days, room, numba.int64, numba.int64)}
        groups = tuple(type_of(group) for group in (*marrows, *program.rules))
        numbers = numba.types.Array(numba.int64, 1, "C")
        keys = numba.types.Array(numba.uint32, 2, "C")
        return late | {
            "begin_replicates": (*groups, start, keys),
            "run_replicates": (*groups, numbers, numbers, numba.int64, keys),
        }

    def __len__(self) -> int:
        return len(self.replicates)

    def marrow(self, k: int) -> MarrowState:
        """Views of the arrays of the k-th marrow."""
        return marrow_of(self.stack, k)

    @property
    def is_single(self) -> bool:
        """Whether there is one marrow, which may then use all threads itself."""
        return len(self) == 1

    @property
    def ended(self) -> np.ndarray:
        """int64[n]: why each run ended, 0 while it goes on."""
        return np.asarray(self.stack.tally[:, ENDED])

    @property
    def gone(self) -> np.ndarray:
        """bool[n]: whether the patient died before the boundary at which the marrow stands."""
        died = self.stack.tally[:, DEAD_STEP]
        return np.asarray((died > 0) & (died < self.reached))

    @property
    def candidates(self) -> int:
        """Candidates drawn so far, over all marrows."""
        return int(self.stack.tally[:, CANDIDATES].sum())

    @property
    def events(self) -> int:
        """Candidates that changed a site so far, over all marrows."""
        return int(self.stack.tally[:, EVENTS].sum())

    @property
    def underway(self) -> Underway:
        """The marrows as they stand, with which another batch can go on."""
        return Underway(self.sizes, self.stack, self.reached, self.departed, self.towards)

    def _begin(self) -> None:
        if self.is_single:
            begin(self.marrow(0), self.program.rules, self.program.start, *self.keys[0])
        else:
            begin_replicates(*self.stack, *self.program.rules, self.program.start, self.keys)

    def arrive(self, clone: int, boundary: int) -> None:
        """Founder number ``clone`` (from 0) arrives in every marrow that still runs, but for those of the dead."""
        for k in range(len(self)):
            if self.ended[k] == 0 and self.stack.tally[k, DEAD_STEP] == 0:
                arrive(clone, self.marrow(k), self.program.rules, self.program.start, boundary, *self.keys[k])

    def advance(self, until: int, flush: Callable[[], None], tell: Callable[[float], None]) -> None:
        """Step every marrow to a boundary, or to its end.

        Parameters
        ----------
        flush : callable
            Takes the rows; called when their block is full.
        tell : callable
            Told the mean boundary reached, every now and then.
        """
        if until > self.towards:
            self.departed, self.towards = self.reached.copy(), until
        while True:
            open_ones = (self.reached < until) & (self.ended == 0)
            if not open_ones.any():
                return
            start = time.perf_counter()
            before = self.reached[open_ones].sum()
            self._step(min(until, int(self.reached[open_ones].min()) + self._steps_per_call))
            steps = (self.reached[open_ones].sum() - before) / open_ones.sum()
            self._pace(time.perf_counter() - start, steps)
            for need in set(self._needs[open_ones].tolist()) - {DONE}:
                self._make_room(need, flush)
            tell(float(self.reached.mean()))

    def _pace(self, seconds: float, steps: float) -> None:
        if steps >= 1.0:
            pace = max(seconds, 1e-6) / steps
            self._steps_per_call = int(min(max(1.0, SECONDS_PER_CALL / pace), 4 * self._steps_per_call))

    def _step(self, until: int) -> None:
        rules = self.program.rules
        if not self.is_single:
            run_replicates(*self.stack, *rules, self.reached, self._needs, until, self.keys)
        elif pays_to_cut(self.program, self.threads):
            self._step_striped(until)
        else:
            reached, need = run_days(self.marrow(0), rules, int(self.reached[0]), until, *self.keys[0])
            self.reached[0], self._needs[0] = reached, need

    def _step_striped(self, until: int) -> None:
        marrow, rules = self.marrow(0), self.program.rules
        if self._room is None or self._room.clone_capacity < len(marrow.clone_table):
            expected = most_candidates(rules) / (1.0 + rules.cells.regeneration) * rules.lattice.sites
            self._room = StripeRoom(marrow, rules.lattice, self.threads, int(1.5 * expected) + 1024)
        room = self._room
        reached, need = run_days_striped(
            marrow, rules, int(self.reached[0]), until, *self.keys[0], room.arrays(), room.capacity, room.clone_capacity
        )
        self.reached[0], self._needs[0] = reached, need

    def _make_room(self, need: int, flush: Callable[[], None]) -> None:
        if need == ROWS_FULL:
            flush()
            return
        if need == STRIPES_SHORT:
            assert self._room is not None
            lattice = self.program.rules.lattice
            self._room = StripeRoom(self.marrow(0), lattice, self.threads, 2 * self._room.capacity)
            return
        sizes = self.sizes
        grown = {
            LOG_FULL: {"log": 2 * sizes.log},
            CLONES_FULL: {"clones": 2 * sizes.clones, "clone_rows": 2 * sizes.clone_rows},
            AGENTS_FULL: {"agents": 2 * sizes.agents},
            TABLE_SHORT: {"poisson": 2 * sizes.poisson},
        }[need]
        self._grow(sizes._replace(**grown))

    def _grow(self, sizes: Sizes) -> None:
        """Lengthen the arrays that are too short; a new clone row is not lost."""
        clones = self.stack.clone_table.shape[1]
        self.sizes = sizes
        self.stack = lengthened(self.stack, self.program.rules.lattice, sizes)
        self.stack.clone_table[:, clones:, LOST_STEP] = -1

    def take_rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Replicate index, boundary and values of all rows in the blocks, which are emptied."""
        record, tally = self.stack.record, self.stack.tally
        there = np.arange(record.rows.shape[1])[None, :] < tally[:, ROWS][:, None]
        replicate = np.nonzero(there)[0]
        taken = replicate, record.row_at[there], record.rows[there]
        tally[:, ROWS] = 0
        return taken

    def newest_rows(self) -> np.ndarray:
        """float64[n, columns]: the newest row of each marrow that has one in its block; they stay there."""
        last = self.stack.tally[:, ROWS] - 1
        there = np.flatnonzero(last >= 0)
        newest: np.ndarray = self.stack.record.rows[there, last[there]]
        return newest

    def take_clone_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Replicate index and (boundary, clone, cells) of all clone rows in the blocks, which are emptied."""
        record, tally = self.stack.record, self.stack.tally
        there = np.arange(record.clone_rows.shape[1])[None, :] < tally[:, CLONE_ROWS][:, None]
        taken = np.nonzero(there)[0], record.clone_rows[there]
        tally[:, CLONE_ROWS] = 0
        return taken

    def take_log(self) -> list[np.ndarray]:
        """Log entries of each marrow since the last call."""
        logged = self.stack.tally[:, LOGGED]
        taken = [self.stack.record.log[k, : logged[k]].copy() for k in range(len(self))]
        self.stack.tally[:, LOGGED] = 0
        return taken


def pays_to_cut(program: Program, threads: int) -> bool:
    """Whether a step of a single marrow has enough candidates to be shared among the threads."""
    if threads == 1 or program.rules.cells.update != BIRTH_DEATH:
        return False
    return most_candidates(program.rules) * program.rules.lattice.sites >= CANDIDATES_TO_SHARE


def _first_steps(program: Program, marrows: int) -> int:
    """Steps of the first call, before the pace is known: few where a step can be long."""
    if program.rules.car_t.enabled:
        return 16
    work = program.rules.lattice.sites * most_candidates(program.rules) + program.rules.lattice.blocks
    return int(min(max(16.0, SECONDS_PER_CALL / (SECONDS_AT_MOST * marrows * (100.0 + work))), 1024.0))
