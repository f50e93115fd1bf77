"""What this machine offers to the program, and what stands in its way."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import locale
import os
import platform
import re
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import mpn_abm

GIB = 2**30
# the interpreter, the libraries and a patient at full scale take 0.4 GiB
LEAST_MEMORY = 1 * GIB
# the machine code of one version takes 50 MB, the tables of a patient 1 MB
LEAST_DISK = 1 * GIB
_THREADING = {"tbb": "tbbpool", "omp": "omppool", "workqueue": "workqueue"}
_REQUIREMENT = re.compile(r"^([A-Za-z0-9_.-]+)[^;]*(?:;.*extra == ['\"]([a-z]+)['\"])?")


@dataclass(frozen=True)
class Facts:
    """What was found. Memory and disk in bytes; None where the machine does not tell.

    Attributes
    ----------
    versions : dict
        Of Python, the program and every package that it requires; None for one that is not installed.
    extras : dict
        Of every extra its packages, as in `versions`.
    jit : bool
        Whether kernels are compiled at all.
    threading_layers : list of str
        Those of numba that load here, the one that is preferred first.
    cache, cache_is_kept : str, bool
        Where machine code is kept, and whether beyond this process.
    compiled : bool
        Whether the kernels of an ordinary run are in the cache.
    """

    versions: dict[str, str | None]
    extras: dict[str, dict[str, str | None]]
    platform: str
    processors: int
    threads: int
    memory: int | None
    disk: int
    jit: bool
    threading_layers: list[str]
    cache: str
    cache_is_kept: bool
    cache_bytes: int
    compiled: bool
    encoding: str
    locale_encoding: str


@dataclass(frozen=True)
class Remark:
    """Something about a machine, and what to do; `wrong` if it has to be done."""

    what: str
    remedy: str
    wrong: bool = True


def examined() -> Facts:
    """Look at this machine."""
    # all of numba, which a program that is asked for its version need not wait for
    from mpn_abm.estimate import memory_available
    from mpn_abm.kernels.compiler import settings, threads_available

    required, extras = _packages()
    cache = Path(settings.CACHE_DIR)
    jit = not settings.DISABLE_JIT
    return Facts(
        versions={"python": platform.python_version(), "mpn_abm": mpn_abm.__version__, **required},
        extras=extras,
        platform=f"{platform.system()} {platform.machine()}",
        processors=os.cpu_count() or 1,
        threads=threads_available(),
        memory=memory_available(),
        disk=shutil.disk_usage(Path.cwd()).free,
        jit=jit,
        threading_layers=[
            name for name in settings.THREADING_LAYER_PRIORITY if _loads(f"numba.np.ufunc.{_THREADING[name]}")
        ],
        cache=str(cache),
        # the compiler takes a folder of this name where the usual one cannot be written to
        cache_is_kept=not (cache.parent == Path(tempfile.gettempdir()) and cache.name.startswith("mpn_abm_")),
        cache_bytes=sum(file.stat().st_size for file in cache.rglob("*") if file.is_file()),
        compiled=jit and _is_compiled(),
        encoding=sys.stdout.encoding or "none",
        locale_encoding=locale.getpreferredencoding(False),
    )


def remarks(facts: Facts) -> list[Remark]:
    """What is wrong with a machine, and what is worth knowing."""
    found = []
    missing = [name for name, version in facts.versions.items() if version is None]
    if missing:
        found.append(Remark(f"not installed: {', '.join(missing)}", "pip install mpn-abm, in a fresh environment"))
    if not facts.jit:
        found.append(Remark("NUMBA_DISABLE_JIT is set: nothing is compiled and runs take hours", "unset it"))
    if not facts.threading_layers:
        found.append(Remark("numba has no threading layer here", "reinstall numba from a wheel, or install tbb"))
    if not facts.cache_is_kept:
        found.append(
            Remark(
                "the cache folder cannot be written to: every process compiles for a minute",
                "set MPN_ABM_CACHE to a folder that can be written to",
            )
        )
    if facts.memory is not None and facts.memory < LEAST_MEMORY:
        found.append(
            Remark(f"{facts.memory / GIB:.1f} GiB of memory are free", "end other programs, or run smaller marrows")
        )
    if facts.disk < LEAST_DISK:
        found.append(Remark(f"{facts.disk / GIB:.1f} GiB of disk are free here", "write to another disk with --out"))
    for name, encoding in (("the terminal", facts.encoding), ("the locale", facts.locale_encoding)):
        if encoding.lower().replace("-", "").replace("_", "") != "utf8":
            found.append(
                Remark(
                    f"{name} has the encoding {encoding}: some signs are shown as escapes",
                    "set PYTHONUTF8=1, or a locale such as C.UTF-8",
                    wrong=False,
                )
            )
    if facts.jit and not facts.compiled:
        found.append(Remark("no kernel is compiled yet: the first run takes a minute longer", "run once", wrong=False))
    if facts.threads < facts.processors:
        told = f"numba may use {facts.threads} of {facts.processors} processors"
        found.append(Remark(told, "NUMBA_NUM_THREADS or the limits of the job say so", wrong=False))
    return found


def as_dict(facts: Facts, found: list[Remark]) -> dict[str, Any]:
    """Everything, for JSON."""
    said = [asdict(remark) for remark in found]
    return {**asdict(facts), "healthy": not any(remark.wrong for remark in found), "remarks": said}


def _packages() -> tuple[dict[str, str | None], dict[str, dict[str, str | None]]]:
    """Versions of what the program requires, and of what each of its extras does."""
    required: dict[str, str | None] = {}
    extras: dict[str, dict[str, str | None]] = {}
    for line in importlib.metadata.requires("mpn-abm") or ():
        match = _REQUIREMENT.match(line)
        if match is None or match[1] == "mpn-abm":
            continue
        of_extra = required if match[2] is None else extras.setdefault(match[2], {})
        of_extra[match[1]] = _version(match[1])
    return required, extras


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _loads(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def _is_compiled() -> bool:
    """Whether a single marrow can be stepped at once."""
    from mpn_abm.kernels.compiler import is_compiled
    from mpn_abm.scenario.scenario import load
    from mpn_abm.simulate import kernels_of, prepared

    least = {"time": {"duration_days": 1}, "marrow": {"shape": [4, 4]}, "clones": {"cells": {"genotype": "wild_type"}}}
    return is_compiled(kernels_of(prepared(load(least), 1), 1, 1))
