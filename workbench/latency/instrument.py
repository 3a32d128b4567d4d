"""What latency is measured by: a histogram or summary, found among a source's metrics."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from workbench.errors import InputError, did_you_mean
from workbench.promql import Matcher, inspect, parse, selector
from workbench.samples import MetricMetadata, MetricType

__all__ = ["Discovery", "Instrument", "Kind", "Unusable", "discover"]

_SUFFIXES: Final = ("_bucket", "_count", "_sum")

_UNITS: Final = {
    "nanoseconds": 1e-9,
    "ns": 1e-9,
    "microseconds": 1e-6,
    "us": 1e-6,
    "milliseconds": 1e-3,
    "ms": 1e-3,
    "seconds": 1.0,
    "minutes": 60.0,
}
"""Seconds in a unit, by how names of metrics end."""

_TIMES: Final = re.compile(r"(^|_)(duration|latency|time|wait|elapsed)(_|$)")


class Kind(StrEnum):
    """How latency is kept."""

    CLASSIC = "classic histogram"
    NATIVE = "native histogram"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One metric that measures latency, and which of its series are looked at.

    Parameters
    ----------
    name
        The family's name, without ``_bucket``.
    kind
        How it is kept.
    matchers
        Conditions on its series; the name is not among them.
    seconds_per_unit
        0.001 of a histogram in milliseconds.
    by
        Labels that tell its groups apart; instances and all other labels are merged.
    """

    name: str
    kind: Kind
    matchers: tuple[Matcher, ...] = ()
    seconds_per_unit: float = 1.0
    by: tuple[str, ...] = ()

    def select(self, suffix: str = "", *more: Matcher) -> str:
        """The selector of its series with a suffix: ``_bucket``, ``_sum``, ``_count`` or none."""
        return selector(self.name + suffix, (*self.matchers, *more))

    @property
    def counted(self) -> str:
        """The selector of series that tell how much was observed and carry all labels."""
        return self.select("" if self.kind is Kind.NATIVE else "_count")

    @property
    def key(self) -> str:
        """What tells it apart from others of one study: its selector."""
        return self.select()


@dataclass(frozen=True, slots=True)
class Unusable:
    """A metric that was asked for and measures no latency that can be judged."""

    name: str
    reason: str
    mend: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a source has of what was wished for.

    Parameters
    ----------
    instruments
        What is to be studied, sorted by name.
    unusable
        What was asked for by name and cannot be.
    """

    instruments: tuple[Instrument, ...]
    unusable: tuple[Unusable, ...] = ()


def discover(
    metadata: Iterable[MetricMetadata], names: Collection[str], wanted: Sequence[str] = ()
) -> Discovery:
    """Find what measures latency.

    Parameters
    ----------
    metadata
        What the source says of its metrics.
    names
        All names of series that it has.
    wanted
        Names or selectors; without any, every histogram whose name or unit says time, and every
        such summary that no histogram stands beside.

    Raises
    ------
    InputError
        A wanted text is no single selector.

    Examples
    --------
    >>> found = discover([], {"request_seconds_bucket", "request_seconds_count"})
    >>> [(i.name, i.kind.value) for i in found.instruments]
    [('request_seconds', 'classic histogram')]
    """
    known = {m.name: m for m in metadata}
    have = set(names)
    if not wanted:
        return Discovery(tuple(_all(known, have)))
    instruments: list[Instrument] = []
    unusable: list[Unusable] = []
    for text in wanted:
        name, matchers = _parsed(text)
        kind = _kind(name, known, have)
        if kind is None:
            unusable.append(_missing(name, have))
        else:
            instruments.append(Instrument(name, kind, matchers, _seconds(name, known)))
    once = {i.key: i for i in instruments}  # x and x_bucket are one
    return Discovery(tuple(once[key] for key in sorted(once)), tuple(dict.fromkeys(unusable)))


def _all(known: dict[str, MetricMetadata], have: set[str]) -> list[Instrument]:
    families = {n.removesuffix("_bucket") for n in have if n.endswith("_bucket")}
    families |= {
        m.name for m in known.values() if m.type in (MetricType.HISTOGRAM, MetricType.SUMMARY)
    }
    found = [
        Instrument(name, kind, (), _seconds(name, known))
        for name in sorted(families)
        if _says_time(name, known) and (kind := _kind(name, known, have)) is not None
    ]
    histograms = {i.name for i in found if i.kind is not Kind.SUMMARY}
    return [
        i
        for i in found
        if i.kind is not Kind.SUMMARY or not any(i.name.startswith(h) for h in histograms)
    ]


def _parsed(text: str) -> tuple[str, tuple[Matcher, ...]]:
    reads = inspect(text).reads
    if type(parse(text)).__name__ != "VectorSelector" or not reads[0].metric:
        msg = f"{text!r} is not a selector of a named metric"
        raise InputError(
            msg, 'give a metric, with conditions if need be: request_seconds{job="api"}'
        )
    name = reads[0].metric
    matchers = tuple(m for m in reads[0].matchers if m.name != "__name__")
    return next((name.removesuffix(s) for s in _SUFFIXES if name.endswith(s)), name), matchers


def _kind(name: str, known: dict[str, MetricMetadata], have: set[str]) -> Kind | None:
    declared = known[name].type if name in known else MetricType.UNKNOWN
    if f"{name}_bucket" in have:
        return Kind.CLASSIC
    if declared is MetricType.HISTOGRAM and name in have:
        return Kind.NATIVE
    if declared is MetricType.SUMMARY or {f"{name}_count", f"{name}_sum"} <= have:
        return Kind.SUMMARY if name in have else None
    # without metadata nothing but its samples tells that a metric is a native histogram
    return Kind.NATIVE if declared is MetricType.UNKNOWN and name in have else None


def _seconds(name: str, known: dict[str, MetricMetadata]) -> float:
    unit = known[name].unit if name in known else ""
    return _UNITS.get(unit, _UNITS.get(name.rpartition("_")[2], 1.0))


def _says_time(name: str, known: dict[str, MetricMetadata]) -> bool:
    unit = known[name].unit if name in known else ""
    return (unit or name.rpartition("_")[2]) in _UNITS or bool(_TIMES.search(name))


def _missing(name: str, have: set[str]) -> Unusable:
    if name in have or f"{name}_total" in have or f"{name}_count" in have:
        return Unusable(
            name,
            "it has no buckets and no quantiles",
            "name a histogram or a summary; `workbench query` shows what a metric holds",
        )
    families = {n.removesuffix("_bucket") for n in have if n.endswith("_bucket")}
    near = did_you_mean(name, families) or "`wb.metrics()` lists what there is"
    return Unusable(name, "the source has no such metric", near)
