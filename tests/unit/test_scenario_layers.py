"""Layers: later wins, named things merge, lists replace, null restores, and every value knows its origin."""

import pytest

from mpn_abm.errors import MissingFileError, ScenarioError, UsageError
from mpn_abm.scenario.scenario import load

BASE = """\
schema: mpn-abm/1
time: {duration_days: 100}
marrow: {shape: [32, 32]}
clones:
  healthy: {genotype: wild_type}
  mutant: {genotype: JAK2_V617F, fraction: 0.2}
treatments:
  ruxolitinib: {dose_mg: 20, start_day: 0, stop_day: 50}
"""


@pytest.fixture
def base(tmp_path):
    file = tmp_path / "base.yaml"
    file.write_text(BASE)
    return file


def child_of(base, text: str, name: str = "child.yaml"):
    file = base.parent / name
    file.write_text(f"schema: mpn-abm/1\nextends: base.yaml\n{text}")
    return file


def problems_of(*arguments, **options) -> str:
    with pytest.raises(ScenarioError) as caught:
        load(*arguments, **options)
    return str(caught.value)


def test_a_file_changes_what_it_extends_and_keeps_the_rest(base):
    spec = load(child_of(base, "clones: {mutant: {fraction: 0.4}}\nmarrow.shape: [8, 8, 8]\n")).spec
    assert spec.clones["mutant"].fraction == 0.4
    assert spec.clones["mutant"].genotype == "JAK2_V617F"
    assert list(spec.clones) == ["healthy", "mutant"]
    assert spec.marrow.shape == (8, 8, 8)
    assert spec.time.duration == 100


def test_set_wins_over_the_file_and_overrides_over_both(base):
    def seed(**options):
        return load(child_of(base, "seed: 2\n"), **options).spec.seed

    assert seed() == 2
    assert seed(sets=["seed=3", "seed=4"]) == 4
    assert seed(sets=["seed=3"], overrides={"seed": 5}) == 5


def test_several_files_are_extended_in_their_order(base):
    for name, seed in (("one.yaml", 1), ("two.yaml", 2)):
        (base.parent / name).write_text(f"schema: mpn-abm/1\nseed: {seed}\n")
    file = base.parent / "all.yaml"
    file.write_text("schema: mpn-abm/1\nextends: [base.yaml, two.yaml, one.yaml]\n")
    assert load(file).spec.seed == 1


def test_null_deletes_a_named_thing_and_restores_a_default(base):
    spec = load(base, overrides={"treatments.ruxolitinib": None, "marrow": None}).spec
    assert spec.treatments == {}
    assert spec.marrow.shape == (316, 316)


def test_null_brings_back_the_default_of_the_catalogue_and_of_the_scale(base):
    changed = child_of(
        base, "genotypes: {CALR_TYPE1: {fitness_per_year: 2}}\nmarrow.scale: tissue\ntime.step_minutes: 5\n"
    )
    assert load(changed).spec.time.step == 5 / 1440
    spec = load(changed, overrides={"genotypes.CALR_TYPE1.fitness_per_year": None, "time.step_days": None}).spec
    assert spec.genotypes["CALR_TYPE1"].fitness == 0.55
    assert spec.time.step == 10 / 1440


def test_deleting_what_is_not_there_is_an_error(base):
    assert "treatments.ruxolitinb: null: nothing to delete, unknown name, did you mean 'ruxolitinib'?" in problems_of(
        base, sets=["treatments.ruxolitinb=null"]
    )


def test_a_path_of_without_that_leads_nowhere_is_told_without_a_null(base):
    told = problems_of(child_of(base, "without: [clones.nobody]\n"))
    assert told.startswith(f"{base.parent / 'child.yaml'}:3:11: clones.nobody: nothing to delete, ")


def test_without_is_for_files_that_extend_another(base):
    base.write_text(BASE + "without: [clones]\n")
    told = problems_of(base)
    assert told == f"{base}:9:1: without: [clones]: expected `extends` beside it, of which it drops parts"


def test_a_file_without_a_name_has_that_of_its_own_file(base):
    """Catches the name of what it extends, under which its results would be written over the other's."""
    assert load(base).spec.name == "base"
    base.write_text(BASE + "name: the base\n")
    assert load(base).spec.name == "the base"
    child = child_of(base, "")
    assert load(child).spec.name == "child"
    assert str(load(child).origin("name")) == "default, the name of the file"
    assert load(child_of(base, "name: mine\n")).spec.name == "mine"


def test_a_single_assignment_needs_no_list(base):
    assert load(base, sets="seed=7").spec.seed == 7


