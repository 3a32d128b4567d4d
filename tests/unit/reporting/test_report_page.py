"""The rendered page, read as text: one file, one Vega, findings first, provenance last."""

import base64
import hashlib
import itertools
import re

import pytest
from bs4 import BeautifulSoup

from workbench.reporting.record import ReportRecord
from workbench.reporting.render import render_page, render_pointer
from workbench.reporting.studies import studies_of, summary_of


@pytest.fixture
def record(make_record, notebook):
    base = make_record()
    return make_record(**summary_of(studies_of(notebook), now=base.now))


@pytest.fixture
def page(notebook, record):
    return render_page(notebook, record)


@pytest.fixture
def soup(page):
    return BeautifulSoup(page, "html.parser")


def test_every_script_that_may_run_is_named_by_the_policy(soup):
    """And nothing else is: no host, no eval, no inline handler."""
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    scripts = [s.string for s in soup.find_all("script") if s.get("type") != "application/json"]
    named = set(re.findall(r"'sha256-([^']+)'", policy))
    hashes = {base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts}
    assert named == hashes
    assert len(scripts) == 3
    assert "default-src 'none'" in policy
    assert not re.search(r"https?:|unsafe-eval|\*|script-src[^;]*unsafe-inline", policy)


def test_nothing_in_the_page_would_be_fetched(soup):
    for tag in soup.find_all(["img", "link", "script", "iframe", "source"]):
        for attribute in ("src", "href"):
            assert tag.get(attribute, "data:").startswith("data:")
    assert not re.search(r"@import|url\(", soup.find("style").string)


def test_vega_stands_in_the_page_once(page):
    assert page.count("window.vegaEmbed=") == 1


def test_a_page_without_charts_has_no_vega(notebook, record):
    notebook.cells = [c for c in notebook.cells if c.source != "chart"]
    assert len(render_page(notebook, record)) < 100_000


def test_findings_stand_first_the_most_severe_at_the_top_and_provenance_last(soup):
    headings = [h.get_text() for h in soup.select("main h2")]
    assert headings == [
        "Findings",
        "Charts & more",
        "Tables",
        "Provenance",
        "How this page was made",
    ]
    severities = [f["class"][-1] for f in soup.select(".finding")]
    assert severities == ["error", "warning", "info"]


def test_headings_are_in_order_and_there_is_one_title(soup):
    levels = [int(h.name[1]) for h in soup.find_all(re.compile("^h[1-6]$"))]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert soup.html["lang"] == "en"


def test_the_contents_link_to_headings_that_exist(soup):
    targets = [a["href"][1:] for a in soup.select(".contents a")]
    assert len(targets) == len(set(targets)) == 5
    assert all(len(soup.select(f"#{target}")) == 1 for target in targets)


def test_a_severity_is_said_by_word_and_shape(soup):
    shapes = {}
    for label in soup.select(".finding .severity"):
        shapes[label.get_text().strip()] = str(label.find("svg"))
    assert set(shapes) == {"error", "warning", "info"}
    assert len(set(shapes.values())) == 3


def test_hostile_values_are_text_wherever_they_come_from(soup):
    assert "window.pwned" in soup.select_one(".finding").get_text()
    assert not soup.select("img[onerror]")
    assert all("pwned" not in s.get_text() for s in soup.find_all("script") if not s.get("type"))


def test_set_up_stands_at_the_end_and_code_is_folded(soup):
    folded = [d.summary.get_text() for d in soup.select("details.code")]
    assert [text.split("·")[-1].strip() for text in folded[-2:]] == [
        "Code parameters and their defaults",
        "Code parameters of this run",
    ]
    assert not [d for d in soup.select("details.code") if d.has_attr("open")]


def test_incomplete_data_is_said_beside_the_findings_and_in_the_provenance(soup):
    assert soup.select_one(".incomplete a")["href"] == "#provenance"
    assert "a gap of 3 h" in soup.select_one("table.provenance").get_text()


def test_terminal_colours_are_taken_out_of_printed_text(soup):
    assert soup.select_one("pre.output").get_text().startswith("red </script>")


def test_backticks_in_a_finding_are_set_as_code(soup):
    assert soup.select_one(".next code").get_text() == "more"


def test_a_failed_page_shows_the_error_and_what_did_not_run(notebook, record):
    error = {"type": "UnreachableError", "message": "gone <b>", "exit_code": 3}
    data = record.model_dump(mode="json") | {"status": "failed", "error": error}
    failed = ReportRecord.model_validate(data)
    for cell in notebook.cells[6:]:
        cell.metadata.pop("papermill")
    soup = BeautifulSoup(render_page(notebook, failed), "html.parser")
    assert "gone <b>" in soup.select_one(".panel").get_text()
    assert [d.summary.get_text() for d in soup.select("[data-missed]")] == ["Did not run"] * 3


def test_a_page_above_the_budget_is_warned_of(notebook, record, caplog, monkeypatch):
    monkeypatch.setattr("workbench.reporting.render.SIZE_BUDGET_BYTES", 10_000)
    render_page(notebook, record)
    assert "draw fewer points" in caplog.text


def test_the_pointer_leads_to_the_latest_page(record):
    soup = BeautifulSoup(render_pointer(record), "html.parser")
    assert soup.find("a")["href"] == record.html
    assert soup.find("meta", attrs={"http-equiv": "refresh"})["content"] == f"0; url={record.html}"
