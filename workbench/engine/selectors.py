"""Selectors: samples from storage, and subqueries, turned into vectors and ranges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.engine.context import Query
from workbench.engine.kernels.edges import interpolated, over_edges
from workbench.engine.kernels.windows import Windows, over_windows
from workbench.engine.native.edges import on_edge
from workbench.engine.native.windows import doubted, picked, resolved
from workbench.engine.values import Grid, Ranges, Value, Vector
from workbench.errors import NotSupportedError
from workbench.frame import Bools
from workbench.promql.matcher import Matcher
from workbench.promql.tree import MatrixSelector, VectorSelector
from workbench.samples import Floats, Ints, Samples, is_stale

__all__ = [
    "DEFAULT_SUBQUERY_STEP_MS",
    "matrix_selector",
    "sample_starts",
    "sample_times",
    "subquery",
    "vector_selector",
]

DEFAULT_SUBQUERY_STEP_MS = 60_000
"""The resolution of a subquery that names none: Prometheus' default evaluation interval."""


def _matchers(selector: VectorSelector) -> tuple[Matcher, ...]:
    if selector.alternatives:
        msg = "not supported: 'or' between matchers, which is not PromQL"
        raise NotSupportedError(msg, "join two selectors with the operator or")
    return selector.matchers


def _ends(node: Any, grid: Grid) -> tuple[Ints, bool]:
    """Where windows end, offset and ``@`` applied; a single moment where ``@`` fixes it."""
    at = node.at
    moments = grid.times_ms if at is None else np.array([grid.fixed(at)], np.int64)
    return moments - node.offset_ms, at is not None


def _ranges(samples: Samples, ends: Ints, span_ms: int, *, fixed: bool) -> Ranges:
    series = len(samples)
    return Ranges(
        list(samples.labels),
        np.zeros(series, bool),
        samples.offsets,
        samples.times_ms,
        samples.values,
        ends,
        span_ms,
        fixed,
        samples.histograms,
        starts_ms=samples.starts_ms,
    )


def _lookback(query: Query, node: Any, grid: Grid) -> Ranges:
    ends, fixed = _ends(node, grid)
    if not len(ends):
        return _ranges(Samples.empty(), ends, query.lookback_ms, fixed=fixed)
    start = int(ends.min()) - query.lookback_ms + 1
    samples = _with_hints(query, query.select(_matchers(node), start, int(ends.max())))
    return _ranges(samples, ends, query.lookback_ms, fixed=fixed)


def _with_hints(query: Query, samples: Samples) -> Samples:
    if not query.finds_resets or samples.histograms is None:
        return samples
    return replace(samples, histograms=resolved(samples.histograms, samples.offsets))


def _newest(windows: Windows) -> tuple[Floats, Bools]:
    values = windows.at(windows.values, windows.last)
    stale = is_stale(values)
    present = windows.count > 0
    return values, present & ~stale if stale.any() else present


def _newest_time(windows: Windows) -> tuple[Floats, Bools]:
    times = windows.full(windows.times_ms.take(windows.last) / 1000.0)
    return times, _newest(windows)[1]


def _newest_start(windows: Windows) -> tuple[Floats, Bools]:
    starts = np.zeros(windows.shape)
    if windows.starts_ms is not None:
        starts = windows.at(windows.starts_ms, windows.last) / 1000.0
    return starts, _newest(windows)[1]


def _instant(query: Query, node: Any, grid: Grid, kernel: Callable[..., Any]) -> Vector:
    ranges = _lookback(query, node, grid)
    vector = over_windows(ranges, kernel, query.meter)
    if ranges.histograms is not None and kernel is _newest:
        vector.histograms = picked(ranges, vector.present, lambda windows: windows.last)
    vector.drop_name[:] = False
    return vector.spread(len(grid)) if ranges.fixed else vector


def vector_selector(query: Query, node: Any, grid: Grid) -> Vector:
    """At each step the newest sample in ``(t - lookback, t]``, unless it says the series ended.

    A smoothed selector gives the value on the line to the next sample instead.
    """
    if node.edge == "smoothed":
        return _smoothed(query, node, grid)
    if node.edge:
        msg = f"not supported: {node.edge} on a selector without a range"
        raise NotSupportedError(msg, f"use it on a range, such as increase(x[5m] {node.edge})")
    return _instant(query, node, grid, _newest)


