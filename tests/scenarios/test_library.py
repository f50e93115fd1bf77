"""Every scenario of the library opens with its question, is valid, and runs."""

import json
import re

import numpy as np
import pytest
from verification.runs import LIBRARY, SCENARIOS, STUDIES, of_library

import mpn_abm
from mpn_abm.scenario.studies.study_file import load_study
from mpn_abm.studies.plan import plan_of

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


# ---- studies


def test_the_studies_are_there():
    names = {name.rpartition("/")[2] for name in STUDIES}
    trials = {"comfort_like", "response_like", "interferon_cohort", "calr_car_t_phase1"}
    trials |= {"pv_cohort", "transplant_cohort"}
    assert names == trials | {"combination_matrix"}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_opens_with_its_question_and_states_claims(name):
    study = load_study(SCENARIOS / f"{name}.yaml")
    text = (SCENARIOS / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.splitlines()[0] == f"# {study.question}"
    assert study.question.endswith("?")
    assert study.name == name.rpartition("/")[2]
    assert study.expect
    assert all(claim.source for claim in study.expect.values())


@pytest.mark.parametrize("name", STUDIES)
def test_patients_of_a_study_run_in_every_arm(name):
    """The first and the last of them, on a small lattice for a short time."""
    short = {"marrow.shape": [16, 16], "time.duration_days": 84, "time.record_at_days": [0.0]}
    kind = {"trial.at_days": [], "trial.power": None} if "matrix" not in name else {}
    study = load_study(SCENARIOS / f"{name}.yaml", overrides={**short, **kind, "expect": None})
    plan = plan_of(study)
    for row in plan.iloc[[0, -1]].itertuples():
        result = mpn_abm.run(study.member(json.loads(row.parameters), row.arm))
        rows = result.trajectory
        assert len(rows) >= 2
        # the dead have no counts
        assert np.isfinite(rows[rows.alive].select_dtypes("number")).all(axis=None)
