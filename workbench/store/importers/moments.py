"""Columns of times and numbers as files hold them, to arrays.

Both give an array and a mask of what could be read, so that a caller can say which rows are bad.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["read_moments", "read_numbers"]

_UNITS: Final = ((1e17, 1e-6), (1e14, 1e-3), (1e11, 1.0), (0.0, 1e3))
"""From which size on a number is nano-, micro-, milliseconds or seconds, and its milliseconds."""


_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
"""How many of pandas' units of time make a second."""


def read_moments(values: Sequence[object]) -> tuple[Ints, Bools]:
    """Read times: ISO 8601 text (UTC where it names no zone) or a number since the epoch.

    A number below 1e11 is seconds (up to the year 5138), from there on milliseconds (since
    1973), from 1e14 microseconds and from 1e17 nanoseconds.

    Parameters
    ----------
    values
        Text or numbers, also mixed.

    Returns
    -------
    tuple
        int64 milliseconds since the epoch, cut off towards the past, and bool: what is a moment.

    Examples
    --------
    >>> read_moments(["1970-01-01 00:00:01.5", "1.5", 1_700_000_000_000, "soon"])[0].tolist()
    [1500, 1500, 1700000000000, 0]
    """
    texts = [value.strip() if isinstance(value, str) else value for value in values]
    dated = np.fromiter(
        (isinstance(t, str) and t[4:5] == "-" and t[:4].isdecimal() for t in texts),
        np.bool_,
        len(texts),
    )
    result = np.zeros(len(texts), np.int64)
    good = np.zeros(len(texts), np.bool_)
    if not dated.all():
        rest = np.flatnonzero(~dated)
        numbers, fine = read_numbers([texts[i] for i in rest])
        fine &= np.abs(numbers) < 9e18
        result[rest] = _to_milliseconds(np.where(fine, numbers, 0.0))
        good[rest] = fine
    if dated.any():
        rows = np.flatnonzero(dated)
        result[rows], good[rows] = _read_iso([str(texts[i]) for i in rows])
    return result, good


def _to_milliseconds(numbers: Floats) -> Ints:
    size = np.abs(numbers)
    result = np.zeros(len(numbers))
    done = np.zeros(len(numbers), np.bool_)
    for bound, factor in _UNITS:
        these = ~done & (size >= bound)
        # Seconds with three decimals are exact only after rounding; finer units are cut off.
        scaled = (
            np.rint(numbers[these] * factor) if factor >= 1 else np.floor(numbers[these] * factor)
        )
        result[these] = scaled
        done |= these
    return result.astype(np.int64)


def _read_iso(texts: list[str]) -> tuple[Ints, Bools]:
    import pandas as pd

    moments = pd.to_datetime(pd.Series(texts), format="ISO8601", utc=True, errors="coerce")
    good = moments.notna().to_numpy()
    counts = moments.astype("int64").to_numpy()
    per_second = _PER_SECOND[moments.dt.unit]
    milliseconds = counts * 1000 if per_second == 1 else counts // (per_second // 1000)
    return np.where(good, milliseconds, 0), good


def read_numbers(values: Sequence[object]) -> tuple[Floats, Bools]:
    """Read numbers: text as Prometheus writes them, or numbers; nothing else, not even booleans.

    Returns
    -------
    tuple
        float64, NaN where nothing could be read, and bool: what is a number (NaN is one).

    Examples
    --------
    >>> read_numbers(["1.5", 2, "+Inf", "1_000", True])[1].tolist()
    [True, True, True, False, False]
    """
    types = set(map(type, values))
    plain = types <= {int, float}
    if types == {str}:
        joined = "".join(values)  # type: ignore[arg-type]
        plain = joined.isascii() and "_" not in joined
    if plain:
        try:
            numbers = np.fromiter(map(float, values), np.float64, len(values))  # type: ignore[arg-type]
        except (ValueError, OverflowError):
            pass
        else:
            return numbers, np.ones(len(values), np.bool_)
    read = [_number(value) for value in values]
    good = np.fromiter((n is not None for n in read), np.bool_, len(read))
    return np.array([np.nan if n is None else n for n in read], np.float64), good


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
