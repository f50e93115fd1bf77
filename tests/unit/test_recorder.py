"""What the tables say: their schema, where it is declared, and that they agree with each other and the marrow."""

import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from unit.small import bare, niche, run, same, tissue

from mpn_abm.batch import Batch
from mpn_abm.columns import TABLES, describe
from mpn_abm.compile.program import compile_scenario
from mpn_abm.errors import SimulationError, UsageError
from mpn_abm.files import TABLE_VERSION
from mpn_abm.recorder import Pieces
from mpn_abm.scenario.scenario import load
from mpn_abm.snapshot import Photographer
from mpn_abm.tables import table_of

GOLDEN = json.loads((Path(__file__).parent / "golden" / "tables.json").read_text())
SCENARIOS = {"niche": niche, "tissue": tissue, "bare": bare}


@cache
def result(name):
    return run(SCENARIOS[name]())


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Folders of runs of the three scenarios."""
    folders = {name: tmp_path_factory.mktemp(name) for name in SCENARIOS}
    for name, folder in folders.items():
        result(name).write(folder)
    return folders


# The schema.


def said(field):
    """A column as the golden schema writes it: name, type, unit."""
    return f"{field.name}: {field.type} [{field.metadata[b'unit'].decode()}]"


@pytest.mark.parametrize("name", SCENARIOS)
def test_names_types_and_units_of_all_tables_are_those_of_the_golden_schema(written, name):
    """A change here is one of the contract: it belongs into the golden file with a new TABLE_VERSION."""
    tables = {file.stem: pq.read_schema(file) for file in written[name].glob("*.parquet")}
    assert {table: [said(field) for field in schema] for table, schema in tables.items()} == GOLDEN[name]


def test_the_version_of_the_tables_is_that_of_the_golden_schema():
    assert GOLDEN["table_version"] == TABLE_VERSION


def declared(table, name):
    """The declared column behind a name: its own, or one with a placeholder."""
    columns = {column.name: column for column in describe(table)}
    assert len(columns) == len(describe(table))
    patterns = [pattern for pattern in columns if re.fullmatch(re.sub("<.*>", ".+", pattern), name)]
    return columns[name if name in columns else patterns[-1]]


@pytest.mark.parametrize("table", ["trajectory", *TABLES])
def test_every_column_is_declared_once_with_a_meaning_and_every_declared_one_is_written(written, table):
    found = set()
    for folder in written.values():
        for field in pq.read_schema(folder / f"{table}.parquet"):
            column = declared(table, field.name)
            assert field.metadata[b"meaning"].decode() == column.meaning != ""
            assert field.metadata[b"unit"].decode() == column.unit != ""
            found.add(column.name)
    assert found == {column.name for column in describe(table)}


# No value that is no number.


def plant(monkeypatch, column, value, day):
    """Put a value into a row on its way from the kernel to the recorder."""
    take_rows = Batch.take_rows

    def take(self):
        replicate, boundary, values = take_rows(self)
        names = [column.name for column in self.program.layout.columns]
        values[boundary == day, names.index(column)] = value
        return replicate, boundary, values

    monkeypatch.setattr(Batch, "take_rows", take)


@pytest.mark.parametrize(
    ("column", "value"), [("vaf_driver", np.nan), ("cells_total", np.nan), ("activity_wild_type", np.inf)]
)
def test_a_value_that_is_no_number_stops_the_run_with_its_column_and_day(monkeypatch, column, value):
    plant(monkeypatch, column, value, day=14)
    with pytest.raises(SimulationError, match=rf"^{column} is {value} on day 14: this is a bug"):
        run(bare())


def test_a_field_that_is_no_number_stops_the_run_at_the_snapshot(monkeypatch):
    pieces = Photographer.pieces

    def spoiled(self, marrow, replicate, day):
        marrow.ground.ecm[:] = np.nan if day == 21 else 0.5
        return pieces(self, marrow, replicate, day)

    monkeypatch.setattr(Photographer, "pieces", spoiled)
    with pytest.raises(SimulationError, match=r"^fibrosis is nan on day 21: "):
        run(niche())


def test_an_observer_that_returns_no_number_stops_the_run():
    with pytest.raises(SimulationError, match=r"^mine is nan on day 7: "):
        run(bare(), observers=[lambda marrow, day: {"mine": float("nan") if day == 7 else 0.0}])


def test_a_null_is_no_such_value():
    columns = [column for column in TABLES["events"] if column.name in {"day", "value"}]
    nulls = table_of(columns, {"day": np.arange(3.0), "value": pa.array([1.0, None, 2.0])})
    assert nulls.column("value").null_count == 1
    assert table_of(columns, {"day": np.empty(0), "value": np.empty(0)}).num_rows == 0


# The rows.


def test_rows_of_replicates_come_in_their_order_and_in_that_of_time():
    """Pieces come batch by batch and flush by flush. Catches a sort that mixes the days of a replicate."""
    pieces = Pieces()
    pieces.add(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.arange(4.0))
    pieces.add(np.array([0, 1]), np.array([2, 2]), np.array([4.0, 5.0]))
    replicate, boundary, values = pieces.whole()
    assert replicate.tolist() == [0, 0, 0, 1, 1, 1]
    assert boundary.tolist() == [0, 1, 2] * 2
    assert values.tolist() == [0.0, 1.0, 4.0, 2.0, 3.0, 5.0]
    assert [array.tolist() for array in pieces.whole()] == [a.tolist() for a in (replicate, boundary, values)]


def test_clones_of_the_file_have_in_the_table_of_clones_what_the_trajectory_says():
    rows, clones = result("niche").trajectory, result("niche").clones
    for clone in ("healthy", "calr"):
        of_clone = clones[clones.name == clone].set_index("day").cells.reindex(rows.day, fill_value=0)
        assert of_clone.tolist() == rows[f"cells_{clone}"].tolist()
    assert clones.groupby("day").cells.sum().tolist() == rows.cells_total.tolist()
    assert (clones.cells > 0).all()


def test_genotypes_of_the_clones_add_up_to_the_columns_of_genotypes():
    """Flags are pooled in the trajectory. Catches names that go with another clone's row."""
    rows, clones = result("niche").trajectory, result("niche").clones
    pooled = clones.genotype.str.split("+").str[0]
    counts = clones.groupby(["day", pooled]).cells.sum().unstack(fill_value=0)
    for base in counts:
        assert counts[base].tolist() == rows[f"genotype_cells_{base}"].tolist()
    assert (
        clones.name.isin(["healthy", "calr"]) | (clones.name == clones.genotype + "#" + clones.clone.astype(str))
    ).all()


