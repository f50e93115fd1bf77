"""Packages that only some studies need: loaded when they are, and named where they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mpn_abm.errors import UsageError


def extra(module: str, name: str) -> Any:
    """A module of a package that the extra of this name installs.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        told = f"{package} is not installed, which this needs: python3 -m pip install 'mpn-abm[{name}]'"
        raise UsageError(told) from error
