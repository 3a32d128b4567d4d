"""How many buckets Micrometer's ``publishPercentileHistogram`` makes.

Its documentation says which: powers of four, each cut in thirds, as far as the values are expected
to reach: 276 for a summary that says nothing of them.
"""

from __future__ import annotations

from functools import cache
from typing import Final

__all__ = ["percentile_buckets"]

_NANOS: Final = 1e9
_LARGEST: Final = float(2**63 - 1)


@cache
def _all() -> tuple[float, ...]:
    bounds = [1, 2, 3]
    for exponent in range(2, 62, 2):
        power = 1 << exponent
        third = power // 3
        bounds.extend(range(power, (power << 2) - third, third))
    return (*map(float, bounds), _LARGEST)


def percentile_buckets(
    least: float | None, most: float | None, *, timer: bool
) -> tuple[float, ...]:
    """Finite upper bounds, in seconds for a timer.

    Parameters
    ----------
    least, most
        ``minimumExpectedValue`` and ``maximumExpectedValue``; None where they are not given: 1 ms
        and 30 s for a timer, 1 and no end for a summary.
    timer
        Whether it is a timer, which counts nanoseconds.

    Examples
    --------
    >>> len(percentile_buckets(None, None, timer=False))
    276
    """
    scale = _NANOS if timer else 1.0
    low = (least if least is not None else (0.001 if timer else 1.0)) * scale
    high = (most if most is not None else (30.0 if timer else _LARGEST)) * scale
    inside = {b for b in _all() if low <= b <= high} | {low, high}
    return tuple(sorted(b / scale for b in inside))
