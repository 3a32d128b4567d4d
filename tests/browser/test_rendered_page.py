"""A rendered page in a real Chromium: what it asks for, draws, sorts, and how it looks."""

from __future__ import annotations

from pathlib import Path

import pytest
import servers
from chromium import Chromium

from workbench.reporting.index import write_index
from workbench.reporting.render import render_page
from workbench.reporting.studies import studies_of, summary_of

pytestmark = pytest.mark.browser

DRAWN = "document.documentElement.dataset.charts === 'drawn'"


@pytest.fixture(scope="module")
def browser():
    servers.needs("chromium")
    with Chromium() as running:
        yield running


@pytest.fixture
def address(make_record, notebook, tmp_path):
    """A rendered page on disk, and an index beside it."""
    record = make_record(**summary_of(studies_of(notebook), now=make_record().now))
    page = tmp_path / record.html
    page.write_text(render_page(notebook, record), encoding="utf-8")
    page.with_suffix(".json").write_text(record.to_json(), encoding="utf-8")
    write_index(tmp_path)
    return page.as_uri()


@pytest.fixture
def page(browser, address):
    opened = browser.open(address, wait=DRAWN)
    yield opened
    opened.close()


def test_the_page_asks_for_itself_only_and_complains_of_nothing(page, address):
    assert page.requests == [address]
    assert page.complaints == []


def test_the_policy_stops_what_would_leave_the_page(page):
    """A request is refused by the policy itself, not for want of a network."""
    refused = page.value("""new Promise((done) => {
      addEventListener("securitypolicyviolation", (e) => done(e.effectiveDirective));
      fetch("http://127.0.0.1:9/").catch(() => {});
    })""")
    assert refused == "connect-src"
    assert (
        page.value("(() => { try { return eval('1') } catch (e) { return e.name } })()")
        == "EvalError"
    )


def test_charts_are_drawn_as_wide_as_the_page_and_the_picture_steps_back(page):
    assert page.value(
        "[...document.querySelectorAll('[data-chart]')].map((f) => f.dataset.drawn)"
    ) == ["live"]
    chart, column = page.value("""(() => {
      const figure = document.querySelector("[data-chart]");
      return [figure.querySelector(".live svg.marks").clientWidth, figure.clientWidth];
    })()""")
    assert chart == pytest.approx(column, abs=4)
    assert page.value("document.querySelectorAll('.live svg.marks path').length") > 3
    assert not page.value("document.querySelector('[data-chart] > img').checkVisibility()")


def test_a_chart_that_fails_to_draw_leaves_its_picture(browser, address, tmp_path):
    broken = tmp_path / "broken.html"
    text = Path(address.removeprefix("file://")).read_text(encoding="utf-8")
    broken.write_text(text.replace('"mark":"line"', '"mark":"nothing"'), encoding="utf-8")
    page = browser.open(broken.as_uri(), wait=DRAWN)
    assert page.value("document.querySelector('[data-chart]').dataset.drawn") == "picture"
    assert page.value("document.querySelector('[data-chart] > img').checkVisibility()")
    page.close()


def test_hostile_values_are_inert(page):
    assert page.value("typeof window.pwned") == "undefined"
    assert page.value("document.querySelectorAll('img[onerror]').length") == 0
    assert "window.pwned" in page.value("document.querySelector('.finding').innerText")


FIRST_COLUMN = (
    "[...document.querySelectorAll('.prose table tbody tr')].map((r) => r.cells[0].innerText)"
)


def test_a_table_sorts_by_size_and_not_by_text_with_what_is_absent_last(page):
    click = "document.querySelectorAll('.prose table th button')[1].click()"
    page.value(click)
    assert page.value(FIRST_COLUMN) == ["a", "b", "d", "c"]
    assert page.value("document.querySelectorAll('.prose table th')[1].ariaSort") == "ascending"
    page.value(click)
    assert page.value(FIRST_COLUMN) == ["d", "b", "a", "c"]


