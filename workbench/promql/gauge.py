"""Gauges: they rise and fall, so the value itself is the answer."""

from __future__ import annotations

from workbench.promql.expression import Expression
from workbench.promql.metric import Metric
from workbench.promql.quote import quote_number
from workbench.units import Duration, parse_duration

__all__ = ["Gauge"]


class Gauge(Metric):
    """A gauge.

    Examples
    --------
    >>> print(Gauge("node_filesystem_avail_bytes", mountpoint="/").value().min(by="instance"))
    min by (instance) (node_filesystem_avail_bytes{mountpoint="/"})
    >>> print(Gauge("queue_size").over("1h").quantile(0.95))
    quantile_over_time(0.95, queue_size[1h])
    >>> print(Gauge("disk_free").predict("4d", period="6h").below(0))
    predict_linear(disk_free[6h], 345600) < 0
    """

    __slots__ = ()

    def delta(self, period: Duration) -> Expression:
        """How much it changed over a period."""
        return self.over(period).apply("delta")

    def slope(self, period: Duration) -> Expression:
        """How fast it changes, per second: a least-squares line through a period (``deriv``)."""
        return self.over(period).apply("deriv")

    def predict(self, ahead: Duration, *, period: Duration) -> Expression:
        """Its value some time ahead, on a least-squares line through a period."""
        seconds = parse_duration(ahead) / 1000
        return Expression(f"predict_linear({self.over(period)}, {quote_number(seconds)})")
