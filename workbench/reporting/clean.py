"""HTML from outputs and Markdown, made harmless and ready for the page.

Only what text and tables need passes: no scripts, styles, forms, frames, event handlers or
addresses that would be fetched. The page's content security policy would stop those too; here they
do not even reach it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from bs4 import BeautifulSoup, Comment, Tag
from bs4.element import NavigableString

__all__ = ["clean_html", "slug"]

_DROPPED: Final = re.compile(
    "^(script|style|iframe|frame|frameset|object|embed|applet|link|meta|base|template|noscript|form"
    "|input|button|select|textarea|audio|video|source|canvas|svg|math|title|head|marquee)$"
)
"""Elements that go with all that they hold."""

_KEPT: Final = re.compile(
    "^(a|abbr|b|blockquote|br|caption|code|col|colgroup|dd|del|details|div|dl|dt|em|figcaption"
    "|figure|h[1-6]|hr|i|img|ins|kbd|li|mark|ol|p|pre|q|s|samp|small|span|strong|sub|summary|sup"
    "|table|tbody|td|tfoot|th|thead|time|tr|u|ul|var)$"
)
"""Elements that stay; of others only their content does."""

_ATTRIBUTES: Final = re.compile(
    "^(alt|class|colspan|data-value|datetime|dir|href|lang|open|rowspan|scope|src|start|title)$"
)

_LINK: Final = re.compile(r"\s*(https?:|mailto:|#)", re.IGNORECASE)
_IMAGE: Final = re.compile(
    r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+", re.IGNORECASE
)
_CLASS: Final = re.compile(r"[A-Za-z][\w-]*")
_NUMBER: Final = re.compile(
    r"[<>≥≤~≈±]?\s*[+−-]?(\d[\d,]*\.?\d*|\.\d+)(e[+-]?\d+)?\s*"
    r"(%|[kMGTP]|[KMGTPE]?i?B|ms|µs|s|min|h|d|[A-Z]{3}|pp|×)?(\s*/\s*\w+)?",
    re.IGNORECASE,
)
_DAY: Final = r"\d{4}-\d\d-\d\d"

_SPAN: Final = re.compile(
    rf"({_NUMBER.pattern}|{_DAY})(\s(–|to)\s({_NUMBER.pattern}|{_DAY}))?",
    re.IGNORECASE,
)
"""A figure or day, or two of them as the ends of a span: they read as one thing on one line."""

_SHORT: Final = 22
"""Characters of a cell that is not to be broken over lines."""

_LONG: Final = 90
"""Characters of a cell that needs a column of some width, or it grows many lines tall."""

_BREAKABLE: Final = re.compile(r"\w{12,}")
"""Texts with words that may not fit their column."""

_BREAKS: Final = re.compile(r"(?<=\w_)(?=[^\W_])")

_ABSENT: Final = frozenset(("", "–", "—", "-", "nan", "none", "<na>", "nat", "no value", "∞", "−∞"))


def clean_html(
    html: str, *, shift_headings: int = 0, identify: Callable[[str], str] | None = None
) -> str:
    """Make HTML harmless; give its tables and headings the form of the page.

    Parameters
    ----------
    html
        From a cell's output or a rendered Markdown cell.
    shift_headings
        How many levels deeper headings go, so that the page keeps one first-level heading.
    identify
        Gives an unused id for a heading's text; without it headings have none.

    Examples
    --------
    >>> clean_html('<p onclick="x()">a<script>b</script></p>')
    '<p>a</p>'
    """
    soup = BeautifulSoup(html, "html.parser")
    for text in soup.find_all(string=lambda t: isinstance(t, Comment)):
        text.extract()
    for tag in soup.find_all(_DROPPED):
        if not tag.decomposed:
            tag.decompose()
    for tag in soup.find_all():
        if _KEPT.match(tag.name):
            _keep_attributes(tag)
        else:
            tag.unwrap()
    _shape_headings(soup, shift_headings, identify)
    for table in soup.find_all("table"):
        _shape_table(soup, table)
    return soup.decode(formatter="minimal")


def _keep_attributes(tag: Tag) -> None:
    classes = [c for c in tag.get_attribute_list("class") if c and _CLASS.fullmatch(c)]
    tag.attrs = {k: v for k, v in tag.attrs.items() if _ATTRIBUTES.match(k) and k != "class"}
    if classes:
        tag["class"] = " ".join(classes)
    if tag.name != "a" or not _LINK.match(str(tag.get("href", ""))):
        tag.attrs.pop("href", None)
    elif not str(tag["href"]).lstrip().startswith("#"):
        tag["rel"] = "noopener noreferrer"
    if "src" in tag.attrs and not (tag.name == "img" and _IMAGE.fullmatch(str(tag["src"]))):
        del tag["src"]


def _shape_headings(soup: BeautifulSoup, shift: int, identify: Callable[[str], str] | None) -> None:
    for tag in soup.find_all(re.compile(r"h[1-6]")):
        tag.name = f"h{min(6, int(tag.name[1]) + shift)}"
        if identify:
            tag["id"] = identify(tag.get_text())


def _shape_table(soup: BeautifulSoup, table: Tag) -> None:
    """Give a table the page's form, and a frame in which it scrolls, also by the keyboard."""
    _join_headings(table)
    _drop_running_number(table)
    rows = _rows(table)
    body = [row for row in rows if any(cell.name == "td" for cell in row)]
    for column in range(max(map(len, rows), default=0)):
        texts = [row[column].get_text().strip() for row in body if column < len(row)]
        told = [t for t in texts if t.lower() not in _ABSENT]
        style = "num" if told and all(map(_NUMBER.fullmatch, told)) else ""
        longest = max(map(len, texts), default=0)
        if not style and longest <= _SHORT:
            style = "short"
        elif longest > _LONG:
            style = "long"
        for cell in (row[column] for row in rows if column < len(row)):
            if style:
                _add_class(cell, style)
            elif _SPAN.fullmatch(cell.get_text().strip()):
                _add_class(cell, "short")
    for row in body:
        for text in [t for cell in row for t in cell.find_all(string=_BREAKABLE)]:
            _let_break(soup, text)
    _add_class(table, "data")
    frame = {"class": "scroll", "tabindex": "0", "role": "group", "aria-label": "Table"}
    table.wrap(soup.new_tag("div", attrs=frame))


