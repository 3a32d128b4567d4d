"""Native histograms: one sample that holds a whole distribution in sparse buckets.

Two kinds share one form. *Exponential* histograms (schema −4 … 8) have bucket bounds at powers of
``2 ** (2 ** -schema)``, mirrored for negative values around a zero bucket; *custom* ones (schema
−53) have bounds of their own, as classic histograms have. The rules are those of Prometheus'
specification of native histograms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cache, lru_cache
from typing import Any, Final

import numpy as np

__all__ = [
    "CUSTOM",
    "NO_BUCKETS",
    "Bools",
    "Buckets",
    "Floats",
    "Histogram",
    "Histograms",
    "Ints",
    "ResetHint",
    "Rows",
    "is_native",
    "no_histograms",
    "or_none",
    "upper_bounds",
]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

Bools = np.ndarray[Any, np.dtype[np.bool_]]
Histograms = np.ndarray[Any, np.dtype[np.object_]]
"""An object array of `Histogram`, None where there is no histogram."""

CUSTOM: Final = -53
"""The schema that says: the bounds are listed in `Histogram.custom_values`."""


class ResetHint(IntEnum):
    """What a sample's writer knows of counter resets before it."""

    UNKNOWN = 0
    RESET = 1
    NOT_RESET = 2
    GAUGE = 3


def is_native(histograms: Histograms) -> Bools:
    """Where there is a histogram: bool, of the same shape."""
    mask: Bools = np.not_equal(histograms, np.array(None, object)).astype(np.bool_)
    return mask


def or_none(histograms: Histograms) -> Histograms | None:
    """The same array, or None where it holds no histogram."""
    return histograms if is_native(histograms).any() else None


def no_histograms(shape: tuple[int, ...] | int) -> Histograms:
    """An array of `None`, to be filled with histograms."""
    return np.full(shape, np.array(None, object))


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """Buckets of one sign, sparse.

    Parameters
    ----------
    index
        int64, shape (buckets,), strictly ascending. Bucket `i` of an exponential histogram holds
        the absolute values in ``(base ** (i - 1), base ** i]``; of a custom one those up to
        ``custom_values[i]``.
    counts
        float64, shape (buckets,).
    """

    index: Ints
    counts: Floats

    @classmethod
    def dense(cls, start: int, counts: Sequence[float]) -> Buckets:
        """Buckets without a gap, from the index `start` on."""
        return cls(np.arange(start, start + len(counts)), np.array(counts, np.float64))

    def __len__(self) -> int:
        return len(self.index)

    def alike(self, other: Buckets) -> bool:
        """Whether these are the same buckets, whatever they hold."""
        mine, theirs = self.index, other.index
        return mine is theirs or (len(mine) == len(theirs) and bool((mine == theirs).all()))

    def compact(self) -> Buckets:
        """Without empty buckets."""
        filled = self.counts != 0
        return self if filled.all() else Buckets(self.index[filled], self.counts[filled])

    def widened(self, steps: int) -> Buckets:
        """At a schema that is lower by `steps`: neighbouring buckets are merged."""
        if not steps or not len(self):
            return self
        return self.renumbered(((self.index - 1) >> steps) + 1)

    def renumbered(self, index: Ints) -> Buckets:
        """The counts under other indices, ascending but not all different, added up."""
        starts = np.flatnonzero(np.concatenate([[True], np.diff(index) != 0]))
        return Buckets(index[starts], np.add.reduceat(self.counts, starts))


NO_BUCKETS: Final = Buckets(np.zeros(0, np.int64), np.zeros(0))


