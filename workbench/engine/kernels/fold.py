"""Walk all windows in step: first sample of each, second sample of each, and so on.

For functions whose result depends on the order of the samples. The cost is the number of samples
in all windows together, as it is in Prometheus; what can be had from prefix sums should be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from workbench.engine.kernels.windows import Windows
from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["Fold", "long_windows"]

_LONG: Final = 1_000
"""From this many samples on, a window is better computed on its own than in step with others."""


def long_windows(
    windows: Windows, only: Bools | None = None
) -> tuple[Bools, Iterator[tuple[int, int, slice]]]:
    """Set long windows apart, all or those of `only`.

    Returns
    -------
    tuple
        Which windows are long, shape (series, steps); and series, step and rows of each.
    """
    long = windows.count > _LONG
    if only is not None:
        long &= only

    def each() -> Iterator[tuple[int, int, slice]]:
        for series, step in np.argwhere(long).tolist():
            windows.tick()
            rows = slice(int(windows.low[series, step]), int(windows.high[series, step]))
            yield series, step, rows

    return long, each()


class Fold:
    """The windows of a block, the longest first, so that those still going are a prefix.

    Parameters
    ----------
    windows
        The block.
    only
        bool, shape (series, steps): which windows to walk; all where it is not given.
    """

    def __init__(self, windows: Windows, only: Bools | None = None) -> None:
        self.shape = windows.low.shape
        chosen = np.arange(windows.low.size) if only is None else np.flatnonzero(only)
        counts = windows.count.ravel()[chosen]
        order = np.argsort(-counts, kind="stable")
        self._order = chosen[order]
        self._counts = counts[order]
        self._tick = windows.tick
        self._low = windows.low.ravel()[self._order]

    def __len__(self) -> int:
        """How many windows are walked."""
        return len(self._order)

    def __iter__(self) -> Iterator[tuple[int, Ints]]:
        """Give, for the k-th sample, how many windows have one and its row in each of them."""
        going = len(self._counts)
        longest = int(self._counts[0]) if going else 0
        for k in range(longest):
            self._tick()
            going = int(np.searchsorted(-self._counts, -k, side="left"))
            yield going, self._low[:going] + k

    def ravel(self, per_cell: np.ndarray) -> np.ndarray:
        """Bring an array of shape (series, steps) into the walk's order."""
        return np.broadcast_to(per_cell, self.shape).ravel()[self._order]

    def scatter(self, results: Floats, into: Floats) -> None:
        """Write the walk's results, shape (windows,), back to shape (series, steps)."""
        into.reshape(-1)[self._order] = results
