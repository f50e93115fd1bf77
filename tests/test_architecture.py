"""The shape of the program: who imports whom, what a quick command loads, how long a file is, how kernels compile."""

import importlib
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "mpn_abm"
SCENARIO = ROOT / "scenarios" / "therapy" / "calr_car_t.yaml"
STUDY = ROOT / "scenarios" / "studies" / "comfort_like.yaml"
SLOW = ("numba", "numpy", "scipy", "mesa", "pandas", "pyarrow")
LONGEST = 300
# files that are one thing and longer, with the most lines that they may have
LONGER = {
    "state.py": 375,  # every array on one page
    "columns.py": 505,  # every column on one page
    "model.py": 350,
    "mechanisms/schedule.py": 350,  # the order of one step
}
# a kernel outside of these counts no references: the arrays of a marrow are somebody else's
MAY_MAKE_ARRAYS = {
    "mpn_abm.mechanisms.patterns",
    "mpn_abm.mechanisms.start",
    "mpn_abm.mechanisms.car_t.infusion",
    "mpn_abm.mechanisms.hematopoiesis.stripes",
    "mpn_abm.kernels.field",
}
MAY_MAKE_ARRAYS_TOO = {
    "mpn_abm.kernels.draws.fill_poisson_table",
    "mpn_abm.mechanisms.schedule.run_replicates",
    # these are part of their caller
    "mpn_abm.kernels.draws.philox",
    "mpn_abm.kernels.draws.decay",
}


def run(*words, cwd=ROOT, **options):
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=300, cwd=cwd, **options)


# Imports.


def lint_imports(folder):
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); from importlinter.cli import lint_imports; "
    return run("-c", code + "sys.exit(lint_imports(no_cache=True))", cwd=folder)


def test_imports_run_one_way():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("kernels/lattice.py", "import mpn_abm.files", "Imports run one way"),
        ("simulate.py", "import mpn_abm.bench", "Imports run one way"),
        ("a_new_module.py", "", "Imports run one way"),
        ("mechanisms/jak_stat/kernel.py", "import pandas", "Kernels see arrays and numbers only"),
        ("cli/running.py", "import mpn_abm.model", "Only the Mesa model knows Mesa"),
        ("analysis/claims.py", "import mpn_abm.state", "Analysis and pictures read tables and know no simulator"),
        ("scenario/paths.py", "import numpy", "Checking a file loads no compiler"),
        (
            "mechanisms/fibrosis/kernel.py",
            "import mpn_abm.mechanisms.niche.parameters",
            "Mechanisms meet in the state and in the schedule",
        ),
    ],
)
def test_every_contract_on_imports_can_be_broken(tmp_path, file, line, contract):
    """In a copy of the package with one forbidden import. Catches a contract that holds whatever one does."""
    shutil.copytree(PACKAGE, tmp_path / "mpn_abm", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "mpn_abm" / file).open("a") as code:
        code.write(f"\n{line}\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{contract} BROKEN" in done.stdout, done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["run", "--help"],
        ["schema"],
        ["examples"],
        ["validate", str(SCENARIO)],
        ["explain", str(SCENARIO)],
        ["validate", str(STUDY)],
        ["explain", str(STUDY)],
        ["cite", str(SCENARIO)],
        ["list", "columns"],
        ["list", "endpoints"],
    ],
    ids=" ".join,
)
def test_a_quick_command_loads_nothing_slow(words):
    code = (
        f"import sys; from mpn_abm.cli.main import main; code = main({words!r}); "
        f"print('slow:', *(m for m in {SLOW!r} if m in sys.modules)); sys.exit(code)"
    )
    done = run("-c", code)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "slow:"), done.stderr


def test_the_package_alone_loads_nothing_slow():
    done = run("-c", f"import sys, mpn_abm; print([m for m in {(*SLOW, 'pydantic', 'typer')!r} if m in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr


# Tools.


@pytest.mark.parametrize("words", [["check", "."], ["format", "--check", "."]], ids=["check", "format"])
def test_ruff_has_nothing_to_say(words):
    done = run("-m", "ruff", *words)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_has_nothing_to_say():
    done = run("-m", "mypy")
    assert done.returncode == 0, done.stdout + done.stderr


# Size.


def test_no_file_of_the_program_is_longer_than_it_may_be():
    lines = {file.relative_to(PACKAGE).as_posix(): len(file.read_text().splitlines()) for file in PACKAGE.rglob("*.py")}
    too_long = {name: n for name, n in lines.items() if n > LONGER.get(name, LONGEST)}
    assert too_long == {}
    assert {name for name in LONGER if lines.get(name, 0) <= LONGEST} == set(), "need not be listed any more"


# Kernels.


def kernels():
    """Every compiled function of the package, by its full name."""
    found = {}
    for name in ("mpn_abm.kernels", "mpn_abm.mechanisms"):
        package = importlib.import_module(name)
        for info in pkgutil.walk_packages(package.__path__, f"{name}."):
            module = importlib.import_module(info.name)
            for word, value in vars(module).items():
                if isinstance(value, Dispatcher) and value.py_func.__module__ == info.name:
                    found[f"{info.name}.{word}"] = value
    return found


def test_kernels_of_a_step_count_no_references():
    """Counting took twice as long as the cells. Catches a kernel of the step that is compiled the ordinary way."""
    found = kernels()
    assert "mpn_abm.mechanisms.schedule.run_days" in found
    counting = {name for name, kernel in found.items() if kernel.targetoptions.get("_nrt", True)}
    assert {name for name in counting if name.rpartition(".")[0] not in MAY_MAKE_ARRAYS} == MAY_MAKE_ARRAYS_TOO


def test_every_kernel_is_kept_on_disk_and_divides_as_numpy_does():
    for name, kernel in kernels().items():
        assert kernel.targetoptions["error_model"] == "numpy", name
        assert type(kernel._cache).__name__ == "FunctionCache", name


def test_numba_still_takes_the_private_option_and_leaves_out_the_counting():
    """With the option on, the same function counts: the test would see it."""

    def first_of_row(rows, k):
        row = rows[k]
        return row[0] if row.shape[0] > 0 else 0.0

    def total(rows):
        result = 0.0
        for k in range(rows.shape[0]):
            result += first(rows, k)
        return result

    counted = {}
    for option in (False, True):
        first = numba.njit(_nrt=option, inline="never")(first_of_row)
        kernel = numba.njit(_nrt=option)(total)
        assert kernel(np.ones((3, 2))) == 3.0
        code = kernel.inspect_llvm(kernel.signatures[0]) + first.inspect_llvm(first.signatures[0])
        counted[option] = "NRT_incref" in code
    assert counted == {False: False, True: True}


# What the compiled code of the kernels depends on.


def test_the_cache_of_compiled_code_knows_the_sources_of_all_kernels():
    """An edit in a file that the digest leaves out would run stale code."""
    from mpn_abm.kernels import compiler

    files = {Path(sys.modules[kernel.py_func.__module__].__file__) for kernel in kernels().values()}
    seen = {*(PACKAGE / "kernels").rglob("*.py"), *(PACKAGE / "mechanisms").rglob("*.py"), PACKAGE / "state.py"}
    assert {file.resolve() for file in files} <= {file.resolve() for file in seen}
    assert compiler.cache_folder().name == compiler._sources_digest()
