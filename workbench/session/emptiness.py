"""Why an answer may be empty: unknown metrics, times without data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import did_you_mean
from workbench.window import Window, format_time

if TYPE_CHECKING:
    from workbench.session.asking import Asking

__all__ = ["why_empty"]


def why_empty(workbench: Asking, expression: str, when: Window | int | None) -> str:
    """Say what a source has not that an expression names; ``""`` where nothing is known."""
    from workbench.promql import inspect

    known = workbench.label_values("__name__")
    lines = []
    for name in sorted(set(inspect(expression).metrics) - set(known)):
        near = did_you_mean(name, known)
        lines.append(f"the source has no metric {name!r}" + (f": {near}" if near else ""))
    if outside := _outside(workbench, when):
        lines.append(outside)
    return "; ".join(lines)


def _outside(workbench: Asking, when: Window | int | None) -> str:
    """What to change where a window or instant lies outside a snapshot's data; else ``""``."""
    from workbench.sources.snapshot import SnapshotSource

    if when is None or not isinstance(workbench.source, SnapshotSource):
        return ""
    start, end = (when.start_ms, when.end_ms) if isinstance(when, Window) else (when, when)
    first, last = workbench.source.store.bounds_ms
    if end >= first and start <= last:
        return ""
    ranged = "last, start and end (--last, --start, --end; of a report -p last=… -p end=…)"
    return (
        f"the data reach from {format_time(first)} to {format_time(last)}: choose a time within "
        f"them with {ranged if isinstance(when, Window) else 'at (--at)'}"
    )
