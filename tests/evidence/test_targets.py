"""A file of targets tells all that is wrong with it, each at its place."""

import hashlib
import re

import pytest

from mpn_abm.errors import ScenarioError
from mpn_abm.evidence.experiments import loaded
from mpn_abm.evidence.targets import read_targets
from mpn_abm.scenario.examples import target_files

HEAD = "schema: mpn-abm/1\nexperiments:\n  still: {scenario: {time: {duration_days: 7}, marrow: {shape: [8, 8]}, "
HEAD += "clones: {healthy: {genotype: wild_type}}}}\ntargets:\n"


def problems_of(tmp_path, text, load=False):
    file = tmp_path / "targets.yaml"
    file.write_text(text)

    def read():
        found = read_targets(file)
        if load:
            loaded(found, False, found.experiments)

    with pytest.raises(ScenarioError) as raised:
        read()
    return [re.sub(r"^.*targets\.yaml", "", line) for line in str(raised.value).splitlines()]


def test_everything_that_is_wrong_in_a_file_is_told_at_once(tmp_path):
    text = HEAD + (
        "  a: {experiment: stil, endpoint: vaf_jak2, low: 0}\n"
        "  b: {experiment: still, endpoint: vaf_jak2}\n"
        "  c: {experiment: null, low: 0}\n"
        "  d: {experiment: still, endpont: vaf_jak2, low: 2, high: 1}\n"
        "  e: {experiment: still, low: 0, role: fitt}\n"
    )
    told = problems_of(tmp_path, text)
    assert told[0].startswith(":8:26: targets.d.endpont: unknown key, did you mean 'endpoint'?")
    assert any("targets.e.role: fitt" in line and "did you mean 'fit'?" in line for line in told)
    told = problems_of(tmp_path, "".join(text.splitlines(keepends=True)[:7]))
    assert told == [
        ":5:7: targets.a.experiment: stil: unknown experiment, did you mean 'still'?",
        ":6:3: targets.b: expected `low`, `high` or both: a target without a band cannot be missed",
        ":7:3: targets.c.reason: missing, expected why there is no experiment",
    ]


def test_what_is_wrong_between_a_target_and_its_experiment_stands_at_the_target(tmp_path):
    text = HEAD + (
        "  a: {experiment: still, endpoint: vaf_jak, at_day: 7, low: 0}\n"
        "  b: {experiment: still, endpoint: vaf_jak2, arm: treated, at_day: 7, low: 0}\n"
        "  c: {experiment: still, endpoint: vaf_jak2, at_day: 8, low: 0}\n"
        "  d: {experiment: still, endpoint: vaf_jak2, at_day: 7, low: 0, where: {marrow.size: 3}}\n"
    )
    told = problems_of(tmp_path, text, load=True)
    assert [re.sub(r": .*", "", line[1:]) for line in told] == ["5:26", "6:46", "7:46", "8:73"]
    assert "targets.a.endpoint: vaf_jak: unknown endpoint, did you mean 'vaf_jak2'?" in told[0]
    assert "targets.c.at_day: 8: expected a day of the run" in told[2]


def test_an_order_and_an_existence_say_what_they_need(tmp_path):
    text = HEAD + (
        "  a: {experiment: still, endpoint: vaf_jak2, kind: order}\n"
        "  b: {experiment: still, endpoint: vaf_jak2, kind: order, order_weeks: [0, 1], at_day: 7, low: 0}\n"
        "  c: {experiment: still, endpoint: vaf_jak2, order_days: [0, 7], low: 0}\n"
        "  d: {experiment: still, endpoint: vaf_jak2, kind: order, order_days: [7]}\n"
        "  e: {experiment: still, endpoint: vaf_jak2, kind: exists, statistic: median, high: 1}\n"
    )
    assert [re.sub(r"^:(\d+):\d+: targets\.", r"\1 ", line) for line in problems_of(tmp_path, text)] == [
        "5 a: expected `order_arms` or `order_days`, one of the two",
        "6 b.at_day: 7: expected none beside `order_days`",
        "6 b.low: 0: expected none, kind `order` has no band",
        "7 c.order_days: [0, 7]: expected `kind: order` beside it",
        "8 d.order_days: [7]: expected two or more, each once",
        "9 e.statistic: median: expected mean (the share) or incidence, as kind `exists` asks for one",
        "9 e.high: 1: expected none, kind `exists` has no band",
    ]


def test_what_is_wrong_between_an_order_and_its_experiment_stands_at_the_order(tmp_path):
    text = HEAD + (
        "  a: {experiment: still, endpoint: vaf_jak2, at_day: 7, kind: order, order_arms: [none, treated]}\n"
        "  b: {experiment: still, endpoint: vaf_jak2, kind: order, order_weeks: [0, 2]}\n"
        "  c: {experiment: still, endpoint: vaf_jak2, kind: exists, at_day: 7}\n"
    )
    told = problems_of(tmp_path, text, load=True)
    assert [re.sub(r"^:(\d+):\d+: targets\.(\w\.\w+).*", r"\1 \2", line) for line in told] == [
        "5 a.order_arms", "6 b.order_weeks", "7 c.endpoint",
    ]  # fmt: skip
    assert "expected `arms:` in the experiment" in told[0]
    assert "which lasts 7 days" in told[1]
    assert "yes or no" in told[2]


def test_a_wrong_experiment_is_told_at_its_place(tmp_path):
    text = HEAD.replace("marrow: {shape", "marrow: {shap") + "  a: {experiment: still, endpoint: vaf_jak2, low: 0}\n"
    (told,) = problems_of(tmp_path, text, load=True)
    assert told.startswith(":3:3: experiments.still: ")
    assert "did you mean 'shape'?" in told


@pytest.mark.parametrize("file", target_files(), ids=lambda file: file.stem)
def test_a_shipped_file_is_right_and_its_targets_have_sources(file):
    read = read_targets(file)
    assert set(loaded(read, True, read.experiments)) == {t.experiment for t in read.targets.values() if t.experiment}
    assert all(target.source and target.quantity for target in read.targets.values())
    assert all(target.low is not None or target.high is not None for t, target in read.targets.items()
               if target.is_scored)  # fmt: skip


@pytest.mark.parametrize("file", target_files(), ids=lambda file: file.stem)
def test_who_is_never_fitted_was_chosen_by_the_name(file):
    """prepmf_fib was held back by those who collected the figures."""
    for name, target in read_targets(file).targets.items():
        if target.is_scored and name != "prepmf_fib":
            chosen = int(hashlib.sha256(name.encode()).hexdigest(), 16) % 5 == 0
            assert (target.role == "test") == chosen, name
