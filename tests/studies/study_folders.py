"""Small studies on 8 x 8 sites, and what their folders say."""

import json
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

from unit.small import bare

import mpn_abm

ROOT = Path(__file__).resolve().parents[2]
RATE = "hematopoiesis.division_rate_per_year"


def marrow(**blocks):
    """The scenario of a study, in place."""
    return {key: value for key, value in bare(**blocks).items() if key != "schema"}


def a_sweep(samples=12, replicates=1, scenario=None, **blocks):
    """A Sobol sweep over the rate of division."""
    points = {"method": "sobol", "samples": samples, "replicates": replicates}
    axes = {"parameters": {RATE: {"low": 0.5, "high": 3.0}}}
    return {"schema": "mpn-abm/1", "name": "rates", "scenario": scenario or marrow(), "sweep": points | axes, **blocks}


def a_trial(patients=10, **blocks):
    """A trial of two arms, in one of which cells divide faster."""
    said = {
        "patients": patients,
        "seed": 11,
        "cohort": {"clones.mutant.fraction": {"distribution": "beta", "a": 4, "b": 6, "low": 0.05, "high": 0.9}},
        "arms": {"control": {}, "fast": {"hematopoiesis.division_rate_per_year": 4.0}},
        "endpoints": ["vaf_relative_change"],
        "at_days": [14],
        **blocks,
    }
    return {"schema": "mpn-abm/1", "name": "patients", "scenario": marrow(), "trial": said}


def digests(folder):
    """What manifest.json says of the data."""
    facts = json.loads((Path(folder) / "manifest.json").read_text())
    return facts["trajectory_sha256"], facts["summary_sha256"]


def digests_of(tmp_path_factory, source, kind="sweep"):
    """The digests of a study that nobody disturbs."""
    folder = tmp_path_factory.mktemp("whole") / "s"
    getattr(mpn_abm, kind)(source, out=folder)
    return digests(folder)


def command(*words, **options):
    """The program in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    environment |= options.pop("env", {})
    return subprocess.Popen(
        [sys.executable, "-m", "mpn_abm.cli.main", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **options,
    )  # fmt: skip


def written(path, source):
    """A study file."""
    path.write_text(json.dumps(source))
    return path


def dies_in_a_copy(work):
    """Do something in a copy of this process; whether it was killed."""
    with warnings.catch_warnings():
        # libraries have threads, none of which holds anything that the copy needs
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
