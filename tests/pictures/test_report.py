"""Reports: one file that says what was asked, what came out, and how to make it again."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from pictures import recordings

from mpn_abm.cli.main import main
from mpn_abm.pictures import palette
from mpn_abm.pictures.report.report import report


class Page(HTMLParser):
    """What stands on a page."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.addresses, self.images, self.text, self.headings, self.open = [], [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if "id" in said:
            self.ids.append(said["id"])
        self.addresses += [value for name, value in attrs if name in ("href", "src", "xlink:href") and value]
        if tag == "img" or said.get("role") == "img":
            self.images.append(said.get("alt") or said.get("aria-label") or "")
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)
            if self.open[-1] in ("h1", "h2", "h3"):
                self.headings.append(data)


@pytest.fixture(scope="module")
def pages(sweep, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    run = recordings.written(recordings.niche(), folder / "run")
    study = recordings.written(recordings.arms(), folder / "study")
    found = {"run": report(run), "comparison": report(study), "sweep": report(sweep)}
    found["result"] = report(recordings.replicated())
    return found


@pytest.mark.parametrize("kind", ["run", "comparison", "sweep", "result"])
def test_a_page_needs_nothing_but_itself(pages, kind):
    page = Page(pages[kind])
    inner = {address[1:] for address in page.addresses if address.startswith("#")}
    assert inner <= set(page.ids)
    assert [one for one in page.addresses if not one.startswith(("#", "data:"))] == []
    assert len(page.ids) == len(set(page.ids)), "the ids of one picture are not those of another"
    assert "url(http" not in pages[kind]
    assert len(pages[kind].encode()) < 2_000_000


@pytest.mark.parametrize("kind", ["run", "comparison", "sweep", "result"])
def test_every_picture_is_told_in_words(pages, kind):
    page = Page(pages[kind])
    assert page.images
    assert all(len(alt) > 40 for alt in page.images)


def test_the_page_of_a_run_says_everything(pages):
    result, page = recordings.niche(), Page(pages["run"])
    text = " ".join(" ".join(page.text).split())
    assert "Do T cells clear the clone?" in page.headings
    first, last = result.trajectory["vaf_calr"].iloc[[0, -1]]
    assert f"CALR VAF {first:.3g} to {last:.3g}" in text
    assert ("✓ held" in text) == bool(result.claims["held"].all())
    assert "a paper" in text, "the source of the claim"
    assert {"Courses", "The marrow over time", "Clones, nested by descent", "Provenance", "Make it again"} <= set(
        page.headings
    )
    assert result.scenario.sha256 in text
    assert "treatments.car_t.dose_cells" in text
    assert "Lee-Six 2018" in text, "sources of parameters"
    assert "mpn-abm run" in text
    assert "One run says nothing about chance." in text


def test_what_the_scenario_says_stands_apart_from_defaults(pages):
    said, _, others = pages["run"].partition("All other values are defaults")
    assert "<code>fibrosis.initial.cover_fraction</code>" in said
    assert "<code>fibrosis.deposition_rate_per_year</code>" not in said
    assert "fibrosis.deposition_rate" in others


def test_the_page_of_a_comparison_has_the_arms_their_differences_and_the_claims(pages):
    study, page = recordings.arms(), Page(pages["comparison"])
    text = " ".join(" ".join(page.text).split())
    assert study.answer.removeprefix("Does a transplant help?").strip() in text
    assert "✗ not held" in text
    assert "✓ held" in text
    assert {"Survival", "Change of each patient", "Course of each patient"} <= set(page.headings)
    assert "none (reference)" in text
    assert "arm transplant" in text


def test_the_page_of_a_sweep_says_what_varies(pages):
    text = " ".join(Page(pages["sweep"]).text)
    assert "antigen.density_molecules" in text
    assert "100, 500, 2,000" in text
    assert "Over 9 points the VAF of the driver at the end goes from" in text
    assert "It goes most with antigen.density_molecules (-" in text


def test_a_page_is_the_same_each_time(pages):
    assert report(recordings.replicated()) == pages["result"]


def test_letters_are_read_in_light_and_in_dark(pages):
    """The colours of the page, as its style says them: AA is 4.5."""
    style = pages["run"].partition("</style>")[0]
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w{6})", part)) for part in re.split(r"@media screen", style)[:2])
    for colours in (light, {**light, **dark}):
        for name in ("ink", "faint", "held", "failed", "accent", "picture-ink"):
            assert palette.contrast(colours[name], colours["paper"]) >= 4.5, name
        assert palette.contrast(colours["ink"], colours["wash"]) >= 4.5


def test_run_and_compare_write_it_at_the_end(tmp_path, capsys):
    import json

    file = tmp_path / "niche.json"
    file.write_text(json.dumps({**recordings.NICHE, "name": "mine"}))
    scenario = tmp_path / "niche.yaml"
    scenario.write_text(file.read_text())
    assert main(["run", str(scenario), "--out", str(tmp_path / "run"), "--report", "--quiet"]) == 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert f"mpn-abm run {scenario}" in page
    assert "niche.yaml:1:" in page, "where each value comes from"
    arms = {**recordings.ARMS, "replicates": 4, "time": {"duration_years": 1, "step_days": 7}, "expect": None}
    scenario.write_text(json.dumps(arms))
    assert main(["compare", str(scenario), "--out", str(tmp_path / "study"), "--report", "--quiet"]) == 0
    assert "Courses of the arms" in (tmp_path / "study" / "report.html").read_text()
    assert "step_days" in (tmp_path / "study" / "scenario.resolved.yaml").read_text()
    assert main(["report", str(tmp_path / "study"), "-o", str(tmp_path / "b.html")]) == 0
    assert main(["report", str(tmp_path / "study"), "-o", str(tmp_path / "b.html")]) == 6
    capsys.readouterr()


def test_a_report_that_cannot_be_made_is_refused_before_the_run(tmp_path, monkeypatch, capsys):
    import json
    import sys

    scenario = tmp_path / "niche.yaml"
    scenario.write_text(json.dumps(recordings.NICHE))
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["run", str(scenario), "--out", str(tmp_path / "run"), "--report", "--quiet"]) == 2
    assert "mpn-abm[plot]" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_browser_opens_it_without_an_error(pages, tmp_path):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium on this machine")
    (tmp_path / "run.html").write_text(pages["run"])
    done = subprocess.run(
        [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom",
         f"--user-data-dir={tmp_path}/p", f"file://{tmp_path}/run.html"], capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.count("<svg") == pages["run"].count("<svg")
    assert "CONSOLE" not in done.stderr


def test_the_page_of_a_sensitivity_study_names_what_matters(tmp_path):
    import pandas as pd

    rows = [("a.b", "assumed", 0.1, 0.0, 0.2), ("c.d", None, -0.7, -0.8, -0.6)]
    pd.DataFrame(rows, columns=["parameter", "source", "index", "low", "high"]).to_parquet(tmp_path / "indices.parquet")
    page = Page(report(tmp_path))
    assert "Of 2 parameters these matter most: c.d (-0.7), a.b (0.1)." in " ".join(page.text)
    assert len(page.images) == 1
