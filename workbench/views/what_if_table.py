"""A what-if as a table for people: each resource now, under the scenario, and what it bears."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from workbench.capacity.what_if.findings import growth
from workbench.capacity.what_if.result import Outcome, WhatIfResult
from workbench.statistics.queueing import Waiting
from workbench.units import format_chance, format_quantity
from workbench.views.axis import plain_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["waiting_text", "what_if_table"]

_NONE: Final = "–"

_COLUMNS: Final = (
    "resource", "service", "verdict", "peak now", "peak then", "80 % interval", "limit",
    "of the limit", "P(over)", "bears", "bears, 80 %", "binds first", "+10 % load adds",
    "wait now → then", "wait doubles at", "load", "load explains", "80 % held", "owner", "remarks",
)  # fmt: skip


def what_if_table(result: WhatIfResult) -> pd.DataFrame:
    """What the scenario does, one row a resource, soonest over its limit first.

    Returns
    -------
    DataFrame
        Text only; `WhatIfResult.to_table` holds the numbers. ``bears`` is the growth of load from
        now at which the limit is reached; waits are means and 95 % in service times.
    """
    import pandas as pd

    rows = [_row(each) for each in result.outcomes]
    return pd.DataFrame(rows, columns=list(_COLUMNS), dtype="str")


def _row(each: Outcome) -> dict[str, str]:
    row = dict.fromkeys(_COLUMNS, _NONE)
    reason = f"{each.reason[:1].upper()}{each.reason[1:]}." if each.reason else ""
    row |= {
        "resource": plain_text(each.name),
        "service": plain_text(each.service),
        "verdict": each.verdict.value,
        "load": plain_text(each.load) or _NONE,
        "owner": plain_text(each.owner),
        "remarks": plain_text(" ".join(filter(None, [reason, *each.notes])), most=400),
    }
    if not math.isnan(each.limit):
        row["limit"] = format_quantity(each.limit, each.unit)
    if each.fit:
        row["load explains"] = f"{each.fit.explained * 100:.0f} %"
        if each.fit.test:
            row["80 % held"] = f"{each.fit.test.coverage_80 * 100:.0f} %"
    if each.verdict.follows_load:
        row |= _figures(each)
    return row


def _figures(each: Outcome) -> dict[str, str]:
    low, middle, high = (format_quantity(float(each.then[i]), each.unit) for i in (1, 2, 3))
    assert each.fit is not None
    adds = float(each.fit.slope[1]) * each.load_now / 10
    figures = {
        "peak now": format_quantity(float(each.now[2]), each.unit),
        "peak then": middle,
        "80 % interval": f"{low} to {high}",
        "+10 % load adds": format_quantity(adds, each.unit),
        "binds first": "first" if each.binds_first else _NONE,
    }
    if not math.isnan(each.limit):
        ends = [growth(float(each.bears[i])) for i in (1, 3)]
        figures |= {
            "of the limit": format_quantity(each.of_limit, "ratio"),
            "P(over)": format_chance(each.chance),
            "bears": growth(float(each.bears[2])),
            "bears, 80 %": ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}",
        }
    if each.waiting_now and each.waiting_then:
        figures["wait now → then"] = (
            f"{waiting_text(each.waiting_now)} → {waiting_text(each.waiting_then)}"
        )
        if not math.isnan(each.doubled):
            figures["wait doubles at"] = format_quantity(each.doubled, "ratio")
    return figures


def waiting_text(found: Waiting) -> str:
    """Mean and 95 % in service times.

    Examples
    --------
    >>> from workbench.statistics.queueing import waiting
    >>> waiting_text(waiting(10, 8.0)), waiting_text(waiting(2, 3.0))
    ('0.20 / 1.1', 'grows without end')
    """
    if not found.steady:
        return "grows without end"
    return f"{_short(found.mean)} / {_short(found.p95)}"


def _short(times: float) -> str:
    if times < 0.005:
        return "0"
    return f"{times:.2f}" if times < 1 else f"{times:.1f}"
