"""A live marrow under treatment by hand is a run of its scenario, bit for bit."""

import json
import threading

import numpy as np
import pandas as pd
import pytest
from unit.small import niche, tissue

import mpn_abm
from mpn_abm.cli.main import main
from mpn_abm.dashboard import saving
from mpn_abm.dashboard.experiment import Experiment
from mpn_abm.dashboard.live import LiveMarrow
from mpn_abm.dashboard.opened import MOST_KEPT, Opened
from mpn_abm.errors import UsageError
from mpn_abm.scenario.scenario import load
from mpn_abm.state import T_CELLS

DAILY = {"duration_days": 42, "record_every_days": 1}
HALF_HOURS = {"duration_hours": 4, "record_every_minutes": 30}


def give(drug, **dose):
    return lambda experiment, day: experiment.give(drug, day, **dose)


def infuse(**dose):
    return lambda experiment, day: experiment.infuse(day, **dose)


def stop(drug):
    return lambda experiment, day: experiment.stop(drug, day)


# scenario, and (steps until then, deed)
BY_HAND = {
    "a drug, its stop and T cells": (
        niche(treatments={}, time=DAILY),
        [(4, give("ruxolitinib", dose_mg=20)), (10, infuse(dose_cells=5e8)), (9, stop("ruxolitinib"))],
    ),
    "another dose beside what the file gives": (
        niche(time=DAILY),
        [(0, give("ruxolitinib", dose_mg=5)), (5, infuse(dose_cells=5e8)), (0, give("pembrolizumab", dose_mg=200))],
    ),
    "steps of 3 days that start at none of its days": (
        niche(time={"duration_days": 42, "step_days": 3, "record_every_days": 3}),
        [(3, give("interferon", dose_mg=0.09)), (4, stop("interferon")), (1, stop("ruxolitinib"))],
    ),
    "late in a long run of which the file has several": (
        niche(replicates=3, treatments={}, time={"duration_years": 9, "record_every_days": 28}),
        [(2707, give("ruxolitinib", dose_mg=20)), (1, infuse(dose_cells=5e8)), (301, stop("ruxolitinib"))],
    ),
    "tissue in 3-D, ten minutes a step": (tissue(time=HALF_HOURS), [(5, infuse(effector_to_target=0.5))]),
    "a patient who dies": (
        niche(
            treatments={},
            time=DAILY,
            seed=2,
            progression={"background_death_rate_per_year": 12.0},
        ),
        [(2, give("fedratinib", dose_mg=400))],
    ),
}


def treated(content, deeds):
    model = LiveMarrow(Experiment(load(content)))
    for steps, deed in deeds:
        for _ in range(steps):
            model.step()
        model = model.after(deed)
    while model.running:
        model.step()
    return model


def rows_of(model, days):
    rows = pd.DataFrame(model.datacollector.model_vars)
    return rows[rows["day"].isin(days)].reset_index(drop=True)


@pytest.mark.parametrize("name", list(BY_HAND))
def test_the_saved_scenario_repeats_what_was_clicked_bit_for_bit(name, tmp_path, monkeypatch):
    """By the command line. Catches a deed that acts a step early or late, or acts on the past."""
    monkeypatch.chdir(tmp_path)
    model = treated(*BY_HAND[name])
    (tmp_path / "saved.yaml").write_text(model.experiment.to_yaml())
    assert main(["run", "saved.yaml", "--out", "run", "--quiet"]) == 0
    table = pd.read_parquet("run/trajectory.parquet")
    mine = rows_of(model, table["day"])
    assert len(mine) == len(table) > 5
    for column in mine.columns:
        # after death a row has no number, which a table says by a null
        left, right = mine[column].to_numpy(dtype=object), table[column].to_numpy(dtype=object)
        known = ~pd.isna(right)
        assert (known == ~pd.isna(left)).all(), column
        assert (left[known] == right[known]).all(), column
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["scenario_sha256"] == (
        model.marrow_scenario.sha256
    )


