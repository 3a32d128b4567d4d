"""Anomalies of spend as a table, and as a picture: daily spend with what was to be expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from workbench.spend.changes.anomaly import Anomaly
from workbench.spend.result import SpendResult
from workbench.statistics import DAY_MS
from workbench.views.axis import plain_text
from workbench.views.listing import Listing
from workbench.views.spend_text import money_text, signed_text
from workbench.views.theme import COLOURS, themed
from workbench.views.timeline import WIDTH, empty_chart, subtitled, time_axis

__all__ = ["anomalies_listing", "anomaly_chart"]

_PANELS: Final = 6
"""So many anomalies are drawn, the largest."""

_HEIGHT: Final = 150
_ALONE: Final = 240

_HEADINGS: Final = ("when", "who", "cost more", "spent", "expected, 80 %", "why")


def anomalies_listing(anomalies: Sequence[Anomaly]) -> Listing:
    """Anomalies as text: when, who, what it cost more than expected, and why."""
    return Listing(
        _HEADINGS,
        [_row(a) for a in anomalies],
        empty="No spend departs from what weekdays, growth and level let expect. With fewer than 14 "
        "days of history none is looked for.",
        note="Expected: what the accounts would have spent on these days by weekday, growth and level. "
        "The causes add up to what it cost more; small ones are left out."
        if anomalies
        else "",
    )


def _row(anomaly: Anomaly) -> list[str]:
    currency = anomaly.currency
    return [
        anomaly.when,
        plain_text(anomaly.subject),
        signed_text(anomaly.excess, currency),
        money_text(anomaly.actual, currency),
        f"{money_text(anomaly.low)} – {money_text(anomaly.high)}",
        plain_text(anomaly.why, most=400),
    ]


def anomaly_chart(result: SpendResult, anomalies: Sequence[Anomaly]) -> Any:
    """Draw daily spend with the band in which it was expected, and the anomalies marked.

    Parameters
    ----------
    result
        Of `workbench.spend.analysis.analyse`.
    anomalies
        Found in its history.

    Returns
    -------
    altair.VConcatChart or altair.LayerChart
        A panel an anomaly, the six largest. Names stand in it as text only, never in an expression.
    """
    import altair as alt

    if not anomalies:
        return empty_chart(
            "Anomalies of spend",
            f"None from {result.first} to {result.last}.",
        )
    shown = sorted(anomalies, key=lambda a: -abs(a.share))[:_PANELS]
    height = _ALONE if len(shown) == 1 else _HEIGHT
    panels = [_panel(a, height) for a in shown]
    more = len(anomalies) - len(shown)
    note = "Orange: what was to be expected, with its 80 % interval a day; dots: the anomaly."
    title = subtitled("Anomalies of spend", [note, *([f"{more} more are not drawn."] if more else [])])  # fmt: skip
    return themed(alt.vconcat(*panels, title=title, spacing=18))


def _panel(anomaly: Anomaly, height: int) -> Any:
    """Spend a day, the band, and the days of the anomaly."""
    import altair as alt

    head = f"{plain_text(anomaly.subject)}: {signed_text(anomaly.excess, anomaly.currency)} {anomaly.when}"  # fmt: skip
    base = alt.Chart(alt.Data(values=_values(anomaly)), width=WIDTH, height=height)
    x = time_axis("day", most=8)
    tooltip = [
        alt.Tooltip("date:N", title="day"),
        alt.Tooltip("spent:Q", title=f"spent, {plain_text(anomaly.currency)}", format=",.2f"),
        alt.Tooltip("expected:Q", format=",.2f"),
        alt.Tooltip("low:Q", title="80 % from", format=",.2f"),
        alt.Tooltip("high:Q", title="80 % to", format=",.2f"),
    ]
    axis = alt.Axis(
        title=f"{plain_text(anomaly.currency)} a day", titleAngle=0, titleAlign="left",
        titleAnchor="end", titleX=4, titleY=-6,
    )  # fmt: skip
    y = alt.Y("spent:Q", axis=axis, scale=alt.Scale(zero=True))
    colour = COLOURS["limit"] if anomaly.excess > 0 else COLOURS["good"]
    band = base.mark_area(color=COLOURS["forecast"], opacity=0.28).encode(
        x=x, y=alt.Y("low:Q", axis=axis), y2="high:Q"
    )
    expected = base.mark_line(color=COLOURS["forecast"], strokeDash=[5, 3]).encode(
        x=x, y=alt.Y("expected:Q", axis=axis)
    )
    spent = base.mark_line(color=COLOURS["usage"]).encode(x=x, y=y, tooltip=tooltip)
    days = (
        base.transform_filter("datum.odd")
        .mark_point(color=colour, filled=True, size=55, opacity=1)
        .encode(x=x, y=y, tooltip=tooltip)
    )
    return alt.layer(band, expected, spent, days).properties(title=subtitled(head, []))


def _values(anomaly: Anomaly) -> list[dict[str, Any]]:
    """A row a day that was seen."""
    course = anomaly.course
    dates = course.days.astype("datetime64[D]").astype(str).tolist()
    columns = (course.actual, course.expected, course.low, course.high)
    first, through = anomaly.first.isoformat(), anomaly.through.isoformat()
    return [
        {
            "day": day * DAY_MS,
            "date": text,
            "spent": round(spent, 4),
            "expected": round(expected, 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "odd": first <= text <= through,
        }
        for day, text, spent, expected, low, high in zip(
            course.days.tolist(), dates, *(c.tolist() for c in columns), strict=True
        )
    ]
