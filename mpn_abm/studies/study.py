"""What a study left, in memory and on disk."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from mpn_abm.errors import SimulationError
from mpn_abm.files import claimed, parquet, published_together, text
from mpn_abm.studies.failures import no_failures
from mpn_abm.studies.identity import in_plan_order, put_together

PARTS = ("trajectory", "summary")
WHOLE = ("plan", "endpoints", "survival", "comparison", "claims")
FILES = (*(f"{name}.parquet" for name in WHOLE), "manifest.json")


@dataclass
class Study:
    """What a study left.

    Attributes
    ----------
    parts : mapping of lists of pyarrow.Table
        trajectory and summary: of a comparison a table for each arm; all have the same columns. Also failures, of a
        study whose runs may fail.
    tables : mapping of pyarrow.Table
        plan, endpoints, survival, comparison and claims.
    facts : dict
        What manifest.json will say, besides the folder and the time that writing takes.
    provenance : dict
        Program, scenario and packages behind the tables.
    """

    parts: Mapping[str, list[pa.Table]]
    tables: Mapping[str, pa.Table]
    facts: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, object] = field(default_factory=dict)

    @property
    def answer(self) -> str:
        """The sentence that answers the question of the file."""
        return str(self.facts["answer"])

    @cached_property
    def plan(self) -> pd.DataFrame:
        """One row per run: arm, patient, seed, parameters."""
        return _frame(self.tables["plan"])

    @cached_property
    def trajectory(self) -> pd.DataFrame:
        """One row per arm, patient and recorded day; null in a column that an arm has not."""
        return _frame(self._whole("trajectory"))

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per arm and patient."""
        return _frame(self._whole("summary"))

    @cached_property
    def failures(self) -> pd.DataFrame:
        """One row per run that failed: what was raised, and the command that repeats it."""
        return _frame(self._whole("failures") if self.parts.get("failures") else no_failures())

    @cached_property
    def endpoints(self) -> pd.DataFrame:
        """One row per arm, patient, endpoint and day."""
        return _frame(self.tables["endpoints"])

    @cached_property
    def survival(self) -> pd.DataFrame:
        """One row per arm, patient and endpoint that has a time."""
        return _frame(self.tables["survival"])

    @cached_property
    def comparison(self) -> pd.DataFrame:
        """Statistics of each arm, and of its difference to the reference, with 95 % intervals."""
        return _frame(self.tables["comparison"])

    @cached_property
    def claims(self) -> pd.DataFrame:
        """One row per claim: its value with interval, its band, and whether it held."""
        return _frame(self.tables["claims"])

    @cached_property
    def patients(self) -> pd.DataFrame:
        """Of a trial: the patients, a row each, as `patients_file` takes them."""
        return _frame(self.tables["patients"])

    @cached_property
    def km(self) -> pd.DataFrame:
        """Of a trial: Kaplan-Meier curves with numbers at risk and events, on the days that were asked."""
        return _frame(self.tables["km"])

    @cached_property
    def flow(self) -> pd.DataFrame:
        """Of a trial: how many patients of each arm were allocated, died, left and could be evaluated on each day."""
        return _frame(self.tables["flow"])

    @cached_property
    def power(self) -> pd.DataFrame:
        """Of a trial that plans others: the power of each size."""
        return _frame(self.tables["power"])

    @cached_property
    def indices(self) -> pd.DataFrame:
        """Of a sensitivity study: what each parameter does to each endpoint, ranked."""
        return _frame(self.tables["indices"])

    @cached_property
    def noise(self) -> pd.DataFrame:
        """Of a sensitivity study: how much of the variance of each endpoint is chance."""
        return _frame(self.tables["noise"])

    @cached_property
    def estimate(self) -> pd.DataFrame:
        """Of a calibration: each parameter with its interval, before and after."""
        return _frame(self.tables["estimate"])

    @cached_property
    def posterior(self) -> pd.DataFrame:
        """Of a calibration by ABC-SMC: the particles with their weights."""
        return _frame(self.tables["posterior"])

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Of a calibration: what new runs show of each target."""
        return _frame(self.tables["predictions"])

    @cached_property
    def generations(self) -> pd.DataFrame:
        """Of a calibration by ABC-SMC: the threshold of each generation, and how many points it took."""
        return _frame(self.tables["generations"])

    def _whole(self, name: str) -> pa.Table:
        """The parts of a table put together, in the order of the plan where it tells one."""
        parts = self.parts[name]
        if not parts:
            raise AttributeError(f"no run of this study has left a {name}")
        whole = put_together(parts)
        plan = self.tables["plan"]
        return in_plan_order(whole, self.plan) if "number" in plan.column_names else whole

    def write(self, folder: str | Path, overwrite: bool = False) -> dict[str, Any]:
        """Write all tables and manifest.json; returns what the manifest says.

        With ``overwrite`` they replace those of an earlier study; other files stay.

        Raises
        ------
        OutputExistsError
            If the folder has something in it and ``overwrite`` is not set.
        SimulationError
            If it cannot be written to.
        """
        with claimed(Path(folder), overwrite):
            return self.write_into(Path(folder))

    def write_into(self, folder: Path) -> dict[str, Any]:
        """As ``write``, into a folder that the caller has claimed."""
        start = time.perf_counter()
        for name in PARTS:
            self._write_parts(folder / name, self.parts[name])
        with published_together(folder, replaced=FILES) as write:
            for name in WHOLE:
                write(f"{name}.parquet", parquet(self.tables[name], self.provenance, 1))
            seconds = time.perf_counter() - start
            wall = self.facts["wall_seconds"] + seconds
            manifest = {"out": str(folder), **self.facts, "writing_seconds": seconds, "wall_seconds": wall}
            write("manifest.json", text(json.dumps(manifest | {"provenance": self.provenance}, indent=2) + "\n"))
        return manifest

    def _write_parts(self, folder: Path, tables: list[pa.Table]) -> None:
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise SimulationError(f"{folder}: cannot be written to: {error.strerror or error}") from error
        earlier = [part.name for part in folder.glob("part-*.parquet")]
        with published_together(folder, replaced=earlier) as write:
            for number, table in enumerate(tables):
                write(f"part-{number:05d}.parquet", parquet(table, self.provenance, self.facts["replicates"]))


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame
