"""The one way to compile a kernel, and where its machine code is kept.

numba notices an edit in the file of a kernel, but not in a helper that the kernel took from another
file. So the machine code lives in a folder named after a hash of all compiled sources: an edit anywhere
starts a fresh folder, and nothing stale can be run.
"""

import functools
import hashlib
import os
import platform
from pathlib import Path

import numba
import numpy as np

PACKAGE = Path(__file__).resolve().parent.parent


def _sources_digest() -> str:
    digest = hashlib.sha256(f"{numba.__version__} {np.__version__} {platform.python_version()}".encode())
    for folder in ("kernels", "mechanisms"):
        for source in sorted((PACKAGE / folder).rglob("*.py")):
            digest.update(source.relative_to(PACKAGE).as_posix().encode())
            digest.update(source.read_bytes())
    digest.update((PACKAGE / "state.py").read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Folder of the machine code of exactly these sources; ``MPN_ABM_CACHE`` moves its parent."""
    home = os.environ.get("MPN_ABM_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "mpn_abm"
    )
    return Path(home) / _sources_digest()


# Idle OpenMP threads spin by default and take the core that another run needs.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
if "NUMBA_CACHE_DIR" not in os.environ:
    numba.config.CACHE_DIR = str(cache_folder())

_common = functools.partial(numba.njit, cache=True, error_model="numpy")
# Kernels see arrays that somebody else owns, and a marrow is fifty of them: counting references to each at every
# call took twice as long as the cells. Without the counting, a kernel cannot make an array.
jit = functools.partial(_common, _nrt=False)
# A station of the schedule: fused into its caller, because handing over fifty arrays costs more than it does.
fused = functools.partial(_common, _nrt=False, forceinline=True)
allocating_jit = functools.partial(_common, _nrt=True)
parallel_jit = functools.partial(_common, _nrt=True, parallel=True)
inlined = functools.partial(_common, inline="always")


def is_compiled() -> bool:
    """Whether machine code of these sources is in the cache, as far as a look at the folder tells."""
    return any(Path(numba.config.CACHE_DIR).rglob("schedule.run_*.nbi"))
