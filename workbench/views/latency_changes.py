"""What changed, as a picture: each quantile's ratio of after to before, with its interval.

The verdict stands in words beside each group, and in shape as well as colour at each point.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from workbench.latency.comparing import Change, Comparison, Verdict
from workbench.latency.result import LatencyResult
from workbench.views.axis import plain_text
from workbench.views.bar_rows import Rows, rows_as
from workbench.views.latency_axis import seconds
from workbench.views.latency_listings import percent_change, verdict_on
from workbench.views.theme import COLOURS, themed
from workbench.views.timeline import empty_chart, subtitled

__all__ = ["latency_changes"]

_MOST: Final = 16
"""Comparisons; those where something was seen come first."""

_WIDTH: Final = 400
_INDENT: Final = 44
_STEP: Final = 19
"""Height of a row."""

_ORDER: Final = (Verdict.SLOWER, Verdict.FASTER, Verdict.CANNOT_TELL, Verdict.NO_DIFFERENCE)

_LOOKS: Final = {
    "slower": ("triangle-right", COLOURS["error"]),
    "faster": ("triangle-left", COLOURS["good"]),
    "no difference seen": ("circle", COLOURS["usage"]),
    "cannot tell": ("cross", COLOURS["neutral"]),
}
"""Shape and colour of a quantile's verdict."""

_WIDEST: Final = 8.0
"""Ratios beyond this, and below its inverse, stand at the end of the axis."""

_TICKS: Final = (0.125, 0.25, 0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 4, 8)


def latency_changes(result: LatencyResult) -> Any:
    """Draw each comparison's quantiles.

    Parameters
    ----------
    result
        Of a latency analysis.

    Returns
    -------
    altair.LayerChart
        A heading for each comparison, and below it a row for each quantile.
    """
    import altair as alt

    title = "Change of latency"
    ordered = sorted(result.comparisons, key=lambda c: _ORDER.index(c.verdict))
    shown = ordered[:_MOST]
    if not shown:
        return empty_chart(title, "Nothing was compared: no deploy was found, and none was named.")
    rows: Rows = {}
    entries = [entry for c in shown for entry in _entries(c)]
    data = rows_as(rows, "changes", entries)
    whole = alt.layer(
        *_layers(data, _reach(shown)),
        width=_WIDTH,
        height=_STEP * len(entries),
        title=subtitled(title, _notes(len(ordered))),
    )
    drawn = themed(whole)
    drawn.datasets = rows
    return drawn


def _notes(comparisons: int) -> list[str]:
    notes = [
        "ratio of after to before, with its 95 % interval; open to a side where it runs on",
        "▶ slower · ◀ faster · ● no difference seen · ✚ cannot tell",
    ]
    if comparisons > _MOST:
        notes.append(f"{_MOST} of {comparisons:,} comparisons; the table has all")
    return notes


def _entries(comparison: Comparison) -> list[dict[str, Any]]:
    """The rows of one comparison: its heading, and one for each quantile."""
    group = ", ".join(f"{n}={v}" for n, v in sorted(comparison.group.items())) or "all requests"
    verdict = comparison.verdict.value
    heading = {
        "heading": f"{plain_text(group, most=44)} · {plain_text(comparison.title, most=30)}",
        "verdict": verdict.capitalize(),
        "ink": _ink(verdict),
        "why": plain_text(comparison.why, most=300),
    }
    return [heading, *(_entry(comparison, change) for change in comparison.changes)]


def _entry(comparison: Comparison, change: Change) -> dict[str, Any]:
    verdict = verdict_on(comparison, change).value
    interval = f"{percent_change(change.low)} … {percent_change(change.high)}"
    known = change.low is not None and change.high is not None
    return {
        "name": change.name,
        "ratio": change.ratio,
        "low": change.low,
        "high": change.high,
        "verdict": verdict,
        "colour": _LOOKS[verdict][1],
        "ink": _ink(verdict),
        "shape": _LOOKS[verdict][0],
        "figure": f"{percent_change(change.ratio)} ({interval})" if known else "not judged",
        "values": f"{seconds(change.before)} → {seconds(change.after)}",
        "interval": interval if known else "–",
        "certain": f"{percent_change(change.certain_low)} … {percent_change(change.certain_high)}",
        "rests": f"{change.windows:,} windows of history"
        if change.windows
        else change.method.value,
        "why": plain_text(change.why_not or "–", most=300),
    }


