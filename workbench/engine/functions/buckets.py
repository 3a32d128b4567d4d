"""Functions of histograms: native ones, and classic ones whose buckets are series of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.engine.aggregate import warn_of_quantile
from workbench.engine.context import Call
from workbench.engine.functions.function import Function
from workbench.engine.histogram import bucket_fraction, bucket_quantile
from workbench.engine.labels import NAME
from workbench.engine.native.measures import fraction, variance
from workbench.engine.native.quantiles import quantiles
from workbench.engine.values import Value, Vector, key_of, merged, stacked
from workbench.frame import Bools
from workbench.native import Histogram
from workbench.samples import Floats, Ints, Labels, format_value

__all__ = ["BUCKETS"]

_LE: Final = "le"
_NUMBER: Final = re.compile(
    r"[+-]?(?:inf|infinity|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)", re.IGNORECASE | re.ASCII
)


@dataclass(slots=True)
class _Histogram:
    """One histogram: the series of its buckets, sorted by bound."""

    labels: Labels
    drop: bool
    bounds: Floats
    rows: list[int]


def _bound(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _histograms(call: Call, vector: Vector) -> list[_Histogram]:
    """Put buckets that differ in nothing but ``le`` together; say which series are no buckets."""
    found: dict[object, list[tuple[float, int]]] = {}
    for row, labels in enumerate(vector.labels):
        bound = _bound(labels.get(_LE, ""))
        if bound is None:
            call.query.notes.warn(
                'bucket label "le" is missing or has a malformed value of '
                f'"{labels.get(_LE, "")}" for metric name "{labels.get(NAME, "")}"'
            )
            continue
        rest = {k: v for k, v in labels.items() if k != _LE}
        found.setdefault(key_of(rest), []).append((bound, row))
    return [_histogram(vector, sorted(buckets)) for buckets in found.values()]


def _histogram(vector: Vector, buckets: list[tuple[float, int]]) -> _Histogram:
    rows = [row for _, row in buckets]
    labels = {k: v for k, v in vector.labels[rows[0]].items() if k != _LE}
    return _Histogram(
        labels, bool(vector.drop_name[rows].any()), np.array([b for b, _ in buckets]), rows
    )


def _tables(vector: Vector, histogram: _Histogram) -> Iterator[tuple[Bools, Floats, Floats]]:
    """Steps with the same buckets present: which steps, their bounds, counts (steps, buckets)."""
    present = vector.present[histogram.rows].T
    counts = vector.values[histogram.rows].T
    if present.all():
        yield np.ones(len(present), bool), histogram.bounds, counts
        return
    patterns, codes = np.unique(present, axis=0, return_inverse=True)
    for code, pattern in enumerate(patterns):
        if pattern.any():
            steps = codes.ravel() == code
            yield steps, histogram.bounds[pattern], counts[steps][:, pattern]


def _merged_bounds(bounds: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Add up buckets with the same bound, such as ``0.2`` and ``2e-1``."""
    starts = np.flatnonzero(np.concatenate([[True], np.diff(bounds) != 0]))
    if len(starts) == len(bounds):
        return bounds, counts
    return bounds[starts], np.add.reduceat(counts, starts, axis=1)


Measure = Callable[[Bools, Floats, Floats, str], Floats]
"""Values at the steps given, from bounds and cumulative counts (steps, buckets) of a metric."""

NativeMeasure = Callable[[Ints, list[Histogram], str], Floats]
"""The values of a metric's native histograms, each at its step."""


def _measured(call: Call, vector: Vector, measure: Measure, native: NativeMeasure) -> Vector:
    """One value a histogram and step; where a metric is both classic and native, none."""
    if vector.histograms is None:
        return _classic(call, vector, measure)
    floats = vector.only_floats()
    classic = _classic(call, floats.take(np.flatnonzero(floats.present.any(axis=1))), measure)
    others = _natives(vector, native)
    rows = {key_of(labels): row for row, labels in enumerate(classic.labels)}
    for row, labels in enumerate(others.labels):
        other = rows.get(key_of({k: v for k, v in labels.items() if k != _LE}))
        if other is None:
            continue
        both = others.present[row] & classic.present[other]
        if both.any():
            call.query.notes.warn(
                "vector contains a mix of classic and native histograms for metric name "
                f'"{labels.get(NAME, "")}"'
            )
            others.present[row] &= ~both
            classic.present[other] &= ~both
    return merged(stacked([classic, others]))


def _natives(vector: Vector, measure: NativeMeasure) -> Vector:
    """One value a native histogram."""
    assert vector.histograms is not None
    part = vector.take(np.flatnonzero(vector.native.any(axis=1)))
    native, histograms = part.native, part.histograms
    assert histograms is not None
    values = np.full(native.shape, np.nan)
    for row, labels in enumerate(part.labels):
        steps = np.flatnonzero(native[row])
        values[row, steps] = measure(steps, histograms[row, steps].tolist(), labels.get(NAME, ""))
    return Vector(part.labels, values, native, np.ones(len(part), bool))


