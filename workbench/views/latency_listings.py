"""What changed, which buckets would be better, and single slow requests, as tables for people."""

from __future__ import annotations

import math
from typing import Final

from workbench.latency.advice import Advice
from workbench.latency.comparing import Change, Comparison
from workbench.latency.exemplars import Exemplar
from workbench.latency.layouts import Layout
from workbench.latency.result import LatencyResult
from workbench.units import counted, format_quantity
from workbench.views.latency_axis import seconds
from workbench.views.listing import Listing
from workbench.window import format_time

__all__ = [
    "advice_listing",
    "comparisons_listing",
    "exemplars_listing",
    "percent_change",
    "snippets_listing",
]

_NONE: Final = "–"

_COMPARISONS: Final = (
    "what", "group", "verdict", "quantile", "before", "after", "change", "95 % interval",
    "certain", "p, adjusted", "why",
)  # fmt: skip

_ADVICE: Final = (
    "metric", "buckets", "", "boundaries", "series", "error of p99", "by histogram_quantile",
    "worst", "width of its bucket", "objectives on boundaries",
)  # fmt: skip


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


def comparisons_listing(result: LatencyResult) -> Listing:
    """One row a comparison and quantile, those that are certain to have changed first."""
    ordered = sorted(result.comparisons, key=lambda c: _ORDER[c.verdict.value])
    rows = [_change(c, each) for c in ordered for each in c.changes]
    note = (
        "The interval is of the change that lasts beyond the usual ups and downs, learnt from earlier "
        "windows. Certain is what the buckets prove of the requests that were counted. p is adjusted "
        "for the number of comparisons."
    )
    empty = "Nothing was compared: no deploy was found in the window, and none was named."
    return Listing(_COMPARISONS, rows, empty=empty, note=note if rows else "")


_ORDER: Final = {"slower": 0, "faster": 1, "cannot tell": 2, "no difference seen": 3}


def _change(comparison: Comparison, change: Change) -> list[object]:
    name = ", ".join(f"{n}={v}" for n, v in sorted(comparison.group.items()))
    p = change.p_adjusted
    return [
        comparison.title,
        name or "all",
        comparison.verdict.value,
        change.name,
        seconds(change.before),
        seconds(change.after),
        percent_change(change.ratio),
        _span(change.low, change.high),
        _span(change.certain_low, change.certain_high),
        _NONE if p is None else "< 0.001" if p < 0.001 else f"{p:.2g}",
        change.why_not or "; ".join(comparison.notes),
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
    several = len(result.advice) > 1
    rows = [
        _layout(name, advice, layout)[0 if several else 1 :]
        for name, advice in result.advice.items()
        for layout in advice.layouts
    ]
    reasons = [
        f"{name}: {advice.reason}" if several else advice.reason
        for name, advice in result.advice.items()
    ]
    said = [*reasons, *dict.fromkeys(n for a in result.advice.values() for n in a.notes)]
    empty = "; ".join(said) or "No classic histogram was read: there are no buckets to advise on."
    note = ". ".join(text[:1].upper() + text[1:] for text in said) if rows else ""
    return Listing(_ADVICE[0 if several else 1 :], rows, empty=empty, note=note)


def _layout(name: str, advice: Advice, layout: Layout) -> list[object]:
    top = max(layout.quantiles, key=lambda q: q.quantile, default=None)
    marks = ["recommended"] if layout is advice.recommended else []
    marks += ["today"] if layout.kind == "today" and layout.name != "today" else []
    change = f" ({layout.series_change:+,})".replace("-", "−") if layout.series_change else ""
    figures = [_NONE] * 4
    if top is not None:
        figures = [
            _percent(top.expected),
            _percent(top.expected_promql),
            _percent(top.worst_promql),
            _percent(top.width),
        ]
    kept = [o.objective for o in layout.objectives if o.on_boundary]
    wanted = len(layout.objectives)
    return [
        name,
        layout.name,
        ", ".join(marks),
        _boundaries(layout),
        f"{layout.series:,}{change}",
        *figures,
        f"{len(kept)} of {wanted}" if wanted else _NONE,
    ]


def _boundaries(layout: Layout) -> str:
    """The boundaries themselves: they are there to be copied."""
    if layout.schema is not None:
        return f"native, {counted(layout.buckets, 'bucket')} filled"
    return ", ".join(f"{x:g}" for x in layout.boundaries) or _NONE


def _percent(share: float) -> str:
    if not math.isfinite(share):
        return "no bound"
    return format_quantity(float(f"{share:.2g}"), "ratio")


def snippets_listing(result: LatencyResult) -> Listing:
    """The recommended buckets as code for each client, whole, to be pasted."""
    rows = [
        [name, f"{s.client} ({s.language})", s.code]
        for name, advice in result.advice.items()
        for s in advice.snippets
    ]
    empty = "There is no better layout to write down."
    return Listing(("metric", "client", "code"), rows, empty=empty, code=frozenset({"code"}))


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