@dataclass(frozen=True, slots=True)
class Rows:
    """All buckets of a histogram, the zero bucket among them, in ascending order of values.

    Parameters
    ----------
    lower, upper, counts
        float64, shape (buckets,).
    rules
        int64, shape (buckets,): which bounds belong to a bucket, as the HTTP API says it: 0 the
        upper one, 1 the lower one, 3 both.
    """

    lower: Floats
    upper: Floats
    counts: Floats
    rules: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """One native histogram sample; never changed once it is made.

    Parameters
    ----------
    schema
        The resolution, −4 (widest) … 8 (finest), or `CUSTOM`.
    count, sum
        Number and sum of the observations; NaN observations are in no bucket.
    zero_threshold, zero_count
        Half the width of the zero bucket, and how many observations it holds.
    positive, negative
        The other buckets; a custom histogram has only positive ones.
    custom_values
        Upper bounds of a custom histogram, ascending, ``+Inf`` left out.
    hint
        What is known of counter resets.

    Examples
    --------
    >>> one = Histogram(schema=0, count=3, sum=4.5, positive=Buckets.dense(0, [1, 2]))
    >>> one.rows().upper.tolist()
    [1.0, 2.0]
    """

    schema: int = 0
    count: float = 0.0
    sum: float = 0.0
    zero_threshold: float = 0.0
    zero_count: float = 0.0
    positive: Buckets = field(default=NO_BUCKETS)
    negative: Buckets = field(default=NO_BUCKETS)
    custom_values: tuple[float, ...] = ()
    hint: ResetHint = ResetHint.UNKNOWN

    @property
    def is_custom(self) -> bool:
        """Whether the bounds are listed instead of computed."""
        return self.schema == CUSTOM

    def alike(self, other: Histogram) -> bool:
        """Whether another histogram has the very same buckets, empty ones included."""
        return (
            self.schema == other.schema
            and self.zero_threshold == other.zero_threshold
            and self.custom_values == other.custom_values
            and self.positive.alike(other.positive)
            and self.negative.alike(other.negative)
        )

    def with_hint(self, hint: ResetHint) -> Histogram:
        """The same histogram with another hint."""
        if hint is self.hint:
            return self
        return Histogram(  # four times as fast as dataclasses.replace, and called for every sample
            self.schema,
            self.count,
            self.sum,
            self.zero_threshold,
            self.zero_count,
            self.positive,
            self.negative,
            self.custom_values,
            hint,
        )

    def compact(self) -> Histogram:
        """Without empty buckets."""
        return replace(self, positive=self.positive.compact(), negative=self.negative.compact())

    def at_schema(self, schema: int) -> Histogram:
        """At a lower resolution; the schema of a custom histogram cannot change."""
        steps = self.schema - schema
        if not steps:
            return self
        return replace(
            self,
            schema=schema,
            positive=self.positive.widened(steps),
            negative=self.negative.widened(steps),
        )

    def bounds(self, buckets: Buckets) -> tuple[Floats, Floats]:
        """Lower and upper bounds, absolute, of buckets of one sign."""
        index = buckets.index
        if self.is_custom:
            bounds = np.array([-np.inf, *self.custom_values, np.inf])
            return bounds[index], bounds[index + 1]
        if not len(index):
            return np.zeros(0), np.zeros(0)
        return _ends(index.tobytes(), self.schema)

    def rows(self) -> Rows:
        """All buckets in ascending order; those that overlap the zero bucket end at it."""
        if self.is_custom:
            lower, upper = self.bounds(self.positive)
            rules = np.where(np.isneginf(lower), 3, 0)
            return Rows(lower, upper, self.positive.counts, rules)
        low, high = (each[::-1] for each in self.bounds(self.negative))
        zero = [self.zero_threshold] if self.zero_count > 0 else []
        start, end = self.bounds(self.positive)
        edge = self.zero_threshold
        return Rows(
            np.concatenate([-high, [-z for z in zero], np.maximum(start, edge)]),
            np.concatenate([np.minimum(-low, -edge), zero, end]),
            np.concatenate(
                [
                    self.negative.counts[::-1],
                    [self.zero_count] if zero else [],
                    self.positive.counts,
                ]
            ),
            np.repeat([1, 3, 0], [len(low), len(zero), len(end)]),
        )

    def same(self, other: Histogram) -> bool:
        """Whether two histograms hold the same, whatever their hints; empty buckets count not."""
        mine = (self.schema, self.count, self.zero_threshold, self.zero_count, self.custom_values)
        theirs = (
            other.schema,
            other.count,
            other.zero_threshold,
            other.zero_count,
            other.custom_values,
        )
        return (
            mine == theirs
            and np.array_equal([self.sum], [other.sum], equal_nan=True)
            and _same(self.positive, other.positive)
            and _same(self.negative, other.negative)
        )

    def __str__(self) -> str:
        """The form that Prometheus logs and uses as a label's value: ``{count:…, sum:…, …}``."""
        parts = [f"count:{_short(self.count)}", f"sum:{_short(self.sum)}"]
        rows = self.rows()
        ends = zip(rows.lower, rows.upper, rows.counts, rows.rules, strict=True)
        for low, high, count, rule in ends:
            if count:
                left, right = "[" if rule in (1, 3) else "(", "]" if rule in (0, 3) else ")"
                parts.append(f"{left}{_short(low)},{_short(high)}{right}:{_short(count)}")
        return "{" + ", ".join(parts) + "}"


def _same(mine: Buckets, theirs: Buckets) -> bool:
    mine, theirs = mine.compact(), theirs.compact()
    return np.array_equal(mine.index, theirs.index) and np.array_equal(mine.counts, theirs.counts)


def _short(value: float) -> str:
    """A number as Go's ``%v`` writes it."""
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    if value and not 1e-4 <= abs(value) < 1e21:
        return repr(float(value)).replace(".0e", "e")
    return np.format_float_positional(value, trim="-")


def upper_bounds(index: Ints, schema: int) -> Floats:
    """Upper bounds of exponential buckets: ``2 ** (index * 2 ** -schema)``.

    The last bucket of finite values ends at the largest float instead of at infinity, since the
    bucket after it is there for infinite observations.

    Examples
    --------
    >>> upper_bounds(np.array([0, 1, 2]), 0).tolist()
    [1.0, 2.0, 4.0]
    """
    if schema <= 0:
        exponent, fraction = index << -schema, np.ones(len(index))
    else:
        exponent = (index >> schema) + 1
        fraction = _fractions(schema)[index & ((1 << schema) - 1)]
    last = (index << -schema if schema <= 0 else index) == (1024 << max(schema, 0))
    with np.errstate(over="ignore", under="ignore"):
        bounds = np.ldexp(fraction, np.clip(exponent, -2000, 2000).astype(np.int32))
    return np.where(last, np.finfo(np.float64).max, bounds)


@lru_cache(maxsize=4096)
def _ends(index: bytes, schema: int) -> tuple[Floats, Floats]:
    """Lower and upper bounds of buckets; most samples of a series have the same buckets."""
    numbers = np.frombuffer(index, np.int64)
    ends = upper_bounds(numbers - 1, schema), upper_bounds(numbers, schema)
    for each in ends:
        each.flags.writeable = False
    return ends


@cache
def _fractions(schema: int) -> Floats:
    """The bounds within ``[0.5, 1)`` of a schema above 0."""
    return np.exp2(np.arange(1 << schema) / (1 << schema) - 1.0)
