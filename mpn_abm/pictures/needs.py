"""Packages that only pictures need, and what to say where they are missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from mpn_abm.errors import UsageError


def need(module: str, extra: str) -> ModuleType:
    """Import a package of an extra.

    Raises
    ------
    UsageError
        If it is not installed; says how to.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        told = f"this needs {module.partition('.')[0]}: python3 -m pip install 'mpn-abm[{extra}]'"
        raise UsageError(told) from error