def test_the_last_cells_are_those_of_the_run():
    """Sites, clones, antigen, scar and every T cell, not the rows alone."""
    content, deeds = BY_HAND["a drug, its stop and T cells"]
    model = treated(content, deeds)
    other = mpn_abm.MarrowModel(load(model.experiment.to_yaml()))
    while other.running:
        other.step()
    mine, theirs = model.batch.stack, other.batch.stack
    assert mine.tally[0, T_CELLS] > 0
    np.testing.assert_array_equal(mine.cell, theirs.cell)
    np.testing.assert_array_equal(mine.ground.ecm, theirs.ground.ecm)
    for one, another in zip(mine.agents, theirs.agents, strict=True):
        np.testing.assert_array_equal(one[0, : mine.tally[0, T_CELLS]], another[0, : mine.tally[0, T_CELLS]])


def test_a_deed_changes_what_comes_and_not_what_was():
    model = LiveMarrow(Experiment(load(niche(treatments={}, time=DAILY))))
    for _ in range(10):
        model.step()
    other = model.after(infuse(dose_cells=5e8))
    assert other.boundary == model.boundary == 10
    before, after = model.datacollector.model_vars, other.datacollector.model_vars
    assert all(after[column] == before[column] for column in before)
    np.testing.assert_array_equal(model.batch.stack.cell, other.batch.stack.cell)
    for _ in range(5):
        model.step()
        other.step()
    assert "car_t_total" not in model.row
    assert other.row["car_t_total"] > 0


def test_undo_goes_back_to_the_run_without_the_deed():
    model = LiveMarrow(Experiment(load(niche(time=DAILY))), boundary=6)
    back = model.after(infuse(dose_cells=5e8)).after(lambda experiment, _: experiment.before)
    for _ in range(6):
        model.step()
        back.step()
    assert model.row == back.row


def test_nobody_steps_a_marrow_that_is_held():
    """A click while the page plays: the day of the deed is that of the marrow."""
    model = LiveMarrow(Experiment(load(niche(time=DAILY))))
    with model.still:
        player = threading.Thread(target=model.step)
        player.start()
        player.join(0.2)
        assert (player.is_alive(), model.boundary) == (True, 0)
    player.join(10)
    assert model.boundary == 1


def test_a_deed_that_is_refused_leaves_the_marrow_as_it_is():
    model = LiveMarrow(Experiment(load(niche(time=DAILY))), boundary=3)
    with pytest.raises(UsageError):
        model.after(stop("fedratinib"))
    model.step()
    assert model.boundary == 4


def test_sliders_that_exclude_each_other_are_left_out_and_named():
    model = LiveMarrow(Experiment(load(niche())), **{"clones.calr.fraction": 3.0})
    assert "clones.calr.fraction" in model.refused
    assert model.marrow_scenario.get("clones.calr.fraction") == 0.4


def test_a_browser_that_comes_back_finds_its_marrow():
    opened = Opened(Experiment(load(niche())))
    marrow = opened.marrow_of("one")
    for k in range(MOST_KEPT - 1):
        opened.keep(f"other {k}", marrow)
    assert opened.marrow_of("one") is marrow
    opened.keep("one more", marrow)
    assert opened.marrow_of("one") is not marrow


def test_the_saved_state_is_the_snapshot_of_a_run(tmp_path):
    """Day 21 has a snapshot."""
    content = niche()
    model = LiveMarrow(Experiment(load(content)), boundary=21)
    file = tmp_path / "state.parquet"
    file.write_bytes(saving.state_of(model))
    snapshots = mpn_abm.run(load(content)).snapshots
    theirs = snapshots[snapshots["day"] == 21.0].reset_index(drop=True)
    pd.testing.assert_frame_equal(pd.read_parquet(file), theirs, check_categorical=False)
    assert saving.name_of(model, ".parquet") == "niche-day21.parquet"