def test_births_and_losses_of_clones_are_where_the_table_of_clones_has_them():
    """A clone that was born and is not lost is there on the last day, and one that is lost is gone from its day on."""
    clones, events = result("niche").clones, result("niche").events
    born = events[events.kind == "clone_born"].set_index("clone")
    lost = events[events.kind == "clone_lost"].set_index("clone")
    assert len(born) > 20
    assert len(lost) > 10
    last = set(clones[clones.day == clones.day.max()].clone)
    assert last == ({1, 2} | set(born.index)) - set(lost.index)
    for clone, rows in clones.groupby("clone"):
        assert rows.day.max() < lost.day.get(clone, np.inf)
        if clone > 2:
            # a mutation falls within its step and shows at the boundary after it
            assert rows.day.min() >= born.day[clone] == rows.born_day.iloc[0] + 1.0
            assert rows.name.iloc[0] == born.name[clone]
            assert 0 <= born.site[clone] < 16 * 12
    assert (born.day.sub(lost.day).dropna() <= 0.0).all()


def test_new_clones_are_those_that_were_born_so_far():
    """Lost ones count. Catches living clones, and clones of the file."""
    rows, events = result("niche").trajectory, result("niche").events
    born = events[events.kind == "clone_born"].day.to_numpy()
    assert rows.new_clones.tolist() == [int((born <= day).sum()) for day in rows.day]
    assert rows.new_clones.iloc[-1] > 20


def test_a_parent_is_older_than_its_clone_and_has_its_drivers():
    clones = result("niche").clones.drop_duplicates("clone").set_index("clone")
    children = clones[clones.parent > 0]
    assert len(children) > 10
    for clone, child in children.iterrows():
        assert child.parent < clone
        if child.parent in clones.index:
            parent = clones.loc[child.parent]
            assert parent.born_day <= child.born_day
            assert set(parent.genotype.split("+")) < set(child.genotype.split("+"))


