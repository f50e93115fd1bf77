"""The verbs around a scenario file: what they print, where, and with which exit code."""

import json
import subprocess
import sys

import pytest

from mpn_abm import __version__
from mpn_abm.cli import scenario_verbs
from mpn_abm.cli.main import main
from mpn_abm.scenario.examples import example_files, file_of

HEAVY = ("numba", "numpy", "mesa", "pandas", "pyarrow", "scipy")


@pytest.fixture
def valid(tmp_path, capsys):
    assert main(["init", str(tmp_path / "new"), "--template", "calr_car_t"]) == 0
    file = tmp_path / "new" / "calr_car_t.yaml"
    assert capsys.readouterr().out.strip() == str(file)
    return file


@pytest.fixture
def invalid(tmp_path):
    file = tmp_path / "invalid.yaml"
    file.write_text("schema: mpn-abm/1\nseed: -1\ntime: {duration_days: 1}\nclones: {a: {genotype: wildtype}}\n")
    return file


def test_every_template_is_valid_where_it_is_put(tmp_path, capsys):
    for number, name in enumerate(example_files()):
        assert main(["init", str(tmp_path / str(number)), "--template", name]) == 0
        files = capsys.readouterr().out.splitlines()
        assert files[0].endswith(f"{name.rpartition('/')[2]}.yaml")
        assert main(["validate", *files]) == 0
        assert capsys.readouterr().err == ""


def test_a_template_brings_along_what_it_extends_and_may_be_named_without_its_folder(tmp_path, capsys):
    assert main(["init", str(tmp_path), "--template", "car_t_on_jak2_clone"]) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["calr_car_t.yaml", "car_t_on_jak2_clone.yaml"]
    assert file_of("car_t_on_jak2_clone") == file_of("therapy/car_t_on_jak2_clone")


def test_a_file_that_is_missing_hides_no_other(valid, invalid, capsys):
    assert main(["validate", "nowhere.yaml", str(valid)]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == (f"{valid}: valid\n", "nowhere.yaml: No such file or directory\n")
    assert main(["validate", "nowhere.yaml", str(invalid)]) == 3
    assert "nowhere.yaml" in capsys.readouterr().err


def test_init_overwrites_nothing(valid, capsys):
    before = valid.read_text()
    assert main(["init", str(valid.parent), "--template", "calr_car_t"]) == 6
    assert "exists already" in capsys.readouterr().err
    assert valid.read_text() == before


def test_init_where_a_file_is_in_the_way_is_a_usage_error(valid):
    assert main(["init", str(valid / "below")]) == 2


def test_validate_shows_all_problems_on_stderr_and_returns_3(valid, invalid, capsys):
    assert main(["validate", str(valid), str(invalid)]) == 3
    out, err = capsys.readouterr()
    assert out == f"{valid}: valid\n"
    assert [line.split(": ")[0] for line in err.splitlines()] == [f"{invalid}:2:1", f"{invalid}:4:14"]


def test_validate_as_json_is_one_object(valid, invalid, capsys):
    assert main(["validate", "--json", str(valid), str(invalid)]) == 3
    said = json.loads(capsys.readouterr().out)
    assert list(said["valid"]) == [str(valid)]
    assert [(problem["line"], problem["path"]) for problem in said["problems"]] == [
        (2, "seed"),
        (4, "clones.a.genotype"),
    ]


def test_explain_tells_one_value_in_the_unit_that_is_asked_for(valid, capsys):
    assert main(["explain", str(valid), "time.duration_years", "--set", "time.duration_years=2"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "time.duration_years: 2.0 years"
    assert "from    --set time.duration_years=2" in out


def test_explain_as_json_covers_every_value(valid, capsys):
    assert main(["explain", str(valid), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["antigen.density_molecules"]["source"] == "assumed"
    assert said["clones.calr.fraction"]["origin"].startswith(f"{valid}:")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["explain", "FILE", "antigen.densty"], 2, "did you mean 'density_molecules'"),
        (["explain", "FILE", "--set", "seed"], 2, "expected PATH=VALUE"),
        (["explain", "FILE", "--set", "seed=-1"], 3, "--set seed=-1: seed: -1: expected a whole number"),
        (["validate", "nowhere.yaml"], 2, "nowhere.yaml: No such file or directory"),
        (["run", "FILE", "--seed", "-1"], 3, "--seed: seed: -1: expected a whole number from 0 to 9007199254740991"),
        (["init", "DIR", "--template", "minimla"], 2, "did you mean 'minimal'"),
        (["validate"], 2, "FILE"),
        (["nonsense"], 2, "nonsense"),
        (["list", "horses"], 2, "horses"),
    ],
)
def test_what_a_user_did_wrong_has_an_exit_code_and_a_sentence(valid, capsys, arguments, code, message):
    places = {"FILE": str(valid), "DIR": str(valid.parent)}
    assert main([places.get(argument, argument) for argument in arguments]) == code
    out, err = capsys.readouterr()
    assert message in err
    assert "Traceback" not in err
    assert out == ""


def test_schema_and_lists_are_json(capsys):
    for arguments, key in (
        (["schema"], "$defs"),
        (["list", "drugs", "--json"], "ruxolitinib"),
        (["list", "genotypes", "--json"], "CALR_TYPE1"),
        (["list", "columns", "--json"], "cells_total"),
        (["examples", "--json"], "minimal"),
    ):
        assert main(arguments) == 0
        assert key in json.loads(capsys.readouterr().out)


def test_lists_are_one_line_each(capsys):
    assert main(["list", "genotypes"]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("wild_type ")
    assert main(["examples"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(example_files())


def test_the_version_is_that_of_the_package(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.fixture
def broken(monkeypatch):
    def break_with(error):
        def examples() -> None:
            raise error

        monkeypatch.setattr(scenario_verbs, "examples", examples)

    return break_with


def test_a_bug_is_one_short_message(broken, capsys, monkeypatch):
    monkeypatch.delenv("MPN_ABM_TRACEBACK", raising=False)
    broken(ZeroDivisionError("by zero"))
    assert main(["examples"]) == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError: by zero" in err
    assert "MPN_ABM_TRACEBACK=1" in err
    assert "Traceback (most" not in err
    monkeypatch.setenv("MPN_ABM_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        main(["examples"])


def test_an_interrupt_has_its_own_exit_code(broken):
    broken(KeyboardInterrupt())
    assert main(["examples"]) == 130


@pytest.mark.parametrize("arguments", [["--help"], ["validate", "FILE"], ["schema"], ["explain", "FILE"]])
def test_quick_verbs_load_nothing_heavy(valid, arguments):
    words = [str(valid) if word == "FILE" else word for word in arguments]
    program = (
        "import sys; from mpn_abm.cli.main import main; "
        f"code = main({words!r}); print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.strip()) == (0, "[]")
