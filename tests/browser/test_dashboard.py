"""The dashboard in a real browser, without a network: load, step, play, treat, save, reload; no errors.

Needs the extra `browser` and Chromium.
"""

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from browser.chromium import MARKS

import mpn_abm
from mpn_abm.scenario.scenario import load

sync_api = pytest.importorskip("playwright.sync_api", reason="the extra `browser` is not installed")
pytest.importorskip("solara", reason="the extra `dashboard` is not installed")
pytestmark = MARKS
expect = sync_api.expect
expect.set_options(timeout=15_000)

SCENARIO = """
schema: mpn-abm/1
name: by_hand
question: What does a click do?
seed: 7
time: {duration_years: 20, record_every_days: 1}
marrow: {shape: [64, 64]}
clones:
  healthy: {genotype: wild_type}
  calr: {genotype: CALR_TYPE1, fraction: 0.4, pattern: patches, patches: 3}
fibrosis: {initial: {mf_grade: 2}}
car_t: {cells_per_agent: 5.0e6}
"""
# a page is drawn by a server and a browser that may share a busy core
PATIENCE = 15_000


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """What a page would have to wait for, on a machine that runs it for the first time: longer than a test does."""
    model = mpn_abm.MarrowModel(scenario=load(SCENARIO))
    model.step()
    mpn_abm.run(load(SCENARIO, {"time.duration_days": 2}))


