"""Trials: the flow of patients, the power of others, curves of patients who count unequally, and the page of it all."""

import numpy as np
import pandas as pd
import pytest
from pictures import recordings
from pictures.test_report import Page

from mpn_abm.errors import UsageError
from mpn_abm.pictures.catalogue import draw
from mpn_abm.pictures.cohort import times_of
from mpn_abm.pictures.kaplan_meier import steps
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.report.report import report


@pytest.fixture(scope="module")
def page(trial):
    return report(trial)


def table_of(folder, name):
    return pd.read_parquet(folder / f"{name}.parquet")


def test_the_flow_has_a_box_for_each_arm_and_day_with_the_counts_of_the_table(trial):
    picture = draw("flow", trial)
    (axis,) = picture.figure.axes
    flow = table_of(trial, "flow")
    # who was enrolled, and each arm on day 0 and on two days
    assert len(axis.patches) == 1 + 6
    words = [text.get_text() for text in axis.texts]
    assert words[:2] == ["20 patients", "each in one arm, at random"]
    for row in flow[flow["day"] > 0].to_dict("records"):
        told = picture.alt.partition(f" {row['arm']}: ")[2].partition(f"week {row['day'] / 7:g}: ")[2].partition(";")[0]
        assert told.startswith(f"{row['evaluable']} watched, {row['died']} died so far"), told
        assert (f"{row['dropped_out']} lost from view" in told) == (row["dropped_out"] > 0)
        assert f"{row['analysed']} analysed" in told
    assert flow["died"].max() > 0
    assert flow["dropped_out"].max() > 0
    assert words.count("week 48") == 2


def test_the_boxes_of_the_flow_lie_apart_and_hold_their_words(trial):
    picture = draw("flow", trial)
    picture.data("png", dpi=50)
    (axis,) = picture.figure.axes
    boxes = [patch.get_window_extent() for patch in axis.patches]
    for k, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:k])
    for text in axis.texts:
        extent = text.get_window_extent()
        if text.get_text():
            assert any(box.contains(extent.x0, extent.y0) and box.contains(extent.x1, extent.y1) for box in boxes)


def test_power_has_a_point_for_each_size_and_says_what_the_trial_leaves_possible(trial):
    picture = draw("power", trial)
    (axis,) = picture.figure.axes
    table = table_of(trial, "power")
    (line,) = [one for one in axis.get_lines() if one.get_marker() == "o"]
    np.testing.assert_allclose(line.get_xydata(), table[["size", "power"]])
    corners = axis.collections[0].get_paths()[0].vertices
    assert corners[:, 1].max() == pytest.approx(table["trial_high"].max())
    assert [label.get_text() for label in axis.get_xticklabels()] == ["5", "10", "40"]
    assert axis.get_xlabel() == "size of a trial (patients an arm)"
    assert "tss50, week 24, drug versus placebo" in picture.figure.get_suptitle().replace("\n", " ")


def test_what_is_no_trial_has_neither_flow_nor_power():
    for kind in ("flow", "power"):
        with pytest.raises(UsageError, match="this is for a trial"):
            draw(kind, recordings.niche())


def test_a_curve_of_weighted_patients_is_that_of_the_study(trial):
    """Catches weights that are left out: those of the trial go from 1 to 3."""
    times = times_of(Recording(trial), "overall_survival")
    assert set(times["weight"]) == {1, 2, 3}
    km = table_of(trial, "km").query("endpoint == 'overall_survival'")
    for arm, mine in times.groupby("arm"):
        day, share, low, high = steps(mine)
        plain = steps(mine.drop(columns="weight"))[1]
        for row in km[(km["arm"] == arm) & (km["day"] > 0)].to_dict("records"):
            place = np.searchsorted(day[:-1], row["day"], side="right") - 1
            assert share[place] == pytest.approx(row["survival"], abs=1e-12)
            assert low[place] == pytest.approx(row["survival_low"], abs=1e-12)
            assert high[place] == pytest.approx(row["survival_high"], abs=1e-12)
        assert abs(share[-1] - plain[-1]) > 0.001
    picture = draw("kaplan_meier", trial)
    assert "by the weights of the patients" in picture.figure.get_suptitle().replace("\n", " ")
    assert "patients have weights: no log-rank test" in picture.alt


def test_a_share_of_responders_counts_weights(trial):
    table = table_of(trial, "endpoints").query("endpoint == 'tss50' and day == 168 and arm == 'drug'")
    weight = table.merge(table_of(trial, "plan")[["arm", "patient", "weight"]])["weight"]
    share = np.average(table["value"] == 1, weights=weight)
    assert 0 < share != np.mean(table["value"] == 1)
    (axis,) = draw("waterfall", trial, endpoint="symptom_score", day=168, arm="drug").figure.axes
    assert f"TSS50: {100 * share:.0f} % by weight" in axis.get_xlabel()


def test_the_page_of_a_trial_has_its_flow_its_endpoints_and_what_others_would_find(page, trial):
    read = Page(page)
    text = " ".join(" ".join(read.text).split())
    assert {"Where the patients went", "Survival", "How many patients a trial needs"} <= set(read.headings)
    assert "20 patients, each in one arm: differences are of independent groups" in text
    row = table_of(trial, "comparison").query("endpoint == 'tss50' and day == 168 and arm == 'drug'").iloc[0]
    assert f"{row['estimate']:.3g} ({row['low']:.3g} to {row['high']:.3g})" in text
    for row in table_of(trial, "power").to_dict("records"):
        assert f"{row['power']:.3f} ({row['low']:.3f} to {row['high']:.3f})" in text
    assert "✓ held" in text or "✗ not held" in text
    assert "\u2003difference" in page, "a contrast stands under what it is of"


def test_the_page_of_a_trial_has_the_values_under_it_with_their_sources(page):
    said, _, others = page.partition("All other values are defaults")
    assert "<code>progression.background_death_rate_per_year</code>" in said
    assert "study.yaml:" in said
    assert "Lee-Six 2018" in others


def test_a_page_is_made_where_the_file_of_the_study_cannot_be_read(trial, tmp_path):
    """Its patients are on another machine."""
    import shutil

    shutil.copytree(trial, tmp_path / "moved")
    file = tmp_path / "moved" / "study.yaml"
    file.write_text(file.read_text().replace("patients.csv", "elsewhere.csv"))
    assert "Where the patients went" in report(tmp_path / "moved")
