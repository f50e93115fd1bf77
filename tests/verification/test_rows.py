"""The rows of a run: row 0 shows what the file says, and rows come on the days that the file says."""

from math import ceil, prod

import numpy as np
import pytest
from verification.runs import LIBRARY, OFF, YEAR, of_library, scenario

import mpn_abm
from mpn_abm.batch import Batch
from mpn_abm.compile.program import compile_scenario

SHAPES = [(8, 8), (9, 7), (13, 18), (16, 16), (50, 30), (200, 120), (8, 8, 8), (5, 6, 7), (12, 12, 12), (21, 20, 19)]


def row_0(checked):
    """The first row of a scenario, without a step, by column."""
    program = compile_scenario(checked.spec)
    batch = Batch(program, [0])
    _, boundary, values = batch.take_rows()
    assert boundary.tolist() == [0]
    return dict(zip((column.name for column in program.layout.columns), values[0].tolist(), strict=True)), batch


def assert_row_0_is_the_file(checked):
    """Cells, shares, alleles and scar as the file puts them, to the nearest cell; nothing else has happened yet."""
    spec = checked.spec
    row, _ = row_0(checked)
    sites, cells = prod(spec.marrow.shape), row["cells_total"]
    placed = {name: row[f"cells_{name}"] for name in spec.clones}
    # granulocytes of a cell over those of a healthy one
    output = {
        name: 1.0 + spec.blood.enabled * spec.genotypes[clone.genotype].granulocyte_output
        for name, clone in spec.clones.items()
    }
    granulocytes = max(sum(placed[name] * output[name] for name in placed), 1.0)
    for name, clone in spec.clones.items():
        assert row[f"fraction_{name}"] == placed[name] / sites
        if clone.day > 0:
            assert placed[name] == 0
        elif clone.pattern == "single":
            assert placed[name] == 1
        elif clone.cells is not None:
            assert placed[name] == clone.cells
        elif clone.fraction is not None:
            # clones that fill the lattice together may round to one cell more than there are sites
            assert abs(placed[name] - clone.fraction * sites) <= (0.5 if cells < sites else 1.0)
        elif clone.vaf is not None:
            share = 2 * clone.vaf / spec.genotypes[clone.genotype].mutant_copies
            assert abs(placed[name] - share * granulocytes / output[name]) <= 1.0
        else:
            assert cells == sites
    assert cells == sum(placed.values())
    for base in spec.genotypes:
        own = [name for name, clone in spec.clones.items() if clone.genotype == base]
        if f"genotype_cells_{base}" in row:
            assert row[f"genotype_cells_{base}"] == sum(placed[name] for name in own)
    vaf = {"JAK2": 0.0, "CALR": 0.0, "none": 0.0}
    for name, clone in spec.clones.items():
        genotype = spec.genotypes[clone.genotype]
        vaf[genotype.gene] += genotype.mutant_copies * placed[name] * output[name] / (2.0 * granulocytes)
    assert row["vaf_jak2"] == pytest.approx(vaf["JAK2"], abs=1e-12)
    assert row["vaf_calr"] == pytest.approx(vaf["CALR"], abs=1e-12)
    assert row["vaf_driver"] == pytest.approx(max(vaf["JAK2"], vaf["CALR"]), abs=1e-12)
    for name in row:
        if name.startswith("activity_"):
            assert row[name] == 1.0
        if name.startswith(("persistence_", "concentration_", "car_t_", "kills", "healthy_killed", "crs_")):
            assert row[name] == 0.0
    scar = spec.fibrosis.initial
    if spec.fibrosis.enabled and (scar.patches is None or (scar.cover_fraction or 0.0) >= 0.3):
        assert row["mf_grade"] == scar.mf_grade
    if spec.fibrosis.enabled and scar.patches is None:
        assert row["fibrosis_mean"] == pytest.approx(scar.mf_grade / 3.5)
    return row


@pytest.mark.parametrize("name", LIBRARY)
def test_row_0_of_the_library_shows_what_its_file_says(name):
    assert_row_0_is_the_file(of_library(name))


