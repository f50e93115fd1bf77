"""Memory, disk and time of a run, told before anything is allocated."""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpn_abm.arrays import bytes_of
from mpn_abm.columns import TABLES
from mpn_abm.compile.clock import boundary_at
from mpn_abm.compile.courses import days_of_doses
from mpn_abm.compile.program import Program, most_candidates
from mpn_abm.errors import ResourceError
from mpn_abm.mechanisms.treatment.rules import AGENTS, LEVELS, RATIO, RELATIVE
from mpn_abm.scenario.treatments import CarTCourse, courses_of

# seconds, measured on two cores of an AMD EPYC; benchmarks/README.md says how
SECONDS_PER_STEP = 0.5e-6
SECONDS_PER_CANDIDATE, SECONDS_PER_FAR_CANDIDATE = 15e-9, 28e-9  # the lattice in the cache, or not
SECONDS_PER_AGENT_SUB_STEP = 0.06e-6
SECONDS_PER_BLOCK_UPDATE, SECONDS_PER_DIFFUSION_UPDATE = 10e-9, 50e-9
SECONDS_PER_PLACED_SITE = 0.16e-6
SECONDS_PER_SNAPSHOT_ROW = 0.15e-6
SITES_IN_CACHE = 2**20
# agent-days of one expansion at niche scale, as a multiple of the agents that the marrow can hold
EXPANSION_DAYS = 8.0

# bytes in memory, from peaks of processes of 0.3 to 2.2 GB
BASE_MEMORY = 270 * 2**20  # interpreter, libraries, compiled code
BYTES_PER_PLACED_SITE = 22
BYTES_PER_AGENT = 150
BYTES_PER_VALUE, BYTES_PER_ROW = 16, 45
BYTES_PER_CLONE_ROW = 180
BYTES_PER_SNAPSHOT_ROW, BYTES_PER_SITE_LOOKED_AT = 48, 120

# bytes on disk, compressed, from runs of the scenarios of this repository
DISK_PER_COLUMN, DISK_PER_SEED = 550, 8
DISK_PER_NEW_VALUE = 6.0  # of a column that moves
DISK_PER_BIT_OF_A_COUNT = 0.115  # where the numbers of cells come again and again
DISK_PER_CLONE_ROW = 2.5
DISK_PER_SNAPSHOT_ROW, DISK_PER_MIXED_SITE, DISK_PER_SCAR, DISK_PER_ANTIGEN = 0.1, 0.25, 0.4, 2.5


@dataclass(frozen=True)
class Estimate:
    """What a run is going to take; time on one thread, if nothing ends it early."""

    memory_bytes: float
    disk_bytes: float
    seconds: float
    site_steps: float
    candidates: float


def estimate(program: Program, together: int, replicates: int) -> Estimate:
    """Estimate a run of ``replicates``, ``together`` in memory at a time."""
    steps = program.timetable.steps * replicates
    sites = program.rules.lattice.sites
    usual = most_candidates(program.rules) / (1.0 + program.rules.cells.regeneration)
    candidates = usual * sites * steps
    return Estimate(
        memory_bytes=_memory(program, together, replicates),
        disk_bytes=_disk(program, replicates),
        seconds=_seconds(program, replicates, candidates),
        site_steps=float(sites) * steps,
        candidates=candidates,
    )


def memory_of_batch(program: Program, together: int) -> int:
    """Bytes of the arrays of marrows that are stepped together."""
    return together * bytes_of(program.rules.lattice, program.sizes)


def _memory(program: Program, together: int, replicates: int) -> float:
    """The marrows, and scratch of day 0 or what has been recorded by the end, whichever is more."""
    sites = program.rules.lattice.sites
    placing = BYTES_PER_PLACED_SITE * sites if len(program.founders) > 1 else 8 * sites
    recorded = sum(_recorded(program, replicates).values())
    recorded += BYTES_PER_AGENT * sum(agents for _, agents in _infusions(program)) * together
    return BASE_MEMORY + memory_of_batch(program, together) + max(placing, recorded)


