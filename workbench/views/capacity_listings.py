"""What binds a service, what changed when, and how good the forecast was: as tables for people."""

from __future__ import annotations

import math
from typing import Final

from workbench.capacity import Binding, CapacityResult, Moment, Outlook, Verdict
from workbench.capacity.coincidence import Shifted
from workbench.units import format_quantity
from workbench.views.capacity_table import full_on
from workbench.views.listing import Listing

__all__ = ["backtest_listing", "changes_listing", "services_listing"]

_NONE: Final = "–"

_SERVICES: Final = (
    "service",
    "binds first",
    "when",
    "first with",
    "at the peak",
    "next",
    "not known",
)

_CHANGES: Final = (
    "when (UTC)",
    "resource",
    "change",
    "of its level",
    "with it",
    "what happened then",
)

_BACKTEST: Final = (
    "resource", "days", "error / naive", "MASE", "naive MASE", "bias", "80 % held", "95 % held",
    "origins",
)  # fmt: skip

_HOURS_MS: Final = 6 * 3_600_000
"""What is known more exactly than this is told with its hour."""

_NAMED: Final = 4


def services_listing(result: CapacityResult) -> Listing:
    """What binds each service first, a row a service."""
    rows = [_service(b) for b in result.services]
    days = 2 * result.horizon_days
    return Listing(
        _SERVICES,
        rows,
        empty="No resource with a limit names the service that it serves.",
        note=f"First with: the chance that it is full before the others are, within {days} days, "
        "if they fill independently. Where nothing fills in that time, the fullest at its peak "
        "stands first. Not known: resources of the service without limit or forecast."
        if rows
        else "",
    )


def _service(binding: Binding) -> list[object]:
    first, rest = binding.first, binding.ranks[1:]
    following = [r for r in rest if r.first >= 0.05] if binding.in_sight else rest[:1]
    return [
        binding.service,
        first.outlook.name,
        full_on(first.outlook),
        f"{first.first * 100:.0f} %" if binding.in_sight else _NONE,
        format_quantity(first.outlook.share or 0.0, "ratio"),
        ", ".join(r.outlook.name for r in following[:2]) or _NONE,
        binding.unknown,
    ]


def changes_listing(result: CapacityResult) -> Listing:
    """Level shifts, the latest first, a row a moment."""
    return Listing(
        _CHANGES,
        [_moment(m) for m in result.moments],
        empty="No level shift in the history of any resource.",
        note="With it: other resources that shifted in the same span, because they serve the same "
        "thing, because so many would not by chance, or because something happened then."
        if result.moments
        else "",
    )


def _moment(moment: Moment) -> list[object]:
    first, others = moment.shifted[0], moment.shifted[1:]
    with_it = [f"{s.outlook.name} {_amount(s)}" for s in others[:_NAMED]]
    with_it += [f"{len(others) - _NAMED} more"] if len(others) > _NAMED else []
    happened = [e.title for e in moment.events[:_NAMED]]
    happened += [f"{len(moment.events) - _NAMED} more"] if len(moment.events) > _NAMED else []
    happened += ["its limit changed"] if first.outlook.name in moment.limits else []
    return [
        _when(moment),
        first.outlook.name,
        _amount(first),
        _share(first),
        ", ".join(with_it) or _NONE,
        ", ".join(happened) or _NONE,
    ]


def _amount(each: Shifted) -> str:
    sign = "+" if each.change.size > 0 else "−"
    return sign + format_quantity(abs(each.change.size), each.outlook.unit)


def _share(each: Shifted) -> str:
    return _NONE if math.isnan(each.share) else f"{each.share * 100:+.0f} %".replace("-", "−")


def _when(moment: Moment) -> str:
    from workbench.window import format_time

    start, end = format_time(moment.start_ms), format_time(moment.end_ms)
    if moment.end_ms - moment.start_ms <= _HOURS_MS:
        middle = format_time((moment.start_ms + moment.end_ms) // 2)
        return f"{middle[:10]} {middle[11:16]}"
    return f"{start[:10]} – {end[:10]}"


def backtest_listing(result: CapacityResult) -> Listing:
    """How forecasts made from earlier days compare with what came, a row a resource."""
    rows = [row for o in result.outlooks if (row := _tested(o))]
    return Listing(
        _BACKTEST,
        rows,
        empty="No resource has a history long enough to test its forecast on.",
        note="Errors of forecasts that knew only the days before each origin. Error / naive: as a "
        "multiple of that of the same weekday of the week before; below 1 is better. MASE: in "
        "units of the usual change from week to week. Bias: forecast less truth."
        if rows
        else "",
    )


def _tested(outlook: Outlook) -> list[object] | None:
    test = outlook.backtest
    if test is None or outlook.verdict is Verdict.UNKNOWN:
        return None
    return [
        outlook.name,
        len(outlook.history.days),
        f"{test.relative_error:.2f}",
        f"{test.mase:.2f}",
        f"{test.naive_mase:.2f}",
        format_quantity(test.bias, outlook.unit),
        f"{test.coverage_80 * 100:.0f} %",
        f"{test.coverage_95 * 100:.0f} %",
        test.origins,
    ]
