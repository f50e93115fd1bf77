"""What the courses show: columns, units, colours by clone, numbers of lines."""

import matplotlib.colors
import numpy as np
import pytest
from pictures import recordings

from mpn_abm.cli.main import main
from mpn_abm.errors import UsageError
from mpn_abm.pictures import palette
from mpn_abm.pictures.catalogue import draw


def axes_of(picture):
    return {axis.get_title(loc="left"): axis for axis in picture.figure.axes}


def colours_of(axis):
    return {line.get_label(): matplotlib.colors.to_hex(line.get_color()) for line in axis.get_lines()}


def test_each_axis_has_its_column_its_unit_and_the_colour_of_its_clone():
    result = recordings.niche()
    axes = axes_of(draw("timeseries", result))
    assert axes["clones"].get_ylabel() == "share of sites"
    colours = {"healthy": palette.LINES["wild_type"], "calr": palette.LINES["CALR_TYPE1"]}
    assert colours_of(axes["clones"]) == {**colours, "later clones": palette.FAINT}
    units = {"platelets": "per nl", "haemoglobin": "g/l", "spleen": "ml", "CAR T cells in the marrow": "cells"}
    assert {title: axes[title].get_ylabel() for title in units} == units
    assert axes["scar"].get_ylabel() == "mean ECM (fraction)"
    spleen = axes["spleen"].get_lines()[0]
    np.testing.assert_allclose(spleen.get_xdata(), result.trajectory["day"])
    np.testing.assert_allclose(spleen.get_ydata(), result.trajectory["spleen_ml"])
    assert {axis.get_xlabel() for axis in axes.values()} == {"", "time (days)"}


def test_what_was_given_stands_beneath_with_its_days():
    picture = draw("timeseries", recordings.niche())
    beneath = [axis for axis in picture.figure.axes if axis.get_yticklabels()[0].get_text() == "ruxolitinib"]
    assert [label.get_text() for label in beneath[0].get_yticklabels()] == ["ruxolitinib", "CAR T"]
    (bar,) = beneath[0].patches
    assert (bar.get_x(), bar.get_x() + bar.get_width()) == (7.0, 42.0)
    assert beneath[0].get_lines()[0].get_xdata().tolist() == [21.0]


def test_replicates_are_a_median_in_a_band_and_the_band_holds_four_fifths_of_them():
    result = recordings.replicated()
    axis = axes_of(draw("timeseries", result, columns=["spleen_ml"]))["spleen"]
    (line,), (band,) = axis.get_lines(), axis.collections
    by_day = result.trajectory.groupby("day")["spleen_ml"]
    np.testing.assert_allclose(line.get_ydata(), by_day.median())
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].max() == pytest.approx(by_day.quantile(0.9).max())
    assert corners[:, 1].min() == pytest.approx(by_day.quantile(0.1).min())


def test_few_replicates_are_drawn_one_by_one():
    result = recordings.replicated()
    three = result.trajectory[result.trajectory["replicate"] < 3]
    from mpn_abm.pictures.courses import course

    found = course(three.assign(patient=three["replicate"]), "spleen_ml")
    assert len(found.single) == 3


def test_a_day_that_one_run_alone_has_is_not_drawn():
    import pandas as pd

    from mpn_abm.pictures.courses import course

    rows = pd.DataFrame(
        [(patient, day, 1.0) for patient in range(6) for day in (0.0, 7.0, 14.0)] + [(0, 9.5, 100.0)],
        columns=["patient", "day", "x"],
    )
    assert course(rows, "x").day.tolist() == [0.0, 7.0, 14.0]


def test_arms_have_a_line_each_and_the_reference_is_grey():
    study = recordings.arms()
    axes = axes_of(draw("timeseries", study))
    assert colours_of(axes["spleen"]) == {"none": palette.ARMS[0], "transplant": palette.ARMS[1]}
    alive = {line.get_label(): line.get_ydata()[-1] for line in axes["alive"].get_lines()}
    shares = study.summary.groupby("arm")["death_day"].apply(lambda days: days.isna().mean())
    assert alive == pytest.approx(shares.to_dict())
    assert shares["none"] < 1


