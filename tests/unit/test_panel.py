"""The panel of a run on a terminal: what it says, and that it takes next to nothing."""

import io
import os
import pty
import subprocess
import sys
import threading
from contextlib import redirect_stderr

import numpy as np
import pytest
from unit.small import bare, niche

import mpn_abm
from mpn_abm.cli import panel
from mpn_abm.cli.panel import Panel, bar, clock, sparkline


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def always(monkeypatch):
    """Drawn at every word, on a terminal."""
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(panel, "FIRST_AFTER", 0.0)
    monkeypatch.setattr(panel, "EVERY", 0.0)
    monkeypatch.setattr(panel, "SHARE", np.inf)


def drawn(content, **options):
    # not in a fixture: what captures the output puts its own back before a test begins
    with redirect_stderr(Terminal()) as terminal, panel.panel("some run") as (tell, watch):
        result = mpn_abm.run(content, progress=tell, watch=watch, **options)
    return result, terminal.getvalue()


def test_it_says_how_far_the_run_is_and_how_its_clones_are(always):
    _, said = drawn(niche(time={"duration_days": 4000}))
    for words in ("some run", "days/s", "left", "healthy", "calr", "VAF", "chronic phase"):
        assert words in said


def test_of_several_runs_it_shows_the_mean_and_counts_phases(always):
    _, said = drawn(niche(time={"duration_days": 4000}), replicates=3)
    assert "3 runs on day" in said


def test_without_vaf_and_phases_there_are_the_clones_alone(always):
    _, said = drawn(bare(time={"duration_days": 4000}))
    assert "mutant" in said
    assert "phase" not in said


def test_the_dead_are_left_out_of_its_means(always):
    deadly = {"background_death_rate_per_year": 30.0}
    result, said = drawn(bare(time={"duration_days": 4000}, progression=deadly), replicates=9)
    assert not result.trajectory["alive"].all()
    assert "mutant" in said
    assert "nan" not in said


def test_a_run_that_is_looked_at_has_the_same_bits(always):
    content = niche(time={"duration_days": 200})
    result, said = drawn(content)
    assert "calr" in said
    assert result.facts["trajectory_sha256"] == mpn_abm.run(content).facts["trajectory_sha256"]


def test_a_slow_terminal_is_drawn_more_seldom(monkeypatch):
    """A drawing that takes a tenth of a second; catches a panel that takes more than 1 % of the time."""
    now = 0.0
    spent = []

    def draw(*_, **__):
        nonlocal now
        now += 0.1
        spent.append(0.1)

    monkeypatch.setattr(panel.time, "perf_counter", lambda: now)
    drawing = Panel("slow")
    monkeypatch.setattr(drawing, "live", type("Live", (), {"start": lambda _: None, "update": draw})())
    monkeypatch.setattr(drawing, "_mean", lambda _: None)
    monkeypatch.setattr(drawing, "_text", lambda *_: None)
    for k in range(4000):
        drawing.tell(k / 4000)
        now += 0.25
    assert len(spent) > 50
    assert sum(spent) <= 0.01 * now


@pytest.mark.parametrize(
    ("share", "shown"), [(0.0, "    "), (0.5, "██  "), (1.0, "████"), (0.28125, "█▏  "), (1.7, "████"), (-1.0, "    ")]
)
def test_a_bar_is_as_long_as_its_share(share, shown):
    assert bar(share, 4) == shown


def test_a_sparkline_goes_up_to_its_highest_value_and_keeps_what_is_known():
    assert sparkline([(0.0, 0.0), (0.5, 1.0), (0.9, 0.5)], 10) == "▁█████▅▅▅▅"
    assert sparkline([(0.1, 0.0)], 4) == "▁   "


@pytest.mark.parametrize(("seconds", "shown"), [(5, "0:05"), (65.4, "1:05"), (7385, "2:03:05"), (np.inf, "-:--")])
def test_a_time_that_is_left_is_told_as_on_a_clock(seconds, shown):
    assert clock(seconds) == shown


@pytest.mark.skipif(not hasattr(pty, "openpty"), reason="there are no pseudo-terminals here")
@pytest.mark.parametrize("quiet", [False, True])
def test_a_terminal_gets_the_panel_and_is_wiped_after_it(tmp_path, quiet):
    file = tmp_path / "scenario.yaml"
    file.write_text(mpn_abm.load(bare(time={"duration_days": 4000})).to_yaml())
    ours, theirs = pty.openpty()
    said = []

    def listen():
        try:
            while text := os.read(ours, 65536):
                said.append(text)
        except OSError:
            pass

    listener = threading.Thread(target=listen)
    listener.start()
    words = ["run", str(file), "--out", str(tmp_path / "out"), *(["--quiet"] if quiet else [])]
    at_once = "from mpn_abm.cli import main, panel; panel.FIRST_AFTER = panel.EVERY = 0.0; "
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "110"}
    done = subprocess.run(
        [sys.executable, "-c", f"{at_once}raise SystemExit(main.main({words!r}))"],
        stdout=subprocess.PIPE, stderr=theirs, env=environment, timeout=300, check=False,
    )  # fmt: skip
    os.close(theirs)
    listener.join(10)
    os.close(ours)
    text = b"".join(said).decode()
    assert done.returncode == 0, text
    assert b"bare: 1 run" in done.stdout
    if quiet:
        assert text == ""
    else:
        assert "left" in text
        assert "mutant" in text
        # the cursor is shown again
        assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
