"""What a capacity analysis finds, as findings: one function a code."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from workbench.capacity.judging import LEAST_DAYS, Obstacle
from workbench.capacity.lead_time import OrderBy
from workbench.capacity.outlook import Outlook, Saturation
from workbench.capacity.planning import Unusable
from workbench.capacity.resource import Resource
from workbench.capacity.resource_sets import shipped_sets
from workbench.findings import Finding, Severity
from workbench.statistics import DAY_MS
from workbench.units import format_duration, format_quantity
from workbench.window import format_time

__all__ = ["conclude", "missing_metrics", "no_series"]

_SOON_DAYS: Final = 30
_ORDER_DAYS: Final = 7
_LIKELY: Final = 0.5
_POSSIBLE: Final = 0.2
_CONTINUOUS: Final = ("", "bytes", "seconds", "ratio", "percent")
_GAPS: Final = 0.1
_MANY_GAPS: Final = 0.25
_NAMED: Final = 4
"""So many missing metrics are named in a sentence."""


def conclude(
    outlook: Outlook,
    resource: Resource,
    obstacle: Obstacle | None,
    horizon_days: int,
    *,
    limit_fault: str = "",
) -> Iterator[Finding]:
    """All findings of one instance; `limit_fault` says why a limit that was given is none."""
    if obstacle is not None:
        yield from _of_obstacle(outlook, obstacle)
    if outlook.limit is None and not _unseen(outlook, resource, obstacle):
        yield _no_limit(outlook, resource, limit_fault)
    if outlook.saturation is not None:
        yield from _saturation(outlook, outlook.saturation, horizon_days)
    if outlook.share is not None and outlook.share > resource.headroom and not _beyond(obstacle):
        yield _headroom(outlook, resource)
    if len(outlook.history) and outlook.history.missing > _GAPS * len(outlook.history):
        yield _gaps(outlook)


def _unseen(outlook: Outlook, resource: Resource, obstacle: Obstacle | None) -> bool:
    """Whether a limit that was given could not be held against any usage."""
    if obstacle is not None and obstacle.code == "CAP-NOT-A-GAUGE":
        return True
    return outlook.current is None and resource.limit is not None


def _beyond(obstacle: Obstacle | None) -> bool:
    """Whether something graver is said than how little there is left."""
    return obstacle is not None and obstacle.code in ("CAP-FULL", "CAP-UNITS", "CAP-NOT-A-GAUGE")


def _of_obstacle(outlook: Outlook, obstacle: Obstacle) -> Iterator[Finding]:
    makers = {
        "CAP-FULL": _full,
        "CAP-TOO-LITTLE-DATA": _too_little,
        "CAP-NOT-A-GAUGE": _not_a_gauge,
        "CAP-UNITS": _units,
    }
    if maker := makers.get(obstacle.code):
        yield maker(outlook, obstacle.reason)


def _finding(
    code: str, severity: Severity, outlook: Outlook, what: str, next_step: str, **evidence: Any
) -> Finding:
    basis = {"owner": outlook.owner or None, "current": outlook.current, "limit": outlook.limit}
    figures = {k: v for k, v in {**basis, **evidence}.items() if v is not None}
    return Finding(code, severity, outlook.name, what, next_step, figures, where=outlook.kind)


def _saturation(outlook: Outlook, found: Saturation, horizon: int) -> Iterator[Finding]:
    chance = found.chances[horizon]
    if not found.dated and chance < _POSSIBLE:
        return
    low, high = found.interval_80
    evidence: dict[str, Any] = {
        f"chance_{days}d": round(c, 3) for days, c in found.chances.items()
    } | {"add": round(found.add, 6), "unit": outlook.unit}
    if found.dated:
        order = outlook.order
        soon = (low is not None and low <= _SOON_DAYS) or (order and order.days <= _ORDER_DAYS)
        severity = Severity.ERROR if soon else Severity.WARNING
        what = (
            f"{outlook.name} will be full on {_date(outlook, found.days)} "
            f"(80 % interval: {_span(outlook, low, high)})"
        )
        evidence |= {"date": _iso(outlook, found.days), "date_low_80": _iso(outlook, low)}
        evidence |= {"date_high_80": _iso(outlook, high)}
        if order:
            evidence["order_by"] = format_time(outlook.history.end_ms + round(order.days * DAY_MS))
    else:
        severity = Severity.WARNING if chance >= _LIKELY else Severity.INFO
        what = (
            f"{outlook.name} fills within {horizon} days with a chance of {_percent(chance)}: "
            f"too unsure for a date"
        )
    yield _finding(
        "CAP-SATURATION", severity, outlook, what, _add(outlook, found, horizon), **evidence
    )


def _add(outlook: Outlook, found: Saturation, horizon: int) -> str:
    """What to do, and by when."""
    who = f"{outlook.owner}: " if outlook.owner else ""
    amount = _whole(outlook, found.add)
    enough = f"that lasts {horizon} days with a chance of 90 %"
    if found.dated and outlook.order:
        return f"{who}{_order(outlook, outlook.order, amount)}; {enough}"
    if found.dated:
        by = _date(outlook, found.interval_80[0])
        return f"{who}add {amount} by {by}, or free as much; {enough}"
    return f"{who}look again in a week, or add {amount} now; {enough}"


def _order(outlook: Outlook, order: OrderBy, amount: str) -> str:
    """Until when to order, or that it is too late for that."""
    takes = format_duration(round(order.lead_days * DAY_MS))
    if order.late:
        return (
            f"order {amount} today and free what you can: it takes {takes}, and before that it is "
            f"full with a chance of {_percent(order.chance)}"
        )
    by = _day(outlook.history.end_ms + int(order.days) * DAY_MS)
    return f"order {amount} by {by} (it takes {takes}), or free as much"


def _full(outlook: Outlook, reason: str) -> Finding:
    assert outlook.limit is not None
    assert outlook.current is not None
    peak = max(outlook.peak_p99 or outlook.current, outlook.current)
    more = max(peak / 0.8 - outlook.limit, 0.0)
    what = f"{outlook.name} is full: {reason} ({_amount(outlook, outlook.current)} now, limit {_amount(outlook, outlook.limit)})"
    step = f"add {_whole(outlook, more)} or free as much: then the seasonal peak is at 80 % of the limit or below it"
    return _finding("CAP-FULL", Severity.ERROR, outlook, what, step, peak_p99=outlook.peak_p99)


def _headroom(outlook: Outlook, resource: Resource) -> Finding:
    assert outlook.share is not None
    assert outlook.limit is not None
    assert outlook.peak_p95 is not None
    what = (
        f"{outlook.name} uses {_percent(outlook.share)} of its limit at the daily peak "
        f"({_amount(outlook, outlook.peak_p95)} of {_amount(outlook, outlook.limit)})"
    )
    more = outlook.peak_p95 / resource.headroom - outlook.limit
    step = f"add {_whole(outlook, more)} to bring the peak to {_percent(resource.headroom)}, or set `headroom` of this resource if so little is meant"
    return _finding(
        "CAP-HEADROOM",
        Severity.WARNING,
        outlook,
        what,
        step,
        share=round(outlook.share, 4),
        peak_p95=outlook.peak_p95,
    )


def _too_little(outlook: Outlook, reason: str) -> Finding:
    what = f"{outlook.name} cannot be forecast: {reason}"
    step = f"ask again with at least {LEAST_DAYS} days of data, better 90; check that it is still scraped"
    return _finding(
        "CAP-TOO-LITTLE-DATA", Severity.INFO, outlook, what, step, days=len(outlook.history.days)
    )


def _not_a_gauge(outlook: Outlook, reason: str) -> Finding:
    what = f"{outlook.name} is no gauge: {reason}"
    step = "ask for rate(…[5m]) or increase(…[1d]) in `usage`; if it is a gauge all the same, set gauge = true"
    return _finding("CAP-NOT-A-GAUGE", Severity.WARNING, outlook, what, step)


def _units(outlook: Outlook, reason: str) -> Finding:
    what = f"{outlook.name} and its limit are not in one unit: {reason}"
    step = (
        "bring both queries to one unit, such as limit * 1024^3 or usage / 100; where the limit is "
        "right and means none, leave it out"
    )
    return _finding("CAP-UNITS", Severity.WARNING, outlook, what, step, peak_p99=outlook.peak_p99)


def _no_limit(outlook: Outlook, resource: Resource, fault: str) -> Finding:
    if resource.limit is None:
        reason = "none is described"
    elif fault:
        reason = fault
    elif outlook.history.days.size:
        reason = "the limit query gives no value above 0 for it"
    else:
        reason = "there is no usage to compare one with"
    what = f"{outlook.name} has no limit: {reason}; only its growth can be told"
    step = "give `limit` in resources.toml: a number, or PromQL whose labels match those of `usage`"
    return _finding("CAP-NO-LIMIT", Severity.INFO, outlook, what, step)


def _gaps(outlook: Outlook) -> Finding:
    missing, days = outlook.history.missing, len(outlook.history)
    severity = Severity.WARNING if missing > _MANY_GAPS * days else Severity.INFO
    what = f"{outlook.name} lacks {missing} of {days} days: peaks may have gone unseen"
    step = "check scraping and retention for that time; the intervals hold only for what was seen"
    return _finding("CAP-GAPS", severity, outlook, what, step, missing_days=missing, days=days)


def missing_metrics(unusable: Iterable[Unusable]) -> Iterator[Finding]:
    """Resources whose metrics the source does not have."""
    rest = list(unusable)
    for name, each in shipped_sets().items():
        queries = {(r.name, r.usage) for r in each.resource}
        ours = [
            u for u in rest
            if (u.resource.name, u.resource.usage) in queries and not u.awaits_limit
        ]  # fmt: skip
        if len(ours) > 1:
            rest = [u for u in rest if u not in ours]
            yield _no_set(name, ours, len(each.resource))
    for one in rest:
        lacks = ", ".join(one.missing)
        title = one.resource.title
        if one.awaits_limit:
            what = f"{title} is not watched: it has no limit, and no metric knows one"
            step = "give `limit` to it in resources.toml, under its name: a number or PromQL"
        else:
            what = f"{title} cannot be watched: the source has no {lacks}"
            step = "install or scrape the exporter that gives them, or take the resource out of resources.toml"
        yield Finding(
            "CAP-METRICS-MISSING", Severity.INFO, title, what, step,
            {"missing": lacks} if lacks else {}, where=one.resource.usage,
        )  # fmt: skip


def _no_set(name: str, lacking: list[Unusable], of: int) -> Finding:
    """One finding for a set of which nothing or not all can be watched, not one a resource."""
    lacks = sorted({m for u in lacking for m in u.missing})
    some = ", ".join(lacks[:_NAMED]) + (" …" if len(lacks) > _NAMED else "")
    if len(lacking) == of:
        what = f"nothing of the resource set {name} can be watched: the source has no {some}"
        step = f"install or scrape the exporter that gives them, or take {name} out of `use` in resources.toml"
    else:
        names = ", ".join(u.resource.words for u in lacking)
        what = (
            f"{len(lacking)} of the {of} resources of the set {name} cannot be watched ({names}): "
            f"the source has no {some}"
        )
        step = (
            "nothing, if they are not in use; else install or scrape the exporter that gives them"
        )
    return Finding(
        "CAP-METRICS-MISSING", Severity.INFO, f"resource set {name}", what, step,
        {"missing": ", ".join(lacks)},
    )  # fmt: skip


def no_series(resource: Resource) -> Finding:
    """A resource whose usage query gave nothing."""
    what = f"{resource.title} cannot be watched: its usage query gives no series"
    step = (
        "run the query by itself: a label in it may be misspelt, or the window may lie outside the "
        "data, which -p end= and -p last= (end=, last=) choose"
    )
    return Finding(
        "CAP-METRICS-MISSING", Severity.WARNING, resource.title, what, step, where=resource.usage
    )


def _whole(outlook: Outlook, amount: float) -> str:
    """What to add; rounded up where it is counted in pieces, as connections are."""
    pieces = outlook.unit not in _CONTINUOUS and float(outlook.limit or 0.5).is_integer()
    return _amount(outlook, math.ceil(amount) if pieces else amount)


def _amount(outlook: Outlook, value: float) -> str:
    return format_quantity(value, outlook.unit)


def _iso(outlook: Outlook, days: int | None) -> str | None:
    time_ms = outlook.time_ms(days)
    return None if time_ms is None else format_time(time_ms)


def _span(outlook: Outlook, low: int | None, high: int | None) -> str:
    """An interval of dates whose far end may be open."""
    start = _date(outlook, low)
    return f"{start} or later" if high is None else f"{start} to {_date(outlook, high)}"


def _date(outlook: Outlook, days: int | None) -> str:
    time_ms = outlook.time_ms(days)
    return "a later date" if time_ms is None else _day(time_ms)


def _day(time_ms: int) -> str:
    """A date for a sentence: ``3 Jan 2027``."""
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment.day} {moment:%b %Y}"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"
