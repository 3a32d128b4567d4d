"""Level shifts as findings: what changed, by how much, and what else changed then."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from workbench.capacity.coincidence import Moment, Shifted
from workbench.findings import Finding, Severity
from workbench.statistics import DAY_MS
from workbench.units import format_quantity
from workbench.window import format_time

__all__ = ["conclude_moments"]

_RECENT_DAYS: Final = 28
"""An older shift is history: it stands in the table of changes only."""

_LARGE: Final = 0.2
"""A shift of one resource alone is worth a finding from this share of its level on."""

_NOTABLE: Final = 0.05
"""One that comes with others, or with an event, from this one on."""

_NAMED: Final = 3
"""So many resources and events are named in a sentence."""

_HOURS_MS: Final = 6 * 3_600_000
"""What is known more exactly than this is told with its hour."""


def conclude_moments(moments: Sequence[Moment], now_ms: int) -> Iterator[Finding]:
    """The recent level shifts that are worth a finding.

    Parameters
    ----------
    moments
        Of `workbench.capacity.coincidence.moments`.
    now_ms
        Where the history ends.
    """
    for each in moments:
        if each.end_ms < now_ms - _RECENT_DAYS * DAY_MS:
            continue
        alone = len(each.shifted) == 1 and not each.events
        least = _LARGE if alone else _NOTABLE
        large = [s for s in each.shifted if math.isnan(s.share) or abs(s.share) >= least]
        if large:
            yield _finding(each, large)


def _finding(moment: Moment, large: Sequence[Shifted]) -> Finding:
    first = large[0]
    what = f"{_shift(first)} {_when(moment)}"
    if others := large[1:]:
        some = ", ".join(_shift(s) for s in others[: _NAMED - 1])
        more = f" and {len(others) - _NAMED + 1} more" if len(others) >= _NAMED else ""
        what += f"; with it {some}{more}"
    if moment.events:
        what += f"; just then: {', '.join(e.title for e in moment.events[:_NAMED])}"
    if first.outlook.name in moment.limits:
        what += "; its limit changed too"
    evidence: dict[str, Any] = {
        "from": format_time(moment.start_ms),
        "to": format_time(moment.end_ms),
        "resources": len(large),
        "size": first.change.size,
        "unit": first.outlook.unit,
    }
    if not math.isnan(first.share):
        evidence["share"] = round(first.share, 4)
    return Finding(
        "CAP-LEVEL-SHIFT",
        Severity.INFO,
        first.outlook.name,
        what,
        _next_step(moment),
        evidence,
        where=first.outlook.kind,
        owner=first.outlook.owner,
    )


def _next_step(moment: Moment) -> str:
    if moment.events:
        return "ask who made that change whether it is meant to take so much; the dates count with the new level"
    return "find out what was changed then (deploys, jobs, configuration, traffic); the dates count with the new level"


def _shift(each: Shifted) -> str:
    """What shifted, which way, and by how much."""
    size = each.change.size
    verb = "rose" if size > 0 else "fell"
    amount = format_quantity(abs(size), each.outlook.unit)
    share = "" if math.isnan(each.share) else f" ({abs(each.share) * 100:.0f} %)"
    return f"{each.outlook.name} {verb} by {amount}{share}"


def _when(moment: Moment) -> str:
    if moment.end_ms - moment.start_ms <= _HOURS_MS:
        middle = datetime.fromtimestamp((moment.start_ms + moment.end_ms) // 2000, UTC)
        return f"on {middle.day} {middle:%b %Y} about {middle:%H:%M} UTC"
    return f"between {_day(moment.start_ms)} and {_day(moment.end_ms)}"


def _day(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment.day} {moment:%b %Y}"
