"""What a native histogram tells: fractions and variance (for quantiles, see `quantiles`).

The rules are Prometheus 3's: inside an exponential bucket observations are taken to be spread
evenly over the logarithm, in the zero bucket and in custom buckets over the value itself.
"""

from __future__ import annotations

import numpy as np

from workbench.engine.native.blocks import summed
from workbench.native import Floats, Histogram, Rows

__all__ = ["fraction", "variance"]


def _rows(histogram: Histogram) -> Rows:
    """The filled buckets; a zero bucket reaches only to the side on which there are others."""
    rows = histogram.rows()
    filled = rows.counts != 0
    lower, upper = rows.lower[filled].copy(), rows.upper[filled].copy()
    if not histogram.is_custom:
        zero = (lower <= 0) & (upper >= 0)
        if not len(histogram.negative) and len(histogram.positive):
            lower[zero] = 0.0
        elif not len(histogram.positive) and len(histogram.negative):
            upper[zero] = 0.0
    return Rows(lower, upper, rows.counts[filled], rows.rules[filled])


def fraction(lower: float, upper: float, histogram: Histogram) -> float:
    """Estimate which share of the observations lies between two values.

    Returns
    -------
    float
        NaN without observations or with a NaN bound; NaN observations lie nowhere.
    """
    if histogram.count == 0 or np.isnan(lower) or np.isnan(upper):
        return float("nan")
    if lower >= upper:
        return 0.0
    rows = _rows(histogram)
    total = float(rows.counts.sum()) if np.isnan(histogram.sum) else histogram.count
    ranks = [_rank(value, rows, total, custom=histogram.is_custom) for value in (lower, upper)]
    return float((ranks[1] - ranks[0]) / histogram.count)


def _rank(value: float, rows: Rows, total: float, *, custom: bool) -> float:
    """How many observations lie below a value."""
    below = 0.0
    for low, high, count in zip(
        rows.lower.tolist(), rows.upper.tolist(), rows.counts.tolist(), strict=True
    ):
        if low >= value:
            return min(below, total)
        if high > value:
            return float(min(below + count * _share(low, high, value, custom=custom), total))
        below += count
    return total


def _share(low: float, high: float, value: float, *, custom: bool) -> float:
    """Which part of a bucket lies below a value inside it."""
    if custom:
        if np.isneginf(low):
            if high <= 0:
                return 1.0
            low = 0.0
            if value <= low:
                return 0.0
        elif np.isposinf(high):
            return 0.0
    if custom or low <= 0 <= high:
        return (value - low) / (high - low)
    log_low, log_high, log_value = np.log2(np.abs([low, high, value])).tolist()
    if value > 0:
        return float((log_value - log_low) / (log_high - log_low))
    return float(1 - (log_value - log_high) / (log_low - log_high))


def variance(histogram: Histogram) -> float:
    """Estimate the population variance, each bucket at its mean: geometric, or arithmetic."""
    rows = histogram.rows()
    filled = rows.counts != 0
    low, high, counts = rows.lower[filled], rows.upper[filled], rows.counts[filled]
    mean = np.float64(histogram.sum) / histogram.count
    centre: Floats
    if histogram.is_custom:
        centre = (low + high) / 2
    else:
        zero = (low <= 0) & (high >= 0)
        centre = np.where(zero, 0.0, np.sign(high) * np.sqrt(np.abs(low * high)))
    terms = counts * (centre - mean) ** 2
    total = summed(terms[:, None])[0] if len(terms) else 0.0
    return float(np.float64(total) / histogram.count)
