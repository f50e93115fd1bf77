"""Have the kernels of a study compiled before several processes need them at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mpn_abm.compile.program import Program, compile_scenario
from mpn_abm.kernels.compiler import is_compiled
from mpn_abm.simulate import kernels_of, warm_up
from mpn_abm.studies.folder import Folder
from mpn_abm.studies.harvesting import scenario_of, seeded
from mpn_abm.studies.shard import study_in


def warm(folder: str) -> None:
    """Compile what the first runs of every arm call, unless it is in the cache."""
    for program, number in _first_programs(Folder(Path(folder))):
        if not is_compiled(kernels_of(program, number, 1)):
            warm_up(program, number, 1)


def is_warm(folder: str) -> bool:
    """Whether nothing has to be compiled, as far as a look at the cache tells."""
    programs = _first_programs(Folder(Path(folder)))
    return all(is_compiled(kernels_of(program, number, 1)) for program, number in programs)


def _first_programs(place: Folder) -> Iterator[tuple[Program, int]]:
    """A program of each arm, alone and with others as the plan has it: these have compiled entries of their own."""
    plan = place.plan()
    study = study_in(place)
    together = plan.groupby(["shard", "arm", "parameters"], dropna=False).size()
    for _, row in plan.drop_duplicates("arm").iterrows():
        program = compile_scenario(seeded(scenario_of(study, row), int(row["seed"])).spec)
        for number in sorted({min(int(size), 2) for size in together}):
            yield program, number
