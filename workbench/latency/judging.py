"""How well a layout of buckets would do: what it shows of quantiles and objectives, and its cost.

Each layout counts the same distributions, all of which agree with what was observed
(`workbench.latency.reconstruction`). What a quantile's estimate then misses is known for each: the
mean over those that are smooth is the expected error, the largest of all the worst. Sampling noise
is no part of it: it is what the buckets alone cost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.latency.layouts import Layout, ObjectiveFit, QuantileError, native_edges
from workbench.latency.reconstruction import Reconstructions
from workbench.latency.schemes import Scheme
from workbench.samples import Floats
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.inversion import invert

__all__ = ["Judge"]

_DRIFTS: Final = (0.5, 0.7, 1.4, 2.0)
"""Everything becomes so many times as slow: a layout must also serve after the next deploys."""

_COUNTED: Final = 100_000
"""Observations of each imagined distribution: enough that whole counts add no noise to a p99."""


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Judges layouts on one observed distribution.

    Parameters
    ----------
    total
        How much was observed.
    low, high
        Shape (quantiles,): the edges of today's bucket that holds each quantile.
    drawn
        What may lie behind the counts.
    quantiles, objectives
        What matters.
    label_sets
        Combinations of label values: each has all buckets.
    series_today
        Of one label set.
    """

    total: float
    low: Floats
    high: Floats
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
        few = min(0.5 / max(self.total, 1.0), 0.25)
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
        """What a layout would count, shape (drifts, distributions, buckets); first no drift."""
        shares = np.stack([self.drawn.shares(edges[1:-1] / drift) for drift in (1.0, *_DRIFTS)])
        reached = np.round(shares * _COUNTED)
        counts = np.diff(reached, axis=-1, prepend=0.0, append=float(_COUNTED))
        return BucketCounts(edges, counts, exponential)

    def _quantile_errors(self, counted: BucketCounts) -> tuple[QuantileError, ...]:
        truth = self.drawn.values(np.array(self.quantiles))
        found = invert(counted, np.array(self.quantiles))
        drifted = truth * np.array([1.0, *_DRIFTS])[:, None, None]
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
        widest = []
        for low, high in zip(self.low.tolist(), self.high.tolist(), strict=True):
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
