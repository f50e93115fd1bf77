"""Problems: all at once, each with its place, and never in the validator's own words."""

import re

import pytest

from mpn_abm.errors import ScenarioError
from mpn_abm.scenario.scenario import load
from mpn_abm.scenario.tree import written

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
        ("bloud: {enabled: true}", "4:1: bloud: unknown key"),
        ("extend: x.yaml", "4:1: extend: unknown key, did you mean 'extends'?"),
        ("flags: {MINE: {}}", "4:9: flags.MINE: expected one of TET2, DNMT3A, ASXL1, TP53"),
        (
            "flags: {tet2: {}}",
            "flags.tet2: expected one of TET2, DNMT3A, ASXL1, TP53, transformed, did you mean 'TET2'?",
        ),
        ("stop: {when: fixation}", ", write [fixation]"),
        ('patient: {weight_kg: "15"}', 'patient.weight_kg: "15": expected a number'),
        ("patient: {weight_kg: .nan}", "4:22: .nan: expected a finite number"),
        (
            "drugs: {x: {kind: jak_inhibtor}}",
            "4:13: drugs.x.kind: jak_inhibtor: expected one of jak_inhibitor, hsp90_inhibitor, interferon, ",
        ),
        (
            "clones: {a: {genotype: wild_type, xyz: 1}}",
            "clones.a.xyz: unknown key, expected one of genotype, flags, fraction, cells, vaf, pattern, patches, day",
        ),
        ("clones: {a: {genotype: wild_type, dya: 3}}", "clones.a.dya: unknown key, did you mean 'day'?"),
    ],
)
def test_a_problem_says_where_what_and_what_is_expected(line, message):
    text = HEAD.replace("clones: {healthy: {genotype: wild_type}}\n", "\n") if line.startswith("clones") else HEAD
    assert any(message in problem for problem in problems_of(text + line + "\n"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words", "plain words"),
        ("1e-3", '"1e-3"'),
        ("0x1f", '"0x1f"'),
        ("true", '"true"'),
        ("~", '"~"'),
        ("No", "No"),
        ("1 dose", "1 dose"),
        ("[red]", '"[red]"'),
        (" padded", '" padded"'),
    ],
)
def test_a_text_that_yaml_would_read_as_something_else_is_shown_in_quotes(text, shown):
    assert written(text) == shown


def test_a_number_that_is_none_is_told_once():
    (problem,) = problems_of(HEAD, sets=["patient.weight_kg=.nan"])
    assert problem == "--set patient.weight_kg=.nan: patient.weight_kg: .nan: expected a finite number"


@pytest.mark.parametrize("name", ["../up", "/tmp/x", "a\\b", "..", ".", "", " ", "a\tb", "a\nb", "x" * 101])
def test_a_name_that_cannot_name_a_folder_is_refused(name):
    (problem,) = problems_of(HEAD, overrides={"name": name})
    assert "expected a text of at most 100 characters that can name a folder" in problem


@pytest.mark.parametrize("name", ["a", "CALR, arm 2 (high)", "[red]x", "ÜÄ v1.2", ".hidden", "x" * 100])
def test_a_name_may_be_any_other_text(name):
    assert load(HEAD, overrides={"name": name}).spec.name == name


# What one mistake says about the rest.

SHORT = "schema: mpn-abm/1\ntime: {duration_days: 10}\n"


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (
            "clones: {healthy: {genotype: wild_typ}, Calr: {genotype: CALR_TYPE1, fraction: 0.1}}",
            ["clones.healthy.genotype", "clones.Calr"],
        ),
        (
            "clones: {a: {genotype: wild_type, fraction: 0.7, colour: red}, b: {genotype: CALR_TYPE1, fraction: 0.6}}",
            ["clones", "clones.a.colour"],
        ),
        (
            "clones: {a: {genotype: wild_type, fraction: 7}, b: {genotype: JAK2_V617F, pattern: patches, cells: 9}}",
            ["clones.a.fraction", "clones.b.pattern"],
        ),
        (
            "clones: {a: {genotype: wild_type}}\ntreatments: {ruxolitinib: {dose_mgg: 5, start_day: 9, stop_day: 5}}",
            ["treatments.ruxolitinib.dose_mgg", "treatments.ruxolitinib.stop_day"],
        ),
        (
            "clones: {a: {genotype: wild_type}}\ngenotypes: {Y: {like: JAK2_V617}, Z: {mutant_copies: 1}}",
            ["genotypes.Y.like", "genotypes.Z.mutant_copies"],
        ),
    ],
    ids=["a wrong name", "an unknown key", "another clone", "a misspelt key", "another genotype"],
)
def test_what_is_wrong_between_other_values_is_shown_in_the_first_round(text, paths):
    problems = problems_of(SHORT + text + "\n")
    assert [problem.split(": ")[1] for problem in problems] == paths


@pytest.mark.parametrize(
    "text",
    [
        "clones: {a: {genotype: wild_type}, b: {genotype: CALR_TYPE1, fracton: 0.6}}",
        "clones: {a: {genotype: wild_type}}\ntreatments: {ruxolitinib: {dose_mgg: 5}}",
        "clones: {a: {genotype: wild_type}}\ntreatments: {ruxolitinib: {dose: 5, dose_mg: 5}}",
        "clonse: {a: {genotype: wild_type}}",
        "clones: {a: {genotype: wild_type}, b: {genotype: CALR_TYPE1, fracton: nine, cells: 5}}",
    ],
)
def test_a_misspelt_key_is_one_problem(text):
    """It is read as what is meant. Catches a value that is said to be missing beside it."""
    (problem,) = problems_of(SHORT + text + "\n")
    assert "unknown key" in problem


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
