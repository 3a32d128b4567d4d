"""What all pictures of latency share: a logarithmic axis of seconds, and durations as text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from workbench.latency.result import Distribution, Quantile
from workbench.units import format_quantity
from workbench.views.axis import plain_text

__all__ = [
    "group_name", "quantile_range", "quantile_text", "seconds", "seconds_axis", "seconds_expression", "short_metrics", "ticks",
]  # fmt: skip

_STEPS: Final = ((1, 2, 5), (1, 3), (1,))
"""Ticks of a decade, from many to few."""

_MOST_TICKS: Final = 7

_UNITS: Final = (
    (1e-3, 1e6, "µs"),
    (1.0, 1e3, "ms"),
    (120.0, 1.0, "s"),
    (7_200.0, 1 / 60, "min"),
    (172_800.0, 1 / 3_600, "h"),
)
"""Below this many seconds: the factor and the unit."""


def seconds(value: float | None) -> str:
    """A duration as text; a dash where there is none.

    Examples
    --------
    >>> seconds(0.25), seconds(None)
    ('250 ms', '–')
    """
    return "–" if value is None else format_quantity(value, "seconds")


def quantile_range(low: float | None, high: float | None) -> str:
    """Two ends in words, with the unit said once where both have it.

    Examples
    --------
    >>> quantile_range(0.1, 0.25), quantile_range(0.5, 1.0), quantile_range(10.0, None)
    ('100 … 250 ms', '500 ms … 1 s', '≥ 10 s')
    """
    if low is None:
        return "–"
    if high is None:
        return f"≥ {seconds(low)}"
    first, last = seconds(low), seconds(high)
    if first.rpartition(" ")[2] == last.rpartition(" ")[2]:
        first = first.rpartition(" ")[0]
    return f"{first} … {last}"


def quantile_text(found: Quantile) -> str:
    """A quantile with its 95 % interval, in a few words."""
    if found.clipped:
        return f"{found.name} ≥ {seconds(found.bucket_low)}"
    if found.value is None:
        return f"{found.name} {quantile_range(found.bucket_low, found.bucket_high)}"
    return f"{found.name} {seconds(found.value)} ({quantile_range(found.low, found.high)})"


def group_name(distribution: Distribution, *, several: bool, most: int = 60) -> str:
    """A group's name to draw; where there are several metrics, the metric stands behind it."""
    name, metric = distribution.name, distribution.instrument.key
    if several and name != distribution.instrument.name:
        name = f"{name} · {metric}"
    return plain_text(name, most=most)


def short_metrics(names: Iterable[str]) -> tuple[dict[str, str], str]:
    """Names of metrics without the words in which all of them end, and those words.

    Examples
    --------
    >>> short_metrics(["api_duration_seconds", "db_duration_seconds"])
    ({'api_duration_seconds': 'api…', 'db_duration_seconds': 'db…'}, '_duration_seconds')
    >>> short_metrics(["duration_seconds"])
    ({'duration_seconds': 'duration_seconds'}, '')
    """
    words = {name: name.split("_") for name in dict.fromkeys(names)}
    shared = 0
    while len(words) > 1 and len({tuple(w[-shared - 1 :]) for w in words.values()}) == 1:
        shared += 1
    # something must be left of each, and a selector's conditions must not be cut
    whole = any(len(w) <= shared or "{" in name for name, w in words.items())
    if not shared or whole:
        return {name: name for name in words}, ""
    ending = "_" + "_".join(next(iter(words.values()))[-shared:])
    return {name: f"{name.removesuffix(ending)}…" for name in words}, ending


def ticks(low: float, high: float, most: int = _MOST_TICKS) -> list[float]:
    """Round numbers of seconds for a logarithmic axis.

    Examples
    --------
    >>> ticks(0.004, 0.9)
    [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
    >>> ticks(0.0001, 200.0)
    [0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0]
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for steps in _STEPS:
        found = [
            float(f"{step}e{decade}") for decade in range(first, last + 1) for step in steps
        ]  # read as decimals, so that 0.3 is not 0.30000000000000004
        inside = [x for x in found if low <= x <= high]
        if len(inside) <= most:
            break
    return inside[:: math.ceil(len(inside) / most)] if inside else [low, high]


def seconds_expression(field: str) -> str:
    """A Vega expression that writes a number of seconds; a dash where there is none.

    Parameters
    ----------
    field
        A name of ours, never one from data: ``value`` or ``datum.p99``.
    """
    text = f"format({field} / 86400, '.3~r') + ' d'"
    for bound, factor, unit in reversed(_UNITS):
        text = f"{field} < {bound!r} ? format({field} * {factor!r}, '.3~r') + ' {unit}' : {text}"
    return f"isValid({field}) ? ({text}) : '–'"


def seconds_axis(
    channel: Any, field: str, low: float, high: float, *, most: int = _MOST_TICKS
) -> Any:
    """An axis of seconds on a logarithmic scale, with each tick in its own unit.

    Parameters
    ----------
    channel
        ``altair.X`` or ``altair.Y``.
    field
        With its type: ``p99:Q``.
    low, high
        Its ends, above 0.
    """
    import altair as alt

    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    values = ticks(low, high, most)
    axis = alt.Axis(
        title=None,
        values=values,
        tickCount=len(values),
        labelExpr=seconds_expression("datum.value"),
        grid=True,
    )
    return channel(field, scale=scale, axis=axis)
