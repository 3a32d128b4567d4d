"""HTML from outputs is made harmless, and tables get the page's form."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from workbench.reporting.clean import clean_html, slug

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" java\tscript:alert(1)">x</a>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<object data="https://evil"></object>',
    '<link rel=stylesheet href="https://evil">',
    '<img src="https://evil/pixel.png">',
    '<img src="data:image/svg+xml;base64,AAAA">',
    '<form action="https://evil"><input name=a></form>',
    "<style>@import url(https://evil)</style>",
    '<p style="background:url(https://evil)">x</p>',
    '<base href="https://evil">',
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "<!--<script>alert(1)</script>-->",
    "<table><td background=https://evil>x</td></table>",
]


@pytest.mark.parametrize("html", HOSTILE)
def test_nothing_that_runs_or_fetches_gets_through(html):
    """Parsed again, as a browser would, the result holds no active element or attribute."""
    soup = BeautifulSoup(clean_html(html), "html.parser")
    active = ["script", "iframe", "object", "link", "form", "style", "base", "svg", "math"]
    assert soup.find(active) is None
    for tag in soup.find_all():
        assert not [a for a in tag.attrs if a.startswith("on") or a in ("style", "background")]
        assert not str(tag.get("src", "data:image/png")).startswith("http")
        assert "script" not in str(tag.get("href", ""))
    assert "evil" not in str(soup)


@given(st.text())
def test_cleaning_twice_changes_nothing_more(html):
    once = clean_html(html)
    assert clean_html(once) == once


def test_a_label_value_of_markup_stays_text():
    frame = pd.DataFrame({"job": ["<script>alert(1)</script>"], "value": [1.5]})
    soup = BeautifulSoup(clean_html(frame.to_html()), "html.parser")
    assert soup.find("script") is None
    assert "<script>alert(1)</script>" in soup.get_text()


def test_columns_of_numbers_are_marked_and_others_are_not():
    """Units, signs, percentages and absent values count as numbers; dates and names do not."""
    frame = pd.DataFrame(
        {
            "resource": ["disk a", "disk b"],
            "used": ["1.5 KiB", "–"],
            "share": ["93.1 %", "< 1 %"],
            "growth": ["−2", "12,345"],
            "on": ["2026-07-14", "–"],
        }
    )
    soup = BeautifulSoup(clean_html(frame.to_html(index=False)), "html.parser")
    heads = {th.get_text(): th.get("class") or [] for th in soup.find_all("th")}
    assert {name for name, classes in heads.items() if "num" in classes} == {
        "used",
        "share",
        "growth",
    }


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("0.02037 USD – 0.02292 USD", True),
        ("2026-06-01 – 2026-06-30", True),
        ("−1.2 % to 4,000.50", True),
        ("the counter does not tell it apart", False),
    ],
)
def test_a_figure_or_span_stays_on_one_line_beside_cells_of_prose(text, whole):
    prose = "some words of a remark that is a good deal longer than a figure"
    html = f"<table><tr><th>a</th></tr><tr><td>{text}</td></tr><tr><td>{prose}</td></tr></table>"
    cells = BeautifulSoup(clean_html(html), "html.parser").find_all("td")
    assert ["short" in cell.get("class", []) for cell in cells] == [whole, False]


def test_the_name_of_pandas_index_stands_in_the_row_of_the_headings():
    frame = pd.DataFrame({"a": [1], "b": [2]}, index=pd.Index(["x"], name="job"))
    soup = BeautifulSoup(clean_html(frame.to_html()), "html.parser")
    assert [[th.get_text() for th in row.find_all("th")] for row in soup.thead.find_all("tr")] == [
        ["job", "a", "b"]
    ]


def test_a_running_number_is_left_out_and_a_real_index_is_not():
    numbered = BeautifulSoup(clean_html(pd.DataFrame({"a": ["x", "y"]}).to_html()), "html.parser")
    assert [cell.get_text() for cell in numbered.find_all(["th", "td"])] == ["a", "x", "y"]
    real = pd.DataFrame({"a": ["x", "y"]}, index=[7, 9])
    assert "7" in BeautifulSoup(clean_html(real.to_html()), "html.parser").get_text()


def test_headings_go_deeper_and_get_ids_that_are_unique():
    taken: set[str] = set()
    html = clean_html("<h1>A</h1><h2>A</h2>", shift_headings=1, identify=lambda t: slug(t, taken))
    assert html == '<h2 id="a">A</h2><h3 id="a-2">A</h3>'


def test_long_names_in_tables_break_after_underscores_and_copy_as_they_are():
    name = "my_app_api__request_duration_seconds_"
    html = clean_html(
        f"<table><tr><td>{name} &lt;b&gt;</td><td><code>{name}</code></td><td>a_b</td></tr></table>"
        f"<p>{name}</p>"
    )
    assert "my_<wbr/>app_<wbr/>api__<wbr/>request_<wbr/>duration_<wbr/>seconds_ &lt;b&gt;" in html
    assert "<td>a_b</td>" in html.replace(' class="short"', "")
    assert f"<p>{name}</p>" in html
    soup = BeautifulSoup(html, "html.parser")
    assert [cell.get_text() for cell in soup.find_all("td")] == [f"{name} <b>", name, "a_b"]
