"""Endpoints on tables made up by hand: values, yes and no, times, and what death does to each."""

import numpy as np
import pandas as pd
import pytest

from mpn_abm.analysis.endpoints import details_on, slopes, times_to, values_on
from mpn_abm.analysis.patients import Patients
from mpn_abm.errors import UsageError
from mpn_abm.scenario.endpoints import Among, Criterion, Endpoint

DAYS = [0.0, 7.0, 14.0, 21.0]


def patients(*, alive=None, summary=None, days=DAYS, **columns):
    """Patients from lists of one value per day each."""
    number = len(next(iter(columns.values()))) if columns else len(alive)
    table = {
        "patient": np.repeat(np.arange(number), len(days)),
        "day": np.tile(days, number),
        **{name: [value for row in rows for value in row] for name, rows in columns.items()},
    }
    if alive is not None:
        table["alive"] = [value for row in alive for value in row]
    return Patients(pd.DataFrame(table), summary)


def answers(who, name, day, **own):
    return values_on(who, name, own, day).tolist()


def test_a_column_is_the_value_of_the_first_row_from_the_day_on():
    who = patients(vaf_driver=[[0.4, 0.3, 0.2, 0.1]])
    assert answers(who, "vaf_driver", 7) == [0.3]
    assert answers(who, "vaf_driver", 8) == [0.2]
    assert answers(who, "vaf_driver", None) == [0.1]
    assert np.isnan(answers(who, "vaf_driver", 22)).all()


@pytest.mark.parametrize(("last", "yes"), [(650.0, 1.0), (649.0, 1.0), (651.0, 0.0)])
def test_svr35_is_reached_at_exactly_35_percent(last, yes):
    assert answers(patients(spleen_ml=[[1000.0, 900.0, 800.0, last]]), "svr35", 21) == [yes]


def test_changes_count_from_their_day():
    who = patients(spleen_ml=[[1000.0, 500.0, 300.0, 200.0]])
    assert answers(who, "x", 21, x=Endpoint(column="spleen_ml", change="relative", from_day=7)) == [-0.6]
    assert answers(who, "x", 21, x=Endpoint(column="spleen_ml", change="absolute", from_day=14)) == [-100.0]
    lowest = Endpoint(column="spleen_ml", change="relative_to_lowest")
    assert answers(patients(spleen_ml=[[8.0, 2.0, 4.0, 3.0]]), "x", 21, x=lowest) == [0.5]


def test_a_change_over_a_base_of_nothing_is_not_known():
    who = patients(vaf_driver=[[0.0, 0.1, 0.2, 0.3]])
    assert np.isnan(answers(who, "vaf_relative_change", 21)).all()
    assert np.isnan(answers(who, "molecular_response", 21)).all()


def test_after_death_a_value_is_missing_and_a_yes_or_no_is_no():
    dead = [True, True, False, False]
    who = patients(alive=[dead, [True] * 4], spleen_ml=[[1000.0, 500.0, 500.0, 500.0]] * 2)
    assert np.isnan(answers(who, "spleen_ml", 14)[0])
    assert answers(who, "spleen_ml", 14)[1] == 500.0
    assert answers(who, "svr35", 7) == [1.0, 1.0]
    assert answers(who, "svr35", 14) == [0.0, 1.0]
    assert answers(who, "overall_survival", 7) == [1.0, 1.0]
    assert answers(who, "overall_survival", 14) == [0.0, 1.0]


def test_a_table_that_ends_with_death_says_the_same():
    rows = pd.DataFrame({"patient": 0, "day": [0.0, 7.0], "alive": [True, True], "spleen_ml": [1000.0, 500.0]})
    who = Patients(rows, pd.DataFrame({"patient": [0], "death_day": [9.0]}))
    assert answers(who, "svr35", 7) == [1.0]
    assert answers(who, "svr35", 14) == [0.0]
    assert np.isnan(answers(who, "spleen_ml", 14)).all()
    assert times_to(who, "overall_survival", {}).iloc[0].tolist() == [9.0, True, False]


def test_a_run_that_ended_alive_says_nothing_of_later_days():
    rows = pd.DataFrame({"patient": 0, "day": [0.0, 7.0], "spleen_ml": [1000.0, 500.0]})
    assert np.isnan(answers(Patients(rows), "svr35", 14)).all()


def test_what_ever_was_stays_a_yes_after_death():
    who = patients(alive=[[True, True, False, False]], spleen_ml=[[1000.0, 500.0, None, None]])
    ever = Endpoint(column="spleen_ml", change="relative", at_most=-0.35, ever=True)
    assert answers(who, "x", 21, x=ever) == [1.0]
    assert answers(who, "x", 0, x=ever) == [0.0]


def test_the_time_to_an_event_is_its_first_day_and_ends_with_watching_or_death():
    who = patients(
        alive=[[True] * 4, [True] * 4, [True, True, False, False]],
        spleen_ml=[[10.0, 9.0, 6.0, 9.0], [10.0, 9.0, 9.0, 9.0], [10.0, 9.0, 1.0, 1.0]],
    )
    found = times_to(who, "svr35", {})
    assert found["time_days"].tolist() == [14.0, 21.0, 14.0]
    assert found["event"].tolist() == [True, False, False]
    assert found["died"].tolist() == [False, False, True]


