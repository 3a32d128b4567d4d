"""Native histograms as the HTTP API writes them: bucket rows instead of schema and spans."""

from __future__ import annotations

import numpy as np

from workbench.engine.values import Vector
from workbench.frame import NativeHistogram
from workbench.native import Histogram

__all__ = ["api_histogram", "api_histograms"]


def api_histogram(histogram: Histogram) -> NativeHistogram:
    """The API's form of one histogram: the filled buckets in ascending order."""
    rows = histogram.rows()
    filled = rows.counts != 0
    columns = (rows.rules, rows.lower, rows.upper, rows.counts)
    buckets = zip(*(column[filled].tolist() for column in columns), strict=True)
    return NativeHistogram(histogram.count, histogram.sum, tuple(buckets), histogram)


def api_histograms(vector: Vector) -> dict[tuple[int, int], NativeHistogram]:
    """The histograms of a result by series and step, as a `Frame` holds them."""
    if vector.histograms is None:
        return {}
    return {
        (series, step): api_histogram(vector.histograms[series, step])
        for series, step in np.argwhere(vector.native).tolist()
    }
