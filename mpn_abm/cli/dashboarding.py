"""What `dashboard` opens."""

from __future__ import annotations

from pathlib import Path

from mpn_abm.dashboard.experiment import Experiment
from mpn_abm.dashboard.server import refuse_without_extra, serve
from mpn_abm.errors import UsageError
from mpn_abm.scenario.scenario import load

# the scenario in the folder of a run, with all of its values
RESOLVED = "scenario.resolved.yaml"


def dashboard(
    path: Path, *, arm: str | None, sets: list[str], host: str, port: int, token: str | None, browser: bool
) -> None:
    """Show a scenario, or that of a run, until Ctrl-C."""
    refuse_without_extra()
    if token is not None and not token:
        raise UsageError("--token: expected one that is not empty")
    file = path / RESOLVED if path.is_dir() else path
    scenario = load(file, sets=sets, arm=arm)
    serve(Experiment(scenario), host, port, token, browser)
