"""Histograms cut off at a value: the operators ``</`` (keep what is below) and ``>/`` (above)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench.native import Buckets, Floats, Histogram

__all__ = ["trimmed"]


def trimmed(histogram: Histogram, value: float, *, lower: bool) -> Histogram | None:
    """Keep the observations below a value, or above it.

    A bucket that the value cuts keeps its share, interpolated as `measures.fraction` does it. The
    sum becomes an estimate, each kept piece of a bucket at its mean, unless all is kept.

    Parameters
    ----------
    lower
        Cut off what is lower than the value; else what is higher.

    Returns
    -------
    Histogram or None
        None where the value is NaN.
    """
    if np.isnan(value):
        return None
    if value == (float("-inf") if lower else float("inf")):
        return histogram
    rows = histogram.rows()
    low, high = rows.lower.copy(), rows.upper.copy()
    cut = _custom if histogram.is_custom else _exponential
    if not histogram.is_custom:
        zero = rows.rules == 3
        if not len(histogram.negative) and len(histogram.positive):
            low[zero] = 0.0
        elif not len(histogram.positive) and len(histogram.negative):
            high[zero] = 0.0
    kept, mean = cut(low, high, value, lower)
    if np.isinf(value):
        kept = np.zeros(len(low))
    filled = rows.counts != 0
    if (kept[filled] == 1).all():
        return histogram
    counts = rows.counts * kept
    total = float(np.sum(np.where(counts != 0, counts * np.where(counts != 0, mean, 0.0), 0.0)))
    return _of_rows(histogram, counts, total)


def _of_rows(histogram: Histogram, counts: Floats, total: float) -> Histogram:
    """The histogram with other counts, given in the order of its rows."""
    below = len(histogram.negative)
    above = len(counts) - len(histogram.positive)
    zero = float(counts[below:above].sum()) if not histogram.is_custom else 0.0
    negative = Buckets(histogram.negative.index, counts[:below][::-1])
    return replace(
        histogram,
        count=float(counts.sum()),
        sum=total,
        zero_count=zero,
        positive=Buckets(histogram.positive.index, counts[above:]),
        negative=negative,
    ).compact()


def _piece(low: Floats, high: Floats, value: float, lower: bool) -> tuple[Floats, Floats]:  # noqa: FBT001 - private
    """The bounds of what is kept of each bucket."""
    inside = np.clip(value, low, high)
    return (inside, high) if lower else (low, inside)


def _exponential(low: Floats, high: Floats, value: float, lower: bool) -> tuple[Floats, Floats]:  # noqa: FBT001 - private
    """The kept shares and means; logarithmic but for the zero bucket, which is linear."""
    zero = (low <= 0) & (high >= 0)
    inside = np.clip(value, low, high)
    with np.errstate(all="ignore"):
        logs = [np.log2(np.abs(each)) for each in (low, inside, high)]
        share = (logs[1] - logs[0]) / (logs[2] - logs[0])
        share = np.where(zero, (inside - low) / (high - low), share)
        share = np.where(inside >= high, 1.0, np.where(inside <= low, 0.0, share))
        start, end = _piece(low, high, value, lower)
        mean = np.where(zero, (start + end) / 2, np.sign(high) * np.sqrt(np.abs(start * end)))
    return 1 - share if lower else share, mean


def _custom(low: Floats, high: Floats, value: float, lower: bool) -> tuple[Floats, Floats]:  # noqa: FBT001 - private
    """The kept shares and means, linear; buckets without an end are kept or dropped as a whole.

    The first bucket is taken to begin at 0 where it ends above it and the value is not below; the
    observations of a bucket without an end are taken to lie at the bound it has, or at the value
    where that lies inside.
    """
    low = np.where(np.isneginf(low) & (high > 0) & (value >= 0) & np.isfinite(high), 0.0, low)
    endless_low, endless_high = np.isneginf(low), np.isposinf(high)
    inside = np.clip(value, low, high)
    with np.errstate(all="ignore"):
        share = np.where(inside >= high, 1.0, (inside - low) / (high - low))
        share = np.where(inside <= low, 0.0, share)
        start, end = _piece(low, high, value, lower)
        mean = (start + end) / 2
    kept = 1 - share if lower else share
    kept = np.where(endless_low, 0.0 if lower else (high <= 0).astype(np.float64), kept)
    mean = np.where(endless_low, np.minimum(high, value), mean)
    kept = np.where(endless_high, float(lower), kept)
    mean = np.where(endless_high, np.maximum(low, value), mean)
    return np.where(endless_low & endless_high, 0.0, kept), mean
