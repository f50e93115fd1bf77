"""The commands of SLURM: submit an array job, ask what became of its tasks, cancel it."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mpn_abm.errors import UsageError

# SLURM's own, where its configuration says nothing
ARRAY_SIZE = 1001
ENDED = {
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "LAUNCH_FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "RECONFIG_FAIL",
    "REVOKED",
    "TIMEOUT",
}
# seconds after which a command of SLURM has no answer
PATIENCE = 120
_TASK = re.compile(r"\d+_(\d+)")


@dataclass(frozen=True)
class State:
    """What SLURM says of a task: a word such as RUNNING, and why."""

    word: str
    why: str = ""

    @property
    def has_ended(self) -> bool:
        return self.word in ENDED

    def __str__(self) -> str:
        return f"{self.word} ({self.why})" if self.why and self.why not in ("None", "0:0") else self.word


GONE = State("COMPLETED", "SLURM does not know it any more")


def refuse_without_slurm() -> None:
    """See that SLURM's commands are here."""
    if missing := [name for name in ("sbatch", "squeue", "scancel") if shutil.which(name) is None]:
        told = f"the executor slurm needs {', '.join(missing)}: call it on a machine from which jobs are submitted"
        raise UsageError(f"{told}, or choose another executor")


def array_size() -> int:
    """The most tasks of an array job."""
    try:
        said = _run("scontrol", "show", "config").stdout
    except OSError:
        return ARRAY_SIZE
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", said, re.MULTILINE)
    return max(1, int(found[1])) if found else ARRAY_SIZE


def submitted(script: Path) -> str:
    """Submit a script; the number of the job."""
    done = _run("sbatch", "--parsable", str(script))
    number = done.stdout.strip().partition(";")[0]
    if done.returncode or not number.isdigit():
        said = done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}"
        raise UsageError(f"SLURM does not take {script}: {said}")
    return number


def cancel(job: str) -> None:
    """Cancel a job, whatever became of it."""
    _run("scancel", job)


def states(job: str, tasks: int) -> dict[int, State] | None:
    """The state of every task; None while SLURM does not answer."""
    done = _run("squeue", "--noheader", "--array", "--states=all", f"--jobs={job}", "--format=%i|%T|%r")
    if done.returncode and "Invalid job id" not in done.stderr:
        return None
    found: dict[int, State] = {}
    others = State("")
    for line in done.stdout.splitlines():
        name, word, why = (part.strip() for part in [*line.split("|", 2), "", ""][:3])
        if task := _TASK.fullmatch(name):
            found[int(task[1])] = State(word, why)
        elif name:
            # several in one line
            others = State(word, why)
    if not others.word and len(found) < tasks:
        # SLURM forgets a job some minutes after its end; its accounting, where there is one, does not
        found = {**_accounted(job), **found}
        others = GONE
    return {task: found.get(task, others) for task in range(tasks)}


def _accounted(job: str) -> dict[int, State]:
    try:
        done = _run("sacct", "-X", "-n", "-P", "-j", job, "-o", "JobID,State,ExitCode")
    except OSError:
        return {}
    found = {}
    for line in done.stdout.splitlines():
        name, word, code = (part.strip() for part in [*line.split("|"), "", ""][:3])
        if task := _TASK.fullmatch(name):
            # CANCELLED by 1000
            found[int(task[1])] = State(word.partition(" ")[0], code and f"exit code {code}")
    return found


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 1, "", f"{words[0]}: no answer for {PATIENCE} s")
