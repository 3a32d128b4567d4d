"""What a comparison compares: two windows of one group, or two groups over one window.

Counts come by steps, each of which covers what lies between the step before and itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.errors import InputError
from workbench.samples import Ints, Labels
from workbench.statistics.buckets import BucketCounts, common_edges
from workbench.window import format_time

__all__ = ["Span", "Subject", "subject_around", "subject_of_pair"]

_BLOCK_MS: Final = 900_000
"""The least block that is resampled, where history is short."""


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment to another: what happened at `start_ms` is outside, at `end_ms` inside."""

    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        if self.end_ms <= self.start_ms:
            msg = f"the window {self} covers nothing"
            raise InputError(msg, "give one whose end is after its start")

    def __str__(self) -> str:
        return f"{format_time(self.start_ms)} to {format_time(self.end_ms)}"


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One comparison to be made.

    Parameters
    ----------
    title
        What happened between the windows or tells the groups apart: ``deploy 2.4.0``.
    group
        Whose requests.
    before, after
        Counts in seconds by step, shape (steps, buckets). Of a pair: the one and the other.
    before_span, after_span
        What they cover; the same of a pair.
    step_ms
        What one step covers.
    history
        The steps that end where `before` begins, without a hole; of a pair, both groups' in order.
        None where there are none.
    paired
        Whether two groups are compared at the same time.
    sums_seconds
        Sums of the latencies in both windows, where they are known.
    notes
        What a reader has to know of how this was cut.

    Raises
    ------
    InputError
        The windows overlap, stand in the wrong order, or those of a pair differ.
    """

    title: str
    group: Labels
    before: BucketCounts
    after: BucketCounts
    before_span: Span
    after_span: Span
    step_ms: int
    history: tuple[BucketCounts, ...] = ()
    paired: bool = False
    sums_seconds: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.step_ms <= 0:
            msg = f"the step of the comparison {self.title!r} is {self.step_ms} ms"
            raise InputError(msg, "give the length of a step, above 0")
        if self.paired:
            self._check_pair()
            return
        if self.after_span.end_ms <= self.before_span.start_ms:
            msg = f"the window after ({self.after_span}) is earlier than that before ({self.before_span})"
            raise InputError(msg, "swap the two windows")
        if self.after_span.start_ms < self.before_span.end_ms:
            msg = f"the windows {self.before_span} and {self.after_span} overlap"
            raise InputError(msg, "end the first where the second begins, or earlier")

    def _check_pair(self) -> None:
        if self.before_span != self.after_span or len(self.before.counts) != len(self.after.counts):
            msg = f"the windows of a pair differ: {self.before_span} and {self.after_span}"
            raise InputError(msg, "compare both over the same steps")

    @property
    def gap(self) -> int:
        """Steps between the windows."""
        between = self.after_span.start_ms - self.before_span.end_ms
        return 0 if self.paired else round(between / self.step_ms)

    @property
    def block(self) -> int:
        """Steps of the least block that is resampled."""
        return max(_BLOCK_MS // self.step_ms, 1)

    def aligned(self) -> Subject:
        """The same with all counts on the edges that they share.

        Raises
        ------
        InputError
            They share no bucket.
        """
        every = [self.before, self.after, *self.history]
        if all(np.array_equal(self.before.edges, each.edges) for each in every):
            return self
        edges = common_edges([each.edges for each in every])
        if len(edges) < 3 or any(edges[-1] < e.edges[-1] or edges[0] > e.edges[0] for e in every):
            msg = f"the buckets of {self.title!r} before and after have no boundary in common"
            raise InputError(msg, "compare windows of the same buckets")
        cut = [BucketCounts(edges, each.coarsened(edges).counts) for each in every]
        note = f"the buckets differ; {len(edges) - 1} that both share are compared"
        return Subject(
            self.title,
            self.group,
            cut[0],
            cut[1],
            self.before_span,
            self.after_span,
            self.step_ms,
            tuple(cut[2:]),
            self.paired,
            self.sums_seconds,
            (*self.notes, note),
        )


def subject_around(
    title: str,
    group: Labels,
    times_ms: Ints,
    buckets: BucketCounts,
    spans: tuple[Span, Span],
    *,
    step_ms: int,
    history_ms: int | None = None,
    sums_seconds: tuple[float, float] | None = None,
) -> Subject:
    """Cut two windows, and the history before them, out of one group's steps.

    Parameters
    ----------
    title, group, step_ms, sums_seconds
        As of `Subject`.
    times_ms
        int64, shape (steps,): the end of each step, evenly spaced.
    buckets
        Shape (steps, buckets); a step without a sample holds nothing.
    spans
        Before and after. Only steps that lie wholly inside are counted.
    history_ms
        How far back history reaches before the first window; all there is where it is None.

    Examples
    --------
    >>> times = np.arange(1, 121) * 60_000
    >>> counts = BucketCounts(np.array([0.0, 1.0, np.inf]), np.ones((120, 2)))
    >>> spans = Span(3_600_000, 5_400_000), Span(5_400_000, 7_200_000)
    >>> cut = subject_around("deploy", {}, times, counts, spans, step_ms=60_000)
    >>> len(cut.before.counts), len(cut.after.counts), len(cut.history[0].counts)
    (30, 30, 60)
    """
    before, after = (buckets[_inside(times_ms, span, step_ms)] for span in spans)
    history = _history(times_ms, [buckets], spans[0], step_ms, history_ms)
    return Subject(title, group, before, after, *spans, step_ms, history, sums_seconds=sums_seconds)


def subject_of_pair(
    title: str,
    group: Labels,
    times_ms: Ints,
    pair: tuple[BucketCounts, BucketCounts],
    span: Span,
    *,
    step_ms: int,
    history_ms: int | None = None,
    sums_seconds: tuple[float, float] | None = None,
) -> Subject:
    """Two label values over the same window: canary and stable, version A and version B.

    Parameters
    ----------
    pair
        Steps of the one and of the other, each of shape (steps, buckets). History reaches back only
        as far as both had requests.
    span
        The window.
    title, group, times_ms, step_ms, history_ms, sums_seconds
        As for `subject_around`.
    """
    rows = _inside(times_ms, span, step_ms)
    one, other = (side[rows] for side in pair)
    history = _history(times_ms, pair, span, step_ms, history_ms)
    if history:
        begun = [np.flatnonzero(side.total > 0) for side in history]
        first = max(int(each[0]) if len(each) else len(history[0].counts) for each in begun)
        history = tuple(side[first:] for side in history)
    return Subject(
        title,
        group,
        one,
        other,
        span,
        span,
        step_ms,
        history,
        paired=True,
        sums_seconds=sums_seconds,
    )


def _inside(times_ms: Ints, span: Span, step_ms: int) -> slice:
    """Steps that lie wholly in a span."""
    first = np.searchsorted(times_ms, span.start_ms + step_ms)
    last = np.searchsorted(times_ms, span.end_ms, side="right")
    return slice(int(first), max(int(first), int(last)))


def _history(
    times_ms: Ints,
    sides: Sequence[BucketCounts],
    before: Span,
    step_ms: int,
    history_ms: int | None,
) -> tuple[BucketCounts, ...]:
    """The steps that end where the first window begins."""
    last = _inside(times_ms, before, step_ms).start
    known = (
        0
        if history_ms is None
        else int(np.searchsorted(times_ms, before.start_ms - history_ms + step_ms))
    )
    return tuple(side[known:last] for side in sides) if last > known else ()
