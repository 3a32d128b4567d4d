"""How the values of series may be put together when a label goes: it depends on the type.

Counters of one kind of event may be added, but only after ``rate``: a sum of raw counters falls
whenever one of them is restarted or disappears. A histogram is counters. A summary's quantiles
cannot be put together at all. What a gauge's values are, no type says: bytes in use add up,
temperatures do not.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from workbench.errors import InputError
from workbench.samples import MetricType

__all__ = ["GaugeOperation", "likely_operation", "operation_for"]


class GaugeOperation(StrEnum):
    """What becomes of several values of a gauge."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"
    AVG = "avg"


_LEVELS: Final = {
    r".*_timestamp(?:_seconds)?|.*_time_seconds|.*_last_\w+": (
        GaugeOperation.MAX,
        "a moment: the latest one is meant",
    ),
    r".*_info|.*_(?:up|healthy|enabled|state|status|ready)|up": (
        GaugeOperation.MAX,
        "a statement, not an amount: 1 where any of the series says so",
    ),
    r".*_(?:ratio|percent|percentage|utili[sz]ation|celsius|kelvin|volts|hertz|load\d*|version)": (
        GaugeOperation.AVG,
        "a level: levels do not add up",
    ),
    r".*_(?:limit|capacity|max|maximum|min|minimum|threshold)(?:_\w+)?": (
        None,
        "a bound: whether bounds add up depends on what shares them",
    ),
    r".*_(?:bytes|connections|requests|jobs|tasks|goroutines|threads|items|messages|entries|clients"
    r"|sessions|streams|files|fds|size|length|depth|in_flight|inflight|in_progress|pending|queued"
    r"|active|waiting|total)": (GaugeOperation.SUM, "an amount: amounts add up"),
}


def likely_operation(name: str) -> tuple[GaugeOperation | None, str]:
    """Guess from a gauge's name what its values are; the reader decides.

    Returns
    -------
    GaugeOperation or None, str
        The guess, None where the name says nothing; and why, a few words.

    Examples
    --------
    >>> likely_operation("memory_used_bytes")
    (<GaugeOperation.SUM: 'sum'>, 'an amount: amounts add up')
    >>> likely_operation("fan_celsius")[0].value, likely_operation("quux")[0]
    ('avg', None)
    """
    for pattern, guess in _LEVELS.items():
        if re.fullmatch(pattern, name.lower()):
            return guess
    return None, "its name does not say whether its values are amounts or levels"


def operation_for(
    name: str, kind: MetricType, chosen: GaugeOperation | str | None
) -> GaugeOperation | None:
    """Tell how values are put together; None where they are counted by ``rate``.

    Raises
    ------
    InputError
        The type leaves it open and it was not said; or what was said does not fit the type.
    """
    try:
        operation = None if chosen is None else GaugeOperation(chosen)
    except ValueError:
        msg = f"{chosen!r} is no way to put values together"
        raise InputError(msg, f"choose one of {', '.join(GaugeOperation)}") from None
    counted = kind in (MetricType.COUNTER, MetricType.HISTOGRAM, MetricType.SUMMARY)
    if counted:
        if operation is not None:
            msg = f"{name} is a {kind}: {operation} of what only grows means nothing"
            raise InputError(msg, "leave the operation out: its rate is summed")
        return None
    if kind is MetricType.INFO:
        return operation or GaugeOperation.MAX
    if kind is MetricType.GAUGEHISTOGRAM:
        return operation or GaugeOperation.SUM
    if operation is None:
        guess, why = likely_operation(name)
        hint = f"{guess} perhaps ({why})" if guess else why
        known = f"is a {kind}" if kind is not MetricType.UNKNOWN else "has no known type"
        msg = f"{name} {known}: whether its values may be added is not known"
        raise InputError(msg, f"choose sum for amounts, max, min or avg for levels; {hint}")
    return operation
