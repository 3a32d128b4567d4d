"""Histograms, classic (``_bucket``, ``_sum``, ``_count``) and native, asked in the same words.

Each question takes `period`, over which the rate is taken, and `by` or `without`, the labels that
tell apart the groups of the answer; without them one answer comes for all series together.
"""

from __future__ import annotations

from typing import Final

from workbench.promql.build import LabelValue, Selection
from workbench.promql.condition import number
from workbench.promql.expression import Expression, call
from workbench.promql.matcher import Matcher
from workbench.promql.metric import Metric
from workbench.promql.syntax import Labels
from workbench.units import Duration

__all__ = ["Histogram", "NativeHistogram"]

_SUFFIXES: Final = ("_bucket", "_sum", "_count")


class Histogram(Metric):
    """A classic histogram: cumulative counters, one for each upper bound ``le``.

    Parameters
    ----------
    name
        The family's name; ``_bucket``, ``_sum`` or ``_count`` at its end is taken off.
    labels, **matchers
        Conditions, as `workbench.promql.selector` takes them.

    Examples
    --------
    >>> latency = Histogram("request_seconds", job="api")
    >>> print(latency.quantile(0.99, "5m", by="route"))
    histogram_quantile(0.99, sum by (route, le) (rate(request_seconds_bucket{job="api"}[5m])))
    >>> print(latency.fraction_below(0.3, "5m"))
    sum(rate(request_seconds_bucket{job="api",le="0.3"}[5m])) / sum(rate(request_seconds_count{job="api"}[5m]))
    """

    __slots__ = ()

    def __init__(
        self, name: str, /, labels: Selection | None = None, **matchers: LabelValue
    ) -> None:
        family = next((name.removesuffix(s) for s in _SUFFIXES if name.endswith(s)), name)
        super().__init__(family, labels, **matchers)

    def quantile(
        self,
        q: float,
        period: Duration = "5m",
        *,
        by: Labels | None = None,
        without: Labels | None = None,
    ) -> Expression:
        """Below what value a share `q` of the observations lies, interpolated within a bucket."""
        return call("histogram_quantile", q, self.buckets(period, by=by, without=without))

    def fraction_below(
        self,
        bound: float,
        period: Duration = "5m",
        *,
        by: Labels | None = None,
        without: Labels | None = None,
    ) -> Expression:
        """Which share of the observations is at most `bound`, which must be one of the buckets'.

        A bound that is no bucket's gives an empty result, never a guess.
        """
        condition = number(bound)
        inside = self._rate("_bucket", period, Matcher("le", condition.op, condition.value))
        whole = self._rate("_count", period)
        return inside.sum(by=by, without=_with_le(without)) / whole.sum(by=by, without=without)

    def mean(
        self, period: Duration = "5m", *, by: Labels | None = None, without: Labels | None = None
    ) -> Expression:
        """The mean observation."""
        total = self._rate("_sum", period).sum(by=by, without=without)
        return total / self.count_rate(period, by=by, without=without)

    def count_rate(
        self, period: Duration = "5m", *, by: Labels | None = None, without: Labels | None = None
    ) -> Expression:
        """How many observations there are, per second."""
        return self._rate("_count", period).sum(by=by, without=without)

    def buckets(
        self, period: Duration = "5m", *, by: Labels | None = None, without: Labels | None = None
    ) -> Expression:
        """The cumulative buckets as rates: what a quantile or a heatmap is made of."""
        names = (by,) if isinstance(by, str) else tuple(by or ())
        kept = None if without is not None else tuple(dict.fromkeys((*names, "le")))
        return self._rate("_bucket", period).sum(by=kept, without=without)

    def _rate(self, suffix: str, period: Duration, *more: Matcher) -> Expression:
        return Expression(f"rate({self._text(suffix, *more, period=period)})")


def _with_le(without: Labels | None) -> Labels | None:
    """Also drop ``le``, which one bucket has and the count has not."""
    if without is None:
        return None
    return (*((without,) if isinstance(without, str) else without), "le")


class NativeHistogram(Metric):
    """A native histogram: one series that holds all buckets; needs Prometheus 2.40 or newer.

    Examples
    --------
    >>> latency = NativeHistogram("request_seconds", job="api")
    >>> print(latency.quantile(0.99, "5m", by="route"))
    histogram_quantile(0.99, sum by (route) (rate(request_seconds{job="api"}[5m])))
    >>> print(latency.fraction_below(0.3, "5m"))
    histogram_fraction(-Inf, 0.3, sum(rate(request_seconds{job="api"}[5m])))
    """

    __slots__ = ()

    def quantile(
        self,
        q: float,
        period: Duration = "5m",
        *,
        by: Labels | None = None,
        without: Labels | None = None,
    ) -> Expression:
        """Below what value a share `q` of the observations lies, interpolated within a bucket."""
        return call("histogram_quantile", q, self.buckets(period, by=by, without=without))

    def fraction_below(
        self,
        bound: float,
        period: Duration = "5m",
        *,
        by: Labels | None = None,
        without: Labels | None = None,
    ) -> Expression:
        """Which share of the observations is at most `bound`, interpolated within a bucket."""
        merged = self.buckets(period, by=by, without=without)
        return call("histogram_fraction", float("-inf"), bound, merged)

    def mean(
        self, period: Duration = "5m", *, by: Labels | None = None, without: Labels | None = None
    ) -> Expression:
        """The mean observation."""
        merged = self.buckets(period, by=by, without=without)
        return call("histogram_sum", merged) / call("histogram_count", merged)

    def count_rate(
        self, period: Duration = "5m", *, by: Labels | None = None, without: Labels | None = None
    ) -> Expression:
        """How many observations there are, per second."""
        return call("histogram_count", self.buckets(period, by=by, without=without))

    def buckets(
        self, period: Duration = "5m", *, by: Labels | None = None, without: Labels | None = None
    ) -> Expression:
        """The merged histogram as rates: what a quantile is made of."""
        return self.over(period).apply("rate").sum(by=by, without=without)
