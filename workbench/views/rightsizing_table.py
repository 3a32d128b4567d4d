"""Right-sizing as tables for people: quantities with units, changes with their direction."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from workbench.capacity.sizing.result import CpuAdvice, MemoryAdvice, RightSizing, Rule, Sizing
from workbench.units import format_quantity
from workbench.views.axis import plain_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["hour_name", "rightsizing_table", "rules_table"]

_NONE: Final = "–"
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def rightsizing_table(result: RightSizing) -> pd.DataFrame:
    """What each container has and should have, as text with units.

    Returns
    -------
    DataFrame
        One row a container, those with the largest change first; money only where prices were
        given.
    """
    import pandas as pd

    rows = [_row(sizing, result) for sizing in result.sizings]
    money = [f"saved, {result.prices.currency} a month"] if result.prices else []
    columns = [
        "container", "pods", "CPU request", "advised", "above it now", "busiest hour", "CPU limit",
        "memory request", "advised memory", "memory limit", "highest seen", *money, "remarks",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns, dtype="str")


def _row(sizing: Sizing, result: RightSizing) -> dict[str, str]:
    reasons = [f"No advice: {r}." for r in (sizing.cpu_reason, sizing.memory_reason) if r]
    row = {
        "container": plain_text(sizing.name),
        "pods": _NONE if sizing.pods is None else format_quantity(sizing.pods),
        "CPU request": _cores(sizing.cpu_request),
        "memory request": _bytes(sizing.memory_request),
        "highest seen": _bytes(sizing.memory_band.highest if sizing.memory_band else None),
        "remarks": " ".join([*reasons, *sizing.notes]),
        **_of_cpu(sizing, sizing.cpu),
        **_of_memory(sizing, sizing.memory),
    }
    if result.prices:
        row[f"saved, {result.prices.currency} a month"] = _money(sizing.saved)
    return row


def _of_cpu(sizing: Sizing, advice: CpuAdvice | None) -> dict[str, str]:
    if advice is None:
        empty = ("advised", "above it now", "busiest hour", "CPU limit")
        return dict.fromkeys(empty, _NONE)
    now = "none" if sizing.cpu_limit is None else _cores(sizing.cpu_limit)
    limit = "none" if advice.limit is None else _cores(advice.limit)
    return {
        "advised": _cores(advice.ours.request),
        "above it now": _share(advice.chance_now),
        "busiest hour": f"{hour_name(advice.busiest_hour)}: {_share(advice.busiest_chance)}",
        "CPU limit": now if now == limit else f"{now} → {limit}",
    }


def _of_memory(sizing: Sizing, advice: MemoryAdvice | None) -> dict[str, str]:
    if advice is None:
        return {"advised memory": _NONE, "memory limit": _bytes(sizing.memory_limit)}
    now = "none" if sizing.memory_limit is None else _bytes(sizing.memory_limit)
    return {
        "advised memory": _bytes(advice.ours.request),
        "memory limit": f"{now} → {_bytes(advice.limit)}",
    }


def rules_table(result: RightSizing) -> pd.DataFrame:
    """Our rule, KRR's and the Vertical Pod Autoscaler's on the same data.

    Returns
    -------
    DataFrame
        One row a container, resource and rule. ``exceeded`` and ``unused`` are of the last week,
        of requests from what was known before it.
    """
    import pandas as pd

    rows = []
    for sizing in result.sizings:
        for resource, advice in (("CPU", sizing.cpu), ("memory", sizing.memory)):
            if advice is None:
                continue
            named = {"ours": advice.ours, "KRR": advice.krr, "VPA": advice.vpa}
            show = _cores if resource == "CPU" else _bytes
            rows += [
                {
                    "container": plain_text(sizing.name),
                    "resource": resource,
                    "rule": name,
                    "request": show(rule.request),
                    "exceeded last week": _share(rule.exceeded),
                    "unused last week": _unused(rule),
                }
                for name, rule in named.items()
                if rule is not None
            ]
    columns = ["container", "resource", "rule", "request", "exceeded last week", "unused last week"]
    return pd.DataFrame(rows, columns=columns, dtype="str")


def _unused(rule: Rule) -> str:
    return _NONE if rule.unused is None else f"{format_quantity(rule.unused, 'ratio')} of usage"


def hour_name(hour: int) -> str:
    """An hour of the week as people write it.

    Examples
    --------
    >>> hour_name(33)
    'Tue 09:00'
    """
    return f"{_DAYS[hour // 24]} {hour % 24:02d}:00"


def _cores(value: float | None) -> str:
    if value is None:
        return _NONE
    return f"{value * 1000:.0f}m" if value < 1 else format_quantity(value)


def _bytes(value: float | None) -> str:
    return _NONE if value is None else format_quantity(value, "bytes")


def _share(value: float | None) -> str:
    if value is None:
        return _NONE
    return "< 1 %" if 0 < value < 0.01 else f"{value * 100:.0f} %"


def _money(value: Decimal | None) -> str:
    return _NONE if value is None else f"{value:,.2f}".replace("-", "−")
