"""What no program may lose: every cell has come from somewhere, every clone from another, every table agrees."""

import numpy as np
import pytest
from verification.runs import OFF, scenario

import mpn_abm
from mpn_abm.state import NEXT_CLONE

# all that can happen to a cell: division, loss, displacement, lodging, mutation of every kind, arrival, drugs, killing
BUSY = {
    "time": {"duration_days": 420, "record_every_days": 7, "snapshot_every_days": 140},
    "marrow": {"shape": [40, 33], "hsc_pool_cells": 100_000},
    "clones": {
        "healthy": {"genotype": "wild_type", "fraction": 0.4},
        "jak2": {"genotype": "JAK2_V617F", "flags": ["TET2"], "fraction": 0.2, "pattern": "patches", "patches": 3},
        "calr": {"genotype": "CALR_TYPE1", "fraction": 0.2, "pattern": "disc"},
        "late": {"genotype": "CALR_TYPE2", "flags": ["ASXL1"], "cells": 90, "day": 100},
        "donor": {"genotype": "wild_type", "fraction": 0.15, "day": 250, "pattern": "patches", "patches": 2},
    },
    "hematopoiesis": {"loss_rate_per_year": 0.5, "displacement": 0.7, "division_rate_per_year": 3},
    "mutation": {
        "jak2_rate_per_year": 1e-3, "calr_rate_per_year": 1e-3, "driver_rate_per_year": 1e-3,
        "loss_of_heterozygosity_rate_per_year": 1e-3, "antigen_low_rate_per_year": 1e-3,
    },
    "fibrosis": {"initial": {"mf_grade": 2, "patches": 4, "cover_fraction": 0.4}},
    "treatments": {
        "ruxolitinib": {"dose_mg": 20, "start_day": 30, "stop_day": 200},
        "car_t": {"dose_cells": 1e8, "day": 150, "every_days": 60, "doses": 2},
    },
    "car_t": {"max_divisions": 9},
}  # fmt: skip
TISSUE = {
    "time": {"duration_days": 6, "record_every_hours": 6, "snapshot_every_days": 2},
    "marrow": {"scale": "tissue", "shape": [14, 12, 13], "boundary": "reflecting"},
    "clones": {
        "healthy": {"genotype": "wild_type", "fraction": 0.3}, "calr": {"genotype": "CALR_TYPE1", "fraction": 0.5},
        "late": {"genotype": "JAK2_V617F", "cells": 50, "day": 2},
    },
    "hematopoiesis": {"division_rate_per_year": 150, "loss_rate_per_year": 50},
    "mutation": {"driver_rate_per_year": 1, "antigen_low_rate_per_year": 1},
    "antigen": {"density_molecules": 5000}, "treatments": {"car_t": {"effector_to_target": 0.3, "entry": "faces"}},
}  # fmt: skip
MARROWS = {
    "birth_death": BUSY,
    "death_birth": BUSY | {"hematopoiesis": {**BUSY["hematopoiesis"], "update": "death_birth"}},
    "reflecting": BUSY | {"marrow": {**BUSY["marrow"], "boundary": "reflecting"}},
    "volume": BUSY | {"marrow": {"shape": [13, 10, 11]}},
    "tissue": TISSUE,
}


class Books:
    """An observer that balances births and deaths of every genotype, and clones, at every row."""

    def __init__(self):
        self.start = None
        self.days = 0
        self.seen = {}

    def __call__(self, state, day):
        counters, ledger = state.counters, state.ledger
        if self.start is None:
            self.start = counters.genotype_cells.copy()
        balance = (
            self.start + counters.births - counters.losses - ledger.killed
            + ledger.arrived + ledger.mutated_to - ledger.mutated_from
        )  # fmt: skip
        # index 0 stands for empty niches, and takes no part
        assert balance[1:].tolist() == counters.genotype_cells[1:].tolist()
        assert counters.genotype_cells.sum() == state.cell.shape[0]
        genotype, clone = (state.cell & np.uint64(255)).astype(int), (state.cell >> np.uint64(32)).astype(int)
        assert (
            np.bincount(genotype, minlength=len(counters.genotype_cells)).tolist() == counters.genotype_cells.tolist()
        )
        known = int(state.tally[NEXT_CLONE])
        assert np.bincount(clone, minlength=known).tolist() == counters.clone_cells[:known].tolist()
        self.days += 1
        for name in ("births", "losses"):
            self.seen[name] = getattr(counters, name)[1:].sum()
        for name in ledger._fields:
            self.seen[name] = getattr(ledger, name).sum()
        return {}