def test_measurements_stand_over_the_model_with_their_error(tmp_path):
    (tmp_path / "mine.csv").write_text("day,column,value,sd\n7,vaf_calr,0.2,0.01\n28,vaf_calr,0.1,\n7,kills,3,\n")
    axes = axes_of(draw("timeseries", recordings.niche(), data=tmp_path / "mine.csv"))
    points = [line for line in axes["variant allele fraction"].get_lines() if line.get_marker() == "o"]
    assert points[0].get_xydata().tolist() == [[7.0, 0.2], [28.0, 0.1]]
    assert "kills" in axes, "a column that is measured is shown"


def test_what_is_measured_before_after_or_above_the_model_is_not_cut_off(tmp_path):
    (tmp_path / "mine.csv").write_text("day,column,value,sd\n-7,spleen_ml,90000,500\n700,spleen_ml,3,\n")
    axes = axes_of(draw("timeseries", recordings.niche(), data=tmp_path / "mine.csv"))
    left, right = axes["spleen"].get_xlim()
    # 700 days are told in weeks
    assert (left, right) == (-1.0, 100.0)
    assert axes["spleen"].get_ylim()[1] > 90_000 + 1.96 * 500
    assert axes["symptoms"].get_xlim() == (left, right)


def test_lines_have_room_above_them_and_ticks_have_plain_numbers():
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = draw("timeseries", recordings.niche()).figure
    FigureCanvasAgg(figure).draw()
    for axis in figure.axes:
        lines = [line for line in axis.get_lines() if len(line.get_ydata()) > 1]
        if axis.get_yscale() == "linear" and lines and axis.get_ylabel():
            highest = max(np.nanmax(line.get_ydata()) for line in lines)
            assert axis.get_ylim()[1] >= 1.05 * highest, axis.get_title(loc="left")
        assert axis.yaxis.get_offset_text().get_text() == "", "1e-5 above an axis"


def test_a_logarithmic_axis_has_powers_of_ten_and_no_numbers_between():
    """T cells that hardly change, and leave."""
    import pandas as pd

    from mpn_abm.pictures.labels import WEEKS
    from mpn_abm.pictures.panels import Line, Panel
    from mpn_abm.pictures.style import Picture, drawing, new_figure
    from mpn_abm.pictures.timeseries import draw_panel

    rows = pd.DataFrame({"patient": 0, "day": [0.0, 7.0], "car_t_total": [2e8, 9e8]})
    with drawing():
        figure = new_figure(3, 2)
        axis = figure.subplots()
        draw_panel(axis, Panel("", "", "cells", (Line("car_t_total", "all", "#000000"),), log=True), rows, WEEKS)
    Picture(figure, "").data("png", dpi=50)
    assert axis.get_ylim() == (1e8, 1e9)
    assert not any(label.get_text() for label in axis.get_yticklabels(minor=True))


def test_clones_that_the_file_does_not_name_have_a_line_and_what_there_is_adds_up():
    result = recordings.lifetime()
    axis = axes_of(draw("timeseries", result))["clones"]
    lines = {line.get_label(): np.asarray(line.get_ydata()) for line in axis.get_lines()}
    assert set(lines) == {"healthy", "jak2", "later clones"}
    assert lines["later clones"][-1] > 0.01
    np.testing.assert_allclose(sum(lines.values()), result.trajectory["cells_total"] / 400)
    picture = draw("timeseries", result)
    picture.data("png", dpi=50)
    axis = axes_of(picture)["clones"]
    legend = axis.get_legend().get_window_extent().transformed(axis.transData.inverted())
    assert legend.y0 > max(values.max() for values in lines.values()), "no line is hidden by the legend"


