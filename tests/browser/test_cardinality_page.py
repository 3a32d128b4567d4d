"""The cardinality page in a real Chromium: its picture is drawn, fits and can be read."""

import pytest
import servers
from chromium import Chromium

from workbench.reporting import run_report

pytestmark = [pytest.mark.browser, pytest.mark.lab]

DRAWN = "document.documentElement.dataset.charts === 'drawn'"

BOXES = """[...document.querySelectorAll('.live svg.marks text')]
  .filter((t) => t.textContent.trim() && t.getAttribute('opacity') !== '0')
  .map((t) => { const r = t.getBoundingClientRect();
                return [t.textContent, r.left, r.top, r.right, r.bottom]; })"""


@pytest.fixture(scope="module")
def browser():
    servers.needs("chromium")
    with Chromium() as running:
        yield running


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A comparison with long names, a new label, and metrics that come and go."""
    folder = tmp_path_factory.mktemp("page")
    old = [f'checkout_service_request_duration_part_{i}_seconds{{shard="{i}"}} 1' for i in range(9)]
    new = [
        f'{line.partition("{")[0]}{{shard="{i}",customer_number="{c}"}} 1'
        for i, line in enumerate(old[:6])
        for c in range(3 ** (i + 1))
    ]
    (folder / "old.prom").write_text("\n".join(old) + "\n")
    (folder / "new.prom").write_text("\n".join(new) + "\nfresh_total 1\n")
    given = {"candidate": str(folder / "new.prom"), "baseline": str(folder / "old.prom")}
    run = run_report("cardinality", given, output=folder / "out", source="demo:")
    assert run.error is None
    return run.html.as_uri()


def _overlaps(boxes):
    """Pairs of texts that cover each other by more than a pixel either way."""
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i]]
    return [
        (a[0], b[0])
        for a, b in pairs
        if min(a[3], b[3]) - max(a[1], b[1]) > 1 and min(a[4], b[4]) - max(a[2], b[2]) > 1
    ]


@pytest.mark.parametrize(
    ("width", "theme"), [(1360, "light"), (1360, "dark"), (768, "light"), (390, "dark")]
)
def test_the_picture_is_drawn_within_the_page_and_no_text_covers_another(
    browser, address, width, theme
):
    page = browser.open(address, width=width, theme=theme, wait=DRAWN)
    try:
        assert page.value("document.querySelector('[data-chart]').dataset.drawn") == "live"
        assert page.complaints == []
        assert page.requests == [address]
        assert page.value("document.documentElement.scrollWidth") <= width
        boxes = page.value(BOXES)
        assert len(boxes) > 40
        assert _overlaps(boxes) == []
        assert max(b[3] for b in boxes) <= width
        assert min(b[1] for b in boxes) >= 0
    finally:
        page.close()


def test_a_bar_tells_its_figures_and_a_change_can_be_unfolded(browser, address):
    page = browser.open(address, wait=DRAWN)
    try:
        marks = page.value("document.querySelectorAll('.live svg.marks .mark-symbol path').length")
        assert marks >= 16
        summary = page.value("document.querySelector('.prose details > summary').innerText")
        assert ": aggregate" in summary or ": scrape limits" in summary
        page.value("document.querySelector('.prose details > summary').click()")
        assert page.value("document.querySelector('.prose details[open] pre').innerText")
    finally:
        page.close()


@pytest.mark.parametrize("width", [1280, 1345])
def test_every_column_is_in_sight(browser, address, width):
    page = browser.open(address, width=width, wait=DRAWN)
    try:
        frames = page.value(
            "[...document.querySelectorAll('.scroll')].map((s) => [s.scrollWidth, s.clientWidth])"
        )
        assert len(frames) > 4
        assert [f for f in frames if f[0] > f[1]] == []
        assert page.value("document.querySelectorAll('td wbr').length") > 20
    finally:
        page.close()