def _classic(call: Call, vector: Vector, measure: Measure) -> Vector:
    histograms = _histograms(call, vector)
    steps = len(call.grid)
    values, present = (
        np.full((len(histograms), steps), np.nan),
        np.zeros((len(histograms), steps), bool),
    )
    for row, histogram in enumerate(histograms):
        call.query.meter.tick()
        name = histogram.labels.get(NAME, "")
        for chosen, bounds, counts in _tables(vector, histogram):
            values[row, chosen] = measure(chosen, *_merged_bounds(bounds, counts), name)
            present[row] |= chosen
    labels = [histogram.labels for histogram in histograms]
    return Vector(labels, values, present, np.ones(len(labels), bool))


def _quantiles(call: Call, vector: Vector, q: Floats) -> Vector:
    def measure(steps: Bools, bounds: Floats, counts: Floats, name: str) -> Floats:
        values, repaired = bucket_quantile(q[steps], bounds, counts)
        if repaired:
            call.query.notes.inform(
                "input to histogram_quantile needed to be fixed for monotonicity (see "
                "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile"
                f') for metric name "{name}"'
            )
        return values

    def native(steps: Ints, histograms: list[Histogram], name: str) -> Floats:
        values = quantiles(q[steps], histograms)
        for step, value, histogram in zip(steps.tolist(), values, histograms, strict=True):
            if np.isnan(histogram.sum) and 0 <= q[step] <= 1 and histogram.count:
                call.query.notes.inform(
                    "input to histogram_quantile has NaN observations, result is "
                    f"{'NaN' if np.isnan(value) else 'skewed higher'}{_for(name)}"
                )
        return values

    return _measured(call, vector, measure, native)


def _for(name: str) -> str:
    return f' for metric name "{name}"' if name else ""


def _histogram_quantile(call: Call) -> Value:
    q, vector = call.scalar(0), call.vector(1)
    warn_of_quantile(call.query, q)
    return _quantiles(call, vector, q)


def _histogram_quantiles(call: Call) -> Value:
    """Several quantiles at once, told apart by a label of the caller's."""
    vector, label = call.vector(0), call.text(1)
    parts = []
    for position in range(2, len(call)):
        q = call.scalar(position)
        warn_of_quantile(call.query, q)
        part = _quantiles(call, vector, q)
        shown = _open_metrics(q[0].item()) if len(q) else ""
        part.labels = [{**each, label: shown} for each in part.labels]
        parts.append(part)
    return merged(stacked(parts))


def _open_metrics(value: float) -> str:
    """A number as OpenMetrics writes label values: with a point, so that 1 is ``1.0``."""
    text = format_value(value)
    return f"{text}.0" if text.lstrip("-").isdigit() else text


def _histogram_fraction(call: Call) -> Value:
    lower, upper, vector = call.scalar(0), call.scalar(1), call.vector(2)

    def measure(steps: Bools, bounds: Floats, counts: Floats, _name: str) -> Floats:
        return bucket_fraction(lower[steps], upper[steps], bounds, counts)

    def native(steps: Ints, histograms: list[Histogram], name: str) -> Floats:
        if any(np.isnan(histogram.sum) and histogram.count for histogram in histograms):
            call.query.notes.inform(
                "input to histogram_fraction has NaN observations, which are excluded from all "
                f"fractions{_for(name)}"
            )
        bounds = lower[steps].tolist(), upper[steps].tolist()
        return np.array([fraction(*each) for each in zip(*bounds, histograms, strict=True)])

    return _measured(call, vector, measure, native)


def _of_native(measure: Callable[[Histogram], float], *, buckets: bool = False) -> Function:
    """A function of native histograms alone; floats are left out.

    Where it looks at no buckets, Prometheus does not read them, and then finds out about counter
    resets while it reads.
    """

    def function(call: Call) -> Value:
        before = call.query.finds_resets
        call.query.finds_resets = not buckets
        try:
            vector = call.vector(0)
        finally:
            call.query.finds_resets = before
        if vector.histograms is None:
            return Vector.empty(len(call.grid))
        return _natives(vector, lambda _, each, __: np.array([measure(h) for h in each]))

    return function


def _average(histogram: Histogram) -> float:
    return float(np.float64(histogram.sum) / histogram.count)


BUCKETS: Final[dict[str, Function]] = {
    "histogram_avg": _of_native(_average),
    "histogram_count": _of_native(lambda histogram: histogram.count),
    "histogram_fraction": _histogram_fraction,
    "histogram_quantile": _histogram_quantile,
    "histogram_quantiles": _histogram_quantiles,
    "histogram_stddev": _of_native(lambda h: float(np.sqrt(variance(h))), buckets=True),
    "histogram_stdvar": _of_native(variance, buckets=True),
    "histogram_sum": _of_native(lambda histogram: histogram.sum),
}
"""Functions of histograms, by name."""
