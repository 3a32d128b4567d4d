"""What is compared with what: around deploys, with the window before, by label, or two windows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from workbench.errors import InputError
from workbench.latency.deploys import Deploy
from workbench.latency.instrument import Instrument
from workbench.latency.reading import Grouped
from workbench.latency.subjects import Span, Subject, subject_around, subject_of_pair
from workbench.samples import Floats
from workbench.statistics.buckets import BucketCounts, common_edges
from workbench.window import Window, parse_time

__all__ = ["Against", "Changes", "parse_compare", "subjects"]

_HISTORY_WINDOWS: Final = 56
"""How many windows of history a comparison learns from: a week of windows of three hours."""

_MOST_DEPLOYS: Final = 8
"""The latest that are judged: each makes the others' evidence count for less."""

_MOST_GROUPS: Final = 40
"""The busiest groups that are compared."""


class Against(StrEnum):
    """What a study compares with what."""

    DEPLOYS = "deploys"
    PREVIOUS = "previous"
    LABEL = "label"
    WINDOWS = "windows"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Changes:
    """Which comparisons a study makes.

    Parameters
    ----------
    against
        What kind.
    length_ms
        How long each window around a deploy is.
    label
        Whose values are compared at the same time.
    windows
        The two windows that were given.
    deploys
        By an instrument's key, those that concern it.
    """

    against: Against = Against.NONE
    length_ms: int = 3_600_000
    label: str = ""
    windows: tuple[Span, Span] | None = None
    deploys: Mapping[str, Sequence[Deploy]] = field(default_factory=dict)

    def history_ms(self, window: Window) -> int:
        """How far before the window its questions must begin."""
        length = window.end_ms - window.start_ms
        match self.against:
            case Against.NONE:
                return 0
            case Against.PREVIOUS:
                return length
            case Against.WINDOWS:
                assert self.windows is not None
                first = self.windows[0]
                span = (first.end_ms - first.start_ms) * _HISTORY_WINDOWS
                return max(window.start_ms - first.start_ms + min(span, 14 * length), 0)
        return self.length_ms * (_HISTORY_WINDOWS + 1)


def parse_compare(text: str, *, now_ms: int) -> Changes:
    """Read what is to be compared.

    Parameters
    ----------
    text
        ``deploys``, ``previous``, ``none``, ``label NAME``, or two windows, each as START/END:
        ``2026-06-18T08:00/09:00Z …`` written out in full.
    now_ms
        What relative moments refer to.

    Raises
    ------
    InputError
        It is none of these, or the windows overlap.

    Examples
    --------
    >>> parse_compare("label version", now_ms=0).label
    'version'
    """
    words = text.split()
    if len(words) == 1 and words[0] in (Against.DEPLOYS, Against.PREVIOUS, Against.NONE):
        return Changes(Against(words[0]))
    if len(words) == 2 and words[0] == Against.LABEL:
        return Changes(Against.LABEL, label=words[1])
    if len(words) == 2 and all(w.count("/") == 1 for w in words):
        spans = [
            Span(*(parse_time(moment, now_ms=now_ms) for moment in word.split("/")))
            for word in words
        ]
        first, second = sorted(spans, key=lambda s: s.start_ms)
        if second.start_ms < first.end_ms:
            msg = f"the windows {first} and {second} overlap"
            raise InputError(msg, "end the first where the second begins, or earlier")
        return Changes(Against.WINDOWS, windows=(first, second))
    msg = f"compare is {text!r}"
    raise InputError(
        msg, "give deploys, previous, none, 'label NAME', or two windows as START/END START/END"
    )


