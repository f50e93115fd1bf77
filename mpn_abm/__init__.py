"""Clone competition in a scarring bone marrow, cell by cell."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mpn_abm.model import MarrowModel
    from mpn_abm.scenario.scenario import Scenario, load
    from mpn_abm.simulate import run
    from mpn_abm.studies.calibrating.running import calibrate
    from mpn_abm.studies.comparison import compare
    from mpn_abm.studies.running import sweep, trial
    from mpn_abm.studies.sensitivity import sensitivity
    from mpn_abm.studies.stored import read

__version__ = "0.1.0"

__all__ = [
    "MarrowModel", "Scenario", "__version__", "calibrate", "compare", "load", "read", "run", "sensitivity", "sweep",
    "trial",
]  # fmt: skip

_HOMES = {
    "MarrowModel": "mpn_abm.model",
    "Scenario": "mpn_abm.scenario.scenario",
    "calibrate": "mpn_abm.studies.calibrating.running",
    "compare": "mpn_abm.studies.comparison",
    "load": "mpn_abm.scenario.scenario",
    "read": "mpn_abm.studies.stored",
    "run": "mpn_abm.simulate",
    "sensitivity": "mpn_abm.studies.sensitivity",
    "sweep": "mpn_abm.studies.running",
    "trial": "mpn_abm.studies.running",
}


def __getattr__(name: str) -> Any:
    """Import a public word when it is first used, so that `import mpn_abm` stays quick (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    word = getattr(import_module(_HOMES[name]), name)
    globals()[name] = word
    return word


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
