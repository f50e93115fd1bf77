"""Arms, endpoints and claims of a file: how arms are made, and everything that can be wrong with them."""

import pytest

from mpn_abm.errors import ScenarioError, UsageError
from mpn_abm.scenario.explain import explained
from mpn_abm.scenario.scenario import load

HEAD = """\
schema: mpn-abm/1
time: {duration_weeks: 10}
marrow: {shape: [8, 8]}
clones: {healthy: {genotype: wild_type}, calr: {genotype: CALR_TYPE1, fraction: 0.4}}
treatments: {first: {drug: car_t, dose_cells: 1.0e8, day: 7}, boost: {drug: car_t, dose_cells: 1.0e8, day: 28}}
"""
ARMS = "arms: {control: {}, one: {treatments.boost: null}, late: {treatments: {first: {week: 2}}}}\n"


def problems_of(text, **options):
    with pytest.raises(ScenarioError) as caught:
        load(HEAD + text, **options)
    return [str(problem) for problem in caught.value.problems]


# ---- what arms make


def test_an_arm_is_the_file_with_what_it_changes_and_nothing_else():
    scenario = load(HEAD + ARMS)
    assert list(scenario.arms) == ["control", "one", "late"]
    assert list(scenario.arms["one"].spec.treatments) == ["first"]
    late = scenario.arms["late"].spec.treatments
    assert (late["first"].day, late["first"].dose_cells, late["boost"].day) == (14.0, 1e8, 28.0)
    assert scenario.spec.treatments["first"].day == 7.0
    assert scenario.arms["late"].origin("treatments.first.day").line == 6


def test_an_arm_that_changes_nothing_is_the_same_scenario():
    scenario = load(HEAD + ARMS)
    digests = {name: arm.sha256 for name, arm in scenario.arms.items()}
    assert digests["control"] == scenario.sha256
    assert len(set(digests.values())) == 3


def test_load_returns_the_arm_that_is_asked_for():
    assert list(load(HEAD + ARMS, arm="one").spec.treatments) == ["first"]
    with pytest.raises(UsageError, match=r"--arm latr: unknown arm, did you mean 'late'\?"):
        load(HEAD + ARMS, arm="latr")
    with pytest.raises(UsageError, match="the scenario has no `arms:`"):
        load(HEAD, arm="late")


def test_an_arm_may_change_the_disease_and_its_defaults_follow():
    scenario = load(HEAD + "arms: {et: {}, pmf: {patient.disease: PMF}}\n")
    assert scenario.arms["pmf"].spec.fibrosis.drive != scenario.arms["et"].spec.fibrosis.drive


def test_arms_of_a_file_that_is_extended_are_changed_and_left_out(tmp_path):
    (tmp_path / "base.yaml").write_text(HEAD + ARMS)
    child = tmp_path / "child.yaml"
    child.write_text(
        "schema: mpn-abm/1\nextends: base.yaml\narms: {late: {treatments.first.dose_cells: 5}, one: null}\n"
    )
    scenario = load(child)
    assert list(scenario.arms) == ["control", "late"]
    assert scenario.arms["late"].spec.treatments["first"].day == 14.0
    assert scenario.arms["late"].spec.treatments["first"].dose_cells == 5.0
    child.write_text("schema: mpn-abm/1\nextends: base.yaml\nwithout: arms\n")
    assert load(child).arms == {}


def test_the_days_of_claims_and_endpoints_are_recorded_in_every_arm():
    claims = (
        "endpoints: {x: {column: vaf_calr, change: relative, from_week: 1}}\n"
        "expect: {a: {arm: one, endpoint: x, at_day: 40.5, high: 1}, b: {endpoint: vaf_calr, at_month: 1, high: 1}}\n"
    )
    scenario = load(HEAD + ARMS + claims)
    for each in (scenario, *scenario.arms.values()):
        assert each.spec.time.record_at == (7.0, 30.4375, 40.5)
    assert str(scenario.origin("time.record_at_days")) == "default, the days that claims and endpoints name"
    assert load(HEAD + "time.record_at_weeks: [1, 2.5]\n").spec.time.record_at == (7.0, 17.5)
    read = "endpoints: {x: {column: fraction_calr, steady: {at_days: [0, 3.5, 9]}}}\n"
    assert load(HEAD + read).spec.time.record_at == (3.5, 9.0)


def test_a_claim_without_a_day_of_its_own_leaves_the_digest():
    assert load(HEAD + "expect: {a: {endpoint: vaf_calr, high: 1}}\n").sha256 == load(HEAD).sha256


def test_the_resolved_scenario_of_an_arm_is_the_arm():
    arm = load(HEAD + ARMS + "expect: {a: {arm: one, endpoint: vaf_calr, at_day: 40, high: 1}}\n", arm="one")
    assert load(arm.to_yaml()).sha256 == arm.sha256