def subjects(
    changes: Changes, instrument: Instrument, steps: Sequence[Grouped], window: Window
) -> Iterator[Subject]:
    """Cut what is to be compared out of an instrument's steps.

    Parameters
    ----------
    changes
        Which comparisons.
    instrument
        What measured it.
    steps
        Its groups on the whole grid, history among it.
    window
        The range studied.
    """
    if changes.against is Against.LABEL:
        yield from _pairs(changes, steps, window)
        return
    for title, spans in _spans(changes, instrument, window):
        for grouped, i in _busiest(steps):
            yield subject_around(
                title,
                grouped.labels[i],
                grouped.times_ms,
                grouped.buckets[i],
                spans,
                step_ms=window.step_ms,
                history_ms=max(
                    (spans[0].end_ms - spans[0].start_ms) * _HISTORY_WINDOWS, window.step_ms
                ),
            )


def _spans(
    changes: Changes, instrument: Instrument, window: Window
) -> Iterator[tuple[str, tuple[Span, Span]]]:
    if changes.against is Against.PREVIOUS:
        length = window.end_ms - window.start_ms
        before = Span(window.start_ms - length, window.start_ms)
        yield "the window before", (before, Span(window.start_ms, window.end_ms))
    elif changes.against is Against.WINDOWS:
        assert changes.windows is not None
        yield "the second window", changes.windows
    elif changes.against is Against.DEPLOYS:
        step = window.step_ms
        given = dict.fromkeys(changes.deploys.get(instrument.key, ()))
        inside = [d for d in given if d.at_ms > window.start_ms]
        for deploy in inside[-_MOST_DEPLOYS:]:
            # the step in which the rollout begins belongs to neither side
            begin = deploy.at_ms // step * step
            end = -(-max(deploy.end_ms, deploy.at_ms) // step) * step
            last = min(end + changes.length_ms, window.end_ms)
            if last > end:
                yield (
                    deploy.title,
                    (Span(begin - changes.length_ms, begin), Span(end, last)),
                )


def _busiest(steps: Sequence[Grouped]) -> list[tuple[Grouped, int]]:
    every = [(g, i) for g in steps for i in range(len(g.labels))]
    every.sort(key=lambda x: -float(x[0].buckets.counts[x[1]].sum()))
    return every[:_MOST_GROUPS]


def _pairs(changes: Changes, steps: Sequence[Grouped], window: Window) -> Iterator[Subject]:
    """Each value of the label against the one with the most requests, all else alike."""
    alike: dict[tuple[tuple[str, str], ...], list[tuple[Grouped, int]]] = {}
    for grouped, i in _busiest(steps):
        labels = grouped.labels[i]
        rest = tuple(sorted((n, v) for n, v in labels.items() if n != changes.label))
        if changes.label in labels:
            alike.setdefault(rest, []).append((grouped, i))
    span = Span(window.start_ms, window.end_ms)
    for rest, members in alike.items():
        usual, *others = members
        name = usual[0].labels[usual[1]][changes.label]
        for grouped, i in others:
            pair = _on_one_range(usual[0].buckets[usual[1]], grouped.buckets[i])
            if len(common_edges([each.edges for each in pair])) > 2:
                value = grouped.labels[i][changes.label]
                yield subject_of_pair(
                    f"{changes.label} {value} beside {name}",
                    dict(rest),
                    grouped.times_ms,
                    pair,
                    span,
                    step_ms=window.step_ms,
                )


def _on_one_range(one: BucketCounts, other: BucketCounts) -> tuple[BucketCounts, BucketCounts]:
    """Both with the outer edges of the other: a native histogram has no bucket where nothing was."""
    return _widened(one, other.edges), _widened(other, one.edges)


def _widened(buckets: BucketCounts, edges: Floats) -> BucketCounts:
    low, high = edges[edges < buckets.edges[0]], edges[edges > buckets.edges[-1]]
    if not len(low) + len(high):
        return buckets
    width = [(0, 0)] * (buckets.counts.ndim - 1) + [(len(low), len(high))]
    return BucketCounts(
        np.concatenate([low, buckets.edges, high]),
        np.pad(buckets.counts, width),
        buckets.exponential,
    )