@contextmanager
def served(file, *options):
    """The address of a server on a free port of loopback, which can reach nothing else."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    program = "import sys; from mpn_abm.cli.main import main; sys.exit(main())"
    words = [sys.executable, "-c", program, "dashboard", str(file), "--no-browser", "--port", "0", *options]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **nowhere}
    ) as server:
        try:
            line = server.stdout.readline()
            assert line.startswith("by_hand: http://127.0.0.1:"), line + server.stderr.read()
            yield line.split()[1]
        finally:
            server.terminate()
            _, said = server.communicate(timeout=30)
    # what it says of itself, and nothing of something that went wrong
    assert said == "Ctrl-C ends it\n"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    file = tmp_path_factory.mktemp("dashboard") / "by_hand.yaml"
    file.write_text(SCENARIO)
    return file


@pytest.fixture(scope="module")
def url(file):
    """A page of this address has a marrow of its own in every test."""
    with served(file) as url:
        yield url


@pytest.fixture
def page(browser):
    """A page that reaches loopback alone, and whose errors fail the test."""
    errors = []
    context = browser.new_context(viewport={"width": 1500, "height": 1200}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()

    def refuse(route):
        errors.append(f"asked for {route.request.url}")
        route.abort()

    context.route(re.compile(r"^(?!data:|blob:|https?://127\.0\.0\.1:)"), refuse)
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    # before its server ends
    page.goto("about:blank")
    context.close()
    assert errors == []


def day(page):
    return int(re.match(r"Day (\d+) of", page.locator(".headline").inner_text()).group(1))


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def chart(page, title):
    return page.locator(f"[data-chart='{title}'] svg")


def curve(page, title):
    return chart(page, title).locator("polyline").first


def wait_for_day(page, at_least):
    page.wait_for_function(f"parseInt(document.querySelector('.headline').innerText.slice(4)) >= {at_least}")


def saved(page, name, folder):
    with page.expect_download() as download:
        button(page, name).click()
    target = Path(folder) / download.value.suggested_filename
    download.value.save_as(target)
    return target


def test_an_experiment_by_hand_from_the_first_look_to_the_same_run_by_command_line(page, url, tmp_path):
    page.goto(url)
    marrow = page.locator("img.marrow")
    expect(marrow).to_be_visible(timeout=PATIENCE)
    assert day(page) == 0
    first = marrow.get_attribute("src")
    assert first.startswith("data:image/png;base64,")
    assert "calr 40.0 % of the sites" in marrow.get_attribute("alt")

    # a step is three days, as the control says
    button(page, "Step").click()
    wait_for_day(page, 3)
    # the parts of a page arrive one after the other
    expect(marrow).not_to_have_attribute("src", first)

    # play goes on by itself, and stops
    button(page, "▶").click()
    wait_for_day(page, 35)
    button(page, "❚❚").click()
    expect(button(page, "▶")).to_be_visible()
    page.wait_for_timeout(500)
    stopped = day(page)
    page.wait_for_timeout(500)
    assert day(page) == stopped >= 35

    # a drug: its bar, its mark, and what it does to the platelets
    platelets = curve(page, "Platelets").get_attribute("points")
    button(page, "Give").click()
    expect(page.locator(".deeds li")).to_have_text([f"day {stopped}: give ruxolitinib, 20 mg, 2 times a day"])
    assert day(page) == stopped
    button(page, "Step").click()
    wait_for_day(page, stopped + 3)
    expect(chart(page, "Treatment")).to_have_attribute("aria-label", "Treatment: ruxolitinib")
    expect(curve(page, "Platelets")).not_to_have_attribute("points", platelets)

    # T cells: a chart of their own appears, and grows
    expect(chart(page, "CAR T cells")).to_have_count(0)
    button(page, "Infuse").click()
    expect(page.locator(".deeds li")).to_have_count(2)
    button(page, "Step").click()
    wait_for_day(page, stopped + 6)
    expect(chart(page, "CAR T cells")).to_be_visible()
    t_cells = curve(page, "CAR T cells").get_attribute("points")
    button(page, "Stop ruxolitinib").click()
    expect(page.locator(".deeds li")).to_have_count(3)
    button(page, "Step").click()
    wait_for_day(page, stopped + 9)
    expect(curve(page, "CAR T cells")).not_to_have_attribute("points", t_cells)
    expect(button(page, "Stop ruxolitinib")).to_have_count(0)
    expect(page.locator(".legend")).to_contain_text("CAR T cell")

    # what is saved
    now = day(page)
    scenario, state = saved(page, "Scenario", tmp_path), saved(page, "State", tmp_path)
    assert saved(page, "Picture", tmp_path).read_bytes().startswith(b"\x89PNG")
    assert scenario.name == "by_hand-by-hand.yaml"
    assert state.name == f"by_hand-by-hand-day{now}.parquet"
    headline = page.locator(".headline").inner_text()

    # a page that is loaded again is where it was
    page.reload()
    expect(page.locator("img.marrow")).to_be_visible(timeout=PATIENCE)
    assert page.locator(".headline").inner_text() == headline
    expect(page.locator(".deeds li")).to_have_count(3)

    # back by one deed, and to day 0 with what is left
    button(page, "Undo").click()
    expect(page.locator(".deeds li")).to_have_count(2)
    button(page, "Replay from day 0").click()
    page.wait_for_function("document.querySelector('.headline').innerText.startsWith('Day 0 ')")
    expect(page.locator(".deeds li")).to_have_count(2)

    result = mpn_abm.run(load(scenario, overrides={"time.snapshot_every_days": now}))
    row = result.trajectory.set_index("day").loc[float(now)]
    assert f"VAF {row['vaf_driver']:.3f}" in headline
    assert row["car_t_total"] > 0
    cells = result.snapshots
    cells = cells[cells["day"] == now].reset_index(drop=True).drop(columns="run_id")
    pd.testing.assert_frame_equal(pd.read_parquet(state).drop(columns="run_id"), cells, check_categorical=False)


def test_sliders_act_at_reset_and_an_example_brings_its_own(page, url):
    page.goto(url)
    expect(page.locator("img.marrow")).to_be_visible(timeout=PATIENCE)
    # to the lower end: no mutants
    slider = page.locator(".v-input__slider", has_text="calr on day 0").get_by_role("slider")
    slider.focus()
    slider.press("Home")
    assert "calr 40.0 %" in page.locator("img.marrow").get_attribute("alt")
    button(page, "Reset").click()
    page.wait_for_function("document.querySelector('img.marrow').alt.includes('calr 0.0 %')")

    page.get_by_label("a scenario of the library").fill("organoid")
    page.get_by_role("option", name="tissue/organoid_fibrotic_vs_not").click()
    expect(page.get_by_text("layer z")).to_be_visible()
    button(page, "Step").click()
    page.wait_for_function("document.querySelector('img.marrow').alt.includes('on day 0.0')")
    expect(page.get_by_text("effector", exact=False).or_(page.get_by_text("1 per target")).first).to_be_visible()


def test_play_and_pause_are_heard_while_the_page_is_drawn_and_end_with_it(page, url):
    """As often as it takes: a click that comes while another thread draws once ended in a page of red text."""
    page.goto(url)
    for k in range(5):
        button(page, "▶").click()
        page.wait_for_timeout(40 * k)
        button(page, "❚❚").click()
    # a click while it plays is of the day on which the marrow then stands
    button(page, "▶").click()
    wait_for_day(page, day(page) + 14)
    button(page, "Infuse").click()
    expect(page.locator(".deeds li")).to_have_count(1)
    clicked = int(re.match(r"day (\d+):", page.locator(".deeds li").inner_text()).group(1))
    wait_for_day(page, clicked + 7)
    page.reload()
    expect(page.locator("img.marrow")).to_be_visible(timeout=PATIENCE)
    left = day(page)
    page.wait_for_timeout(700)
    button(page, "Step").click()
    wait_for_day(page, left + 1)
    assert day(page) == left + 3


def test_a_page_with_a_token_asks_for_it(page, file):
    with served(file, "--token", "secret") as url:
        address, _, token = url.partition("?")
        assert token == "token=secret"
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address)
        refused.value.close()
        page.goto(url)
        expect(page.locator("img.marrow")).to_be_visible(timeout=PATIENCE)
        assert "secret" not in page.url
        page.goto("about:blank")
