"""Where machine code is kept, and whether a mode of running has been compiled."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from unit.small import bare

import mpn_abm
from mpn_abm.compile.program import compile_scenario
from mpn_abm.kernels import compiler
from mpn_abm.kernels.compiler import type_of
from mpn_abm.mechanisms import schedule, start
from mpn_abm.scenario.examples import scenario_files
from mpn_abm.simulate import kernels_of, run, warm_up

WHERE = "from mpn_abm.kernels import compiler; import os; print(compiler.settings.CACHE_DIR)"


def where(**environment):
    """The folder of the machine code in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "MPN_ABM_CACHE")}
    done = subprocess.run(
        [sys.executable, "-c", WHERE], env={**clean, **environment}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip()), done.stderr


def test_a_cache_that_can_be_made_is_used_without_a_word(tmp_path):
    folder, err = where(MPN_ABM_CACHE=str(tmp_path / "deep" / "cache"))
    assert (folder.parent, err) == (tmp_path / "deep" / "cache", "")
    assert folder.is_dir()


@pytest.mark.parametrize("variable", ["MPN_ABM_CACHE", "NUMBA_CACHE_DIR"])
def test_a_cache_that_cannot_be_made_gives_way_to_a_temporary_folder_and_says_so(tmp_path, variable):
    """Catches code beside the sources, where an edit of a helper is not noticed."""
    (tmp_path / "file").write_text("")
    folder, err = where(**{variable: str(tmp_path / "file" / "cache")})
    assert compiler.PACKAGE not in folder.parents
    assert folder.name.startswith("mpn_abm_")
    assert err.startswith(f"{tmp_path / 'file' / 'cache'}")
    assert f"kept for this time only, in {folder} " in err
    assert not folder.exists(), "left behind"


def test_code_of_another_checkout_in_the_same_cache_is_not_ours(tmp_path):
    """Catches a look at names alone: numba keeps code by the path of its source."""
    look = "from mpn_abm.kernels.compiler import is_compiled; print(is_compiled(['begin', 'run_days']))"

    def is_compiled_in(checkout):
        path = {"PYTHONPATH": str(checkout), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
        done = subprocess.run(
            [sys.executable, "-c", look], env={**os.environ, **path}, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip() == "True"

    (tmp_path / "other").mkdir()
    (tmp_path / "linked").symlink_to(compiler.PACKAGE.parent)
    shutil.copytree(compiler.PACKAGE, tmp_path / "other" / "mpn_abm", ignore=shutil.ignore_patterns("__pycache__"))
    for entry in (start.begin, schedule.run_days):
        code = tmp_path / "cache" / Path(entry._cache.cache_path).name
        code.mkdir(parents=True, exist_ok=True)
        (code / f"{entry._cache._impl.filename_base}.nbi").touch()
    assert is_compiled_in(compiler.PACKAGE.parent)
    assert not is_compiled_in(tmp_path / "other")
    assert not is_compiled_in(tmp_path / "linked")


def test_each_mode_calls_its_own_kernels():
    large = {"marrow.shape": [600, 600]}

    def kernels(replicates, threads, overrides=None):
        return set(kernels_of(compile_scenario(mpn_abm.load(bare(), overrides).spec), replicates, threads))

    assert kernels(1, 1) == kernels(1, 2) == {"begin", "run_days"}
    assert kernels(5, 2) == {"begin_replicates", "run_replicates"}
    assert kernels(1, 2, large) == {"begin", "run_days_striped"}
    # the last of 2049 replicates is stepped alone
    assert kernels(2049, 1) == kernels(1, 1) | kernels(5, 1)
    late = {"clones.late": {"genotype": "wild_type", "cells": 1, "day": 7}}
    assert kernels(1, 1, late) == {"arrive", "begin", "run_days"}


def test_nothing_is_compiled_while_a_run_on_threads_is_timed():
    """The types that are compiled beforehand are those of the call."""
    scenario = mpn_abm.load(bare(marrow={"shape": [600, 600]}, time={"duration_days": 60, "step_days": 30}))
    warm_up(compile_scenario(scenario.spec), 1, 2)
    before = list(schedule.run_days_striped.signatures)
    run(scenario, threads=2)
    assert schedule.run_days_striped.signatures == before


def test_the_types_are_those_of_every_program():
    """A process compiles each kernel once. Catches a rate that is a whole number in some scenarios."""
    files = [mpn_abm.load(file) for file in scenario_files().values()]
    specs = [one.spec for file in files for one in (file, *file.arms.values())]
    programs = [compile_scenario(spec) for spec in specs]
    assert len({type_of((program.rules, program.start)) for program in programs}) == 1
