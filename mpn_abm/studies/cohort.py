"""The patients of a virtual trial.

Every variable has a stream of random numbers of its own, named after its path, and patient j takes the j-th number of
each. So patient j is the same whatever the number of patients, and a further variable changes none of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from mpn_abm.errors import Problem, ScenarioError
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.scenario.studies.blocks import TrialSpec
from mpn_abm.scenario.studies.trying import is_whole
from mpn_abm.studies.quantiles import values_at
from mpn_abm.studies.rows import rows_of_file
from mpn_abm.units import UNITS

BESIDE = ("patient", "weight", "arm", "dropout_day")
"""Columns of the table of patients that are no paths."""

_YEAR = float(UNITS["year"].size)
_BLOCKS_OF = 2


def patients_of(spec: TrialSpec, folder: Path, scenario: Scenario | None = None) -> pd.DataFrame:
    """A row per patient: `patient`, `weight`, a column per path, `arm` if allocated, `dropout_day` if any drop out.

    Parameters
    ----------
    spec : TrialSpec
        Distributions or a file, correlations, allocation, dropout.
    folder : Path
        Where the path of a file of patients starts.
    scenario : Scenario, optional
        What is varied; it knows which parameters are whole numbers.
    """
    drawn = _drawn(spec, scenario) if spec.patients_file is None else _of_file(spec, folder / spec.patients_file)
    number = len(drawn)
    table = drawn.assign(patient=np.arange(number))
    if "weight" not in table:
        table["weight"] = 1.0
    if spec.allocation is not None and "arm" not in table:
        table["arm"] = allocated(spec.allocation, number, spec.seed)
    if spec.dropout > 0.0 and "dropout_day" not in table:
        table["dropout_day"] = -np.log1p(-uniforms(spec.seed, "dropout", number)) * _YEAR / spec.dropout
    first = [name for name in BESIDE if name in table]
    return table[[*first, *(name for name in table if name not in first)]]


def uniforms(seed: int, name: str, number: int) -> np.ndarray:
    """float[number] between 0 and 1, both out: the first numbers of the stream of this name."""
    key = int.from_bytes(sha256(name.encode()).digest()[:8], "little")
    raw = np.random.Philox(key=np.array([seed, key], np.uint64)).random_raw(number)
    return ((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def correlated(seed: int, paths: Sequence[str], pairs: Iterable[tuple[str, str, float]], number: int) -> np.ndarray:
    """float[number, paths]: uniforms with the rank correlations of a Gaussian copula."""
    shares = np.column_stack([uniforms(seed, path, number) for path in paths])
    mixing = mixing_of(paths, pairs)
    moved = np.flatnonzero((mixing != np.eye(len(paths))).any(axis=1))
    if len(moved):
        # row by row, so that a patient's bits do not hang on how many there are
        normal = sum(ndtri(shares[:, [k]]) * mixing[moved, k] for k in range(len(paths)))
        shares[:, moved] = ndtr(normal)
    return shares


def mixing_of(paths: Sequence[str], pairs: Iterable[tuple[str, str, float]]) -> np.ndarray:
    """float[paths, paths]: what makes independent normal numbers correlated, a lower triangle.

    A rank correlation r of two normal variables is a correlation of 2 sin(pi r / 6).
    """
    matrix = np.eye(len(paths))
    for one, other, rank in pairs:
        i, j = paths.index(one), paths.index(other)
        matrix[i, j] = matrix[j, i] = 2.0 * np.sin(np.pi * rank / 6.0)
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError as error:
        told = "expected correlations that can hold together (a positive definite matrix)"
        raise ScenarioError([Problem("study", None, None, "trial.correlations", "", told)]) from error


def allocated(allocation: Mapping[str, int], number: int, seed: int) -> list[str]:
    """The arm of each patient, in permuted blocks: after every block the arms have their parts exactly."""
    block = [arm for arm, part in allocation.items() for _ in range(_BLOCKS_OF * part)]
    blocks = -(-number // len(block))
    ranks = uniforms(seed, "allocation", blocks * len(block)).reshape(blocks, len(block)).argsort(axis=1)
    return [block[place] for place in ranks.ravel()[:number]]


def _drawn(spec: TrialSpec, scenario: Scenario | None) -> pd.DataFrame:
    assert spec.patients is not None
    paths = list(spec.cohort)
    specs = [] if scenario is None else [scenario.spec, *(arm.spec for arm in scenario.arms.values())]
    if not paths:
        return pd.DataFrame(index=range(spec.patients))
    shares = correlated(spec.seed, paths, spec.correlations, spec.patients)
    return pd.DataFrame(
        {path: values_at(spec.cohort[path], shares[:, k], is_whole(path, specs)) for k, path in enumerate(paths)}
    )


def _of_file(spec: TrialSpec, path: Path) -> pd.DataFrame:
    rows = rows_of_file(path)
    return rows if spec.patients is None else rows.head(spec.patients)