def test_what_is_given_stands_in_the_events_on_its_day():
    events = result("niche").events
    given = events[~events.kind.str.startswith("clone")]
    assert given[["day", "kind", "name"]].to_numpy().tolist() == [
        [3.0, "treatment_start", "ruxolitinib"],
        [7.0, "dose", "car_t"],
        [30.0, "treatment_stop", "ruxolitinib"],
    ]
    rows = result("niche").trajectory.set_index("day")
    assert given.value.tolist()[::2] == [rows.concentration_ruxolitinib[7.0]] * 2
    assert events.day.is_monotonic_increasing
    assert given.clone.isna().all()


def test_a_snapshot_holds_every_cell_and_every_t_cell_of_its_day():
    rows, snapshots = result("niche").trajectory.set_index("day"), result("niche").snapshots
    assert snapshots.day.unique().tolist() == [0.0, 21.0, 42.0]
    for day, sites in snapshots.groupby("day"):
        cells, t_cells = sites[sites.layer == "cell"], sites[sites.layer == "car_t"]
        assert len(cells) == rows.cells_total[day] == len(cells[["x", "y"]].drop_duplicates())
        assert (cells.clone == 2).sum() == rows.cells_calr[day]
        assert len(t_cells) * 5_000_000 == rows.car_t_total[day]
        assert set(t_cells.genotype) <= {"car_t"}
        carriers = cells[cells.antigen > 0.0]
        assert len(carriers) == rows.genotype_cells_CALR_TYPE1[day]
        assert carriers.genotype.str.startswith("CALR_TYPE1").all()
        assert carriers.antigen.sum() == pytest.approx(rows.antigen_mean_molecules[day] * len(carriers), rel=1e-5)
        assert (sites.x.max(), sites.y.max()) == (15, 11)
        assert cells.fibrosis.between(0.0, 1.0).all()


def test_places_of_a_snapshot_are_those_of_the_marrow():
    """x runs fastest, then y, then z. Catches axes that are mixed up; the sides differ."""
    program = compile_scenario(load(tissue(time={"duration_hours": 1})).spec)
    batch = Batch(program, [0])
    marrow = batch.marrow(0)
    marrow.cell[:] = 0
    marrow.cell[(3 * 7 + 5) * 8 + 2] = (9 << 32) | 1
    marrow.ground.ecm[:] = np.arange(len(marrow.ground.ecm)) / 100.0
    groups = {"depth"}
    (piece,) = Photographer(program, "run", ["empty", "wild_type", "other"], groups).pieces(marrow, 4, 0.5)
    (row,) = piece.to_pylist()
    assert (row["x"], row["y"], row["z"]) == (2, 5, 3)
    assert (row["replicate"], row["day"], row["clone"], row["genotype"]) == (4, 0.5, 9, "wild_type")
    # blocks of 4 sites a side, two along each axis
    assert row["fibrosis"] == np.float32(0.02)


def test_a_snapshot_in_pieces_is_that_in_one(monkeypatch):
    whole = result("tissue").tables["snapshots"]
    monkeypatch.setattr("mpn_abm.snapshot.SITES_TOGETHER", 100)
    pieces = run(tissue()).tables["snapshots"]
    assert pieces.column("x").num_chunks > whole.column("x").num_chunks
    assert pieces.combine_chunks().to_pylist() == whole.to_pylist()


def test_an_empty_marrow_has_a_snapshot_without_rows(tmp_path):
    nobody = run(bare(clones={"nobody": {"genotype": "wild_type", "cells": 0}}))
    assert nobody.snapshots.empty
    nobody.write(tmp_path)
    assert (
        pq.read_table(tmp_path / "snapshots.parquet").schema.names
        == pq.read_schema(tmp_path / "snapshots.parquet").names
    )


# The summary.


