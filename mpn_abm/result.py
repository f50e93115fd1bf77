"""What a run left, in memory and on disk."""

import importlib.metadata
import json
import platform
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

import mpn_abm
from mpn_abm.columns import TABLES
from mpn_abm.files import RESOLVED, TABLE_VERSION, claimed, parquet, published_together, text
from mpn_abm.scenario.said import origins_of
from mpn_abm.scenario.scenario import Scenario

PACKAGES = ("numpy", "numba", "pandas", "pyarrow", "scipy", "pydantic", "ruamel.yaml")
# everything that a run can leave in its folder
FILES = (*(f"{table}.parquet" for table in ("trajectory", *TABLES)), RESOLVED, "manifest.json")


@dataclass
class Result:
    """What a run left.

    Attributes
    ----------
    scenario : Scenario
    tables : dict of pyarrow.Table
        trajectory, and clones, events, snapshots and summary as far as the scenario asks for them.
    facts : dict
        What manifest.json will say, besides the folder and the time that writing takes.
    """

    scenario: Scenario
    tables: dict[str, pa.Table]
    facts: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def trajectory(self) -> pd.DataFrame:
        """One row per recorded day and replicate."""
        return self._frame("trajectory")

    @cached_property
    def clones(self) -> pd.DataFrame:
        """Recorded day x living clone."""
        return self._frame("clones")

    @cached_property
    def events(self) -> pd.DataFrame:
        """What happened, in order."""
        return self._frame("events")

    @cached_property
    def snapshots(self) -> pd.DataFrame:
        """Every occupied site of the days with a snapshot."""
        return self._frame("snapshots")

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per replicate."""
        return self._frame("summary")

    @cached_property
    def claims(self) -> pd.DataFrame:
        """The claims of the scenario on what was run, each with its value and whether it held."""
        # scipy takes half a second to load, and only claims need it
        from mpn_abm.analysis.claims import judged
        from mpn_abm.analysis.patients import Patients

        comparison = self.scenario.comparison
        summary = self.summary if "summary" in self.tables else None
        patients = {self.scenario.arm: Patients(self.trajectory, summary)}
        mine = {name: claim for name, claim in comparison.expect.items() if claim.is_on_one_arm}
        return judged(mine, comparison.endpoints, patients)

    def _frame(self, name: str) -> pd.DataFrame:
        if name not in self.tables:
            raise AttributeError(f"the scenario says output.{name}: false, so this run has no {name}")
        frame: pd.DataFrame = self.tables[name].to_pandas()
        return frame

    @property
    def provenance(self) -> dict[str, object]:
        """Program, scenario and packages behind the tables."""
        packages = {name: importlib.metadata.version(name) for name in PACKAGES}
        return {
            "program": "mpn_abm",
            "version": mpn_abm.__version__,
            "table_version": TABLE_VERSION,
            "scenario": self.scenario.spec.name,
            "scenario_sha256": self.scenario.sha256,
            "seed": self.scenario.spec.seed,
            "python": platform.python_version(),
            "packages": packages,
        }

    def _claims_as_json(self) -> list[dict[str, Any]]:
        if not self.scenario.comparison.expect:
            return []
        from mpn_abm.analysis.claims import rows_of

        return rows_of(self.claims)

    def write(self, folder: str | Path, overwrite: bool = False) -> dict[str, Any]:
        """Write the tables, the resolved scenario and manifest.json; returns what the manifest says.

        With ``overwrite`` they replace those of an earlier run, tables that this one does not have included; other
        files stay.

        Raises
        ------
        OutputExistsError
            If the folder has something in it and ``overwrite`` is not set, or another run holds it.
        UsageError
            If it cannot be made or written to.
        SimulationError
            If the disk is full, or the like.
        """
        with claimed(Path(folder), overwrite):
            return self.write_into(Path(folder))

    def write_into(self, folder: Path) -> dict[str, Any]:
        """As ``write``, into a folder that the caller has claimed."""
        start, runs = time.perf_counter(), self.facts["replicates"]
        with published_together(folder, replaced=FILES) as write:
            for name, table in self.tables.items():
                write(f"{name}.parquet", parquet(table, self.provenance, runs))
            write(RESOLVED, text(self.scenario.to_yaml()))
            seconds = time.perf_counter() - start
            wall = self.facts["wall_seconds"] + seconds
            times = {"writing_seconds": seconds, "wall_seconds": wall}
            said = {"claims": self._claims_as_json(), "origins": origins_of(self.scenario)}
            manifest = {"out": str(folder), **self.facts, **said, **times}
            write("manifest.json", text(json.dumps(manifest | {"provenance": self.provenance}, indent=2) + "\n"))
        return manifest
