"""Memory, disk and time of a run, told before anything is allocated."""

import os
from dataclasses import dataclass

from mpn_abm.compile.program import Program, most_candidates
from mpn_abm.errors import ResourceError
from mpn_abm.state import bytes_of

# measured on two cores of an AMD EPYC; benchmarks/README.md says how
SECONDS_PER_CANDIDATE = 15e-9
SECONDS_PER_AGENT_STEP = 120e-9
SECONDS_PER_BLOCK_UPDATE = 10e-9
# compressed bytes, from runs of the scenarios of this repository
BYTES_PER_VALUE = 5.0
BYTES_PER_SNAPSHOT_SITE = 6.0
# what the program holds besides the marrows: interpreter, libraries, compiled code
BASE_MEMORY = 400 * 2**20


@dataclass(frozen=True)
class Estimate:
    """What a run is going to take; time on one thread."""

    memory_bytes: float
    disk_bytes: float
    seconds: float
    site_steps: float
    candidates: float


def memory_of_batch(program: Program, together: int) -> int:
    """Bytes of the arrays of marrows that are stepped together."""
    return together * bytes_of(program.rules.lattice, program.sizes)


def estimate(program: Program, together: int, replicates: int) -> Estimate:
    """Estimate a run of ``replicates``, ``together`` in memory at a time."""
    rules, timetable = program.rules, program.timetable
    sites = rules.lattice.sites
    steps = timetable.steps * replicates
    usual = most_candidates(rules) / (1.0 + rules.cells.regeneration)
    candidates = usual * sites * steps
    values = len(timetable.rows) * rules.places.width * replicates
    snapshot_sites = len(timetable.snapshots) * sites * replicates if program.spec.output.snapshots else 0
    updates = steps / rules.scar.every * rules.lattice.blocks if rules.scar.enabled else 0
    most_agents = rules.car_t.capacity * rules.car_t.marrow_cells / rules.car_t.cells_per_agent
    agent_steps = 0.02 * min(most_agents, sites) * rules.car_t.sub_steps * steps if rules.car_t.enabled else 0
    clone_rows = 12 * len(timetable.rows) * replicates if program.spec.output.clones else 0
    return Estimate(
        memory_bytes=BASE_MEMORY
        + memory_of_batch(program, together)
        + _placing_memory(sites)
        + 3 * 8 * (values + 5 * clone_rows)
        + 60 * snapshot_sites,
        disk_bytes=BYTES_PER_VALUE * (values + clone_rows) + BYTES_PER_SNAPSHOT_SITE * snapshot_sites,
        seconds=SECONDS_PER_CANDIDATE * candidates
        + SECONDS_PER_AGENT_STEP * agent_steps
        + SECONDS_PER_BLOCK_UPDATE * updates,
        site_steps=float(sites) * steps,
        candidates=candidates,
    )


def _placing_memory(sites: int) -> int:
    """Scratch of day 0: free sites, their keys and their order."""
    return 4 * 8 * sites


def memory_available() -> int | None:
    """Bytes of memory that this machine can still give, if it tells."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return None


def refuse_if_too_large(program: Program, together: int, replicates: int) -> None:
    """ResourceError if a run needs more memory than there is."""
    needed = estimate(program, together, replicates).memory_bytes
    available = memory_available()
    if available is not None and needed > available:
        shape = " x ".join(map(str, program.spec.marrow.shape))
        raise ResourceError(
            f"marrow.shape: {shape}: needs about {needed / 2**30:.1f} GiB of memory, "
            f"this machine has {available / 2**30:.1f} GiB free"
        )
