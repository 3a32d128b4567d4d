"""What changed, which buckets would be better, and single slow requests, as tables for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from workbench.latency.advice import Advice
from workbench.latency.comparing import Change, Comparison, Verdict
from workbench.latency.exemplars import Exemplar
from workbench.latency.layouts import Layout
from workbench.latency.result import LatencyResult
from workbench.units import counted, format_quantity
from workbench.views.latency_axis import seconds
from workbench.views.latency_table import by_metric
from workbench.views.listing import Listing
from workbench.window import format_time

__all__ = [
    "advice_listing",
    "comparisons_listing",
    "exemplars_listing",
    "percent_change",
    "snippets_listing",
    "verdict_on",
]

_NONE: Final = "–"

_COMPARISONS: Final = (
    "what", "group", "quantile", "verdict", "before → after", "change", "95 % interval", "certain",
    "p",
)  # fmt: skip

_ADVICE: Final = (
    "metric", "buckets", "choice", "series", "p99 off by", "histogram_quantile off by", "at worst",
    "width of p99's bucket", "objectives on boundaries",
)  # fmt: skip

_ORDER: Final = (Verdict.SLOWER, Verdict.FASTER, Verdict.CANNOT_TELL, Verdict.NO_DIFFERENCE)

_LEVEL: Final = 0.05
"""Of the adjusted p values, as in the comparison itself."""

_REMARKS: Final = 3
"""Remarks below a table; those on what changed come first."""


def percent_change(ratio: float | None) -> str:
    """A ratio as a change, a multiple from two on.

    Examples
    --------
    >>> percent_change(1.25), percent_change(0.8), percent_change(3.4), percent_change(None)
    ('+25 %', '−20 %', '× 3.4', '–')
    """
    if ratio is None or not math.isfinite(ratio):
        return _NONE
    if ratio >= 2:
        return f"× {ratio:.3g}"
    percent = 100 * (ratio - 1)
    text = f"{percent:+.0f}" if abs(percent) >= 10 else f"{percent:+.1f}".removesuffix(".0")
    return "0 %" if text in ("+0", "-0") else f"{text} %".replace("-", "−")


def verdict_on(comparison: Comparison, change: Change) -> Verdict:
    """What is to be said of one quantile of a comparison."""
    if change.p_adjusted is not None and change.p_adjusted < _LEVEL:
        return Verdict.SLOWER if (change.ratio or 1.0) > 1 else Verdict.FASTER
    unsure = change.why_not or comparison.verdict is Verdict.CANNOT_TELL
    return Verdict.CANNOT_TELL if unsure else Verdict.NO_DIFFERENCE


def comparisons_listing(result: LatencyResult) -> Listing:
    """One row a comparison and quantile, those that changed first."""
    ordered = sorted(result.comparisons, key=lambda c: _ORDER.index(c.verdict))
    rows = [_change(c, each) for c in ordered for each in c.changes]
    note = (
        "The interval is of the change beyond the usual ups and downs, learnt from earlier windows; "
        "certain is what the buckets prove of the requests that were counted; p is adjusted for the "
        "number of comparisons."
    )
    empty = "Nothing was compared: no deploy was found in the range, and none was named."
    said = " ".join([note, *_remarks(ordered)]) if rows else ""
    return Listing(_COMPARISONS, rows, empty=empty, note=said)


def _remarks(comparisons: Sequence[Comparison]) -> list[str]:
    """What weakens comparisons, each remark once, with how many it is about."""
    about: dict[str, list[str]] = {}
    for each in comparisons:
        for text in (*each.notes, *(c.why_not for c in each.changes if c.why_not)):
            about.setdefault(text, []).append(f"{each.title}, {_group(each)}")
    said = [
        f"{_sentence(text)} ({who[0] if len(who) == 1 else counted(len(who), 'time')})."
        for text, who in about.items()
    ]
    hidden = len(said) - _REMARKS
    return [*said[:_REMARKS], *([f"{counted(hidden, 'more remark')}."] if hidden > 0 else [])]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _group(comparison: Comparison) -> str:
    return ", ".join(f"{n}={v}" for n, v in sorted(comparison.group.items())) or "all"


def _change(comparison: Comparison, change: Change) -> list[object]:
    p = change.p_adjusted
    return [
        comparison.title,
        _group(comparison),
        change.name,
        verdict_on(comparison, change).value,
        f"{seconds(change.before)} → {seconds(change.after)}",
        percent_change(change.ratio),
        _span(change.low, change.high),
        _span(change.certain_low, change.certain_high),
        _NONE if p is None else "< 0.001" if p < 0.001 else f"{p:.2g}",
    ]


def _span(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return _NONE
    if high is None:
        return f"{percent_change(low)} or more"
    if low is None:
        return f"{percent_change(high)} or less"
    return f"{percent_change(low)} … {percent_change(high)}"


def advice_listing(result: LatencyResult) -> Listing:
    """One row a layout of buckets: what it costs and how far off its p99 will be."""
    rows: list[list[object]] = []
    said: list[str] = []
    for name, advice in result.advice.items():
        shown = [x for x in advice.layouts if not _outdone(x, advice)]
        rows.extend(_layout(name, advice, layout) for layout in shown)
        prefix = f"{name}: " if len(result.advice) > 1 else ""
        said.append(f"{prefix or 'Choice: '}{advice.reason}.")
        if hidden := len(advice.layouts) - len(shown):
            said.append(f"{counted(hidden, 'layout')} that cost more and miss more are left out.")
        said += [f"{_sentence(text)}." for text in advice.notes]
    note = " ".join(dict.fromkeys(said))
    empty = note or "No classic histogram was read: there are no buckets to advise on."
    return by_metric(_ADVICE, rows, empty, note)


def _outdone(layout: Layout, advice: Advice) -> bool:
    """Whether it was made to measure, and another such one costs no more and is better."""
    made = ("geometric", "focused")
    if layout.kind not in made or layout is advice.recommended:
        return False
    return any(
        other.kind in made
        and other.series <= layout.series
        and (other.error, other.series) < (layout.error, layout.series)
        for other in advice.layouts
    )


def _layout(name: str, advice: Advice, layout: Layout) -> list[object]:
    top = max(layout.quantiles, key=lambda q: q.quantile, default=None)
    marks = ["today"] if layout is advice.today else []
    marks += ["recommended"] if layout is advice.recommended else []
    change = f" ({layout.series_change:+,})".replace("-", "−") if layout.series_change else ""
    figures = [_NONE] * 4
    if top is not None:
        each = (top.expected, top.expected_promql, top.worst_promql, top.width)
        figures = [_percent(share) for share in each]
    kept = [o.objective for o in layout.objectives if o.on_boundary]
    wanted = len(layout.objectives)
    many = counted(layout.buckets, "bucket")
    return [
        name,
        many if layout.name == "today" else f"{layout.name}, {many}",
        ", ".join(marks),
        f"{layout.series:,}{change}",
        *figures,
        f"{len(kept)} of {wanted}" if wanted else _NONE,
    ]


def _percent(share: float) -> str:
    if not math.isfinite(share):
        return "no bound"
    return format_quantity(float(f"{share:.2g}"), "ratio")


def snippets_listing(result: LatencyResult) -> Listing:
    """The recommended boundaries as text and as code for each client, whole, to be pasted."""
    rows = [
        row
        for name, advice in result.advice.items()
        if advice.snippets and advice.recommended is not None
        for row in [
            [name, "boundaries", _boundaries(advice.recommended)],
            *([name, f"{s.client} ({s.language})", s.code] for s in advice.snippets),
        ]
    ]
    empty = "There is no layout to write down."
    headings = ("metric", "client", "code")
    return Listing(headings, rows, empty=empty, code=frozenset({"code"}))


def _boundaries(layout: Layout) -> str:
    return ", ".join(f"{x:g}" for x in layout.boundaries)


def exemplars_listing(result: LatencyResult) -> Listing:
    """One row an exemplar, the slowest first, with a link to its trace where a template is given."""
    rows = [_exemplar(each) for each in result.exemplars]
    empty = (
        "No exemplar was found: the source keeps none, or the clients attach none. Prometheus keeps "
        "them with --enable-feature=exemplar-storage."
    )
    headings = ("latency", "time", "group", "trace", "link", "labels")
    return Listing(headings, rows, empty=empty, links=frozenset({"link"}))


def _exemplar(one: Exemplar) -> list[object]:
    series = {n: v for n, v in one.series.items() if n not in ("__name__", "le")}
    rest = {n: v for n, v in one.labels.items() if v != one.trace_id}
    return [
        seconds(one.seconds),
        format_time(one.time_ms),
        _labels(series),
        one.trace_id or _NONE,
        one.link or _NONE,
        _labels(rest),
    ]


def _labels(labels: dict[str, str]) -> str:
    return ", ".join(f"{n}={v}" for n, v in sorted(labels.items())) or _NONE
