"""Scenarios to begin with, shipped with the program."""

from __future__ import annotations

from importlib.resources import files

from mpn_abm.errors import UsageError
from mpn_abm.scenario.suggestions import unknown


def template_names() -> list[str]:
    """The names of all templates."""
    return sorted(item.name.removesuffix(".yaml") for item in files(__name__).iterdir() if item.name.endswith(".yaml"))


def template_text(name: str) -> str:
    """The text of a template; UsageError if there is none of that name."""
    if name not in template_names():
        raise UsageError(f"--template {name}: {unknown('template', name, template_names())}")
    return files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
