"""How OpenTelemetry's instruments are named once the Prometheus exporter has written them.

The rules are those of the specification's page "Prometheus and OpenMetrics compatibility": what is
not allowed in a name becomes ``_``, the unit is appended as a word, a monotonic sum ends in
``_total``, a ratio gauge in ``_ratio``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from workbench.samples import MetricType

__all__ = ["DEFAULT_BOUNDS", "INSTRUMENTS", "exposed_label", "exposed_name"]

DEFAULT_BOUNDS: Final = 15
"""Finite bounds of a histogram without advice: 0, 5, 10, 25, … 10000."""

INSTRUMENTS: Final[Mapping[str, MetricType]] = {
    "Counter": MetricType.COUNTER,
    "ObservableCounter": MetricType.COUNTER,
    "UpDownCounter": MetricType.GAUGE,
    "ObservableUpDownCounter": MetricType.GAUGE,
    "Gauge": MetricType.GAUGE,
    "ObservableGauge": MetricType.GAUGE,
    "Histogram": MetricType.HISTOGRAM,
}
"""Instruments, as the specification calls them, to what is exposed."""

_UNITS: Final = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tibibytes",
    "KBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "%": "percent",
}
_PER: Final = {
    "s": "second",
    "m": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "y": "year",
}
_REFUSED: Final = re.compile(r"[^a-zA-Z0-9_:]+")


def exposed_name(name: str, unit: str, type_: MetricType) -> str:
    """The family's name as the Prometheus exporter writes it.

    Parameters
    ----------
    name
        The instrument's.
    unit
        UCUM, as given to the instrument.
    type_
        What is exposed.

    Examples
    --------
    >>> exposed_name("http.server.request.duration", "s", MetricType.HISTOGRAM)
    'http_server_request_duration_seconds'
    >>> exposed_name("jobs.done", "{job}", MetricType.COUNTER)
    'jobs_done_total'
    """
    result = re.sub(r"__+", "_", _REFUSED.sub("_", name)).strip("_")
    word = _unit_word(unit)
    stem = result.removesuffix("_total") if type_ is MetricType.COUNTER else result
    if word and word not in stem.split("_") and not stem.endswith(word):
        stem = f"{stem}_{word}"
    if type_ is MetricType.COUNTER:
        return f"{stem}_total"
    if unit == "1" and type_ is MetricType.GAUGE and not stem.endswith("_ratio"):
        return f"{stem}_ratio"
    return stem


def exposed_label(key: str) -> str:
    """An attribute's key as a label's name.

    Examples
    --------
    >>> exposed_label("http.route")
    'http_route'
    """
    label = re.sub(r"[^a-zA-Z0-9_]", "_", key)
    return f"key_{label}" if label[:1].isdigit() else label


def _unit_word(unit: str) -> str:
    plain = re.sub(r"\{[^}]*\}", "", unit)
    main, slash, per = plain.partition("/")
    word = _UNITS.get(main, main if main.isalpha() and len(main) > 2 else "")
    if slash and per:
        below = _PER.get(per, per)
        return f"{word}_per_{below}" if word else f"per_{below}"
    return word