def _smoothed(query: Query, node: VectorSelector, grid: Grid) -> Vector:
    ranges = matrix_selector(query, MatrixSelector(node, query.lookback_ms), grid)
    if ranges.histograms is None:
        vector = over_edges(ranges, interpolated, query.lookback_ms, query.meter)
    else:
        vector = on_edge(ranges, query.lookback_ms, query.meter, query.notes)
    vector.drop_name[:] = False
    return vector.spread(len(grid)) if ranges.fixed else vector


def sample_times(query: Query, node: Any, grid: Grid) -> Vector:
    """Like `vector_selector`, but each sample's own time in Unix seconds."""
    return _instant(query, node, grid, _newest_time)


def sample_starts(query: Query, node: Any, grid: Grid) -> Vector:
    """Like `vector_selector`, but each sample's start timestamp in Unix seconds, 0 if unknown."""
    return _instant(query, node, grid, _newest_start)


def matrix_selector(query: Query, node: Any, grid: Grid) -> Ranges:
    """The samples of each step's window, staleness markers left out."""
    ends, fixed = _ends(node.vector_selector, grid)
    span = node.range_ms
    if not len(ends):
        return _ranges(Samples.empty(), ends, span, fixed=fixed)
    matchers = _matchers(node.vector_selector)
    edge = node.vector_selector.edge
    before = query.lookback_ms if edge else 0
    after = query.lookback_ms if edge == "smoothed" else 0
    samples = query.select(matchers, int(ends.min()) - span - before + 1, int(ends.max()) + after)
    samples = _with_hints(query, _without_stale(samples))
    return replace(_ranges(samples, ends, span, fixed=fixed), edge=edge)


def _without_stale(samples: Samples) -> Samples:
    stale = is_stale(samples.values)
    if not stale.any():
        return samples
    return _kept(samples, ~stale)


def _kept(samples: Samples, keep: Bools) -> Samples:
    """Only some rows, and only the series that still have any."""
    before = np.concatenate([[0], np.cumsum(keep)])
    offsets = before[samples.offsets]
    filled = np.diff(offsets) > 0
    labels = [
        each for each, any_left in zip(samples.labels, filled.tolist(), strict=True) if any_left
    ]
    ends = offsets[1:][filled]
    return Samples(
        labels,
        np.concatenate([[0], ends]).astype(np.int64),
        samples.times_ms[keep],
        samples.values[keep],
        None if samples.histograms is None else samples.histograms[keep],
        None if samples.starts_ms is None else samples.starts_ms[keep],
    )


def subquery(query: Query, node: Any, grid: Grid, evaluate: Callable[[Any, Grid], Value]) -> Ranges:
    """The inner expression on its own grid: multiples of the step within the windows.

    Only the moments that some window needs are evaluated.
    """
    ends, fixed = _ends(node, grid)
    span = node.range_ms
    step = node.step_ms or DEFAULT_SUBQUERY_STEP_MS
    moments = _moments(ends, span, step, query)
    finds_resets, query.finds_resets = query.finds_resets, False
    inner = evaluate(node.expr, grid.at(moments))
    query.finds_resets = finds_resets
    if not isinstance(inner, Vector):
        assert isinstance(inner, np.ndarray)
        inner = Vector.one({}, inner)
    return _ragged(inner, moments, ends, span, fixed=fixed)


def _moments(ends: Ints, span: int, step: int, query: Query) -> Ints:
    first, last = (ends - span) // step + 1, ends // step
    if not len(ends):
        return ends
    query.meter.hold(
        1, int(last.max() - first.min() + 1) if step * 2 >= span else int((last - first + 1).sum())
    )
    if len(ends) == 1 or (np.diff(ends) <= span).all():
        return np.arange(first.min(), last.max() + 1, dtype=np.int64) * step
    runs = [
        np.arange(low, high + 1) for low, high in zip(first.tolist(), last.tolist(), strict=True)
    ]
    return np.unique(np.concatenate(runs)).astype(np.int64) * step


def _ragged(inner: Vector, moments: Ints, ends: Ints, span: int, *, fixed: bool) -> Ranges:
    filled = np.flatnonzero(inner.present.any(axis=1))
    kept = inner if len(filled) == len(inner) else inner.take(filled)
    _, columns = np.nonzero(kept.present)
    offsets = np.concatenate([[0], np.cumsum(kept.present.sum(axis=1))]).astype(np.int64)
    return Ranges(
        kept.labels,
        kept.drop_name,
        offsets,
        moments[columns],
        np.ascontiguousarray(kept.values[kept.present]),
        ends,
        span,
        fixed,
        None if kept.histograms is None else doubted(kept.histograms[kept.present]),
    )
