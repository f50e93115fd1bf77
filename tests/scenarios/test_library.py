"""Every scenario of the library opens with its question, is valid, and runs."""

import re

import numpy as np
import pytest
from verification.runs import LIBRARY, SCENARIOS, of_library

import mpn_abm

EVERY = pytest.mark.parametrize("name", LIBRARY)


def shrunken(name):
    """A scenario of the library on a small lattice and for a short time, with all that it gives within that time."""
    full = of_library(name)
    spec, tissue = full.spec, full.spec.marrow.scale == "tissue"
    short = min(spec.time.duration, 0.2 if tissue else 600.0)
    side = 10 if len(spec.marrow.shape) == 3 else 24
    sides = {"marrow.shape": [min(side, length) for length in spec.marrow.shape]}
    some = {f"treatments.{drug}.dose_cells": 20 for drug, t in spec.treatments.items() if t.kind == "car_t" and tissue}
    ratios = {path.replace("dose_cells", "effector_to_target"): None for path in some}
    days = {"time.record_at_days": [0.0]}
    return of_library(name, {**sides, **days, "replicates": 1, "time.duration_days": short, **ratios, **some})


def test_the_library_is_there():
    groups = {name.partition("/")[0] for name in LIBRARY}
    assert groups == {"baseline", "therapy", "tissue", "verification"}
    assert "therapy/calr_car_t" in LIBRARY


@EVERY
def test_a_file_opens_with_its_question_and_is_called_as_it_says(name):
    text = (SCENARIOS / f"{name}.yaml").read_text(encoding="utf-8")
    spec = of_library(name).spec
    assert text.splitlines()[0] == f"# {spec.question}"
    assert spec.question.endswith("?")
    assert spec.name == name.rpartition("/")[2]
    assert re.search(r"^schema: mpn-abm/1$", text, re.MULTILINE)


@EVERY
def test_a_scenario_runs_and_leaves_finite_numbers(name):
    result = mpn_abm.run(shrunken(name))
    rows = result.trajectory
    numbers = rows.select_dtypes("number")
    assert np.isfinite(numbers).all(axis=None)
    assert (numbers >= 0).all(axis=None)
    assert rows.day.iloc[-1] == result.summary.end_day.iloc[0] > 0
    assert len(rows) >= 2
