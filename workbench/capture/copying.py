"""The copying itself: two questions under way, series joined piece by piece."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from workbench.capture.planning import ASSUMED_INTERVAL_MS, LEAST_MS, CapturePlan, plan
from workbench.errors import BadAnswerError, InputError, TooExpensiveError
from workbench.samples import Floats, Ints, Labels, MetricMetadata, Samples, Series
from workbench.sources.base import Answer, Source
from workbench.sources.prometheus.interrupt import Stop
from workbench.store import Manifest, write_snapshot
from workbench.units import format_duration

__all__ = ["MOST_SAMPLES", "CaptureProgress", "capture"]

MOST_SAMPLES: Final = 200_000_000
"""A capture that is estimated to be larger is refused unless it is allowed."""

CaptureProgress = Callable[[int, int], None]
"""Told how many queries are answered and how many are planned."""

_THREADS: Final = 2
_AHEAD: Final = 4
"""Questions under way and answers waiting to be written, together."""


def capture(
    source: Source,
    selectors: Sequence[str],
    start_ms: int,
    end_ms: int,
    path: Path | str,
    *,
    overwrite: bool = False,
    most_samples: int = MOST_SAMPLES,
    progress: CaptureProgress | None = None,
) -> Manifest:
    """Copy raw samples of a source into a snapshot; on failure or Ctrl-C nothing is left behind.

    Parameters
    ----------
    source, selectors, start_ms, end_ms
        See `plan`.
    path
        The snapshot's folder.
    overwrite
        Replace a snapshot that stands there.
    most_samples
        Refuse where more are expected.
    progress
        Told after each answer.

    Returns
    -------
    Manifest
        Its notes say what is missing and why; `complete` is False where the source said that an
        answer was partial, or gave something that a snapshot cannot hold.

    Raises
    ------
    TooExpensiveError
        More samples are expected than allowed, or the source refuses even a second of them.
    InputError, QueryError, SourceError
        See `plan`.
    OutputError
        The snapshot cannot be written.
    """
    planned = plan(source, selectors, start_ms, end_ms)
    if planned.samples > most_samples:
        msg = f"about {planned.samples:,} samples are to be copied, more than {most_samples:,}"
        raise TooExpensiveError(msg, "take a shorter window or narrower selectors, or allow more")
    copier = _Copier(source, planned, progress)
    with closing(copier.series()) as series:
        return write_snapshot(
            path,
            series,
            metadata=_metadata(source, planned.names),
            source=planned.source,
            selectors=planned.selectors,
            window=(start_ms, end_ms),
            notes=copier.notes,
            complete=lambda: not copier.problems,
            overwrite=overwrite,
        )


@dataclass(slots=True)
class _Copier:
    """One copying under way."""

    source: Source
    plan: CapturePlan
    progress: CaptureProgress | None
    problems: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    answered: int = 0
    copied: int = 0
    first_ms: int | None = None

    def series(self) -> Generator[Series, None, None]:
        """Every series once, whole; the notes are complete when it ends."""
        seen: set[frozenset[tuple[str, str]]] = set()
        for answers in self._batches():
            pieces = [(after, until, self._checked(a)) for after, until, a in answers]
            for key, one in _joined(pieces):
                # Selectors may overlap: what one of them gave is not written again.
                if key not in seen:
                    seen.add(key)
                    self.copied += 1
                    first = int(one[1][0])
                    self.first_ms = min(first, first if self.first_ms is None else self.first_ms)
                    yield one
        self._conclude()

    def _batches(self) -> Iterator[list[tuple[int, int, Answer]]]:
        """The answers of each batch, in order of time; two questions are under way at once."""
        jobs = [(b, piece) for b in self.plan.batches for piece in b.pieces]
        stop = Stop()

        def ask(selector: str, after: int, until: int) -> list[tuple[int, int, Answer]]:
            with stop.obeyed():
                return _ask(self.source, selector, after, until)

        waiting: deque[Future[list[tuple[int, int, Answer]]]] = deque()
        upcoming = iter(jobs)
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="workbench-capture") as threads:
            try:
                for batch in self.plan.batches:
                    answers: list[tuple[int, int, Answer]] = []
                    for _ in batch.pieces:
                        while len(waiting) < _AHEAD and (job := next(upcoming, None)):
                            waiting.append(threads.submit(ask, job[0].selector, *job[1]))
                        answers += waiting.popleft().result()
                        self.answered += 1
                        if self.progress:
                            self.progress(self.answered, len(jobs))
                    yield answers
            except BaseException:
                stop.call()
                threads.shutdown(wait=True, cancel_futures=True)
                raise

    def _checked(self, answer: Answer) -> Samples:
        """The samples of an answer; what the source says of them is kept."""
        for text in (*answer.provenance.warnings, *answer.provenance.gaps):
            self.problems.setdefault(text)
        if not isinstance(answer.data, Samples):
            msg = f"{answer.provenance.source} gave no raw samples for a range selector"
            raise BadAnswerError(msg, "copy from a source that evaluates range selectors")
        return answer.data

    def _conclude(self) -> None:
        """Say what the snapshot holds and lacks."""
        if not self.copied:
            msg = (
                f"no series that meets {', '.join(self.plan.selectors)} has a sample in the window"
            )
            raise InputError(msg, "take another window; native histograms cannot be copied")
        info = self.source.info()
        self.notes.append(f"copied from {info.product or 'a server'} {info.version}".rstrip())
        self.notes += self.problems
        if self.copied < self.plan.series:
            self.notes.append(
                f"{self.copied:,} of {self.plan.series:,} series that the source listed have"
                " samples in the window"
            )
        late = 0 if self.first_ms is None else self.first_ms - self.plan.start_ms
        if late > (self.plan.end_ms - self.plan.start_ms) // 100 + ASSUMED_INTERVAL_MS:
            self.notes.append(
                f"the first sample is {format_duration(late)} after the beginning of the window"
            )
        self.notes.append(
            "staleness markers are not part of query answers: a series that ended is seen for"
            " five more minutes"
        )


def _ask(source: Source, selector: str, after: int, until: int) -> list[tuple[int, int, Answer]]:
    """One piece; in halves where the source finds it too much."""
    try:
        expression = f"{selector}[{format_duration(until - after)}]"
        return [(after, until, source.query(expression, until))]
    except TooExpensiveError:
        if until - after < 2 * LEAST_MS:
            raise
    middle = (after + until) // 2
    return [*_ask(source, selector, after, middle), *_ask(source, selector, middle, until)]


def _joined(
    pieces: Iterable[tuple[int, int, Samples]],
) -> Iterator[tuple[frozenset[tuple[str, str]], Series]]:
    """Series of consecutive pieces, by metric and then as the source gave them."""
    found: dict[frozenset[tuple[str, str]], tuple[Labels, list[Ints], list[Floats]]] = {}
    for after, until, samples in pieces:
        for labels, times, values in samples:
            # A closed window (Prometheus 2) gives the moment `after` too; it is not ours.
            inside = slice(*np.searchsorted(times, (after, until), side="right"))
            if inside.start == inside.stop:
                continue
            key = frozenset(labels.items())
            _, all_times, all_values = found.setdefault(key, (labels, [], []))
            all_times.append(times[inside])
            all_values.append(values[inside])
    for key, (labels, t, v) in sorted(
        found.items(), key=lambda item: item[1][0].get("__name__", "")
    ):
        yield key, (labels, np.concatenate(t), np.concatenate(v))


def _metadata(source: Source, names: Iterable[str]) -> list[MetricMetadata]:
    """What the source knows of the metrics that are copied."""
    suffixes = ("", "_bucket", "_sum", "_count", "_gsum", "_gcount", "_created", "_total", "_info")
    copied = set(names)
    return [m for m in source.metrics() if any(m.name + s in copied for s in suffixes)]
