"""Counters: they only rise, so what is worth asking is how fast."""

from __future__ import annotations

from workbench.promql.expression import Expression
from workbench.promql.metric import Metric
from workbench.units import Duration

__all__ = ["Counter"]


class Counter(Metric):
    """A counter.

    `rate` and `increase` correct for resets; aggregate after them, never before.

    Examples
    --------
    >>> print(Counter("http_requests_total", job="api").rate("5m").sum(by=["job"]))
    sum by (job) (rate(http_requests_total{job="api"}[5m]))
    >>> from workbench.promql import matches
    >>> requests = Counter("http_requests_total")
    >>> failed = requests.where(code=matches("5.."))
    >>> print(failed.rate("5m").sum() / requests.rate("5m").sum())
    sum(rate(http_requests_total{code=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))
    """

    __slots__ = ()

    def rate(self, period: Duration = "5m") -> Expression:
        """How fast it rises, per second, averaged over a period (at least two scrapes long)."""
        return self.over(period).apply("rate")

    def increase(self, period: Duration) -> Expression:
        """How much it rose in a period; extrapolated by Prometheus, so seldom a whole number."""
        return self.over(period).apply("increase")

    def irate(self, period: Duration = "5m") -> Expression:
        """How fast it rises between the last two samples of a period, per second."""
        return self.over(period).apply("irate")

    def resets(self, period: Duration) -> Expression:
        """How often it fell, which is how often its process started anew."""
        return self.over(period).apply("resets")
