"""From answers to distributions: frames of buckets, classic or native, become `BucketCounts`."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from workbench.frame import Frame, NativeHistogram
from workbench.samples import Floats, Ints, Labels
from workbench.statistics.buckets import BucketCounts

__all__ = [
    "Flaw",
    "Group",
    "Grouped",
    "different_buckets",
    "group_of",
    "read_classic",
    "read_native",
]

Group = tuple[tuple[str, str], ...]
"""Labels as sorted pairs."""

_OF_THE_METRIC: Final = frozenset({"__name__", "le", "quantile"})

_EXTRAPOLATED: Final = 0.02
"""Share of a count by which extrapolation may change it."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with the buckets of one group.

    Parameters
    ----------
    labels
        The group.
    code
        The finding it becomes.
    what
        One sentence.
    fatal
        Whether the group cannot be judged at all.
    """

    labels: Labels
    code: str
    what: str
    fatal: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """Groups with the same layout of buckets.

    Parameters
    ----------
    labels
        One label set a group, without ``le``.
    times_ms
        int64, shape (steps,).
    buckets
        Counts in seconds, shape (groups, steps, buckets).
    missing
        bool, shape (groups, steps): no sample at all, or not of every bucket.
    """

    labels: tuple[Labels, ...]
    times_ms: Ints
    buckets: BucketCounts
    missing: np.ndarray[tuple[int, int], np.dtype[np.bool_]]


def read_classic(
    frame: Frame,
    seconds_per_unit: float = 1.0,
    *,
    without: Mapping[Group, Collection[float]] | None = None,
    layouts: Mapping[Group, Collection[float]] | None = None,
) -> tuple[tuple[Grouped, ...], tuple[Flaw, ...]]:
    """Read a frame of classic buckets.

    Parameters
    ----------
    frame
        Series with a label ``le``; their values are cumulative over buckets, not over time.
    seconds_per_unit
        What the bounds are multiplied by.
    without
        Bounds to leave out of a group, since not all of its series have them.
    layouts
        Upper edges in seconds that a group was found to have all the time: no others are read.

    Returns
    -------
    tuple
        Groups by layout, and what is wrong with some.
    """
    rows, flaws = _rows_by_group(frame)
    flaws.extend(_drop_passing(rows, frame.present.sum(axis=1)))
    alike: dict[tuple[float, ...], list[tuple[Labels, list[int]]]] = {}
    for labels, found in rows:
        group = group_of(labels)
        incomplete, wanted = (without or {}).get(group, ()), (layouts or {}).get(group)
        bounds = tuple(
            bound
            for bound in sorted(found)
            if bound not in incomplete and (wanted is None or bound * seconds_per_unit in wanted)
        )
        if not bounds or bounds[-1] != math.inf:
            last = f"; the last is le={bounds[-1]:g}" if bounds else ""
            what = f"there is no bucket le=+Inf that all series have{last}"
            flaws.append(Flaw(labels, "LAT-BUCKETS-MISSING", what, fatal=True))
        elif len(bounds) < 2:
            what = (
                "le=+Inf is its only bucket, which tells nothing but how many requests there were"
            )
            flaws.append(Flaw(labels, "LAT-BUCKETS-MISSING", what, fatal=True))
        else:
            alike.setdefault(bounds, []).append((labels, [found[b] for b in bounds]))
    groups: list[Grouped] = []
    for bounds, members in alike.items():
        index = np.array([places for _, places in members]).T
        values = frame.values[index]  # buckets × groups × steps
        present = frame.present[index] & np.isfinite(values)
        if not present.all():
            values[~present] = np.nan
        flaws.extend(_not_cumulative([labels for labels, _ in members], values))
        upper = np.array(bounds) * seconds_per_unit
        counts = BucketCounts.from_cumulative(upper, np.moveaxis(values, 0, -1))
        missing = ~present.all(axis=0)
        groups.append(Grouped(tuple(m for m, _ in members), frame.times_ms, counts, missing))
    return tuple(groups), tuple(flaws)


def group_of(labels: Labels) -> Group:
    """What tells a group apart from others: its labels but those of the metric itself, sorted."""
    return tuple(sorted((n, v) for n, v in labels.items() if n not in _OF_THE_METRIC))


def different_buckets(
    frame: Frame | None,
) -> tuple[dict[Group, frozenset[float]], tuple[Flaw, ...]]:
    """Find groups whose series do not all have the same buckets.

    Parameters
    ----------
    frame
        How many series there are of each ``le`` and group, at several moments.

    Returns
    -------
    tuple
        Bounds that some series of a group lack, and the flaws.
    """
    series: dict[Group, dict[float, Floats]] = {}
    for i, labels in enumerate(frame.labels if frame is not None else ()):
        bound = _number(labels.get("le", ""))
        if frame is not None and bound is not None:
            there = np.where(frame.present[i], frame.values[i], 0.0)
            series.setdefault(group_of(labels), {})[bound] = there
    lacking: dict[Group, frozenset[float]] = {}
    flaws: list[Flaw] = []
    for group, counts in series.items():
        most = np.max(list(counts.values()), axis=0)
        fewer = {bound: float((most - n).max()) for bound, n in counts.items() if (n < most).any()}
        if fewer:
            lacking[group] = frozenset(fewer)
            some = ", ".join(f"{b:g}" for b in sorted(fewer)[:3]) + (" …" if len(fewer) > 3 else "")
            what = (
                f"of {most.max():.0f} series {max(fewer.values()):.0f} have no bucket le={some}; "
                "what not all have is left out, so that the rest adds up"
            )
            flaws.append(Flaw(dict(group), "LAT-BUCKETS-DIFFER", what))
    return lacking, tuple(flaws)


def _rows_by_group(frame: Frame) -> tuple[list[tuple[Labels, dict[float, int]]], list[Flaw]]:
    """Where each bucket of each group stands in the frame."""
    groups: dict[Group, dict[float, int]] = {}
    flaws: list[Flaw] = []
    for place, labels in enumerate(frame.labels):
        rest = group_of(labels)
        bound = _number(labels.get("le", ""))
        found = groups.setdefault(rest, {})
        if bound is None:
            what = f"a bucket has le={labels.get('le', '')!r}, which is no bound; it is left out"
            flaws.append(Flaw(dict(rest), "LAT-BUCKETS-MISSING", what))
            continue
        if bound in found:  # le="1" and le="1.0": two writings of one bound
            what = f"two buckets have the bound {bound:g}, written in two ways"
            flaws.append(Flaw(dict(rest), "LAT-BUCKETS-DIFFER", what, fatal=True))
        found[bound] = place
    for rest in (group for group, found in groups.items() if not found):
        what = (
            "none of its buckets has a bound in le: VictoriaMetrics' own histograms, which have "
            "vmrange instead, are not read"
        )
        flaws.insert(0, Flaw(dict(rest), "LAT-BUCKETS-MISSING", what, fatal=True))
    broken = {tuple(sorted(f.labels.items())) for f in flaws if f.fatal}
    return [(dict(k), v) for k, v in groups.items() if k not in broken and v], flaws


def _drop_passing(rows: Sequence[tuple[Labels, dict[float, int]]], steps: Ints) -> list[Flaw]:
    """Take out bounds that were not there all the time, as after a change of buckets."""
    flaws: list[Flaw] = []
    for labels, found in rows:
        always = steps[found[math.inf]] if math.inf in found else 0
        passing = sorted(bound for bound, row in found.items() if steps[row] < always)
        for bound in passing:
            del found[bound]
        if passing:
            some = ", ".join(f"{b:g}" for b in passing[:3]) + (" …" if len(passing) > 3 else "")
            what = f"its buckets changed with time: le={some} was not always there and is left out"
            flaws.append(Flaw(labels, "LAT-BUCKETS-DIFFER", what))
    return flaws


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return None if math.isnan(value) or value == -math.inf else value


def _not_cumulative(labels: Sequence[Labels], values: Floats) -> list[Flaw]:
    """Groups of which a bucket counts clearly fewer than one below it.

    `values` has shape (buckets, groups, steps).
    """
    steps = np.zeros(len(labels), np.int64)
    with np.errstate(invalid="ignore"):
        for low, high in pairwise(values):
            fall = low - high
            if (fall > 1.0).any():
                # increase() extrapolates each bucket by itself, which may turn the order a little
                steps = np.maximum(steps, (fall > 1.0 + _EXTRAPOLATED * low).sum(axis=-1))
    return [
        Flaw(
            labels[int(i)],
            "LAT-NOT-CUMULATIVE",
            f"at {steps[i]} of {values.shape[-1]} steps a bucket counts fewer requests than a lower one",
        )
        for i in np.flatnonzero(steps)
    ]


def read_native(
    frame: Frame, seconds_per_unit: float = 1.0
) -> tuple[tuple[Grouped, ...], tuple[Flaw, ...]]:
    """Read a frame of native histograms, exponential or with custom bounds.

    Each group gets the finest layout that all its histograms fit: where the resolution changed
    in time, that is the coarser one.
    """
    by_series: dict[int, dict[int, NativeHistogram]] = {}
    for (series, step), histogram in frame.histograms.items():
        by_series.setdefault(series, {})[step] = histogram
    groups: list[Grouped] = []
    flaws: list[Flaw] = []
    for series, labels in enumerate(frame.labels):
        group = {n: v for n, v in labels.items() if n != "__name__"}
        found = by_series.get(series)
        if not found:
            what = "its samples are plain numbers, not native histograms"
            flaws.append(Flaw(group, "LAT-NOT-A-HISTOGRAM", what, fatal=True))
            continue
        counts = _native_counts(found, len(frame.times_ms))
        counts = replace(counts, edges=counts.edges * seconds_per_unit)
        missing = np.ones((1, len(frame.times_ms)), np.bool_)
        missing[0, list(found)] = False
        buckets = BucketCounts(counts.edges, counts.counts[None], counts.exponential)
        groups.append(Grouped((group,), frame.times_ms, buckets, missing))
    return tuple(groups), tuple(flaws)


def _native_counts(histograms: Mapping[int, NativeHistogram], steps: int) -> BucketCounts:
    """Histograms of one series by step, on edges that none of their buckets straddles."""
    rows = {step: histogram.rows() for step, histogram in histograms.items()}
    lower = np.concatenate([r.lower for r in rows.values()])
    upper = np.concatenate([r.upper for r in rows.values()])
    counts = np.concatenate([r.counts for r in rows.values()])
    step = np.repeat(list(rows), [len(r.lower) for r in rows.values()])
    if not (upper < 0).any():
        # the zero bucket reaches as far below zero as above it, the lowest custom one to -Inf
        lower = np.maximum(lower, 0.0)
    edges = _shared(lower, upper)
    table = np.zeros((steps, max(len(edges) - 1, 1)))
    if len(edges) < 2:
        return BucketCounts(np.array([0.0, math.inf]), table)
    place = np.maximum(np.searchsorted(edges, upper) - 1, 0)  # a zero bucket without a width
    np.add.at(table, (step, place), np.maximum(counts, 0.0))
    # what a server sent and could not be rebuilt has custom bounds
    exponential = all(h.sample is not None and not h.sample.is_custom for h in histograms.values())
    return BucketCounts(edges, table, exponential)


def _shared(lower: Floats, upper: Floats) -> Floats:
    """The edges of all buckets but those inside another bucket."""
    pairs = np.unique(np.stack([lower, upper]), axis=1)
    edges = np.unique(pairs)
    first = np.searchsorted(edges, pairs[0]) + 1
    last = np.searchsorted(edges, pairs[1])
    inside = np.zeros(len(edges) + 1, np.int64)
    np.add.at(inside, first, 1)
    np.add.at(inside, np.maximum(last, first), -1)
    outer: Floats = edges[np.cumsum(inside)[:-1] == 0]
    return outer
