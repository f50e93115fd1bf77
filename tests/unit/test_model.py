"""The marrow as a model of Mesa: the same bits as a run, views instead of copies, and Mesa's own tools on it."""

import copy
import gc
import inspect
import pickle
from functools import cache

import mesa
import numpy as np
import pandas as pd
import pytest
from mesa.agent import AgentSet
from mesa.discrete_space import CellAgent, OrthogonalMooreGrid

import mpn_abm
from mpn_abm.errors import UsageError
from mpn_abm.mechanisms.car_t.life import exhaustion_of
from mpn_abm.mesa_layers import KernelLayer
from mpn_abm.mesa_views import CarTCell, StemCell
from mpn_abm.model import MarrowModel
from mpn_abm.state import CLONE_ROWS, LOGGED, LOST_STEP, NEXT_CLONE, NEXT_ROW, ROWS, T_CELLS

# sides differ and are no whole blocks of 4, so that no two axes can be mixed up
NICHE = {
    "name": "niche",
    "seed": 5,
    "time": {"duration_days": 90},
    "marrow": {"shape": [22, 18], "hsc_pool_cells": 4_000_000},
    "clones": {
        "healthy": {"genotype": "wild_type"},
        "calr": {"genotype": "CALR_TYPE1", "fraction": 0.4, "pattern": "patches", "patches": 3},
    },
    "fibrosis": {"initial": {"mf_grade": 2, "patches": 2, "cover_fraction": 0.4}},
    "hematopoiesis": {"loss_rate_per_year": 2.0},
    "car_t": {"minimum_agents": 20},
    "treatments": {
        "car_t": {"dose_cells": 1.0e7, "day": 20},
        "ruxolitinib": {"dose_mg": 15, "times_per_day": 2, "start_day": 10, "stop_day": 60},
    },
}
TISSUE = {
    "name": "tissue",
    "seed": 11,
    "time": {"duration_hours": 30},
    "marrow": {"scale": "tissue", "shape": [9, 7, 5], "boundary": "reflecting"},
    "clones": {
        "healthy": {"genotype": "wild_type", "fraction": 0.4},
        "calr": {"genotype": "CALR_TYPE1", "fraction": 0.5},
    },
    "fibrosis": {"initial": {"mf_grade": 3}},
    "treatments": {"car_t": {"effector_to_target": 0.3, "entry": "faces"}},
}
MORAN = {
    "name": "moran",
    "seed": 2,
    "time": {"duration_years": 200, "step_days": 30},
    "marrow": {"shape": [5, 4]},
    "clones": {"healthy": {"genotype": "wild_type"}, "other": {"genotype": "wild_type", "fraction": 0.5}},
    "stop": {"when": ["fixation"]},
    "mutation": {"enabled": False},
    "fibrosis": {"enabled": False},
    "antigen": {"enabled": False},
}
SCENARIOS = {
    "niche scale with T cells, a drug and scar": NICHE,
    "tissue scale in 3-D": TISSUE,
    "niche scale in 3-D, reflecting": NICHE | {"marrow": {"shape": [9, 6, 7], "boundary": "reflecting"}},
    "death before birth": NICHE | {"hematopoiesis": {"update": "death_birth"}, "time": {"duration_days": 60}},
    "a stop at fixation": MORAN,
    "a stop at eradication": MORAN
    | {
        "clones": {"healthy": {"genotype": "wild_type"}, "other": {"genotype": "JAK2_V617F", "cells": 2}},
        "stop": {"when": ["eradication"]},
    },
    "a stop at extinction": MORAN
    | {"hematopoiesis": {"loss_rate_per_year": 4.0}, "stop": {"when": ["extinction"]}, "seed": 1},
    "a clone that arrives later": NICHE
    | {
        "clones": NICHE["clones"] | {"late": {"genotype": "JAK2_V617F", "cells": 40, "day": 35.5}},
        "time": {"duration_days": 60, "step_days": 2},
    },
}
RECORD = (ROWS, CLONE_ROWS, LOGGED, NEXT_ROW)


def scenario(said, **overrides):
    return mpn_abm.load(said, overrides=overrides)


@cache
def whole_run(name):
    """Trajectory with a row a step, snapshots, and the last state, of a run without Mesa."""
    said = SCENARIOS[name]
    step = scenario(said).spec.time.step
    last = {}

    def keep(marrow, day):
        last["marrow"] = copy.deepcopy(marrow)
        return {}

    result = mpn_abm.run(scenario(said, **{"time.record_every_days": step}), observers=[keep])
    return result, last["marrow"]


def stepped(said, steps=10**9, **options):
    """A model after a number of steps, or at its end."""
    model = MarrowModel(said if hasattr(said, "spec") else scenario(said), **options)
    while model.running and model.steps < steps:
        model.step()
    return model


@cache
def finished(name):
    return stepped(SCENARIOS[name])


def collected(model):
    return model.datacollector.get_model_vars_dataframe()


