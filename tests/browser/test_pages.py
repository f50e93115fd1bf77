"""The player of a film and a report in a real browser: keys, sections, light and dark, paper; nothing from outside.

Needs the extra `browser` and Chromium.
"""

import re

import pytest
from browser.chromium import MARKS
from pictures import recordings

from mpn_abm.pictures.movie import write_movie
from mpn_abm.pictures.report.report import write_report

sync_api = pytest.importorskip("playwright.sync_api", reason="the extra `browser` is not installed")
pytestmark = MARKS
expect = sync_api.expect


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    run = recordings.written(recordings.niche(), folder / "run")
    write_movie(run, folder / "film.html", size=200)
    write_report(run, folder / "run.html")
    write_report(recordings.trial(folder / "trial"), folder / "trial.html")
    return folder


@pytest.fixture(params=["light", "dark"])
def page(browser, request):
    """A page that asks for nothing but its own file, and whose errors fail the test."""
    errors = []
    context = browser.new_context(viewport={"width": 900, "height": 900}, color_scheme=request.param)
    page = context.new_page()
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda sent: None if re.match("file:|data:", sent.url) else errors.append(sent.url))
    yield page
    context.close()
    assert errors == []


def test_the_player_is_led_by_keys_alone(page, folder):
    page.goto((folder / "film.html").as_uri())
    moment, image, button = page.locator("#day"), page.locator("#frame"), page.locator("#play")
    expect(moment).to_have_text("day 0")
    first = image.get_attribute("src")
    # whatever has the focus
    page.keyboard.press("ArrowRight")
    expect(moment).to_have_text("day 14")
    assert image.get_attribute("src") != first
    page.keyboard.press("End")
    expect(moment).to_have_text("day 70")
    page.keyboard.press("ArrowRight")
    expect(moment).to_have_text("day 70")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(moment).to_have_text("day 0")
    assert image.get_attribute("src") == first
    # on the slider one press is one frame, and what it says is the day
    page.locator("#slider").focus()
    page.keyboard.press("ArrowRight")
    expect(moment).to_have_text("day 14")
    assert page.locator("#slider").get_attribute("aria-valuetext") == "day 14"
    # it plays to its end, and stops there
    page.keyboard.press("Space")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(moment).to_have_text("day 70")
    expect(button).to_have_attribute("aria-pressed", "false")
    # the button is a button
    button.focus()
    page.keyboard.press("Space")
    expect(button).to_have_text("Stop")


@pytest.mark.parametrize("name", ["run", "trial"])
def test_a_report_fits_its_window_and_its_letters_are_read(page, folder, name):
    """Letters of pictures against what lies behind them as well: WCAG AA is 4.5."""
    page.goto((folder / f"{name}.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 900
    faint = page.evaluate(
        """() => {
          const light = c => { const p = c.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * p[0] + 0.7152 * p[1] + 0.0722 * p[2]; };
          const paper = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
            if (c !== 'rgba(0, 0, 0, 0)') return c; } return 'rgb(255, 255, 255)'; };
          const found = [];
          for (const e of document.querySelectorAll('body *')) {
            if (e.closest('svg') || ![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
            const [a, b] = [light(getComputedStyle(e).color), light(paper(e))].sort((x, y) => y - x);
            const contrast = (a + 0.05) / (b + 0.05);
            if (contrast < 4.5) found.push(e.outerHTML.slice(0, 80) + contrast);
          }
          return found; }"""
    )
    assert faint == []
    # a click on a section leads to it, and what is folded opens by keys
    page.get_by_role("link", name="Pictures").click()
    expect(page.locator("#pictures")).to_be_in_viewport()
    summary = page.locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details").first).to_have_attribute("open", "")


def test_a_report_prints_in_dark_letters_on_white_paper(page, folder):
    page.goto((folder / "run.html").as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(32, 36, 44)"
    expect(page.locator("nav")).to_be_hidden()
    assert page.pdf(format="A4").startswith(b"%PDF")
