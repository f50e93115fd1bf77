"""The page of a score: every figure with all that is known of it, what was missed first, and nothing from outside."""

import json
import sys
from html import escape

import pandas as pd
import pytest
from evidence.test_score import file_of
from pictures.test_report import Page

from mpn_abm.cli.main import main
from mpn_abm.evidence.score import Score, totals
from mpn_abm.evidence.table import COLUMNS, lines_of
from mpn_abm.pictures.catalogue import draw
from mpn_abm.pictures.evidence import rows_of
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.report.report import report

BLANK = dict.fromkeys(column.name for column in COLUMNS) | {
    "file": "figures", "experiment": "comfort", "endpoint": "svr35", "statistic": "mean", "n": 200, "held": True,
    "scored": True, "role": "fit", "kind": "value", "weight": 1.0,
}  # fmt: skip
ROWS = [
    {"target": "spleen", "quantity": "spleens 35 % smaller", "arm": "ruxolitinib", "day": 168.0, "published": 0.419,
     "low": 0.345, "high": 0.498, "value": 0.42, "value_low": 0.36, "value_high": 0.48, "z": 0.02,
     "unit": "fraction", "constrains": "w_J; tau_V", "source": "Verstovsek 2012 (10.1056/NEJMoa1110557), table 2"},
    {"target": "burden", "published": -0.12, "low": -0.18, "high": -0.07, "value": -0.3, "value_low": -0.4,
     "value_high": -0.15, "z": -3.1, "held": False, "constrains": "c_J", "source": "a review, PMC7566465",
     "reason": "<small> trials"},
    {"target": "vaccine", "experiment": None, "low": 0.4, "held": False, "source": "no number",
     "reason": "there is no vaccine"},
    {"target": "doses", "kind": "order", "order": "placebo < low < high", "low": 0.0, "value": 0.1,
     "value_low": -0.05, "value_high": 0.25, "held": False, "reason": "placebo < low: the step is 0.1 (-0.05 to 0.25)"},
    {"target": "escape", "kind": "exists", "low": 0.0, "value": 0.02, "value_low": 0.01, "value_high": 0.05},
    {"target": "mouse", "role": "unverified", "scored": False, "low": 1.0, "value": 0.5, "held": False},
    {"target": "unbounded", "role": "unverified", "scored": False, "experiment": None, "held": False},
]  # fmt: skip


def folder_of(path, rows=ROWS):
    table = pd.DataFrame([BLANK | row for row in rows])
    facts = {"name": "evidence", "kind": "evidence", "out": "runs/evidence", "quick": True, **totals(table)}
    Score(table, facts | {"target_files": ["figures.yaml"], "only": []}).write(path)
    return path


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return report(folder_of(tmp_path_factory.mktemp("score")))


@pytest.fixture(scope="module")
def words(text):
    return " ".join(" ".join(Page(text).text).split())


def row_of(text, name):
    """What stands in the row of a figure."""
    start = text.index(f"<code>{name}</code>")
    return text[start : text.index("</tr>", start)]


def test_every_figure_has_a_row_with_all_that_is_known_of_it(text):
    spleen = row_of(text, "spleen")
    for part in ("✓ held", "0.419", "0.345 to 0.498", "0.42", "0.36 to 0.48", "+0.0", "w_J; tau_V", "Verstovsek 2012",
                 "spleens 35 % smaller", "mean of svr35, ruxolitinib, day 168 in comfort"):  # fmt: skip
        assert part in spleen, part
    assert all(row_of(text, row["target"]) for row in ROWS)


def test_what_was_missed_comes_first_and_says_why(text):
    places = [text.index(f"<code>{name}</code>") for name in
              ("burden", "doses", "vaccine", "spleen", "escape", "mouse")]  # fmt: skip
    assert places == sorted(places)
    assert "below the band, which the interval reaches; &lt;small&gt; trials" in row_of(text, "burden")
    assert "there is no vaccine" in row_of(text, "vaccine")
    assert "placebo &lt; low &lt; high" in row_of(text, "doses")
    assert "the step is 0.1" in row_of(text, "doses")
    assert "at least one" in row_of(text, "escape")
    assert "✗ missed" in row_of(text, "mouse")
    assert "not asked" in row_of(text, "unbounded")


def test_the_answer_counts(words):
    assert "The model shows 2 of 5 published figures, 40 % by weight." in words
    assert "Of the 3 others: 2 outside their bands, 1 without a value." in words
    assert "mpn-abm evidence --targets figures.yaml --quick" in words


