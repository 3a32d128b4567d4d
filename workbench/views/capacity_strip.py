"""Many resources as a heat strip: a row each, a cell a week, from how full it was to how likely full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

import numpy as np

from workbench.capacity import Outlook, Verdict
from workbench.samples import Floats
from workbench.statistics import DAY_MS
from workbench.units import format_chance, format_quantity
from workbench.views.axis import plain_text
from workbench.views.capacity_table import full_on, headline
from workbench.views.columns import Datasets
from workbench.views.theme import COLOURS

__all__ = ["CHANCES", "WIDTH", "key", "short_names", "strength", "strip_chart"]

WIDTH: Final = 690
_STEP: Final = 16
_PAST_CELLS: Final = 13
_FUTURE_CELLS: Final = 26
"""At most so many cells on either side of now: longer horizons have cells of four weeks."""

_NAMES: Final = 0.34
"""The share of the width that the names take …"""

_OUTCOMES: Final = 0.11
"""… and what stands behind the cells."""

_CHARACTERS: Final = 30
"""Of a name: what the names' share of a narrow page holds."""

_FONT: Final = 10.5

CHANCES: Final = (0.05, 0.2, 0.5, 0.8)
"""Where the classes of P(full) part: unlikely, possible, …, and a date."""

_SHARES: Final = (0.5, 0.7, 0.85, 0.95)
"""Where the classes of peak / limit part."""

_STRENGTHS: Final = (0.12, 0.3, 0.5, 0.74, 1.0)
"""How opaque each class is: strength and not colour tells, on any ground and to any eye."""


