"""What is wrong with a limit: no number above 0, or not in the unit of the usage."""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.capacity.instances import Instance
from workbench.statistics import DailyPeaks

__all__ = ["limit_fault", "unit_fault", "unit_notes"]

_FAR_ABOVE: Final = 100.0
"""No usage is so many times its limit day after day."""

_FAR_BELOW: Final = 1e-6
"""And hardly any limit is a million times the highest peak."""

_PERCENT: Final = 100.0

_CLEARLY_PERCENT: Final = 10.0
"""Above so many times a limit of 1 a ratio is none."""

_SHARES: Final = ("", "ratio", "percent")


def limit_fault(instance: Instance, now_ms: int) -> str:
    """Why the last limit that was given is none; ``""`` where none was given."""
    if instance.limit is None:
        return ""
    given = instance.limit[instance.times_ms <= now_ms]
    known = given[~np.isnan(given)]
    if not len(known):
        return "the limit is NaN or missing at every step" if len(given) else ""
    last = float(known[-1])
    if last == 0:
        return "the limit is 0"
    if last < 0:
        return f"the limit is negative ({last:g})"
    return "the limit is infinite" if np.isinf(last) else ""


def unit_fault(history: DailyPeaks, limit: float, unit: str) -> str:
    """Say that usage and limit cannot be in one unit; ``""`` where they may be.

    Parameters
    ----------
    history
        The usage's daily peaks.
    limit
        The limit in force, above 0.
    unit
        That of the resource.
    """
    if not len(history.values):
        return ""
    usual, highest = float(np.median(history.values)), float(history.values.max())
    if usual >= _FAR_ABOVE * limit:
        return f"the usual daily peak is {usual / limit:,.0f} times the limit"
    if limit == 1 and unit in _SHARES and _CLEARLY_PERCENT < usual <= _PERCENT:
        return f"the usual daily peak is {usual:.3g} and the limit 1, as of percent against a ratio"
    if 0 < highest <= _FAR_BELOW * limit:
        return f"the highest peak is 1/{limit / highest:,.0f} of the limit"
    if limit == _PERCENT and unit == "ratio":
        return "the limit of a ratio is 100, as of a ratio against percent"
    return ""


def unit_notes(history: DailyPeaks, limit: float | None, unit: str) -> list[str]:
    """Say what may be two units and may be an idle resource."""
    if limit != _PERCENT or unit not in _SHARES or not len(history.values):
        return []
    highest = float(history.values.max())
    if 0 < highest <= 1:
        return [
            f"The limit is 100 and no peak is above {highest:.2g}: is the usage a ratio, not percent?"
        ]
    return []