def test_papers_are_links_and_nothing_else_is_asked_of_the_network(text):
    page = Page(text)
    outside = [one for one in page.addresses if not one.startswith(("#", "data:"))]
    assert outside == ["https://pmc.ncbi.nlm.nih.gov/articles/PMC7566465", "https://doi.org/10.1056/NEJMoa1110557"]
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert not any(sign in text for sign in ("url(http", "<script", "<link", "@import", 'src="http'))
    assert "prefers-color-scheme: dark" in text


def test_bands_and_intervals_are_drawn(text):
    pictures = Page(text).images
    assert len(pictures) == 3, "of what was missed, what was held and what does not count"
    assert "Missed: burden, doses" in pictures[0]


@pytest.mark.parametrize(
    ("name", "band"),
    [("spleen", "0.345 to 0.498"), ("doses", "placebo < low < high"), ("escape", "at least one"),
     ("mouse", "at least 1")],
)  # fmt: skip
def test_a_band_has_the_same_words_on_the_page_in_the_picture_and_in_the_lines(tmp_path, text, name, band):
    assert f'<span class="small">{escape(band)}</span>' in row_of(text, name)
    recording = Recording(folder_of(tmp_path))
    assert next(row.text for row in rows_of(recording) if row.name == name).endswith(f"[{band}]")
    lines = lines_of(recording.frame("score"), recording.facts)
    assert next(line for line in lines if f" {name} (" in line).count(f" {band}") == 1


def test_a_page_of_many_figures_stays_small(tmp_path):
    many = [ROWS[k % 2] | {"target": f"figure_{k}"} for k in range(150)]
    page = report(folder_of(tmp_path, many))
    assert len(page.encode()) < 2_000_000
    assert page.count('<tr><th scope="row"><code>figure_') == 150


def test_a_picture_may_be_of_some_figures(tmp_path):
    picture = draw("evidence", folder_of(tmp_path), columns=["spleen", "burden"])
    assert "1 of 2 within their bands" in picture.alt
    with pytest.raises(Exception, match="did you mean 'spleen'"):
        draw("evidence", tmp_path, columns=["spleeen"])


def test_the_verb_writes_the_page_that_report_makes(tmp_path, capsys):
    out, again = tmp_path / "out", tmp_path / "again.html"
    targets = {
        "half": {"experiment": "still", "endpoint": "fraction_mutant", "at_day": 28, "low": 0.4, "constrains": ["s"]},
        "rises": {"experiment": "still", "endpoint": "fraction_mutant", "kind": "order", "order_weeks": [0, 4]},
        "all": {"experiment": "still", "endpoint": "mutants", "at_day": 28, "kind": "exists"},
    }
    file = file_of(tmp_path, targets)
    file.write_text(file.read_text().replace("  still:\n", "  still:\n    endpoints: {mutants: {column: fraction_mutant"
                                             ", above: 0}}\n"))  # fmt: skip
    assert main(["evidence", "--targets", str(file), "--out", str(out), "--quiet", "--json"]) == 0
    told = {row["target"]: row for row in json.loads(capsys.readouterr().out)["targets_scored"]}
    assert (told["all"]["held"], told["all"]["value"]) == (True, 1.0)
    assert (told["rises"]["held"], told["rises"]["value"]) == (False, 0.0)
    assert told["rises"]["order"] == "day 0 < day 28"
    assert told["half"]["constrains"] == "s"
    assert main(["report", str(out), "-o", str(again)]) == 0
    assert (out / "evidence.html").read_text() == again.read_text()
    assert pd.read_parquet(out / "score.parquet").set_index("target")["constrains"]["half"] == "s"


def test_the_executor_is_that_of_studies(tmp_path, capsys):
    words = ["evidence", "--targets", str(file_of(tmp_path)), "--out", str(tmp_path / "out"), "--quiet"]
    assert main([*words, "--scheduler", "tcp://nobody:1"]) == 2
    assert "expected with --executor dask" in capsys.readouterr().err


def test_a_score_without_what_draws_has_no_page_and_no_old_one(tmp_path, monkeypatch, capsys):
    words = ["evidence", "--targets", str(file_of(tmp_path)), "--out", str(tmp_path / "out"), "--only", "unknown"]
    assert main([*words, "--quiet"]) == 0
    assert (tmp_path / "out" / "evidence.html").exists()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main([*words, "--quiet"]) == 0
    assert "mpn-abm[plot]" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["score.json", "score.parquet", "score.txt"]
