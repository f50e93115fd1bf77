"""What the page shows: the picture site by site, the charts as well-formed SVG, the words."""

from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from unit.small import niche, tissue

from mpn_abm.dashboard import charts, painting, saving, views
from mpn_abm.dashboard.charts import Axis, Line, axis_until, chart, courses, nice_step, short
from mpn_abm.dashboard.experiment import Experiment
from mpn_abm.dashboard.live import LiveMarrow
from mpn_abm.pictures import palette
from mpn_abm.pictures.marrow import Marrow
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.shading import flat_image
from mpn_abm.scenario.scenario import load
from mpn_abm.simulate import run
from mpn_abm.state import T_CELLS

SVG = "{http://www.w3.org/2000/svg}"


def live(content, boundary=0):
    return LiveMarrow(Experiment(load(content)), boundary=boundary)


def rgb(colour):
    return tuple(bytes.fromhex(colour[1:]))


# The picture.


def test_every_site_has_the_colour_of_its_genotype_where_no_scar_is():
    model = live(niche(fibrosis={"enabled": False}, treatments={}))
    picture = painting.paint(model)
    assert picture.shape == (12, 16, 3)
    for x in range(16):
        for y in range(12):
            label = model.genotypes[model.grid.layers["genotype"].data[x, y]]
            expected = palette.EMPTY if label == "empty" else palette.FILLS[label]
            # y goes upwards
            assert tuple(picture[11 - y, x]) == rgb(expected), (x, y)


def test_the_page_shows_a_marrow_as_the_picture_of_its_run_does(tmp_path):
    """Way up, colours of cells, scar and clones that share a genotype: the page and `plot map` are one picture."""
    mine = {**niche()["clones"], "other": {"genotype": "CALR_TYPE1", "fraction": 0.2}}
    content = niche(clones=mine, fibrosis={"initial": {"mf_grade": 3, "patches": 1, "radius_sites": 4}}, treatments={})
    model = live(content, boundary=21)
    run(load(content)).write(tmp_path / "run")
    marrow = Marrow(Recording(tmp_path / "run"), 0)
    plotted = 255 * flat_image(marrow.on(21.0), marrow.colours)[::-1]
    # the page has sixteen shades
    assert np.abs(painting.paint(model) - plotted).max() < 255 / painting.SHADES
    assert {*marrow.legend} <= {*painting.kinds_of(model)[1]}
    assert len([label for label, _ in marrow.legend if label.startswith(("calr", "other", "CALR type 1"))]) >= 2


def test_scar_is_darker_and_t_cells_lie_over_all():
    model = live(niche(fibrosis={"initial": {"mf_grade": 3, "patches": 1, "radius_sites": 4}}), boundary=8)
    picture = painting.paint(model)[::-1].astype(int)
    scar = model.grid.layers["fibrosis"].data.T
    there = model.grid.layers["car_t"].data.T > 0
    healthy = (model.genotypes.index("wild_type") == model.grid.layers["genotype"].data.T) & ~there
    assert there.any()
    assert (picture[there] == rgb(palette.T_CELL)).all()
    light = picture.sum(axis=2)
    assert light[healthy & (scar > 0.7)].max() < 0.75 * light[healthy & (scar < 0.1)].min()


def test_a_layer_of_a_3_d_marrow_shows_its_own_cells():
    model = live(tissue(), boundary=3)
    stack = model.batch.stack
    assert stack.tally[0, T_CELLS] > 0
    genotype, agents = model.grid.layers["genotype"].data, model.grid.layers["car_t"].data
    for z in range(6):
        picture = painting.paint(model, z)[::-1].astype(int)
        assert picture.shape == (7, 8, 3)
        empty = (genotype[:, :, z].T == 0) & (agents[:, :, z].T == 0)
        there = agents[:, :, z].T > 0
        assert (picture[there] == rgb(palette.T_CELL)).all()
        # an empty site is grey, warm with scar
        assert ((picture.max(axis=2) - picture.min(axis=2) <= 8) | ~empty).all()


def test_the_saved_picture_is_large_and_the_same():
    model = live(niche(), boundary=8)
    image = np.asarray(Image.open(BytesIO(saving.picture_of(model))))
    scale = image.shape[1] // 16
    assert image.shape == (12 * scale, 16 * scale, 3)
    assert image.shape[1] >= saving.SMALLEST
    np.testing.assert_array_equal(image[::scale, ::scale], painting.paint(model))


# Charts.


