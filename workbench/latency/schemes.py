"""Which boundaries a histogram could have: those of the clients, and those made to measure.

Boundaries made to measure stand exactly on each objective, so that the share under it is counted
and not interpolated, and elsewhere on numbers that people can read. They are either spread evenly
over ln x, or crowded where the quantiles lie.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.samples import Floats

__all__ = [
    "CLIENT_DEFAULTS",
    "SECONDS_PER_UNIT",
    "Scheme",
    "client_defaults",
    "focused_boundaries",
    "geometric_boundaries",
]

CLIENT_DEFAULTS: Final[dict[str, tuple[float, ...]]] = {
    "Prometheus default": (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    "OpenTelemetry and Python default": (
        *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75),
        *(1, 2.5, 5, 7.5, 10),
    ),
}
"""Seconds: what the Go and Java clients take where nothing is said, and what OpenTelemetry's
conventions advise for HTTP durations, which the Python client has too."""

SECONDS_PER_UNIT: Final[dict[str, float]] = {
    "nanoseconds": 1e-9,
    "microseconds": 1e-6,
    "milliseconds": 1e-3,
    "seconds": 1.0,
    "minutes": 60.0,
    "hours": 3600.0,
}
"""Units of time; of others, such as bytes, no client has defaults worth comparing."""

_MANTISSAS: Final[tuple[tuple[float, ...], ...]] = (
    (1, 2.5, 5),
    (1, 1.5, 2, 2.5, 3, 4, 5, 6, 7.5),
)
"""Leading digits that people read easily, from the easiest on; then two digits, then three."""

_ROUNDING: Final = 0.18
"""A boundary is rounded by at most this share of its bucket's width in ln x, if that can be."""

_DRIFT: Final = math.log(1.6)
"""How far around a quantile boundaries are crowded: a service changes by that between deploys."""

_EVEN: Final = 0.15
"""Share of the weight that is spread evenly, so that no part of the range is left without."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A named choice of boundaries, ascending and finite, in the unit of the metric."""

    name: str
    kind: str
    boundaries: tuple[float, ...]


def client_defaults(unit: str) -> list[Scheme]:
    """The clients' own boundaries in a unit of time; none for other units.

    Examples
    --------
    >>> [s.boundaries[0] for s in client_defaults("milliseconds")]
    [5.0, 5.0]
    """
    if unit not in SECONDS_PER_UNIT:
        return []
    scale = 1 / SECONDS_PER_UNIT[unit]
    return [
        Scheme(name, "default", tuple(float(f"{x * scale:.9g}") for x in seconds))
        for name, seconds in CLIENT_DEFAULTS.items()
    ]


def geometric_boundaries(
    low: float, high: float, count: int, objectives: Sequence[float]
) -> tuple[float, ...]:
    """Boundaries at equal ratios from about `low` to about `high`, one on each objective.

    The grid is laid so that it meets the first objective; each other one takes the place of its
    nearest neighbour.

    Examples
    --------
    >>> geometric_boundaries(0.01, 10, 7, [0.3])
    (0.01, 0.025, 0.1, 0.3, 1.0, 2.5, 10.0)
    """
    places = np.linspace(math.log(low), math.log(high), count)
    if objectives:
        wanted = math.log(objectives[0])
        places = places + (wanted - places[int(np.abs(places - wanted).argmin())])
    return _readable(places, objectives)


def focused_boundaries(
    low: float, high: float, count: int, objectives: Sequence[float], quantiles: Floats
) -> tuple[float, ...]:
    """Boundaries crowded around the values in `quantiles`, one on each objective.

    The density that makes the mean squared error of a quantizer least is the cube root of the
    density of what is to be told apart (Panter and Dite, 1951): here where each quantile will be,
    allowing for drift.
    """
    spots = np.linspace(math.log(low), math.log(high), 400)
    bells = np.exp(-0.5 * ((spots[:, None] - np.log(quantiles)) / _DRIFT) ** 2).sum(axis=1)
    weight = bells / bells.sum() * (1 - _EVEN) + _EVEN / len(spots)
    reached = np.cumsum(np.cbrt(weight))
    wanted = np.linspace(reached[0], reached[-1], count)
    return _readable(np.interp(wanted, reached, spots), objectives)


def _readable(places: Floats, objectives: Sequence[float]) -> tuple[float, ...]:
    """Places in ln x, the nearest to each objective moved onto it, the others rounded."""
    free = list(places)
    for objective in objectives:
        if free:
            free.pop(int(np.abs(np.array(free) - math.log(objective)).argmin()))
    exact = [math.log(x) for x in objectives]
    every = np.sort(np.array(free + exact))
    chosen = set(map(float, objectives))
    for place in free:
        gaps = np.abs(every - place)
        gap = float(np.sort(gaps)[1]) if len(gaps) > 1 else 1.0
        chosen.add(_rounded(math.exp(place), _ROUNDING * gap))
    return tuple(sorted(chosen))


def _rounded(value: float, tolerance: float) -> float:
    """The easiest number to read within a tolerance in ln x."""
    power = math.floor(math.log10(value))
    for mantissas in _MANTISSAS:
        near = [float(f"{m:g}e{p}") for p in (power, power + 1) for m in mantissas]
        nearest = min(near, key=lambda x: abs(math.log(x / value)))
        if abs(math.log(nearest / value)) <= tolerance:
            return nearest
    short = float(f"{value:.2g}")
    return short if abs(math.log(short / value)) <= tolerance else float(f"{value:.3g}")
