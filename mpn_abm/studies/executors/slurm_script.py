"""The script of an array job: which task carries out which shards, and what SLURM is asked for."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from pathlib import Path

import mpn_abm
from mpn_abm.studies.executors.options import Options
from mpn_abm.studies.profile import slurm_options

# so many tasks for each that runs at a time, so that all end at about the same time; a shard takes a minute at most
TASKS_PER_JOB = 8
FOLDER = "slurm"
ONE_THREAD = " ".join(f"{name}_NUM_THREADS=1" for name in ("NUMBA", "OMP", "OPENBLAS", "MKL"))


def tasks_of(shards: Sequence[int], options: Options, array_size: int, whole: bool = True) -> list[list[int]]:
    """The shards of each task: as many tasks as the array may have, or where `whole` as few as keep all jobs busy."""
    tasks = min(len(shards), array_size)
    if whole:
        minutes = slurm_options(options.slurm).time or len(shards)
        tasks = min(tasks, max(TASKS_PER_JOB * options.jobs, ceil(len(shards) / minutes)))
    ends = [len(shards) * number // tasks for number in range(tasks + 1)]
    return [list(shards[begin:end]) for begin, end in pairwise(ends)]


def script_of(folder: str, tasks: Sequence[Sequence[int]], options: Options) -> str:
    """The script that sbatch takes."""
    place = Path(folder).resolve()
    desk, asked = place / FOLDER, slurm_options(options.slurm)
    said = {
        "job-name": "mpn_abm",
        "array": f"0-{len(tasks) - 1}%{options.jobs}",
        "output": shlex.quote(f"{desk}/%A_%a.log".replace("%A_%a", "\0").replace("%", "%%").replace("\0", "%A_%a")),
        "ntasks": 1,
        "cpus-per-task": 1,
        "partition": asked.partition,
        "account": asked.account,
        "time": None if asked.time is None else ceil(asked.time),
        "mem": None if asked.memory_mb is None else f"{asked.memory_mb}M",
    }
    home = Path(mpn_abm.__file__).resolve().parents[1]
    again = " --retry-failed" if options.retry_failed else ""
    lines = [
        "#!/bin/bash",
        *(f"#SBATCH --{name}={value}" for name, value in said.items() if value is not None),
        "# what is missing at the end is submitted once more by the program that waits",
        "#SBATCH --no-requeue",
        "",
        "# the shards of each task; of A:B the last is B - 1",
        f"shards=({' '.join(ranges(task) for task in tasks)})",
        *asked.setup.splitlines(),
        f"export {ONE_THREAD}",
        f"export PYTHONPATH={shlex.quote(str(home))}${{PYTHONPATH:+:$PYTHONPATH}}",
        f"exec {shlex.quote(sys.executable)} -m mpn_abm.studies.shard {shlex.quote(str(place))} \\",
        f'  --shards "${{shards[$SLURM_ARRAY_TASK_ID]}}"{again} \\',
        f'  --outcomes {shlex.quote(str(desk))}/"${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID.jsonl"',
    ]
    return "\n".join(lines) + "\n"


def ranges(shards: Sequence[int]) -> str:
    """Shards in short, as the command of a task takes them: 0:4,7:8 for 0, 1, 2, 3 and 7."""
    found: list[list[int]] = []
    for shard in shards:
        if found and found[-1][1] == shard:
            found[-1][1] += 1
        else:
            found.append([shard, shard + 1])
    return ",".join(f"{begin}:{end}" for begin, end in found)


def shards_in(said: str) -> list[int]:
    """The shards that `ranges` wrote; a number alone is a shard, too."""
    shards: list[int] = []
    for part in said.split(","):
        begin, colon, end = part.partition(":")
        shards += range(int(begin), int(end)) if colon else [int(begin)]
    return shards