@dataclass(frozen=True, slots=True)
class _Weeks:
    """The columns: numbered from now, negative before it."""

    now_ms: int
    horizon: int
    span: int
    first: int

    @property
    def last(self) -> int:
        return -(-self.horizon // self.span)

    def time(self, column: int) -> str:
        """The day on which a column begins, which is where the one before it ends."""
        moment = datetime.fromtimestamp((self.now_ms + column * self.span * DAY_MS) // 1000, UTC)
        return f"{moment.day} {moment:%b}"


def strip_chart(rows: Datasets, outlooks: Sequence[Outlook], *, horizon: int, title: Any) -> Any:
    """Draw resources as rows of cells.

    Parameters
    ----------
    rows
        Where the data goes.
    outlooks
        The resources, in the order of the rows; of one analysis.
    horizon
        How many days ahead it looked.
    title
        Above the strip.

    Returns
    -------
    altair.LayerChart
        Blue cells: the highest share of the limit in each past week. Red cells: the chance that it
        was full by the end of each coming week. Part of a chart that holds the data sets.
    """
    import altair as alt

    weeks = _columns(outlooks, horizon)
    count = weeks.last - weeks.first
    scale = alt.Scale(
        domain=[
            weeks.first - count * _NAMES / (1 - _NAMES - _OUTCOMES),
            weeks.last + count * _OUTCOMES / (1 - _NAMES - _OUTCOMES),
        ],
        nice=False,
        zero=False,
    )
    _file_rows(rows, outlooks, horizon, weeks)
    ends = (scale, weeks.first, weeks.last + count * _OUTCOMES / (1 - _NAMES - _OUTCOMES))
    past, coming = "highest peak / limit of a week", "P(full by the end of a week)"
    layers = [
        *key(rows, past, _SHARES, colour=COLOURS["usage"], above=50, x=ends),
        *key(rows, coming, CHANCES, colour=COLOURS["error"], above=32, x=ends),
        _cells(rows, "past", list(_past(outlooks, weeks)), scale),
        _cells(rows, "coming", list(_coming(outlooks, weeks)), scale),
        *_words(scale),
        *_dates(rows, weeks, scale),
    ]
    chart = alt.layer(*layers, width=WIDTH, height={"step": _STEP}, title=title)
    return chart.resolve_scale(opacity="independent")


def _columns(outlooks: Sequence[Outlook], horizon: int) -> _Weeks:
    span = 7 if horizon <= 7 * _FUTURE_CELLS else 28
    longest = max((len(o.history) for o in outlooks), default=0)
    now_ms = outlooks[0].history.end_ms if outlooks else 0
    return _Weeks(now_ms, horizon, span, -min(_PAST_CELLS, -(-longest // span)))


def _file_rows(rows: Datasets, outlooks: Sequence[Outlook], horizon: int, weeks: _Weeks) -> None:
    """What is said of a whole row, for the words beside the cells and for their tooltips."""
    rows["strip_rows"] = [
        {
            "row": i,
            "name": name,
            "whole": plain_text(o.name),
            "line": plain_text(headline(o, horizon)),
            "owner": plain_text(o.owner) or "–",
            "outcome": _outcome(o, horizon),
            "date": _date(o, weeks),
        }
        for i, (o, name) in enumerate(zip(outlooks, short_names(outlooks), strict=True))
    ]


def short_names(outlooks: Sequence[Outlook]) -> list[str]:
    """Names without the domains that several share: ``disk db-1…`` for ``disk db-1.example.net``.

    What would then no longer be told apart keeps its domain.
    """
    words = [o.name.split(" ") for o in outlooks]
    domains = Counter(_domain(word) for line in words for word in line)
    short = [" ".join(_without_domain(word, domains) for word in line) for line in words]
    alike = Counter(short)
    return [
        plain_text(name if alike[name] == 1 else o.name, most=_CHARACTERS)
        for name, o in zip(short, outlooks, strict=True)
    ]


def _domain(word: str) -> str:
    host, _, domain = word.partition(".")
    return domain if host and not host.isdigit() else ""


def _without_domain(word: str, domains: Counter[str]) -> str:
    domain = _domain(word)
    return f"{word[: -len(domain) - 1]}…" if len(domain) > 4 and domains[domain] > 1 else word


def _outcome(outlook: Outlook, horizon: int) -> str:
    found = outlook.saturation
    if outlook.verdict in (Verdict.POSSIBLE, Verdict.UNLIKELY) and found:
        return format_chance(found.chances[horizon])
    return full_on(outlook).rpartition(" 20")[0] or full_on(outlook)


def _date(outlook: Outlook, weeks: _Weeks) -> float | None:
    """Where the date stands, counted in columns."""
    found = outlook.saturation
    if found is None or not found.dated or found.days is None or found.days > weeks.horizon:
        return None
    return found.days / weeks.span


_Cell = tuple[int, int, float, str]
"""Row, column, value, and the value as text."""


def _past(outlooks: Sequence[Outlook], weeks: _Weeks) -> Iterator[_Cell]:
    """The highest share of the limit in each week of the history."""
    for row, outlook in enumerate(outlooks):
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = outlook.history.peaks / outlook.limits
        for column in range(weeks.first, 0):
            start = max(len(shares) + column * weeks.span, 0)
            part: Floats = shares[start : max(len(shares) + (column + 1) * weeks.span, 0)]
            known = part[np.isfinite(part)]
            if len(known):
                share = float(known.max())
                yield row, column, share, format_quantity(share, "ratio")


def _coming(outlooks: Sequence[Outlook], weeks: _Weeks) -> Iterator[_Cell]:
    """The chance of being full by the end of each coming week; what is full stays so."""
    for row, outlook in enumerate(outlooks):
        found = outlook.saturation
        for column in range(weeks.last):
            if outlook.verdict is Verdict.FULL:
                yield row, column, 1.0, "full now"
            elif found is not None:
                day = min((column + 1) * weeks.span, weeks.horizon)
                chance = float(found.cumulative[day - 1])
                yield row, column, chance, format_chance(chance)


def _cells(rows: Datasets, kind: str, cells: Sequence[_Cell], scale: Any) -> Any:
    """One rectangle a week."""
    import altair as alt

    past = kind == "past"
    shown: dict[str, list[Any]] = {"row": [], "column": [], "value": [], "text": []}
    for row, column, value, text in cells:
        each = (row, column, float(f"{value:.4g}"), text)
        for values, one in zip(shown.values(), each, strict=True):
            values.append(one)
    rows[f"strip_{kind}"] = [shown]
    said = alt.LookupData(alt.NamedData(name="strip_rows"), "row", ["whole", "line", "owner"])
    week = alt.LookupData(alt.NamedData(name="strip_weeks"), "column", ["week"])
    what = "peak / limit in a week" if past else "P(full by the end of a week)"
    tooltip = [
        ("whole", "resource"),
        ("week", "days"),
        ("text", what),
        ("line", "outlook"),
        ("owner", "owner"),
    ]
    return (
        alt.Chart(alt.NamedData(name=f"strip_{kind}"))
        .transform_flatten([alt.FieldName(name) for name in shown])
        .transform_lookup(lookup="row", from_=said)
        .transform_lookup(lookup="column", from_=week)
        .transform_calculate(end="datum.column + 1")
        .mark_rect(color=_colour(past=past), x2Offset=-1.5)
        .encode(
            x=alt.X("column:Q", scale=scale, axis=None),
            x2="end",
            y=_y(),
            opacity=strength("value", _SHARES if past else CHANCES),
            tooltip=[alt.Tooltip(f"{field}:N", title=title) for field, title in tooltip],
        )
    )  # fmt: skip


def _colour(*, past: bool) -> str:
    return COLOURS["usage" if past else "error"]


def _y() -> Any:
    import altair as alt

    return alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0.12, paddingOuter=0.06))


def strength(field: str, bounds: Sequence[float]) -> Any:
    """How opaque a cell is, by classes of its value: the four upper ones begin at `bounds`."""
    import altair as alt

    scale = alt.Scale(type="threshold", domain=list(bounds), range=list(_STRENGTHS))
    return alt.Opacity(f"{field}:Q", scale=scale, legend=None)


def key(
    rows: Datasets,
    what: str,
    bounds: Sequence[float],
    *,
    colour: str,
    above: int,
    x: tuple[Any, float, float],
) -> list[Any]:
    """Say in a line above the cells what their strength means.

    Vega would set legends beside each other, wider than a narrow page.

    Parameters
    ----------
    rows
        Where the data goes.
    what
        The value's name.
    bounds
        As `strength` takes them.
    colour
        Of the cells.
    above
        How many dots above the cells.
    x
        The horizontal scale, and from where to where the samples of the classes stand.
    """
    import altair as alt

    scale, first, last = x
    ends = [f"{b * 100:.0f}" for b in bounds]
    texts = [f"< {ends[0]} %", *(f"{a}–{b} %" for a, b in pairwise(ends)), f"≥ {ends[-1]} %"]
    values = [bounds[0] / 2, *(b + 1e-6 for b in bounds)]
    name = f"key_{len(rows)}"
    rows[name] = [
        {"at": first + (last - first) * i / len(texts), "value": value, "text": text}
        for i, (value, text) in enumerate(zip(values, texts, strict=True))
    ]
    head = alt.Chart(alt.InlineData(values=[{"text": what}]))
    base = alt.Chart(alt.NamedData(name=name)).encode(
        x=alt.X("at:Q", scale=scale, axis=None), y=alt.value(-above)
    )
    square = base.mark_square(color=colour, size=110, xOffset=5, filled=True)
    return [
        head.mark_text(align="left", fontSize=_FONT).encode(
            x=alt.value(0), y=alt.value(-above), text="text:N"
        ),
        square.encode(opacity=strength("value", bounds)),
        base.mark_text(align="left", dx=14, fontSize=_FONT).encode(text="text:N"),
    ]


def _words(scale: Any) -> list[Any]:
    """Each row's name and outcome, and the mark of its date."""
    import altair as alt

    data = alt.NamedData(name="strip_rows")
    base = alt.Chart(data).encode(y=_y(), tooltip=[alt.Tooltip("whole:N", title="resource")])
    names = base.mark_text(align="left", fontSize=_FONT)
    outcomes = base.mark_text(align="right", fontSize=_FONT)
    dates = base.transform_filter("isValid(datum.date)").mark_point(
        shape="diamond",
        size=46,
        filled=True,
        color="#FFFFFF",
        stroke="#22262A",
        strokeWidth=1,
        opacity=1,
    )
    return [
        names.encode(x=alt.value(0), text="name:N"),
        outcomes.encode(x=alt.value("width"), text="outcome:N"),
        dates.encode(x=alt.X("date:Q", scale=scale, axis=None)),
    ]


def _dates(rows: Datasets, weeks: _Weeks, scale: Any) -> list[Any]:
    """Dates above the cells, and a line where the past ends."""
    import altair as alt

    rows["strip_weeks"] = [
        {"column": c, "week": f"{weeks.time(c)} – {weeks.time(c + 1)}"}
        for c in range(weeks.first, weeks.last)
    ]
    every = max(1, round((weeks.last - weeks.first) / 7))
    marks = [c for c in range(weeks.first, weeks.last + 1) if c % every == 0]
    rows["strip_dates"] = [{"column": c, "text": "now" if c == 0 else weeks.time(c)} for c in marks]
    x = alt.X("column:Q", scale=scale, axis=None)
    text = alt.Chart(alt.NamedData(name="strip_dates")).mark_text(baseline="bottom", fontSize=_FONT)
    now = alt.Chart(alt.NamedData(name="strip_dates")).transform_filter("datum.column === 0")
    return [
        text.encode(x=x, y=alt.value(-4), text="text:N"),
        now.mark_rule(xOffset=-0.5).encode(x=x),
    ]
