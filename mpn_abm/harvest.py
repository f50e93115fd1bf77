"""Many short runs of different scenarios: each leaves arrays, and tables are made of all together."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from mpn_abm.batch import Batch
from mpn_abm.columns import Layout
from mpn_abm.compile.program import Program, compile_scenario
from mpn_abm.estimate import memory_of_batch, refuse_if_too_large
from mpn_abm.recorder import Recorder
from mpn_abm.rows import Ends, Rows, joined, summary_of, trajectory_of
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.scenario.schema import Output
from mpn_abm.simulate import replicates_together
from mpn_abm.stepping import drive

_NO_OTHER_TABLES = Output(clones=False, events=False, snapshots=False)


@dataclass
class Spent:
    """What runs took: seconds of stepping, candidates drawn, and those that changed a site."""

    seconds: float = 0.0
    candidates: int = 0
    events: int = 0


class Harvest:
    """Trajectories and summaries of runs, which have the bits that ``mpn_abm.run`` gives them."""

    def __init__(self) -> None:
        self._parts: dict[Layout, list[tuple[Rows, Ends]]] = {}
        self._memory = 0
        self.spent = Spent()

    def run(self, scenario: Scenario, run_ids: Sequence[str], replicates: Sequence[int] = (0,)) -> None:
        """Run replicates of a scenario on one thread and keep what they leave.

        Parameters
        ----------
        scenario : Scenario
            Its ``replicates`` and ``output`` do not matter here.
        run_ids : texts
            What the runs are called in the tables.
        replicates : numbers
            Of the runs, ascending; each sets the seed as in a run of all of them.

        Raises
        ------
        ResourceError
            If the machine has too little memory.
        SimulationError
            If a value that is no number appears; nothing of these runs is kept.
        """
        program = compile_scenario(scenario.spec.model_copy(update={"output": _NO_OTHER_TABLES}))
        together = replicates_together(program, len(replicates))
        self._refuse_if_too_large(program, together, len(replicates))
        recorder = Recorder(program, "")
        for first in range(0, len(replicates), together):
            start = time.perf_counter()
            batch = Batch(program, replicates[first : first + together])
            drive(batch, recorder, (), _nobody_hears)
            self.spent.seconds += time.perf_counter() - start
            recorder.finish(batch)
            self.spent.candidates += batch.candidates
            self.spent.events += batch.events
        ends = recorder.ends()._replace(run_id=np.array([*run_ids], object))
        self._parts.setdefault(program.layout, []).append((recorder.rows(), ends))

    def tables(self, name: Literal["trajectory", "summary"]) -> list[pa.Table]:
        """A table for each set of columns that runs have, with its runs in their order."""
        make = {"trajectory": trajectory_of, "summary": summary_of}[name]
        return [make(layout, *joined(parts)) for layout, parts in self._parts.items()]

    def _refuse_if_too_large(self, program: Program, together: int, replicates: int) -> None:
        # the machine is asked only about what is larger than all that has fitted
        needed = memory_of_batch(program, together)
        if needed > self._memory:
            refuse_if_too_large(program, together, replicates)
            self._memory = needed


def _nobody_hears(_boundary: float) -> None:
    """Progress within a run that is over in no time."""