# ---- what is wrong


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("arms: 5", "text:6:1: arms: 5: expected a mapping of names to what each arm changes"),
        ("arms: {a: 5}", "6:8: arms.a: 5: expected a mapping of paths to values, {} for an arm without changes"),
        ("arms: {A: {}}", "6:8: arms.A: expected a name of letters"),
        ("arms: {a: {seed: 3}}", "6:12: arms.a.seed: expected beside `arms:`, not in one: all arms share their seed"),
        ("arms: {a: {marrow.shape: [9, 9]}}", "arms.a.marrow.shape: expected beside `arms:`, not in one"),
        ("arms: {a: {time.duration_weeks: 2}}", "arms.a.time.duration_weeks: expected beside `arms:`, not in one"),
        ("arms: {a: {marow.shape: [2, 2]}}", "6:12: arms.a.marow: unknown key, did you mean 'marrow'?"),
        ("arms: {a: {arms: {}}}", "arms.a.arms: unknown key"),
        ("arms: {a: {treatments.frist: null}}", "6:12: arms.a.treatments.frist: null: nothing to delete"),
        ("arms: {a: {treatments.first.day: -1}}", "6:12: arms.a.treatments.first.day: -1: expected 0 to 73050 days"),
        ("arms: {a: {clones.calr.cells: 100}}", "6:12: arms.a.clones.calr: expected at most the 64 sites"),
        ("reference: a", "6:1: reference: a: unknown arm"),
        (ARMS + "reference: contrl", "7:1: reference: contrl: unknown arm, did you mean 'control'?"),
        ("expect: {c: {arm: a, endpoint: vaf_calr, high: 1}}", "expect.c.arm: a: expected `arms:` in the file"),
        (ARMS + "expect: {c: {arm: lat, endpoint: vaf_calr, high: 1}}", "arm: lat: unknown arm, did you mean 'late'?"),
        (ARMS + "expect: {c: {arm: late, versus: late, endpoint: vaf_calr, high: 1}}", "expected another arm than"),
        (ARMS + "expect: {c: {arm: control, contrast: ratio, endpoint: vaf_calr, high: 1}}", "than the reference"),
        (ARMS + "expect: {c: {versus: late, endpoint: vaf_calr, high: 1}}", "expect.c.arm: missing, expected the arm"),
        ("expect: {c: {endpoint: vaf_clr, high: 1}}", "endpoint: vaf_clr: unknown endpoint, did you mean 'vaf_calr'?"),
        ("expect: {c: {endpoint: nothing_at_all, high: 1}}", "unknown endpoint, expected one of `endpoints:`"),
        ("expect: {c: {endpoint: vaf_calr}}", "6:10: expect.c: expected `low`, `high` or both"),
        ("expect: {c: {endpoint: vaf_calr, low: 2, high: 1}}", "expect.c.low: 2: expected at most high, 1"),
        ("expect: {c: {endpoint: vaf_calr, low: 0.2, value: 0.1}}", "expect.c.value: 0.1: expected at least low, 0.2"),
        ("expect: {c: {endpoint: vaf_calr, high: 0.2, value: 0.3}}", "expect.c.value: 0.3: expected at most high, 0.2"),
        ("expect: {c: {endpoint: vaf_calr, high: 1, at_week: 11}}", "at_week: 11: expected a day of the run, which"),
        ("expect: {c: {high: 1}}", "expect.c.endpoint: missing, expected text"),
        ("expect: {c: {endpoint: vaf_calr, high: 1, statistc: sd}}", "unknown key, did you mean 'statistic'?"),
        ("expect: {c: {endpoint: vaf_calr, high: 1, statistic: man}}", "statistic: man: expected one of mean, median"),
        ("expect: {c: {endpoint: vaf_calr, high: 1, statistic: median_days}}", "expected an endpoint with a yes or no"),
        ("expect: {c: {endpoint: molecular_response, high: 1, statistic: sd, at_day: 7}}", "expected mean (the share)"),
        ("expect: {c: {endpoint: molecular_response, high: 1}}", "expect.c.at_day: missing, expected the day of the"),
        (
            "expect: {c: {endpoint: overall_survival, high: 1, statistic: survival}}",
            "at_day: missing, expected the day",
        ),
        (
            "expect: {c: {endpoint: overall_survival, high: 1, statistic: median_days, at_day: 3}}",
            "expected none beside median_days",
        ),
        (
            ARMS + "expect: {c: {arm: one, endpoint: vaf_calr, contrast: hazard_ratio, high: 1}}",
            "expected an endpoint with a yes or no, a hazard ratio is of times to it",
        ),
        (
            "expect: {c: {endpoint: vaf_calr, high: 1, statistic: spearman}}",
            "6:10: expect.c.with: expected with",
        ),
        ("expect: {c: {endpoint: vaf_calr, high: 1, with: vaf_jak2}}", "expect.c.with: vaf_jak2: expected with"),
        (
            "expect: {c: {endpoint: vaf_calr, high: 1, statistic: spearman, with: vaf_jk2}}",
            "expect.c.with: vaf_jk2: unknown column, did you mean 'vaf_jak2'?",
        ),
        ("endpoints: {x: {column: vaf_clr, below: 1}}", "unknown column, did you mean 'vaf_calr'?"),
        ("endpoints: {x: {column: cells_wild, below: 1}}", "endpoints.x.column: cells_wild: unknown column"),
        ("endpoints: {svr35: {column: vaf_calr}}", "expected another name, svr35 is built in"),
        ("endpoints: {vaf_calr: {column: vaf_calr}}", "expected another name, vaf_calr is a column"),
        ("endpoints: {x: {below: 1}}", "endpoints.x.column: missing, expected the column that the bound is for"),
        ("endpoints: {x: {meaning: nothing}}", "expected a `column`, or conditions in `all` or `any`"),
        ("endpoints: {x: {column: vaf_calr, ever: true}}", "endpoints.x.ever: true: expected a bound beside it"),
        ("endpoints: {x: {all: [{column: vaf_calr}]}}", "endpoints.x.all.0: expected a bound, such as"),
        ("endpoints: {x: {all: [{below: 1}]}}", "endpoints.x.all.0.column: missing, expected a column"),
        ("endpoints: {x: {steady: {at_days: [0, 1, 2]}}}", "endpoints.x: expected a `column`"),
        ("endpoints: {x: {column: fraction_calr, steady: {at_days: [0, 1, 1]}}}", "expected three days or more"),
        (
            "endpoints: {x: {column: fraction_calr, change: absolute, steady: {at_days: [0, 1, 2]}}}",
            "x.change: absolute",
        ),
        ("endpoints: {x: {all: [5]}}", "endpoints.x.all.0: 5: expected a mapping with column"),
        ("endpoints: {x: {any: [{column: vaf_calr, belw: 1}]}}", "endpoints.x.any.0.belw: unknown key, did you mean"),
        ("endpoints: {x: {column: vaf_calr, below: 1, at_most: 1}}", "expected only one of below, at_most"),
        ("endpoints: {x: {column: vaf_calr, since: vaf_jak2}}", "expected an endpoint with a yes or no, and vaf_jak2"),
        ("endpoints: {x: {column: vaf_calr, since: svr3}}", "since: svr3: unknown endpoint, did you mean 'svr35'?"),
        (
            "endpoints: {x: {column: vaf_calr, below: 1, since: y}, y: {column: vaf_calr, below: 1, since: x}}",
            "expected no circle, y leads back to it",
        ),
        ("time.record_at_weeks: [11]", "time.record_at_weeks: [11]: expected days of the run"),
    ],
)
def test_a_problem_says_where_what_and_what_is_expected(text, message):
    found = problems_of(text + "\n")
    assert any(message in problem for problem in found), found