def test_a_panel_in_which_nothing_would_be_seen_is_left_out():
    """One of twenty patients has blasts for a while: no line and no band of the middle 80 % shows them."""
    import pandas as pd

    from mpn_abm.pictures.panels import panels_of_arms

    rows = pd.DataFrame([(k, day, "a", 20.0 * (k == 0), 3.0) for k in range(20) for day in (0.0, 7.0)],
                        columns=["patient", "day", "arm", "blast_percent", "spleen_ml"])  # fmt: skip
    assert [panel.title for panel in panels_of_arms(rows, lambda name: "", ["a", "b"], "a")] == ["spleen"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("day,column\n1,vaf_calr\n", "missing: value"),
        ("day,column,value\n1,vaf_calr,a\n", "mine.csv:2: value: 'a': expected a number"),
        ("day,column,value\n1,vaf_carl,1\n", "vaf_calr"),
    ],
)
def test_measurements_that_are_wrong_are_refused_with_a_reason(tmp_path, text, told):
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(UsageError, match=told):
        draw("timeseries", recordings.niche(), data=tmp_path / "mine.csv")


def test_the_command_writes_the_same_bytes_each_time(tmp_path, capsys):
    folder = str(recordings.written(recordings.niche(), tmp_path / "run"))
    for kind in ("svg", "png", "pdf"):
        for name in ("a", "b"):
            words = ["plot", "timeseries", folder, "-o", f"{tmp_path}/{name}.{kind}", "--columns", "spleen_ml"]
            assert main(words) == 0
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes(), kind
    assert "Courses of niche from day 0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["timeserie", "RUN", "-o", "a.svg"], 2, "did you mean 'timeseries'"),
        (["timeseries", "RUN", "-o", "a.gif"], 2, ".svg, .png, .pdf"),
        (["timeseries", "RUN", "-o", "a.svg", "--columns", "vaf_carl"], 2, "vaf_calr"),
        (["timeseries", "RUN", "-o", "a.svg", "--day", "3"], 2, "takes no --day"),
        (["timeseries", "RUN", "-o", "a.svg", "--arm", "x"], 2, "a run has no arms"),
        (["timeseries", "RUN", "-o", "a.svg", "--replicate", "4"], 2, "expected one of 0 to 0"),
        (["timeseries", "nowhere", "-o", "a.svg"], 2, "no such file"),
        (["timeseries", "RUN", "-o", "there.svg"], 6, "--overwrite"),
        (["timeseries", "RUN", "-o", "no/a.svg"], 2, "no folder"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(tmp_path, monkeypatch, capsys, words, code, told):
    recordings.written(recordings.niche(), tmp_path / "RUN")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.svg").write_text("")
    assert main(["plot", *words]) == code
    assert told in capsys.readouterr().err


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch, capsys):
    import sys

    folder = str(recordings.written(recordings.niche(), tmp_path / "run"))
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["plot", "timeseries", folder, "-o", str(tmp_path / "a.svg")]) == 2
    assert "pip install 'mpn-abm[plot]'" in capsys.readouterr().err


@pytest.mark.parametrize("number", [1, 4, 9, 17])
def test_a_legend_of_many_long_names_stays_in_the_figure(number):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.lines import Line2D

    from mpn_abm.pictures.style import drawing, legend_below, new_figure

    with drawing():
        figure = new_figure(5.6, 5)
        figure.subplots()
        legend_below(figure, [Line2D([], [], label=f"an arm with a rather long name {k}") for k in range(number)])
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        box = figure.legends[0].get_window_extent(canvas.get_renderer())
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1


def test_a_run_that_a_stop_ended_counts_on_and_a_patient_who_died_does_not():
    """Of three runs one is fixed on day 7 at 1, one dies on day 7, one stays at 0: the median of the living is 0.5."""
    import pandas as pd

    from mpn_abm.pictures.courses import course

    rows = pd.DataFrame(
        [(0, 0.0, 0.5, True), (0, 7.0, 1.0, True)]
        + [(1, 0.0, 0.5, True), (1, 7.0, 0.9, False)]
        + [(2, day, 0.0, True) for day in (0.0, 7.0, 14.0, 21.0)],
        columns=["patient", "day", "x", "alive"],
    )
    found = course(rows, "x")
    assert found.day.tolist() == [0, 7, 14, 21]
    assert found.middle.tolist() == [0.5, 0.9, 0.5, 0.5]
