"""Sweeps, sensitivities and evidence."""

import matplotlib.colors
import numpy as np
import pandas as pd
import pytest
from pictures import recordings

from mpn_abm.errors import UsageError
from mpn_abm.pictures import palette
from mpn_abm.pictures.catalogue import KINDS, draw, options_of
from mpn_abm.pictures.evidence import rows_of
from mpn_abm.pictures.recording import Recording


@pytest.fixture(scope="module")
def summary(sweep):
    return pd.read_parquet(sweep / "summary" / "part-00000.parquet")


@pytest.fixture(scope="module")
def sensitivity(summary, tmp_path_factory):
    """Rank correlations of the sweep in the table of a sensitivity study."""
    from scipy.stats import spearmanr

    rows = []
    for path, source in (("car_t.homing", "fitted: x"), ("antigen.density_molecules", "assumed")):
        index = spearmanr(summary[path], summary["vaf_driver_end"]).statistic
        rows.append((path, source, "prcc", index, index - 0.1, index + 0.1, "vaf_driver"))
    names = ["parameter", "source", "measure", "index", "low", "high", "endpoint"]
    file = tmp_path_factory.mktemp("study") / "indices.parquet"
    pd.DataFrame(rows, columns=names).to_parquet(file)
    return file


def test_a_cell_of_the_heatmap_is_the_mean_of_its_replicates(sweep, summary):
    picture = draw("heatmap", sweep)
    axis, bar = picture.figure.axes
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("antigen.density_molecules", "car_t.homing")
    assert bar.get_ylabel() == "VAF of the driver at the end (fraction)"
    means = summary.groupby(["car_t.homing", "antigen.density_molecules"])["vaf_driver_end"].mean().unstack()
    np.testing.assert_allclose(axis.collections[0].get_array(), means.to_numpy())
    assert [label.get_text() for label in axis.get_xticklabels()] == ["100", "500", "2000"]
    assert len(axis.texts) == 9


def test_two_parameters_and_a_value_can_be_chosen(sweep, summary):
    picture = draw("heatmap", sweep, columns=["car_t.homing", "antigen.density_molecules"], endpoint="kills")
    axis, bar = picture.figure.axes
    assert axis.get_xlabel() == "car_t.homing"
    assert bar.get_ylabel() == "kills (cells)"
    assert axis.collections[0].get_array().max() == summary.groupby("patient")["kills"].mean().max()


def test_pairs_show_the_rank_correlation_of_each_parameter_the_strongest_first(sweep, summary):
    from scipy.stats import spearmanr

    picture = draw("pairs", sweep)
    first = picture.figure.axes[0]
    means = summary.groupby(["antigen.density_molecules", "car_t.homing"])["vaf_driver_end"].mean().reset_index()
    rank = {name: spearmanr(means[name], means["vaf_driver_end"]).statistic for name in means.columns[:2]}
    strongest = max(rank, key=lambda name: abs(rank[name]))
    assert first.texts[0].get_text() == f"rank correlation {rank[strongest]:+.2f}"
    assert first.collections[0].get_offsets().shape == (9, 2)
    assert picture.figure.axes[2].get_xlabel().replace("\n", "") == strongest


def test_a_tornado_has_the_largest_on_top_in_the_colour_of_its_source(sensitivity):
    picture = draw("tornado", sensitivity)
    (axis,) = picture.figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["antigen.density_molecules", "car_t.homing"]
    assert abs(axis.patches[0].get_width()) > abs(axis.patches[1].get_width())
    colours = [matplotlib.colors.to_hex(bar.get_facecolor()) for bar in axis.patches]
    assert colours == [palette.SOURCES["assumed"], palette.SOURCES["fitted"]]
    assert axis.get_xlabel() == "partial rank correlation (-1 to 1)"
    assert axis.get_ylim()[0] > axis.get_ylim()[1], "the first row is on top"


def test_an_effect_has_the_unit_of_what_it_is_an_effect_on_and_chance_is_on_the_side_of_the_bar(tmp_path):
    rows = [("a.b", "assumed", "mu_star", -0.4, -0.5, -0.3, 0.1, "spleen_ml")]
    names = ["parameter", "source", "measure", "index", "low", "high", "noise", "endpoint"]
    pd.DataFrame(rows, columns=names).to_parquet(tmp_path / "indices.parquet")
    recordings.niche().trajectory.to_parquet(tmp_path / "trajectory.parquet")
    recording = Recording(tmp_path)
    recording.unit = lambda column, table: {"spleen_ml": "ml"}[column]
    (axis,) = draw("tornado", recording).figure.axes
    assert axis.get_xlabel() == "mean absolute effect over the range, Morris (ml)"
    (chance,) = [line for line in axis.get_lines() if line.get_color() == palette.EMPHASIS]
    assert chance.get_xdata().tolist() == [-0.1]


