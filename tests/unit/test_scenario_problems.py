"""Problems: all at once, each with its place, and never in the validator's own words."""

import re

import pytest

from mpn_abm.errors import ScenarioError
from mpn_abm.scenario.scenario import load

HEAD = "schema: mpn-abm/1\ntime: {duration_days: 10}\nclones: {healthy: {genotype: wild_type}}\n"


def problems_of(text: str, **options) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load(text, **options)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "marrow: {shape: [0, 316]}",
            "4:10: marrow.shape: [0, 316]: expected 2 or 3 lengths from 1 to 16384 (at most 2^28 sites in all)",
        ),
        ("marrow: {shape: [16384, 16384, 2]}", "4:10: marrow.shape: [16384, 16384, 2]: expected 2 or 3 lengths"),
        (
            "treatments: {ruxolitinib: {dose_mgg: 15, dose_mg: 5}}",
            "4:28: treatments.ruxolitinib.dose_mgg: unknown key, did you mean 'dose_mg'?",
        ),
        (
            "drugs: {mine: {like: ruxolitinib, ic50_nM: -3}}",
            "4:35: drugs.mine.ic50_nM: -3: expected more than 0 nM (half-maximal concentration)",
        ),
        ("seed: yes", "4:1: seed: yes: expected a whole number from 0 to 9007199254740991"),
        ("seed: 1.5", "4:1: seed: 1.5: expected a whole number"),
        ("seed: true", "4:1: seed: true: expected a whole number"),
        ("seed: 9007199254740992", "4:1: seed: 9007199254740992: expected a whole number"),
        ("hematopoiesis: {division_rate_per_year: true}", "expected a number from 0 to 1000 per year"),
        ("hematopoiesis: {division_rate: 1}", "unknown key, did you mean 'division_rate_per_year'?"),
        ("hematopoiesis: {division_rate_per_day: -1}", "division_rate_per_day: -1: expected 0 to 2.73785 per day"),
        ("mutation: {enabled: 0}", "mutation.enabled: 0: expected true or false"),
        (
            "marrow: {boundary: periodc}",
            "expected one of periodic, reflecting (what lies beyond the last site), did you mean 'periodic'?",
        ),
        ("stop: {when: [fixatio]}", "stop.when.0: fixatio: expected one of fixation, extinction, death, eradication"),
        ("stop: {when: fixation}", "stop.when: fixation: expected a list of fixation, extinction, death, eradication"),
        ("clones: {Healthy: {genotype: wild_type}}", "clones.Healthy: expected a name"),
        ("genotypes: 5", "genotypes: 5: expected a mapping of names"),
        ("antigen: [1]", "antigen: [1]: expected a mapping with enabled, density_molecules"),
        ("treatments: {ruxo: {dose_mg: 1}}", "treatments.ruxo: unknown drug, did you mean 'ruxolitinib'?"),
        (
            "treatments: {a: {drug: car_t, dose_mg: 1}}",
            "treatments.a.dose_mg: not for the kind car_t, expected one of kind, drug, dose_relative, after",
        ),
        (
            "treatments: {car_t: {kind: jak_inhibitor}}",
            "treatments.car_t.kind: jak_inhibitor: expected car_t, as car_t is",
        ),
        (
            "drugs: {mine: {half_life_hours: 3}}",
            "drugs.mine: expected `kind:` one of jak_inhibitor, hsp90_inhibitor, interferon, eltrombopag, ",
        ),
        ("drugs: {a: {like: b}, b: {like: a}}", "expected no circle"),
        (
            "genotypes: {m: {like: JAK2_V617}}",
            "genotypes.m.like: JAK2_V617: unknown genotype, did you mean 'JAK2_V617F'?",
        ),
        ("blood: {enabled: true}", "4:1: blood: unknown key"),
        ("extend: x.yaml", "4:1: extend: unknown key, did you mean 'extends'?"),
    ],
)
def test_a_problem_says_where_what_and_what_is_expected(line, message):
    text = HEAD.replace("clones: {healthy: {genotype: wild_type}}\n", "\n") if line.startswith("clones") else HEAD
    assert any(message in problem for problem in problems_of(text + line + "\n"))


def test_all_problems_of_a_file_come_at_once_in_reading_order():
    problems = problems_of(HEAD + "seed: -1\nreplicates: 0\ntiem: 3\nmarrow: {shape: [1]}\nfibrosis: {drive: x}\n")
    lines = [int(re.match(r"text:(\d+):", problem)[1]) for problem in problems]
    assert lines == [4, 5, 6, 7, 8]


def test_cross_checks_are_shown_beside_wrong_values_of_other_parts():
    problems = problems_of(HEAD + "seed: -1\nfibrosis: {initial: {patches: 3}}\n")
    assert any("expected `cover_fraction` or `radius_sites` beside it" in problem for problem in problems)
    assert len(problems) == 2


def test_a_wrong_part_causes_no_second_problem():
    assert len(problems_of(HEAD + "drugs: {x: {like: nothing}}\n")) == 1
    assert (
        len(
            problems_of(
                "schema: mpn-abm/1\ntime: {duration_days: 1}\nclones: {a: {genotype: wild_type, fraction: 7}}\n"
            )
        )
        == 1
    )


def test_two_mistakes_of_one_clone_are_both_shown():
    assert (
        len(problems_of("schema: mpn-abm/1\ntime: {duration_days: 1}\nclones: {a: {genotype: x, fraction: 7}}\n")) == 2
    )


def test_a_required_value_that_is_missing_is_named_with_its_unit():
    assert problems_of("schema: mpn-abm/1\ntime: {step_days: 1}\nclones: {a: {genotype: wild_type}}\n") == [
        "text:2:1: time.duration_days: missing, "
        "expected a number more than 0 and at most 73050 days (length of the run)"
    ]


def test_the_place_of_a_value_of_the_command_line_is_the_command_line():
    (problem,) = problems_of(HEAD, sets=["marrow.shape=[0, 3]"])
    assert problem.startswith("--set marrow.shape=[0, 3]: marrow.shape: [0, 3]: expected 2 or 3 lengths")


def test_whole_numbers_may_be_written_with_an_exponent():
    assert load(HEAD + "marrow: {hsc_pool_cells: 2.0e5}\n").spec.marrow.hsc_pool == 200_000


def test_an_error_travels_between_processes():
    import pickle

    error = ScenarioError(load_error().problems)
    assert pickle.loads(pickle.dumps(error)).problems == error.problems


def load_error() -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        load(HEAD + "seed: -1\n")
    return caught.value
