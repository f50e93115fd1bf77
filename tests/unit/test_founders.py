"""How many cells a clone of the file has on day 0, and that they are placed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.small import bare, run

from mpn_abm.errors import ScenarioError
from mpn_abm.scenario.scenario import load
from mpn_abm.scenario.sizes import TAKES_THE_REST, sizes_of

REST = {"genotype": "wild_type"}
COPIES = {"JAK2_V617F": 1, "CALR_TYPE1": 1, "JAK2_V617F_HOM": 2, "wild_type": 0}


def sizes(**clones):
    """On 10 x 10 sites."""
    return sizes_of(load(bare(marrow={"shape": [10, 10]}, clones=clones)).spec)


def test_sizes_are_cells_or_a_share_of_all_sites_or_one_or_the_rest():
    found = sizes(
        a={"genotype": "wild_type", "cells": 7},
        b={"genotype": "wild_type", "fraction": 0.25},
        c={"genotype": "wild_type", "pattern": "single"},
        d=REST,
    )
    assert found == [7, 25, 1, TAKES_THE_REST]


@pytest.mark.parametrize(("genotype", "vaf", "cells"), [("JAK2_V617F", 0.2, 40), ("JAK2_V617F_HOM", 0.2, 20)])
def test_a_vaf_counts_copies_over_those_of_all_cells(genotype, vaf, cells):
    """Of 100 diploid cells: heterozygous cells carry one mutant copy of two, homozygous ones both."""
    assert sizes(mutant={"genotype": genotype, "vaf": vaf}, rest=REST) == [cells, TAKES_THE_REST]


def test_a_vaf_beside_empty_niches_is_that_of_the_cells_and_not_of_the_sites():
    """30 cells and a vaf of 0.2: 20 mutant among 50 cells. Catches 40, which would be of all sites."""
    assert sizes(plain={"genotype": "wild_type", "cells": 30}, mutant={"genotype": "JAK2_V617F", "vaf": 0.2}) == [
        30,
        20,
    ]


def test_a_vaf_of_a_clone_that_arrives_later_is_that_of_a_full_marrow():
    late = {"genotype": "JAK2_V617F", "vaf": 0.1, "day": 7}
    assert sizes(rest=REST, late=late) == [TAKES_THE_REST, 20]
    assert sizes(few={"genotype": "wild_type", "cells": 30}, late=late) == [30, 20]


def test_a_clone_that_arrives_does_not_fill_the_marrow_of_day_0():
    """The vaf of day 0 is one of the cells of day 0."""
    found = sizes(
        plain={"genotype": "wild_type", "cells": 30},
        mutant={"genotype": "JAK2_V617F", "vaf": 0.2},
        late={"genotype": "CALR_TYPE1", "cells": 50, "day": 7},
    )
    assert found == [30, 20, 50]


def test_a_vaf_of_nothing_is_no_cell():
    assert sizes(mutant={"genotype": "JAK2_V617F", "vaf": 0.0}, rest=REST) == [0, TAKES_THE_REST]


@given(
    sides=st.tuples(st.integers(4, 60), st.integers(4, 60)),
    plain=st.floats(0.05, 1.0),
    jak2=st.floats(0.0, 0.2),
    calr=st.floats(0.0, 0.2),
    homozygous=st.booleans(),
)
def test_the_cells_have_the_vaf_that_was_asked_for_whatever_else_is_there(sides, plain, jak2, calr, homozygous):
    """To the rounding of a cell, with or without empty niches."""
    genotype = "JAK2_V617F_HOM" if homozygous else "JAK2_V617F"
    of_cells = jak2 * (1 if homozygous else 2) + 2 * calr
    sites = sides[0] * sides[1]
    plain = min(plain, 1.0 - of_cells)
    clones = {
        "plain": {"genotype": "wild_type", "fraction": plain},
        "jak2": {"genotype": genotype, "vaf": jak2},
        "calr": {"genotype": "CALR_TYPE1", "vaf": calr},
    }
    found = sizes_of(load(bare(marrow={"shape": list(sides)}, clones=clones)).spec)
    total = sum(found)
    slack = 2.0 / max(1, round(plain * sites))
    assert found[1] * COPIES[genotype] / (2 * total) == pytest.approx(jak2, abs=slack)
    assert found[2] / (2 * total) == pytest.approx(calr, abs=slack)


def test_row_0_holds_the_sizes_of_the_file_whatever_the_pattern():
    patterns = [{"pattern": "patches", "patches": 3}, {"pattern": "disc"}, {"pattern": "scattered"}]
    for pattern in patterns:
        clones = {"rest": REST, "mutant": {"genotype": "JAK2_V617F", "vaf": 0.15, **pattern}}
        row = run(bare(marrow={"shape": [20, 20]}, clones=clones)).trajectory.iloc[0]
        assert (row.cells_mutant, row.cells_rest, row.vaf_jak2) == (120, 280, 0.15)


def test_two_clones_that_round_up_do_not_ask_for_more_sites_than_there_are():
    """Half of 25 sites is 12 or 13; the marrow is full at 25 at most."""
    halves = {"one": {"genotype": "wild_type", "fraction": 0.5}, "other": {"genotype": "wild_type", "fraction": 0.5}}
    row = run(bare(marrow={"shape": [5, 5]}, clones=halves)).trajectory.iloc[0]
    assert {row.cells_one, row.cells_other} <= {12, 13}
    assert row.cells_total in (24, 25)


def test_an_arrival_takes_its_sites_from_whoever_is_there():
    clones = {"rest": REST, "late": {"genotype": "JAK2_V617F", "fraction": 0.25, "day": 7}}
    still = {"enabled": False}
    rows = run(bare(clones=clones, hematopoiesis=still, time={"duration_days": 9, "record_every_days": 1})).trajectory
    assert rows.cells_late.tolist() == [0] * 8 + [16] * 2
    assert rows.cells_rest.tolist() == [64] * 8 + [48] * 2
    assert np.all(rows.cells_total == 64)


def test_a_vaf_beside_a_fraction_is_weighed_by_what_the_cells_put_out():
    """JAK2 cells put out twice the granulocytes: W = 0.5 / (1 - 0.6) sites, and 0.6 W / 2 of them are mutant."""
    clones = {"healthy": {"genotype": "wild_type", "fraction": 0.5}, "jak2": {"genotype": "JAK2_V617F", "vaf": 0.3}}
    content = {"schema": "mpn-abm/1", "time": {"duration_days": 1}, "marrow": {"shape": [40, 40]}, "clones": clones}
    assert sizes_of(load(content).spec) == [800, 600]
    with pytest.raises(ScenarioError, match=r"at most all sites together, not 1\.25 of them"):
        load({**content, "blood": {"enabled": False}})