def arrays_of(marrow):
    """Every array of a marrow but the blocks of rows that a recorder empties."""
    for name, group in zip(marrow._fields, marrow, strict=True):
        if name == "tally":
            yield name, np.delete(group, RECORD)
        elif isinstance(group, tuple) and name != "record":
            yield from ((f"{name}.{field}", array) for field, array in zip(group._fields, group, strict=True))
        elif name != "record":
            yield name, group


def assert_same_marrow(one, other):
    for (name, a), (_, b) in zip(arrays_of(one), arrays_of(other), strict=True):
        np.testing.assert_array_equal(a, b, name, strict=True)


def recounted(model):
    """What the kernel counts as it goes, counted anew from the cells."""
    rules, words, lattice = model.program.rules, model.batch.stack.cell[0], model.program.rules.lattice
    genotype, byte = (words & np.uint64(0xFF)).astype(int), (words >> np.uint64(8)).astype(np.uint8)
    site = np.arange(len(words))
    x, y, z = site % lattice.width, site // lattice.width % lattice.height, site // lattice.width // lattice.height
    block = ((z // 4) * lattice.block_height + y // 4) * lattice.block_width + x // 4
    stack = model.batch.stack
    source, antigen = np.zeros_like(stack.ground.source[0]), np.zeros_like(stack.counters.antigen_cells[0])
    np.add.at(source, (rules.cells.base[genotype], block), rules.cells.source_weight[genotype])
    carriers = rules.cells.antigen_class[genotype] > 0
    np.add.at(antigen, (rules.cells.antigen_class[genotype[carriers]], byte[carriers]), 1)
    return {
        "genotype_cells": np.bincount(genotype, minlength=len(model.genotypes)),
        "clone_cells": np.bincount((words >> np.uint64(32)).astype(int), minlength=stack.counters.clone_cells.shape[1]),
        "antigen_cells": antigen,
        "source": source,
    }


def assert_books_are_right(model):
    stack = model.batch.stack
    for name, expected in recounted(model).items():
        kept = stack.ground.source[0] if name == "source" else getattr(stack.counters, name)[0]
        np.testing.assert_array_equal(kept, expected, name)


# A step is that of a run.


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_model_stepped_by_mesa_is_the_run_bit_for_bit(name):
    result, marrow = whole_run(name)
    model = finished(name)
    rows = collected(model)
    expected = result.trajectory[list(rows.columns)]
    pd.testing.assert_frame_equal(rows, expected, check_exact=True)
    assert_same_marrow(model.batch.marrow(0), marrow)
    assert model.end_reason == result.facts["end_reason"]
    assert model.day == result.facts["end_day"]


def test_these_scenarios_reach_what_they_are_named_for():
    """Catches scenarios gone stale, in which nothing happens that a model could do wrong."""
    rows = {name: collected(finished(name)) for name in SCENARIOS}
    niche = rows["niche scale with T cells, a drug and scar"]
    assert niche.kills.iloc[-1] > 20
    assert niche.concentration_ruxolitinib.max() > 0
    assert niche.fibrosis_mean.nunique() > 3
    assert rows["tissue scale in 3-D"].kills.iloc[-1] > 10
    assert rows["tissue scale in 3-D"].car_t_total.iloc[-1] > 0
    late = rows["a clone that arrives later"]
    assert late.day[late.cells_late > 0].iloc[0] == 38, "due at 36, after that day's row"
    for reason in ("fixation", "eradication", "extinction"):
        assert finished(f"a stop at {reason}").end_reason == reason
        assert len(rows[f"a stop at {reason}"]) > 5
    assert finished("death before birth").program.rules.cells.update == 1


def test_what_is_collected_changes_nothing_of_what_happens():
    """Rows of every 7th day in a run, of every 1st and 4th in a model."""
    name = "niche scale with T cells, a drug and scar"
    weekly = mpn_abm.run(scenario(NICHE)).trajectory
    daily, seldom = collected(finished(name)), collected(stepped(NICHE, collect_every=4))
    assert seldom.day.tolist() == [*range(0, 89, 4), 90]
    for rows in (weekly, seldom):
        shared = daily.set_index("day").loc[rows.day].reset_index()
        pd.testing.assert_frame_equal(rows[list(shared.columns)], shared, check_exact=True)


def test_arrays_that_grow_leave_the_bits_and_the_layers_alone():
    """T cells outgrow their arrays and clones their table. Catches a layer that still shows the old array."""
    said = NICHE | {"marrow": {"shape": [22, 18], "hsc_pool_cells": 10**12}, "time": {"duration_days": 60}}
    said |= {"mutation": {"driver_rate_per_year": 1.0e-8}}
    model = MarrowModel(scenario(said))
    at_first, data = model.program.sizes, model.grid.clone.data
    assert model.grid.car_t.data.sum() == 0
    model.batch.sizes = model.program.sizes._replace(clones=4)
    marrow = model.batch.stack
    model.batch.stack = marrow._replace(
        clone_table=marrow.clone_table[:, :4].copy(),
        counters=marrow.counters._replace(clone_cells=marrow.counters.clone_cells[:, :4].copy()),
    )
    while model.running:
        model.step()
    assert model.batch.sizes.agents > at_first.agents
    assert 4 < model.batch.stack.tally[0, NEXT_CLONE] <= model.batch.sizes.clones
    result = mpn_abm.run(scenario(said, **{"time.record_every_days": 1}))
    rows = collected(model)
    pd.testing.assert_frame_equal(rows, result.trajectory[list(rows.columns)], check_exact=True)
    assert model.grid.car_t.data.sum() == len(model.agents) == model.batch.stack.tally[0, T_CELLS]
    assert np.shares_memory(model.batch.stack.cell, data)
    np.testing.assert_array_equal(data.T.ravel(), model.batch.stack.cell[0] >> np.uint64(32))


def test_a_step_after_the_end_changes_nothing():
    model = stepped(MORAN)
    before, rows, day = copy.deepcopy(model.batch.marrow(0)), len(collected(model)), model.day
    assert not model.running
    model.step()
    assert_same_marrow(model.batch.marrow(0), before)
    assert (model.steps, model.day, len(collected(model))) == (round(day / 30), day, rows)


# The constructor.


def test_a_path_a_text_and_a_loaded_scenario_are_the_same_model(tmp_path):
    file = tmp_path / "moran.yaml"
    file.write_text(scenario(MORAN).to_yaml())
    models = [stepped(MarrowModel(s).marrow_scenario, 30) for s in (str(file), file, scenario(MORAN), MORAN)]
    for model in models[1:]:
        pd.testing.assert_frame_equal(collected(model), collected(models[0]), check_exact=True)


@pytest.mark.parametrize("options", [{"seed": 9}, {"rng": 9}, {"overrides": {"seed": 9}}, {"seed": np.int64(9)}])
def test_a_seed_can_be_said_in_any_of_mesas_ways(options):
    model = stepped(MORAN, 30, **options)
    pd.testing.assert_frame_equal(collected(model), collected(stepped(scenario(MORAN, seed=9), 30)), check_exact=True)
    assert not collected(model).equals(collected(stepped(MORAN, 30)))
    drawn = [stepped(MORAN, 0, seed=seed).random.random() for seed in (9, 10)]
    assert model.random.random() == drawn[0] != drawn[1], "Mesa's generators follow the seed"


def test_overrides_reach_a_file_and_a_loaded_scenario():
    for said in (MORAN, scenario(MORAN)):
        assert MarrowModel(said, overrides={"marrow.shape": [7, 3]}).grid.dimensions == (7, 3)


@pytest.mark.parametrize("options", [
    {"seed": 1, "rng": 1}, {"seed": 0.5}, {"seed": -1}, {"overrides": {"marrow.size": 3}}, {"collect_every": 0},
])  # fmt: skip
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(mpn_abm.errors.MpnAbmError):
        MarrowModel(scenario(MORAN), **options)


def test_the_constructor_takes_named_keywords_only():
    """A page takes a var-keyword for a missing parameter, and positional ones cannot be sliders."""
    kinds = {name: p.kind for name, p in inspect.signature(MarrowModel.__init__).parameters.items()}
    assert not {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL} & set(kinds.values())
    assert [name for name, kind in kinds.items() if kind != inspect.Parameter.KEYWORD_ONLY] == ["self", "scenario"]
    assert not MarrowModel(scenario(MORAN)).scenario, "a page of Mesa 3.5 takes anything here for a scenario of Mesa's"


# The grid.


@pytest.mark.parametrize("name", ["niche scale with T cells, a drug and scar", "tissue scale in 3-D"])
def test_layers_show_what_the_snapshot_of_a_run_shows(name):
    """x, y and z as in snapshots.parquet. Catches a transposed layer, and blocks that are laid out differently."""
    result, _ = whole_run(name)
    model = finished(name)
    there = result.snapshots[result.snapshots.day == result.snapshots.day.max()]
    axes = ["x", "y", "z"][: len(model.shape)]
    cells, t_cells = there[there.layer == "cell"], there[there.layer == "car_t"]
    at = tuple(cells[axis].to_numpy() for axis in axes)
    layers = {name: layer.data for name, layer in model.grid.layers.items()}
    assert {array.shape for array in layers.values()} == {model.grid.dimensions} == {model.shape}
    labels = np.array(model.genotypes)[layers["genotype"][at]]
    np.testing.assert_array_equal(labels, cells.genotype.to_numpy(str))
    np.testing.assert_array_equal(layers["clone"][at], cells.clone)
    np.testing.assert_array_equal(layers["antigen_molecules"][at].astype(np.float32), cells.antigen)
    np.testing.assert_array_equal(layers["fibrosis"][at].astype(np.float32), cells.fibrosis)
    assert (~layers["empty"]).sum() == len(cells)
    assert not layers["empty"][at].any()
    number = np.zeros(model.shape, int)
    np.add.at(number, tuple(t_cells[axis].to_numpy() for axis in axes), 1)
    np.testing.assert_array_equal(layers["car_t"], number)
    assert number.sum() > 0


@pytest.mark.parametrize("name", ["niche scale with T cells, a drug and scar", "tissue scale in 3-D"])
def test_a_cell_shows_what_the_layers_show(name):
    model = finished(name)
    for position in [(0, 0, 0), (8, 6, 4), (1, 5, 2)]:
        cell = model.grid[position[: len(model.shape)]]
        assert len(cell.agents) == cell.car_t
        for layer in model.grid.layers.values():
            assert getattr(cell, layer.name) == layer.data[cell.coordinate], layer.name


def test_layers_and_block_fields_are_the_kernels_memory():
    model = MarrowModel(scenario(NICHE))
    stack = model.batch.stack
    for name in ("genotype", "clone", "antigen_byte"):
        assert np.shares_memory(model.grid.layers[name].data, stack.cell)
    for name, array in {"fibrosis": "ecm", "myofibroblast": "myofibroblast", "cytokine": "cytokine"}.items():
        assert model.blocks[name].shape == (6, 5)
        assert np.shares_memory(model.blocks[name], getattr(stack.ground, array))
    clone = model.grid.clone.data
    stack.cell[0, 2 * 22 + 7] = np.uint64(1 | (77 << 32))
    assert clone[7, 2] == 77
    assert model.grid[7, 2].clone == 77


def test_a_layer_of_the_marrow_cannot_be_written():
    model = MarrowModel(scenario(NICHE))
    before = copy.deepcopy(model.batch.marrow(0))
    layer = model.grid.clone
    attempts = [
        lambda: setattr(model.grid[3, 4], "clone", 2),
        lambda: setattr(model.grid[3, 4], "fibrosis", 2),
        lambda: setattr(model.grid[3, 4], "empty", True),
        lambda: layer.set_cells(2),
        lambda: layer.modify_cells(np.add, 1),
        lambda: model.grid.set_property("genotype", 1),
        lambda: model.grid.modify_properties("fibrosis", np.multiply, 0.0),
        lambda: setattr(layer, "data", 1),
        lambda: model.grid.remove_property_layer("clone"),
    ]
    for attempt in attempts:
        with pytest.raises(UsageError, match=r"model\.place"):
            attempt()
    for data in (layer.data, model.grid.fibrosis.data, model.words["clone"], model.blocks["fibrosis"]):
        with pytest.raises(ValueError, match="read-only"):
            data[...] = 1
    assert_same_marrow(model.batch.marrow(0), before)


def test_a_layer_of_the_users_own_is_written_as_in_any_grid():
    model = MarrowModel(scenario(NICHE))
    layer = model.grid.create_property_layer("oxygen", default_value=0.5)
    model.grid[3, 4].oxygen = 0.1
    assert layer.data[3, 4] == model.grid[3, 4].oxygen == 0.1
    assert model.grid.oxygen.data.sum() == pytest.approx(22 * 18 * 0.5 - 0.4)
    assert not hasattr(MarrowModel(scenario(NICHE)).grid[3, 4], "oxygen"), "another marrow has none"
    for taken in ("clone", "oxygen", "agents", "coordinate"):
        with pytest.raises(ValueError, match=taken):
            model.grid.create_property_layer(taken)
    model.grid.remove_property_layer("oxygen")
    assert "oxygen" not in model.grid.layers


@pytest.mark.parametrize("shape", [(6, 5), (4, 5, 2)])
@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
@pytest.mark.parametrize(("radius", "include_center"), [(1, True), (2, False)])
def test_neighbours_are_those_of_the_stock_grid(shape, boundary, radius, include_center):
    options = {"marrow.shape": list(shape), "marrow.boundary": boundary, "hematopoiesis.homing_radius_sites": 1}
    model = MarrowModel(scenario(NICHE, **options))
    stock = OrthogonalMooreGrid(shape, torus=boundary == "periodic", random=model.random)
    assert model.grid.torus == stock.torus
    assert {cell.coordinate for cell in model.grid.all_cells} == {cell.coordinate for cell in stock.all_cells}
    for cell in stock.all_cells:
        ours = model.grid[cell.coordinate]
        expected = {c.coordinate for c in cell.get_neighborhood(radius, include_center)}
        assert {c.coordinate for c in ours.get_neighborhood(radius, include_center)} == expected
        assert {d: c.coordinate for d, c in ours.connections.items()} == {
            d: c.coordinate for d, c in cell.connections.items()
        }
    np.testing.assert_array_equal(
        model.grid.get_neighborhood_mask((0,) * len(shape), radius=radius),
        stock.get_neighborhood_mask((0,) * len(shape), radius=radius),
    )


def test_cells_are_selected_as_in_any_grid():
    model = finished("niche scale with T cells, a drug and scar")
    grid, empty = model.grid, model.grid.empty.data
    assert 0 < empty.sum() < empty.size
    expected = set(zip(*np.nonzero(empty & (grid.fibrosis.data > 0.1)), strict=True))
    found = grid.select_cells(conditions={"fibrosis": lambda f: f > 0.1}, only_empty=True)
    assert set(found) == expected != set()
    assert {cell.coordinate for cell in grid.empties} == set(zip(*np.nonzero(empty), strict=True))
    assert grid.select_random_empty_cell().is_empty
    assert grid.clone.aggregate(np.max) == model.words["clone"].max()
    assert len(grid.clone.select_cells(lambda c: c == 1)) == (grid.clone.data == 1).sum()


def test_a_large_grid_makes_no_object_per_site():
    asked = scenario(NICHE, **{"marrow.shape": [1000, 1000]})
    gc.collect()
    before = len(gc.get_objects())
    model = MarrowModel(asked)
    gc.collect()
    assert len(gc.get_objects()) - before < 20_000
    assert len(model.grid._cells) == 0
    assert {c.coordinate for c in model.grid[999, 0].neighborhood} >= {(0, 0), (998, 999), (0, 999)}
    assert len(model.grid._cells) == 9
    assert model.grid[(np.int64(3), np.int64(4))] is model.grid[3, 4]
    assert {type(k) for k in model.grid[3, 4].coordinate} == {int}


@pytest.mark.parametrize("position", [(22, 0), (0, 18), (-1, 0), (1, 2, 3), (5,)])
def test_a_position_outside_the_marrow_is_a_key_error(position):
    model = MarrowModel(scenario(NICHE))
    for asked in (lambda: model.grid[position], lambda: model.clear(position), lambda: model.place(position, clone=1)):
        with pytest.raises(KeyError, match="22, 18"):
            asked()


# Interventions.


@pytest.mark.parametrize("name", ["niche scale with T cells, a drug and scar", "tissue scale in 3-D"])
def test_placing_and_clearing_keep_the_books(name):
    """Counts, clones, antigen and sources, at once and after more steps; catches a cell that is written past them."""
    model = stepped(SCENARIOS[name], 40)
    random = np.random.default_rng(1)
    for k in range(60):
        position = tuple(int(random.integers(side)) for side in model.shape)
        if k % 3 == 0:
            model.clear(position)
            assert model.grid[position].empty
        else:
            model.place(position, clone=["healthy", "calr", 2][k % 3])
            assert model.grid[position].stem_cell.clone_name == ["healthy", "calr", "calr"][k % 3]
    assert_books_are_right(model)
    ledger = model.batch.stack.ledger.arrived[0]
    assert ledger.sum() == 40
    for _ in range(20):
        model.step()
    assert_books_are_right(model)
    assert model.row["cells_calr"] == (model.grid.clone.data == 2).sum()


def test_a_clone_that_is_cleared_is_lost_and_one_that_is_placed_again_lives():
    model = MarrowModel(scenario(MORAN))
    others = model.stem_cells.select(lambda cell: cell.clone_name == "other")
    others.do("remove")
    assert len(others) == 0
    saved = copy.deepcopy(model)
    model.step()
    assert (model.end_reason, model.row["cells_other"]) == ("fixation", 0)
    assert model.batch.stack.clone_table[0, 2, LOST_STEP] == 0
    saved.place((1, 1), clone="other")
    saved.step()
    assert saved.running
    assert saved.row["cells_other"] >= 1
    assert saved.batch.stack.clone_table[0, 2, LOST_STEP] == -1


def test_a_clone_that_was_lost_can_be_placed_and_lost_again():
    model = MarrowModel(scenario(MORAN | {"stop": {}}))
    facts = model.batch.stack.clone_table[0, 2]
    for days in (0, 3):
        model.stem_cells.select(lambda cell: cell.clone_name == "other").do("remove")
        model.step()
        assert facts[LOST_STEP] == days
        model.step()
        model.place((1, 1), clone="other")
        assert facts[LOST_STEP] == -1
        model.step()


@pytest.mark.parametrize("clone", ["mutant", 0, 3, -1])
def test_a_clone_that_never_was_cannot_be_placed(clone):
    model = MarrowModel(scenario(MORAN))
    before = copy.deepcopy(model.batch.marrow(0))
    with pytest.raises(UsageError, match="clone"):
        model.place((1, 1), clone=clone)
    assert_same_marrow(model.batch.marrow(0), before)


# Agents.


def t_cells(name="niche scale with T cells, a drug and scar"):
    model = pickle.loads(pickle.dumps(finished(name)))
    assert len(model.agents) > 20
    return model


def test_the_agents_are_the_t_cells_of_the_kernel():
    model = t_cells()
    number = model.batch.stack.tally[0, T_CELLS]
    arrays = {name: array[0, :number] for name, array in model.batch.stack.agents._asdict().items() if array.ndim == 2}
    agents = model.agents
    assert isinstance(agents, AgentSet)
    assert len(agents) == number == model.row["car_t_total"] / model.program.rules.car_t.cells_per_agent
    assert agents.get("unique_id") == arrays["uid"].tolist() == sorted(set(arrays["uid"].tolist()))
    assert [x + 22 * y for x, y in agents.get("pos")] == arrays["site"].tolist()
    assert agents.get("memory") == (arrays["memory"] == 1).tolist()
    assert agents.get("divisions_left") == arrays["to_go"].tolist()
    assert agents.agg("last_contact", max) == arrays["contact"].max()
    assert agents.agg("engagements", [min, max]) == [arrays["exhaustion"].min(), arrays["exhaustion"].max()]
    assert agents.agg("cells", sum) == model.row["car_t_total"]
    rules = model.program.rules.car_t
    model.batch.stack.agents.exhaustion[0, :number] = np.linspace(0.0, 100.0, number)
    expected = [exhaustion_of(x, rules) for x in np.linspace(0.0, 100.0, number)]
    assert agents.get("exhaustion") == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["niche scale with T cells, a drug and scar", "tissue scale in 3-D"])
def test_a_view_says_what_the_column_of_its_set_says(name):
    model = t_cells(name) if name != "tissue scale in 3-D" else stepped(TISSUE, 60)
    columns = ["unique_id", "pos", "state", "memory", "exhaustion", "divisions", "phase", "target", "cell"]
    expected = [[getattr(agent, column) for column in columns] for agent in model.agents]
    assert model.agents.get(columns) == expected
    assert len(expected) > 10
    for agent in model.agents:
        assert agent in agent.cell.agents
        assert agent.cell.coordinate == agent.pos
    columns = ["unique_id", "pos", "clone", "clone_name", "genotype", "genotype_name", "antigen_molecules", "cell"]
    expected = [[getattr(cell, column) for column in columns] for cell in model.stem_cells]
    assert model.stem_cells.get(columns) == expected


def test_states_and_targets_are_those_of_the_tissue():
    model = stepped(TISSUE, 60)
    groups = model.agents.groupby("state")
    assert groups.count()["engaged"] == model.row["car_t_engaged"] > 0
    for agent in dict(groups)["engaged"]:
        assert max(abs(a - b) for a, b in zip(agent.pos, agent.target, strict=True)) <= 1
    assert {agent.target for agent in dict(groups)["searching"]} == {None}


def test_a_set_of_views_does_what_a_stock_set_does():
    """Against agents of Mesa's own with the same values and the same generator."""
    model = t_cells()
    ours, other = model.agents, mesa.Model(rng=1)
    for agent in ours:
        double = mesa.Agent(other)
        double.unique_id, double.phase, double.memory = agent.unique_id, agent.phase, agent.memory
    model.random, stock = other.random, AgentSet(other.agents, random=other.random)
    kept = list(other.agents)
    ours = model.agents
    ours.random = model.random

    def same(act):
        other.random.seed(4)
        mine = act(ours)
        other.random.seed(4)
        theirs = act(stock)
        uids = [[agent.unique_id for agent in agents] for agents in (mine, theirs)]
        assert uids[0] == uids[1]
        assert isinstance(mine, AgentSet)
        return uids[0]

    def visited(agents, how):
        order = []
        getattr(agents, how)(order.append)
        return AgentSet(order, random=agents.random) if agents is stock else agents._with([a.key for a in order])

    assert len(kept) == len(ours) > 20
    assert same(lambda agents: agents.select(lambda a: a.phase > 0.05)) != []
    assert len(same(lambda agents: agents.select(at_most=7))) == 7
    assert len(same(lambda agents: agents.select(at_most=0.25))) == len(kept) // 4
    assert same(lambda agents: agents.select(agent_type=StemCell)) == []
    assert same(lambda agents: agents.shuffle()) != ours.get("unique_id")
    assert same(lambda agents: agents.sort("phase")) != same(lambda agents: agents.sort("phase", ascending=True))
    same(lambda agents: agents.sort("memory"))
    same(lambda agents: agents.sort(lambda a: -a.phase))
    assert same(lambda agents: visited(agents, "shuffle_do")) != same(lambda agents: visited(agents, "do"))
    assert ours.map(lambda a: a.phase) == stock.map(lambda a: a.phase) == ours.get("phase")
    assert ours.get("nothing", handle_missing="default", default_value=3) == [3] * len(ours)
    assert ours.groupby("memory").count() == stock.groupby("memory").count()
    assert [a.unique_id for a in ours[2:5]] == [a.unique_id for a in kept[2:5]]
    chosen = ours.select(at_most=3)
    assert chosen.shuffle(inplace=True) is chosen.select(at_most=2, inplace=True)
    assert len(chosen) == 2
    with pytest.raises(AttributeError):
        ours.get("nothing")


def test_a_view_follows_its_cell_and_the_dead_leave_their_sets():
    model = stepped(NICHE, 45)
    agents = model.agents
    first, alive = {agent.unique_id: agent for agent in agents}, len(agents)
    for _ in range(10):
        model.step()
    number = model.batch.stack.tally[0, T_CELLS]
    stack = model.batch.stack.agents
    phase = dict(zip(stack.uid[0, :number].tolist(), stack.phase[0, :number].tolist(), strict=True))
    survivors = [k for k in first if k in phase]
    assert 0 < len(survivors) < alive
    assert agents.get("unique_id") == survivors
    assert [first[k].phase for k in survivors] == [phase[k] for k in survivors]
    dead = next(agent for k, agent in first.items() if k not in phase)
    assert not dead.alive
    assert dead not in agents
    with pytest.raises(AttributeError, match="no longer"):
        print(dead.phase)


def test_views_of_one_cell_are_equal_and_keep_nothing():
    model = t_cells()
    one, other = model.agents[3], model.agents[3]
    assert one == other
    assert {one, other} == {one}
    assert one != model.agents[4]
    assert one in model.agents
    of_another_marrow = t_cells().agents
    assert one != of_another_marrow[3]
    assert one not in of_another_marrow
    for name in ("phase", "energy"):
        with pytest.raises(AttributeError, match="view"):
            setattr(one, name, 1.0)
        with pytest.raises(AttributeError, match="view"):
            model.agents.set(name, 1.0)


@pytest.mark.parametrize("name", ["niche", "tissue"])
def test_an_agent_that_is_removed_is_gone_from_the_kernel(name):
    model = stepped({"niche": NICHE, "tissue": TISSUE}[name], 60)
    agents = model.agents
    doomed = agents[1]
    place, others = doomed.cell, [agent.unique_id for agent in agents if agent != doomed]
    here = place.car_t
    values = agents.select(lambda agent: agent != doomed).get(["unique_id", "phase", "pos", "exhaustion"])
    doomed.remove()
    assert model.agents.get("unique_id") == others
    assert model.agents.get(["unique_id", "phase", "pos", "exhaustion"]) == values
    assert place.car_t == here - 1
    if name == "tissue":
        np.testing.assert_array_equal(model.batch.stack.agents.layer[0], model.grid.car_t.data.T.ravel())
    one, *rest = model.agents
    visited = []
    model.agents.do(lambda agent: (visited.append(agent), [other.remove() for other in rest if other.alive]))
    assert visited == list(model.agents) == [one], "whoever is removed is not visited"
    one.remove()
    model.step()
    assert len(model.agents) == 0
    assert model.row["car_t_total"] == 0


def test_stem_cells_are_agents_on_demand():
    model = t_cells()
    cells = model.stem_cells
    assert len(cells) == model.row["cells_total"] == (~model.grid.empty.data).sum()
    by_clone = cells.groupby("clone_name").count()
    assert (by_clone["healthy"], by_clone["calr"]) == (model.row["cells_healthy"], model.row["cells_calr"])
    arisen = [name for name in by_clone if name not in ("healthy", "calr")]
    table = whole_run("niche scale with T cells, a drug and scar")[0].clones
    last = table[table.day == table.day.max()].set_index("name").cells
    assert arisen
    assert by_clone == last.to_dict()
    positive = [density for density in cells.get("antigen_molecules") if density > 0]
    assert np.mean(positive) == pytest.approx(model.row["antigen_mean_molecules"], rel=1e-12)
    assert model.agents_by_type[StemCell].get("clone") == cells.get("clone")
    assert model.agent_types == [CarTCell, StemCell]


class Macrophage(CellAgent):
    """An agent of a user's own, on the marrow's grid."""

    def __init__(self, model, cell):
        super().__init__(model)
        self.cell = cell

    def eat(self):
        if not self.cell.empty:
            self.model.clear(self.cell.coordinate)
        self.cell = self.random.choice(self.cell.neighborhood.cells)


class WithMacrophages(MarrowModel):
    """What a user's subclass looks like."""

    def __init__(self, scenario, *, macrophages=3, seed=None):
        super().__init__(scenario, seed=seed)
        for _ in range(macrophages):
            Macrophage(self, self.grid[self.random.randrange(self.grid.width), 2])

    def step(self):
        self.agents_by_type[Macrophage].shuffle_do("eat")
        super().step()


def test_agents_of_a_users_own_live_on_the_grid():
    model = WithMacrophages(scenario(NICHE), macrophages=4)
    for _ in range(30):
        model.step()
    assert_books_are_right(model)
    eaters = list(model.agents_by_type[Macrophage])
    assert all(eater in eater.cell.agents for eater in eaters)
    assert sum(isinstance(agent, Macrophage) for agent in model.grid.all_cells.agents) == 4
    assert model.day == model.steps == 30
    loaded = pickle.loads(pickle.dumps(model))
    for eater in loaded.agents_by_type[Macrophage]:
        assert eater.cell is loaded.grid[eater.cell.coordinate]
        assert eater.model is loaded
    for _ in range(5):
        model.step(), loaded.step()
    assert_same_marrow(model.batch.marrow(0), loaded.batch.marrow(0))


# Mesa's tools.


def test_agent_reporters_see_t_cells():
    model = MarrowModel(scenario(NICHE))
    model.datacollector = mesa.DataCollector(
        model_reporters={"t_cells": lambda m: len(m.agents)}, agent_reporters={"phase": "phase", "pos": "pos"}
    )
    for _ in range(25):
        model.step()
    rows = model.datacollector.get_agent_vars_dataframe()
    assert rows.loc[25].phase.tolist() == model.agents.get("phase")
    assert collected(model).t_cells.tolist()[-1] == len(rows.loc[25]) > 0


def test_collecting_by_hand_repeats_the_newest_row():
    model = stepped(MORAN, 10)
    model.datacollector.collect(model)
    rows = collected(model)
    assert len(rows) == 12
    assert rows.iloc[-1].equals(rows.iloc[-2])


def seeds(*numbers):
    """How this Mesa is told the seeds of a batch: as a parameter up to 3.3, by ``rng`` from 3.4 on."""
    if "rng" in inspect.signature(mesa.batch_run).parameters:
        return {}, {"rng": list(numbers)}
    return {"seed": list(numbers)}, {}


@pytest.mark.parametrize("processes", [1, 2])
def test_a_batch_of_mesa_is_the_same_on_any_number_of_processes(processes, tmp_path):
    file = tmp_path / "moran.yaml"
    file.write_text(scenario(MORAN).to_yaml())
    parameter, option = seeds(3, 4)
    parameters = {"overrides": [{"marrow.shape": [5, 4]}, {"marrow.shape": [4, 3]}], **parameter}
    found = mesa.batch_run(
        MarrowModel,
        {"scenario": str(file) if processes == 1 else [scenario(MORAN)], **parameters},
        number_processes=processes,
        max_steps=40,
        data_collection_period=5,
        display_progress=False,
        **option,
    )
    rows = pd.DataFrame(found)
    assert rows.RunId.nunique() == 4
    for _, row in rows.iterrows():
        seed = row["seed"]
        daily = collected(stepped_once(tuple(row.overrides["marrow.shape"]), seed))
        expected = daily[daily.day == row.day].iloc[0]
        assert (row.cells_healthy, row.cells_other) == (expected.cells_healthy, expected.cells_other)
    assert rows[rows["seed"] == 3].cells_other.tolist() != rows[rows["seed"] == 4].cells_other.tolist()


@cache
def stepped_once(shape, seed):
    return stepped(MORAN, 45, overrides={"marrow.shape": list(shape)}, seed=seed)


@pytest.mark.parametrize("name", ["niche scale with T cells, a drug and scar", "tissue scale in 3-D"])
@pytest.mark.parametrize("copied", [lambda model: pickle.loads(pickle.dumps(model)), copy.deepcopy])
def test_a_copied_model_goes_on_alone_with_the_same_bits(name, copied):
    model = stepped(SCENARIOS[name], 30)
    model.grid.create_property_layer("oxygen", default_value=0.5)
    other = copied(model)
    assert not np.shares_memory(other.batch.stack.cell, model.batch.stack.cell)
    for layer in ("genotype", "clone", "antigen_byte"):
        assert np.shares_memory(other.grid.layers[layer].data, other.batch.stack.cell)
    assert not isinstance(other.grid.oxygen, KernelLayer)
    before = copy.deepcopy(model.batch.marrow(0))
    while other.running:
        other.step()
    assert_same_marrow(model.batch.marrow(0), before)
    assert_same_marrow(other.batch.marrow(0), whole_run(name)[1])
    pd.testing.assert_frame_equal(collected(other), collected(finished(name)), check_exact=True)
    np.testing.assert_array_equal(other.grid.clone.data, finished(name).grid.clone.data)


def test_a_grid_and_a_cell_can_be_pickled_alone():
    model = stepped(NICHE, 30)
    cell = pickle.loads(pickle.dumps(model.grid[3, 4]))
    assert cell.coordinate == (3, 4)
    assert (cell.clone, cell.fibrosis) == (model.grid[3, 4].clone, model.grid[3, 4].fibrosis)
    assert cell.grid[3, 4] is cell
    grid = pickle.loads(pickle.dumps(model.grid))
    assert np.shares_memory(grid.clone.data, grid.model.batch.stack.cell)
    assert grid.model.grid is grid


# What a caller says.


def test_a_kind_of_which_nobody_is_there_is_named_with_the_other():
    model = MarrowModel(MORAN)
    with pytest.raises(IndexError, match=r"^0: 0 members of the kind CarTCell .* stands in model\.stem_cells$"):
        model.agents[0]
    with pytest.raises(IndexError, match=r"^20: 20 members of the kind StemCell .* stands in model\.agents$"):
        model.stem_cells[20]