@pytest.fixture(scope="module", params=MARROWS)
def busy(request):
    books = Books()
    result = mpn_abm.run(scenario(MARROWS[request.param] | {"seed": 5}), observers=[books])
    return result, books


def test_every_cell_was_born_arrived_or_mutated_and_left_by_loss_killing_or_mutation(busy):
    """count = start + births - losses - killed + arrived + mutated to - mutated from, per genotype, at every row.

    The counters are those of a recount of the sites. Catches a displaced cell that is not lost, a killed one that is
    lost too, an arrival that clears a site twice, a mutation booked on one side.
    """
    result, books = busy
    assert books.days == len(result.trajectory)
    assert all(books.seen[name] > 0 for name in ("births", "losses", "killed", "arrived", "mutated_to"))
    assert result.trajectory.kills.iloc[-1] == books.seen["killed"]


def test_clones_descend_from_earlier_clones_by_one_mutation(busy):
    """Parents have smaller numbers and were born no later, so that there is no circle; founders have none."""
    clones = busy[0].clones.drop_duplicates("clone").set_index("clone")
    founders = len(busy[0].scenario.spec.clones)
    assert (clones.parent[clones.index <= founders] == 0).all()
    born = clones[clones.index > founders]
    assert len(born) > 10
    assert (born.parent > 0).all()
    assert (born.parent < born.index).all()
    known = born[born.parent.isin(clones.index)]
    assert (known.born_day.to_numpy() >= clones.born_day[known.parent].to_numpy()).all()
    for child, parent in zip(known.genotype, clones.genotype[known.parent], strict=True):
        one, other = (set(name.replace("_first", "").split("+")) for name in (child, parent))
        # a flag more, or another base: wild type to a driver, or heterozygous to homozygous
        assert len(one ^ other) in (1, 2)
        assert len(one - other) == 1


def test_clones_come_and_go_once_in_the_events(busy):
    """Born before they are lost, and living in between: a row of the clones for each recorded day of its life."""
    result, _ = busy
    events, clones = result.events, result.clones
    born = events[events.kind == "clone_born"].set_index("clone").day
    lost = events[events.kind == "clone_lost"].set_index("clone").day
    assert born.index.is_unique
    assert lost.index.is_unique
    both = born.index.intersection(lost.index)
    assert (born[both] <= lost[both]).all()
    last_day = result.trajectory.day.iloc[-1]
    living = set(clones[clones.day == last_day].clone)
    assert living.isdisjoint(lost.index)
    founders = set(range(1, len(result.scenario.spec.clones) + 1))
    assert living | set(lost.index) == set(born.index) | founders
    for clone, rows in clones.groupby("clone"):
        assert rows.day.min() >= born.get(clone, 0.0)
        assert rows.day.max() < lost.get(clone, np.inf)


def test_tables_agree_on_the_number_of_cells(busy):
    """Clones, genotypes and snapshots sum up to the trajectory on every day that they share."""
    result, _ = busy
    rows = result.trajectory.set_index("day")
    clones = result.clones.assign(base=result.clones.genotype.str.split("+").str[0])
    assert clones.groupby("day").cells.sum().to_dict() == rows.cells_total.to_dict()
    for base, of_base in clones.groupby("base"):
        counted = of_base.groupby("day").cells.sum().reindex(rows.index, fill_value=0)
        assert counted.to_list() == rows[f"genotype_cells_{base}"].to_list()
    for name in result.scenario.spec.clones:
        counted = clones[clones.name == name].groupby("day").cells.sum().reindex(rows.index, fill_value=0)
        assert counted.to_list() == rows[f"cells_{name}"].to_list()
    cells = result.snapshots[result.snapshots.layer == "cell"]
    days = cells.day.unique()
    assert len(days) >= 4
    assert cells.groupby("day").size().to_dict() == rows.cells_total[days].to_dict()
    by_clone = cells.groupby(["day", "clone"]).size()
    expected = clones[clones.day.isin(days)].set_index(["day", "clone"]).cells
    assert by_clone.to_dict() == expected.to_dict()
    carriers = cells[cells.antigen > 0].groupby("day").antigen.mean()
    np.testing.assert_allclose(carriers, rows.antigen_mean_molecules[carriers.index], rtol=1e-5)


def test_no_place_is_held_twice(busy):
    """Of the cells always, of the T cells at tissue scale; and every place is one of the lattice."""
    result, _ = busy
    marrow = result.scenario.spec.marrow
    axes = ["x", "y", "z"][: len(marrow.shape)]
    assert (result.snapshots[axes] >= 0).all(axis=None)
    assert (result.snapshots[axes] < list(marrow.shape)).all(axis=None)
    for layer in ("cell", "car_t") if marrow.scale == "tissue" else ("cell",):
        assert not result.snapshots[result.snapshots.layer == layer].duplicated(["day", *axes]).any()


