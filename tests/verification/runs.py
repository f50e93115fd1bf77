"""Runs of the scenario library, and of small scenarios that a test writes itself."""

from pathlib import Path

import numpy as np

import mpn_abm
from mpn_abm.files import digest_of

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
FILES = sorted(file.relative_to(SCENARIOS).with_suffix("").as_posix() for file in SCENARIOS.glob("*/*.yaml"))
STUDIES = [name for name in FILES if name.startswith("studies/")]
LIBRARY = [name for name in FILES if name not in STUDIES]
YEAR = 365.25
OFF = {"enabled": False}
MARROW_ALONE = dict.fromkeys(("blood", "spleen", "progression", "immune"), OFF)


def of_library(name, overrides=None):
    """A scenario of the library, such as therapy/calr_car_t; where something is changed, without arms and claims."""
    file = SCENARIOS / f"{name}.yaml"
    whole = mpn_abm.load(file)
    if not overrides:
        return whole
    said = whole.comparison
    parts = {"arms": whole.arms, "endpoints": said.endpoints, "expect": said.expect}
    return mpn_abm.load(
        {"schema": "mpn-abm/1", "extends": str(file), "without": [key for key, part in parts.items() if part]},
        overrides=overrides,
    )


def scenario(content, overrides=None):
    """A scenario from a mapping without its first line; what surrounds the marrow is off unless named."""
    return mpn_abm.load({"schema": "mpn-abm/1", **MARROW_ALONE, **content}, overrides=overrides)


def trajectory(content, overrides=None, **options):
    """The trajectory of a scenario from a mapping."""
    return mpn_abm.run(scenario(content, overrides), **options).trajectory


def digest(result):
    """What trajectory_sha256 says of a run."""
    return result.facts["trajectory_sha256"]


def common_digests(one, other):
    """Digests of the columns that two runs share, and the columns that only the second has."""
    shared = [name for name in one.tables["trajectory"].column_names if name in other.trajectory.columns]
    assert shared == one.tables["trajectory"].column_names
    own = [name for name in other.trajectory.columns if name not in shared]
    return digest_of(one.tables["trajectory"].select(shared)), digest_of(other.tables["trajectory"].select(shared)), own


def log_odds(rows, one, other):
    """Log-odds of one count against another."""
    return np.log(rows[one].to_numpy() / rows[other].to_numpy())