def test_evidence_puts_each_band_on_one_scale_and_marks_what_is_outside():
    study = recordings.arms()
    rows = {row.name: row for row in rows_of(Recording(study))}
    claims = study.claims.set_index("claim")
    assert {name: row.held for name, row in rows.items()} == claims["held"].to_dict() == {"lives": True, "grows": False}
    grows = rows["grows"]
    assert (grows.low, grows.high) == (pytest.approx(0.0, abs=1e-12), None), "an open band begins where its limit is"
    assert grows.value < 0, "outside, below"
    picture = draw("evidence", study)
    axis = picture.figure.axes[0]
    marks = {line.get_marker(): line.get_color() for line in axis.get_lines() if line.get_markersize() == 4.6}
    assert palette.HELD in marks.values()
    assert palette.NOT_HELD in marks.values()
    assert "1 of 2 within their bands" in picture.figure.get_suptitle()
    assert "Missed: grows" in picture.alt


def test_a_band_from_low_to_high_goes_from_0_to_1(tmp_path):
    table = [("a", 0.4, 0.3, 0.5, 0.45, 0.35, 0.5), ("b", 9.0, 2.0, 4.0, 3.0, None, None)]
    names = ["claim", "value", "low", "high", "published", "value_low", "value_high"]
    pd.DataFrame(table, columns=names).to_parquet(tmp_path / "evidence.parquet")
    first, second = rows_of(Recording(tmp_path / "evidence.parquet"))
    assert (first.low, first.high) == pytest.approx((0, 1))
    assert (first.value, first.published) == pytest.approx((0.5, 0.75))
    assert (first.held, second.held) == (True, False)
    assert second.value == pytest.approx(3.5)


def test_what_is_no_sweep_is_refused(sweep):
    with pytest.raises(UsageError, match="no parameter varies"):
        draw("heatmap", recordings.replicated())
    with pytest.raises(UsageError, match=r"did you mean 'car_t\.homing'"):
        draw("pairs", sweep, columns=["car_t.homin"])
    with pytest.raises(UsageError, match="sensitivity"):
        draw("tornado", recordings.niche())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_a_title_and_no_title(kind):
    from importlib import import_module

    assert "title" in options_of(import_module(f"mpn_abm.pictures.{KINDS[kind].home}").draw)


@pytest.fixture(scope="module")
def pictures(sweep, sensitivity, trial):
    """What each kind of picture is drawn from."""
    return {
        "timeseries": recordings.niche(), "map": recordings.niche(), "maps": recordings.niche(),
        "muller": recordings.lifetime(), "lineage": recordings.lifetime(), "kaplan_meier": recordings.arms(),
        "waterfall": recordings.arms(), "swimmer": recordings.arms(), "heatmap": sweep, "pairs": sweep,
        "tornado": sensitivity, "evidence": recordings.arms(), "flow": trial, "power": trial,
    }  # fmt: skip


def test_letters_of_pictures_are_read_on_white_and_on_dark_paper(pictures):
    """WCAG AA: 4.5. A page in dark colours changes ink and faint; what stands on coloured areas stays as it is."""
    from matplotlib.text import Text

    own = {palette.INK, palette.FAINT, palette.ON_LIGHT, palette.ON_DARK}
    assert palette.contrast(palette.INK, palette.PAPER) >= 4.5
    assert palette.contrast(palette.FAINT, palette.PAPER) >= 4.5
    for kind, source in pictures.items():
        figure = draw(kind, source).figure
        for text in figure.findobj(Text):
            colour = matplotlib.colors.to_hex(text.get_color())
            if text.get_text() and text.get_visible() and colour not in own:
                for paper in (palette.PAPER, palette.DARK_PAPER):
                    assert palette.contrast(colour, paper) >= 4.5, (kind, text.get_text())


def test_no_picture_has_letters_cut_off_or_on_one_another(pictures):
    """What stands outside the axes lies in the figure, and headings do not meet the panels."""
    assert set(pictures) == set(KINDS)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    title = "Is a question that somebody asks in more words than a narrow picture has room for read to its end?"
    for kind, source in pictures.items():
        figure = draw(kind, source, title=title).figure
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        frame, renderer = figure.bbox, canvas.get_renderer()
        outside = [axis.get_tightbbox(renderer) for axis in figure.axes if axis.get_visible()]
        outside += [legend.get_window_extent(renderer) for legend in figure.legends]
        for box in outside:
            assert box.x0 >= frame.x0 - 2, kind
            assert box.x1 <= frame.x1 + 2, kind
            assert box.y0 >= frame.y0 - 2, kind
            assert box.y1 <= frame.y1 + 2, kind
        heading = figure._suptitle.get_window_extent(renderer)
        assert figure.get_suptitle().replace("\n", " ").startswith(title), kind
        assert heading.x1 <= frame.x1, kind
        assert heading.y1 <= frame.y1 + 2, kind
        assert all(box.y1 <= heading.y0 + 1 for box in outside[: len(figure.axes)]), kind