def test_death_is_an_event_of_survival_and_competes_with_progression():
    who = patients(
        alive=[[True] * 4, [True, True, False, False], [True] * 4],
        mf_grade=[[1, 1, 2, 2], [1, 1, None, None], [2, 3, 3, 3]],
        phase=[["chronic"] * 4, ["chronic", "chronic", None, None], ["chronic", "chronic", "chronic", "blast"]],
    )
    free = times_to(who, "progression_free_survival", {})
    assert free["time_days"].tolist() == [14.0, 14.0, 21.0]
    assert free["event"].all()
    alone = times_to(who, "progression", {})
    assert alone["event"].tolist() == [True, False, True]
    assert alone["died"].tolist() == [False, True, False]
    assert answers(who, "progression_free_survival", 14) == [0.0, 0.0, 1.0]
    assert answers(who, "progression", 21) == [1.0, 0.0, 1.0]


def test_a_patient_with_scar_on_day_0_does_not_progress_by_it():
    who = patients(mf_grade=[[2, 2, 3, 3]], phase=[["chronic"] * 4])
    assert not times_to(who, "progression", {})["event"].any()


def test_conditions_join_and_what_is_missing_matters_only_where_it_decides():
    low, few = Criterion(column="hematocrit", below=0.45), Criterion(column="platelets_per_nl", below=400)
    who = patients(
        hematocrit=[[0.4] * 4, [0.5] * 4, [0.4] * 4],
        platelets_per_nl=[[300.0] * 4, [None] * 4, [None] * 4],
    )
    every = answers(who, "chr", 21, chr=Endpoint(all=(low, few)))
    assert every[:2] == [1.0, 0.0]
    assert np.isnan(every[2])
    one = answers(who, "chr", 21, chr=Endpoint(any=(low, few)))
    assert (one[0], one[2]) == (1.0, 1.0)
    assert np.isnan(one[1])


def test_a_base_is_asked_on_day_0():
    who = patients(vaf_driver=[[0.3, 0.2, 0.1, 0.1], [0.1, 0.1, 0.05, 0.05]])
    response = Endpoint(column="vaf_driver", change="relative", at_most=-0.5, base_above=0.2)
    assert answers(who, "x", 21, x=response) == [1.0, 0.0]


def test_loss_of_a_response_is_asked_of_responders_from_their_response_on():
    who = patients(
        spleen_ml=[[1000.0, 600.0, 500.0, 700.0], [1000.0, 900.0, 900.0, 900.0], [1000.0, 640.0, 630.0, 660.0]]
    )
    found = times_to(who, "response_loss", {})
    # the third is above 65 % again, but less than a quarter above its lowest
    assert found.index.tolist() == [0, 2]
    assert found["time_days"].tolist() == [14.0, 14.0]
    assert found["event"].tolist() == [True, False]


def test_among_leaves_out_patients_without_the_event():
    who = patients(spleen_ml=[[10.0, 5.0, 5.0, 5.0], [10.0] * 4], vaf_driver=[[0.4, 0.4, 0.4, 0.2], [0.4] * 4])
    own = {"v": Endpoint(column="vaf_driver", among=Among(endpoint="svr35"))}
    assert values_on(who, "v", own, 21).to_dict() == {0: 0.2}


def test_days_since_an_event_count_from_it():
    who = patients(spleen_ml=[[10.0, 5.0, 5.0, 5.0]], vaf_driver=[[0.4, 0.3, 0.2, 0.1]])
    assert values_on(who, "v", {"v": Endpoint(column="vaf_driver", since="svr35")}, 7).tolist() == [0.2]


def test_a_slope_is_per_year_and_ends_on_its_day():
    day = np.array(DAYS)
    who = patients(vaf_driver=[list(0.1 + 0.2 * day / 365.25), [0.3] * 4])
    assert slopes(who, "vaf_driver", {}, None).tolist() == pytest.approx([0.2, 0.0])
    bent = patients(vaf_driver=[[0.0, 7.0, 0.0, 0.0]])
    assert slopes(bent, "vaf_driver", {}, 7).tolist() == pytest.approx([365.25])


def test_details_say_base_value_and_both_changes():
    who = patients(spleen_ml=[[1000.0, 900.0, 800.0, 500.0]])
    assert details_on(who, "spleen_ml", {}, 21).loc[0].tolist() == [1000.0, 500.0, -500.0, -0.5]
    yes = details_on(who, "svr35", {}, 21).loc[0]
    assert (yes["value"], yes.isna().sum()) == (1.0, 3)


def test_a_column_that_is_not_there_is_named_with_a_reason():
    who = patients(vaf_driver=[[0.1] * 4])
    with pytest.raises(UsageError, match=r"there is no column spleen_ml: it belongs to a mechanism that is off"):
        answers(who, "svr35", 7)
    with pytest.raises(UsageError, match=r"there is no column vaf_drivr, did you mean 'vaf_driver'\?"):
        answers(who, "vaf_drivr", 7)


def test_rows_in_any_order_say_the_same():
    who = patients(spleen_ml=[[1000.0, 900.0, 800.0, 500.0], [10.0, 9.0, 8.0, 7.0]])
    mixed = Patients(who.table.sample(frac=1.0, random_state=2))
    assert values_on(mixed, "svr35", {}, 21).equals(values_on(who, "svr35", {}, 21))
