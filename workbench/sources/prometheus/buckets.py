"""Native histograms rebuilt from the rows of buckets by which the HTTP API shows them.

The API gives bounds and counts of filled buckets. Bounds of an exponential histogram lie on the
grid of its schema, bucket `i` in ``(base ** (i - 1), base ** i]`` with ``base = 2 ** 2 ** -schema``
(https://prometheus.io/docs/specs/native_histograms/), so schema and index follow from any one of
them. What the API does not show:

- how wide an empty zero bucket is: taken from the nearest sample of the series that shows it, and
  zero where none does;
- the schema of a histogram without filled buckets: likewise, and the finest where none shows one,
  since histograms of two schemas are added at the coarser;
- whether a counter was reset, and whether it is a gauge: the hint is unknown;
- the bounds of empty buckets of a *custom* histogram, which is why none is rebuilt; nor is any
  other of a series in which one row is off the grid, since its rows may be on it by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from workbench.errors import BadAnswerError
from workbench.frame import NativeHistogram
from workbench.native import (
    Bools,
    Buckets,
    Floats,
    Histogram,
    Histograms,
    Ints,
    is_native,
    no_histograms,
    upper_bounds,
)
from workbench.sources.prometheus.spans import to_ms

__all__ = ["native_points", "rebuilt", "with_histograms"]

_LOOK: Final = "see what the address answers in a browser or with curl"
_SCHEMAS: Final = range(-4, 9)
_NO_SCHEMA: Final = 99
_LARGEST: Final = float(np.finfo(np.float64).max)
_NEAR: Final = 1e-11
"""Bounds agree that differ by less: servers round the last digit in their own ways."""


def native_points(points: Sequence[Any]) -> tuple[Ints, list[NativeHistogram]]:
    """The native histograms of one series, from pairs of a time and what the API shows then.

    Raises
    ------
    BadAnswerError
        They are something else.
    """
    try:
        times = to_ms(np.array([time for time, _ in points], np.float64))
        shown = [_shown(histogram) for _, histogram in points]
    except (ValueError, TypeError):
        msg = "the answer has native histograms that are not [time, histogram]"
        raise BadAnswerError(msg, _LOOK) from None
    pairs = zip(shown, rebuilt(shown), strict=True)
    return times, [replace(one, sample=sample) for one, sample in pairs]


def _shown(histogram: Mapping[str, Any]) -> NativeHistogram:
    try:
        buckets = tuple(
            (int(rule), float(low), float(high), float(count))
            for rule, low, high, count in histogram.get("buckets") or ()
        )
        return NativeHistogram(float(histogram["count"]), float(histogram["sum"]), buckets)
    except (ValueError, TypeError, KeyError, AttributeError):
        msg = "the answer has a native histogram of unknown form"
        raise BadAnswerError(msg, _LOOK) from None


def with_histograms(
    times: Ints, values: Floats, points: Sequence[Any]
) -> tuple[Ints, Floats, Histograms, int]:
    """The floats of a series and its histograms, by time; and how many these lack."""
    at, shown = native_points(points)
    native = no_histograms(len(shown))
    native[:] = [point.sample for point in shown]
    kept = is_native(native)
    times = np.concatenate([times, at[kept]])
    order = np.argsort(times, kind="stable")
    values = np.concatenate([values, np.full(np.count_nonzero(kept), np.nan)])
    histograms = np.concatenate([no_histograms(len(times) - int(kept.sum())), native[kept]])
    return times[order], values[order], histograms[order], int(np.count_nonzero(~kept))


def rebuilt(points: Sequence[NativeHistogram]) -> list[Histogram | None]:
    """The histograms of one series; None instead of each where a row is off the exponential grid.

    Parameters
    ----------
    points
        In order of time.

    Examples
    --------
    >>> [one] = rebuilt([NativeHistogram(3, 4.5, ((0, 0.5, 1.0, 1.0), (0, 1.0, 2.0, 2.0)))])
    >>> one.schema, one.positive.index.tolist(), one.positive.counts.tolist()
    (0, [0, 1], [1.0, 2.0])
    """
    if not points:
        return []
    rows = _Rows(points)
    thresholds = _nearest(rows.thresholds, np.isfinite(rows.thresholds), 0.0)
    schemas = _nearest(rows.schemas, rows.schemas != _NO_SCHEMA, _SCHEMAS[-1])
    index, right = rows.placed(schemas, thresholds)
    if not right.all():
        return [None] * len(points)
    made: list[Histogram | None] = []
    for number, point in enumerate(points):
        own = slice(rows.starts[number], rows.starts[number + 1])
        below, above = rows.negative[own], ~rows.zero[own] & ~rows.negative[own]
        if not (_single(index[own][below]) and _single(index[own][above])):
            return [None] * len(points)
        low = float(rows.low[own].min(initial=np.inf, where=~rows.zero[own]))
        shown = np.isfinite(rows.thresholds[number])
        threshold = float(thresholds[number])
        made.append(
            Histogram(
                int(schemas[number]),
                point.count,
                point.sum,
                # one that buckets reach into is not this sample's
                threshold if shown or low >= threshold else 0.0,
                float(rows.counts[own][rows.zero[own]].sum()),
                _buckets(index[own], rows.counts[own], above),
                _buckets(index[own], rows.counts[own], below),
            )
        )
    return made


def _single(index: Ints) -> bool:
    return len(np.unique(index)) == len(index)


def _buckets(index: Ints, counts: Floats, chosen: Bools) -> Buckets:
    order = np.argsort(index[chosen])
    return Buckets(index[chosen][order], counts[chosen][order])


def _nearest(values: Any, known: Bools, otherwise: float) -> Any:
    """Fill what is not known with the last known before it, else the first after it."""
    places = np.flatnonzero(known)
    if not len(places):
        return np.full_like(values, otherwise)
    before = np.searchsorted(places, np.arange(len(values)), side="right") - 1
    return values[places[np.maximum(before, 0)]]


class _Rows:
    """The rows of all histograms of a series, as columns; bounds are absolute, the lower first."""

    def __init__(self, points: Sequence[NativeHistogram]) -> None:
        sizes = [len(point.buckets) for point in points]
        self.starts: Ints = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.owner: Ints = np.repeat(np.arange(len(points)), sizes)
        table = np.array([row for point in points for row in point.buckets], np.float64)
        rule, left, right, self.counts = table.reshape(-1, 4).T
        self.zero: Bools = (rule == 3) & (left == -right) & np.isfinite(right)
        self.negative: Bools = (rule == 1) & (right <= 0)
        self.low: Floats = np.where(self.negative, -right, left)
        self.high: Floats = np.where(self.negative, -left, right)
        self._sided: Bools = self.negative | ((rule == 0) & (left >= 0))
        self.thresholds: Floats = np.full(len(points), np.nan)
        self.thresholds[self.owner[self.zero]] = right[self.zero]
        self.schemas: Ints = np.full(len(points), _NO_SCHEMA)
        # The zero bucket may have cut the rows beside it: they are asked where no other row is.
        beside = self.low == self.thresholds[self.owner]
        for chosen in (~beside, beside):
            if (self.schemas == _NO_SCHEMA).all():
                np.minimum.at(self.schemas, self.owner, self._schema_by_row(chosen))

    def _schema_by_row(self, chosen: Bools) -> Ints:
        """The schema that each row tells, `_NO_SCHEMA` where it is not chosen or tells none."""
        told = chosen & self._sided & (self.low > 0) & (self.high < _LARGEST)
        with np.errstate(all="ignore"):
            exact = -np.log2(np.log2(self.high) - np.log2(self.low))
        exact = np.clip(np.nan_to_num(exact, nan=98), -99, 98)
        schema: Ints = np.rint(np.where(told, exact, _NO_SCHEMA)).astype(np.int64)
        return schema

    def placed(self, schemas: Ints, thresholds: Floats) -> tuple[Ints, Bools]:
        """The index of each row, and whether its bounds are those of that bucket."""
        index = np.zeros(len(self.counts), np.int64)
        right = self.zero.copy()
        of_row = schemas[self.owner]
        edge = thresholds[self.owner]
        for schema in set(of_row.tolist()) & set(_SCHEMAS):
            own = np.flatnonzero((of_row == schema) & self._sided & (self.high > 0))
            with np.errstate(divide="ignore"):
                place = np.log2(np.minimum(self.high[own], _LARGEST)) * 2.0**schema
            # beyond the largest number there is one more bucket, for infinity
            index[own] = np.rint(place).astype(np.int64) + np.isinf(self.high[own])
            upper = upper_bounds(index[own], schema)
            lower = np.maximum(upper_bounds(index[own] - 1, schema), 0.0)
            cut = (self.low[own] == edge[own]) & (lower < edge[own])
            right[own] = _near(self.high[own], upper) & (cut | _near(self.low[own], lower))
        return index, right


def _near(one: Floats, other: Floats) -> Bools:
    with np.errstate(invalid="ignore"):
        same: Bools = (one == other) | (np.abs(one - other) <= _NEAR * np.abs(other))
    return same
