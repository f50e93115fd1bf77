"""`doctor`: what it finds on this machine, and that each thing that can be wrong is told with a remedy."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from mpn_abm import doctor
from mpn_abm.cli import trusting
from mpn_abm.cli.main import main
from mpn_abm.doctor import GIB, Facts, examined, remarks

HEALTHY = Facts(
    versions={"python": "3.11.7", "mpn_abm": "0.1.0", "numpy": "2.1"}, extras={"plot": {"matplotlib": None}},
    platform="Linux x86_64", processors=2, threads=2, memory=8 * GIB, disk=80 * GIB, jit=True,
    threading_layers=["omp"], cache="/c", cache_is_kept=True, cache_bytes=0, compiled=True, encoding="utf-8",
    locale_encoding="UTF-8",
)  # fmt: skip


def test_this_machine_is_told_as_it_is():
    facts = examined()
    assert facts.versions["numpy"] == np.__version__
    assert facts.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"mesa", "numba", "pandas", "pyarrow"} <= set(facts.versions)
    assert {"plot", "test"} <= set(facts.extras)
    assert facts.extras["test"]["pytest"] == pytest.__version__
    assert facts.threading_layers
    assert facts.processors >= 1
    assert facts.disk > 0


@pytest.mark.parametrize(
    ("change", "what", "wrong"),
    [
        ({"versions": {"numpy": None}}, "not installed: numpy", True),
        ({"jit": False, "compiled": False}, "NUMBA_DISABLE_JIT", True),
        ({"threading_layers": []}, "threading layer", True),
        ({"cache_is_kept": False}, "cache folder", True),
        ({"memory": GIB // 2}, "0.5 GiB of memory", True),
        ({"disk": GIB // 4}, "0.2 GiB of disk", True),
        ({"encoding": "latin-1"}, "latin-1", False),
        ({"locale_encoding": "ANSI_X3.4-1968"}, "ANSI_X3.4-1968", False),
        ({"compiled": False}, "no kernel is compiled", False),
        ({"threads": 1}, "1 of 2 processors", False),
    ],
)
def test_what_is_wrong_is_told_with_a_remedy_and_nothing_else(change, what, wrong):
    assert remarks(HEALTHY) == []
    assert remarks(replace(HEALTHY, memory=None)) == []
    (remark,) = remarks(replace(HEALTHY, **change))
    assert what in remark.what
    assert remark.remedy
    assert remark.wrong is wrong


@pytest.mark.parametrize(
    ("facts", "code"), [(HEALTHY, 0), (replace(HEALTHY, compiled=False), 0), (replace(HEALTHY, disk=1), 1)]
)
def test_the_exit_code_says_whether_something_is_wrong(facts, code, monkeypatch, capsys):
    monkeypatch.setattr(trusting, "examined", lambda: facts)
    assert main(["doctor"]) == code
    assert "numpy            2.1" in capsys.readouterr().out
    assert main(["doctor", "--json"]) == code
    said = json.loads(capsys.readouterr().out)
    assert said["healthy"] is (code == 0)
    assert len(said["remarks"]) == len(doctor.remarks(facts))


def test_a_cache_folder_that_cannot_be_made_and_a_switch_that_is_off_are_found(tmp_path):
    """In processes of their own: numba looks once. A folder below a file cannot be made, whoever asks."""
    (tmp_path / "file").write_text("")
    code = "import sys; from mpn_abm.cli.main import main; sys.exit(main(['doctor', '--json']))"
    for name, value, what in (
        ("MPN_ABM_CACHE", str(tmp_path / "file" / "cache"), "cache folder"),
        ("NUMBA_DISABLE_JIT", "1", "NUMBA_DISABLE_JIT"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env={**os.environ, name: value}
        )
        assert done.returncode == 1, done.stderr
        told = [remark["what"] for remark in json.loads(done.stdout)["remarks"] if remark["wrong"]]
        assert len(told) == 1
        assert what in told[0]
