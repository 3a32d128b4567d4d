"""What is known of a layout of buckets: its cost, how well it shows quantiles and objectives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.samples import Floats

__all__ = ["Layout", "ObjectiveFit", "QuantileError", "native_edges", "native_growth"]


@dataclass(frozen=True, slots=True)
class QuantileError:
    """How far off one quantile will be on a layout; every error is a share of the true value.

    On simulated smooth latencies expected errors agree with the true ones within a factor of two.
    On lumpy ones, with time-outs, retries or narrow modes, they are too small, by half and more;
    about one true error in thirty at most exceeds the worst there (the adviser's benchmark).

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


def _fields(entry: QuantileError | ObjectiveFit) -> dict[str, Any]:
    return {name: _plain(getattr(entry, name)) for name in entry.__dataclass_fields__}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