def test_problems_of_arms_claims_and_endpoints_come_at_once_and_only_once():
    found = problems_of(
        "arms:\n  a: {marow: 3}\n  b: {treatments.first.day: -1}\n  c: {}\nreference: d\n"
        "expect:\n  x: {endpoint: nothing_here, low: 1}\n  y: {endpoint: vaf_calr, statistic: q, low: 1}\n"
    )
    assert [problem.split(": ")[1] for problem in found] == [
        "arms.a.marow", "arms.b.treatments.first.day", "reference", "expect.x.endpoint", "expect.y.statistic",
    ]  # fmt: skip


def test_a_problem_of_the_file_is_not_told_again_for_every_arm():
    assert len(problems_of(ARMS + "seed: -1\n")) == 1


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("treatments.first.day=3", True),
        ("treatments.first.week=3", True),
        # the arm that leaves the drug out does not say how much the others give
        ("treatments.boost.dose_cells=3", False),
        ("treatments.first.dose_cells=3", False),
        ("arms.late.treatments.first.day=3", False),
        ("marrow.shape=[4, 4]", False),
    ],
)
def test_what_an_arm_sets_is_not_set_on_the_command_line(path, refused):
    if refused:
        (found,) = problems_of(ARMS, sets=[path])
        assert "expected a path that no arm sets, and arms." in found
        assert "set that one instead" in found
    else:
        load(HEAD + ARMS, sets=[path])


def test_another_key_for_what_an_arm_sets_is_refused_too():
    arms = "arms: {a: {clones.calr.fraction: 0.2}}\n"
    assert "no arm sets" in problems_of(arms, sets=["clones.calr.vaf=0.1"])[0]
    load(HEAD + arms, sets=["clones.calr.pattern=disc"])


def test_explain_knows_arms_and_claims():
    scenario = load(HEAD + ARMS + "expect: {a: {endpoint: vaf_calr, at_week: 5, high: 1}}\n")
    (row,) = explained(scenario, "expect.a.at_week")
    assert (row.value, row.origin) == (5.0, "text:7:34")
    rows = {row.path: row.value for row in explained(scenario, "arms")}
    assert rows == {"arms.one.treatments.boost": None, "arms.late.treatments.first.week": 2.0}
    assert "expect.a.high" in {row.path for row in explained(scenario)}
    assert not any(row.path.startswith("expect") for row in explained(load(HEAD)))
