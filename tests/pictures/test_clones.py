"""Nested clones and their tree: every cell is in the picture once, and a clone lies within its parent."""

from itertools import pairwise

import numpy as np
import pytest
from pictures import recordings

from mpn_abm.errors import UsageError
from mpn_abm.pictures import palette
from mpn_abm.pictures.catalogue import draw
from mpn_abm.pictures.genealogy import tree_of
from mpn_abm.pictures.muller import bands_of
from mpn_abm.pictures.recording import Recording


@pytest.fixture(scope="module")
def tree():
    return tree_of(Recording(recordings.lifetime()), 0, 1000)


def at(band, days, side):
    return np.interp(days, band.days, getattr(band, side), left=np.nan, right=np.nan)


def test_every_clone_lies_within_its_parent_and_apart_from_its_siblings(tree):
    bands = {band.clone.number: band for band in bands_of(tree)}
    assert set(bands) == set(tree.clones)
    assert any(clone.parent in tree.clones for clone in tree.clones.values())
    for number, clone in tree.clones.items():
        mine = bands[number]
        if len(mine.days) == 0:
            continue
        if clone.parent in bands:
            parent = bands[clone.parent]
            assert (at(parent, mine.days, "low") <= mine.low + 1e-9).all()
            assert (at(parent, mine.days, "high") >= mine.high - 1e-9).all()
        siblings = [bands[child.number] for child in clone.children if len(bands[child.number].days)]
        for lower, upper in pairwise(siblings):
            days = np.intersect1d(lower.days, upper.days)
            assert (at(lower, days, "high") <= at(upper, days, "low") + 1e-9).all()


def test_the_width_of_a_band_is_the_share_of_the_clone_and_its_descendants(tree):
    rows = recordings.lifetime().clones
    last = rows[rows["day"] == rows["day"].max()]
    cells = dict(zip(last["clone"], last["cells"], strict=True))

    def total(clone):
        return cells.get(clone.number, 0) + sum(map(total, clone.children))

    for band in bands_of(tree):
        if len(band.days) and band.days[-1] == tree.days[-1]:
            width = band.high[-1] - band.low[-1]
            assert width == pytest.approx(total(band.clone) / last["cells"].sum(), abs=1e-9)


def test_a_clone_opens_on_the_day_on_which_it_arose(tree):
    for band in bands_of(tree):
        if band.clone.born > 0 and len(band.days):
            assert band.days[0] == pytest.approx(band.clone.born)
            assert band.high[0] - band.low[0] == pytest.approx(0)


def test_small_clones_are_counted_in_those_from_which_they_arose(tree):
    few = tree_of(Recording(recordings.lifetime()), 0, 3)
    assert len(few.clones) < len(tree.clones)
    assert few.pooled == len(tree.clones) - len(few.clones)
    np.testing.assert_allclose(few.cells, tree.cells)


def test_the_picture_of_nested_clones_has_an_area_for_each_in_the_colour_of_its_genotype():
    picture = draw("muller", recordings.lifetime())
    (axis,) = picture.figure.axes
    assert axis.get_ylabel() == "share of stem cells (%)"
    assert axis.get_xlabel() == "time (years)"
    areas = {area.get_label(): area.get_facecolor()[0][:3] for area in axis.collections}
    for name, genotype in {"healthy": "wild_type", "jak2": "JAK2_V617F"}.items():
        np.testing.assert_allclose(areas[name], np.array(palette.rgb(palette.FILLS[genotype])) / 255, atol=0.01)
    assert len(areas) == len(axis.collections)


def test_the_tree_has_a_line_for_each_clone_that_begins_at_its_birth():
    picture = draw("lineage", recordings.lifetime())
    (axis,) = picture.figure.axes
    drawn = tree_of(Recording(recordings.lifetime()), 0, 30)
    lines = {area.get_label(): area for area in axis.collections}
    assert set(lines) == {clone.name for clone in drawn.clones.values()}
    for clone in drawn.clones.values():
        start = lines[clone.name].get_paths()[0].vertices[:, 0].min()
        assert start == pytest.approx(max(clone.born, 0) / 365.25, abs=1e-6)
    assert len(axis.texts) == len(drawn.clones)


def test_a_run_without_the_table_of_clones_says_so():
    import mpn_abm

    with pytest.raises(UsageError, match=r"output\.clones"):
        draw("muller", mpn_abm.run(mpn_abm.load({**recordings.LIFETIME, "output": {"clones": False}})))