def _recorded(program: Program, replicates: int) -> dict[str, float]:
    """Bytes of what is kept until the end, by table."""
    rows = len(program.timetable.rows) * replicates
    parts = {
        "trajectory": float(rows * (BYTES_PER_VALUE * program.rules.places.width + BYTES_PER_ROW)),
        "clones": BYTES_PER_CLONE_ROW * _clone_rows(program, replicates),
    }
    snapshot_rows = _snapshot_rows(program, replicates)
    if snapshot_rows:
        looked_at = BYTES_PER_SITE_LOOKED_AT * min(program.rules.lattice.sites, SITES_IN_CACHE)
        parts["snapshots"] = BYTES_PER_SNAPSHOT_ROW * snapshot_rows + looked_at
    return parts


def _disk(program: Program, replicates: int) -> float:
    """A part for every column, whatever the rows, and a part for every value that moves."""
    rows, sites = len(program.timetable.rows) * replicates, program.rules.lattice.sites
    cells, antigen = _founder_cells(program)
    genotypes = set(program.start.genotype.tolist())
    mutant = bool(program.rules.cells.is_mutant[program.start.genotype].any())
    # clones, genotypes, total, two frequencies; and means over many cells
    counts = 2 * len(cells) + len(genotypes) + 1 + 2 * mutant
    means = (antigen > 0) + program.rules.scar.enabled
    per_count = DISK_PER_NEW_VALUE if rows < sites else DISK_PER_BIT_OF_A_COUNT * math.log2(sites)
    output = program.spec.output
    tables = [len(TABLES[table]) for table in TABLES if getattr(output, table)]
    uneven = program.rules.scar.enabled and (program.start.scar > 0.0 or not program.rules.scar.tissue)
    per_site = DISK_PER_SNAPSHOT_ROW + DISK_PER_MIXED_SITE * (len(cells) > 1) + DISK_PER_SCAR * uneven
    return (
        DISK_PER_COLUMN * (len(program.layout.table) + sum(tables))
        + DISK_PER_SEED * replicates * (1 + output.summary)
        + (per_count * counts + DISK_PER_NEW_VALUE * means) * rows
        + DISK_PER_CLONE_ROW * _clone_rows(program, replicates)
        + (per_site + DISK_PER_ANTIGEN * antigen / sites) * _snapshot_rows(program, replicates)
    )


def _seconds(program: Program, replicates: int, candidates: float) -> float:
    rules, sites = program.rules, program.rules.lattice.sites
    steps = program.timetable.steps * replicates
    far = max(1.0, math.sqrt(sites / SITES_IN_CACHE))
    placed = sites * replicates if len(program.founders) > 1 else 0
    updates = steps / rules.scar.every * rules.lattice.blocks if rules.scar.enabled else 0
    return (
        SECONDS_PER_STEP * steps
        + (SECONDS_PER_CANDIDATE if far == 1.0 else SECONDS_PER_FAR_CANDIDATE) * candidates
        + SECONDS_PER_AGENT_SUB_STEP * far * _agent_sub_steps(program) * replicates
        + (SECONDS_PER_DIFFUSION_UPDATE if rules.scar.tissue else SECONDS_PER_BLOCK_UPDATE) * updates
        + SECONDS_PER_PLACED_SITE * far * placed
        + SECONDS_PER_SNAPSHOT_ROW * _snapshot_rows(program, replicates)
    )


def _founder_cells(program: Program) -> tuple[np.ndarray, float]:
    """Cells of each clone of the file, and how many of them carry the antigen."""
    start = program.start
    cells = start.cells.astype(float)
    rest = program.rules.lattice.sites - cells[(cells > 0) & (start.arrives == 0)].sum()
    cells[cells < 0] = rest
    return cells, float(cells[program.antigens.class_of[start.genotype] > 0].sum())


def _clone_rows(program: Program, replicates: int) -> float:
    """Of n neutral mutants a day, n ln(1 + b t)/b are alive after t days at b divisions a day."""
    if not program.spec.output.clones:
        return 0.0
    rules, days = program.rules, program.spec.time.duration
    cells, _ = _founder_cells(program)
    born = float((rules.cells.mutation_rate.sum(axis=1)[program.start.genotype] * cells).sum())
    rate = rules.cells.division_rate
    alive = born * math.log1p(rate * days / 2.0) / rate if rate > 0.0 else born * days / 2.0
    return (len(cells) + alive) * len(program.timetable.rows) * replicates


