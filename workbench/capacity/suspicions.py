"""What is wrong with a limit: no number above 0, or not in the unit of the usage."""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.capacity.instances import Instance
from workbench.samples import Floats
from workbench.statistics import DailyPeaks, looks_like_counter

__all__ = ["is_counter", "limit_fault", "unit_fault", "unit_notes"]

_FAR_ABOVE: Final = 100.0
"""No usage is so many times its limit day after day."""

_FAR_BELOW: Final = 1e-6
"""And hardly any limit is a million times the highest peak."""

_MANY: Final = 1e9
_COUNTLESS: Final = 1e15
"""From so many times on, digits and then figures say nothing more."""

_PERCENT: Final = 100.0

_CLEARLY_PERCENT: Final = 10.0
"""Above so many times a limit of 1 a ratio is none."""

_SHARES: Final = ("", "ratio", "percent")


def is_counter(instance: Instance, values: Floats) -> bool:
    """Whether a usage is a counter, unless its resource says that it is a gauge.

    Judged by the finite values, and by a bare ``…_total`` that no function turns into a rate.
    """
    if instance.resource.gauge:
        return False
    usage = instance.resource.usage.strip()
    bare = usage.replace("_", "").replace(":", "").isalnum() and usage.endswith("_total")
    return looks_like_counter(values) or (bare and not (np.diff(values) < 0).any())


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
        return f"the usual daily peak is {_times(usual, limit)} times the limit"
    if limit == 1 and unit in _SHARES and _CLEARLY_PERCENT < usual <= _PERCENT:
        return f"the usual daily peak is {usual:.3g} and the limit 1, as of percent against a ratio"
    if 0 < highest <= _FAR_BELOW * limit:
        return f"the limit is {_times(limit, highest)} times the highest peak"
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


def _times(much: float, little: float) -> str:
    """How many times as much, in digits that can be read."""
    with np.errstate(over="ignore"):
        times = float(np.divide(much, little))
    if times > _COUNTLESS:
        return f"more than {_COUNTLESS:g}"
    return f"{times:,.0f}" if times < _MANY else f"{times:.3g}"
