"""Capacity as a table for people: quantities with units, dates as dates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from workbench.capacity import CapacityResult, Outlook, Saturation, Verdict
from workbench.units import format_chance, format_quantity
from workbench.views.axis import plain_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["capacity_table", "full_on", "headline"]

_NONE: Final = "–"


def capacity_table(result: CapacityResult) -> pd.DataFrame:
    """The figures as text with units, one row a resource, the most urgent first.

    Returns
    -------
    DataFrame
        Text only, ready to be shown; `CapacityResult.to_table` holds the numbers.
    """
    from workbench.views.whole_table import WholeTable

    rows = [_row(outlook, result.horizon_days) for outlook in result.outlooks]
    orders = [_order(i, outlook, result.horizon_days) for i, outlook in enumerate(result.outlooks)]
    headings = _headings(result.horizon_days)
    numbers = {h: [order[h] for order in orders] for h in headings if orders and h in orders[0]}
    return WholeTable(rows, headings, orders=numbers)


def _headings(horizon: int) -> list[str]:
    chances = [f"P(full ≤ {days} d)" for days in _days(horizon)]
    return [
        "resource", "full on", "80 % interval", "order by", "owner", *chances, "now", "peak p95",
        "limit", "peak / limit", "growth / 30 d", "of the level", "add", "remarks",
    ]  # fmt: skip


def _days(horizon: int) -> list[int]:
    return sorted({30, 60, 90, horizon} if horizon > 45 else {30, horizon})


def _row(outlook: Outlook, horizon: int) -> dict[str, str]:
    found, unit = outlook.saturation, outlook.unit
    remarks = " ".join(filter(None, [outlook.reason and f"{outlook.reason}.", *outlook.notes]))
    row = {
        "resource": plain_text(outlook.name),
        "full on": full_on(outlook),
        "80 % interval": _interval(outlook, found) if found and found.dated else _NONE,
        "now": _quantity(outlook.current, unit),
        "peak p95": _quantity(outlook.peak_p95, unit),
        "limit": _quantity(outlook.limit, unit),
        "peak / limit": _quantity(outlook.share, "ratio"),
        "growth / 30 d": _growth(outlook),
        "of the level": _growth_share(outlook),
        "add": _quantity(found.add if found and found.add else None, unit),
        "order by": _order_by(outlook),
        "owner": plain_text(outlook.owner),
        "remarks": plain_text(remarks),
    }
    for days in _days(horizon):
        chance = found.chances.get(days) if found else None
        row[f"P(full ≤ {days} d)"] = format_chance(chance)
    return row


def _order(rank: int, outlook: Outlook, horizon: int) -> dict[str, float | None]:
    """What the cells of one row sort by: what they say, in numbers."""
    found, growth, share = outlook.saturation, outlook.growth, outlook.growth_share
    due = outlook.order if outlook.verdict is Verdict.DATED else None
    order: dict[str, float | None] = {
        "full on": float(rank),
        "80 % interval": found.interval_80[0] if found and found.dated else None,
        "now": outlook.current,
        "peak p95": outlook.peak_p95,
        "limit": outlook.limit,
        "peak / limit": outlook.share,
        "growth / 30 d": growth.middle if growth else None,
        "add": found.add if found and found.add else None,
        "order by": due.days if due else None,
        "of the level": share.middle if share else None,
    }
    for days in _days(horizon):
        order[f"P(full ≤ {days} d)"] = found.chances.get(days) if found else None
    return order


def _quantity(value: float | None, unit: str) -> str:
    return _NONE if value is None else format_quantity(value, unit)


def full_on(outlook: Outlook) -> str:
    """When it will be full: a date, or why there is none."""
    if outlook.verdict is Verdict.DATED and outlook.saturation:
        return _date(outlook, outlook.saturation.days)
    return {
        Verdict.FULL: "full now",
        Verdict.POSSIBLE: "too unsure for a date",
        Verdict.UNLIKELY: "not in sight",
        Verdict.NO_LIMIT: "no limit",
    }.get(outlook.verdict, "cannot tell")


def _interval(outlook: Outlook, found: Saturation) -> str:
    low, high = found.interval_80
    if high is None:
        return f"{_date(outlook, low)} or later"
    return f"{_date(outlook, low)} – {_date(outlook, high)}"


def _date(outlook: Outlook, days: int | None) -> str:
    time_ms = outlook.time_ms(days)
    if time_ms is None:
        return _NONE
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment.day} {moment:%b %Y}"


def _growth(outlook: Outlook) -> str:
    growth = outlook.growth
    if growth is None:
        return _NONE
    scaled = outlook.unit in ("bytes", "seconds", "ratio", "percent")
    low, high = (
        format_quantity(value, outlook.unit if scaled else "")
        for value in (growth.low, growth.high)
    )
    return f"{format_quantity(growth.middle, outlook.unit)} ({low} to {high})"


def _growth_share(outlook: Outlook) -> str:
    """Growth in 30 days as a share of the level of the last four weeks, with its interval."""
    share = outlook.growth_share
    if share is None:
        return _NONE
    low, high = (f"{value * 100:+.1f}".replace("-", "−") for value in (share.low, share.high))
    return f"{share.middle * 100:+.1f} % ({low} to {high})".replace("-", "−")


def _order_by(outlook: Outlook) -> str:
    """Until when to order."""
    if outlook.order is None or outlook.verdict is not Verdict.DATED:
        return _NONE
    return "late" if outlook.order.late else _date(outlook, int(outlook.order.days))


def headline(outlook: Outlook, horizon: int) -> str:
    """What can be said of one resource, in a line."""
    found = outlook.saturation
    peak = (
        f"peak / limit {format_quantity(outlook.share, 'ratio')}"
        if outlook.share is not None
        else ""
    )
    if outlook.verdict is Verdict.DATED and found:
        return f"full on {full_on(outlook)} (80 %: {_interval(outlook, found)})"
    if found:
        return f"P(full ≤ {horizon} d) {format_chance(found.chances[horizon])} · {peak}"
    if outlook.verdict is Verdict.NO_LIMIT:
        return f"no limit known · growth {_growth(outlook)} in 30 d"
    return " · ".join(filter(None, [f"{full_on(outlook)}: {outlook.reason}", peak]))
