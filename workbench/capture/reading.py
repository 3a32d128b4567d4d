"""The ways of reading raw samples, best first, and which of them a source has.

Remote-read
    Prometheus, Mimir, Cortex, Thanos' receivers: packed chunks, a fifth of the bytes of JSON.
Export
    VictoriaMetrics: a line of JSON a series.
Range selectors
    Anything that answers PromQL: ``selector[until-after]`` at `until`, in pieces ``(after, until]``
    whose answers are cut to them. So it does not matter whether a server's windows include their
    left end (Prometheus 2) or not (Prometheus 3): pieces join without loss and without a sample
    standing twice. Staleness markers are not part of answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from workbench.capture.planning import LEAST_MS, Batch, CapturePlan, matchers_of
from workbench.errors import (
    BadAnswerError,
    NotSupportedError,
    QueryError,
    RefusedError,
    TooExpensiveError,
)
from workbench.native import is_native
from workbench.samples import Labels, Samples
from workbench.sources.base import Answer, Source
from workbench.sources.prometheus import PrometheusSource
from workbench.sources.prometheus.raw import Export, Raw, RemoteRead
from workbench.sources.prometheus.raw.samples import assemble
from workbench.units import format_duration

if TYPE_CHECKING:
    from workbench.samples import Floats, Ints

__all__ = ["Reading", "choose_reading", "reading_named"]

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

    name = "range selectors"
    limits: tuple[str, ...] = (
        (
            "read by PromQL range selectors, which give no staleness markers: a series that ended is"
            " seen for five more minutes"
        ),
    )

    def __init__(self, source: Source) -> None:
        self._source = source

    def steps(self, batch: Batch) -> int:
        return len(batch.pieces)

    def read(self, batch: Batch, window: tuple[int, int], told: Told) -> Raw:
        known: dict[frozenset[tuple[str, str]], int] = {}
        labels: list[Labels] = []
        parts: list[list[tuple[Ints, Floats]]] = []
        problems: dict[str, None] = {}
        for piece in batch.pieces:
            for after, until, answer in self._ask(batch.selector, *piece):
                problems |= dict.fromkeys((*answer.provenance.warnings, *answer.provenance.gaps))
                samples = _samples_of(answer)
                if samples.histograms is not None:
                    problems["native histograms are not copied"] = None
                for own, times, values, native in samples.native_series():
                    number = known.setdefault(frozenset(own.items()), len(labels))
                    if number == len(labels):
                        labels.append(own)
                        parts.append([])
                    # A closed window (Prometheus 2) gives the moment `after` too; it is not ours.
                    inside = (times > after) & (times <= until)
                    if native is not None:  # their place in the values is no sample
                        inside &= ~is_native(native)
                    parts[number].append((times[inside], values[inside]))
            told()
        rows = np.array([sum(len(t) for t, _ in each) for each in parts], np.int64)
        columns = [column for each in parts for column in each] or [
            (np.zeros(0, np.int64), np.zeros(0))
        ]
        times = np.concatenate([t for t, _ in columns])
        values = np.concatenate([v for _, v in columns])
        series, _ = assemble(labels, rows, times, values, window)
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