@pytest.mark.parametrize("source", [5, None, ["a.yaml"]])
def test_what_is_no_scenario_is_a_usage_error(base, source):
    with pytest.raises(UsageError, match="expected a path, a text or a mapping, not a"):
        load(source)
    with pytest.raises(UsageError, match="not a Scenario"):
        load(load(base))


def test_without_drops_parts_of_what_is_extended(base):
    spec = load(
        child_of(base, "without: [treatments.ruxolitinib, clones.mutant.fraction]\nclones.mutant.vaf: 0.1\n")
    ).spec
    assert spec.treatments == {}
    assert (spec.clones["mutant"].fraction, spec.clones["mutant"].vaf) == (None, 0.1)


@pytest.mark.parametrize(
    ("path", "value", "gone", "kept"),
    [
        ("clones.mutant.vaf", 0.1, "clones.mutant.fraction", "clones.mutant.vaf"),
        ("clones.mutant.cells", 7, "clones.mutant.fraction", "clones.mutant.cells"),
        (
            "treatments.ruxolitinib.duration_weeks",
            2,
            "treatments.ruxolitinib.stop_day",
            "treatments.ruxolitinib.duration_weeks",
        ),
        (
            "treatments.ruxolitinib.dose_relative",
            1,
            "treatments.ruxolitinib.dose_mg",
            "treatments.ruxolitinib.dose_relative",
        ),
    ],
)
def test_a_later_layer_replaces_another_way_to_say_the_same(base, path, value, gone, kept):
    scenario = load(base, overrides={path: value})
    assert scenario.get(gone) is None
    assert scenario.get(kept) == value


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("clones: {x: {genotype: wild_type, cells: 1, fraction: 0.1}}", "expected only one of cells, fraction"),
        ("time: {duration_days: 3, duration_weeks: 1}", "expected only one of duration_days and duration_weeks"),
        ("time: {step_days: 1}\ntime.step_hours: 2", "expected only one of step_days and step_hours"),
        ("seed: 1\nmarrow.shape: [3, 3]\nmarrow: {shape: [4, 4]}", "expected once, it is said at"),
    ],
)
def test_one_layer_says_a_thing_once(base, line, message):
    assert message in problems_of(child_of(base, line + "\n"))


def test_every_value_knows_where_it_was_set(base):
    scenario = load(child_of(base, "seed: 9\n"), sets=["antigen.density_molecules=100"], overrides={"replicates": 2})
    assert str(scenario.origin("seed")).endswith("child.yaml:3:1")
    assert str(scenario.origin("clones.mutant.fraction")).endswith("base.yaml:6:34")
    assert str(scenario.origin("antigen.density_molecules")) == "--set antigen.density_molecules=100"
    assert str(scenario.origin("replicates")) == "overrides"
    assert str(scenario.origin("car_t.homing")) == "default"


def test_circles_and_missing_files_are_problems_at_their_place(base):
    (base.parent / "a.yaml").write_text("schema: mpn-abm/1\nextends: b.yaml\n")
    (base.parent / "b.yaml").write_text("schema: mpn-abm/1\nextends: [a.yaml, nowhere.yaml]\n")
    message = problems_of(base.parent / "a.yaml")
    assert "b.yaml:2:11: extends: a.yaml: expected no circle" in message
    assert "b.yaml:2:19: extends: nowhere.yaml: expected a file relative to this one" in message


def test_a_file_begins_with_its_schema():
    assert "schema: missing, expected mpn-abm/1" in problems_of("time: {duration_days: 1}\n")
    assert "schema: mpn-abm/2: expected mpn-abm/1" in problems_of("schema: mpn-abm/2\n")
    assert "schema: mpn-abm/1: expected as the first key" in problems_of("seed: 1\nschema: mpn-abm/1\n")


def test_what_is_no_assignment_and_no_file_is_a_usage_error(base):
    with pytest.raises(UsageError, match="expected PATH=VALUE"):
        load(base, sets=["seed"])
    with pytest.raises(MissingFileError):
        load(base.parent / "nowhere.yaml")
    assert problems_of(base, sets=["marrow.shape=[1"]).startswith(
        "--set marrow.shape=[1: marrow.shape: [1: expected valid"
    )


def test_any_unit_of_the_family_says_the_same(base):
    said = ({"time.duration_weeks": 2}, {"time.duration_days": 14}, {"time": {"duration_hours": 336}})
    assert {load(base, overrides=overrides).sha256 for overrides in said} == {
        load(base, sets=["time.duration_minutes=20160"]).sha256
    }