# Row 0 on other lattices.

MIXTURES = {
    "vafs of every gene": {
        "healthy": {"genotype": "wild_type"}, "a": {"genotype": "JAK2_V617F", "vaf": 0.1},
        "b": {"genotype": "JAK2_V617F_HOM", "vaf": 0.3}, "c": {"genotype": "CALR_TYPE1", "vaf": 0.05},
        "d": {"genotype": "CALR_TYPE2", "vaf": 0.11, "pattern": "patches", "patches": 3},
    },
    "fractions": {
        "healthy": {"genotype": "wild_type", "fraction": 0.37}, "a": {"genotype": "JAK2_V617F", "fraction": 0.21},
        "b": {"genotype": "CALR_TYPE1", "flags": ["TET2", "ASXL1"], "fraction": 0.11, "pattern": "disc"},
    },
    "cells": {
        "healthy": {"genotype": "wild_type"},
        "a": {"genotype": "CALR_TYPE2", "cells": 17, "pattern": "patches", "patches": 2},
        "b": {"genotype": "JAK2_V617F_HOM", "pattern": "single"},
        "late": {"genotype": "JAK2_V617F", "cells": 9, "day": 3},
        "none": {"genotype": "JAK2_V617F", "fraction": 0},
    },
    "own genotypes": {
        "healthy": {"genotype": "wild_type"}, "a": {"genotype": "mine", "vaf": 0.2},
        "b": {"genotype": "plain", "fraction": 0.3},
    },
    "a vaf of all cells": {
        "a": {"genotype": "JAK2_V617F", "vaf": 0.2}, "b": {"genotype": "wild_type", "fraction": 0.3},
    },
    "all mutant": {"a": {"genotype": "JAK2_V617F_HOM", "vaf": 0.6}, "b": {"genotype": "JAK2_V617F", "vaf": 0.2}},
}  # fmt: skip
OWN = {
    "mine": {"like": "CALR_TYPE1", "mutant_copies": 2, "antigen_molecules": 40},
    "plain": {"like": "wild_type", "fitness_per_year": 0.3},
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("mixture", MIXTURES)
def test_row_0_shows_what_is_said_on_lattices_of_every_shape(mixture, shape):
    """Catches patches that lose cells at a border, vafs of heterozygous cells taken for shares, and rounding down."""
    content = {"time": {"duration_days": 5}, "clones": MIXTURES[mixture], "genotypes": OWN}
    for seed, blood in ((1, True), (2, True), (3, False)):
        asked = {"marrow.shape": shape, "seed": seed, "blood.enabled": blood}
        row = assert_row_0_is_the_file(scenario(content, asked))
    sites = prod(shape)
    if mixture == "vafs of every gene":
        for name, vaf in (("vaf_jak2", 0.4), ("vaf_calr", 0.16)):
            assert abs(row[name] - vaf) <= 1.5 / sites
    if mixture == "a vaf of all cells":
        # 40 % of the cells, so the 30 % of the sites are the other 60 % of them
        assert abs(row["cells_total"] - 0.5 * sites) <= 2


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("cover", [0.3, 0.35, 0.5, 1.0])
@pytest.mark.parametrize("patches", [1, 12])
def test_row_0_shows_the_grade_of_scar_that_covers_enough(shape, cover, patches):
    """Whole blocks of 4 sites a side, at least the share that is said and not a block more than it takes.

    Catches covers that end a cell short of 30 % and show grade 0, and blocks at the border counted as full.
    """
    for grade in (1, 2, 3):
        scar = {"initial": {"mf_grade": grade, "patches": patches, "cover_fraction": cover}}
        content = {"time": {"duration_days": 5}, "clones": {"a": {"genotype": "JAK2_V617F"}}, "fibrosis": scar}
        row = assert_row_0_is_the_file(scenario(content, {"marrow.shape": shape, "seed": grade}))
        sites, block = prod(shape), 4 ** len(shape)
        covered = row["fibrosis_mean"] * 3.5 / grade * sites
        assert cover * sites - 1e-6 <= covered < cover * sites + block


def test_a_scar_that_covers_less_than_30_percent_grades_the_marrow_0():
    scar = {"initial": {"mf_grade": 3, "patches": 4, "cover_fraction": 0.25}}
    content = {"time": {"duration_days": 5}, "marrow": {"shape": [64, 64]}, "fibrosis": scar}
    row, _ = row_0(scenario({**content, "clones": {"a": {"genotype": "JAK2_V617F"}}}))
    assert row["mf_grade"] == 0
    assert row["fibrosis_mean"] > 0.2


# Days.


def days_of(time, **content):
    clones = {"healthy": {"genotype": "wild_type"}}
    base = {"time": time, "marrow": {"shape": [8, 8]}, "clones": clones, "mutation": OFF}
    return mpn_abm.run(scenario({**base, **content}))


@pytest.mark.parametrize(("time", "expected"), [
    ({"duration_days": 20}, [0, 7, 14, 20]),
    ({"duration_days": 21}, [0, 7, 14, 21]),
    ({"duration_days": 20, "record_every_days": 30}, [0, 20]),
    ({"duration_days": 20.25}, [0, 7, 14, 21]),
    ({"duration_days": 10, "step_days": 3, "record_every_days": 4}, [0, 6, 9, 12]),
    ({"duration_weeks": 2, "step_hours": 12, "record_every_days": 3.2}, [0, 3.5, 6.5, 10, 13, 14]),
    ({"duration_years": 1, "record_every_years": 0.5}, [0, 183, 366]),
    ({"duration_days": 0.5}, [0, 1]),
])  # fmt: skip
def test_rows_come_at_the_first_boundary_from_their_day_on_and_on_the_last_day(time, expected):
    """A duration that is no whole number of steps is rounded up to one. Catches rounding to the nearest step."""
    result = days_of(time)
    assert result.trajectory.day.to_list() == pytest.approx(expected)
    assert result.summary.end_day.to_list() == pytest.approx(expected[-1:])


@pytest.mark.parametrize("step", [1, 10, 15])
def test_rows_at_tissue_scale_come_every_hour_unless_said(step):
    result = days_of({"duration_hours": 5.5, "step_minutes": step}, marrow={"scale": "tissue", "shape": [8, 8]})
    assert (24 * result.trajectory.day).to_list() == pytest.approx([0, 1, 2, 3, 4, 5, 5.5])


def test_five_years_are_1827_days():
    last = days_of({"duration_years": 5, "record_every_years": 1}).trajectory.day.to_list()
    assert last == [ceil(k * YEAR) for k in range(6)]


def test_snapshots_come_on_day_0_the_last_day_and_when_due():
    result = days_of({"duration_days": 25, "snapshot_every_days": 10})
    assert result.snapshots.day.unique().tolist() == [0, 10, 20, 25]
    assert days_of({"duration_days": 25}).snapshots.day.unique().tolist() == [0, 25]


def test_a_clone_arrives_after_the_row_of_its_day():
    """At the first boundary from its day on: 10 of 64 sites, taken from who is there."""
    clones = {"healthy": {"genotype": "wild_type"}, "late": {"genotype": "JAK2_V617F", "cells": 10, "day": 9.5}}
    still = {"clones": clones, "hematopoiesis": OFF}
    result = days_of({"duration_days": 14, "record_every_days": 1}, **still)
    assert result.trajectory.cells_late.to_list() == [0] * 11 + [10] * 4
    assert (result.trajectory.cells_total == 64).all()
    coarse = days_of({"duration_days": 16, "step_days": 4, "record_every_days": 4}, **still)
    assert coarse.trajectory.cells_late.to_list() == [0, 0, 0, 0, 10]
    born = result.events[result.events.kind == "clone_born"]
    assert born[["day", "name"]].to_numpy().tolist() == [[10.0, "late"]]


@pytest.mark.parametrize("day", [14, 15, 4000])
def test_a_clone_that_would_arrive_after_the_end_does_not_prolong_the_run(day):
    """Catches a run that goes on to the day of its last arrival."""
    clones = {"healthy": {"genotype": "wild_type"}, "late": {"genotype": "JAK2_V617F", "cells": 10, "day": day}}
    result = days_of({"duration_days": 14}, clones=clones)
    assert result.summary.end_day.to_list() == [14]
    assert result.facts["site_steps"] == 14 * 64
    assert result.facts["end_day"] == 14
    assert not result.trajectory.cells_late.any()


def test_a_run_that_ends_early_has_a_row_and_a_snapshot_of_its_end():
    """Two cells on two sites of which one is lost within weeks: the last row is the step of the fixation."""
    content = {
        "time": {"duration_years": 100, "record_every_years": 50}, "marrow": {"shape": [3, 3]}, "mutation": OFF,
        "clones": {"a": {"genotype": "wild_type", "cells": 4}, "b": {"genotype": "wild_type"}},
        "stop": {"when": ["fixation"]},
    }  # fmt: skip
    result = mpn_abm.run(scenario(content), replicates=50)
    rows, summary = result.trajectory, result.summary
    assert (summary.end_reason == "fixation").all()
    assert summary.end_day.nunique() > 25
    last = rows.groupby("replicate").last()
    assert last.day.to_list() == summary.end_day.to_list()
    assert ((last.cells_a == 9) | (last.cells_b == 9)).all()
    winner = np.where(last.cells_a == 9, "a", "b")
    assert summary.fixed_clone.to_list() == winner.tolist()
    assert set(winner) == {"a", "b"}
    photographed = result.snapshots.groupby("replicate").day.max()
    assert photographed.to_list() == summary.end_day.to_list()
    assert (result.snapshots.groupby(["replicate", "day"]).size() == 9).all()


# Ends.

FEW = {"marrow": {"shape": [4, 4]}, "mutation": OFF, "hematopoiesis": {"homing_radius_sites": 2}}


def test_a_marrow_that_dies_out_ends_with_a_row_of_zeros():
    """Shares, allele fractions and means of nothing are 0. Catches division by the number of cells."""
    result = mpn_abm.run(scenario({
        **FEW, "time": {"duration_years": 50}, "stop": {"when": ["extinction"]},
        "clones": {"healthy": {"genotype": "wild_type"}, "calr": {"genotype": "CALR_TYPE1", "cells": 4}},
        "hematopoiesis": {"homing_radius_sites": 2, "division_rate_per_year": 0, "loss_rate_per_year": 20},
    }), replicates=20)  # fmt: skip
    last = result.trajectory.groupby("replicate").last()
    assert (result.summary.end_reason == "extinction").all()
    assert last.day.to_list() == result.summary.end_day.to_list()
    assert not last[["cells_total", "vaf_driver", "fraction_calr", "antigen_mean_molecules"]].to_numpy().any()
    assert (result.trajectory[result.trajectory.day < 7].cells_total > 0).all()


def test_eradication_is_the_loss_of_the_last_mutant_after_there_was_one():
    """A neutral mutant cell of 16: lost in 15 of 16 runs, which end there; the others go on to the last day."""
    result = mpn_abm.run(scenario({
        **FEW, "time": {"duration_years": 200, "step_days": 30},
        "clones": {"healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "mine", "pattern": "single"}},
        "genotypes": {"mine": {"like": "JAK2_V617F", "fitness_per_year": 0}}, "stop": {"when": ["eradication"]},
    }), replicates=400)  # fmt: skip
    last = result.trajectory.groupby("replicate").last()
    gone = (result.summary.end_reason == "eradication").to_numpy()
    assert (last.cells_jak2 == 0).to_numpy().tolist() == gone.tolist() == result.summary.eradicated.to_list()
    assert (result.summary.end_day[~gone] == result.summary.end_day.max()).all()
    assert abs(gone.sum() - 375) < 4.9 * np.sqrt(400 * 15 / 256)


def test_a_marrow_without_a_mutant_is_not_eradicated_and_one_clone_alone_is_not_fixed():
    when = {
        "stop": {"when": ["fixation", "eradication", "extinction"]},
        "clones": {"healthy": {"genotype": "wild_type"}},
    }
    result = mpn_abm.run(scenario({**FEW, "time": {"duration_days": 50}, **when}))
    assert result.summary.end_reason.to_list() == ["duration"]
    assert result.summary.end_day.to_list() == [50]


def test_no_run_ends_before_the_last_clone_has_arrived():
    """Catches a fixation that the clone on its way would have undone."""
    result = mpn_abm.run(scenario({
        **FEW, "time": {"duration_years": 200, "step_days": 10}, "stop": {"when": ["fixation"]},
        "clones": {
            "a": {"genotype": "wild_type"}, "b": {"genotype": "wild_type", "cells": 1},
            "late": {"genotype": "wild_type", "cells": 8, "year": 100},
        },
    }), replicates=30)  # fmt: skip
    assert (result.summary.end_day > 100 * YEAR).all()
    assert "late" in set(result.summary.fixed_clone)


# Observers and replicates.


@pytest.mark.parametrize("replicates", [1, 4])
def test_columns_of_observers_stand_beside_the_row_of_their_day_and_replicate(replicates):
    """Also where replicates end on days of their own. Catches columns in the order in which marrows were asked."""
    content = {
        "time": {"duration_years": 60, "record_every_years": 1, "snapshot_every_years": 7}, "marrow": {"shape": [4, 4]},
        "clones": {"a": {"genotype": "wild_type", "fraction": 0.5}, "b": {"genotype": "wild_type"}},
        "mutation": OFF, "stop": {"when": ["fixation"]}, "hematopoiesis": {"homing_radius_sites": 2},
    }  # fmt: skip

    def look(state, day):
        return {"seen_day": day, "seen_cells": int(state.counters.clone_cells[1])}

    rows = mpn_abm.run(scenario(content), replicates=replicates, observers=[look]).trajectory
    assert rows.groupby("replicate").size().nunique() >= min(replicates, 3)
    assert rows.seen_day.to_list() == rows.day.to_list()
    assert rows.seen_cells.to_list() == rows.cells_a.to_list()


def test_the_seed_of_a_row_repeats_its_replicate_alone():
    """`run --seed` with the seed of replicate 3, row by row."""
    content = {
        "time": {"duration_years": 3}, "marrow": {"shape": [24, 24]}, "replicates": 4, "seed": 99,
        "clones": {"healthy": {"genotype": "wild_type"}, "calr": {"genotype": "CALR_TYPE1", "fraction": 0.3}},
    }  # fmt: skip
    together = mpn_abm.run(scenario(content)).trajectory
    third = together[together.replicate == 3].reset_index(drop=True)
    alone = mpn_abm.run(scenario(content, {"seed": int(third.seed[0]), "replicates": 1})).trajectory
    names = [name for name in alone if name not in ("run_id", "replicate")]
    assert third[names].equals(alone[names])
    assert together.seed.nunique() == 4


@pytest.mark.parametrize("update", ["birth_death", "death_birth"])
def test_divisions_are_counted_per_site_and_come_at_their_rate(update):
    """Twice 4,096 divisions in two years of 1 a year, within 4.9 standard errors (1e-6), each year like the other.

    Where losses are filled by births, what is lost sets how many there are. Catches losses that are counted as well
    (twice as many), a count that starts anew on each row, and one over the cells of one genotype.
    """
    rule = {"division_rate_per_year": 1.0, "loss_rate_per_year": float(update == "death_birth"), "update": update}
    content = {
        "time": {"duration_years": 2, "step_days": 7, "record_every_years": 1}, "marrow": {"shape": [64, 64]},
        "clones": {"healthy": {"genotype": "wild_type"}, "half": {"genotype": "donor", "fraction": 0.5}},
        "hematopoiesis": rule, "mutation": OFF, "fibrosis": OFF, "antigen": OFF, "seed": 4,
    }  # fmt: skip
    rows = mpn_abm.run(scenario(content)).trajectory
    years = rows.divisions_per_site.to_numpy()
    assert years[0] == 0.0
    assert (np.abs(np.diff(years) - 1.0) < 4.9 / 64.0).all()
    assert (rows.new_clones == 0).all()
