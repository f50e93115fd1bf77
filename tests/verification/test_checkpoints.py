"""A run that was broken off and gone on with, however often, leaves every bit of the run that was not."""

import numpy as np
import pytest
from verification.everything import EVERYTHING, MARROWS
from verification.runs import scenario
from verification.test_same_bits import NICHE, TISSUE, the_same

import mpn_abm
from mpn_abm import batch, simulate
from mpn_abm.array_file import read_arrays
from mpn_abm.arrays import Sizes
from mpn_abm.checkpoint import Checkpoints
from mpn_abm.compile.program import compile_scenario
from mpn_abm.errors import Stopped
from mpn_abm.files import CHECKPOINT

# of the manifest, what is no time and no memory
COUNTED = ("end_reasons", "end_day", "trajectory_sha256", "site_steps", "candidates", "events")
# T cells that multiply beyond the room that is made for them
GROWING = {**NICHE, "car_t": {"max_divisions": 12}, "time": {"duration_days": 70, "snapshot_every_days": 10}}
# replicates that end one after the other, with snapshots between
ENDING = {
    "seed": 2, "replicates": 12, "time": {"duration_days": 400, "snapshot_every_days": 50},
    "marrow": {"shape": [5, 4]}, "stop": {"when": ["fixation"]},
    "clones": {"healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "JAK2_V617F", "fraction": 0.5}},
    "hematopoiesis": {"division_rate_per_year": 20},
}  # fmt: skip
# a drug that comes and goes with the VAF, and is held for its platelets
WHEN = {
    "seed": 3, "time": {"duration_days": 300, "record_every_days": 7}, "marrow": {"shape": [20, 20]}, "blood": {},
    "clones": {"healthy": {"genotype": "wild_type"}, "calr": {"genotype": "CALR_TYPE1", "fraction": 0.4}},
    "hematopoiesis": {"division_rate_per_year": 8, "loss_rate_per_year": 1},
    "treatments": {
        "interferon": {
            "dose_relative": 1,
            "courses": {
                "on": {
                    "when": {"vaf_calr": {"above": 0.15, "for_days": 15}},
                    "stop_when": {"vaf_calr": {"below": 0.15, "for_days": 9}}, "repeat": True,
                }
            },
        }
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def _step_by_step(monkeypatch):
    """A call into the compiled loop takes one step, so that a run passes by as often as it can."""
    monkeypatch.setattr(batch, "SECONDS_PER_CALL", 0.0)
    monkeypatch.setattr(batch, "_first_steps", lambda program, marrows: 1)


class Breaks:
    """Asks the run to stop where it passes by for the n-th time, and again and again after so many more."""

    def __init__(self, checkpoints, passes):
        self.checkpoints, self.left = checkpoints, passes

    def __call__(self, share):
        self.left -= 1
        if self.left == 0:
            # the first pass makes it possible
            self.checkpoints.stop(Stopped)


def broken_off(content, folder, passes, **options):
    """The run, broken off after each number of passes, and how often that was."""
    breaks = 0
    for number in [*passes, 10**9]:
        checkpoints = Checkpoints(folder, resume=breaks > 0)
        try:
            result = mpn_abm.run(
                scenario(content), progress=Breaks(checkpoints, number), checkpoints=checkpoints, **options
            )
        except Stopped:
            breaks += 1
            continue
        return result, breaks
    raise AssertionError


def is_the_same(result, whole, breaks):
    assert the_same(result, whole)
    assert {name: result.facts[name] for name in COUNTED} == {name: whole.facts[name] for name in COUNTED}
    assert result.facts["resumed"] == breaks


@pytest.mark.parametrize("name", MARROWS)
def test_a_patient_to_whom_everything_happens_is_broken_off_six_times(tmp_path, name):
    """Catches whatever a step reads and the file leaves out: drugs, courses, T cells, fields, clones, the log."""
    whole = mpn_abm.run(scenario(MARROWS[name]))
    steps = whole.facts["site_steps"] // np.prod(MARROWS[name]["marrow"]["shape"])
    for seed in range(2):
        at = np.sort(np.random.default_rng(seed).integers(2, steps, 6))
        result, breaks = broken_off(MARROWS[name], tmp_path / str(seed), np.diff(at, prepend=0).clip(2).tolist())
        assert breaks >= 4
        is_the_same(result, whole, breaks)


@pytest.mark.parametrize("first", [2, 3])
@pytest.mark.parametrize(("content", "every"), [(NICHE, 2), (TISSUE, 10)], ids=["niche", "tissue"])
def test_a_run_may_be_broken_off_at_any_step(tmp_path, content, every, first):
    """Catches a snapshot, an arrival or a row that is taken twice or not at all at the boundary of the break."""
    result, breaks = broken_off(content, tmp_path, [first, *[every] * 200])
    assert breaks >= 5
    is_the_same(result, mpn_abm.run(scenario(content)), breaks)


@pytest.mark.parametrize("threads", [1, 2])
def test_replicates_that_are_done_stay_done(tmp_path, monkeypatch, threads):
    """Five in batches of two. Catches a batch that is begun again, and rows or counts of the earlier ones lost."""
    monkeypatch.setattr(simulate, "MOST_TOGETHER", 2)
    content = EVERYTHING | {"replicates": 5}
    whole = mpn_abm.run(scenario(content))
    result, breaks = broken_off(content, tmp_path, [200, 250, 7, 300, 170], threads=threads)
    assert breaks == 5
    is_the_same(result, whole, breaks)


@pytest.mark.parametrize(
    ("content", "kinds"),
    [(ENDING, {"clone_lost"}), (WHEN, {"treatment_start", "treatment_stop"})],
    ids=["ends", "when"],
)
def test_what_has_ended_and_what_is_waited_for_is_remembered(tmp_path, content, kinds):
    """Catches a second snapshot of a marrow that ended before the break, and days of a condition counted anew."""
    whole = mpn_abm.run(scenario(content))
    assert kinds <= set(whole.events["kind"])
    result, breaks = broken_off(content, tmp_path, [4, *[5] * 100])
    assert breaks >= 10
    is_the_same(result, whole, breaks)


def test_arrays_that_have_grown_are_gone_on_with(tmp_path):
    """Catches a state that is read back into arrays of the lengths of day 0."""
    result, breaks = broken_off(GROWING, tmp_path, [30, 20, 10])
    _, arrays = read_arrays(tmp_path / CHECKPOINT)
    sizes = dict(zip(Sizes._fields, arrays["marrows/sizes"].tolist(), strict=True))
    assert breaks == 3
    assert sizes["agents"] > compile_scenario(scenario(GROWING).spec).sizes.agents
    is_the_same(result, mpn_abm.run(scenario(GROWING)), breaks)
