"""Choosing among the runs of a recording: arms, replicates, their clones and genotypes."""

from __future__ import annotations

import pandas as pd

from mpn_abm.errors import UsageError
from mpn_abm.pictures.palette import Palette, guessed
from mpn_abm.pictures.recording import Recording
from mpn_abm.scenario.suggestions import unknown

SUFFIXES = ("cells_", "fraction_", "genotype_cells_")


def arms_of(recording: Recording) -> list[str | None]:
    """The arms in the order of the plan; None alone for what has none."""
    if not recording.is_study:
        return [None]
    names = recording.frame("plan")["arm"].drop_duplicates().tolist()
    return [None if pd.isna(name) else str(name) for name in names]


def reference_of(recording: Recording) -> str | None:
    """The arm that others are compared with."""
    told = recording.facts.get("reference")
    return str(told) if told else arms_of(recording)[0]


def chosen_arms(recording: Recording, arm: str | None) -> list[str | None]:
    """All arms, or the one that was asked for."""
    arms = arms_of(recording)
    if arm is None:
        return arms
    known = [name for name in arms if name is not None]
    if arm not in known:
        raise UsageError(f"--arm {arm}: {unknown('arm', arm, known) if known else 'a run has no arms'}")
    return [arm]


def trajectory_of(recording: Recording, arm: str | None, replicate: int | None) -> pd.DataFrame:
    """The rows of the trajectory of an arm (None: of all), with a column `patient`."""
    recording.need("trajectory", "its rows are what is drawn")
    rows = recording.frame("trajectory")
    if "patient" not in rows:
        rows = rows.assign(patient=rows["replicate"])
    if arm is not None:
        rows = rows[rows["arm"] == arm]
    if replicate is not None:
        rows = of_replicate(rows, replicate, "patient")
    return rows


def of_replicate(rows: pd.DataFrame, replicate: int, key: str = "replicate") -> pd.DataFrame:
    """The rows of one run."""
    found = rows[rows[key] == replicate]
    if found.empty:
        known = sorted(rows[key].unique())
        raise UsageError(f"--replicate {replicate}: expected one of {known[0]} to {known[-1]}")
    return found


def palette_of(recording: Recording) -> Palette:
    """The colours of the clones and genotypes of a recording."""
    clones: dict[str, str] = {}
    if recording.scenario is not None:
        clones = {name: clone.genotype for name, clone in recording.scenario.spec.clones.items()}
    elif recording.has("trajectory"):
        clones = {name: guessed(name) for name in clones_of(recording.columns("trajectory"))}
    genotypes = [
        name.removeprefix("genotype_cells_")
        for name in (recording.columns("trajectory") if recording.has("trajectory") else ())
        if name.startswith("genotype_cells_")
    ]
    return Palette(genotypes, clones)


def clones_of(columns: list[str]) -> list[str]:
    """The clones of the file, by the columns of a trajectory."""
    return [name.removeprefix("fraction_") for name in columns if name.startswith("fraction_")]


def head_of(recording: Recording, arm: str | None = None, runs: int = 1, arms: int = 1) -> tuple[str, str]:
    """What stands above a picture: the question, and below it whose it is, `runs` of each of `arms`."""
    parts = [recording.name]
    if arm is not None:
        parts.append(f"arm {arm}")
    number = "1 run" if runs == 1 else f"{runs} runs"
    parts.append(f"{number} of each arm" if arms > 1 else number)
    seed = recording.facts.get("seed")
    if seed is not None and runs == 1:
        parts.append(f"seed {seed}")
    return recording.question, ", ".join(parts)