def summary_again(rows, sites):
    """The summary from the trajectory, a replicate at a time, in plain Python."""
    said = {}
    vaf, days = rows.vaf_driver.tolist(), rows.day.tolist()
    said["vaf_driver_start"], said["vaf_driver_end"], said["vaf_driver_min"] = vaf[0], vaf[-1], min(vaf)
    above = [k for k, value in enumerate(vaf) if value >= 0.01]
    below = [days[k] for k, value in enumerate(vaf) if value < 0.01 and above and k > above[0]]
    said["vaf_below_1pct_day"] = below[0] if below else None
    mutant = [jak2 + calr > 0.0 for jak2, calr in zip(rows.vaf_jak2, rows.vaf_calr, strict=True)]
    said["eradicated"] = any(mutant) and not mutant[-1]
    said["healthy_min_fraction"] = min(rows.genotype_cells_wild_type) / sites
    said["end_day"] = days[-1]
    if "car_t_total" in rows:
        peak = rows.car_t_total.max()
        said["car_t_peak"], said["kills"] = peak, rows.kills.tolist()[-1]
        said["car_t_peak_day"] = days[rows.car_t_total.tolist().index(peak)] if peak > 0 else None
    if "mf_grade" in rows:
        said["mf_grade_start"], said["mf_grade_end"] = rows.mf_grade.tolist()[0], rows.mf_grade.tolist()[-1]
    return said


@pytest.mark.parametrize(
    "content",
    [
        niche(replicates=3),
        tissue(replicates=2),
        bare(
            replicates=40,
            clones={"healthy": {"genotype": "wild_type"}, "mutant": {"genotype": "JAK2_V617F", "cells": 2}},
            time={"duration_years": 40, "step_days": 30, "record_every_days": 90},
            stop={"when": ["fixation"]},
        ),
        # a clone that arrives is not below 1 % before it
        bare(clones={"healthy": {"genotype": "wild_type"}, "late": {"genotype": "CALR_TYPE1", "cells": 20, "day": 14}}),
    ],
    ids=["niche", "tissue", "drift", "late"],
)
def test_the_summary_says_what_the_trajectory_holds(content):
    left = run(content)
    sites = np.prod(content["marrow"]["shape"])
    found = left.tables["summary"].to_pylist()
    assert [row["replicate"] for row in found] == list(range(content.get("replicates", 1)))
    for row in found:
        rows = left.trajectory[left.trajectory.replicate == row["replicate"]]
        expected = summary_again(rows, sites)
        assert {key: row[key] for key in expected} == expected
        assert row["seed"] == rows.seed.iloc[0]
        ended_early = row["end_reason"] != "duration"
        assert ended_early == (row["end_day"] < left.trajectory.day.max() or row["fixed_clone"] is not None)
        if row["end_reason"] == "fixation":
            assert rows[f"cells_{row['fixed_clone']}"].iloc[-1] == rows.cells_total.iloc[-1] > 0
        else:
            assert row["fixed_clone"] is None


def test_a_second_gene_that_is_left_is_no_eradication():
    """vaf_driver follows the gene that led. Catches a summary that asks vaf_driver alone."""
    clones = {
        "jak2": {"genotype": "JAK2_V617F", "cells": 2},
        "calr": {"genotype": "CALR_TYPE1", "cells": 1},
    }
    off = {"healthy": {"genotype": "wild_type"}}
    fast = {"division_rate_per_year": 30.0}
    left = run(bare(clones={**off, **clones}, hematopoiesis=fast, replicates=60, time={"duration_days": 180}))
    ends = left.trajectory.groupby("replicate").last()
    leader_lost = ends[(ends.vaf_jak2 == 0.0) & (ends.vaf_calr > 0.0)].index
    assert len(leader_lost) > 0
    eradicated = left.summary.set_index("replicate").eradicated
    assert not eradicated[leader_lost].any()
    assert eradicated[ends.vaf_jak2 + ends.vaf_calr == 0.0].all()


# Observers.


def occupied(marrow, day):
    return {"occupied": float(np.count_nonzero(marrow.cell)), "when": day}


@pytest.mark.parametrize("stop", [[], ["fixation"]])
def test_an_observer_sees_the_marrow_of_the_row_beside_which_its_value_stands(stop):
    """Also with several replicates, of which some end early. Catches values that go to another replicate's rows."""
    content = bare(
        replicates=6,
        marrow={"shape": [4, 4]},
        clones={"healthy": {"genotype": "wild_type"}, "mutant": {"genotype": "JAK2_V617F", "cells": 3}},
        hematopoiesis={"division_rate_per_year": 40.0, "loss_rate_per_year": 20.0},
        time={"duration_days": 90, "record_every_days": 20},
        stop={"when": stop},
    )
    watched = run(content, observers=[occupied])
    assert watched.trajectory.occupied.tolist() == watched.trajectory.cells_total.tolist()
    assert watched.trajectory.when.tolist() == watched.trajectory.day.tolist()
    assert len({tuple(rows.day) for _, rows in watched.trajectory.groupby("replicate")}) > (1 if stop else 0)
    alone = run(content)
    assert same(watched.tables["trajectory"].drop_columns(["occupied", "when"]), alone.tables["trajectory"])
    assert same(watched.tables["snapshots"], alone.tables["snapshots"])


