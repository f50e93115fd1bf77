"""The points of a study: where in the space of its parameters it looks."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import qmc

from mpn_abm.errors import UsageError
from mpn_abm.scenario.scenario import Scenario
from mpn_abm.scenario.studies.axes import Axis
from mpn_abm.scenario.studies.blocks import SensitivitySpec, SweepSpec
from mpn_abm.scenario.studies.trying import is_whole
from mpn_abm.studies.quantiles import values_at
from mpn_abm.studies.rows import rows_of_file

LEVELS_OF_MORRIS = 4
METHODS_OF_SENSITIVITY = {"sobol": "saltelli", "morris": "morris", "prcc": "lhs"}


def points_of(spec: SweepSpec | SensitivitySpec, scenario: Scenario, folder: Path) -> pd.DataFrame:
    """A row per point, a column per path.

    Parameters
    ----------
    spec : SweepSpec or SensitivitySpec
        The method, its number of samples, and the axes.
    scenario : Scenario
        What is varied; it knows which parameters are whole numbers.
    folder : Path
        Where the path of a table starts.
    """
    if spec.method == "table":
        assert isinstance(spec, SweepSpec)
        assert spec.file is not None
        return rows_of_file(folder / spec.file)
    specs = [scenario.spec, *(arm.spec for arm in scenario.arms.values())]
    axes = spec.parameters
    whole = {path: is_whole(path, specs) for path in axes}
    if spec.method == "grid":
        return _frame(axes, product(*(_steps(axis, whole[path]) for path, axis in axes.items())))
    shares = shares_of(spec)
    columns = {path: values_at(axis, shares[:, k], whole[path]) for k, (path, axis) in enumerate(axes.items())}
    return pd.DataFrame(columns)


def shares_of(spec: SweepSpec | SensitivitySpec) -> np.ndarray:
    """float[points, axes]: the points in the unit cube."""
    axes = len(spec.parameters)
    assert spec.samples is not None
    method: str = spec.method
    if isinstance(spec, SensitivitySpec):
        method = METHODS_OF_SENSITIVITY[spec.method]
    match method:
        case "lhs":
            return np.asarray(qmc.LatinHypercube(axes, rng=np.random.default_rng(spec.seed)).random(spec.samples))
        case "sobol":
            return _sobol(axes, spec.samples, spec.seed)
        case "random":
            return np.random.default_rng(spec.seed).random((spec.samples, axes))
        case _:
            return _of_salib(method, list(spec.parameters), spec.samples, spec.seed)


def problem_of_salib(paths: Iterable[str]) -> dict[str, Any]:
    """The axes as SALib knows them: in the unit cube."""
    names = list(paths)
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}


def _sobol(axes: int, samples: int, seed: int) -> np.ndarray:
    """The first points of a scrambled Sobol sequence; drawn as a power of two, which it is made for."""
    points = qmc.Sobol(axes, scramble=True, rng=np.random.default_rng(seed)).random_base2((samples - 1).bit_length())
    return np.asarray(points)[:samples]


def _of_salib(method: str, paths: list[str], samples: int, seed: int) -> np.ndarray:
    try:
        from SALib.sample import morris, sobol
    except ImportError as error:
        raise UsageError(f"{method}: needs SALib, pip install 'mpn-abm[sensitivity]'") from error
    problem = problem_of_salib(paths)
    # numpy's old generator takes 32 bits
    seed_of_salib = int(np.random.SeedSequence(seed).generate_state(1)[0])
    if method == "morris":
        return np.asarray(morris.sample(problem, samples, num_levels=LEVELS_OF_MORRIS, seed=seed_of_salib))
    with warnings.catch_warnings():
        # what it says of numbers that are no powers of 2 is a note of ours
        warnings.simplefilter("ignore", UserWarning)
        return np.asarray(sobol.sample(problem, samples, calc_second_order=False, seed=seed_of_salib))


def _steps(axis: Axis, whole: bool) -> list[Any]:
    """The values of an axis in a grid."""
    if axis.levels is not None:
        return list(axis.levels)
    assert axis.low is not None
    assert axis.high is not None
    assert axis.steps is not None
    spread = np.geomspace if axis.scale == "log" else np.linspace
    values = spread(axis.low, axis.high, axis.steps)
    if whole:
        # two steps that are rounded to one number are one
        return list(dict.fromkeys(np.rint(values).astype(np.int64).tolist()))
    return list(values.tolist())


def _frame(axes: Mapping[str, Axis], rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    listed = list(rows)
    columns = {path: _column([row[k] for row in listed]) for k, path in enumerate(axes)}
    return pd.DataFrame(columns, index=range(len(listed)))


def _column(values: list[Any]) -> pd.Series:
    """Numbers as they are, anything else as an object."""
    return pd.Series(values, dtype=None if all(isinstance(value, int | float) for value in values) else object)