def _ink(verdict: str) -> str:
    """Of text: only what changed is coloured."""
    return _LOOKS[verdict][1] if verdict in ("slower", "faster") else COLOURS["neutral"]


def _reach(comparisons: Sequence[Comparison]) -> float:
    """The largest ratio of the axis, which is as long to the left."""
    seen = [x for c in comparisons for e in c.changes for x in (e.ratio, e.low, e.high)]
    logs = [abs(math.log(x)) for x in seen if x is not None and 0 < x < math.inf]
    return min(max([1.25, *(1.05 * math.exp(x) for x in logs)]), _WIDEST)


def _layers(data: Any, reach: float) -> list[Any]:
    """Headings, then points and intervals with their figures at the right."""
    import altair as alt

    values = [x for x in _TICKS if 1 / reach <= x <= reach]
    scale = alt.Scale(type="log", domain=[1 / reach, reach], nice=False)
    text = "datum.value < 2 ? format(datum.value - 1, '+.0%') : '× ' + format(datum.value, '~r')"
    axis = alt.Axis(
        title=None, values=values, tickCount=len(values), labelExpr=text, grid=True, orient="top"
    )
    y = alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0.2))
    colour = alt.Color("colour:N", scale=None)
    tooltip = [
        alt.Tooltip("name:N", title="quantile"),
        alt.Tooltip("verdict:N"),
        alt.Tooltip("values:N", title="before → after"),
        alt.Tooltip("interval:N", title="95 % interval"),
        alt.Tooltip("certain:N", title="certain by buckets"),
        alt.Tooltip("rests:N", title="noise from"),
        alt.Tooltip("why:N", title="why not judged"),
    ]
    base = alt.Chart(data).encode(y=y, color=colour)
    ends = {"low": f"max(datum.low, {1 / reach!r})", "high": f"min(datum.high, {reach!r})"}
    interval = (
        base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        .transform_calculate(**ends)
        .mark_rule(strokeWidth=2.4, opacity=0.6, clip=True)
    )
    point = (
        base.transform_filter("isValid(datum.ratio)")
        .transform_calculate(ratio=f"clamp(datum.ratio, {1 / reach!r}, {reach!r})")
        .mark_point(filled=True, size=75, opacity=1)
    )
    same = alt.Chart(alt.InlineData(values=[{"at": 1}])).mark_rule(strokeDash=[3, 3], opacity=1)
    ink = alt.Color("ink:N", scale=None)
    of_quantiles = alt.Chart(data).transform_filter("isValid(datum.name)").encode(y=y, color=ink)
    of_headings = alt.Chart(data).transform_filter("isValid(datum.heading)").encode(y=y)
    bold = {"fontSize": 12, "fontWeight": 600, "baseline": "middle"}
    name = of_quantiles.mark_text(align="right", dx=-8, fontSize=11)
    right = of_quantiles.mark_text(align="left", dx=12, fontSize=11)
    heading = of_headings.mark_text(align="left", **bold)
    verdict = of_headings.encode(color=ink).mark_text(align="left", dx=12, **bold)
    return [
        same.encode(x=alt.X("at:Q", scale=scale, axis=axis)),
        interval.encode(
            x=alt.X("low:Q", scale=alt.Scale(type="log"), axis=alt.Axis(title=None)),
            x2="high:Q",
            tooltip=tooltip,
        ),
        point.encode(
            x=alt.X("ratio:Q", scale=scale, axis=axis),
            shape=alt.Shape("shape:N", scale=None),
            tooltip=tooltip,
        ),
        name.encode(x=alt.value(0), text="name:N"),
        heading.encode(x=alt.value(-_INDENT), text="heading:N"),
        # a page may give the chart another width
        verdict.encode(x=alt.value("width"), text="verdict:N"),
        right.encode(x=alt.value("width"), text="figure:N"),
    ]
