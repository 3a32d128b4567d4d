"""What counting gives: increases by series and day, and what of them is not certain."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.frame import Bools
from workbench.samples import Floats, Ints, Labels

__all__ = ["Counted"]


@dataclass(frozen=True, slots=True)
class Counted:
    """What counters increased by, per series and day.

    Parameters
    ----------
    labels
        Of each series.
    target
        int64, shape (series,): the number of its target.
    first_ms, last_ms
        int64, shape (series,): its first and last sample.
    increase
        float64, shape (series, days); NaN on a day that no two samples enclose.
    lost, most_lost
        float64, shape (series, days): what is estimated to have been missed, and at the most.
    doubtful
        float64, shape (series, days): how much of the increase may not have happened.
    moved
        float64, shape (series, days): how much may belong to a neighbouring day instead, or come
        from there; it cancels out in sums over days.
    resets, left_out
        int64, shape (series,): times it began anew; samples below 0 or beyond 2⁵³, left out.
    several, fractional
        bool, shape (series,): several workers in turn; values that are no whole numbers.
    bridged
        float64, shape (series,): how much of the increase lies in gaps between samples.
    born, unknown
        float64, shape (series,): a first value that was counted; one that was not.
    largest
        float64, shape (series, days): the most that a single event can have counted, the highest
        increase from one sample to the next; NaN where that was not looked at.
    """

    labels: tuple[Labels, ...]
    target: Ints
    first_ms: Ints
    last_ms: Ints
    increase: Floats
    lost: Floats
    most_lost: Floats
    doubtful: Floats
    moved: Floats
    resets: Ints
    left_out: Ints
    several: Bools
    fractional: Bools
    bridged: Floats
    born: Floats
    unknown: Floats
    largest: Floats

    def __len__(self) -> int:
        """How many series there are."""
        return len(self.labels)

    @property
    def low(self) -> Floats:
        """float64, shape (series, days): the least that was counted, but for `moved`."""
        return self.increase - self.doubtful

    @property
    def high(self) -> Floats:
        """float64, shape (series, days): the most that was used, but for `moved`."""
        return self.increase + self.most_lost