def test_no_table_holds_a_value_that_is_no_number(busy):
    """Only a day that never came, and what an event does not have, may be missing."""
    result, _ = busy
    may_miss = {
        "summary": {"vaf_below_1pct_day", "car_t_peak_day", "fixed_clone"},
        "events": {"clone", "site", "value"},
    }
    for name, table in result.tables.items():
        for field in table.schema:
            column = table.column(field.name)
            assert column.null_count == 0 or field.name in may_miss.get(name, ()), (name, field.name)
            if "float" in str(field.type):
                assert np.isfinite(column.drop_null().to_numpy()).all(), (name, field.name)


def test_numbers_stay_within_their_bounds(busy):
    """Shares in 0 to 1, persistence and scar too; kills only rise."""
    rows = busy[0].trajectory
    shares = [name for name in rows if name.startswith(("fraction_", "vaf_", "persistence_", "fibrosis_"))]
    assert ((rows[shares] >= 0) & (rows[shares] <= 1)).all(axis=None)
    assert (rows.filter(regex="^activity_") > 0).all(axis=None)
    assert rows.kills.is_monotonic_increasing
    assert (rows.healthy_killed == 0).all()
    assert rows.mf_grade.isin([0, 1, 2, 3]).all()


# Labels.

PAIR = {
    "time": {"duration_days": 600}, "marrow": {"shape": [30, 30]}, "seed": 8,
    "mutation": {"driver_rate_per_year": 1e-3, "antigen_low_rate_per_year": 1e-3},
    "fibrosis": {"initial": {"mf_grade": 1}}, "treatments": {"car_t": {"dose_cells": 1e8, "day": 400}},
    "car_t": {"max_divisions": 9},
}  # fmt: skip


def pair(clones, genotypes=None):
    return mpn_abm.run(scenario(PAIR | {"clones": clones, "genotypes": genotypes or {}})).trajectory


def test_the_names_of_clones_are_only_names():
    """Two equal clones under exchanged names: their columns are exchanged and nothing else differs."""
    calr = {"genotype": "CALR_TYPE1", "fraction": 0.2}
    one = pair({"healthy": {"genotype": "wild_type"}, "abel": calr, "cain": calr})
    other = pair({"healthy": {"genotype": "wild_type"}, "cain": calr, "abel": calr})
    exchanged = {
        "cells_abel": "cells_cain", "cells_cain": "cells_abel",
        "fraction_abel": "fraction_cain", "fraction_cain": "fraction_abel",
    }  # fmt: skip
    renamed = other.rename(columns=exchanged)[one.columns]
    assert renamed.drop(columns="run_id").equals(one.drop(columns="run_id"))
    assert not one.cells_abel.equals(one.cells_cain)


def test_a_clone_cut_in_two_equal_ones_is_the_same_clone():
    """All columns but those of the two labels, to the last bit. Catches draws or hazards that the number of clones
    enters, and clones that compete by their label."""
    whole = pair({"healthy": {"genotype": "wild_type"}, "calr": {"genotype": "CALR_TYPE1", "cells": 360}})
    half = {"genotype": "CALR_TYPE1", "cells": 180}
    halves = pair({"healthy": {"genotype": "wild_type"}, "calr": half, "other": half})
    labels = ["run_id", "cells_calr", "fraction_calr"]
    shared = [name for name in whole if name not in labels]
    assert halves[shared].equals(whole[shared])
    assert (halves.cells_calr + halves.cells_other == whole.cells_calr).all()


def test_a_genotype_under_another_name_is_the_same_genotype():
    """Wild type with the numbers of CALR type 1 grows and scars as it does, mutation to drivers aside."""
    off = {"mutation": OFF}
    clones = {"healthy": {"genotype": "wild_type"}, "calr": {"genotype": "CALR_TYPE1", "fraction": 0.4}}
    named = mpn_abm.run(scenario(PAIR | off | {"clones": clones})).trajectory
    clones["calr"] = {"genotype": "mine", "fraction": 0.4}
    like = mpn_abm.run(
        scenario(PAIR | off | {"clones": clones, "genotypes": {"mine": {"like": "CALR_TYPE1"}}})
    ).trajectory
    renamed = like.rename(columns=lambda name: name.replace("mine", "CALR_TYPE1"))
    assert renamed.drop(columns="run_id").equals(named.drop(columns="run_id")[renamed.columns[1:]])
