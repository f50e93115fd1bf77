"""Maps, slices, projections: what stands where in the picture is what stands where in the tables."""

import matplotlib.colors
import numpy as np
import pytest
from pictures import recordings

from mpn_abm.errors import UsageError
from mpn_abm.pictures import palette
from mpn_abm.pictures.catalogue import draw
from mpn_abm.pictures.maps import MF_2, chosen_days
from mpn_abm.pictures.marrow import Marrow
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.shading import flat_image, projected


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return recordings.written(recordings.niche(), tmp_path_factory.mktemp("niche") / "run")


def hex_of(colour):
    return matplotlib.colors.to_hex(colour)


@pytest.mark.parametrize("from_folder", [True, False])
def test_every_site_has_the_colour_of_its_cell_and_the_shade_of_its_scar(folder, from_folder):
    result = recordings.niche()
    marrow = Marrow(Recording(folder if from_folder else result), 0)
    day = marrow.days[2]
    image = flat_image(marrow.on(day), marrow.colours)
    assert image.shape == (20, 24, 3), "rows are y, columns are x"
    rows = result.snapshots[(result.snapshots["day"] == day) & (result.snapshots["layer"] == "cell")]
    for _, row in rows.sample(40, random_state=1).iterrows():
        fill = np.array(palette.rgb(palette.FILLS[str(row["genotype"]).partition("+")[0]])) / 255
        if "+" in str(row["genotype"]):
            continue
        share = palette.SCAR_STRENGTH * row["fibrosis"]
        expected = fill * (1 - share) + np.array(palette.rgb(palette.SCAR)) / 255 * share
        np.testing.assert_allclose(image[row["y"], row["x"]], expected, atol=1e-6)


def test_all_snapshots_in_turn_are_those_of_each_day(folder):
    marrow = Marrow(Recording(folder), 0)
    for snapshot in marrow.all():
        alone = marrow.on(snapshot.day)
        np.testing.assert_array_equal(snapshot.kind, alone.kind)
        np.testing.assert_array_equal(snapshot.t_cells, alone.t_cells)
        np.testing.assert_array_equal(snapshot.scar, alone.scar)
    assert marrow.days == [0, 14, 28, 42, 56, 70]


def test_the_map_says_its_day_its_axes_and_what_its_colours_are(folder):
    picture = draw("map", folder, day=30)
    (axis,) = picture.figure.axes
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("x (sites)", "y (sites)")
    labels = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert labels[:2] == ["wild type", "CALR type 1"]
    assert {"shade: scar, full at ECM 1", "border of MF-2 scar"} <= set(labels)
    faces = [hex_of(patch.get_facecolor()) for patch in picture.figure.legends[0].get_patches()]
    assert faces[:2] == [palette.FILLS["wild_type"], palette.FILLS["CALR_TYPE1"]]
    assert "day 28" in picture.figure.get_suptitle()


def test_a_dot_stands_on_every_site_with_t_cells_and_the_border_around_the_scar(folder):
    picture = draw("map", folder, day=28)
    snapshot = Marrow(Recording(folder), 0).on(28.0)
    (axis,) = picture.figure.axes
    dots = next(
        one for one in axis.collections if one.get_offsets().shape[0] and one.__class__.__name__ == "PathCollection"
    )
    _, y, x = np.nonzero(snapshot.t_cells)
    assert {tuple(spot) for spot in dots.get_offsets()} == {(a + 0.5, b + 0.5) for a, b in zip(x, y, strict=True)}
    contours = [one for one in axis.collections if one.__class__.__name__ == "QuadContourSet"]
    assert len(contours) == int(snapshot.scar.min() < MF_2 <= snapshot.scar.max())


def test_small_maps_stand_on_the_days_asked_for_and_on_the_peak_of_the_t_cells(folder):
    picture = draw("maps", folder, days=[1, 27, 70])
    assert [axis.get_title(loc="left") for axis in picture.figure.axes] == ["day 0", "day 28", "day 70"]
    marrow = Marrow(Recording(folder), 0)
    rows = recordings.niche().trajectory
    peak = marrow.nearest(float(rows.loc[rows["car_t_total"].idxmax(), "day"]))
    assert peak in chosen_days(marrow, 4)
    assert len(chosen_days(marrow, 4)) == 4


def test_t_cells_that_are_there_from_the_first_hour_on_need_no_map_of_their_own():
    """Their peak lies between the first two snapshots, and the one without them must not stand for it."""
    marrow = Marrow(Recording(recordings.tissue()), 0)
    assert len(chosen_days(marrow, 4)) == 4


def test_a_marrow_with_depth_has_three_slices_and_a_projection():
    picture = draw("map", recordings.tissue())
    axes = picture.figure.axes
    assert [axis.get_title(loc="left") for axis in axes[:3]] == ["slice at z = 6", "slice at y = 7", "slice at x = 8"]
    assert [axis.get_images()[0].get_array().shape[:2] for axis in axes[:3]] == [(14, 16), (12, 16), (12, 14)]
    assert len(axes[3].get_lines()) == 12, "the edges of the block"


def test_a_cell_lies_where_a_turn_puts_it():
    """One mutant cell off the middle goes to the other side with half a turn, and keeps its colour."""
    from math import pi

    from mpn_abm.pictures.marrow import Snapshot

    kind = np.zeros((9, 9, 9), np.uint8)
    kind[4, 4, 8] = 1
    snapshot = Snapshot(0.0, kind, np.zeros(kind.shape), np.zeros(kind.shape, int))
    colours = np.array([[1.0, 1.0, 1.0], [0.8, 0.1, 0.0]])
    places = []
    for angle in (0.0, pi):
        image = projected(snapshot, colours, [], angle)
        dark = 1.0 - image[..., 1]
        row, column = np.unravel_index(dark.argmax(), dark.shape)
        places.append((row, column))
        assert image[row, column, 0] > image[row, column, 1], "red"
    middle = (image.shape[0] - 1) / 2
    (row_0, column_0), (row_1, column_1) = places
    assert column_0 - middle == pytest.approx(4, abs=0.6)
    assert column_1 - middle == pytest.approx(-4, abs=0.6)
    assert row_0 == row_1


def test_a_run_without_snapshots_says_how_to_get_them():
    with pytest.raises(UsageError, match="snapshot_every_days"):
        draw("map", recordings.replicated())