def test_a_table_sorts_by_the_keyboard(page):
    page.value("document.querySelector('.prose table th button').focus()")
    page.press("Enter")
    assert page.value(FIRST_COLUMN) == ["a", "b", "c", "d"]


def test_a_table_is_copied_as_tab_separated_text(page):
    page.value("navigator.clipboard.writeText = async (text) => { window.copied = text }")
    page.value("document.querySelector('.prose .copy').click()")
    page.wait("window.copied")
    assert page.value("window.copied").split("\n")[:2] == ["job\tsize", "b\t2 GiB"]


BACKGROUND = "getComputedStyle(document.body).backgroundColor"
LABEL = "getComputedStyle(document.querySelector('.live svg.marks .role-axis-label text')).fill"


def test_the_page_and_its_charts_follow_the_system(browser, address):
    seen = {}
    for theme in ("light", "dark"):
        page = browser.open(address, theme=theme, wait=DRAWN)
        seen[theme] = (page.value(BACKGROUND), page.value(LABEL))
        page.close()
    assert all(a != b for a, b in zip(seen["light"], seen["dark"], strict=True))


def test_the_toggle_changes_page_and_charts_and_is_remembered(page, address):
    before, label = page.value(BACKGROUND), page.value(LABEL)
    page.value("document.querySelector('[data-toggle-theme]').click()")
    page.wait(f"{LABEL} !== {label!r}")
    assert page.value(BACKGROUND) != before
    page.call("Page.navigate", url=address)
    page.wait(f"document.readyState === 'complete' && {DRAWN}")
    assert page.value("document.documentElement.dataset.theme") == "dark"
    page.value("localStorage.clear()")


def test_text_has_enough_contrast_in_both_themes(browser, address):
    """WCAG AA: 4.5 to 1 for every colour that text has on the page."""
    for theme in ("light", "dark"):
        page = browser.open(address, theme=theme, wait=DRAWN)
        worst = page.value("""(() => {
          const css = getComputedStyle(document.documentElement);
          const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255);
          const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
          const light = (hex) => channels(hex).map(linear).reduce((s, c, i) => s + c * [0.2126, 0.7152, 0.0722][i], 0);
          const full = (name) => css.getPropertyValue(name).trim().replace(/^#(.)(.)(.)$/, "#$1$1$2$2$3$3");
          const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          const texts = ["--ink", "--muted", "--accent", "--error", "--warning", "--info", "--good"];
          return Math.min(...texts.map((t) => ratio(light(full(t)), light(full("--paper")))));
        })()""")
        page.close()
        assert worst >= 4.5, theme


def test_every_link_of_the_contents_leads_to_a_heading(page):
    assert page.value("""[...document.querySelectorAll(".contents a")].every((link) =>
      /^H[1-6]$/.test(document.getElementById(link.hash.slice(1))?.tagName))""")


@pytest.mark.parametrize("width", [360, 768, 1360])
def test_the_page_never_scrolls_sideways(browser, address, width):
    page = browser.open(address, width=width, wait=DRAWN)
    assert (
        page.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        <= 0
    )
    page.close()


def test_on_paper_charts_are_pictures_and_controls_are_gone(page):
    page.theme("dark", media="print")
    visible = "[...document.querySelectorAll({!r})].some((e) => e.checkVisibility())"
    assert page.value(visible.format("[data-chart] > img"))
    for gone in (".live", "[data-toggle-theme]", ".contents", ".tools", "details.code"):
        assert not page.value(visible.format(gone)), gone
    assert page.value(BACKGROUND) == "rgb(255, 255, 255)"


def test_the_index_asks_for_nothing_and_leads_to_the_page(browser, address):
    page = browser.open(address.rpartition("/")[0] + "/index.html")
    assert page.requests == [address.rpartition("/")[0] + "/index.html"]
    assert page.complaints == []
    assert page.value("document.querySelector('.report h2 a').href") == address
    page.close()
