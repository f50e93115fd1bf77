"""Run a scenario: compile it, step its marrows, take what they leave."""

import math
import resource
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from operator import index
from os import PathLike
from typing import Any

from mpn_abm.batch import Batch
from mpn_abm.checkpoint import Checkpoints
from mpn_abm.compile.program import Program, compile_scenario
from mpn_abm.effort import Effort, Meter
from mpn_abm.errors import UsageError
from mpn_abm.estimate import memory_of_batch, refuse_if_too_large
from mpn_abm.files import digest_of
from mpn_abm.kernels.compiler import threads_available
from mpn_abm.mechanisms.schedule import run_days, run_days_striped, run_replicates
from mpn_abm.mechanisms.start import arrive, begin, begin_replicates
from mpn_abm.recorder import Recorder
from mpn_abm.result import Result
from mpn_abm.scenario.claim_columns import refuse_missing_columns
from mpn_abm.scenario.scenario import Scenario, load
from mpn_abm.scenario.schema import MOST_REPLICATES
from mpn_abm.stepping import Observer, drive

# replicates that are stepped together: enough to keep the threads busy, few enough for the memory
MOST_TOGETHER = 2048
MEMORY_TOGETHER = 512 * 2**20


def run(
    scenario: Scenario | str | PathLike[str] | Mapping[str, Any],
    *,
    replicates: int | None = None,
    threads: int = 1,
    observers: Iterable[Observer] = (),
    progress: Callable[[float], None] | None = None,
    watch: Callable[[Batch], None] | None = None,
    checkpoints: Checkpoints | None = None,
) -> Result:
    """Run a scenario.

    Parameters
    ----------
    scenario : Scenario, path, text or mapping
        What ``mpn_abm.load`` returned, or what it takes.
    replicates : int, optional
        Runs with different random numbers; the scenario's own number unless said.
    threads : int
        Replicates are stepped side by side; a single marrow is cut into stripes. The result has the same bits for
        any number, which is at most that of the machine.
    observers : callables
        Each is called with the state and the day at every recorded day; the mapping it returns becomes columns of
        the trajectory. Observers look and do not touch.
    progress : callable, optional
        Told the share of the work that is done, now and then.
    watch : callable, optional
        Shown the batch as it stands, right before ``progress`` is told. It looks and does not touch.
    checkpoints : Checkpoints, optional
        Saves the state of the run and goes on from one that was saved, with the same bits. Not with observers, whose
        state nobody knows.

    Returns
    -------
    Result

    Raises
    ------
    ScenarioError
        As ``mpn_abm.load``.
    UsageError
        If an argument is not as above, or an observer returns something else.
    ResourceError
        If the machine has too little memory.
    SimulationError
        If a value that is no number appears, or a checkpoint cannot be written or read.
    """
    meter = Meter()
    scenario = scenario if isinstance(scenario, Scenario) else load(scenario)
    number = scenario.spec.replicates if replicates is None else _whole("replicates", replicates, MOST_REPLICATES)
    threads = _whole("threads", threads, threads_available())
    program = prepared(scenario, number)
    together = replicates_together(program, number)
    _refuse_claims_without_columns(scenario, program)
    if not isinstance(observers, Iterable):
        raise UsageError(f"observers: expected a list of functions, not a {type(observers).__name__}")
    observers = tuple(observers)
    if observers and checkpoints is not None:
        raise UsageError("checkpoints: expected a run without observers, whose state is not in a checkpoint")
    run_id = scenario.sha256[:16]
    saved = checkpoints.read(scenario, program) if checkpoints is not None and checkpoints.resume else None
    recorder, begun = Recorder(program, run_id), 0
    if saved is not None:
        recorder, begun = saved.recorder(program, run_id), saved.replicates[0]
        meter.before = saved.effort

    def save(batch: Batch) -> None:
        if checkpoints is not None:
            checkpoints.pass_by(scenario, batch, recorder, meter.so_far())

    with meter.compiling():
        warm_up(program, number, threads)
    for first in range(begun, number, together):
        members = range(first, min(first + together, number))
        with meter.stepping():
            batch = Batch(program, members, threads) if saved is None else saved.batch(program, members, threads)
            saved = None
            drive(batch, recorder, observers, _teller(progress, watch, save, batch, number))
        recorder.finish(batch)
        meter.count(batch.candidates, batch.events)
    return _result(scenario, recorder, meter.so_far)


