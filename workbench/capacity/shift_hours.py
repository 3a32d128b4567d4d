"""The hour of a level shift: the models of daily peaks know its day, the samples often its hour."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from workbench.capacity.instances import Instance
from workbench.capacity.outlook import Change, Outlook
from workbench.statistics import DAY_MS
from workbench.statistics.changepoints import ChangePoint, changepoints

__all__ = ["located"]

_AROUND_MS: Final = 3 * DAY_MS // 2
"""So far from the day that the peaks tell, a change of all samples may be the same one."""

_PRECISION_MS: Final = 2 * 3_600_000


def located(outlook: Outlook, instance: Instance, timezone: str = "UTC") -> Outlook:
    """The outlook with the hour of those level shifts that its samples show.

    Parameters
    ----------
    outlook
        With shifts to the day.
    instance
        The samples behind it.
    timezone
        Whose clocks the weekly pattern follows.
    """
    if not outlook.changes:
        return outlook
    values = np.where(instance.present & np.isfinite(instance.usage), instance.usage, np.nan)
    near = [c.time_ms for c in outlook.changes]
    found = [
        p
        for p in changepoints(instance.times_ms, values, timezone=timezone, near_ms=near)
        if p.kind == "level"
    ]
    return replace(outlook, changes=tuple(_located(c, found) for c in outlook.changes))


def _located(change: Change, found: list[ChangePoint]) -> Change:
    """The nearest change of all samples that goes the same way, if there is one."""
    same = [
        p
        for p in found
        if abs(p.time_ms - change.time_ms) <= _AROUND_MS and p.size * change.size > 0
    ]
    if not same:
        return change
    nearest = min(same, key=lambda p: abs(p.time_ms - change.time_ms))
    return replace(change, time_ms=nearest.time_ms, precision_ms=_PRECISION_MS)
