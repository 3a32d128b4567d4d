"""The copying itself: a few batches under way at once, each kept as soon as it is whole."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from workbench.capture.planning import ASSUMED_INTERVAL_MS, Batch, plan
from workbench.capture.reading import RANGE_SELECTORS, Reading, choose_reading, reading_named
from workbench.capture.unfinished import Begun, Request, Unfinished
from workbench.errors import (
    BadAnswerError,
    InputError,
    OutputError,
    SourceError,
    TimedOutError,
    TooExpensiveError,
    UnreachableError,
)
from workbench.samples import MetricMetadata
from workbench.sources.base import Source
from workbench.sources.prometheus import PrometheusSource
from workbench.sources.prometheus.raw import Raw
from workbench.sources.stop import Stop
from workbench.store import Manifest, join_snapshots, read_manifest, write_snapshot
from workbench.units import format_duration
from workbench.window import format_time

__all__ = ["MOST_SAMPLES", "PATIENCE_SECONDS", "CaptureProgress", "capture"]

MOST_SAMPLES: Final = 200_000_000
"""A capture that is estimated to be larger is refused unless it is allowed."""

PATIENCE_SECONDS: Final = 300.0
"""How long a server may be away: time to restart and to read its write-ahead log."""

CaptureProgress = Callable[[int, int], None]
"""Told how many answers are there and how many are planned; by any thread, one at a time."""

_MOST_THREADS: Final = 4
_TRIES: Final = 3
"""Of a batch whose answer is damaged or late, which may not pass however long one waits."""
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 10.0

_LOG: Final = logging.getLogger(__name__)


def capture(
    source: Source,
    selectors: Sequence[str],
    start_ms: int,
    end_ms: int,
    path: Path | str,
    *,
    asked: str = "",
    restart: bool = False,
    overwrite: bool = False,
    most_samples: int = MOST_SAMPLES,
    patience_seconds: float = PATIENCE_SECONDS,
    progress: CaptureProgress | None = None,
) -> Manifest:
    """Copy raw samples of a source into a snapshot.

    The best way of reading that the source has is found by trial: see `workbench.capture.reading`.
    What has been read is kept beside the target batch by batch. After a failure or Ctrl-C nothing
    stands at `path`, and the same call goes on where this one ended.

    Parameters
    ----------
    source, selectors, start_ms, end_ms
        See `plan`. A capture that goes on keeps the window that it began with.
    path
        The snapshot's folder.
    asked
        How the window was asked for where it moves with the time, such as ``last 7d``: a capture
        that was interrupted is the same if this is. Without it its two ends must be the same.
    restart
        Discard an unfinished capture of this target, whatever it was.
    overwrite
        Replace a snapshot that stands there.
    most_samples
        Refuse where more are expected.
    patience_seconds
        How long to ask again while the server cannot be reached, once it has answered.
    progress
        Told after each answer.

    Returns
    -------
    Manifest
        Its notes say how the samples were read, what is missing and why; `complete` is False
        where the source said that an answer was partial, or gave something that a snapshot cannot
        hold.

    Raises
    ------
    TooExpensiveError
        More samples are expected than allowed, or the source refuses even a second of them.
    InputError, QueryError, SourceError
        See `plan`.
    OutputError
        The snapshot cannot be written; or an unfinished capture of something else stands beside
        it, or one that another process works on.
    """
    work = Unfinished(Path(path))
    window = asked or f"{format_time(start_ms)} to {format_time(end_ms)}"
    request = Request(source.info().name, tuple(selectors), window)
    with work.locked():
        begun = _begun_before(work, request, restart=restart)
        resumed = begun is not None
        begun = begun or _begin(source, request, (start_ms, end_ms), most_samples)
        copier = _Copier(source, work, begun, resumed, patience_seconds, progress)
        metadata = _metadata(source, begun.plan.names)
        with closing(copier.parts()) as parts:
            manifest = join_snapshots(
                path,
                parts,
                metadata=metadata,
                source=begun.plan.source,
                selectors=begun.plan.selectors,
                window=copier.window,
                notes=copier.notes,
                complete=lambda: not copier.problems,
                overwrite=overwrite,
            )
        work.clear()
    return manifest


def _begun_before(work: Unfinished, request: Request, *, restart: bool) -> Begun | None:
    """What was begun and can be gone on with; None where all begins anew."""
    begun = None if restart else work.begun()
    if begun is None:
        work.clear()
    elif begun.request != request:
        msg = (
            f"an unfinished capture of something else stands beside {work.target}: {begun.request}"
        )
        mend = "ask for that again to finish it, or discard it (restart=True, --restart)"
        raise OutputError(msg, mend)
    return begun


def _begin(source: Source, request: Request, window: tuple[int, int], most_samples: int) -> Begun:
    """Plan a capture and find out how to read."""
    planned = plan(source, request.selectors, *window)
    if planned.samples > most_samples:
        msg = f"about {planned.samples:,} samples are to be copied, more than {most_samples:,}"
        raise TooExpensiveError(msg, "take a shorter window or narrower selectors, or allow more")
    reading, reasons = choose_reading(source, planned)
    now = format_time(time.time_ns() // 1_000_000_000 * 1000)
    return Begun(request, planned, reading.name, reasons, now)


@dataclass(slots=True)
class _Copier:
    """One copying under way."""

    source: Source
    work: Unfinished
    begun: Begun
    resumed: bool
    patience_seconds: float
    progress: CaptureProgress | None
    problems: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    answered: int = 0
    away: bool = False
    stop: Stop = field(default_factory=Stop)
    lock: threading.Lock = field(default_factory=threading.Lock)
    reading: Reading = field(init=False)

    def __post_init__(self) -> None:
        self.reading = reading_named(self.source, self.begun.reading)

    @property
    def window(self) -> tuple[int, int]:
        """The window's ends."""
        return self.begun.plan.start_ms, self.begun.plan.end_ms

    def parts(self) -> Generator[Path, None, None]:
        """Every batch once it is there; the notes are complete before the first."""
        batches = self.begun.plan.batches
        if not self.resumed:
            self.work.begin(self.begun)
        done = {n for n in range(len(batches)) if self.work.is_finished(n)}
        if self.resumed:
            _LOG.warning(
                "going on with the capture that began at %s and ends at %s: %d of %d batches are"
                " there",
                self.begun.at,
                format_time(self.window[1]),
                len(done),
                len(batches),
            )
            self.notes.append(f"begun at {self.begun.at} and continued after an interruption")
        self.answered = sum(self.reading.steps(batches[n]) for n in done)
        try:
            self._copy_all([n for n in range(len(batches)) if n not in done])
        except BaseException:
            self._tell_what_is_kept()
            raise
        self._conclude()
        yield from map(self.work.part, range(len(batches)))

    def _copy_all(self, numbers: Iterable[int]) -> None:
        """Copy batches, a few at once; on failure or Ctrl-C those under way are broken off."""
        with ThreadPoolExecutor(_threads(self.source), "workbench-capture") as threads:
            jobs = [threads.submit(self._copy, number) for number in numbers]
            try:
                for job in as_completed(jobs):
                    job.result()
            except BaseException:
                self.stop.call()
                threads.shutdown(wait=True, cancel_futures=True)
                raise

    def _copy(self, number: int) -> None:
        """Read one batch and keep it."""
        with self.stop.obeyed():
            raw = self._read(self.begun.plan.batches[number])
        write_snapshot(
            self.work.part(number),
            raw.series,
            notes=raw.problems,
            complete=not raw.problems,
            overwrite=True,
        )

    def _read(self, batch: Batch) -> Raw:
        """Read a batch; in PromQL where the better way goes wrong again and again.

        Prometheus 2.40 to 2.42 break off remote-read when they cut chunks of gauge histograms.
        """
        try:
            return self._persist(batch, self.reading)
        except BadAnswerError as error:
            if self.stop.called or self.reading.name == RANGE_SELECTORS:
                raise
            why = f"{self.reading.name} of {batch.selector} went wrong ({error.what})"
        _LOG.warning("%s; reading it by range selectors", why)
        ranges = reading_named(self.source, RANGE_SELECTORS)
        raw = self._persist(batch, ranges)
        limits = (f"{why}, so these series were {limit}" for limit in ranges.limits)
        return Raw(raw.series, (*raw.problems, *limits))

    def _persist(self, batch: Batch, reading: Reading) -> Raw:
        """Read a batch, again and again while the server is away."""
        begun, pause, tries = time.monotonic(), _FIRST_PAUSE, 0
        planned = self.reading.steps(batch)  # another way may take more answers
        while True:
            told = 0

            def tell() -> None:
                nonlocal told
                if told < planned:
                    told += 1
                    self._tell(1)

            try:
                raw = reading.read(batch, self.window, tell)
            except (UnreachableError, TimedOutError, BadAnswerError) as error:
                tries += 1
                self._tell(-told)
                self._check_patience(error, time.monotonic() + pause - begun, tries)
            else:
                self.away = False
                return raw
            self.stop.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _check_patience(self, error: SourceError, seconds: float, tries: int) -> None:
        """Raise an error that is not to be waited for any longer."""
        lasting = not isinstance(error, UnreachableError) and tries >= _TRIES
        if self.stop.called or lasting or seconds > self.patience_seconds:
            raise error
        with self.lock:
            if not self.away:
                self.away = True
                _LOG.warning("%s; trying again", error.what)

    def _tell(self, steps: int) -> None:
        with self.lock:
            self.answered += steps
            if self.progress and steps:
                self.progress(self.answered, sum(map(self.reading.steps, self.begun.plan.batches)))

    def _tell_what_is_kept(self) -> None:
        batches = self.begun.plan.batches
        kept = sum(self.work.part(n).exists() for n in range(len(batches)))
        if kept:
            _LOG.warning(
                "%d of %d batches are kept: ask for the same again to go on from there, or with"
                " --restart (restart=True) to begin anew",
                kept,
                len(batches),
            )

    def _conclude(self) -> None:
        """Say what the snapshot holds and lacks."""
        planned = self.begun.plan
        found = [read_manifest(self.work.part(n)) for n in range(len(planned.batches))]
        copied = sum(each.counts.series for each in found)
        self.problems |= dict.fromkeys(note for each in found for note in each.gaps)
        if not copied:
            self.work.clear()
            wanted = ", ".join(planned.selectors)
            msg = f"no series that meets {wanted} has a sample in the window"
            raise InputError(msg, "take another window")
        info = self.source.info()
        self.notes.append(f"copied from {info.product or 'a server'} {info.version}".rstrip())
        self.notes += [*self.problems, *self.reading.limits, *self.begun.reasons]
        if copied < planned.series:
            self.notes.append(
                f"{copied:,} of {planned.series:,} series that the source listed have samples in"
                " the window"
            )
        first = min(each.first_ms for each in found if each.first_ms is not None)
        late = first - planned.start_ms
        if late > (planned.end_ms - planned.start_ms) // 100 + ASSUMED_INTERVAL_MS:
            self.notes.append(
                f"the first sample is {format_duration(late)} after the beginning of the window"
            )


def _threads(source: Source) -> int:
    """How many batches to read at once."""
    allowed = source.settings.concurrency if isinstance(source, PrometheusSource) else 2
    return min(allowed, _MOST_THREADS)


def _metadata(source: Source, names: Iterable[str]) -> list[MetricMetadata]:
    """What the source knows of the metrics that are copied."""
    suffixes = ("", "_bucket", "_sum", "_count", "_gsum", "_gcount", "_created", "_total", "_info")
    copied = set(names)
    return [m for m in source.metrics() if any(m.name + s in copied for s in suffixes)]
