"""The ways of reading raw samples, best first, and which of them a source has.

Remote-read
    Prometheus, Mimir, Cortex, Thanos' receivers: packed chunks, a fifth of the bytes of JSON.
Export
    VictoriaMetrics: a line of JSON a series.
Range selectors
    Anything that answers PromQL: ``selector[until-after]`` at `until`, in pieces ``(after, until]``
    whose answers are cut to them. So it does not matter whether a server's windows include their
    left end (Prometheus 2) or not (Prometheus 3): pieces join without loss and without a sample
    standing twice. Staleness markers are not part of answers. Native histograms come back from the
    rows of their buckets where these are exponential: see `workbench.sources.prometheus.buckets`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol

import numpy as np

from workbench.capture.planning import LEAST_MS, Batch, CapturePlan, matchers_of
from workbench.errors import (
    BadAnswerError,
    NotSupportedError,
    QueryError,
    RefusedError,
    TooExpensiveError,
)
from workbench.native import Histograms, no_histograms
from workbench.samples import Floats, Ints, Labels, Samples
from workbench.sources.base import Answer, Source
from workbench.sources.prometheus import PrometheusSource
from workbench.sources.prometheus.raw import Export, Raw, RemoteRead
from workbench.sources.prometheus.raw.samples import assemble
from workbench.units import format_duration

__all__ = ["RANGE_SELECTORS", "Reading", "choose_reading", "reading_named"]

RANGE_SELECTORS: Final = "range selectors"

_Part = tuple[Ints, Floats, Histograms | None]
"""Times, values and native histograms of a stretch of one series."""

Told = Callable[[], None]
"""Called after each answer."""


class Reading(Protocol):
    """One way of reading raw samples."""

    name: str
    limits: tuple[str, ...]
    """What a reader of the snapshot should know of it, sentences."""

    def steps(self, batch: Batch) -> int:
        """How many answers a batch takes."""
        ...

    def read(self, batch: Batch, window: tuple[int, int], told: Told) -> Raw:
        """Read a batch between two moments, both included."""
        ...


class _Direct:
    """One question a batch, past PromQL."""

    def __init__(self, name: str, reader: RemoteRead | Export, limits: tuple[str, ...]) -> None:
        self.name = name
        self.limits = limits
        self._reader = reader

    def steps(self, _batch: Batch) -> int:
        return 1

    def read(self, batch: Batch, window: tuple[int, int], told: Told) -> Raw:
        raw = self._reader.read(matchers_of(batch.selector), window)
        told()
        return raw


class _Ranges:
    """A few questions a batch, in PromQL."""

    name = RANGE_SELECTORS
    limits: tuple[str, ...] = (
        (
            "read by PromQL range selectors, which give no staleness markers: a series that ended is"
            " seen for five more minutes; native histograms lose their counter reset hints"
        ),
    )

    def __init__(self, source: Source) -> None:
        self._source = source

    def steps(self, batch: Batch) -> int:
        return len(batch.pieces)

    def read(self, batch: Batch, window: tuple[int, int], told: Told) -> Raw:
        known: dict[frozenset[tuple[str, str]], int] = {}
        labels: list[Labels] = []
        parts: list[list[_Part]] = []
        problems: dict[str, None] = {}
        for piece in batch.pieces:
            for after, until, answer in self._ask(batch.selector, *piece):
                problems |= dict.fromkeys((*answer.provenance.warnings, *answer.provenance.gaps))
                for own, times, values, native in _samples_of(answer).native_series():
                    number = known.setdefault(frozenset(own.items()), len(labels))
                    if number == len(labels):
                        labels.append(own)
                        parts.append([])
                    parts[number].append(_inside(after, until, (times, values, native)))
            told()
        rows = np.array([sum(len(t) for t, *_ in each) for each in parts], np.int64)
        all_times, all_values, histograms = _joined([part for each in parts for part in each])
        series, _ = assemble(labels, rows, all_times, all_values, window, histograms=histograms)
        return Raw(series, tuple(problems))

    def _ask(self, selector: str, after: int, until: int) -> Iterator[tuple[int, int, Answer]]:
        """One piece; in halves where the source finds it too much."""
        try:
            expression = f"{selector}[{format_duration(until - after)}]"
            answer = self._source.query(expression, until)
        except TooExpensiveError:
            if until - after < 2 * LEAST_MS:
                raise
        else:
            yield after, until, answer
            return
        middle = (after + until) // 2
        yield from self._ask(selector, after, middle)
        yield from self._ask(selector, middle, until)


def _inside(after: int, until: int, part: _Part) -> _Part:
    """The samples of a piece: a closed window (Prometheus 2) gives the moment `after` too."""
    times, values, native = part
    inside = (times > after) & (times <= until)
    return times[inside], values[inside], None if native is None else native[inside]


def _joined(parts: list[_Part]) -> _Part:
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0), None
    times, values, native = zip(*parts, strict=True)
    histograms = None
    if any(each is not None for each in native):
        columns = [
            no_histograms(len(t)) if each is None else each
            for t, each in zip(times, native, strict=True)
        ]
        histograms = np.concatenate(columns)
    return np.concatenate(times), np.concatenate(values), histograms


def _samples_of(answer: Answer) -> Samples:
    if not isinstance(answer.data, Samples):
        msg = f"{answer.provenance.source} gave no raw samples for a range selector"
        raise BadAnswerError(msg, "copy from a source that evaluates range selectors")
    return answer.data


_LONG_AGO_MS: Final = 1
_REMOTE_READ: Final = "remote-read"
_EXPORT: Final = "export"
_LIMITS: Final = {
    _REMOTE_READ: (
        "read by remote-read: values and staleness markers are as the server keeps them",
        (
            "remote-read gives no warnings: a remote storage behind the server that did not answer"
            " would not be noticed"
        ),
    ),
    _EXPORT: (
        (
            "read by VictoriaMetrics' export: staleness markers are kept, values have the digits that"
            " it keeps"
        ),
    ),
}


def reading_named(source: Source, name: str) -> Reading:
    """Make the way of reading that has a name; range selectors for any that is not known."""
    if isinstance(source, PrometheusSource):
        if name == _REMOTE_READ:
            return _Direct(name, source.remote_read(), _LIMITS[name])
        if name == _EXPORT:
            return _Direct(name, source.export(), _LIMITS[name])
    return _Ranges(source)


def choose_reading(source: Source, plan: CapturePlan) -> tuple[Reading, tuple[str, ...]]:
    """Try which way a source has: each is asked for a moment long ago.

    Returns
    -------
    tuple
        The way, and why the better ones are not possible, sentences.

    Raises
    ------
    SourceError
        The source cannot be reached.
    """
    reasons: list[str] = []
    if isinstance(source, PrometheusSource):
        names = [_REMOTE_READ, _EXPORT]
        if source.info().product == "VictoriaMetrics":
            names.remove(_REMOTE_READ)
        for name in names:
            reading = reading_named(source, name)
            try:
                reading.read(plan.batches[0], (_LONG_AGO_MS, _LONG_AGO_MS), lambda: None)
            except (NotSupportedError, BadAnswerError, RefusedError, QueryError) as error:
                reasons.append(f"not read by {name}: {error.what}")
            else:
                return reading, ()
    return _Ranges(source), tuple(reasons)