def _let_break(soup: BeautifulSoup, text: NavigableString) -> None:
    """Let a long name break after its underscores, by elements that no copy holds."""
    if text.find_parent("pre"):
        return
    first, *others = _BREAKS.split(text)
    for part in others:
        text.insert_before(NavigableString(first), soup.new_tag("wbr"))
        first = part
    text.replace_with(NavigableString(first))


def _rows(table: Tag) -> list[list[Tag]]:
    return [row.find_all(["td", "th"], recursive=False) for row in table.find_all("tr")]


def _join_headings(table: Tag) -> None:
    """Put the name of pandas' index, which has a row of its own, into the row of the headings."""
    head = table.find("thead")
    lines = head.find_all("tr", recursive=False) if head else []
    if len(lines) != 2:
        return
    upper, lower = (line.find_all("th", recursive=False) for line in lines)
    if len(upper) != len(lower) or any(
        a.get_text().strip() and b.get_text().strip() for a, b in zip(upper, lower, strict=True)
    ):
        return
    for above, below in zip(upper, lower, strict=True):
        if below.get_text().strip():
            above.replace_with(below.extract())
    lines[1].decompose()


def _drop_running_number(table: Tag) -> None:
    """Take away pandas' running number: it says nothing."""
    first = [row[0] for row in _rows(table) if row]
    numbers = [cell.get_text().strip() for cell in first if cell.find_parent("tbody")]
    nameless = all(not c.get_text().strip() for c in first if not c.find_parent("tbody"))
    if nameless and numbers and numbers == [str(i) for i in range(len(numbers))]:
        for cell in first:
            cell.decompose()


def _add_class(tag: Tag, name: str) -> None:
    old: Any = tag.get("class") or ""
    words = old.split() if isinstance(old, str) else list(old)
    tag["class"] = " ".join(dict.fromkeys([*words, name]))


def slug(text: str, taken: set[str]) -> str:
    """An id for a heading, unused so far; it is added to `taken`.

    Examples
    --------
    >>> taken: set[str] = set()
    >>> slug("How it runs full", taken), slug("How it runs full!", taken)
    ('how-it-runs-full', 'how-it-runs-full-2')
    """
    base = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "section"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    taken.add(name)
    return name
