"""A fleet's page in a real Chromium: its chart, and tables that are filtered and sorted by value."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
import pytest
import servers
from chromium import Chromium

from workbench.reporting.render import render_page
from workbench.views.capacity import capacity_chart, capacity_table
from workbench.views.table import Cell, html_table

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "views"))
from capacity_results import HOSTILE, capacity_result, fleet

pytestmark = pytest.mark.browser

DRAWN = "document.documentElement.dataset.charts === 'drawn'"
MOMENTS = ["7 Mar 2026", "22 Feb 2026", "1 Dec 2025", "full now", "–"]
SHARES = ["< 1 %", "1 %", "62 %", "> 99 %", "–"]
SIZES = ["900 MiB (800 to 950 MiB)", "1.2 GiB (1 to 2 GiB)", "12.3k connections", "250 connections", "–"]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    servers.needs("chromium")
    with Chromium() as running:
        yield running


@pytest.fixture(scope="module")
def result():
    return fleet(capacity_result(15), 120, service=lambda k: f"{HOSTILE} {k % 5}")


def _page(make_record, path, *outputs):
    """Render what cells displayed."""
    v4 = nbformat.v4
    cells = [v4.new_markdown_cell("# Capacity")]
    for number, data in enumerate(outputs):
        output = v4.new_output("display_data", json.loads(json.dumps(data)))
        cells.append(v4.new_code_cell(f"cell_{number}", outputs=[output]))
    for cell in cells:
        cell.metadata["papermill"] = {"start_time": "2026-06-28T00:00:00"}
    path.write_text(
        render_page(v4.new_notebook(cells=cells), make_record()), encoding="utf-8", errors="replace"
    )
    return path.as_uri()


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """A folder and the addresses of the pages in it: each is rendered once."""
    return tmp_path_factory.mktemp("pages"), {}


@pytest.fixture
def chart_page(make_record, rendered, result):
    folder, pages = rendered
    if "chart" not in pages:
        spec = capacity_chart(result).to_dict()
        bundle = {"application/vnd.vegalite.v5+json": spec, "text/plain": "<chart: fleet>"}
        pages["chart"] = _page(make_record, folder / "chart.html", bundle)
    return pages["chart"]


@pytest.mark.parametrize(("width", "theme"), [(1360, "light"), (700, "dark")])
def test_a_fleet_is_drawn_under_the_page_s_policy(browser, chart_page, width, theme):
    page = browser.open(chart_page, width=width, theme=theme, wait=DRAWN)
    assert page.complaints == []
    assert page.requests == [chart_page]
    assert page.value("document.querySelector('[data-chart]').dataset.drawn") == "live"
    chart, column = page.value("""(() => {
      const figure = document.querySelector("[data-chart]");
      const svg = figure.querySelector("svg.marks");
      return [Number(svg.getAttribute("width")), figure.clientWidth];
    })()""")
    assert chart <= column
    texts = page.value("[...document.querySelectorAll('svg.marks text')].map((t) => t.textContent)")
    assert {"120 resources against their limits", "By service", "now", "full now"} <= set(texts)
    page.close()


@pytest.fixture
def tables(make_record, rendered, result):
    """A short table with every kind of cell, and the fleet's own."""
    folder, pages = rendered
    if "tables" not in pages:
        rows = [
            (name, *cells) for name, *cells in zip("abcde", MOMENTS, SHARES, SIZES, strict=True)
        ]
        short = html_table(
            ("name", "full on", "chance", "size"), [rows[i] for i in (3, 1, 4, 0, 2)]
        )
        told = html_table(("name", "told"), [("a", Cell("many", value="30")), ("b", Cell("few", value="4")), ("c", Cell("none", value=""))])  # fmt: skip
        long = capacity_table(result)._repr_html_()
        pages["tables"] = _page(make_record, folder / "tables.html", *({"text/html": t} for t in (short, told, long)))  # fmt: skip
    return pages["tables"]


@pytest.fixture
def page(browser, tables):
    opened = browser.open(tables, wait="document.querySelector('.sort') !== null")
    yield opened
    opened.close()


def _sorted(page, table, column, clicks=1):
    page.value(
        f"for (let i = 0; i < {clicks}; i++) document.querySelectorAll('.prose table')[{table}]"
        f".querySelectorAll('th button')[{column}].click()"
    )
    return "".join(
        page.value(
            f"[...document.querySelectorAll('.prose table')[{table}].tBodies[0].rows].map((r) => r.cells[0].innerText)"
        )
    )


@pytest.mark.parametrize(
    ("column", "up", "down"),
    [(1, "cbade", "dabce"), (2, "abcde", "dcbae"), (3, "dcabe", "bacde")],
)
def test_dates_chances_and_quantities_sort_by_value(page, column, up, down):
    """Words come after numbers; what is absent stays last."""
    assert _sorted(page, 0, column) == up
    assert _sorted(page, 0, column, clicks=1) == down


def test_a_cell_sorts_by_what_its_maker_says(page):
    assert _sorted(page, 1, 1) == "bac"
    assert _sorted(page, 1, 1) == "abc"


SHOWN = "[...document.querySelectorAll('.prose table')[2].tBodies[0].rows].filter((r) => r.checkVisibility()).length"
BOX = "document.querySelector('.filter input')"


def test_only_a_long_table_has_a_filter_and_it_is_found_by_name(page):
    assert page.value("document.querySelectorAll('.filter input').length") == 1
    assert page.value(f"{BOX}.labels[0].innerText") == "Filter"
    assert page.value("document.querySelector('.count').innerText") == "120 rows"


def test_a_filter_keeps_the_rows_that_hold_every_word_by_the_keyboard_alone(page, result):
    names = [o.name.lower() for o in result.outlooks]
    expected = sum("i002" in name and "01" in name for name in names)
    page.value(f"{BOX}.focus()")
    page.call("Input.insertText", text="I002 01")
    assert page.value(SHOWN) == expected > 0
    assert page.value("document.querySelector('.count').innerText") == f"{expected} of 120 rows"
    page.press("Escape")
    assert page.value(SHOWN) == 120
    assert page.value(f"{BOX}.value") == ""


def test_what_is_copied_is_what_is_shown(page):
    page.value("navigator.clipboard.writeText = async (text) => { window.copied = text }")
    page.value(f"{BOX}.focus()")
    page.call("Input.insertText", text="i002")
    page.value("[...document.querySelectorAll('.copy')].at(-1).click()")
    page.wait("window.copied")
    lines = page.value("window.copied").split("\n")
    assert len(lines) - 1 == page.value(SHOWN) < 120
    assert lines[0].startswith("resource\tfull on")


def test_a_long_table_scrolls_under_its_headings(page):
    frame = "document.querySelectorAll('.prose .scroll')[2]"
    assert page.value(f"{frame}.clientHeight") <= 740
    page.value(f"{frame}.scrollTop = 2000")
    top, head = page.value(
        f"[{frame}.getBoundingClientRect().top, {frame}.querySelector('th').getBoundingClientRect().top]"
    )
    assert head == pytest.approx(top, abs=2)
    page.theme("light", media="print")
    assert page.value(f"{frame}.clientHeight") > 2000
