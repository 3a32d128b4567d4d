"""Charts as files."""

import dataclasses

import numpy as np
import pytest
from chromium import Chromium
from servers import needs

from workbench.errors import InputError
from workbench.frame import Frame
from workbench.views.export import chart_file
from workbench.views.series import series_chart

TIMES = np.arange(0, 600_000, 60_000, dtype=np.int64)
BREAKOUT = "</script><script>window.broken = 1</script>"
HOSTILE = Frame(
    "matrix",
    [{"__name__": "x", "path": "\0</script><script>alert(1)</script>"}],
    TIMES,
    np.arange(10.0)[None],
    np.ones((1, 10), bool),
    "x",
)


@pytest.mark.parametrize(
    ("suffix", "start"),
    [(".png", b"\x89PNG"), (".svg", b"<svg"), (".json", b"{"), (".html", b"<!DOCTYPE html>")],
)
def test_a_chart_of_hostile_labels_becomes_a_file(suffix, start):
    content = chart_file(series_chart(HOSTILE, title="\0hostile"), suffix)
    assert content.lstrip()[: len(start)].lower() == start.lower()
    if suffix in (".html", ".svg"):
        assert b"<script>alert(1)" not in content


@pytest.mark.browser
def test_an_html_file_draws_offline_and_runs_nothing_from_a_label(tmp_path):
    """In a real browser: a label that closes the script element stays text."""
    needs("chromium")
    hostile = series_chart(dataclasses.replace(HOSTILE, labels=[{"path": BREAKOUT}]))
    file = tmp_path / "chart.html"
    file.write_bytes(chart_file(hostile, ".html"))
    with Chromium() as browser:
        page = browser.open(
            file.as_uri(), wait="document.querySelectorAll('canvas, svg').length > 0"
        )
        assert page.value("window.broken === undefined")
        assert page.requests == [file.as_uri()]


def test_another_suffix_is_refused():
    with pytest.raises(InputError, match=r"end the file's name with \.html"):
        chart_file(series_chart(HOSTILE), ".gif")
