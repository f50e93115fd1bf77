"""The one way to compile a kernel, and where its machine code is kept.

numba notices an edit in the file of a kernel, but not in a helper that the kernel took from another
file. So the machine code lives in a folder named after a hash of all compiled sources: an edit anywhere
starts a fresh folder, and nothing stale can be run.
"""

import atexit
import functools
import hashlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core.caching import UserProvidedCacheLocator

PACKAGE = Path(__file__).resolve().parent.parent
_COMPILED = ("kernels", "mechanisms")


def _sources_digest() -> str:
    digest = hashlib.sha256(f"{numba.__version__} {np.__version__} {platform.python_version()}".encode())
    for folder in _COMPILED:
        for source in sorted((PACKAGE / folder).rglob("*.py")):
            content = source.read_bytes()
            # declarations are read before anything is compiled: another default is no other code
            if b"mechanisms.declaration import" not in content:
                digest.update(source.relative_to(PACKAGE).as_posix().encode() + content)
    digest.update((PACKAGE / "state.py").read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Folder of the machine code of exactly these sources; ``MPN_ABM_CACHE`` moves its parent."""
    home = os.environ.get("MPN_ABM_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "mpn_abm"
    )
    return Path(home) / _sources_digest()


def usable(folder: Path) -> Path:
    """The folder, or one for this process where it cannot be written to.

    Left alone, numba would then write beside the sources, where an edit of a helper is not noticed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        temporary = tempfile.mkdtemp(prefix="mpn_abm_")
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        # processes that this one starts look here, too
        os.environ["MPN_ABM_CACHE"] = temporary
        print(
            f"{folder}: {error.strerror or error}; what is compiled is kept for this time only, in {temporary} "
            "(MPN_ABM_CACHE names another folder)",
            file=sys.stderr,
        )
        return Path(temporary)


settings: Any = numba.config

# Idle OpenMP threads spin by default and take the core that another run needs.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
settings.CACHE_DIR = str(usable(Path(os.environ.get("NUMBA_CACHE_DIR") or cache_folder())))

# typed as Any: what a decorated kernel takes and returns is numba's business, not the type checker's
_common: Any = functools.partial(numba.njit, cache=True, error_model="numpy")
# Kernels see arrays that somebody else owns, and a marrow is fifty of them: counting references to each at every
# call took twice as long as the cells. Without the counting, a kernel cannot make an array.
jit: Any = functools.partial(_common, _nrt=False)
# A station of the schedule: fused into its caller, because handing over fifty arrays costs more than it does.
fused: Any = functools.partial(_common, _nrt=False, inline="always")
allocating_jit: Any = functools.partial(_common, _nrt=True)
parallel_jit: Any = functools.partial(_common, _nrt=True, parallel=True)
inlined: Any = functools.partial(_common, inline="always")


def is_compiled(kernels: Iterable[str]) -> bool:
    """Whether machine code of all of these kernels is in the cache, as far as a look at the folder tells."""
    kept = {
        file.name.partition("-")[0].rpartition(".")[2] for place in _places_of_code() for file in place.glob("*.nbi")
    }
    return kept.issuperset(kernels)


def _places_of_code() -> set[Path]:
    """Where numba keeps the code of these sources; that of another checkout lies beside it and is not used here."""
    # numba names them after the path by which a module was imported, through whatever links
    package = Path(os.path.abspath(__file__)).parent.parent
    sources = (source for folder in _COMPILED for source in (package / folder).rglob("*.py"))
    subpath: Any = UserProvidedCacheLocator.get_suitable_cache_subpath
    return {Path(settings.CACHE_DIR) / subpath(str(source)) for source in sources}


def threads_available() -> int:
    """Threads that numba may use."""
    return int(settings.NUMBA_NUM_THREADS)


def type_of(value: object) -> Any:
    """The type that numba gives a value; NamedTuples of arrays included."""
    typeof: Any = numba.typeof
    return typeof(value)
