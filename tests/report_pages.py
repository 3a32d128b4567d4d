"""Records and notebooks that the tests of reports share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import nbformat
import pytest

from workbench.findings import Finding, Provenance, Semantics, Severity
from workbench.reporting.record import ReportRecord
from workbench.session.study import STUDY_MIME
from workbench.window import Window

HOSTILE = "</script><script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'>"
"""A label value of somebody who means ill."""

NOW = datetime(2026, 6, 28, 23, 59, tzinfo=UTC)


def finding(about: str, severity: Severity = Severity.WARNING, what: str = "") -> Finding:
    return Finding(
        "CAP-HEADROOM",
        severity,
        about,
        what or f"{about} is nearly full",
        "add `more`",
        {"share": 0.9},
    )


@pytest.fixture
def make_record():
    """Give a function that makes a run's record from what matters to the test."""

    def make(*abouts: str, hours: float = 0, **changes) -> ReportRecord:
        now = NOW + timedelta(hours=hours)
        data = {
            "report": "capacity",
            "title": "Capacity",
            "status": "complete",
            "started": now,
            "seconds": 2.5,
            "now": now,
            "source": "demo:",
            "parameters": {"last": "35d"},
            "findings": [finding(a).to_dict() for a in abouts],
            "provenance": [],
            "results": [],
            "html": f"capacity-{now:%Y-%m-%dT%H%MZ}.html",
            "workbench_version": "0.1.0",
        }
        return ReportRecord.model_validate({**data, **changes})

    return make


@pytest.fixture
def study():
    """What a displayed study leaves in a notebook."""
    window = Window(1_782_000_000_000, 1_782_691_140_000, 3_600_000)
    provenance = Provenance(
        'up{job="a"}', "demo:", "engine", Semantics.PROMETHEUS_3, window.end_ms, window,
        series=2, samples=1000, seconds=0.1, gaps=("a gap of 3 h",),
    )  # fmt: skip
    findings = [
        finding("pool", Severity.INFO),
        finding(f"disk {HOSTILE}", Severity.ERROR),
        finding("cpu", Severity.WARNING),
    ]
    return {
        "kind": "capacity",
        "findings": [f.to_dict() for f in findings],
        "provenance": [dict(provenance.to_dict())],
        "result": {"outlooks": [], "nothing": float("nan")},
    }


@pytest.fixture
def notebook(study):
    """A notebook as papermill leaves it, with every kind of output."""
    v4 = nbformat.v4
    picture = "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR4nGP4z8AARwzEcQCukw/x0F8jngAAAABJRU5ErkJggg=="
    chart = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": HOSTILE,
        "data": {
            "values": [
                {"t": 1_782_000_000_000 + i * 60_000, "y": i, "s": HOSTILE} for i in range(9)
            ]
        },
        "mark": "line",
        "encoding": {
            "x": {"field": "t", "type": "temporal"},
            "y": {"field": "y", "type": "quantitative"},
            "color": {"field": "s", "type": "nominal"},
        },
    }
    table = "<table><thead><tr><th>job</th><th>size</th></tr></thead><tbody>" + "".join(
        f"<tr><td>{name}</td><td>{size}</td></tr>"
        for name, size in [("b", "2 GiB"), ("a", "900 MiB"), ("c", "–"), ("d", "1.5 TiB")]
    )

    def display(**data):
        return v4.new_output("display_data", {k.replace("_", "/", 1): v for k, v in data.items()})

    cells = [
        v4.new_markdown_cell("# Capacity\n\nThe lead.\n"),
        v4.new_code_cell("last = '35d'", metadata={"tags": ["parameters"]}),
        v4.new_code_cell("last = '21d'", metadata={"tags": ["injected-parameters"]}),
        v4.new_markdown_cell("## Findings\n\nText.\n"),
        v4.new_code_cell("study", outputs=[v4.new_output("execute_result", {STUDY_MIME: study})]),
        v4.new_markdown_cell("## Charts & more\n"),
        v4.new_code_cell(
            "chart",
            outputs=[
                v4.new_output(
                    "display_data",
                    {
                        "application/vnd.vegalite.v5+json": chart,
                        "image/png": picture,
                        "text/plain": "<chart: x>",
                    },
                )
            ],
        ),
        v4.new_markdown_cell("## Tables\n"),
        v4.new_code_cell("table", outputs=[display(text_html=table + "</tbody></table>")]),
        v4.new_code_cell(
            "print()",
            outputs=[v4.new_output("stream", name="stdout", text=f"\x1b[31mred\x1b[0m {HOSTILE}")],
        ),
        v4.new_markdown_cell("## Provenance", metadata={"tags": ["provenance"]}),
    ]
    for cell in cells:
        cell.metadata["papermill"] = {"start_time": "2026-06-28T00:00:00"}
    return v4.new_notebook(cells=cells)