def read(svg):
    return ElementTree.fromstring(svg.replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" '))


def points(svg):
    return [
        [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
        for line in read(svg).iter(f"{SVG}polyline")
    ]


def test_a_chart_has_its_title_its_unit_and_a_line_for_each_series():
    axis = Axis([0.0, 5.0, 10.0], 10.0, marks=(5.0,))
    svg = chart("VAF", "fraction", [Line("a < b", "red", [0.0, 0.5, 1.0]), Line("c", "blue", [1.0, 1.0, 1.0])], axis)
    words = ["".join(text.itertext()) for text in read(svg).iter(f"{SVG}text")]
    assert "VAF fraction" in words
    assert "10 days" in words
    assert {"a < b", "c", "0", "0.5", "1"} <= set(words)
    assert 'aria-label="VAF, fraction: a &lt; b 1, c 1"' in svg
    first, second = points(svg)
    # newest first; upwards is less y
    assert [x for x, _ in first] == sorted((x for x, _ in first), reverse=True)
    assert first[0][1] < first[1][1] < first[2][1]
    assert len({y for _, y in second}) == 1
    assert 'class="mark"' in svg


def test_a_line_has_a_gap_where_there_is_no_number():
    axis = Axis([0.0, 1.0, 2.0, 3.0], 3.0)
    assert [len(piece) for piece in points(chart("t", "", [Line("a", "red", [1.0, np.nan, 1.0, 2.0])], axis))] == [2, 1]
    assert points(chart("t", "", [Line("a", "red", [np.nan] * 4)], axis)) == []


def test_a_long_run_has_no_more_points_than_can_be_told_apart_and_ends_with_the_newest():
    days = [float(k) for k in range(100_000)]
    axis = axis_until(days, 100_000.0, ())
    (line,) = points(chart("t", "", [Line("a", "red", days)], axis))
    assert charts.MOST_POINTS / 2 < len(line) <= charts.MOST_POINTS
    assert line[0][0] == pytest.approx(axis.x(99_999.0), abs=0.1)


@pytest.mark.parametrize(("day", "end"), [(0.0, 100.0), (90.0, 100.0), (99.0, 200.0), (150.0, 200.0), (1590.0, 1600.0)])
def test_the_axis_is_a_half_of_a_half_of_the_run_and_holds_today(day, end):
    assert axis_until([0.0, day], 1600.0, ()).end == end


def test_steps_of_an_axis_are_round():
    assert [nice_step(length, 4) for length in (1.0, 7.0, 300.0, 0.04)] == pytest.approx([0.5, 2.0, 100.0, 0.01])


def test_numbers_are_short():
    assert list(map(short, (0.25, 5.0, 1000.0, 12_345.0, 2e7, 1.3e10))) == [
        "0.25",
        "5",
        "1,000",
        "12.3k",
        "2 \u00d7 10⁷",
        "1.3 \u00d7 10¹⁰",
    ]


def test_what_is_given_is_a_bar_and_what_is_given_at_once_a_thin_one():
    svg = courses("Treatment", [("a drug", [(0.0, 50.0)]), ("cells", [(60.0, 60.0)])], Axis([0.0, 100.0], 100.0))
    widths = [float(bar.get("width")) for bar in read(svg).iter(f"{SVG}rect")]
    assert widths == [pytest.approx((charts.WIDTH - charts.LEFT - charts.RIGHT) / 2, abs=0.1), 3.0]


# The page of a marrow.


def test_the_charts_show_what_was_given_and_what_it_did():
    model = live(niche(time={"duration_days": 42}), boundary=35)
    drawn = views.charts_of(model)
    assert list(drawn) == [
        "Cells", "VAF", "CAR T cells", "Platelets", "Haemoglobin", "White cells", "Spleen", "Scar", "Treatment",
    ]  # fmt: skip
    for svg in drawn.values():
        read(svg)
    # ruxolitinib from day 3 to 30, T cells on day 7; neither has anything of JAK2
    assert 'aria-label="Treatment: ruxolitinib, CAR T cells"' in drawn["Treatment"]
    rux, cells = (float(bar.get("width")) for bar in read(drawn["Treatment"]).iter(f"{SVG}rect"))
    assert rux == pytest.approx((charts.WIDTH - charts.LEFT - charts.RIGHT) * 27 / 42, abs=0.1)
    assert cells == 3.0
    assert "JAK2" not in drawn["VAF"]


def test_a_course_that_runs_ends_today():
    model = live(niche(treatments={"ruxolitinib": {"dose_mg": 15, "start_day": 3}}), boundary=13)
    (bar,) = read(views.charts_of(model)["Treatment"]).iter(f"{SVG}rect")
    axis = views.axis_until(model.datacollector.model_vars["day"], 42.0, ())
    assert float(bar.get("width")) == pytest.approx(axis.x(13.0) - axis.x(3.0), abs=0.1)


def test_a_marrow_without_blood_has_the_charts_that_it_can_have():
    off = {"enabled": False}
    model = live(niche(blood=off, spleen=off, progression=off, fibrosis=off, treatments={}), boundary=2)
    assert list(views.charts_of(model)) == ["Cells", "VAF", "Treatment"]
    assert "phase" not in views.headline_of(model)


def test_the_headline_says_the_day_and_how_it_ended():
    model = live(niche(), boundary=14)
    assert views.headline_of(model).startswith("Day 14 of 42 · chronic phase · VAF 0.")
    assert views.headline_of(live(niche(), boundary=42)).endswith("the run is over: duration")
    assert "the marrow on day 14: healthy" in views.alt_text_of(model)


def test_a_run_of_hours_is_told_in_hours():
    model = live(tissue(), boundary=6)
    assert views.headline_of(model).startswith("Hour 1 of 2 · ")
    assert "2 hours" in views.charts_of(model)["Cells"]


def test_the_dead_are_said_to_be_dead():
    deadly = live(niche(progression={"background_death_rate_per_year": 100.0}), boundary=42)
    assert "the patient has died" in views.headline_of(deadly)
    for svg in views.charts_of(deadly).values():
        read(svg)


def test_the_legend_names_the_colours_that_are_there():
    assert "CAR T cell" not in views.legend_of(live(niche()))
    shown = views.legend_of(live(niche(), boundary=8))
    for label in ("wild type", "CALR type 1", "CAR T cell", "empty niche", "scar is darker"):
        assert label in shown


def test_every_drug_that_lasts_can_be_given_at_its_usual_dose():
    experiment = Experiment(load(niche(treatments={})))
    ways = views.ways_to_dose(experiment.scenario.spec)
    assert "car_t" not in ways
    assert "transplant" not in ways
    for drug, way in ways.items():
        dose = {way.key: way.usual, **({} if way.times_per_day is None else {"times_per_day": way.times_per_day})}
        assert experiment.give(drug, 3.0, **dose).stoppable(4.0) == [drug]
