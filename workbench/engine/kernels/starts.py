"""Start timestamps: what the time since which a sample counts says of a counter's resets.

The rules are those of Prometheus 3 with ``use-start-timestamps``, as its own cases
(``start_timestamps.test``) have them. An unknown start is 0.
"""

from __future__ import annotations

import numpy as np

from workbench.engine.kernels.windows import Windows
from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["first_starts", "from_starts", "overlapping", "started"]


def started(times_ms: Ints, starts_ms: Ints) -> Bools:
    """Whether the counter began anew between a sample and the one before it.

    It did where the sample starts after the one before, but before itself. Where it starts at the
    very time of the one before, that is a delta, which begins anew each time, if the one before
    has a start of its own; else it goes on from a sample whose start nobody knew.

    Parameters
    ----------
    times_ms
        int64, shape (rows,) or, where series share their times, those times.
    starts_ms
        int64, shape (rows,) or (series, rows).

    Returns
    -------
    Bools
        Of the shape of `starts_ms`; the first row's entry is False, that of a series' first row in
        a flat column means nothing.

    Examples
    --------
    >>> started(np.array([10, 20, 30]), np.array([5, 5, 20])).tolist()
    [False, False, True]
    """
    result = np.zeros(starts_ms.shape, bool)
    now, before = starts_ms[..., 1:], starts_ms[..., :-1]
    then = times_ms[:-1]
    begun = (before != 0) & (before < then)
    new = (now > then) | ((now == then) & begun)
    result[..., 1:] = new & (now != 0) & (now < times_ms[1:])
    return result


def first_starts(windows: Windows) -> Floats:
    """Where the first sample of each window says that its counter was 0 within the window.

    Returns
    -------
    Floats
        Shape (series, steps): milliseconds, NaN where there is nothing to begin with.
    """
    assert windows.starts_ms is not None
    first = windows.first
    starts = windows.at(windows.starts_ms, first)
    inside = starts > windows.ends_ms - windows.span_ms
    inside &= (starts < windows.times_ms.take(first)) & (starts != 0) & (windows.count > 0)
    return np.where(inside, starts, np.nan)


def from_starts(
    windows: Windows,
    change: Floats,
    to_end: Floats,
    seconds: float,
    extrapolated: tuple[Floats, Bools],
) -> tuple[Floats, Bools]:
    """Begin at 0 where the first sample says when that was, instead of extrapolating to there.

    Parameters
    ----------
    change
        Shape (series, steps): the change between first and last sample, resets added.
    to_end
        Of one row where series share their times: by how many seconds to extrapolate to the end.
    seconds
        Divides the result; 0 leaves it as it is.
    extrapolated
        The result without start timestamps, and its presence; the former is written to.
    """
    result, present = extrapolated
    starts = first_starts(windows)
    known = np.nonzero(~np.isnan(starts))
    if not len(known[0]):
        return extrapolated
    grown = change[known] + windows.at(windows.values, windows.first)[known]
    newest = windows.full(windows.times_ms.take(windows.last))[known]
    sampled = (newest - starts[known]) / 1000.0
    factor = (sampled + windows.full(to_end)[known]) / sampled
    result[known] = grown * (factor / seconds if seconds else factor)
    there = windows.full(present).copy()
    there[known] = True
    return result, there


def overlapping(windows: Windows) -> tuple[Floats, Bools]:
    """How many samples of each window start before the one before them, which has another start."""
    assert windows.starts_ms is not None
    flags = np.zeros(windows.starts_ms.shape, bool)
    now, before = windows.starts_ms[..., 1:], windows.starts_ms[..., :-1]
    flags[..., 1:] = (now != 0) & (now < windows.times_ms[:-1]) & (now != before)
    total = np.cumsum(flags, axis=-1, dtype=np.int64)
    found = windows.at(total, windows.last) - windows.at(total, windows.first)
    return found.astype(np.float64), windows.count > 0