def prepared(scenario: Scenario, replicates: int) -> Program:
    """The compiled scenario; ResourceError if the machine has too little memory for a run of it."""
    program = compile_scenario(scenario.spec)
    refuse_if_too_large(program, replicates_together(program, replicates), replicates)
    return program


def _refuse_claims_without_columns(scenario: Scenario, program: Program) -> None:
    said = scenario.comparison
    mine = {name: claim for name, claim in said.expect.items() if claim.is_on_one_arm and claim.arm == scenario.arm}
    where = "this run" if scenario.arm is None else f"the arm {scenario.arm}"
    refuse_missing_columns(mine, said.endpoints, {column.name for column in program.layout.table}, where)


def replicates_together(program: Program, number: int) -> int:
    """Replicates whose marrows are in memory at the same time."""
    if number == 1:
        return 1
    fitting = max(1, MEMORY_TOGETHER // memory_of_batch(program, 1))
    return min(number, fitting, MOST_TOGETHER)


def _whole(name: str, value: int, most: int) -> int:
    with suppress(TypeError):
        if 1 <= index(value) <= most:
            return index(value)
    raise UsageError(f"{name}: {value!r}: expected a whole number from 1 to {most}")


def kernels_of(program: Program, replicates: int, threads: int) -> set[str]:
    """The compiled entries that a run calls."""
    return {name for size in _sizes(program, replicates) for name in Batch.kernels_of(program, size, threads)}


def _sizes(program: Program, replicates: int) -> set[int]:
    """How many marrows a batch can have; the last holds what is left over, which may be a single one."""
    together = replicates_together(program, replicates)
    return {together, replicates % together} - {0}


def warm_up(program: Program, replicates: int, threads: int) -> None:
    """Compile, or fetch from the cache, what a run calls and this process has not called yet."""
    entries = (begin, begin_replicates, arrive, run_days, run_days_striped, run_replicates)
    by_name = {entry.__name__: entry for entry in entries}
    # the types are those of every program
    if all(by_name[name].overloads for name in kernels_of(program, replicates, threads)):
        return
    for size in _sizes(program, replicates):
        for name, types in Batch.types_of(program, size, threads).items():
            by_name[name].compile(types)


def _teller(
    progress: Callable[[float], None] | None,
    watch: Callable[[Batch], None] | None,
    save: Callable[[Batch], None],
    batch: Batch,
    number: int,
) -> Callable[[float], None]:
    def tell(boundary: float) -> None:
        if watch is not None:
            watch(batch)
        if progress is not None:
            progress((int(batch.replicates[0]) + len(batch) * boundary / batch.program.timetable.steps) / number)
        save(batch)

    return tell


def _result(scenario: Scenario, recorder: Recorder, so_far: Callable[[], Effort]) -> Result:
    output = scenario.spec.output
    summary = recorder.summary()
    tables = {"trajectory": recorder.trajectory()}
    if output.clones:
        tables["clones"] = recorder.clones()
    if output.events:
        tables["events"] = recorder.events()
    if output.snapshots:
        tables["snapshots"] = recorder.snapshots()
    if output.summary:
        tables["summary"] = summary
    reasons = Counter(summary.column("end_reason").to_pylist())
    days = summary.column("end_day").to_numpy()
    steps = round(days.sum() / recorder.program.timetable.step)
    facts = {
        "status": "done",
        "name": scenario.spec.name,
        "end_reason": reasons.most_common(1)[0][0],
        "end_reasons": dict(reasons),
        "end_day": float(days.max()),
        "replicates": len(days),
        "seed": scenario.spec.seed,
        "scenario_sha256": scenario.sha256,
        "trajectory_sha256": digest_of(tables["trajectory"]),
        "peak_memory_mb": peak_memory_mb(),
        "site_steps": steps * math.prod(scenario.spec.marrow.shape),
        **so_far()._asdict(),
    }
    return Result(scenario, tables, facts)


def peak_memory_mb() -> float:
    """Highest memory of this process so far."""
    try:
        # what getrusage says on Linux can be the memory of the process that started this one
        with open("/proc/self/status", encoding="ascii") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 2**10
    except (OSError, StopIteration):
        unit = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
