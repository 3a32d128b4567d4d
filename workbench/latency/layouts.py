"""How well a layout of buckets would do: what it shows of each quantile and objective, and its cost.

Each layout counts the same distributions, all of which agree with what was observed
(`workbench.latency.reconstruction`). What a quantile's estimate then misses is known for each:
the mean over those that are smooth is the expected error, the largest of all the worst. Sampling noise is no part of it: it is what
the buckets alone cost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.latency.reconstruction import Reconstructions
from workbench.latency.schemes import Scheme
from workbench.samples import Floats
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.inversion import invert

__all__ = ["Judge", "Layout", "ObjectiveFit", "QuantileError", "native_edges", "native_growth"]

DRIFTS: Final = (0.5, 0.7, 1.4, 2.0)
"""Everything becomes so many times as slow: a layout must also serve after the next deploys."""

_COUNTED: Final = 100_000
"""Observations of each imagined distribution: enough that whole counts add no noise to a p99."""


@dataclass(frozen=True, slots=True)
class QuantileError:
    """How far off one quantile will be on a layout; every error is a share of the true value.

    On simulated smooth latencies expected errors agree with the true ones within a factor of two. On
    lumpy ones, with time-outs, retries or narrow modes, they are too small, by half and more; the
    worst are exceeded by one true error in fifty at most there (the adviser's benchmark).

    Parameters
    ----------
    quantile
        Which: 0.99.
    value
        About where it lies, in the unit of the metric.
    expected, worst
        Of our estimate.
    expected_promql, worst_promql
        Of ``histogram_quantile``.
    drifted_promql
        Expected of ``histogram_quantile`` after everything got 2 or 1.4 times faster or slower.
    width
        Relative width ``high / low - 1`` of the bucket in which it lies: no error is larger,
        whatever the distribution. Infinite in the first and the top bucket.
    width_at_most
        The same of the widest bucket in which it could lie for all that today's counts tell.
    """

    quantile: float
    value: float
    expected: float
    worst: float
    expected_promql: float
    worst_promql: float
    drifted_promql: float
    width: float
    width_at_most: float


@dataclass(frozen=True, slots=True)
class ObjectiveFit:
    """How well the share of observations within one objective is known on a layout.

    Parameters
    ----------
    objective
        The threshold, in the unit of the metric.
    on_boundary
        Whether the share is counted exactly.
    share
        About which share lies within.
    share_error, share_error_worst
        By how much the share is misjudged by interpolating: 0.01 is one percentage point.
    share_unknown
        Share of the observations in the bucket that the objective cuts: it bounds the error.
    """

    objective: float
    on_boundary: bool
    share: float
    share_error: float
    share_error_worst: float
    share_unknown: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout of buckets, judged.

    Parameters
    ----------
    name, kind
        `kind` is ``today``, ``default``, ``geometric``, ``focused`` or ``native``.
    boundaries
        Finite upper edges, ascending, in the unit of the metric; empty of a native histogram.
    buckets
        Classic: series with ``le``, ``+Inf`` among them. Native: buckets that fill.
    series_per_label_set, series
        With ``_sum`` and ``_count``; over all label sets.
    series_change
        Against today's.
    quantiles, objectives
        One entry for each; empty where nothing could be judged.
    share_beyond, share_beyond_worst
        Share of observations above the last boundary.
    schema
        Of a native histogram.
    """

    name: str
    kind: str
    boundaries: tuple[float, ...]
    buckets: int
    series_per_label_set: int
    series: int
    series_change: int = 0
    quantiles: tuple[QuantileError, ...] = ()
    objectives: tuple[ObjectiveFit, ...] = ()
    share_beyond: float = 0.0
    share_beyond_worst: float = 0.0
    schema: int | None = None

    @property
    def error(self) -> float:
        """The figure by which layouts are compared.

        The error of ``histogram_quantile``, which dashboards and alerts use: the mean over the
        quantiles, half of it as things are and half after drift. NaN where nothing was judged.
        """
        if not self.quantiles:
            return math.nan
        each = [(q.expected_promql + q.drifted_promql) / 2 for q in self.quantiles]
        return sum(each) / len(each)

    @property
    def on_objectives(self) -> bool:
        """Whether every objective is a boundary."""
        return all(o.on_boundary for o in self.objectives)

    @property
    def clipped(self) -> bool:
        """Whether the highest quantile lies, or may soon lie, in the top bucket."""
        if not self.quantiles or self.schema is not None:
            return False
        return 2 * self.share_beyond > 1 - max(q.quantile for q in self.quantiles)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON; what is infinite is None."""
        return {
            "name": self.name,
            "kind": self.kind,
            "boundaries": list(self.boundaries),
            "buckets": self.buckets,
            "series_per_label_set": self.series_per_label_set,
            "series": self.series,
            "series_change": self.series_change,
            "error": _plain(self.error),
            "quantiles": [_fields(q) for q in self.quantiles],
            "objectives": [_fields(o) for o in self.objectives],
            "share_beyond": self.share_beyond,
            "share_beyond_worst": self.share_beyond_worst,
            "schema": self.schema,
        }


def native_growth(schema: int) -> float:
    """Ratio of the edges of a native histogram's buckets: ``2 ** 2 ** -schema``.

    Examples
    --------
    >>> [round(native_growth(schema), 4) for schema in (0, 3, 5, 8)]
    [2.0, 1.0905, 1.0219, 1.0027]
    """
    return float(2.0**2.0**-schema)


def native_edges(schema: int, low: float, high: float) -> Floats:
    """Edges of the buckets of a native histogram that hold what lies between two values.

    Examples
    --------
    >>> native_edges(0, 0.3, 3.0).tolist()
    [0.25, 0.5, 1.0, 2.0, 4.0]
    """
    per_doubling = 2.0**schema
    first = math.floor(math.log2(low) * per_doubling)
    last = math.ceil(math.log2(high) * per_doubling)
    edges: Floats = 2.0 ** (np.arange(first, last + 1) / per_doubling)
    return edges


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Judges layouts on one observed distribution.

    Parameters
    ----------
    observed
        Shape (buckets,).
    drawn
        What may lie behind it.
    quantiles, objectives
        What matters.
    label_sets
        Combinations of label values: each has all buckets.
    series_today
        Of one label set.
    """

    observed: BucketCounts
    drawn: Reconstructions
    quantiles: tuple[float, ...]
    objectives: tuple[float, ...]
    label_sets: int
    series_today: int

    def classic(self, scheme: Scheme) -> Layout:
        """Judge boundaries."""
        edges = np.array([0.0, *scheme.boundaries, np.inf])
        series = len(scheme.boundaries) + 3
        return Layout(
            scheme.name,
            scheme.kind,
            scheme.boundaries,
            len(scheme.boundaries) + 1,
            series,
            series * self.label_sets,
            (series - self.series_today) * self.label_sets,
            *self._judged(edges, exponential=False),
        )

    def native(self, schema: int) -> Layout:
        """Judge an exponential native histogram: one series a label set, whatever it holds."""
        ends = np.exp(self.drawn.log_values[[0, -1]])
        inner = native_edges(schema, float(ends[0]), float(ends[1]))
        few = min(0.5 / max(float(self.observed.total), 1.0), 0.25)
        low, high = self.drawn.values(np.array([few, 1 - few]))[0].tolist()
        return Layout(
            f"native, schema {schema}",
            "native",
            (),
            len(native_edges(schema, low, high)) - 1,
            1,
            self.label_sets,
            (1 - self.series_today) * self.label_sets,
            *self._judged(np.array([0.0, *inner, np.inf]), exponential=True),
            schema=schema,
        )

    def _judged(
        self, edges: Floats, *, exponential: bool
    ) -> tuple[tuple[QuantileError, ...], tuple[ObjectiveFit, ...], float, float]:
        counted = self._counted(edges, exponential=exponential)
        now = counted[0]
        beyond = now.counts[:, -1] / now.total
        return (
            self._quantile_errors(counted),
            tuple(self._objective_fit(edges, now, x) for x in self.objectives),
            float(beyond[0]),
            float(beyond.max()),
        )

    def _counted(self, edges: Floats, *, exponential: bool) -> BucketCounts:
        """What a layout would count, shape (drifts, distributions, buckets): first without drift."""
        shares = np.stack([self.drawn.shares(edges[1:-1] / drift) for drift in (1.0, *DRIFTS)])
        reached = np.round(shares * _COUNTED)
        counts = np.diff(reached, axis=-1, prepend=0.0, append=float(_COUNTED))
        return BucketCounts(edges, counts, exponential)

    def _quantile_errors(self, counted: BucketCounts) -> tuple[QuantileError, ...]:
        truth = self.drawn.values(np.array(self.quantiles))
        found = invert(counted, np.array(self.quantiles))
        drifted = truth * np.array([1.0, *DRIFTS])[:, None, None]
        ours = np.abs(found.value / drifted - 1)
        promql = np.abs(found.linear / drifted - 1)
        likely = slice(0, self.drawn.likely)
        widest = self._widest(counted.edges)
        return tuple(
            QuantileError(
                q,
                float(truth[0, i]),
                float(ours[0, likely, i].mean()),
                float(ours[0, :, i].max()),
                float(promql[0, likely, i].mean()),
                float(promql[0, :, i].max()),
                float(promql[1:, likely, i].mean()),
                _ratio(float(found.low[0, 0, i]), float(found.high[0, 0, i])),
                widest[i],
            )
            for i, q in enumerate(self.quantiles)
        )

    def _widest(self, edges: Floats) -> list[float]:
        """The widest bucket that meets the one in which each quantile was observed."""
        seen = invert(self.observed, np.array(self.quantiles))
        widest = []
        for low, high in zip(seen.low.tolist(), seen.high.tolist(), strict=True):
            met = (edges[:-1] < high) & (edges[1:] > low)
            pairs = zip(edges[:-1][met].tolist(), edges[1:][met].tolist(), strict=True)
            widest.append(max(_ratio(a, b) for a, b in pairs))
        return widest

    def _objective_fit(self, edges: Floats, now: BucketCounts, objective: float) -> ObjectiveFit:
        true = self.drawn.shares(np.array([objective]))[:, 0]
        same = np.isclose(edges, objective, rtol=1e-9, atol=0.0)
        on_boundary = bool(same.any())
        place = int(same.argmax() if on_boundary else edges.searchsorted(objective))
        below = now.counts[:, :place].sum(axis=1) / now.total
        inside = np.zeros(len(below))
        if not on_boundary:
            inside = now.counts[:, place - 1] / now.total
            part = _part(edges[place - 1], objective, edges[place], exponential=now.exponential)
            below = below - inside * (1 - part)
        off = np.where(on_boundary, 0.0, np.abs(below - true))
        return ObjectiveFit(
            objective,
            on_boundary,
            float(true[0]),
            float(off[: self.drawn.likely].mean()),
            float(off.max()),
            float(inside.max()),
        )


def _part(low: float, value: float, high: float, *, exponential: bool) -> float:
    """Which part of a bucket ``histogram_fraction`` takes to lie at or below a value in it."""
    if math.isinf(high):
        return 0.0
    if exponential and low > 0:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def _ratio(low: float, high: float) -> float:
    return high / low - 1 if low > 0 else math.inf


def _fields(entry: QuantileError | ObjectiveFit) -> dict[str, Any]:
    return {name: _plain(getattr(entry, name)) for name in entry.__dataclass_fields__}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
