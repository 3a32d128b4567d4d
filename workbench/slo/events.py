"""Bad and total events on a grid: the form in which every indicator is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["Events", "trailing"]


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """What happened in each step of a grid.

    Parameters
    ----------
    times_ms
        int64, shape (steps,), evenly spaced, ascending: each value covers the step that *ends*
        there.
    bad, total
        float64, shape (steps,): events in the step; NaN in both where nothing was seen. They need
        not be whole: ``increase()`` extrapolates.
    step_ms
        The distance of the grid's points.
    counted
        False where only a ratio is known: then `total` is 1 in each step that was seen and `bad`
        its ratio, so that sums weigh minutes and not events.
    """

    times_ms: Ints
    bad: Floats
    total: Floats
    step_ms: int
    counted: bool = True

    def __len__(self) -> int:
        return len(self.times_ms)

    @property
    def seen(self) -> Bools:
        """bool, shape (steps,): where something is known."""
        known: Bools = ~np.isnan(self.total)
        return known

    def after(self, start_ms: int) -> Self:
        """The steps that end after a moment."""
        return self._part(slice(int(np.searchsorted(self.times_ms, start_ms, "right")), None))

    def before(self, end_ms: int) -> Self:
        """The steps that end at a moment or before it."""
        return self._part(slice(None, int(np.searchsorted(self.times_ms, end_ms, "right"))))

    def _part(self, rows: slice) -> Self:
        return type(self)(
            self.times_ms[rows], self.bad[rows], self.total[rows], self.step_ms, self.counted
        )

    def sums(self, span_ms: int) -> tuple[Floats, Floats]:
        """Bad and total events in the span that ends at each step; unseen steps add nothing.

        Parameters
        ----------
        span_ms
            Rounded to whole steps, at least one.
        """
        steps = max(1, round(span_ms / self.step_ms))
        return trailing(self.bad, steps), trailing(self.total, steps)

    def ratio(self, span_ms: int) -> Floats:
        """The share of bad events in the span that ends at each step; NaN where there were none."""
        bad, total = self.sums(span_ms)
        share = np.full(len(bad), np.nan)
        np.divide(bad, total, out=share, where=total > 0)
        return share

    def blocks(self, end_ms: int, span_ms: int) -> Events:
        """Sums over whole blocks that are counted back from a moment; a rest at the front is left out.

        A block of which less than half was seen is unseen; what was seen of the others stands as
        it is.
        """
        kept = self.before(end_ms)
        each = span_ms // self.step_ms
        count = len(kept) // each
        start = len(kept) - count * each
        shape = (count, each)
        bad, total = kept.bad[start:].reshape(shape), kept.total[start:].reshape(shape)
        known = ~np.isnan(total)
        enough = known.mean(axis=1) >= 0.5 if count else np.zeros(0, bool)
        sums = [
            np.where(enough, np.where(known, part, 0.0).sum(axis=1), np.nan)
            for part in (bad, total)
        ]
        ends = kept.times_ms[start:].reshape(shape)[:, -1]
        return Events(ends, sums[0], sums[1], span_ms, self.counted)


def trailing(values: Floats, steps: int) -> Floats:
    """The sum of the last so many values at each place, NaN counted as nothing.

    Examples
    --------
    >>> trailing(np.array([1.0, 2.0, np.nan, 4.0]), 2).tolist()
    [1.0, 3.0, 2.0, 4.0]
    """
    sums = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])
    first = np.maximum(np.arange(1, len(values) + 1) - steps, 0)
    # A difference of running sums leaves rounding where the truth is 0.
    result: Floats = np.maximum(sums[1:] - sums[first], 0.0)
    result[result < 1e-9 * max(float(sums[-1]), 1e-300)] = 0.0
    return result
