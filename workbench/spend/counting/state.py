"""What counting remembers of each series from one piece of time to the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints, Labels
from workbench.spend.counting.targets import Targets

__all__ = ["SeriesState"]

_PER_DAY = ("increase", "lost", "most_lost", "doubtful", "moved", "largest")


class SeriesState:
    """One row a series, in the order in which they were first met.

    Parameters
    ----------
    days
        How many days are counted.
    targets
        Where the series' targets get their numbers.

    Attributes
    ----------
    labels
        Of each series.
    value, time_ms
        The last sample; NaN and −1 before the first.
    rate, peak
        Mean and highest increase per millisecond over the last hour; NaN where unknown.
    target
        The number of its target.
    first_ms
        The first sample's time, −1 before it.
    resets, left_out
        How often it fell; how many samples were no counts: below 0, or beyond 2⁵³.
    bridged
        How much of its increase lies in gaps.
    several, fractional
        Whether it is several workers' counters in turn; whether a value was no whole number.
    increase, lost, most_lost, doubtful, moved
        float64, shape (series, days): see `Counted`.
    largest
        float64, shape (series, days): the highest increase from one sample to the next.
    seen
        bool, shape (series, days): whether there was a sample.
    """

    def __init__(self, days: int, targets: Targets) -> None:
        self._days = days
        self._targets = targets
        self._places: dict[frozenset[tuple[str, str]], int] = {}
        self._previous: list[Labels] = []
        self._previous_places: Ints = np.empty(0, np.int64)
        self.labels: list[Labels] = []
        self.value: Floats = np.empty(0)
        self.time_ms: Ints = np.empty(0, np.int64)
        self.rate: Floats = np.empty(0)
        self.peak: Floats = np.empty(0)
        self.target: Ints = np.empty(0, np.int64)
        self.first_ms: Ints = np.empty(0, np.int64)
        self.resets: Ints = np.empty(0, np.int64)
        self.left_out: Ints = np.empty(0, np.int64)
        self.bridged: Floats = np.empty(0)
        self.several: Bools = np.empty(0, np.bool_)
        self.fractional: Bools = np.empty(0, np.bool_)
        self.seen: Bools = np.empty((0, days), np.bool_)
        self.increase: Floats = np.empty((0, days))
        self.lost: Floats = np.empty((0, days))
        self.most_lost: Floats = np.empty((0, days))
        self.doubtful: Floats = np.empty((0, days))
        self.moved: Floats = np.empty((0, days))
        self.largest: Floats = np.empty((0, days))

    def __len__(self) -> int:
        """How many series there are."""
        return len(self.labels)

    def places(self, labels: Sequence[Labels]) -> Ints:
        """The rows of some series, made where they are new: int64, shape (series,)."""
        given = list(labels)
        # Most pieces bring the same series in the same order: comparing is cheaper than hashing.
        if given == self._previous:
            return self._previous_places
        result = np.empty(len(given), np.int64)
        before = len(self.labels)
        for i, each in enumerate(given):
            key = frozenset(each.items())
            place = self._places.setdefault(key, len(self.labels))
            if place == len(self.labels):
                self.labels.append(each)
            result[i] = place
        self._grow(self.labels[before:])
        self._previous, self._previous_places = given, result
        return result

    def _grow(self, new: list[Labels]) -> None:
        n = len(new)
        if not n:
            return
        for name, start in (
            ("value", np.nan),
            ("rate", np.nan),
            ("peak", np.nan),
            ("bridged", 0.0),
            ("time_ms", -1),
            ("first_ms", -1),
            ("resets", 0),
            ("left_out", 0),
            ("several", False),
            ("fractional", False),
        ):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.full(n, start, old.dtype)]))
        numbers = np.array([self._targets.place(each) for each in new], np.int64)
        self.target = np.concatenate([self.target, numbers])
        for name in (*_PER_DAY, "seen"):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.zeros((n, self._days), old.dtype)]))
