"""A latency report's charts in a real Chromium, under the policy of a page, in light and dark."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
import pytest
import servers
from chromium import Chromium

from workbench.reporting.render import render_page
from workbench.session.latency_study import LatencyStudy
from workbench.views.renderer import chart_bundle

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "views"))

from latency_results import HOSTILE, full

pytestmark = pytest.mark.browser

DRAWN = "document.documentElement.dataset.charts === 'drawn'"
CHARTS = 6


@pytest.fixture(scope="module")
def notebook():
    """Six charts of a study whose groups have hostile names."""
    study = LatencyStudy(full(names=[HOSTILE, "/b", "/c"]), [])
    charts = [
        study.chart(), study.heatmap(), study.ecdf(), study.change_chart(), study.tail_chart(),
        study.bucket_chart(),
    ]  # fmt: skip
    v4 = nbformat.v4
    cells = []
    for chart in charts:
        bundle = chart_bundle(json.loads(json.dumps(chart.to_dict())))
        cell = v4.new_code_cell("chart", outputs=[v4.new_output("display_data", bundle)])
        cells.append(cell)
    return v4.new_notebook(cells=cells)


@pytest.fixture(scope="module")
def browser():
    servers.needs("chromium")
    with Chromium() as running:
        yield running


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_chart_lives_and_complains_of_nothing(
    browser, notebook, make_record, tmp_path, theme
):
    """No data need a reader that the policy forbids, no expression an evaluator, no scale two ends."""
    file = tmp_path / "latency.html"
    file.write_text(render_page(notebook, make_record()), encoding="utf-8")
    page = browser.open(file.as_uri(), theme=theme, wait=DRAWN)
    drawn = page.value("[...document.querySelectorAll('[data-chart]')].map((f) => f.dataset.drawn)")
    assert drawn == ["live"] * CHARTS
    assert page.complaints == []
    assert page.requests == [file.as_uri()]
    page.close()


def test_figures_of_a_moment_are_shown_wherever_the_pointer_is(
    browser, notebook, make_record, tmp_path
):
    """In a panel of the first chart, on no line at all."""
    file = tmp_path / "latency.html"
    file.write_text(render_page(notebook, make_record()), encoding="utf-8")
    page = browser.open(file.as_uri(), wait=DRAWN, height=1400)
    page.hover(
        """(() => {
          const svg = document.querySelector(".live svg.marks");
          svg.scrollIntoView();
          const labels = [...svg.querySelectorAll(".mark-rect path, .mark-rect rect")];
          const box = labels[Math.floor(labels.length / 6)].getBoundingClientRect();
          return [box.x + box.width / 2, box.y + box.height / 3];
        })()""",
        until="document.querySelector('#vg-tooltip-element')?.innerText.includes('p99') ?? false",
    )
    text = page.value("document.querySelector('#vg-tooltip-element').innerText")
    assert "certain" in text
    assert "histogram_quantile p99" in text
    page.close()