def _snapshot_rows(program: Program, replicates: int) -> float:
    if not program.spec.output.snapshots:
        return 0.0
    cells, _ = _founder_cells(program)
    return len(program.timetable.snapshots) * min(float(cells.sum()), program.rules.lattice.sites) * replicates


def _infusions(program: Program) -> list[tuple[int, float]]:
    """Step and agents of every infusion, if each course starts as early as it can."""
    spec, drugs, (_, antigen) = program.spec, program.rules.drugs, _founder_cells(program)
    most = float(program.rules.lattice.sites) if program.rules.car_t.tissue else math.inf
    found = []
    for rule, one in zip(drugs.course, courses_of(spec.treatments), strict=True):
        level = drugs.level[rule[LEVELS]]
        if isinstance(one.course, CarTCourse) and level[RELATIVE] > 0.0:
            agents = level[AGENTS] if level[AGENTS] >= 0.0 else level[RATIO] * antigen
            days = days_of_doses(one.course, spec.time.duration)
            found += [(boundary_at(day, spec.time.step), min(float(agents), most)) for day in days]
    return found


def _agent_sub_steps(program: Program) -> float:
    """Agents times sub-steps of one replicate; at niche scale those that meet the antigen multiply."""
    rules, steps = program.rules.car_t, program.timetable.steps
    if not rules.enabled:
        return 0.0
    infusions = _infusions(program)
    infused = sum(agents * (steps - step) for step, agents in infusions if step < steps)
    if not rules.tissue and _founder_cells(program)[1] > 0.0:
        most = rules.capacity * rules.marrow_cells / rules.cells_per_agent
        expansions = EXPANSION_DAYS / program.timetable.step * len(infusions)
        infused = most * min(expansions, steps)
    return float(infused * rules.sub_steps)


def memory_available() -> int | None:
    """Bytes of memory that this process can still get, if the machine tells: what is free, within its control group."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        try:
            free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        except (OSError, ValueError):
            return None
    return min([free, *_left_in_groups()])


def _left_in_groups(mounts: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Iterator[int]:
    """Bytes that each control group around this process may still take: a container's or a batch job's.

    Files that were read count as used and are given back when memory is short, so they are taken off.
    """
    try:
        groups = [line.split(":", 2) for line in own.read_text().splitlines()]
    except OSError:
        return
    for _, controllers, name in groups:
        if controllers == "":
            mount, limit, used, files = mounts, "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            mount, files = mounts / "memory", "total_inactive_file"
            limit, used = "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        folder = mount / name.lstrip("/")
        # inside a container the name can be that of the host, where only the mount itself is there
        for group in (folder, *folder.parents):
            if group.is_relative_to(mount):
                with suppress(OSError, ValueError):
                    stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
                    taken = int((group / used).read_text()) - int(stat.get(files, 0))
                    # without a limit it says max, which is no number
                    yield max(0, int((group / limit).read_text()) - taken)


def refuse_if_too_large(program: Program, together: int, replicates: int) -> None:
    """ResourceError if a run needs more memory than there is."""
    needed = estimate(program, together, replicates).memory_bytes
    available = memory_available()
    if available is not None and needed > available:
        raise ResourceError(
            f"{_largest(program, together, replicates)}: needs about {needed / 2**30:.1f} GiB of memory, "
            f"this machine has {available / 2**30:.1f} GiB free"
        )


def _largest(program: Program, together: int, replicates: int) -> str:
    """What takes most of the memory, and what makes it less."""
    spec, parts = program.spec, _recorded(program, replicates)
    table = max(parts, key=parts.__getitem__)
    # a large marrow is large in its two usual snapshots, too
    usual = 2 * BYTES_PER_SNAPSHOT_ROW * program.rules.lattice.sites * together if program.spec.output.snapshots else 0
    if parts[table] <= memory_of_batch(program, together) + usual:
        return f"marrow.shape: {' x '.join(map(str, spec.marrow.shape))}"
    of_how_many = f" of {replicates:,} replicates" if replicates > 1 else ""
    less = {
        "trajectory": "a longer time.record_every",
        "clones": "output.clones: false or a longer time.record_every",
        "snapshots": "output.snapshots: false or a longer time.snapshot_every",
    }[table]
    return f"the table {table}{of_how_many} (fewer replicates or {less} make it smaller)"
