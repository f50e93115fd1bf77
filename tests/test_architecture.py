"""The house rules that a program can hold: imports run one way, quick words stay quick, style and types are clean."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {"numba", "mesa", "pandas", "pyarrow", "scipy"}
# the whole state on one page; the order of a step in one place; one declaration per column of all tables
LONG_FILES = {"mpn_abm/state.py", "mpn_abm/mechanisms/start.py", "mpn_abm/mechanisms/schedule.py", "mpn_abm/model.py"}
MOST_LINES = 300


def told(*command):
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    return done.returncode, done.stdout + done.stderr


def module(*arguments):
    code, output = told(sys.executable, "-m", *arguments)
    assert code == 0, output


def test_imports_run_one_way():
    """The contracts in pyproject.toml. Catches a kernel that imports pandas, a mechanism that imports another."""
    code, output = told(sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()")
    assert code == 0, output


def test_the_code_is_formatted_and_has_no_lint():
    module("ruff", "check", ".")
    module("ruff", "format", "--check", "mpn_abm")


def test_the_types_hold():
    module("mypy")


def test_a_file_holds_one_idea():
    """A file past 300 lines usually holds two."""
    sizes = {
        path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in ROOT.glob("mpn_abm/**/*.py")
    }
    assert {name for name, lines in sizes.items() if lines > MOST_LINES} <= LONG_FILES


@pytest.mark.parametrize(
    "statement",
    [
        "import mpn_abm; mpn_abm.load({'time': {'duration_days': 1}, 'clones': {'h': {'genotype': 'wild_type'}}})",
        "from mpn_abm.cli.main import main; main(['--help'])",
        "from mpn_abm.cli.main import main; main(['schema'])",
        "from mpn_abm.cli.main import main; main(['validate', 'scenarios/therapy/calr_car_t.yaml'])",
        "from mpn_abm.cli.main import main; main(['explain', 'scenarios/therapy/calr_car_t.yaml'])",
        "from mpn_abm.cli.main import main; main(['list', 'columns'])",
    ],
)
def test_what_reads_no_marrow_loads_no_simulator(statement):
    """Catches an import that makes a user wait for a second to see a typo."""
    code, output = told(sys.executable, "-c", f"{statement}; import sys; print('loaded', *sys.modules)")
    assert code == 0, output
    assert HEAVY.isdisjoint(output.splitlines()[-1].split())


def test_the_word_run_is_the_function_whatever_was_imported_before():
    """Catches a module of the same name, which would take its place when it is imported."""
    statement = (
        "import mpn_abm.model, mpn_abm.cli.run_verbs, mpn_abm; print(callable(mpn_abm.run), callable(mpn_abm.load))"
    )
    code, output = told(sys.executable, "-W", "ignore", "-c", statement)
    assert code == 0
    assert output.splitlines()[-1] == "True True", output
