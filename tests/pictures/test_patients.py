"""Survival, waterfalls and swimmers: numbers at risk, steps, bars and marks are those of the tables."""

import numpy as np
import pandas as pd
import pytest
from pictures import recordings

from mpn_abm.errors import UsageError
from mpn_abm.pictures import palette
from mpn_abm.pictures.catalogue import draw
from mpn_abm.pictures.cohort import are_independent, times_of
from mpn_abm.pictures.kaplan_meier import at_risk, differences, steps
from mpn_abm.pictures.recording import Recording

# Freireich 1963, the arm on 6-MP: weeks of remission, and whether it ended
WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
ENDED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def freireich():
    return pd.DataFrame({"time_days": np.array(WEEKS, float), "event": np.array(ENDED, bool), "died": False})


def test_the_curve_is_that_of_the_textbook():
    """Collett 2003, table of the 6-MP arm: 0.857 after week 6, 0.627 after week 16, 0.448 after week 23."""
    day, share, low, high = steps(freireich())
    found = {week: share[np.flatnonzero(day == week)[-1]] for week in (6, 10, 16, 23)}
    assert found == pytest.approx({6: 0.8571, 10: 0.7529, 16: 0.6275, 23: 0.4482}, abs=1e-4)
    assert (day[0], share[0], day[-1]) == (0, 1, 35)
    inside = ~np.isnan(low)
    assert (low[inside] <= share[inside]).all()
    assert (share[inside] <= high[inside]).all()


def test_numbers_at_risk_are_those_of_the_textbook():
    """Before week 6 21, before 10 15, before 20 8, before 30 4."""
    assert at_risk(freireich(), np.array([0.0, 6, 10, 20, 30])) == [21, 21, 15, 8, 4]


def test_independent_arms_are_tested_and_twins_are_not():
    """Freireich's arms: chi-squared 16.8, p = 4e-5. The same patients in both arms have no log-rank test."""
    drug = freireich().assign(arm="drug", patient=range(21))
    placebo = pd.DataFrame({"time_days": np.array(PLACEBO, float), "event": True, "died": False, "arm": "placebo",
                            "patient": range(21, 42)})  # fmt: skip

    class Nothing(Recording):
        def __init__(self):
            self.facts = {"reference": "placebo"}
            self._held, self._file, self.folder = {}, None, None

    told = differences(Nothing(), {"placebo": placebo, "drug": drug}, "remission")
    assert told == ["log-rank, drug and placebo: p < 0.001"]
    twins = placebo.assign(patient=range(21))
    assert not are_independent(pd.concat([drug, twins]))
    assert differences(Nothing(), {"placebo": twins, "drug": drug}, "remission") == [
        "the same patients in all arms: no log-rank test"
    ]


def test_the_picture_of_survival_has_a_curve_an_interval_and_a_row_of_numbers_for_each_arm():
    study = recordings.arms()
    picture = draw("kaplan_meier", study)
    curves, table = picture.figure.axes
    assert curves.get_ylabel() == "share alive"
    assert table.get_xlabel() == "time (years)"
    lines = [line for line in curves.get_lines() if line.get_drawstyle() == "steps-post"]
    # half of the first arm are dead on a day that the label tells in the unit of the axis
    told = curves.get_legend().get_texts()[0].get_text()
    died = study.survival.query("endpoint == 'overall_survival' and arm == 'none'").sort_values("time_days")
    median = died["time_days"].iloc[5] / 365.25
    assert told == f"none: {int(died['event'].sum())} of 12 with the event, median {median:.3g} years"
    picture.data("png", dpi=50)
    legend = curves.get_legend().get_window_extent().transformed(curves.transData.inverted())
    assert legend.y0 > 1.0, "nobody is hidden by the legend"
    assert [line.get_color() for line in lines] == list(palette.ARMS[:2])
    assert len(curves.collections) == 2
    assert [label.get_text() for label in table.get_yticklabels()] == ["none", "transplant"]
    times = study.survival[study.survival["endpoint"] == "overall_survival"]
    shown = {
        (round(text.get_position()[0], 6), int(text.get_position()[1])): int(text.get_text()) for text in table.texts
    }
    for (year, row), number in shown.items():
        mine = times[times["arm"] == ["none", "transplant"][row]]
        assert number == (mine["time_days"] >= year * 365.25 - 1e-6).sum()
    assert {row for _, row in shown} == {0, 1}
    assert "by patient" in picture.alt, "twins are compared as the study compares them"


def test_times_of_a_run_with_replicates_are_read_from_its_rows():
    study = recordings.arms()
    import mpn_abm

    alone = mpn_abm.run(mpn_abm.load({**recordings.ARMS, "arms": None, "expect": None}))
    found = times_of(Recording(alone), "overall_survival")
    expected = study.survival[(study.survival["endpoint"] == "overall_survival") & (study.survival["arm"] == "none")]
    np.testing.assert_allclose(found["time_days"], expected["time_days"])
    assert found["event"].tolist() == expected["event"].tolist()


def test_a_waterfall_falls_and_counts_responses_of_all_patients():
    study = recordings.arms()
    picture = draw("waterfall", study, endpoint="spleen_ml", day=336)
    table = study.endpoints
    mine = table[(table["endpoint"] == "spleen_ml") & (table["day"] == 336)]
    for axis, arm in zip(picture.figure.axes, ("none", "transplant"), strict=True):
        heights = [bar.get_height() for bar in axis.patches]
        known = mine.loc[mine["arm"] == arm, "relative_change"]
        assert heights == sorted(heights, reverse=True)
        np.testing.assert_allclose(sorted(heights), sorted(100 * known.dropna().clip(upper=1)))
        assert f"SVR35: {100 * (known <= -0.35).sum() / len(known):.0f} %" in axis.get_xlabel()
    assert picture.figure.axes[0].get_ylabel() == "change of spleen (%)"


def test_a_swimmer_has_a_bar_as_long_as_each_patient_was_watched_and_a_cross_for_each_death():
    study = recordings.arms()
    picture = draw("swimmer", study, arm="none")
    (axis,) = picture.figure.axes
    times = study.survival[(study.survival["endpoint"] == "overall_survival") & (study.survival["arm"] == "none")]
    lengths = [bar.get_width() for bar in axis.patches]
    np.testing.assert_allclose(lengths, sorted(times["time_days"] / 7, reverse=True))
    crosses = [line for line in axis.get_lines() if line.get_marker() == "X"]
    assert len(crosses[0].get_xdata()) == times["event"].sum() > 0


def test_an_unknown_event_and_a_column_without_changes_are_refused():
    with pytest.raises(UsageError, match="overall_survival"):
        draw("kaplan_meier", recordings.arms(), endpoint="overal_survival")
    with pytest.raises(UsageError, match="spleen_ml"):
        draw("waterfall", recordings.replicated(), endpoint="spleen_m")