def test_an_observer_may_not_take_the_name_of_a_column_nor_change_its_own():
    with pytest.raises(UsageError, match="vaf_driver"):
        run(bare(), observers=[lambda marrow, day: {"vaf_driver": 0.0}])
    with pytest.raises(UsageError, match="expected the columns of day 0, a, every day"):
        run(bare(), observers=[lambda marrow, day: {"a" if day == 0 else "b": 0.0}])


def pair(marrow, day):
    return {"a": 0.0}


@pytest.mark.parametrize(
    ("observers", "message"),
    [
        (pair, "observers: expected a list of functions, not a function"),
        ([lambda marrow, day: None], "observer <lambda>: expected a mapping of columns to numbers, not a NoneType"),
        ([pair, pair], "observer pair: a: expected a name that no other observer has"),
        ([lambda marrow, day: {"a": 1.0} if day else {}], "observer: expected the columns of day 0, none, every day"),
    ],
    ids=["no list", "nothing", "twice", "later"],
)
def test_a_mistake_of_an_observer_is_told_as_that(observers, message):
    with pytest.raises(UsageError) as caught:
        run(bare(), observers=observers)
    assert str(caught.value) == message


@pytest.mark.parametrize("value", ["word", "3.5", None, [1.0, 2.0], float("inf")])
def test_a_value_that_is_no_number_is_the_observers(value):
    with pytest.raises(SimulationError) as caught:
        run(bare(), observers=[lambda marrow, day: {"mine": value}])
    assert str(caught.value) == f"mine is {value!r} on day 0: expected a finite number of the observer <lambda>"


def test_an_observer_may_have_no_columns():
    assert run(bare(), observers=[lambda marrow, day: {}]).trajectory.equals(run(bare()).trajectory)


# Ends.


def test_the_last_state_has_a_snapshot_whenever_a_run_ends():
    """Also if it ends at a boundary where Python has something else to do. Catches a snapshot that is left out."""
    content = bare(
        replicates=30,
        marrow={"shape": [2, 2]},
        clones={"one": {"genotype": "wild_type", "cells": 2}, "other": {"genotype": "wild_type"}},
        hematopoiesis={"division_rate_per_year": 60.0, "homing_radius_sites": 1},
        time={"duration_days": 60, "record_every_days": 1, "snapshot_every_days": 60},
        stop={"when": ["fixation"]},
    )
    for options in ({}, {"observers": [occupied]}):
        left = run(content, **options)
        assert (left.summary.end_reason == "fixation").sum() > 20
        last = left.snapshots.groupby("replicate").day.max()
        assert last.tolist() == left.summary.end_day.tolist()
        shown = left.snapshots.groupby(["replicate", "day"]).size()
        assert set(shown) == {4}


def test_tables_are_left_out_as_the_scenario_says():
    left = run(bare(output={"clones": False, "events": False, "snapshots": False, "summary": False}))
    assert list(left.tables) == ["trajectory"]
    with pytest.raises(AttributeError, match=r"output\.clones: false"):
        _ = left.clones
    assert same(left.tables["trajectory"], run(bare()).tables["trajectory"])


def test_a_clone_that_was_born_in_the_run_is_named_when_it_is_left_alone():
    """With the table of clones and without it."""
    content = bare(
        marrow={"shape": [2, 2], "hsc_pool_cells": 10_000_000},
        clones={"healthy": {"genotype": "wild_type"}},
        mutation={},
        hematopoiesis={"division_rate_per_year": 30.0, "homing_radius_sites": 1},
        time={"duration_days": 400},
        stop={"when": ["fixation"]},
    )
    named = run(content).summary.fixed_clone[0]
    assert re.fullmatch(r"\w+(\+\w+)*#\d+", named)
    assert run({**content, "output": {"clones": False, "events": False}}).summary.fixed_clone[0] == named


def test_frames_are_those_of_the_tables():
    left = result("niche")
    for table in ("trajectory", *TABLES):
        pd.testing.assert_frame_equal(getattr(left, table), left.tables[table].to_pandas())
